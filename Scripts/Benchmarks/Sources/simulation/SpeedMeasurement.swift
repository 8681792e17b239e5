import Foundation
import IceballSimulation
import ImagingCore

/// How fast simulations run, beside what the machine's memory would allow at the same moment.
enum SpeedMeasurement {
    /// What a stage reads and writes of a cell where nothing stays in a cache: θ, three enthalpies, the first rate; an enthalpy and θ, both
    /// of which are read before they are written.
    private static let bytesPerCellStage = 36.0

    static func run() throws {
        let bandwidth = triadBytesPerSecond()
        print(String(
            format: "memory: %.1f GB/s (triad), hence at most %.2f G cell-stages/s outside caches", bandwidth / 1e9,
            bandwidth / bytesPerCellStage / 1e9))
        for (name, spacingMM) in [("freeze 10, thaw 5, freeze 10 min, three probes, liver, 1 mm", 1.0), ("the same, 2 mm", 2)] {
            let simulation = try protocolOfThreeProbes(spacingMM: spacingMM)
            let measured = try clock { try simulation.run() }, rate = measured.result.cellStages / measured.seconds
            print(
                String(
                    format: "%@: %.2f s (%.2f s of processors), %d × %d × %d cells, %.2f G cell-stages, %.2f G/s: %.0f %% of the bound",
                    name,
                    measured.seconds, measured.processorSeconds, simulation.model.grid.size.i, simulation.model.grid.size.j,
                    simulation.model.grid.size.k, measured.result.cellStages / 1e9, rate / 1e9, 100 * rate * bytesPerCellStage / bandwidth))
        }
        let ice = try IceCase(number: 2, .own)
        let measured = try clock { try FitValidation.fit(ice) }
        print(
            String(
                format: "fit of three probes to an edge, %d simulations of 10 min at 2 mm, the field at 1 mm and its uncertainty: %.2f s (%.2f s of processors)",
                measured.result.result.simulationCount, measured.seconds, measured.processorSeconds))
    }

    private static func protocolOfThreeProbes(spacingMM: Double) throws -> IceballSimulation {
        let phases = [ProbePhase(.freeze, minutes: 10), ProbePhase(.thaw, minutes: 5), ProbePhase(.freeze, minutes: 10)]
        let probes = try IceCase.probes(3).map { probe in
            var probe = probe
            probe.phases = phases
            return probe
        }
        return IceballSimulation(
            model: try IceCase.medium(spacingMM: spacingMM), sinks: try probes.map { try $0.sink() }, outputTimesS: [600, 1500])
    }

    private static func clock<Result>(_ work: () throws -> Result) rethrows -> (result: Result, seconds: Double, processorSeconds: Double) {
        let start = ContinuousClock.now, processor = processorSeconds()
        let result = try work()
        return (result, (ContinuousClock.now - start) / .seconds(1), processorSeconds() - processor)
    }

    private static func processorSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    /// a = b + s c over arrays beyond every cache, on all threads; the best of several rounds. The array written is read first, too.
    private static func triadBytesPerSecond() -> Double {
        let count = 32 << 20, portion = 1 << 20
        let arrays = (0..<3).map { _ in UnsafeMutablePointer<Float>.allocate(capacity: count) }
        for array in arrays { array.initialize(repeating: 1, count: count) }
        defer { for array in arrays { array.deallocate() } }
        nonisolated(unsafe) let (a, b, c) = (arrays[0], arrays[1], arrays[2])
        let best = (0..<6).map { _ in
            clock {
                forEachSlab(of: count, slab: portion) { range in
                    var place = range.lowerBound
                    while place < range.upperBound {
                        let source = UnsafeRawPointer(b + place).loadUnaligned(as: SIMD8<Float>.self)
                        let scaled = UnsafeRawPointer(c + place).loadUnaligned(as: SIMD8<Float>.self) * 0.5
                        UnsafeMutableRawPointer(a + place).storeBytes(of: source + scaled, as: SIMD8<Float>.self)
                        place &+= 8
                    }
                }
            }.seconds
        }.min()!
        return 4 * 4 * Double(count) / best
    }
}
