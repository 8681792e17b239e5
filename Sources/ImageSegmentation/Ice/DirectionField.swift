import Foundation
import ImagingCore

/// Values given at directions from a point, read at any direction.
struct DirectionField {
    private static let rows = 90, columns = 180
    /// Row by row, for each direction all values in turn.
    private let table: [Float]
    private let count: Int

    /// - Parameters:
    ///   - values: one or more lists of values, the first of which is a radius.
    ///   - directions: unit vectors about evenly spread, some hundreds.
    init(_ values: [[Double]], at directions: [SIMD3<Double>]) {
        // As many neighbours as a ray has take part.
        let sharpness = Double(directions.count) / 2.5, lowest = 1 - 5 / sharpness, count = values.count
        self.count = count
        table = mapSlabs(of: Self.rows, slab: 1) { range in
            let z = 2 * (Double(range.lowerBound) + 0.5) / Double(Self.rows) - 1, s = (1 - z * z).squareRoot()
            var row = [Float](repeating: 0, count: Self.columns * count), sums = [Double](repeating: 0, count: count)
            // Directions at other heights are farther away than the lowest product allows.
            let farthest = (2 * (1 - lowest)).squareRoot()
            let near = directions.indices.filter { abs(directions[$0].z - z) < farthest }
            for column in 0..<Self.columns {
                let azimuth = 2 * Double.pi * ((Double(column) + 0.5) / Double(Self.columns)) - .pi
                let u = SIMD3(s * cos(azimuth), s * sin(azimuth), z)
                var weight = 0.0
                for index in sums.indices { sums[index] = 0 }
                for n in near {
                    let product = (u * directions[n]).sum()
                    guard product > lowest else { continue }
                    let w = exp(sharpness * (product - 1))
                    for index in sums.indices { sums[index] += w * values[index][n] }
                    weight += w
                }
                for index in sums.indices { row[column * count + index] = Float(sums[index] / max(weight, 1e-12)) }
            }
            return row
        }.flatMap { $0 }
    }

    /// At each voxel, how far inside the radius in its direction from `centre` it lies in millimetres, and the further values there.
    func map(_ grid: GridGeometry, centre: SIMD3<Double>) -> [Volume<Float>] {
        let cells = perVoxel(grid, centre) { away, distance -> Int32 in
            let row = max(0, min(Self.rows - 1, Int((away.z / distance + 1) * 0.5 * Float(Self.rows))))
            let turn = Int((atan2(away.y, away.x) + .pi) / (2 * .pi) * Float(Self.columns))
            return Int32((row &* Self.columns &+ max(0, min(Self.columns - 1, turn))) &* count)
        }
        let distances = perVoxel(grid, centre) { _, distance in distance }
        return table.withUnsafeBufferPointer { table in
            let fields = (0..<count).map { index in cells.mapped { (cell: Int32) -> Float in table[Int(cell) &+ index] } }
            return [fields[0].combined(with: distances) { $0 - $1 }] + fields.dropFirst()
        }
    }

    @inline(__always)
    private func perVoxel<V>(
        _ grid: GridGeometry, _ centre: SIMD3<Double>, _ make: (_ away: SIMD3<Float>, _ distance: Float) -> V
    ) -> Volume<V> {
        let size = grid.size, origin = SIMD3<Float>(grid.origin.lps - centre)
        func step(_ axis: VoxelIndex) -> SIMD3<Float> { SIMD3<Float>(grid.point(axis).lps - grid.origin.lps) }
        let di = step(VoxelIndex(1, 0, 0)), dj = step(VoxelIndex(0, 1, 0)), dk = step(VoxelIndex(0, 0, 1))
        return Volume<V>(geometry: grid) { target in
            forEachSlab(of: size.k, slab: 1) { range in
                for k in range {
                    for j in 0..<size.j {
                        let row = size.i &* (j &+ size.j &* k), start = origin + Float(j) * dj + Float(k) * dk
                        for i in 0..<size.i {
                            let away = start + Float(i) * di
                            target[row &+ i] = make(away, max((away * away).sum().squareRoot(), 1e-3))
                        }
                    }
                }
            }
        }
    }
}
