import Foundation
import ImagingCore

/// A shaft that bends: where its tip lies and which way that points is told by its deep part alone.
struct ShaftBend {
    /// The deep part, as a rod of its own.
    private let deep: ShaftFit.Outcome
    private let tipIsLower: Bool
    private let grid: GridGeometry
    /// Between the tip's direction and that of a straight line through all of the shaft.
    private let angle: Double

    private static let deepMM = 30.0, shortestMM = 70.0
    /// What turns the tip by less hardly matters; what turns it by more is something else.
    private static let angles = 0.75 * .pi / 180...6 * .pi / 180
    /// By how much better, at the least, the deep part agrees with a rod of its own than with the straight one: eight that bend by 2 and
    /// 3 mm came to 0.12–0.4. None of 245 straight probes is taken for bent; some alone come to this, by a turn that slices cannot tell.
    private static let leastGain = 0.1
    /// The deep part's tip lies no further than this from that of the whole shaft: else it ends at something else.
    private static let farthestTipMM = 5.0
    /// Slices that lie farther apart across a shaft do not tell how steep a short part of it is.
    private static let thinMM = 2.2

    /// - Parameters:
    ///   - probe: what the shaft was read as.
    ///   - others: the other rods about.
    /// - Returns: `nil` where the shaft is straight, or its deep part does not tell.
    init?(of shaft: ShaftFit.Outcome, _ probe: Probe, others: [ShaftModel], scan: ScanVolume, contrast: ShaftContrast) {
        let line = shaft.full, fit = ShaftFit(scan: scan, contrast: contrast), tip = scan.geometry.continuousIndex(probe.tip).ijk
        let tipIsLower = line.position(of: tip * scan.geometry.spacing) < (line.range.lowerBound + line.range.upperBound) / 2
        guard line.length > Self.shortestMM else { return nil }
        let middle = tipIsLower ? line.range.lowerBound + Self.deepMM / 2 : line.range.upperBound - Self.deepMM / 2
        let stretch = LineStretch(origin: line.point(at: middle), direction: line.direction, range: -Self.deepMM / 2...Self.deepMM / 2)
        let (u, v) = line.across, isThin = abs(v.z) * scan.geometry.spacing.z < Self.thinMM
        func turn(_ model: ShaftModel) -> Double { acos(min(1, (model.direction * line.direction).sum())) }
        func isBent(_ model: ShaftModel) -> Bool {
            let seen = SIMD2((model.direction * u).sum(), (model.direction * v).sum())
            return Self.angles.contains(turn(model)) && (isThin || (abs(seen.x) > abs(seen.y) && abs(seen.x) > Self.angles.lowerBound))
        }
        guard let deep = fit.fit(stretch, others: others, isLast: true, isWanted: isBent),
            let costs = fit.costs(of: [shaft.model, deep.model], along: stretch, others: others),
            costs[1] < (1 - Self.leastGain) * costs[0] else { return nil }
        (self.deep, self.tipIsLower, self.angle, grid) = (deep, tipIsLower, turn(deep.model), scan.geometry)
        guard applied(to: probe).tip.distance(to: probe.tip) < Self.farthestTipMM else { return nil }
    }

    /// The probe with the tip and the direction of the deep part.
    func applied(to probe: Probe) -> Probe {
        let model = deep.model, tip = tipIsLower ? model.from : model.to
        let tail = tip + (tipIsLower ? 1 : -1) * probe.lengthMM
        return Probe(
            tip: model.line.point(at: tip, in: grid), tail: model.line.point(at: tail, in: grid), source: probe.source,
            tipUncertaintyMM: tipIsLower ? deep.endUncertaintyMM.from : deep.endUncertaintyMM.to)
    }

    func finding(_ probe: Probe) -> Finding {
        let degrees = (angle * 1800 / .pi).rounded() / 10
        return Finding(
            .info, "probe-bends",
            "The probe with its tip at \(probe.tip.text) bends: its direction is that of its deep \(Int(Self.deepMM)) mm, \(degrees)° off that of the whole shaft.",
            remedy: "Nearer the skin it lies beside the line that is given.")
    }
}
