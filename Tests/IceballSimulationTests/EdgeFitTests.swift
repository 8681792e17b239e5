import Foundation
import ImagingCore
import Testing

@testable import IceballSimulation

/// Ice of tissue with other constants than the fit believes, seen with errors: what the fit makes of its edge, −20 and −40 °C.
@Suite struct EdgeFitTests {
    struct Truth: Sendable {
        var seed: UInt64
        var frozen, liquid, latent, perfusion, coolantK, depthMM: Double
        var shiftMM: SIMD3<Double>
    }

    /// Draws a truth: constants and probe from the spreads that published values have, none of them known to the fit.
    private static func truth(_ seed: UInt64) -> Truth {
        var random = NormalNumbers(seed: seed)
        return Truth(
            seed: seed, frozen: exp(0.12 * random.next()), liquid: exp(0.10 * random.next()), latent: exp(0.08 * random.next()),
            perfusion: exp(0.5 * random.next()), coolantK: 15 * random.next(), depthMM: 1.5 * random.next(),
            shiftMM: SIMD3(random.next(), random.next(), random.next()))
    }

    private static func medium(spacingMM: Double) throws -> ThermalModel {
        let grid = try ExactCases.grid(
            from: SIMD3(repeating: -24), to: SIMD3(24, 24, 30), spacingMM: spacingMM,
            reachMM: Dictionary(uniqueKeysWithValues: SimulationGrid.Side.allCases.map { ($0, 24) }))
        return ThermalModel(
            grid: grid, tissues: [ExactCases.medium(ExactCases.mushy, perfusion: 0.0155)],
            boundary: ExactCases.warmSides(SimulationGrid.Side.allCases))
    }

    private static func probes(_ count: Int) -> [PlacedProbe] {
        let model = ProbeModel(name: "17 gauge", diameterMM: 1.47, activeLengthMM: 30, coolantC: -120)
        return (0..<count).map { number in
            PlacedProbe(
                name: "probe \(number + 1)", tip: PatientPoint(Double(number) * 13 - Double(count - 1) * 6.5, 0.4, -13),
                direction: PatientVector(0.05, 0.1, 1).normalized!, model: model, phases: [ProbePhase(.freeze, minutes: 10)])
        }
    }

    private struct Errors {
        var edge: [Double] = [], minus20: [Double] = [], minus40: [Double] = [], covered: [Bool] = [], spreads40: [Double] = []
        static func rms(_ values: [Double]) -> Double { (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot() }
    }

    /// Runs one case, and returns the errors of isotherms along directions across the probes, fitted and as simulated without a fit.
    private static func run(
        _ truth: Truth, probeCount: Int, isPowerKnown: Bool = false
    ) throws -> (fitted: Errors, nominal: Errors, result: EdgeFit.Result) {
        var world = try medium(spacingMM: 1.5), real = probes(probeCount), random = NormalNumbers(seed: truth.seed &+ 77)
        world.tissues[0].table = world.tissues[0].table.scaled(
            frozenConductivity: truth.frozen, liquidConductivity: truth.liquid, latentHeat: truth.latent)
        world.tissues[0].perfusion *= truth.perfusion
        for index in real.indices {
            if !isPowerKnown { real[index].model.coolantC! += truth.coolantK }
            real[index].tip = real[index].tip + truth.depthMM * real[index].direction + PatientVector(truth.shiftMM)
        }
        let seen = try IceballSimulation(model: world, sinks: try real.map { try $0.sink() }, outputTimesS: [600]).run().snapshots[0].lowest
        let center = PatientPoint(0, 1.5, 2)
        // Errors of a segmentation are alike in a neighbourhood: one number for each of twelve regions, and one for each point.
        let regional = (0..<12).map { _ in 0.5 * random.next() }
        let edge = directions(240).compactMap { direction -> EdgeFit.EdgePoint? in
            guard abs(direction.lps.z) < 0.93, let radius = seen.radiusMM(of: -4.5, from: center, along: direction) else { return nil }
            let region = Int((direction.lps.x + 1) * 1.49) + 3 * Int((direction.lps.y + 1) * 0.99) + 6 * Int((direction.lps.z + 1) * 0.99)
            return .init(position: center + (radius + regional[region] + 0.5 * random.next()) * direction, uncertaintyMM: 0.7)
        }
        var fit = EdgeFit(model: try medium(spacingMM: 2), probes: probes(probeCount), seconds: 600, edge: edge, edgeTemperatureC: -4.5)
        if isPowerKnown { fit.priors.coolantK = 3 }
        let result = try fit.run()
        let plain = try IceballSimulation(model: fit.model, sinks: try fit.probes.map { try $0.sink() }, outputTimesS: [600]).run()
            .snapshots[0].lowest
        var fitted = Errors(), nominal = Errors()
        for direction in directions(60) where abs(direction.lps.z) < 0.7 {
            for (temperature, path) in [(-4.5, \Errors.edge), (-20, \Errors.minus20), (-40, \Errors.minus40)] {
                guard let true_ = seen.radiusMM(of: temperature, from: center, along: direction) else { continue }
                guard let found = result.lowest.radiusMM(of: temperature, from: center, along: direction) else { continue }
                fitted[keyPath: path].append(found.radiusMM - true_)
                nominal[keyPath: path].append((plain.radiusMM(of: temperature, from: center, along: direction) ?? 0) - true_)
                if temperature == -40 { fitted.spreads40.append(found.spreadMM) }
                if temperature <= -20 { fitted.covered.append(abs(found.radiusMM - true_) <= 1.645 * found.spreadMM) }
            }
        }
        return (fitted, nominal, result)
    }

    /// Spread evenly over the sphere.
    private static func directions(_ count: Int) -> [PatientVector] {
        (0..<count).map { number in
            let z = 1 - 2 * (Double(number) + 0.5) / Double(count), angle = 2.399963229728653 * Double(number), r = (1 - z * z).squareRoot()
            return PatientVector(r * cos(angle), r * sin(angle), z)
        }
    }

    /// Bars are a third above what these draws leave.
    @Test(arguments: [(seed: UInt64(1), probes: 1, barsMM: (0.6, 0.47, 0.28)), (seed: 7, probes: 2, barsMM: (0.6, 0.78, 1.02))])
    func edgeAndColdIsothermsAreFound(seed: UInt64, probes: Int, barsMM: (edge: Double, minus20: Double, minus40: Double)) throws {
        let (fitted, nominal, result) = try Self.run(Self.truth(seed), probeCount: probes)
        #expect(!result.isRejected && result.after.rmsMM <= result.before.rmsMM)
        #expect(Errors.rms(nominal.edge) > 1 && Errors.rms(fitted.edge) < barsMM.edge)
        // One draw's cold isotherms lie off by as much as the edge leaves open which power and which conductivity made it, at −40 °C 0.6 mm
        // in one standard deviation, and the interval must know.
        #expect(Errors.rms(fitted.minus20) < barsMM.minus20 && Errors.rms(fitted.minus40) < barsMM.minus40)
        #expect(Double(fitted.covered.count { $0 }) > 0.8 * Double(fitted.covered.count))
    }

    /// The same tissue and edge errors, where the fit is told how cold the probe is, to 3 K, and that is so: nothing but tissue is left to
    /// explain the edge, and what it says of the inside is nearer the truth, and surer.
    @Test func aProbeThatIsKnownLeavesLessOpen() throws {
        let (known, _, result) = try Self.run(Self.truth(1), probeCount: 1, isPowerKnown: true)
        let unknown = try Self.run(Self.truth(1), probeCount: 1).fitted
        #expect(!result.isRejected && Errors.rms(known.edge) < 0.6 && Errors.rms(known.minus20) < 0.45 && Errors.rms(known.minus40) < 0.26)
        #expect(Double(known.covered.count { $0 }) > 0.8 * Double(known.covered.count))
        #expect(Errors.rms(known.spreads40) < 0.85 * Errors.rms(unknown.spreads40))
    }

    /// An edge that is seen 3 mm too far in around one place takes the −20 °C isotherm along there, by less, and the −40 °C one by less
    /// still; a broad dent reaches deeper than a narrow one.
    @Test func aDentInTheEdgeFadesInwards() throws {
        let simulation = IceballSimulation(
            model: try Self.medium(spacingMM: 2), sinks: try Self.probes(1).map { try $0.sink() }, outputTimesS: [600])
        let field = try simulation.run().snapshots[0].lowest, center = PatientPoint(0, 1.5, 2), dent = PatientVector(1, 0, 0)
        func moved(dentRadiusMM: Double) throws -> [Double] {
            var edge: [EdgeFit.EdgePoint] = [], distances: [Double] = []
            for direction in Self.directions(400) {
                let radius = try #require(field.radiusMM(of: -4.5, from: center, along: direction))
                let isDented = (center + radius * direction).distance(to: center + radius * dent) < dentRadiusMM
                edge.append(.init(position: center + (radius - (isDented ? 3 : 0)) * direction, uncertaintyMM: 0.5))
                distances.append(isDented ? 3 : 0)
            }
            let errors = EdgeErrors(edge, distances: distances, columns: [distances.map { _ in 1 }], values: [0], modelErrorMM: 1)
            let discrepancy = try ModelDiscrepancy(
                points: edge.map(\.position), errors: errors.modelErrors(distances: distances, columns: [distances.map { _ in 1 }]),
                field: field,
                edgeTemperatureC: -4.5)
            return try [-4.5, -20, -40].map { temperature in
                let before = try #require(field.radiusMM(of: temperature, from: center, along: dent))
                let level = field.table.kirchhoff(atTemperature: temperature)
                return before - (try #require(
                    field.radiusMM(from: center, along: dent, where: { field.theta(at: $0) + discrepancy.theta(at: $0) - level })))
            }
        }
        let narrow = try moved(dentRadiusMM: 7), broad = try moved(dentRadiusMM: 14)
        #expect(narrow[0] > 1 && narrow[0] < 3.2 && narrow[1] < 0.9 * narrow[0] && narrow[2] < 0.9 * narrow[1])
        #expect(broad[2] / broad[0] > 1.05 * narrow[2] / narrow[0])
    }

    /// Beside a probe the edge's errors have faded, and what is left is the computation's own error, which references put below 0.1 mm
    /// there. At the edge the tissue's unevenness counts.
    @Test func insideTheIceOnlyTheComputationsOwnErrorIsLeft() throws {
        let field = try IceballSimulation(
            model: try Self.medium(spacingMM: 2), sinks: try Self.probes(1).map { try $0.sink() }, outputTimesS: [600]
        ).run().snapshots[0].lowest
        let center = PatientPoint(0, 1.5, 2)
        let edge = Self.directions(150).compactMap { direction in
            field.radiusMM(of: -4.5, from: center, along: direction).map {
                EdgeFit.EdgePoint(position: center + $0 * direction, uncertaintyMM: 0.7)
            }
        }
        let distances = edge.map { _ in 0.0 }, columns = [edge.map { _ in 1.0 }]
        let errors = EdgeErrors(edge, distances: distances, columns: columns, values: [0], modelErrorMM: 1)
        let discrepancy = try ModelDiscrepancy(
            points: edge.map(\.position), errors: errors.modelErrors(distances: distances, columns: columns), field: field,
            edgeTemperatureC: -4.5)
        let beside = discrepancy(center).deviationMM, atEdge = discrepancy(edge[75].position).deviationMM
        #expect(beside > 0.05 && beside < 0.2 && atEdge > beside, "\(beside) beside the probe, \(atEdge) mm at the edge")
    }

    /// An edge that lies 5 mm farther in on the patient's left, where the rest fits, is noticed, its place and depth are said, and what is
    /// simulated behind it is less sure than on the other side. An edge with nothing but errors is not doubted.
    @Test(arguments: [5.0, 0])
    func aPlaceThatContradictsTheRestIsDoubted(depthMM: Double) throws {
        let nominal = try IceballSimulation(
            model: try Self.medium(spacingMM: 3), sinks: try Self.probes(1).map { try $0.sink() },
            outputTimesS: [600]).run().snapshots[0].lowest
        let center = PatientPoint(0, 1.5, 2), left = PatientVector(1, 0, 0), right = PatientVector(-1, 0, 0)
        var random = NormalNumbers(seed: 12)
        let rim = center + (try #require(nominal.radiusMM(of: -4.5, from: center, along: left))) * left
        let edge = Self.directions(300).compactMap { direction -> EdgeFit.EdgePoint? in
            guard abs(direction.lps.z) < 0.93, let radius = nominal.radiusMM(of: -4.5, from: center, along: direction) else { return nil }
            let isDented = (center + radius * direction).distance(to: rim) < 9
            return .init(position: center + (radius - (isDented ? depthMM : 0) + 0.5 * random.next()) * direction, uncertaintyMM: 0.6)
        }
        let fit = try EdgeFit(
            model: try Self.medium(spacingMM: 3), probes: Self.probes(1), seconds: 600, edge: edge, edgeTemperatureC: -4.5
        ).run()
        guard depthMM != 0 else {
            #expect(fit.dents.isEmpty && fit.doubt(from: center) == nil)
            return
        }
        let dent = try #require(fit.dents.first), finding = try #require(fit.doubt(from: center))
        #expect(fit.dents.count == 1 && abs(dent.depthMM - depthMM) < 1.5 && dent.place.distance(to: rim) < 8)
        #expect(
            finding.code == "simulation-doubtful" && finding.message.contains("towards the left")
                && finding.message.contains("pushed in by"))
        let behind = try #require(fit.lowest.radiusMM(of: -20, from: center, along: left)).spreadMM
        let opposite = try #require(fit.lowest.radiusMM(of: -20, from: center, along: right)).spreadMM
        #expect(behind > 1.15 * opposite, "\(behind) behind the dent, \(opposite) opposite")
    }

    /// An edge that lies 2 mm in and out of the model's all around has no place that contradicts the rest, but fits badly everywhere.
    @Test func anEdgeThatFitsBadlyEverywhereIsDoubted() throws {
        let nominal = try IceballSimulation(
            model: try Self.medium(spacingMM: 3), sinks: try Self.probes(1).map { try $0.sink() }, outputTimesS: [600]
        ).run().snapshots[0].lowest
        let center = PatientPoint(0, 1.5, 2)
        let edge = Self.directions(150).enumerated().compactMap { number, direction in
            nominal.radiusMM(of: -4.5, from: center, along: direction).map {
                EdgeFit.EdgePoint(position: center + ($0 + (number % 2 == 0 ? 2 : -2)) * direction, uncertaintyMM: 0.6)
            }
        }
        let fit = try EdgeFit(
            model: try Self.medium(spacingMM: 3), probes: Self.probes(1), seconds: 600, edge: edge, edgeTemperatureC: -4.5
        ).run()
        #expect(!fit.isRejected && fit.dents.isEmpty && abs(fit.after.rmsMM - 2) < 0.3)
        let finding = try #require(fit.doubt(from: center))
        #expect(finding.code == "simulation-doubtful" && finding.message.contains("no more than 1.3 mm is usual"), "\(finding.message)")
    }

    /// Errors that are alike over centimetres are told from those of the edge, which are alike over millimetres.
    @Test func howWrongTheModelIsShowsAlongTheEdge() {
        let (small, large) = (Self.modelErrorMM(foundWhereItIs: 0.3), Self.modelErrorMM(foundWhereItIs: 1.5))
        #expect(small < 0.6 * large && large > 0.9 && large < 2.2)
    }

    private static func modelErrorMM(foundWhereItIs modelErrorMM: Double) -> Double {
        var random = NormalNumbers(seed: 3)
        let points = Self.directions(300).map { EdgeFit.EdgePoint(position: PatientPoint(0, 0, 0) + 18 * $0, uncertaintyMM: 0.5) }
        // Sums of a few waves that repeat after some 40 mm; and noise of its own at every point.
        let waves = (0..<40).map { _ in
            (
                along: PatientVector(SIMD3(random.next(), random.next(), random.next())).normalized!, phase: 3 * random.next(),
                height: random.next())
        }
        let distances = points.map { point in
            let model = waves.reduce(0.0) { sum, wave in
                sum + wave.height * cos(2 * .pi / 40 * (point.position - PatientPoint(0, 0, 0)).dot(wave.along) + wave.phase)
            }
            return modelErrorMM * model / 20.0.squareRoot() + 0.5 * random.next()
        }
        let errors = EdgeErrors(points, distances: distances, columns: [points.map { _ in 1 }], values: [0], modelErrorMM: 1.2)
        return errors.modelErrorMM
    }

    /// Going on with freezing makes the ice larger, and the fitted state at the scan is what the readings begin with.
    @Test func freezingGoesOn() throws {
        let nominal = try IceballSimulation(
            model: try Self.medium(spacingMM: 3), sinks: try Self.probes(1).map { try $0.sink() },
            outputTimesS: [600]).run().snapshots[0].lowest
        let center = PatientPoint(0, 1.5, 2)
        let edge = Self.directions(120).compactMap { direction in
            nominal.radiusMM(of: -4.5, from: center, along: direction).map {
                EdgeFit.EdgePoint(position: center + $0 * direction, uncertaintyMM: 0.7)
            }
        }
        let fit = try EdgeFit(
            model: try Self.medium(spacingMM: 3), probes: Self.probes(1), seconds: 600, edge: edge, edgeTemperatureC: -4.5
        ).run()
        let readings = try IceContinuation(fit).readings(atMinutes: [-5, 0, 5]) { [$0.temperature.volumeML(below: -4.5)] }
        let volumes = readings.map { $0.values[0] }
        #expect(volumes[0] < volumes[1] && volumes[1] < volumes[2])
        #expect(abs(volumes[1] / nominal.volumeML(below: -4.5) - 1) < 0.05)
        #expect(readings[1].changeDeviations[0] == 0 && readings[2].changeDeviations[0] > 0)
    }

    @Test func iceThatNoProbeCanMakeIsRejected() throws {
        let edge = Self.directions(120).map { EdgeFit.EdgePoint(position: PatientPoint(20, 0, 0) + 9 * $0, uncertaintyMM: 0.7) }
        let result = try EdgeFit(
            model: try Self.medium(spacingMM: 3), probes: Self.probes(1), seconds: 600, edge: edge, edgeTemperatureC: -4.5
        ).run()
        #expect(result.rejection?.code == "simulation-rejected")
    }
}

/// Normally distributed numbers that follow from a seed (SplitMix64, Box–Muller).
private struct NormalNumbers {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return (Double((z ^ (z >> 31)) >> 11) + 0.5) / Double(1 << 53)
    }
    mutating func next() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
}
