import ImagingCore

/// What a binary mask says about the surface that it was sampled from: between two neighbouring voxel centres of which one
/// is inside and the other outside the surface passes, and every place between them is as likely as any other.
///
/// So the signed distance half way between them is nought, with a standard error of 1/√12 of their distance across the surface.
/// Where the surface runs nearly along the slices a whole patch of neighbours is passed at the same height:
/// they count as one.
struct EdgeCrossings {
    /// Crossings as seen by a grid: the value half way between two centres, from the grid's voxels around it.
    struct Rows {
        /// Where the voxels of each crossing start in `voxels` and `shares`; one more entry at the end.
        var starts: [Int32] = [0]
        var voxels: [Int32] = []
        var shares: [Float] = []
        /// One over the variance of the signed distance there, per square millimetre.
        var weights: [Float] = []
    }

    /// Millimetres: what the grid itself leaves open.
    private static let gridErrorMM = 0.05
    /// The least slope, and so the longest patch, that is told from none.
    private static let leastSlopeMM = 1e-3
    /// Voxels along an axis that count as one, at most: a face that lies along the grid must stay where its voxels are.
    private static let largestPatch = 5.0

    /// Half way between each pair of centres across the surface, in voxels of the window's grid, and the axis from one to the other.
    private var middles: [(index: SIMD3<Float>, axis: Int)] = []

    init(of mask: Mask, _ window: ReconstructionWindow) {
        let size = window.grid.size, parts = window.divisions, low = window.low
        let half = SIMD3<Float>(parts) / 2
        let counts = SIMD3((size.i - 1) / parts.x + 1, (size.j - 1) / parts.y + 1, (size.k - 1) / parts.z + 1)
        mask.withUnsafeVoxels { source in
            func isInside(_ i: Int, _ j: Int, _ k: Int) -> Bool {
                let voxel = VoxelIndex(low.i + i, low.j + j, low.k + k)
                return mask.size.contains(voxel) && source[mask.size.offset(voxel)] != 0
            }
            for k in 0..<counts.z {
                for j in 0..<counts.y {
                    for i in 0..<counts.x {
                        let here = isInside(i, j, k), place = SIMD3<Float>(SIMD3(i, j, k) &* parts)
                        if i + 1 < counts.x, isInside(i + 1, j, k) != here { middles.append((place + SIMD3(half.x, 0, 0), 0)) }
                        if j + 1 < counts.y, isInside(i, j + 1, k) != here { middles.append((place + SIMD3(0, half.y, 0), 1)) }
                        if k + 1 < counts.z, isInside(i, j, k + 1) != here { middles.append((place + SIMD3(0, 0, half.z), 2)) }
                    }
                }
            }
        }
    }

    /// The crossings between free voxels of `field`'s grid, weighted by the slopes of `field`, a signed distance.
    ///
    /// - Parameters:
    ///   - step: the voxels of the window's grid in one of `field`'s.
    ///   - spacingMM: between the mask's voxel centres.
    func seen(by field: Volume<Float>, step: Int, spacingMM: SIMD3<Double>, free: Volume<UInt8>) -> Rows {
        let size = field.size, counts = SIMD3(size.i, size.j, size.k), strides = SIMD3(1, size.i, size.i * size.j)
        var rows = Rows()
        field.withUnsafeVoxels { values in
            free.withUnsafeVoxels { free in
                for middle in middles {
                    let index = middle.index / Float(step), floor = index.rounded(.down), share = index - floor, low = SIMD3<Int>(floor)
                    let first = rows.voxels.count
                    var isFree = true
                    for corner in 0..<8 where isFree {
                        let step = SIMD3(corner & 1, corner >> 1 & 1, corner >> 2), place = low &+ step
                        var part: Float = 1
                        for axis in 0..<3 { part *= step[axis] == 1 ? share[axis] : 1 - share[axis] }
                        guard part > 0 else { continue }
                        let offset = (place &* strides).wrappedSum()
                        isFree = all(place .< counts) && free[offset] != 0
                        rows.voxels.append(Int32(offset))
                        rows.shares.append(part)
                    }
                    guard isFree else {
                        rows.voxels.removeSubrange(first...)
                        rows.shares.removeSubrange(first...)
                        continue
                    }
                    rows.starts.append(Int32(rows.voxels.count))
                    rows.weights.append(weight(along: middle.axis, normal: direction(of: values, at: low, field.geometry), spacingMM))
                }
            }
        }
        return rows
    }

    private func weight(along axis: Int, normal: SIMD3<Double>, _ spacingMM: SIMD3<Double>) -> Float {
        // How far the surface rises across one voxel along each axis.
        let rise = SIMD3(abs(normal.x), abs(normal.y), abs(normal.z)) * spacingMM
        var patch = 1.0
        for other in 0..<3 where other != axis { patch *= min(Self.largestPatch, max(1, rise[axis] / max(rise[other], Self.leastSlopeMM))) }
        let variance = rise[axis] * rise[axis] / 12 + Self.gridErrorMM * Self.gridErrorMM
        return Float(1 / (variance * patch))
    }

    /// The surface's normal at a voxel; a rough one at the grid's edge.
    private func direction(of values: UnsafeBufferPointer<Float>, at place: SIMD3<Int>, _ grid: GridGeometry) -> SIMD3<Double> {
        let counts = SIMD3(grid.size.i, grid.size.j, grid.size.k), strides = SIMD3(1, grid.size.i, grid.size.i * grid.size.j)
        let offset = (place &* strides).wrappedSum()
        var slope = SIMD3<Double>.zero
        for axis in 0..<3 {
            let before = place[axis] > 0 ? 1 : 0, after = place[axis] < counts[axis] - 1 ? 1 : 0
            guard before + after > 0 else { continue }
            slope[axis] = Double(values[offset + after * strides[axis]] - values[offset - before * strides[axis]])
                / (Double(before + after) * grid.spacing[axis])
        }
        let length = (slope * slope).sum().squareRoot()
        return length > 0 ? slope / length : slope
    }
}
