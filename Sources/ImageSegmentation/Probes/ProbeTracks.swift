import Foundation
import ImageFilters
import ImagingCore

/// Probes on MR: straight tracks without signal, a few millimetres wide, that run from the skin into the ice.
///
/// The signal is read as the share that is missing of the tissue's around, so that tracks stand out as metal does on CT and are found by
/// the same search. In the ice a track is lost among other missing signal: the tip is taken to lie as far before the ice's far side as
/// ice usually reaches beyond a tip, and is that uncertain. A track that ends elsewhere may be a vessel or a ligament and is left out.
struct ProbeTracks {
    /// How far ice reaches beyond a tip, and the spread of that.
    private static let iceAheadMM = 6.0, iceAheadSpreadMM = 4.0
    /// A probe of 1.5 to 2.4 mm with the gap in the signal around it.
    private static let trackMM = 4.0
    /// Ice gives less of the tissue's signal than this.
    private static let leastSignalShare: Float = 0.3
    private static let shallowestMM = 12.0, longestWayThroughIceMM = 90.0, shortestWayThroughIceMM = 12.0

    private let scan: ScanVolume
    private let image: Volume<Float>
    private let tissue: TissueSignal
    private let body: BodyDepth
    private let voids: ScanVolume

    init(_ scan: ScanVolume) {
        self.scan = scan
        let size = scan.geometry.size
        image = scan.floats(in: 0..<size.i, 0..<size.j, 0..<size.k)
        let tissue = TissueSignal(image)
        self.tissue = tissue
        body = BodyDepth(of: scan) { $0 > tissue.floor }
        voids = .float32(image.combined(with: tissue.level) { value, level in
            level > tissue.floor ? max(-300, 1000 * (1 - value / level)) : 0
        })
    }

    func find() -> ProbeDetection.Result {
        var result = ProbeDetection.Result()
        guard !body.isEmpty else { return ProbeDetection.Result(findings: [ProbeDetection.noBody]) }
        for shaft in ProbeDetection.shafts(in: voids, body: body, contrast: .missingSignal) {
            guard let probe = probe(shaft) else { continue }
            result.probes.append(probe)
        }
        result.probes.sort { $0.lengthMM > $1.lengthMM }
        if result.probes.isEmpty {
            result.findings = [Finding(
                .info, "no-probe-tracks-on-mr", "No track of a probe was found on the MR scan: \(reason).",
                remedy: "Give the probes' tips and tails in the case, or with --probe.")]
        } else {
            result.findings = [Finding(
                .warning, "probe-tips-hidden-in-ice",
                "Probes were found by their tracks on the MR scan; where in the ice their tips lie is not seen and was taken to be \(Int(Self.iceAheadMM)) mm before its far side.",
                remedy: "Give the probes' tips and tails in the case, or with --probe, where they are known.")]
        }
        return result
    }

    /// Why there may be none though probes are there.
    private var reason: String {
        let voxel = scan.geometry.spacing.max()
        guard voxel > Self.trackMM else { return "it shows as a thin gap in the signal, if at all, and only outside the ice" }
        return "its voxels are \((voxel * 10).rounded() / 10) mm long, and a track is about \(Int(Self.trackMM)) mm wide"
    }

    private func probe(_ shaft: ShaftFit.Outcome) -> Probe? {
        func point(_ position: Double) -> PatientPoint { shaft.model.line.point(at: position, in: scan.geometry) }
        let model = shaft.model, leaves = shaft.leavesScan
        for (deep, shallow, tailLeaves) in [(model.from, model.to, leaves.to), (model.to, model.from, leaves.from)] {
            let tail = point(shallow)
            guard tailLeaves || body.millimetres(at: tail) < Self.shallowestMM, let outward = (point(deep) - tail).normalized else {
                continue
            }
            guard let way = wayThroughIce(from: point(deep), along: outward) else { continue }
            let tip = point(deep) + max(way - Self.iceAheadMM, 0.5 * way) * outward
            return Probe(tip: tip, tail: tail, source: .detected, tipUncertaintyMM: Self.iceAheadSpreadMM)
        }
        return nil
    }

    /// How far a region without signal, wider than any track, goes on; `nil` where there is none, or no end to it.
    private func wayThroughIce(from start: PatientPoint, along outward: PatientVector) -> Double? {
        var last: Double?
        for step in stride(from: 0.0, through: Self.longestWayThroughIceMM, by: 1) {
            let place = start + step * outward
            if isIce(place, across: outward) { last = step } else if step > (last ?? 0) + 8 { break }
        }
        guard let last, (Self.shortestWayThroughIceMM..<Self.longestWayThroughIceMM).contains(last) else { return nil }
        // Gas and the air beyond the body have no signal either.
        return body.millimetres(at: start + (last + 6) * outward) > 0 ? last : nil
    }

    /// Whether signal is missing here and some millimetres to most sides.
    private func isIce(_ place: PatientPoint, across axis: PatientVector) -> Bool {
        let geometry = scan.geometry
        let (u, v) = LineStretch(origin: .zero, direction: geometry.axes.components(of: axis), range: 0...0).across
        let here = geometry.continuousIndex(place).ijk * geometry.spacing
        let offsets = [SIMD3<Double>.zero, 4.5 * u, -4.5 * u, 4.5 * v, -4.5 * v]
        return offsets.count { offset in
            let voxel = ContinuousIndex((here + offset) / geometry.spacing).nearest
            return geometry.size.contains(voxel) && image[voxel] < Self.leastSignalShare * tissue.median
        } >= 4
    }
}
