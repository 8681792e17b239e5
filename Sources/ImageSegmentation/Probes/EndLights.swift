/// The light that falls on each voxel from rods that differ in where they end.
struct EndLights {
    /// One voxel's light, which is the same for all ends before some and for all from some on.
    struct Row {
        /// The first end whose light is not `before`.
        var from: Int
        var before, after: Float
    }

    let ends: Int
    /// Lights are repeated this often to both sides, for ends that lie so many before others.
    private let farthestStep: Int
    private var rows: [Row] = []
    /// By voxel, then by end, where that changes it.
    private var lights: [Float] = []
    /// Where a voxel's lights begin, and where the last one's end.
    private var starts: [Int] = [0]

    init(ends: Int, farthestStep: Int, capacity: Int) {
        (self.ends, self.farthestStep) = (ends, farthestStep)
        rows.reserveCapacity(capacity)
        starts.reserveCapacity(capacity + 1)
        lights.reserveCapacity(capacity * (2 * farthestStep + ends / 3))
    }

    /// Adds a voxel.
    ///
    /// - Parameter varying: the lights of the ends from `row.from` on, up to those of `row.after`.
    mutating func append(_ row: Row, varying: UnsafeBufferPointer<Float>) {
        var row = row
        if row.from == 0 { row.before = varying.first ?? row.after }
        rows.append(row)
        lights.append(contentsOf: repeatElement(row.before, count: farthestStep))
        lights.append(contentsOf: varying)
        lights.append(contentsOf: repeatElement(row.after, count: farthestStep))
        starts.append(lights.count)
    }

    func lights(ofEnd end: Int) -> [Float] {
        rows.indices.map { voxel in
            let row = rows[voxel], count = starts[voxel + 1] - starts[voxel] - 2 * farthestStep
            return end < row.from ? row.before : end < row.from + count ? lights[starts[voxel] + farthestStep + end - row.from] : row.after
        }
    }

    /// What each voxel reads, and what it reads without the rod.
    struct Readings {
        var values, grounds: [Float]
        /// By what each voxel's light is multiplied, if not by one.
        var gains: [Float]?
        /// No voxel is predicted to read more.
        var brightest: Float
        /// What reads no more than this, and more than predicted, costs nothing.
        var harmless = -Float.infinity
        /// The difference that counts half where no light is predicted, and by how much of the light it grows.
        var tolerance: Float, tolerancePerLight: Float = 0

        @inline(__always)
        func cost(_ value: Float, _ ground: Float, _ light: Float) -> Float {
            let predicted = min(ground + light, brightest), under = value - predicted, over = max(value - max(predicted, harmless), 0)
            let tolerance = tolerance + tolerancePerLight * max(predicted - ground, 0), difference = under < 0 ? under : over
            let square = difference * difference
            return square / (tolerance * tolerance + square)
        }
    }

    /// For each of some ends the sum over the voxels of what its light there costs: the square of the difference, less and less of what
    /// is far off.
    ///
    /// - Parameters:
    ///   - gain: by what all light is multiplied.
    ///   - steps: the light is summed over the ends that lie so many before, ascending.
    func costs(of range: Range<Int>, gain: Float = 1, fallingOver steps: [Int] = [0], _ readings: Readings) -> [Double] {
        let count = range.count, all = Float(steps.count)
        // By how much what does not vary costs more from an end on than before it.
        var rises = [Double](repeating: 0, count: count + 1), sums = [Float](repeating: 0, count: count)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
            let light = buffer.baseAddress!
            lights.withUnsafeBufferPointer { lights in
                sums.withUnsafeMutableBufferPointer { sums in
                    for voxel in rows.indices {
                        let row = rows[voxel], value = readings.values[voxel], ground = readings.grounds[voxel]
                        let gain = gain * (readings.gains?[voxel] ?? 1)
                        let to = row.from + starts[voxel + 1] - starts[voxel] - 2 * farthestStep
                        let first = min(max(row.from + steps.first! - range.lowerBound, 0), count)
                        let last = min(max(to + steps.last! - range.lowerBound, first), count)
                        if first > 0 {
                            let cost = Double(readings.cost(value, ground, gain * all * row.before))
                            rises[0] += cost
                            rises[first] -= cost
                        }
                        if last < count { rises[last] += Double(readings.cost(value, ground, gain * all * row.after)) }
                        guard first < last else { continue }
                        // The light of end n lies at `own[n]`.
                        let own = lights.baseAddress! + (starts[voxel] + farthestStep - row.from + range.lowerBound + first)
                        let varying = last - first, sum = sums.baseAddress! + first
                        light.update(from: own - steps[0], count: varying)
                        for step in steps.dropFirst() {
                            let before = own - step
                            for index in 0..<varying { light[index] += before[index] }
                        }
                        for index in 0..<varying { sum[index] += readings.cost(value, ground, gain * light[index]) }
                    }
                }
            }
        }
        var constant = 0.0
        return sums.indices.map { index in
            constant += rises[index]
            return constant + Double(sums[index])
        }
    }
}
