import DescriptionFiles
import Foundation
import IceballSimulation
import ImagingCore

/// Reads what a simulation's heat flows through: grid, tissues, sides.
struct SimulationMedium {
    let root: StrictYAML
    let folder: URL

    /// How far the core goes beyond probes and sources where no core is given, mm: as far as ice grows in half an hour, which blood holds
    /// back.
    static func coreMarginMM(in tissue: Tissue) -> Double { tissue.perfusion < leastPerfusion ? largestMarginMM : 20 }
    private static let leastPerfusion = 0.003, largestMarginMM = 30.0
    /// How far the grid goes beyond its core, mm: five lengths over which blood evens temperatures out, within these bounds. What the wall
    /// does to ice has to come back over as many: e⁻¹⁰ of 37 K is 0.002 K.
    static let reachMM = 12.0...60.0
    static let warmLengths = 5.0

    static func reachMM(in tissue: Tissue) -> Double {
        let length = (tissue.table.liquidConductivity / max(tissue.perfusionConductance, 1e-9)).squareRoot() * 1000
        return min(max(warmLengths * length, reachMM.lowerBound), reachMM.upperBound)
    }

    /// Cells where nothing is said of them, mm: the first, or one of the others where all cells times all stages stay below the bound, of
    /// which two processors compute in a second or so.
    private static let usualSpacingMM = 1.0, finerSpacingsMM = [0.5, 0.6, 0.75], largestFinerWork = 1.5e9

    /// Cells finer than the usual ones of `simulation` that still take little time; `nil` when none do.
    static func finerSpacingMM(for simulation: IceballSimulation) -> Double? {
        // Stages grow as cells become finer, cells along each axis that has more than a few.
        let work = simulation.expectedCellStages
        return finerSpacingsMM.first { work / ($0 * $0 * $0 * $0) < largestFinerWork }
    }

    var isSpacingGiven: Bool { get throws { try root.mapping("grid", known: Self.gridKeys)?.has("spacing") ?? false } }
    private static let gridKeys = ["spacing", "core", "margin", "reach"]

    /// - Parameters:
    ///   - places: what the core must hold when none is given.
    ///   - planes: sides that sources hold at a temperature.
    ///   - spacingMM: of cells where the file gives none.
    /// - Returns: the model, and the sides that ice may touch.
    func model(around places: [PatientPoint], planes: [SimulationGrid.Side: Double], spacingMM: Double? = nil) throws
        -> (model: ThermalModel, cold: Set<SimulationGrid.Side>, findings: [Finding])
    {
        let library = try library(), start = try root.number("start") ?? 37, tissue = try tissue()
        var boundary = try boundary(start: start)
        for (side, temperature) in planes { boundary[side] = .temperature(temperature) }
        let grid = try grid(around: places, boundary: boundary, tissue, spacingMM: spacingMM)
        let labelling = try SimulationTissues(root: root, folder: folder, library: library, background: tissue).labels(on: grid)
        let model = ThermalModel(
            grid: grid, tissues: labelling.tissues, labels: labelling.labels, boundary: boundary, startTemperatureC: start,
            bloodTemperatureC: try root.number("blood") ?? 37, stasisIsPermanent: try stasisIsPermanent())
        let cold = SimulationGrid.Side.allCases.filter { side in
            switch boundary[side] {
            case .temperature(let value): value <= tissue.table.liquidusC
            case .insulated, nil: true
            }
        }
        return (model, Set(cold), labelling.findings)
    }

    /// What everything is of that nothing else is said of.
    func tissue() throws -> Tissue {
        let tissue = try library().tissue(try root.requiredString("tissue"))
        guard tissue.isSolid else { throw root.wrongValue("tissue", expected: "one that conducts heat and can freeze") }
        return tissue
    }

    private func library() throws -> TissueLibrary {
        var library = try TissueLibrary.builtIn()
        if let path = try root.string("tissues") {
            let file = URL(filePath: path, relativeTo: folder)
            let text = try StrictYAML.text(of: file, what: "the table of tissues")
            library = try TissueLibrary(text, file: file.path)
        }
        try library.add(try root.mappings("define", known: TissueLibrary.keys))
        return library
    }

    private func stasisIsPermanent() throws -> Bool {
        switch try root.string("stasis") ?? "reversible" {
        case "reversible": false
        case "permanent": true
        default: throw root.wrongValue("stasis", expected: "reversible or permanent")
        }
    }

    /// `boundary: {x: …, y: …, z: …}`, each one condition or [low, high]; the start temperature where nothing is said.
    private func boundary(start: Double) throws -> [SimulationGrid.Side: BoundaryCondition] {
        var conditions = Dictionary(uniqueKeysWithValues: SimulationGrid.Side.allCases.map { ($0, BoundaryCondition.temperature(start)) })
        guard let entry = try root.mapping("boundary", known: ["x", "y", "z"]) else { return conditions }
        for (key, low, high) in [("x", SimulationGrid.Side.iLow, SimulationGrid.Side.iHigh), ("y", .jLow, .jHigh), ("z", .kLow, .kHigh)]
        where entry.has(key) {
            let texts = try entry.strings(key),
                expected = "a temperature in °C or “insulated”, or a list of two for the low and the high side"
            let found = try texts.map { text -> BoundaryCondition in
                if text == "insulated" { return .insulated }
                guard let value = Double(text), value.isFinite else { throw entry.wrongValue(key, expected: expected) }
                return .temperature(value)
            }
            guard found.count == 1 || found.count == 2 else { throw entry.wrongValue(key, expected: expected) }
            (conditions[low], conditions[high]) = (found.first, found.last)
        }
        return conditions
    }

    private func grid(
        around places: [PatientPoint], boundary: [SimulationGrid.Side: BoundaryCondition], _ tissue: Tissue, spacingMM: Double?
    ) throws
        -> SimulationGrid
    {
        let entry = try root.mapping("grid", known: Self.gridKeys)
        let spacing = try entry?.positive("spacing") ?? spacingMM ?? Self.usualSpacingMM
        let corners = try entry?.points("core") ?? []
        var low: SIMD3<Double>, high: SIMD3<Double>
        if let entry, entry.has("core") {
            guard corners.count == 2, (corners[1].lps - corners[0].lps).min() > 0 else {
                throw entry.wrongValue("core", expected: "the low and the high corner, [[L, P, S], [L, P, S]] in millimetres")
            }
            (low, high) = (corners[0].lps, corners[1].lps)
        } else {
            guard let first = places.first else { throw (entry ?? root).missing(entry == nil ? "grid" : "core") }
            (low, high) = places.reduce((first.lps, first.lps)) { (pointwiseMin($0.0, $1.lps), pointwiseMax($0.1, $1.lps)) }
            // A tumour, which must lie in the core, may be larger than its ice.
            let usual = root.has("tumours") ? Self.largestMarginMM : Self.coreMarginMM(in: tissue)
            let margin = try entry?.positive("margin") ?? usual
            (low, high) = (low - margin, high + margin)
        }
        let counts = pointwiseMax(((high - low) / spacing - 1e-6).rounded(.up), SIMD3(repeating: 1))
        let cells = counts.x * counts.y * counts.z, largest = SimulationGrid.largestCellCount
        guard cells <= Double(largest) else { throw SimulationError.gridTooLarge(cells: Int(min(cells, 1e18)), largest: largest) }
        let core = try GridGeometry(
            size: GridSize(Int(counts.x), Int(counts.y), Int(counts.z)), spacing: SIMD3(repeating: spacing),
            origin: PatientPoint(low + spacing / 2))
        return try SimulationGrid(core: core, reachMM: try reach(entry, boundary, tissue))
    }

    /// `reach: mm`, or `{x: …, y: …, z: …}`, each one number or [low, high]. Cold and insulated sides end at the core where nothing is
    /// said.
    private func reach(_ entry: StrictYAML?, _ boundary: [SimulationGrid.Side: BoundaryCondition], _ tissue: Tissue) throws
        -> [SimulationGrid.Side: Double]
    {
        var reach: [SimulationGrid.Side: Double] = [:]
        let warmest = boundary.values.compactMap { if case .temperature(let value) = $0 { value } else { nil } }.max()
        for side in SimulationGrid.Side.allCases {
            if case .temperature(let value)? = boundary[side], value == warmest {
                reach[side] = Self.reachMM(in: tissue)
            } else {
                reach[side] = 0
            }
        }
        guard let entry, entry.has("reach") else { return reach }
        if let value = try? entry.zeroOrMore("reach") {
            return Dictionary(uniqueKeysWithValues: SimulationGrid.Side.allCases.map { ($0, value) })
        }
        guard let sides = try entry.mapping("reach", known: ["x", "y", "z"]) else { return reach }
        for (key, low, high) in [("x", SimulationGrid.Side.iLow, SimulationGrid.Side.iHigh), ("y", .jLow, .jHigh), ("z", .kLow, .kHigh)]
        where sides.has(key) {
            let values = try sides.strings(key).map(Double.init)
            guard (1...2).contains(values.count), let first = values[0], let last = values.last!, min(first, last) >= 0,
                (first + last).isFinite
            else {
                throw sides.wrongValue(key, expected: "0 or more millimetres, or a list of two for the low and the high side")
            }
            (reach[low], reach[high]) = (first, last)
        }
        return reach
    }
}
