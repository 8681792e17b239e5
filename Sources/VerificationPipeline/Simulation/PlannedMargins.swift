import DescriptionFiles
import Foundation
import IceballSimulation
import ImageFilters
import ImagingCore

/// A tumour that a simulation is planned for.
public struct PlannedTumour: Sendable {
    public var name: String
    let levelSet: LevelSet

    private static let keys = ["id", "mask", "center", "diameter"]
    /// Of the voxels of a sphere, mm.
    private static let spacingMM = 1.0

    /// `tumours: [{id: T1, mask: FILE}, {id: T2, center: [L, P, S], diameter: MM}]`; all of each must lie in the grid's core, where ice is resolved.
    static func read(_ root: StrictYAML, folder: URL, core: GridGeometry) throws -> (tumours: [PlannedTumour], findings: [Finding]) {
        var findings: [Finding] = []
        let tumours = try root.mappings("tumours", known: keys).enumerated().map { index, entry -> PlannedTumour in
            let name = try entry.string("id") ?? "T\(index + 1)", levelSet: LevelSet
            if let path = try entry.string("mask") {
                let imported = try ImportedMask.read(.nifti(URL(filePath: path, relativeTo: folder)))
                findings += imported.findings
                levelSet = LevelSet(reconstructing: imported.mask)
            } else {
                guard let center = try entry.point("center") else { throw entry.missing("mask” or “center") }
                guard let diameter = try entry.positive("diameter") else { throw entry.missing("diameter") }
                levelSet = try sphere(center, diameter / 2)
            }
            let surface = levelSet.surface().vertices
            guard !surface.isEmpty, surface.allSatisfy(core.contains) else {
                throw entry.wrongValue(
                    entry.has("mask") ? "mask" : "center",
                    expected: "a tumour inside the core of the simulation's grid; give “grid: {core: …}” that holds it")
            }
            return PlannedTumour(name: name, levelSet: levelSet)
        }
        return (tumours, findings)
    }

    private static func sphere(_ center: PatientPoint, _ radiusMM: Double) throws -> LevelSet {
        let count = 2 * Int((radiusMM / spacingMM).rounded(.up)) + 7, half = Double(count - 1) / 2 * spacingMM
        let grid = try GridGeometry(
            size: GridSize(count, count, count), spacing: SIMD3(repeating: spacingMM), origin: PatientPoint(center.lps - half))
        return LevelSet(field: Volume<Float>(geometry: grid) { target in
            for offset in target.indices {
                target[offset] = Float(radiusMM - grid.point(grid.size.index(atOffset: offset)).distance(to: center))
            }
        })
    }
}

/// The margins that a plan would give by what is simulated alone: nothing has been seen yet.
public struct PlannedMargins: Sendable, Encodable {
    public struct Margin: Sendable, Encodable {
        public let tumour: String
        public let temperatureC: Double
        /// Smallest, of the lowest temperatures until then; negative where tumour lies outside; `nil` where nothing becomes so cold.
        public let simulatedMarginMM: Double?
        /// 95 %, from what is uncertain about power, blood flow, constants and places of probes.
        public let simulatedMarginIntervalMM: [Double]?
        /// The share of the tumour that becomes so cold.
        public let simulatedCoverage: Double
    }
    /// Per output time.
    public let times: [[Margin]]

    /// Two-sided 95 % of a normal distribution.
    private static let coverageFactor = 1.96

    public init(_ description: SimulationDescription, _ result: IceballSimulation.Result) throws {
        let queries = description.tumours.flatMap { tumour in description.isothermsC.map { (tumour: tumour, temperatureC: $0) } }
        let surfaces = description.tumours.map { $0.levelSet.surface().vertices }, isotherms = description.isothermsC
        @Sendable func read(_ field: TemperatureField, _ shift: PatientVector) -> [Double] {
            let distances = isotherms.map { IsothermSurface(field, $0) }
            return surfaces.flatMap { surface in distances.map { $0.leastMarginMM(of: surface, shiftedBy: shift) } }
        }
        let deviations = queries.isEmpty
            ? [] : try IcePlan(description.simulation, probes: description.probes).deviations(result, read)
        times = result.snapshots.enumerated().map { time, snapshot in
            let margins = queries.isEmpty ? [] : read(snapshot.lowest, .zero)
            return queries.enumerated().map { number, query in
                let margin = margins[number].isFinite ? margins[number] : nil, spread = deviations[time][number].map { Self.coverageFactor * $0 }
                return Margin(
                    tumour: query.tumour.name, temperatureC: query.temperatureC, simulatedMarginMM: margin,
                    simulatedMarginIntervalMM: margin.flatMap { margin in spread.map { [margin - $0, margin + $0] } },
                    simulatedCoverage: Self.coverage(query.tumour.levelSet, snapshot.lowest, query.temperatureC))
            }
        }
    }

    /// What they are, where there are any.
    static let finding = Finding(
        .info, "planned-margins", "Planned margins are simulated: no ice has been seen, and whether a criterion is met can only be judged on a scan.",
        remedy: "Verify the treatment on a scan that shows the ice.")

    private static func coverage(_ levelSet: LevelSet, _ field: TemperatureField, _ temperatureC: Double) -> Double {
        let grid = levelSet.geometry, mask = levelSet.mask
        let inside = (0..<grid.size.voxelCount).map { grid.size.index(atOffset: $0) }.filter { mask[$0] }
        let cold = inside.count { field.temperatureC(at: grid.point($0)) < temperatureC }
        return inside.isEmpty ? 0 : Double(cold) / Double(inside.count)
    }
}

/// Distances from an isotherm in the even core of a simulation.
private struct IsothermSurface {
    private let field: TemperatureField
    private let temperatureC: Double
    private let surface: SurfaceDistance?

    init(_ field: TemperatureField, _ temperatureC: Double) {
        (self.field, self.temperatureC) = (field, temperatureC)
        let mesh = field.excess(over: temperatureC, on: field.grid.core).mapped { (value: Float) -> Float in -value }.isosurface(at: 0)
        surface = mesh.isEmpty ? nil : SurfaceDistance(mesh)
    }

    /// −∞ where nothing is so cold.
    func leastMarginMM(of points: [PatientPoint], shiftedBy shift: PatientVector) -> Double {
        guard let surface else { return -.infinity }
        return points.map { point in
            let place = point - shift, distance = surface.closestPoint(to: place).distanceMM
            return field.temperatureC(at: place) < temperatureC ? distance : -distance
        }.min() ?? -.infinity
    }
}
