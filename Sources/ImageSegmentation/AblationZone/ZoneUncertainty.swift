import Foundation
import ImageFilters
import ImagingCore

extension ZoneSearch {
    /// A dark layer around a zone on MR hides where in it the zone ends, by this share of its thickness.
    private static let darkRimShare = 0.3
    /// What makes an outline even takes off tips and fills the groove beside a vessel. Zones without either are as sharp as `bluntMM` for
    /// a ball of 0.4 of the radius of up to 6 mm.
    private static let tipShare = 0.5, bluntMM = 1.0
    private static func ballMM(_ radius: Double) -> Double { min(0.4 * radius, 6) }

    /// The root mean square distance in millimetres to be expected between an outline and the zone's edge. The shares are such that it is
    /// met in the median of synthetic zones in real scans.
    func uncertaintyMM(_ surface: Volume<Float>, _ edge: ZoneEdge, _ rim: ZoneRim?, residualMM: Double, voxelMM: Double) -> Double {
        let darkRimMM = rim.map { $0.step < 0 ? Double($0.widthMM) : 0 } ?? 0, sharpMM = surface.sharpnessMM(ballMM: Self.ballMM(radius))
        let squares = [
            0.12 * pow(voxelMM, 1.5), 0.5 * residualMM, 9 * edge.unseenShare, 3 * edge.elsewhereShare,
            0.3 * (cut?.distanceMM ?? 0), 0.7 * (waist?.distanceMM ?? 0), 0.4 * tooLongMM,
            Self.darkRimShare * darkRimMM, Self.tipShare * max(sharpMM * sharpMM - Self.bluntMM * Self.bluntMM, 0).squareRoot(),
        ].map { $0 * $0 }
        return squares.reduce(0, +).squareRoot()
    }
}
