import Foundation
import IceballSimulation
import ImagingCore

/// Iceballs in liver whose constants, vessels and probes differ from what a fit is told, seen with errors.
struct IceCase {
    let number: Int
    let world: ThermalModel
    let real, told: [PlacedProbe]
    let hasVessel: Bool
    /// How surely the fit is told that the probes' power is known, K.
    let coolantUncertaintyK: Double
    /// What a segmentation makes of the edge.
    let edge: [EdgeFit.EdgePoint]
    /// At the scan.
    let truth: TemperatureField

    /// What differs between the probes and what the fit is told of them.
    enum Probes: String, CaseIterable {
        /// Nothing: built-in models are as their table says.
        case own
        /// The power, by as much as the table of built-in models says.
        case stated
        /// Power and places, of probes nobody measured.
        case unknown
    }
    static let seconds = 600.0, edgeTemperatureC = -0.5
    static let center = PatientPoint(0, 0, 2)

    init(number: Int, _ differing: Probes) throws {
        self.number = number
        var random = NormalNumbers(seed: UInt64(number))
        let told = try Self.probes(1 + number % 3, Self.models[number / 3 % Self.models.count]), draw = IceDraw(told, differing, &random)
        coolantUncertaintyK = IceDraw.coolantK(told, differing)
        var world = draw.world(try Self.medium(spacingMM: 1.5, offsetMM: 0.37))
        hasVessel = number % 2 == 1
        if hasVessel { world = try world.with(vesselMM: 5, atMM: 9 + 8 * abs(random.next()), angle: 2 * random.next()) }
        let real = draw.probes(told), truth = try Self.truth(world, real)
        let regional = (0..<Self.regionCount).map { _ in Self.edgeErrorMM.region * random.next() },
            whole = Self.edgeErrorMM.whole * random.next()
        edge = Self.edgeDirections.compactMap { direction -> EdgeFit.EdgePoint? in
            guard let radius = truth.radiusMM(of: Self.edgeTemperatureC, from: Self.center, along: direction) else { return nil }
            let error = whole + regional[Self.region(direction)] + Self.edgeErrorMM.own * random.next()
            return .init(position: Self.center + (radius + error) * direction, uncertaintyMM: 0.7)
        }
        (self.world, self.real, self.told, self.truth) = (world, real, told, truth)
    }

    static func truth(_ world: ThermalModel, _ probes: [PlacedProbe]) throws -> TemperatureField {
        try IceballSimulation(model: world, sinks: try probes.map { try $0.sink() }, outputTimesS: [seconds]).run().snapshots[0].lowest
    }

    /// Errors of a segmentation are alike in a neighbourhood: one number for each of the regions, one for each point, one for all, mm.
    static let edgeErrorMM = (region: 0.5, whole: 0.25, own: 0.4), regionCount = 26
    static func region(_ direction: PatientVector) -> Int {
        let cell = ((direction.lps + 1) * 1.49).rounded(.down)
        return Int(cell.x + 3 * cell.y + 9 * cell.z) % regionCount
    }
    /// Along the probes, metal hides the edge.
    static let edgeDirections = directions(400).filter { abs($0.lps.z) < 0.95 }

    /// What the fit believes.
    static func medium(spacingMM: Double, offsetMM: Double = 0) throws -> ThermalModel {
        let counts = SIMD3(52, 52, 60) / spacingMM
        let core = try GridGeometry(
            size: GridSize(Int(counts.x), Int(counts.y), Int(counts.z)), spacing: SIMD3(repeating: spacingMM),
            origin: PatientPoint(-26 + offsetMM, -26 + offsetMM, -27 + offsetMM))
        let sides = SimulationGrid.Side.allCases
        let grid = try SimulationGrid(core: core, reachMM: Dictionary(uniqueKeysWithValues: sides.map { ($0, 24) }))
        return ThermalModel(
            grid: grid, tissues: [try TissueLibrary.builtIn().tissue("liver")],
            boundary: Dictionary(uniqueKeysWithValues: sides.map { ($0, .temperature(37)) }))
    }

    static let models = ["reference-17g", "ice-seed", "ice-sphere"]

    static func probes(_ count: Int, _ name: String = models[0]) throws -> [PlacedProbe] {
        let model = try ProbeLibrary.builtIn().model(name)
        return (0..<count).map { number in
            let angle = 2 * Double.pi * Double(number) / Double(count), ring = count == 1 ? 0 : 4.0 + 1.5 * Double(count)
            return PlacedProbe(
                name: "P\(number + 1)", tip: PatientPoint(ring * cos(angle), ring * sin(angle) + 0.4, -13),
                direction: PatientVector(0.05, 0.1, 1).normalized!, model: model, phases: [ProbePhase(.freeze, minutes: 10)])
        }
    }

    /// Spread evenly over the sphere.
    static func directions(_ count: Int) -> [PatientVector] {
        (0..<count).map { number in
            let z = 1 - 2 * (Double(number) + 0.5) / Double(count), angle = 2.399963229728653 * Double(number), r = (1 - z * z).squareRoot()
            return PatientVector(r * cos(angle), r * sin(angle), z)
        }
    }
}

extension ThermalModel {
    /// With a vein that passes by, across the probes.
    fileprivate func with(vesselMM diameter: Double, atMM distance: Double, angle: Double) throws -> ThermalModel {
        var model = self
        let vein = try TissueLibrary.builtIn().tissue("vein"), out = PatientVector(cos(angle), sin(angle), 0)
        let along = PatientVector(-sin(angle), cos(angle), 0.4).normalized!, place = PatientPoint(0, 0, 2) + distance * out
        model.tissues.append(vein)
        model.labels = (0..<grid.cellCount).map { offset in
            let apart = grid.cellCenter(grid.size.index(atOffset: offset)) - place
            return (apart - apart.dot(along) * along).length < diameter / 2 ? 1 : 0
        }
        return model
    }
}

/// Normally distributed numbers that follow from a seed (SplitMix64, Box–Muller).
struct NormalNumbers {
    private var state: UInt64
    /// The seed is mixed: the sequences of neighbouring seeds must not be parts of one.
    init(seed: UInt64) { state = Self.mixed(seed &+ 0x9E37_79B9_7F4A_7C15) }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        return (Double(Self.mixed(state) >> 11) + 0.5) / Double(1 << 53)
    }
    mutating func next() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
}
