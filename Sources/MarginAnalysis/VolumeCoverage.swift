import ImageFilters
import ImagingCore

/// How much of a tumour, and of the shells around it, lies in a zone; by sub-voxel volume fractions.
struct VolumeCoverage {
    /// Cubic millimetres.
    var tumour = 0.0, tumourInZone = 0.0
    /// For shells of 1, 2 … mm.
    var shells: [(volume: Double, inZone: Double)]

    /// Integrates over cubes in which each surface is taken for a plane.
    ///
    /// Where two planes cross one cube, the overlap is exact for parallel and for perpendicular planes, and linear in the
    /// cosine of their angle in between.
    ///
    /// - Parameter zone: the zone's level set on the grid of the tumour's distance.
    init(of tumour: TumourGeometry, in zone: Volume<Float>) {
        let distance = tumour.distance
        let grid = distance.geometry, size = grid.size
        let shellCount = Int(TumourGeometry.largestShellMM)
        let step = Float(grid.spacing.x)
        let strides = (1, size.i, size.i * size.j)
        let partial = distance.field.withUnsafeVoxels { depth in
            zone.withUnsafeVoxels { zone in
                mapSlabs(of: size.k, slab: 2) { slices -> VolumeCoverage in
                    var sums = VolumeCoverage(shellCount: shellCount)
                    for k in slices where k > 0 && k < size.k - 1 {
                        for j in 1..<size.j - 1 {
                            for i in 1..<size.i - 1 {
                                let offset = size.offset(VoxelIndex(i, j, k))
                                sums.add(cell: offset, depth.baseAddress!, zone.baseAddress!, strides, step)
                            }
                        }
                    }
                    return sums
                }
            }
        }
        self.init(shellCount: shellCount)
        for part in partial { add(part, scaledBy: grid.voxelVolume) }
    }

    /// The share of the tumour that lies in the zone when the zone's surface is moved outwards by `shiftMM`, in 0 … 1.
    static func tumourShare(of tumour: TumourGeometry, in zone: Volume<Float>, shiftMM: Double) -> Double {
        let grid = tumour.distance.geometry, size = grid.size
        let step = Float(grid.spacing.x), shift = Float(shiftMM)
        let strides = (1, size.i, size.i * size.j)
        let partial = tumour.distance.field.withUnsafeVoxels { depth in
            zone.withUnsafeVoxels { zone in
                mapSlabs(of: size.k, slab: 2) { slices -> SIMD2<Double> in
                    var sums = SIMD2<Double>()
                    for k in slices where k > 0 && k < size.k - 1 {
                        for j in 1..<size.j - 1 {
                            for i in 1..<size.i - 1 {
                                let offset = size.offset(VoxelIndex(i, j, k))
                                guard depth[offset] > -step else { continue }
                                let tumourNormal = CellGradient(depth.baseAddress!, offset, strides, step)
                                let zoneNormal = CellGradient(zone.baseAddress!, offset, strides, step)
                                let core = tumourNormal.fraction(depth[offset], step)
                                let inZone = zoneNormal.fraction(zone[offset] + shift, step)
                                sums += SIMD2(Double(core), Double(overlap(core, inZone, tumourNormal.cosine(to: zoneNormal))))
                            }
                        }
                    }
                    return sums
                }
            }
        }
        let sums = partial.reduce(SIMD2<Double>(), +)
        return sums.x > 0 ? min(1, max(0, sums.y / sums.x)) : 0
    }

    private init(shellCount: Int) { shells = Array(repeating: (0, 0), count: shellCount) }

    private mutating func add(_ part: VolumeCoverage, scaledBy cell: Double) {
        tumour += cell * part.tumour
        tumourInZone += cell * part.tumourInZone
        for index in shells.indices {
            shells[index].volume += cell * part.shells[index].volume
            shells[index].inZone += cell * part.shells[index].inZone
        }
    }

    private mutating func add(
        cell offset: Int, _ depth: UnsafePointer<Float>, _ zone: UnsafePointer<Float>, _ strides: (Int, Int, Int), _ step: Float
    ) {
        let inside = depth[offset]
        guard inside > -Float(shells.count) - step else { return }
        let tumourNormal = CellGradient(depth, offset, strides, step)
        let zoneNormal = CellGradient(zone, offset, strides, step)
        let inZone = zoneNormal.fraction(zone[offset], step)
        let cosine = tumourNormal.cosine(to: zoneNormal)
        let core = tumourNormal.fraction(inside, step)
        let coreInZone = Self.overlap(core, inZone, cosine)
        tumour += Double(core)
        tumourInZone += Double(coreInZone)
        guard core < 1 else { return }
        for index in shells.indices {
            let reached = tumourNormal.fraction(inside + Float(index + 1), step)
            guard reached > 0 else { continue }
            shells[index].volume += Double(reached - core)
            shells[index].inZone += Double(Self.overlap(reached, inZone, cosine) - coreInZone)
        }
    }

    /// The part of a cell in both of two half-spaces that fill the shares `a` and `b` of it.
    @inline(__always) private static func overlap(_ a: Float, _ b: Float, _ cosine: Float) -> Float {
        let product = a * b
        return cosine >= 0
            ? product + cosine * (min(a, b) - product)
            : product - cosine * (max(0, a + b - 1) - product)
    }
}

/// The gradient of a signed distance at a cell, per millimetre.
private struct CellGradient {
    let x, y, z, length: Float

    @inline(__always) init(_ field: UnsafePointer<Float>, _ offset: Int, _ strides: (Int, Int, Int), _ step: Float) {
        @inline(__always) func slope(_ stride: Int) -> Float {
            let difference = (field[offset &+ stride] - field[offset &- stride]) / (2 * step)
            return difference.isFinite ? difference : 0
        }
        (x, y, z) = (slope(strides.0), slope(strides.1), slope(strides.2))
        length = (x * x + y * y + z * z).squareRoot()
    }

    @inline(__always) func cosine(to other: CellGradient) -> Float {
        let product = length * other.length
        return product > 1e-6 ? (x * other.x + y * other.y + z * other.z) / product : 0
    }

    /// The share of a cube of edge `step` on the positive side of a plane at signed distance `value` from its centre.
    ///
    /// The ramp is as wide as the cube seen along the normal has to be for the right variance: between `step` along an
    /// axis and about 1.4 `step` along a diagonal.
    @inline(__always) func fraction(_ value: Float, _ step: Float) -> Float {
        let scale = length > 0.2 ? max(abs(x), abs(y), abs(z)) / length : 1
        let width = step * (1 + 0.45 * (1 - scale))
        return min(1, max(0, 0.5 + value / width))
    }
}
