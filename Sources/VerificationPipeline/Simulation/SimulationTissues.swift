import DescriptionFiles
import Foundation
import IceballSimulation
import ImagingCore

/// Reads which tissue each cell of a simulation is of: the background, then the scan's grey levels, then masks, then tubes; later ones win.
struct SimulationTissues {
    let root: StrictYAML
    let folder: URL
    let library: TissueLibrary
    let background: Tissue

    func labels(on grid: SimulationGrid) throws -> (tissues: [Tissue], labels: [UInt8]?, findings: [Finding]) {
        var painter = TissuePainter(grid: grid, background: background), findings: [Finding] = []
        if let scan = try root.mapping("scan", known: ["image", "classes"]) {
            let image = try StageScan.read(
                URL(filePath: try scan.requiredString("image"), relativeTo: folder), modality: .ct, role: "tissue")
            findings += image.findings
            let classes = try scan.mappings("classes", known: ["from", "to", "tissue"]).map { entry in
                (
                    low: try entry.number("from") ?? -.infinity, high: try entry.number("to") ?? .infinity,
                    tissue: try library.tissue(try entry.requiredString("tissue"))
                )
            }
            guard !classes.isEmpty else { throw scan.missing("classes") }
            let volume = image.volume
            for found in classes {
                painter.paint(found.tissue) { point in
                    guard volume.geometry.contains(point) else { return false }
                    let value = Double(volume.value(at: volume.geometry.nearestVoxel(to: point)))
                    return value >= found.low && value < found.high
                }
            }
        }
        for entry in try root.mappings("regions", known: ["tissue", "mask"]) {
            let tissue = try library.tissue(try entry.requiredString("tissue"))
            let imported = try ImportedMask.read(.nifti(URL(filePath: try entry.requiredString("mask"), relativeTo: folder)))
            findings += imported.findings
            let mask = imported.mask
            let painted = painter.paint(tissue) { mask.geometry.contains($0) && mask[mask.geometry.nearestVoxel(to: $0)] }
            if painted == 0 {
                findings.append(
                    Finding(
                        .warning, "region-outside-grid", "No cell of the simulation lies in \(imported.name).",
                        remedy: "Check that the mask lies in the same patient coordinates as the probes."))
            }
        }
        for entry in try root.mappings("tubes", known: ["tissue", "points", "diameter"]) {
            let tissue = try library.tissue(try entry.requiredString("tissue")), points = try entry.points("points")
            guard points.count >= 2 else { throw entry.wrongValue("points", expected: "two or more points, [[L, P, S], …] in millimetres") }
            guard let diameter = try entry.positive("diameter") else { throw entry.missing("diameter") }
            painter.paint(tissue) { point in
                zip(points, points.dropFirst()).contains { point.distance(toSegment: $0, $1) <= diameter / 2 }
            }
        }
        return (painter.tissues, painter.labels, findings)
    }
}

extension GridGeometry {
    /// The voxel whose cell holds a point of the grid.
    fileprivate func nearestVoxel(to point: PatientPoint) -> VoxelIndex {
        let index = continuousIndex(point).nearest
        return VoxelIndex(min(max(index.i, 0), size.i - 1), min(max(index.j, 0), size.j - 1), min(max(index.k, 0), size.k - 1))
    }
}
