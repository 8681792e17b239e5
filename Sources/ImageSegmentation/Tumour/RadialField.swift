import Foundation
import ImagingCore

/// A radius for every direction, interpolated between those of a sphere's directions.
struct RadialField {
    private let table: [Float]
    private static let side = 40

    /// The Gaussian that joins directions, as a share of their spacing.
    private static let joiningShare: Float = 0.55

    /// What the field reads at the directions themselves.
    static func joined(_ radii: [Float], on sphere: SphereDirections) -> [Float] {
        let beside = exp(-0.5 / (joiningShare * joiningShare))
        return radii.indices.map { n in
            let around = sphere.neighbourStarts[n]..<sphere.neighbourStarts[n + 1]
            return (radii[n] + beside * around.reduce(0) { $0 + radii[sphere.neighbours[$1]] }) / (1 + beside * Float(around.count))
        }
    }

    init(sphere: SphereDirections, radii: [Float]) {
        let side = Self.side, width = Self.joiningShare * sphere.spacing, limit = cos(min(3.2 * width, 1.2))
        table = [Float](unsafeUninitializedCapacity: 6 * side * side) { target, initialized in
            let first = target.baseAddress!
            forEachSlab(of: 6 * side, slab: 4) { range in
                for row in range {
                    for column in 0..<side {
                        let d = Self.direction(
                            face: row / side, Float(row % side) / Float(side - 1) * 2 - 1, Float(column) / Float(side - 1) * 2 - 1)
                        var sum: Float = 0, weights: Float = 0
                        for n in 0..<sphere.count {
                            let cosine = (sphere.directions[n] * d).sum()
                            guard cosine > limit else { continue }
                            let weight = exp((cosine - 1) / (width * width))
                            sum += weight * radii[n]
                            weights += weight
                        }
                        (first + row * side + column).initialize(to: sum / weights)
                    }
                }
            }
            initialized = 6 * side * side
        }
    }

    /// A direction from a position on a face of the cube around the sphere.
    private static func direction(face: Int, _ u: Float, _ v: Float) -> SIMD3<Float> {
        let sign: Float = face % 2 == 0 ? 1 : -1
        let d: SIMD3<Float> = switch face / 2 {
        case 0: SIMD3(sign, u, v)
        case 1: SIMD3(u, sign, v)
        default: SIMD3(u, v, sign)
        }
        return d / (d * d).sum().squareRoot()
    }

    /// - Parameter direction: of any length but zero.
    @inline(__always)
    func radius(_ direction: SIMD3<Float>) -> Float {
        let size = SIMD3(abs(direction.x), abs(direction.y), abs(direction.z))
        var face: Int, u: Float, v: Float
        if size.x >= size.y, size.x >= size.z {
            (face, u, v) = (direction.x < 0 ? 1 : 0, direction.y / size.x, direction.z / size.x)
        } else if size.y >= size.z {
            (face, u, v) = (direction.y < 0 ? 3 : 2, direction.x / size.y, direction.z / size.y)
        } else {
            (face, u, v) = (direction.z < 0 ? 5 : 4, direction.x / size.z, direction.y / size.z)
        }
        let side = Self.side
        let a = (u + 1) / 2 * Float(side - 1), b = (v + 1) / 2 * Float(side - 1)
        let i = max(0, min(Int(a), side - 2)), j = max(0, min(Int(b), side - 2))
        let x = a - Float(i), y = b - Float(j)
        let at = (face &* side &+ i) &* side &+ j
        let low = table[at] + y * (table[at &+ 1] - table[at])
        let high = table[at &+ side] + y * (table[at &+ side &+ 1] - table[at &+ side])
        return low + x * (high - low)
    }

    /// Radius minus distance from the centre, at every voxel of a grid: positive inside.
    func levels(on grid: GridGeometry, center: PatientPoint) -> Volume<Float> {
        let axes = [grid.axes.i, grid.axes.j, grid.axes.k].map { SIMD3<Float>($0.lps) }
        let h = SIMD3<Float>(grid.spacing), start = SIMD3<Float>((grid.origin - center).lps)
        let size = grid.size
        return Volume<Float>(geometry: grid) { target in
            forEachSlab(of: size.k, slab: 1) { range in
                for k in range {
                    for j in 0..<size.j {
                        let row = size.i &* (j &+ size.j &* k)
                        let rowStart = start + Float(j) * h.y * axes[1] + Float(k) * h.z * axes[2]
                        for i in 0..<size.i {
                            let place = rowStart + Float(i) * h.x * axes[0]
                            let length = (place * place).sum().squareRoot()
                            target[row &+ i] = length < 1e-4 ? radius(SIMD3(1, 0, 0)) : radius(place) - length
                        }
                    }
                }
            }
        }
    }
}
