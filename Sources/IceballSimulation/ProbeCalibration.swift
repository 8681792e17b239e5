import Foundation
import ImagingCore

/// Fits what is unknown of a probe to the sizes of its isotherms in a uniform medium, by least squares.
///
/// A probe alone in such a medium is its own image in three planes, so one eighth of it is simulated.
public struct ProbeCalibration: Sendable {
    /// What may be fitted: the resistance and the active length by their logarithms, the coolant in °C.
    public enum Parameter: String, CaseIterable, Sendable { case resistance, coolant, activeLength }

    /// One measured size.
    public struct Row: Hashable, Sendable {
        public var minutes: Double
        public var isothermC: Double
        public var widthMM: Double?
        public var lengthMM: Double?
        /// One standard deviation of the measurement.
        public var uncertaintyMM: Double

        public init(minutes: Double, isothermC: Double, widthMM: Double?, lengthMM: Double?, uncertaintyMM: Double = 1) {
            (self.minutes, self.isothermC, self.widthMM, self.lengthMM, self.uncertaintyMM) = (
                minutes, isothermC, widthMM, lengthMM, uncertaintyMM
            )
        }
    }

    /// One size as measured and as the fitted probe makes it.
    public struct Comparison: Hashable, Sendable, Codable {
        public var minutes, isothermC: Double
        /// `width` or `length`.
        public var size: String
        public var measuredMM: Double
        /// 0 where the isotherm does not occur.
        public var fittedMM: Double
    }

    public struct Result: Sendable {
        /// With how surely its power is known (`coolantUncertaintyK`).
        public var model: ProbeModel
        public var comparisons: [Comparison]
        public var rmsMM: Double
        public var simulationCount: Int
        public var findings: [Finding]
    }

    public var start: ProbeModel
    public var fitted: [Parameter]
    public var tissue: Tissue
    public var startTemperatureC: Double
    public var rows: [Row]
    public var spacingMM = 1.0
    /// One standard deviation of the natural logarithm of each of the medium's constants: those of gels are water's and ice's within a few
    /// percent.
    public var mediumUncertainty = 0.03

    public init(start: ProbeModel, fitted: [Parameter], tissue: Tissue, startTemperatureC: Double, rows: [Row]) {
        (self.start, self.fitted, self.tissue, self.startTemperatureC, self.rows) = (start, fitted, tissue, startTemperatureC, rows)
    }

    /// Fits by Gauss and Newton with finite differences, damped where a step does not improve.
    public func run(progress: (Double) -> Void = { _ in }) throws -> Result {
        var best = values(of: start), sizes = try simulate(best), simulations = 1
        var misfit = Self.misfit(residuals(sizes))
        let rounds = 8
        fitting: for round in 0..<rounds {
            let residual = residuals(sizes)
            var columns: [[Double]] = []
            for index in fitted.indices {
                var moved = best
                moved[index] += steps[index]
                columns.append(zip(residuals(try simulate(moved)), residual).map { ($0 - $1) / steps[index] })
                simulations += 1
            }
            let direction = Self.solve(columns, residual)
            var scale = 1.0
            while true {
                let candidate = zip(best, zip(direction, limits)).map { $0 - max(-$1.1, min($1.1, scale * $1.0)) }
                let candidateSizes = try simulate(candidate), candidateMisfit = Self.misfit(residuals(candidateSizes))
                simulations += 1
                if candidateMisfit < misfit {
                    let gain = misfit - candidateMisfit
                    (best, sizes, misfit) = (candidate, candidateSizes, candidateMisfit)
                    if gain < 1e-3 * (misfit + 1e-3) { break fitting }
                    break
                }
                scale /= 3
                if scale < 0.05 { break fitting }
            }
            progress(Double(round + 1) / Double(rounds))
        }
        let uncertaintyK = try coolantUncertaintyK(best, misfit: misfit)
        var result = result(best, sizes, simulations)
        result.model.coolantUncertaintyK = uncertaintyK
        return result
    }

    // MARK: Parameters

    /// A resistance of 0 has no logarithm: fitting begins from one that matters little.
    private static let leastResistance = 0.005
    var steps: [Double] { fitted.map { $0 == .coolant ? 3 : 0.05 } }
    /// The farthest that one round may go.
    private var limits: [Double] { fitted.map { $0 == .coolant ? 40 : 1 } }

    func values(of model: ProbeModel) -> [Double] {
        fitted.map { parameter in
            switch parameter {
            case .resistance: log(max(model.resistance, Self.leastResistance))
            case .coolant: model.coolantC ?? -140
            case .activeLength: log(model.activeLengthMM ?? 30)
            }
        }
    }

    func model(_ values: [Double]) -> ProbeModel {
        var model = start
        for (parameter, value) in zip(fitted, values) {
            switch parameter {
            case .resistance: model.resistance = exp(value)
            case .coolant: model.coolantC = min(max(value, -196), -20)
            case .activeLength: model.activeLengthMM = min(max(exp(value), 2), 100)
            }
        }
        return model
    }

    // MARK: Simulation

    /// Width and length per row, mm; 0 where the isotherm does not occur.
    func simulate(_ values: [Double]) throws -> [(width: Double, length: Double)] {
        let model = model(values), times = Set(rows.map { 60 * $0.minutes }).sorted()
        let (simulation, center) = try Self.eighth(
            model, tissue: tissue, startTemperatureC: startTemperatureC, times: times, spacingMM: spacingMM)
        let result = try simulation.run()
        return rows.map { row in
            let field = result.snapshots.first { $0.timeS == 60 * row.minutes }!.temperature
            func size(_ direction: PatientVector) -> Double { 2 * (field.radiusMM(of: row.isothermC, from: center, along: direction) ?? 0) }
            return (size(PatientVector(0.8, 0.6, 0)), size(PatientVector(0, 0, 1)))
        }
    }

    /// The part of a lone probe along z with x, y, z ≥ 0 from its middle.
    static func eighth(_ model: ProbeModel, tissue: Tissue, startTemperatureC: Double, times: [Double], spacingMM: Double) throws
        -> (IceballSimulation, center: PatientPoint)
    {
        let length = model.activeLengthMM ?? 0, reach = 70.0
        // Ice grows no farther than some lengths over which heat spreads in the time.
        let across = min(50, 8 + 1.6 * (times.last! / 60).squareRoot() * 5), along = length / 2 + across
        func count(_ mm: Double) -> Int { Int((mm / spacingMM).rounded(.up)) }
        let core = try GridGeometry(
            size: GridSize(count(across), count(across), count(along)), spacing: SIMD3(repeating: spacingMM),
            origin: PatientPoint(spacingMM / 2, spacingMM / 2, spacingMM / 2))
        let grid = try SimulationGrid(core: core, reachMM: [.iHigh: reach, .jHigh: reach, .kHigh: reach])
        let warm = BoundaryCondition.temperature(startTemperatureC)
        let medium = ThermalModel(
            grid: grid, tissues: [tissue], boundary: [.iHigh: warm, .jHigh: warm, .kHigh: warm], startTemperatureC: startTemperatureC,
            bloodTemperatureC: startTemperatureC)
        var probe = PlacedProbe(
            name: model.name, tip: PatientPoint(0, 0, -length / 2), direction: PatientVector(0, 0, 1), model: model,
            phases: [ProbePhase(.freeze, minutes: times.last! / 60)])
        probe.model.activeStartMM = 0
        var simulation = IceballSimulation(model: medium, sinks: [try probe.sink()], outputTimesS: times)
        simulation.sidesThatIceMayReach = [.iLow, .jLow, .kLow]
        return (simulation, PatientPoint(0, 0, 0))
    }

    // MARK: Least squares

    func residuals(_ sizes: [(width: Double, length: Double)]) -> [Double] {
        zip(rows, sizes).flatMap { row, size in
            [row.widthMM.map { (size.width - $0) / row.uncertaintyMM }, row.lengthMM.map { (size.length - $0) / row.uncertaintyMM }]
                .compactMap { $0 }
        }
    }
    private static func misfit(_ residuals: [Double]) -> Double { residuals.reduce(0) { $0 + $1 * $1 } }

    /// The solution of the normal equations, slightly damped so that what the rows do not tell stays as it is.
    private static func solve(_ columns: [[Double]], _ residual: [Double]) -> [Double] {
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let count = columns.count
        var matrix = (0..<count).map { row in
            (0..<count).map { dot(columns[row], columns[$0]) * ($0 == row ? 1.001 : 1) + ($0 == row ? 1e-9 : 0) } + [
                dot(columns[row], residual)
            ]
        }
        for pivot in 0..<count {
            for row in 0..<count where row != pivot {
                let factor = matrix[row][pivot] / matrix[pivot][pivot]
                for column in pivot...count { matrix[row][column] -= factor * matrix[pivot][column] }
            }
        }
        return (0..<count).map { matrix[$0][count] / matrix[$0][$0] }
    }

    private func result(_ values: [Double], _ sizes: [(width: Double, length: Double)], _ simulations: Int) -> Result {
        let comparisons = zip(rows, sizes).flatMap { row, size in
            [("width", row.widthMM, size.width), ("length", row.lengthMM, size.length)].compactMap { name, measured, fitted in
                measured.map { Comparison(minutes: row.minutes, isothermC: row.isothermC, size: name, measuredMM: $0, fittedMM: fitted) }
            }
        }
        let rms = (comparisons.reduce(0) { $0 + ($1.fittedMM - $1.measuredMM) * ($1.fittedMM - $1.measuredMM) } / Double(comparisons.count))
            .squareRoot()
        var findings: [Finding] = []
        if comparisons.count < fitted.count {
            findings.append(
                Finding(
                    .warning, "calibration-underdetermined", "\(comparisons.count) sizes cannot tell \(fitted.count) parameters apart.",
                    remedy: "Give more isotherms or times, or fit fewer parameters."))
        }
        if let worst = comparisons.max(by: { abs($0.fittedMM - $0.measuredMM) < abs($1.fittedMM - $1.measuredMM) }),
            abs(worst.fittedMM - worst.measuredMM) > 4
        {
            findings.append(
                Finding(
                    .warning, "calibration-misfit",
                    String(
                        format: "The %@ of the %g °C isotherm after %g min is %.1f mm with the fitted probe, %.1f mm as measured.",
                        worst.size, worst.isothermC,
                        worst.minutes, worst.fittedMM, worst.measuredMM),
                    remedy:
                        "Check the medium's constants and its temperature, and the measured sizes; one probe parameter cannot make up for them."
                ))
        }
        return Result(model: model(values), comparisons: comparisons, rmsMM: rms, simulationCount: simulations, findings: findings)
    }
}
