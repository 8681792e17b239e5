import Foundation
import ImagingCore

/// A tumour whose middle differs from a shell around it: which of the two edges is meant, and what is said of it.
struct DifferingMiddle {
    let edges: TwoEdges
    private let core: TumourCore
    /// Whether the outline of the whole was found.
    private let isJoined: Bool

    /// What a crest encloses is mostly a tumour's, more seldom a cyst in an organ's bright cortex; a shelf may be an edge's own.
    private static let priorWithinCrest = 0.2, priorWithinShelf = 0.5, priorUnjoined = 0.5

    /// - Parameters:
    ///   - whole: the outline of middle and shell.
    ///   - priorOfCore: how likely the middle alone is meant, where not as usual.
    init(_ core: TumourCore, whole: RadialTumourFit, priorOfCore: Double? = nil) {
        (self.core, isJoined) = (core, true)
        edges = TwoEdges(
            coreDiameterMM: core.longestDiameterMM, wholeDiameterMM: whole.longestDiameterMM,
            statedMM: whole.expectation.prompt.diameterMM,
            priorOfCore: priorOfCore ?? (core.shell.isCrest ? Self.priorWithinCrest : Self.priorWithinShelf))
    }

    /// Where no outline of middle and shell was found: `nil` unless a crest encloses the middle, and the stated size is that of both.
    init?(unjoined core: TumourCore) {
        (self.core, isJoined) = (core, false)
        let coreMM = core.longestDiameterMM
        edges = TwoEdges(
            coreDiameterMM: coreMM, wholeDiameterMM: core.fit.longestDiameterMM + 2 * Double(core.shell.outerDepthMM),
            statedMM: core.fit.expectation.prompt.diameterMM, priorOfCore: Self.priorUnjoined)
        guard core.shell.isCrest, !edges.coreIsMeant else { return nil }
    }

    var edgeDeviationMM: Double {
        isJoined ? edges.edgeDeviationMM : (edges.wholeDiameterMM - edges.coreDiameterMM) / 4
    }

    /// - Parameter foundMM: the longest diameter of the outline that was taken.
    /// - Returns: `nil` where the stated size is surely that of the middle alone.
    func finding(foundMM: Double, modality: Modality) -> Finding? {
        let takesCore = edges.coreIsMeant || !isJoined
        let (coreMM, wholeMM) = takesCore ? (foundMM, edges.wholeDiameterMM) : (edges.coreDiameterMM, foundMM)
        func text(_ value: Double) -> String { String(Int(value.rounded())) }
        let levels = "\(text(Double(core.level))) and \(text(Double(core.shell.level)))\(modality == .ct ? " HU" : "")"
        let sizes = "What lies at the seed, \(text(coreMM)) mm long, differs from a shell around it, \(text(wholeMM)) mm long (\(levels))"
        let stateWhole = "If the shell belongs to the tumour state a diameter of \(text(wholeMM)) mm."
        let stateCore = "Look at the outline; if the middle alone is meant state a diameter of \(text(coreMM)) mm."
        switch (isJoined, edges.coreIsMeant, edges.isSure) {
        case (false, _, _):
            return Finding(
                .warning, "tumour-in-shell", "\(sizes); no outline was found around both, so that this is the middle's alone.",
                remedy: "Look at the outline; if the shell belongs to the tumour put include points into it, or give a mask.")
        case (true, true, true): return nil
        case (true, true, false):
            return Finding(
                .warning, "tumour-middle-alone", "\(sizes); by the stated diameter the outline is that of the middle alone.",
                remedy: stateWhole)
        case (true, false, true): return Finding(.info, "tumour-middle-differs", "\(sizes); the outline takes in both.", remedy: stateCore)
        case (true, false, false):
            return Finding(
                .warning, "tumour-two-edges", "\(sizes), and the stated diameter fits either; the outline takes in both.", remedy: stateCore)
        }
    }
}
