import Foundation
import ImagingCore
import Testing
@testable import ImageSegmentation

/// Rods at each aspect to the slices, and voxels around them.
@Suite struct ShaftLightTests {
    static let directions = [SIMD3(0.2, -0.1, 1), SIMD3(1, 0.6, -0.9), SIMD3(-1, 0.5, 0.08)]
    private static let origin = SIMD3(120.0, -80, 45), thickness = 3.0, blur = 0.9
    /// Where the model takes a step to be over, less than this is left of it.
    private static let leftOver = 4e-5

    private static func rod(_ direction: SIMD3<Double>) -> ShaftModel {
        ShaftModel(
            middle: origin + SIMD3(0.3, -0.4, 0.2), direction: direction / direction.length, amplitude: 2000, blurMM: blur,
            sliceThicknessMM: thickness)
    }
    private static func samples(around rod: ShaftModel, count: Int) -> [ShaftFit.Sample] {
        var generator = SeededGenerator(seed: 5)
        func random(_ half: Double) -> Double { .random(in: -half...half, using: &generator) }
        return (0..<count).map { _ in
            let along = random(40), place = rod.middle + along * rod.direction + SIMD3(random(4), random(4), random(4))
            return ShaftFit.Sample(position: place, value: 40 + random(900), background: 40 + random(20), along: along, others: 30)
        }
    }
    private static func shares(_ rod: ShaftModel, _ voxels: ShaftVoxels) -> [Float] {
        var all: [Float] = []
        voxels.forEachChunk { rows in
            all += [Float](unsafeUninitializedCapacity: rows.count) { buffer, initialized in
                ShaftModel.Projection(of: rod).shares(of: rows, around: voxels.origin, to: buffer.baseAddress!)
                initialized = rows.count
            }
        }
        return all
    }
    private static func normalIntegral(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

    /// Two chunks of voxels and the rest of a third.
    @Test(arguments: directions) func manyVoxelsTogetherSeeWhatEachDoes(direction: SIMD3<Double>) {
        let rod = Self.rod(direction), samples = Self.samples(around: rod, count: 2 * ShaftVoxels.chunk + 77)
        let together = Self.shares(rod, ShaftVoxels(samples, around: Self.origin))
        #expect(together.count == samples.count)
        for (sample, share) in zip(samples, together) { #expect(abs(Double(share) - rod.share(at: sample.position)) < Self.leftOver) }
        #expect(together.contains { $0 > 0.5 })
    }

    /// A rod level in a slice: a Gaussian across it, in height the slice's box blurred by the softness of its edges.
    @Test func levelRodFadesAsAnErrorFunction() {
        let rod = Self.rod(SIMD3(1, 0, 0)), samples = Self.samples(around: rod, count: 300)
        for (sample, share) in zip(samples, Self.shares(rod, ShaftVoxels(samples, around: Self.origin))) {
            let away = sample.position - rod.middle, half = Self.thickness / 2
            let height = Self.normalIntegral((half - away.z) / 0.4) - Self.normalIntegral((-half - away.z) / 0.4)
            #expect(abs(Double(share) - exp(-away.y * away.y / (2 * Self.blur * Self.blur)) * height) < Self.leftOver)
        }
    }

    @Test(arguments: directions, [false, true]) func lightOfManyEndsIsThatOfEach(direction: SIMD3<Double>, isLower: Bool) throws {
        let rod = Self.rod(direction), projection = ShaftModel.Projection(of: rod), step = isLower ? -0.25 : 0.25
        for sample in Self.samples(around: rod, count: 200) {
            guard let section = ShaftModel.Section(of: projection, at: sample.position) else { continue }
            let range = section.whereEndsMatter, first = isLower ? range.upperBound : range.lowerBound
            var lights = [Float](repeating: .nan, count: Int((range.upperBound - range.lowerBound) / 0.25))
            lights.withUnsafeMutableBufferPointer { section.shares(endingAt: first, step: step, isLower: isLower, to: $0) }
            for (number, light) in lights.enumerated() {
                let end = first + Double(number) * step
                let share = isLower ? section.share(from: end, to: .infinity) : section.share(from: -.infinity, to: end)
                #expect(abs(Double(light) - share) < Self.leftOver)
            }
        }
    }

    /// Three voxels whose light rises at different ends, summed end by end by hand; ends before the first count as the first.
    @Test func costsOfEndsAreSumsOverVoxels() {
        let ends = 8, rows: [[Float]] = [
            [0, 0, 10, 40, 90, 100, 100, 100], [50, 70, 70, 70, 70, 70, 70, 70], [0, 0, 0, 0, 0, 0, 20, 60],
        ]
        var lights = EndLights(ends: ends, farthestStep: 3, capacity: 3)
        for (row, (from, to)) in zip(rows, [(2, 5), (0, 1), (6, 8)]) {
            row[from..<to].withUnsafeBufferPointer {
                lights.append(EndLights.Row(from: from, before: row[0], after: row[ends - 1]), varying: $0)
            }
        }
        for end in 0..<ends { #expect(lights.lights(ofEnd: end) == rows.map { $0[end] }) }
        let readings = EndLights.Readings(
            values: [60, 20, 5], grounds: [10, -5, 0], brightest: 95, harmless: 30, tolerance: 20, tolerancePerLight: 0.1)
        for steps in [[0], [1], [0, 1, 3]] {
            let costs = lights.costs(of: 1..<7, gain: 0.5, fallingOver: steps, readings)
            for (cost, end) in zip(costs, 1..<7) {
                var expected = 0.0
                for (voxel, row) in rows.enumerated() {
                    let light = steps.reduce(Float(0)) { $0 + row[max(end - $1, 0)] }
                    let predicted = min(readings.grounds[voxel] + 0.5 * light, 95), value = readings.values[voxel]
                    // More than predicted costs what lies above the harmless.
                    let miss = value < predicted ? value - predicted : max(0, value - max(predicted, 30))
                    let share = Double(miss) / (20 + 0.1 * Double(predicted - readings.grounds[voxel])), square = share * share
                    expected += square / (1 + square)
                }
                #expect(abs(cost - expected) < 1e-5)
            }
        }
    }
}
