import Foundation
import ImageFilters
import ImagingCore
import MarginAnalysis

/// A zone that margins are measured in, and where it comes from.
struct MeasuredZone {
    var name: MarginZone
    var object: CaseObject
    /// One standard deviation, in millimetres, by which the whole surface may lie further in or out.
    var offsetDeviationMM: Double
    /// The same on a grid around the surface, where it differs from place to place.
    var offsetDeviationMapMM: Volume<Float>?
    /// For a report: `segmented`, `simulated`, `fixed set-back of 5 mm`, or the mask that gave it.
    var source: String

    init(_ name: MarginZone, _ object: CaseObject, source: String? = nil, offsetDeviationMM: Double = 0) {
        (self.name, self.object, self.source, self.offsetDeviationMM) = (name, object, source ?? object.source, offsetDeviationMM)
    }

    /// How far inside the visible edge a cold isotherm is taken to lie where no simulation tells: 4 °C per mm behind the edge (−20 °C at 5
    /// mm, −40 °C at 10 mm in multi-needle gels), published between 1 and 10 mm.
    static let setBacksMM: [(zone: MarginZone, mm: Double)] = [(.isotherm20, 5), (.isotherm40, 10)]
    /// One standard deviation of a set-back, as a share of it: makers, tissues and times differ about so much.
    private static let relativeDeviation = 0.25

    /// The visible ice, and the isotherms inside it at fixed set-backs; an isotherm that the ice is too small to hold has an empty surface.
    static func withSetBacks(_ ice: CaseObject) -> [MeasuredZone] {
        [MeasuredZone(.visibleIce, ice)] + setBacksMM.map { zone, mm in
            MeasuredZone(
                zone, ice.setBack(byMM: mm), source: "fixed set-back of \(String(format: "%g", mm)) mm",
                offsetDeviationMM: relativeDeviation * mm)
        }
    }
}

extension MeasuredZone {
    /// The zone with what earlier ablations destroyed, as sure as the least sure of them; the zone itself where there were none.
    func united(with earlier: [CaseObject]) -> MeasuredZone {
        guard !earlier.isEmpty else { return self }
        var copy = self
        copy.object.levelSet = earlier.reduce(object.levelSet) { $0.united(with: $1.levelSet) }
        copy.object.edgeUncertaintyMM = earlier.reduce(object.edgeUncertaintyMM) {
            max($0, $1.edgeUncertaintyMM, $1.alignment?.expectedErrorMM ?? 0)
        }
        copy.source += earlier.count == 1 ? ", with an earlier zone" : ", with \(earlier.count) earlier zones"
        return copy
    }
}

extension CaseObject {
    /// The object without its outer `byMM` millimetres.
    func setBack(byMM: Double) -> CaseObject {
        let mesh = surface, rough = levelSet.mask.signedDistance()
        guard !mesh.isEmpty else { return self }
        let rimMM = Float(3 * rough.geometry.spacing.max()), depthMM = Float(byMM)
        let distance = SurfaceDistance(mesh).signedDistances(near: rough, in: -rimMM...depthMM + rimMM, exactMM: depthMM + rimMM)
        var copy = self
        copy.levelSet = LevelSet(field: distance.mapped { (value: Float) -> Float in value - depthMM })
        return copy
    }
}
