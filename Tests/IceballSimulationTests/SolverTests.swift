import ImagingCore
import Testing

@testable import IceballSimulation

@Suite struct SolverTests {
    /// A probe in a small insulated box.
    private func box(
        phases: [HeatSink.Phase], outputTimesS: [Double], perfusion: Double = 0, lengthMM: Double = 10,
        reachMM: [SimulationGrid.Side: Double] = [.iLow: 30, .kHigh: 30]
    ) throws -> IceballSimulation {
        let grid = try ExactCases.grid(from: SIMD3(repeating: -14), to: SIMD3(repeating: 14), spacingMM: 1, reachMM: reachMM)
        let sink = HeatSink(
            name: "probe", shape: .segment(from: PatientPoint(-2, 1, -5), direction: PatientVector(0.6, 0, 0.8), lengthMM: lengthMM),
            radiusMM: 0.735,
            phases: phases)
        let model = ThermalModel(grid: grid, tissues: [ExactCases.medium(ExactCases.mushy, perfusion: perfusion)], boundary: [:])
        var simulation = IceballSimulation(model: model, sinks: [sink], outputTimesS: outputTimesS)
        simulation.sidesThatIceMayReach = Set(SimulationGrid.Side.allCases)
        return simulation
    }
    private func freeze(_ start: Double, _ end: Double, resistance: Double = 0, duty: Double = 1) -> HeatSink.Phase {
        .init(startS: start, endS: end, action: .surface(coolantC: -140, resistance: resistance, largestPower: nil, duty: duty, rampS: 0))
    }

    @Test func tissueLosesWhatTheProbeTakes() throws {
        let result = try box(phases: [freeze(0, 200), freeze(260, 400)], outputTimesS: [200, 260, 400]).run()
        for snapshot in result.snapshots {
            #expect(snapshot.heatLostJ > 1000 && abs(snapshot.heatLostJ / snapshot.heatTakenJ[0] - 1) < 1e-3)
        }
        #expect(result.snapshots[0].heatTakenJ == result.snapshots[1].heatTakenJ)
    }

    /// Most of the heat there is in tissue that stays warm: what its enthalpies round off must not add up over the steps.
    @Test func noHeatIsLostByRoundingInALargeBox() throws {
        let reachMM = Dictionary(uniqueKeysWithValues: SimulationGrid.Side.allCases.map { ($0, 60.0) })
        let snapshot = try box(phases: [freeze(0, 300)], outputTimesS: [300], reachMM: reachMM).run().snapshots[0]
        #expect(abs(snapshot.heatLostJ / snapshot.heatTakenJ[0] - 1) < 3e-4)
    }

    /// In perfused tissue far from ice nothing changes after some minutes.
    @Test func cellsAtRestAreLeftOutAndMakeNoDifference() throws {
        let reachMM = Dictionary(uniqueKeysWithValues: SimulationGrid.Side.allCases.map { ($0, 30.0) })
        var simulation = try box(
            phases: [freeze(0, 240), freeze(300, 420)], outputTimesS: [240, 300, 420], perfusion: 0.02, reachMM: reachMM)
        let result = try simulation.run()
        simulation.leavesRestingCells = false
        let complete = try simulation.run()
        #expect(result.cellStages < 0.8 * complete.cellStages)
        for (snapshot, reference) in zip(result.snapshots, complete.snapshots) {
            let found = snapshot.temperature.volume().withUnsafeVoxels(Array.init)
            let expected = reference.temperature.volume().withUnsafeVoxels(Array.init)
            #expect(zip(found, expected).map { abs($0 - $1) }.max()! < 0.01)
            #expect(abs(snapshot.heatTakenJ[0] / reference.heatTakenJ[0] - 1) < 1e-4)
        }
    }

    @Test func noCellRestsWithoutBlood() throws {
        var simulation = try box(phases: [freeze(0, 30)], outputTimesS: [30])
        let stages = try simulation.run().cellStages
        simulation.leavesRestingCells = false
        #expect(try simulation.run().cellStages == stages)
    }

    @Test func resultsDoNotDependOnThreads() throws {
        let simulation = try box(phases: [freeze(0, 60)], outputTimesS: [60], perfusion: 0.01)
        let one = try KernelThreads.with(1) { try simulation.run().snapshots[0] },
            three = try KernelThreads.with(3) { try simulation.run().snapshots[0] }
        #expect(one.temperature.kirchhoff == three.temperature.kirchhoff && one.heatLostJ == three.heatLostJ)
    }

    /// Radii grow with the root of time: 10.5 mm deep the plane passes −20 °C after 60 (10.5 / 6.89968)² = 138.96 s.
    @Test func timeSpentBelowAThresholdIsKept() throws {
        var simulation = try ExactCases.planar(ExactCases.mushy, coldC: -140, startC: 37, outputTimesS: [600])
        simulation.thresholdsC = [-20]
        let seconds = try simulation.run().secondsBelow[0].seconds
        #expect(abs(Double(seconds[VoxelIndex(10, 1, 1)]) - (600 - 138.96)) < 6)
        #expect(seconds[VoxelIndex(40, 1, 1)] == 0)
    }

    /// A probe whose coolant is −200 °C behind a resistance that takes up 60 K at the power of the steady state:
    /// 2π · 272.75 / ln(13.0512 / 0.735) = 595.7 W/m, as with a surface of −140 °C.
    @Test func resistanceWarmsTheSurface() throws {
        let place = PatientPoint(0.3, 0.15, 1.5)
        var simulation = try ExactCases.line(
            ExactCases.mushy, wattsPerMetre: 1, through: (place.lps.x, place.lps.y), perfusion: 0.0155, reachMM: 25, outputTimesS: [5400])
        simulation.sinks[0].radiusMM = 0.735
        simulation.sinks[0].phases[0].action = .surface(coolantC: -200, resistance: 60 / 595.7, largestPower: nil, duty: 1, rampS: 0)
        let field = try simulation.run().snapshots[0].temperature
        for (temperature, radius) in [(-1.0, 13.0512), (-20, 9.23924), (-40, 6.05915)] {
            #expect(abs(try #require(field.radiusMM(of: temperature, from: place, along: PatientVector(1, 0, 0))) - radius) < 0.25)
        }
    }

    @Test func lessDutyAndBoundedPowerMakeLessIce() throws {
        func volume(_ phase: HeatSink.Phase) throws -> Double {
            try box(phases: [phase], outputTimesS: [120]).run().snapshots[0].temperature.volumeML(below: -20)
        }
        var bounded = freeze(0, 120)
        bounded.action = .surface(coolantC: -140, resistance: 0, largestPower: 300, duty: 1, rampS: 0)
        let full = try volume(freeze(0, 120))
        #expect(try volume(freeze(0, 120, duty: 0.5)) < 0.9 * full)
        #expect(try volume(bounded) < 0.9 * full)
        let result = try box(phases: [bounded], outputTimesS: [120]).run().snapshots[0]
        #expect(abs(result.heatTakenJ[0] - 300 * 0.01 * 120) < 1)
    }

    @Test func warmingThawsAroundTheProbeBeforeWaitingDoes() throws {
        func nearProbe(_ phases: [HeatSink.Phase]) throws -> Double {
            try box(phases: phases, outputTimesS: [240], perfusion: 0.0155).run().snapshots[0].temperature.temperatureC(
                at: PatientPoint(1, 1, -1))
        }
        let warm = HeatSink.Phase(
            startS: 180, endS: 240, action: .surface(coolantC: 15, resistance: 0, largestPower: nil, duty: 1, rampS: 0))
        #expect(try nearProbe([freeze(0, 180)]) < -1)
        #expect(try nearProbe([freeze(0, 180), warm]) > 3)
    }

    @Test func aTractIsFrozenOnWithdrawal() throws {
        var tract = freeze(60, 120)
        tract.withdrawalMM = 6
        let axis = PatientVector(0.6, 0, 0.8), tip = PatientPoint(-2, 1, -5)
        func tail(_ phases: [HeatSink.Phase]) throws -> Double {
            let field = try box(phases: phases, outputTimesS: [120], lengthMM: 6).run().snapshots[0].lowest
            return try #require(field.radiusMM(of: -8, from: tip + 3 * axis, along: axis))
        }
        let still = try tail([freeze(0, 120)]), drawn = try tail([freeze(0, 60), tract])
        #expect(drawn > still + 3 && drawn < still + 6.5)
    }

    @Test func permanentStasisMakesTheSecondFreezeLarger() throws {
        var simulation = try box(phases: [freeze(0, 120), freeze(200, 320)], outputTimesS: [320], perfusion: 0.05)
        let reversible = try simulation.run().snapshots[0].temperature.volumeML(below: 0)
        simulation.model.stasisIsPermanent = true
        #expect(try simulation.run().snapshots[0].temperature.volumeML(below: 0) > 1.05 * reversible)
    }

    /// A sphere of the closed form around a point: 4/3 π r³.
    @Test func volumesAreThoseOfTheSolution() throws {
        let simulation = try ExactCases.point(ExactCases.mushy, action: .powerGrowingWithRootTime(0.5), halfMM: 16, outputTimesS: [300])
        let field = try simulation.run().snapshots[0].temperature
        for (temperature, radius) in [(-1.0, 8.40845), (-20, 5.85223)] {
            let volume = 4.0 / 3 * .pi * radius * radius * radius / 1000
            #expect(abs(field.volumeML(below: temperature) / volume - 1) < 0.03)
        }
    }

    @Test func stepsEndAtSwitchesAndOutputs() {
        let sink = HeatSink(
            name: "", shape: .point(PatientPoint(0, 0, 0)),
            phases: [.init(startS: 0, endS: 600, action: .idle), .init(startS: 600, endS: 901.5, action: .idle)])
        let steps = StepSchedule(sinks: [sink], outputTimesS: [333.3, 1000], longestStepS: 10).steps
        var times = [0.0]
        for step in steps { times.append(times.last! + step) }
        for stop in [333.3, 600, 901.5, 1000] { #expect(times.contains { abs($0 - stop) < 1e-9 }) }
        #expect(steps.max()! <= 5 && steps.min()! > 0.2)
        #expect(abs(times[times.firstIndex { abs($0 - 600) < 1e-9 }! + 1] - 601) < 1e-9)
    }
}
