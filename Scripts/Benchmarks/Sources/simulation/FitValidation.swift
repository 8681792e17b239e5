import Foundation
import IceballSimulation
import ImagingCore

/// How near fitted isotherms come to the truth, and how often their 90 % interval holds it.
struct FitValidation {
    private struct Errors {
        var before: [Double] = [], after: [Double] = [], covered: [Bool] = [], widths: [Double] = []
        static func rms(_ values: [Double]) -> Double { (values.reduce(0) { $0 + $1 * $1 } / Double(max(1, values.count))).squareRoot() }
        static func + (a: Errors, b: Errors) -> Errors {
            Errors(before: a.before + b.before, after: a.after + b.after, covered: a.covered + b.covered, widths: a.widths + b.widths)
        }
        /// Share of directions along which the interval holds the truth.
        var held: Double { Double(covered.count { $0 }) / Double(max(1, covered.count)) }
        var text: String {
            String(
                format: "%5.2f →%5.2f mm  %3.0f %% (±%.1f)", Self.rms(before), Self.rms(after), 100 * held,
                widths.reduce(0, +) / Double(max(1, widths.count)))
        }
    }
    private static let isothermsC = [IceCase.edgeTemperatureC, -20, -40]
    /// Of a normal distribution.
    private static let ninetyPercent = 1.645

    static func run(_ cases: Range<Int>, _ differing: IceCase.Probes, isVerbose: Bool) throws {
        print("Tissue, vessels and noise differ" + (differing == .own ? "" : "; so does the probes' power, by what is stated of it"
            + (differing == .stated ? "" : " where nobody measured it, and their places")))
        print(
            "case  probes vessel dent  p      model error  simulations  seconds    edge, −20 °C, −40 °C: rms before → after, 90 % interval holds")
        var all = [Errors](repeating: Errors(), count: 3), held: [[Double]] = [[], [], []], byProbes: [Int: [Errors]] = [:],
            byVessel: [Bool: [Errors]] = [:], byDoubt: [Bool: [Errors]] = [:], rejected = 0
        for number in cases {
            let ice = try IceCase(number: number, differing), start = ContinuousClock.now
            let (result, lowest) = try Self.fit(ice)
            let seconds = ContinuousClock.now - start
            let isDoubtful = result.doubt(from: IceCase.center) != nil
            if result.isRejected { rejected += 1 }
            let nominal = try IceballSimulation(
                model: try IceCase.medium(spacingMM: 2), sinks: try ice.told.map { try $0.sink() }, outputTimesS: [IceCase.seconds])
                .run().snapshots[0].lowest
            let errors = Self.isothermsC.map { Self.errors($0, ice, lowest, nominal) }
            all = zip(all, errors).map(+)
            for (index, error) in errors.enumerated() { held[index].append(error.held) }
            func added(_ earlier: [Errors]?) -> [Errors] { zip(earlier ?? [Errors](repeating: Errors(), count: 3), errors).map(+) }
            byProbes[ice.told.count] = added(byProbes[ice.told.count])
            byVessel[ice.hasVessel] = added(byVessel[ice.hasVessel])
            byDoubt[isDoubtful] = added(byDoubt[isDoubtful])
            print(
                String(
                    format: "%4d  %4d   %@  %5.1f  %6.3f  %5.2f mm     %4d        %6.2f     ", number, ice.told.count,
                    ice.hasVessel ? "yes" : "no ", (result.dents.first?.depthMM ?? 0) as Double,
                    result.probability, result.modelErrorMM, result.simulationCount, seconds / .seconds(1))
                    + errors.map(\.text).joined(separator: "    ") + (result.isRejected ? "  rejected" : isDoubtful ? "  doubtful" : ""))
            // A long run is watched through a pipe.
            fflush(nil)
            if isVerbose {
                print(String(format: "   truth: coolant %+.1f K, liver's blood flow × %.2f", ice.real[0].model.coolantC! - ice.told[0].model.coolantC!,
                    ice.world.tissues[0].perfusion / (try TissueLibrary.builtIn().tissue("liver")).perfusion))
            }
            if isVerbose {
                print(String(
                    format: "   edge to fit: mean %.2f rms %.2f before %.2f", result.after.meanMM, result.after.rmsMM, result.before.rmsMM))
            }
            if isVerbose {
                print(
                    result.parameters.map { String(
                        format: "%@ %.2f (%.2f σ, ±%.2f)", $0.name, $0.value, $0.deviation, $0.remainingSpread
                    ) }.joined(separator: "; "))
            }
        }
        for (count, errors) in byProbes.sorted(by: { $0.key < $1.key }) {
            print("\(count) probe\(count == 1 ? " " : "s"): " + errors.map(\.text).joined(separator: "    "))
        }
        for (hasVessel, errors) in byVessel.sorted(by: { !$0.key && $1.key }) {
            print("\(hasVessel ? "a vessel " : "no vessel"):" + errors.map(\.text).joined(separator: "    "))
        }
        for (isDoubtful, errors) in byDoubt.sorted(by: { !$0.key && $1.key }) {
            print("\(isDoubtful ? "doubtful " : "not doubtful "):" + errors.map(\.text).joined(separator: "    "))
        }
        print("all directions: " + all.map(\.text).joined(separator: "    ") + "   \(rejected) of \(cases.count) rejected")
        print("cases in which more than half of the directions are held: " + held.map { shares in
            "\(shares.count { $0 > 0.5 }) of \(shares.count)"
        }.joined(separator: ", "))
    }

    /// As a case is: fitted on cells of 2 mm, with the field on cells of 1 mm.
    static func fit(_ ice: IceCase) throws -> (result: EdgeFit.Result, lowest: UncertainField) {
        var fit = EdgeFit(
            model: try IceCase.medium(spacingMM: 2), probes: ice.told, seconds: IceCase.seconds, edge: ice.edge,
            edgeTemperatureC: IceCase.edgeTemperatureC)
        fit.priors.coolantK = ice.coolantUncertaintyK
        let result = try fit.run()
        var lowest = result.lowest
        lowest.field = try result.simulation(on: try IceCase.medium(spacingMM: 1)).run().snapshots[0].lowest
        return (result, lowest)
    }

    /// Across the probes and obliquely to them, where margins are measured.
    private static func errors(_ isothermC: Double, _ ice: IceCase, _ fitted: UncertainField, _ nominal: TemperatureField) -> Errors {
        var errors = Errors()
        for direction in IceCase.directions(80) where abs(direction.lps.z) < 0.8 {
            guard let true_ = ice.truth.radiusMM(of: isothermC, from: IceCase.center, along: direction),
                let found = fitted.radiusMM(of: isothermC, from: IceCase.center, along: direction)
            else { continue }
            errors.before.append((nominal.radiusMM(of: isothermC, from: IceCase.center, along: direction) ?? 0) - true_)
            errors.after.append(found.radiusMM - true_)
            errors.covered.append(abs(found.radiusMM - true_) <= ninetyPercent * found.spreadMM)
            errors.widths.append(ninetyPercent * found.spreadMM)
        }
        return errors
    }
}
