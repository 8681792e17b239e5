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

    /// `tumours: [{id: T1, mask: FILE}, {id: T2, center: [L, P, S], diameter: MM}]`; all of each must lie in the grid's core, where ice is
    /// resolved.
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
        /// 95 %, from what is uncertain about power, blood flow, constants, places of probes and the model itself.
        public let simulatedMarginIntervalMM: [Double]?
        /// The share of the tumour that becomes so cold.
        public let simulatedCoverage: Double
    }
    /// Per output time.
    public let times: [[Margin]]

    /// Of a 95 % interval, with what no input explains and the further standard deviations of a tumour's own place and edge.
    static func halfWidthMM(_ deviationsMM: Double...) -> Double {
        1.96 * deviationsMM.reduce(IcePlan.modelErrorMM * IcePlan.modelErrorMM) { $0 + $1 * $1 }.squareRoot()
    }

    public init(_ description: SimulationDescription, _ result: IceballSimulation.Result) throws {
        let queries = description.tumours.flatMap { tumour in description.isothermsC.map { (tumour: tumour, temperatureC: $0) } }
        let surfaces = description.tumours.map { $0.levelSet.surface().vertices }, isotherms = description.isothermsC
        @Sendable func read(_ state: IceContinuation.State) -> [Double] {
            let distances = isotherms.map { IsothermSurface(state.lowest, $0) }
            return surfaces.flatMap { surface in distances.map { $0.least(of: surface, shiftedBy: state.shift).marginMM } }
        }
        let deviations = queries.isEmpty
            ? [] : try IcePlan(description.simulation, probes: description.probes).deviations(result, read)
        times = result.snapshots.enumerated().map { time, snapshot in
            let margins = queries.isEmpty ? [] : read(.init(snapshot))
            return queries.enumerated().map { number, query in
                let margin = margins[number].isFinite ? margins[number] : nil
                let spread = deviations[time][number].map { Self.halfWidthMM($0) }
                return Margin(
                    tumour: query.tumour.name, temperatureC: query.temperatureC, simulatedMarginMM: margin,
                    simulatedMarginIntervalMM: margin.flatMap { margin in spread.map { [margin - $0, margin + $0] } },
                    simulatedCoverage: query.tumour.levelSet.share(below: query.temperatureC, in: snapshot.lowest))
            }
        }
    }

    /// What they are, where there are any.
    static let finding = Finding(
        .info, "planned-margins",
        "Planned margins are simulated: no ice has been seen, and whether a criterion is met can only be judged on a scan.",
        remedy: "Verify the treatment on a scan that shows the ice.")
}
