import Foundation
import ImagingCore

/// Values given at directions from a point, read at any direction.
struct DirectionField {
    private static let rows = 90, columns = 180
    private let table: [Float]

    /// - Parameter directions: unit vectors about evenly spread, some hundreds.
    init(_ values: [Double], at directions: [SIMD3<Double>]) {
        // As many neighbours as a ray has take part.
        let sharpness = Double(directions.count) / 2.5, lowest = 1 - 5 / sharpness
        table = mapSlabs(of: Self.rows, slab: 1) { range in
            let z = 2 * (Double(range.lowerBound) + 0.5) / Double(Self.rows) - 1, s = (1 - z * z).squareRoot()
            return (0..<Self.columns).map { column in
                let azimuth = 2 * Double.pi * ((Double(column) + 0.5) / Double(Self.columns)) - .pi
                let u = SIMD3(s * cos(azimuth), s * sin(azimuth), z)
                var sum = 0.0, weight = 0.0
                for (n, direction) in directions.enumerated() {
                    let product = (u * direction).sum()
                    guard product > lowest else { continue }
                    let w = exp(sharpness * (product - 1))
                    sum += w * values[n]
                    weight += w
                }
                return Float(sum / max(weight, 1e-12))
            }
        }.flatMap { $0 }
    }

    @inline(__always)
    func callAsFunction(_ u: SIMD3<Float>) -> Float {
        let row = max(0, min(Self.rows - 1, Int((u.z + 1) * 0.5 * Float(Self.rows))))
        let turn = (atan2(u.y, u.x) + .pi) / (2 * .pi)
        return table[row * Self.columns + max(0, min(Self.columns - 1, Int(turn * Float(Self.columns))))]
    }

    /// At each voxel the value of its direction from `centre`, and its distance from there in millimetres, made into one.
    func map(_ grid: GridGeometry, centre: SIMD3<Double>, _ make: (_ value: Float, _ distance: Float) -> Float) -> Volume<Float> {
        let size = grid.size, origin = SIMD3<Float>(grid.origin.lps - centre)
        func step(_ axis: VoxelIndex) -> SIMD3<Float> { SIMD3<Float>(grid.point(axis).lps - grid.origin.lps) }
        let di = step(VoxelIndex(1, 0, 0)), dj = step(VoxelIndex(0, 1, 0)), dk = step(VoxelIndex(0, 0, 1))
        return Volume<Float>(geometry: grid) { target in
            for k in 0..<size.k {
                for j in 0..<size.j {
                    let row = size.i &* (j &+ size.j &* k), start = origin + Float(j) * dj + Float(k) * dk
                    for i in 0..<size.i {
                        let away = start + Float(i) * di, distance = max((away * away).sum().squareRoot(), 1e-3)
                        target[row &+ i] = make(self(away / distance), distance)
                    }
                }
            }
        }
    }
}
