import DICOMObjects
import IceballSimulation
import ImageFilters
import ImagingCore

/// Which tissue each cell around the ice is of: the site's own, others by the CT numbers of the scan, the organ's and the tumours'
/// surfaces, and vessels that the case names.
struct CaseTissues {
    let description: CaseDescription
    let profile: SiteProfile
    let scans: CaseScans
    let placement: CasePlacement

    /// CT numbers, HU, and what they stand for beside the site's tissues. Contrast medium does not reach the last.
    private static let classes: [(range: Range<Double>, tissue: String)] = [
        (-.infinity ..< -930, "gas"), (-930 ..< -300, "lung"), (-300 ..< -30, "breast-fat"), (300 ..< 600, "bone-cancellous"),
        (600 ..< .infinity, "bone-cortical"),
    ]
    /// Ice and the blur of its edge have levels of their own, metal and its streaks too: no tissue is read there, mm.
    private static let iceRimMM: Float = 3, metalMM = 6.0
    /// Levels are averaged over about a cell, mm.
    private static let smoothingMM = 1.5
    /// Structures that carry blood, by their names.
    private static let vesselWords = ["vein", "vena", "artery", "aorta", "vessel", "cava"]

    /// A model of the tissues on `grid`, at the body's temperature.
    func model(on grid: SimulationGrid, probes: [PlacedProbe]) throws -> ThermalModel {
        let library = try TissueLibrary.builtIn(), site = try library.tissue(profile.tissue)
        var painter = TissuePainter(grid: grid, background: site)
        let softLabel = painter.label(of: try library.tissue(profile.softTissue))
        if let levels = levels(around: grid) {
            let named = try Self.classes.map { (range: $0.range, label: painter.label(of: try library.tissue($0.tissue))) }
            painter.paint { point, _ in
                levels.level(at: point, probes).map { level in named.first { $0.range.contains(level) }?.label ?? softLabel }
            }
        }
        if let organ = placement.organ {
            let inOrgan = InsideTest(organ.levelSet), muscle = painter.label(of: try library.tissue("muscle"))
            painter.paint { point, label in label == 0 || label == softLabel ? (inOrgan(point) ? 0 : muscle) : nil }
        }
        for tumour in placement.tumours {
            let inTumour = InsideTest(tumour.levelSet), tissue = try library.tissue("tumour")
            painter.paint(tissue, where: inTumour.callAsFunction)
        }
        for structure in vessels {
            let inVessel = InsideTest(structure.levelSet), tissue = try library.tissue("vein")
            painter.paint(tissue, where: inVessel.callAsFunction)
        }
        let sides = Dictionary(uniqueKeysWithValues: SimulationGrid.Side.allCases.map { ($0, BoundaryCondition.temperature(37)) })
        return ThermalModel(grid: grid, tissues: painter.tissues, labels: painter.labels, boundary: sides)
    }

    var vessels: [CaseObject] {
        placement.structures.map(\.object).filter { object in Self.vesselWords.contains { object.name.lowercased().contains($0) } }
    }

    /// CT numbers where they tell tissue.
    private struct Levels {
        let image: Volume<Float>
        let ice: LevelSet?

        func level(at point: PatientPoint, _ probes: [PlacedProbe]) -> Double? {
            let voxel = image.geometry.continuousIndex(point).nearest
            guard image.geometry.size.contains(voxel) else { return nil }
            if let ice {
                let place = ice.geometry.continuousIndex(point).nearest
                if ice.geometry.size.contains(place), ice.field[place] > -iceRimMM { return nil }
            }
            guard probes.allSatisfy({ point.distance(toSegment: $0.tip, $0.tip + 200 * $0.direction) > metalMM }) else { return nil }
            return Double(image[voxel])
        }
    }

    private func levels(around grid: SimulationGrid) -> Levels? {
        let geometry = scans.treated.geometry, corners = grid.core.cornerPoints
        guard scans.treated.modality == .ct, let box = geometry.indexRanges(around: corners, marginMM: 40) else { return nil }
        let part = scans.treated.volume.floats(in: box.i, box.j, box.k)
        return Levels(image: part.gaussianSmoothed(sigmaMM: Self.smoothingMM), ice: placement.zone?.levelSet)
    }
}

/// Whether points lie inside a level set; outside its grid none do.
struct InsideTest {
    private let levelSet: LevelSet
    init(_ levelSet: LevelSet) { self.levelSet = levelSet }

    func callAsFunction(_ point: PatientPoint) -> Bool {
        let voxel = levelSet.geometry.continuousIndex(point).nearest
        return levelSet.geometry.size.contains(voxel) && levelSet.field[voxel] >= 0
    }
}
