import Foundation
import ImageFilters
import ImagingCore

/// Cryoprobes on CT: thin, straight shafts of metal that reach into the body.
///
/// Voxels that stand out as thin lines are joined into straight stretches (`StraightLineSearch`); a rod blurred as the scanner blurs is
/// fitted to each (`ShaftFit`), which says whether it is one, where it lies and where it ends even where voxels are saturated or slices
/// thick; how the rod lies to the skin says which end is the tip (`ShaftReading`); one that bends has its tip and direction from its deep
/// part (`ShaftBend`). Bone and calcium are not rods; clips and stents are too short; leads and catheters bend by far more, or do not
/// reach the skin.
public enum ProbeDetection {
    static let shortestMM = 28.0
    static let largestCount = 20

    public struct Result: Sendable {
        /// Longest first, tips deep in the body.
        public var probes: [Probe]
        /// What a person should know: ends that cannot be told apart, tips beyond the scan, metal that was taken for no probe.
        public var findings: [Finding]

        public init(probes: [Probe] = [], findings: [Finding] = []) { (self.probes, self.findings) = (probes, findings) }
    }

    /// The probes in a scan, longest first, tips deep in the body; see `find(in:modality:)` for what else is to be known.
    public static func probes(in scan: ScanVolume, modality: Modality) -> [Probe] { find(in: scan, modality: modality).probes }

    /// The probes in a scan, and what could not be told.
    public static func find(in scan: ScanVolume, modality: Modality) -> Result {
        switch modality {
        case .ct:
            let body = BodyDepth(of: scan)
            guard !body.isEmpty else { return Result(findings: [Self.noBody]) }
            return read(shafts(in: scan, body: body, contrast: .metal), body: body, evidence: RodEvidence(scan: scan, contrast: .metal))
        case .mr:
            return ProbeTracks(scan).find()
        }
    }

    static let noBody = Finding(
        .warning, "probes-not-sought-without-body",
        "Probes were not looked for: the scan shows no soft tissue that would tell the body from the air around it.",
        remedy: "Give the probes' tips and tails in the case.")

    /// Every rod of metal that comes into the body or near it, the longest first.
    static func shafts(in scan: ScanVolume, body: BodyDepth, contrast: ShaftContrast) -> [ShaftFit.Outcome] {
        let points = MetalRidges.points(in: scan, contrast: contrast)
        guard points.count >= 8 else { return [] }
        // Implants can hold far more such voxels than any set of probes; an even selection keeps their lines.
        let step = points.count / 60_000 + 1
        var search = StraightLineSearch(
            step == 1 ? points : stride(from: 0, to: points.count, by: step).map { points[$0] }, sliceSpacingMM: scan.geometry.spacing.z)
        let fit = ShaftFit(scan: scan, contrast: contrast), evidence = RodEvidence(scan: scan, contrast: contrast)
        var found: [ShaftFit.Outcome] = [], doubtful: [LineStretch] = []
        func accepts(_ line: LineStretch, _ others: [ShaftModel]) -> ShaftFit.Outcome? {
            guard others.count < 2 * largestCount, body.isReached(by: line, in: scan.geometry),
                evidence.clearShare(line, others: others) > 0.45,
                evidence.wanderMM(line, others: others) < largestWanderMM(line, contrast) + 0.2,
                let outcome = extended(fit.fit(line, others: others, widestBlurMM: widestBlurMM), fit, others, evidence),
                isRod(outcome, evidence, others)
            else { return nil }
            return outcome
        }
        search.forEachLine { line in
            accepts(line, found.map(\.model))
        } decide: { line, outcome in
            guard let outcome else {
                doubtful.append(line)
                return nil
            }
            found.append(outcome)
            return outcome.model.line
        }
        // Beside or across other shafts one may have looked crooked or thick before those were known.
        for line in doubtful where found.contains(where: { $0.isNear(line) }) {
            if let outcome = accepts(line, found.map(\.model)) { found.append(outcome) }
        }
        return distinct(refined(found, fit, evidence))
    }

    /// A line that something interrupted (a crossing shaft, a shadow) goes on beyond it.
    private static func extended(
        _ outcome: ShaftFit.Outcome?, _ fit: ShaftFit, _ others: [ShaftModel], _ evidence: RodEvidence
    ) -> ShaftFit.Outcome? {
        guard var outcome else { return nil }
        for _ in 0..<3 {
            var line = outcome.model.line
            let extent = evidence.extent(of: line, excess: outcome.typicalExcess)
            guard extent.upperBound - extent.lowerBound > line.length + 5 else { break }
            line.range = extent
            guard let next = fit.fit(line, others: others), next.lengthMM > outcome.lengthMM + 4 else { break }
            outcome = next
        }
        return outcome
    }

    /// Longest first, without shafts that lie along a longer one.
    private static func distinct(_ shafts: [ShaftFit.Outcome]) -> [ShaftFit.Outcome] {
        var kept: [ShaftFit.Outcome] = []
        for shaft in shafts.sorted(by: { $0.lengthMM > $1.lengthMM }) where !kept.contains(where: { shaft.liesAlong($0) }) {
            kept.append(shaft)
        }
        return kept
    }

    /// Fitted once more with each other's light in mind: where shafts cross or their tips meet, it falls on the same voxels.
    private static func refined(_ shafts: [ShaftFit.Outcome], _ fit: ShaftFit, _ evidence: RodEvidence) -> [ShaftFit.Outcome] {
        mapSlabs(of: shafts.count, slab: 1) { slab in
            let index = slab.lowerBound, others = shafts.indices.filter { $0 != index }.map { shafts[$0].model }
            guard
                let again = fit.fit(shafts[index].model.line, others: others, isLast: true, widestBlurMM: widestBlurMM),
                isRod(again, evidence, others)
            else { return shafts[index] }
            // Slices that a rod leaves slowly dim it towards an end, which a rod placed elsewhere in them takes for what lies beyond.
            let extent = evidence.extent(of: again.model.line, excess: again.typicalExcess)
            guard !again.isCutShort(of: shafts[index], extentMM: extent) else { return shafts[index] }
            // One alone was fitted to all there is: only where it lies in its slice may change.
            return shafts.count > 1 || again.heightChangeMM(from: shafts[index]) > leastHeightChangeMM ? again : shafts[index]
        }
    }

    private static let leastHeightChangeMM = 0.3

    /// A probe of 3.4 mm under a soft kernel has a blur of 1.4 mm.
    private static let widestBlurMM = 1.8
    private static let leastClearShare = 0.6

    private static func isRod(_ outcome: ShaftFit.Outcome, _ evidence: RodEvidence, _ others: [ShaftModel]) -> Bool {
        outcome.lengthMM >= shortestMM && outcome.model.blurMM < widestBlurMM && outcome.typicalExcess > evidence.contrast.leastExcess
            && evidence.clearShare(outcome.model.line, others: others) >= leastClearShare
            && evidence.wanderMM(outcome.model.line, others: others) < largestWanderMM(outcome.model.line, evidence.contrast)
    }
    /// Needles bend by a millimetre or two over their length.
    private static func largestWanderMM(_ line: LineStretch, _ contrast: ShaftContrast) -> Double {
        contrast.wanderMM + 0.003 * line.length
    }

    private static let leastExplained = 0.6

    static func read(_ shafts: [ShaftFit.Outcome], body: BodyDepth, evidence: RodEvidence) -> Result {
        var result = Result()
        let tubes = evidence.contrast.saturation == ShaftContrast.metal.saturation ? MeshTubes(among: shafts, in: evidence.scan) : nil
        for (probe, findings) in mapSlabs(of: shafts.count, slab: 1, { read($0.lowerBound, of: shafts, tubes, body, evidence) }) {
            result.findings += findings
            if let probe { result.probes.append(probe) }
        }
        result.probes.sort { $0.lengthMM > $1.lengthMM }
        if result.probes.count > largestCount {
            result.findings.append(Finding(
                .warning, "too-many-probes",
                "\(result.probes.count) straight shafts of metal look like probes; the \(largestCount) longest were used.",
                remedy: "Give the probes in the case."))
            result.probes.removeLast(result.probes.count - largestCount)
        }
        return result
    }

    private static func read(
        _ number: Int, of shafts: [ShaftFit.Outcome], _ tubes: MeshTubes?, _ body: BodyDepth, _ evidence: RodEvidence
    ) -> (probe: Probe?, findings: [Finding]) {
        let shaft = shafts[number]
        // What explains little of the light about it is the rim of a bone, or runs askew through this very shaft.
        let others = shafts.indices.filter { $0 != number && shafts[$0].explainedShare > leastExplained }.map { shafts[$0].model }
        // A track on MR is as wide as the signal that metal takes away.
        let width = tubes == nil ? nil : evidence.widthMM(shaft.model.line, others: others)
        let reading = ShaftReading(shaft, isTube: tubes?.contains(number) ?? false, widthMM: width, body: body, evidence: evidence)
        guard tubes != nil, let probe = reading.probe,
            let bend = ShaftBend(of: shaft, probe, others: others, scan: evidence.scan, contrast: evidence.contrast)
        else { return (reading.probe, reading.findings) }
        let bent = bend.applied(to: probe)
        return (bent, reading.findings + [bend.finding(bent)])
    }
}

extension BodyDepth {
    /// Whether a line, or what it points at, lies in the body: the table's edges do not.
    fileprivate func isReached(by line: LineStretch, in scan: GridGeometry) -> Bool {
        stride(from: line.range.lowerBound - 20, through: line.range.upperBound + 20, by: 4).contains { position in
            millimetres(at: line.point(at: position, in: scan)) > 0
        }
    }
}

extension ShaftFit.Outcome {
    var lengthMM: Double { model.to - model.from }

    /// Whether this rod ends well before another fit of the same rod did though it is seen to go on.
    ///
    /// - Parameter extentMM: as far as the scan shows the rod, in positions along its line.
    func isCutShort(of other: ShaftFit.Outcome, extentMM: ClosedRange<Double>) -> Bool {
        lengthMM < other.lengthMM - 4 && extentMM.upperBound - extentMM.lowerBound > lengthMM + 5
    }

    /// How far, across the slices, either end lies from where the same rod had it.
    func heightChangeMM(from other: ShaftFit.Outcome) -> Double {
        [model.from, model.to].map { position in
            let place = model.line.point(at: position)
            return abs(place.z - other.model.line.point(at: ((place - other.model.middle) * other.model.direction).sum()).z)
        }.max()!
    }

    /// Whether a stretch comes within 12 mm of this rod.
    func isNear(_ line: LineStretch) -> Bool {
        stride(from: line.range.lowerBound, through: line.range.upperBound, by: 4).contains { model.distance(to: line.point(at: $0)) < 12 }
    }

    func liesAlong(_ other: ShaftFit.Outcome) -> Bool {
        [model.from, model.to].allSatisfy { position in
            let offset = model.line.point(at: position) - other.model.middle, along = (offset * other.model.direction).sum()
            return (offset - along * other.model.direction).length < 2.5 && along > other.model.from - 5 && along < other.model.to + 5
        }
    }
}

