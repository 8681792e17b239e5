import Foundation
import ImageFilters
import ImagingCore

/// What is said about the size and shape of a zone that was found.
extension ZoneSearch {
    private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    func neighbourFinding(_ region: Mask) -> [Finding] {
        if let cut {
            return [Finding(
                .warning, "ablation-zone-cut-at-waist",
                "What looks like the ablation zone goes on beyond the stated diameter, behind a waist: "
                    + "\(Self.rounded(cut.volumeML)) mL were cut off there.",
                remedy: "Look at the outline there; if what was cut off is the zone's, correct the diameter or give a mask.")]
        }
        guard let part = waist?.part ?? region.partBehindWaist(from: seedVoxels) else { return [] }
        return [Finding(
            .warning, "ablation-zone-may-hold-neighbour",
            "A part of \(Self.rounded(part.volumeML)) mL hangs on the ablation zone by a waist: it may be a neighbour of the same grey level.",
            remedy: diameterIsKnown
                ? "Look at the outline; if it runs into a neighbour, give a mask." : "Look at the outline; give the zone's approximate diameter.")]
    }

    /// The deepest point of an ellipsoid of 3 : 1 : 1 lies 0.69 of the radius of a ball of its volume from its surface.
    private static let leastRoundness = 0.66

    func shapeFinding(_ region: Mask, _ shape: ZoneShape) -> [Finding] {
        let deepest = Double(region.signedDistance().withUnsafeVoxels { $0.max() ?? 0 })
        let isFlat = seeds.count == 1 && deepest < Self.leastRoundness * pow(region.volumeML * 1000 * 3 / (4 * .pi), 1.0 / 3)
        guard isFlat || shape.isLong else { return [] }
        return [Finding(
            .warning, "ablation-zone-irregular",
            "The ablation zone found is far from round: it may have run into a neighbour of its grey level.",
            remedy: "Look at the outline; if it runs into a neighbour, give \(diameterIsKnown ? "" : "the zone's approximate diameter or ")a mask.")]
    }

    func sizeFindings(_ zone: LevelSet) -> [Finding] {
        let inside = Mask(zone.field) { $0 >= 0 }, volume = inside.volumeML
        var findings: [Finding] = []
        let expected = .pi / 6 * pow(statedMM ?? 2 * radius, 3) / 1000
        if tooLongMM > 0, let statedMM {
            findings.append(Finding(
                .warning, "ablation-zone-size",
                "The ablation zone found is far longer than the stated diameter of \(Self.rounded(statedMM)) mm.",
                remedy: "Look at the outline; correct the diameter or the seed, or give a mask."))
        } else if diameterIsKnown, seeds.count == 1, volume > 1.7 * expected || volume < 0.15 * expected {
            findings.append(Finding(
                .warning, "ablation-zone-size",
                "The ablation zone found is \(Self.rounded(volume)) mL, a ball of the expected diameter \(Self.rounded(expected)) mL.",
                remedy: "Look at the outline; correct the diameter or the seed, or give a mask."))
        }
        let border = zone.geometry.size
        if let box = inside.boundingBox,
            box.i.lowerBound == 0 || box.j.lowerBound == 0 || box.k.lowerBound == 0 || box.i.upperBound == border.i || box.j.upperBound == border.j || box.k.upperBound == border.k {
            findings.append(Finding(
                .warning, "ablation-zone-leaves-scan",
                "The ablation zone reaches the edge of the scan: its part beyond is unknown, and so is the margin there.",
                remedy: "Use a scan that shows the whole zone."))
        }
        return findings
    }
}
