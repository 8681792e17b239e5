import Foundation
import ImagingCore

/// A tumour in lung that is a solid core within ground glass: it has two edges, and a person may mean either.
struct PartSolidTumour {
    let glass: GroundGlass
    let coreHU: Float
    let coreCenter: PatientPoint
    let edges: TwoEdges

    /// Unless told otherwise the tumour is core and glass.
    private static let priorOfCore = 0.05
    private static let leastCoreDiameterMM: Float = 4
    /// Under the surface blur alone makes any grey level.
    private static let skinMM: Float = 1.5

    /// `nil` where there is no core, or hardly any glass.
    init?(_ fit: RadialTumourFit, glass: GroundGlass) {
        let samples = fit.samples, count = samples.radii.count, sphere = fit.sphere
        var solid: [(place: SIMD3<Float>, value: Float, volume: Float)] = []
        let levels = (0..<sphere.count).flatMap { n in
            (0..<count).filter { samples.radii[$0] < fit.radii[n] - Self.skinMM }.map { samples.values[n * count + $0] }
                .filter { !$0.isNaN }
        }
        guard let densest = levels.quantile(0.95), densest > LungBackground.glassHU else { return nil }
        let between = (densest + glass.levelHU) / 2
        for n in 0..<sphere.count {
            for s in 0..<count where samples.radii[s] < fit.radii[n] - Self.skinMM && samples.values[n * count + s] > between {
                let r = samples.radii[s]
                solid.append((r * sphere.directions[n], samples.values[n * count + s], sphere.solidAngles[n] * r * r * r * samples.logStep))
            }
        }
        let volume = solid.reduce(0) { $0 + $1.volume }
        guard volume > .pi / 6 * pow(Self.leastCoreDiameterMM, 3) else { return nil }
        let middle = solid.reduce(SIMD3<Float>.zero) { $0 + $1.volume * $1.place } / volume
        // A core that fills the tumour leaves no second edge.
        let core = sphere.greatestExtent(of: solid.map(\.place)), whole = fit.longestDiameterMM
        (self.glass, coreHU, coreCenter) = (glass, densest, fit.center + PatientVector(SIMD3<Double>(middle)))
        edges = TwoEdges(
            coreDiameterMM: Double(core), wholeDiameterMM: whole, statedMM: fit.expectation.prompt.diameterMM, priorOfCore: Self.priorOfCore)
        guard core > Self.leastCoreDiameterMM, Float(whole) - core > 2 * Self.skinMM else { return nil }
    }

    /// What the search for the core goes by: ground glass in place of lung.
    func coreExpectation(_ whole: RadialTumourFit.Expectation) -> RadialTumourFit.Expectation {
        var own = whole
        if whole.prompt.axis == nil { own.prompt.seed = coreCenter }
        own.share = Float(edges.coreDiameterMM / whole.prompt.diameterMM)
        own.lung = whole.lung.map { LungBackground(level: glass.levelHU, evenAt: (glass.levelHU + coreHU) / 2, inPlaceOf: $0) }
        return own
    }

    /// - Parameter foundMM: the longest diameter of the outline that was taken.
    func finding(foundMM: Double) -> Finding {
        let (coreDiameterMM, wholeDiameterMM) = edges.coreIsMeant ? (foundMM, edges.wholeDiameterMM) : (edges.coreDiameterMM, foundMM)
        func millimetres(_ value: Double) -> String { String(Int(value.rounded())) }
        let (core, whole) = (millimetres(coreDiameterMM), millimetres(wholeDiameterMM))
        let sizes = "The tumour is a solid core of \(core) mm within ground glass of \(whole) mm"
        if edges.coreIsMeant {
            return Finding(
                .warning, "tumour-core-without-glass", "\(sizes); by the stated diameter the outline is that of the core alone.",
                remedy: "If the ground glass belongs to the tumour state a diameter of \(whole) mm.")
        }
        let remedy = "If the core alone is meant state a diameter of \(core) mm."
        return edges.edgeDeviationMM > 0
            ? Finding(
                .warning, "tumour-two-edges", "\(sizes), and the stated diameter fits either; the outline takes in the ground glass.",
                remedy: remedy)
            : Finding(.info, "tumour-part-solid", "\(sizes); the outline takes in the ground glass.", remedy: remedy)
    }
}
