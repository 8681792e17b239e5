import Foundation
import ImagingCore

/// The grey levels of the unfrozen tissue around each place, and from them how much likelier a voxel is ice than not.
///
/// Around every cell of a coarse grid the levels of what is not ice are collected, near ones counting more; the freezing law turns this
/// histogram into that of the same tissue frozen. A level that only the frozen histogram holds is ice, one that only the unfrozen one
/// holds is not, and where both do (fat that hardly changes, a dark organ beside the ice) nothing is claimed.
struct TissueNeighbourhood {
    private let law: FreezingLaw
    private let geometry: GridGeometry
    private let cells: SIMD3<Int>, voxelsPerCell: SIMD3<Float>
    /// Log-odds per cell and bin.
    private let odds: [Float]

    /// There is no fat within lung: where all around is lung, what was seen of fat lies in the chest wall or the mediastinum, and counts by
    /// so much less.
    private static let fatHU: ClosedRange<Float> = -170 ... -20, fatlessLung: Float = 0.85
    private static let cellMM = 6.0, reachMM = 13.0
    /// The weight of what is believed anywhere, and of the whole region's histogram, against the neighbourhood's.
    private static let anywhereShare: Float = 0.08, regionShare: Float = 0.06

    /// - Parameters:
    ///   - image: levels on the law's scale.
    ///   - unfrozen: 1 where tissue is taken to be unfrozen, 0 where not or not known.
    ///   - lungShare: how far what lies around each voxel is lung alone, 0 … 1; `nil` on MR.
    init(_ image: Volume<Float>, unfrozen: Volume<Float>, lungShare: Volume<Float>?, law: FreezingLaw) {
        (self.law, geometry) = (law, image.geometry)
        let size = image.size, spacing = image.geometry.spacing
        let perCell = pointwiseMax(SIMD3(repeating: 1), (Self.cellMM / spacing).rounded(.toNearestOrAwayFromZero))
        voxelsPerCell = SIMD3<Float>(perCell)
        let step = SIMD3<Int>(perCell)
        let cells = SIMD3((size.i + step.x - 1) / step.x, (size.j + step.y - 1) / step.y, (size.k + step.z - 1) / step.z)
        self.cells = cells
        let count = LevelScale.count, scale = law.scale
        var histograms = [Float](repeating: 0, count: cells.x * cells.y * cells.z * count)
        image.withUnsafeVoxels { image in
            unfrozen.withUnsafeVoxels { unfrozen in
                histograms.withUnsafeMutableBufferPointer { histograms in
                    for k in 0..<size.k {
                        for j in 0..<size.j {
                            let row = size.i &* (j &+ size.j &* k), cellRow = cells.x &* (j / step.y &+ cells.y &* (k / step.z))
                            for cell in 0..<cells.x {
                                let first = (cellRow &+ cell) &* count
                                for at in row &+ cell &* step.x..<row &+ min(size.i, (cell &+ 1) &* step.x) where unfrozen[at] > 0 {
                                    histograms[first &+ scale.bin(of: image[at])] += unfrozen[at]
                                }
                            }
                        }
                    }
                }
            }
        }
        var whole = [Float](repeating: 0, count: count)
        for cell in 0..<histograms.count / count {
            for bin in 0..<count { whole[bin] += histograms[cell &* count &+ bin] }
        }
        let total = max(whole.reduce(0, +), 1)
        let sigma = SIMD3<Float>(Float(Self.reachMM) / (SIMD3<Float>(perCell) * SIMD3<Float>(spacing)))
        histograms = Self.smoothed(histograms, cells: cells, sigma: sigma)
        let lung = (0..<cells.x * cells.y * cells.z).map { cell -> Float in
            guard let lungShare else { return 0 }
            let place = SIMD3(cell % cells.x, cell / cells.x % cells.y, cell / cells.x / cells.y) &* step &+ step / 2
            return lungShare[VoxelIndex(min(size.i - 1, place.x), min(size.j - 1, place.y), min(size.k - 1, place.z))]
        }
        odds = Self.logOdds(histograms, region: whole.map { $0 / total }, lungShare: lung, law: law)
    }

    /// Gaussian smoothing of every bin over the cells.
    private static func smoothed(_ histograms: [Float], cells: SIMD3<Int>, sigma: SIMD3<Float>) -> [Float] {
        let count = LevelScale.count
        var current = histograms
        for (stride, length, sigma) in [(1, cells.x, sigma.x), (cells.x, cells.y, sigma.y), (cells.x * cells.y, cells.z, sigma.z)] {
            let reach = max(1, Int((3 * sigma).rounded(.up)))
            let kernel = (-reach...reach).map { exp(-0.5 * Float($0 * $0) / (sigma * sigma)) }
            var next = [Float](repeating: 0, count: current.count)
            next.withUnsafeMutableBufferPointer { next in
                current.withUnsafeBufferPointer { current in
                    nonisolated(unsafe) let next = next
                    forEachSlab(of: current.count / count, slab: 256) { range in
                        for cell in range {
                            let at = cell / stride % length
                            for shift in max(-reach, -at)...min(reach, length - 1 - at) {
                                let weight = kernel[shift + reach], from = (cell &+ shift &* stride) &* count, to = cell &* count
                                for bin in 0..<count { next[to &+ bin] += weight * current[from &+ bin] }
                            }
                        }
                    }
                }
            }
            current = next
        }
        return current
    }

    private static func logOdds(_ histograms: [Float], region: [Float], lungShare: [Float], law: FreezingLaw) -> [Float] {
        let count = LevelScale.count, isFat = law.scale.centres.map { fatHU.contains($0) }
        let freezing = FreezingMatrix(law)
        var odds = [Float](repeating: 0, count: histograms.count)
        odds.withUnsafeMutableBufferPointer { odds in
            histograms.withUnsafeBufferPointer { histograms in
                nonisolated(unsafe) let odds = odds
                forEachSlab(of: histograms.count / count, slab: 64) { range in
                    var levels = [Float](repeating: 0, count: count), ice = levels, spread = levels, known = levels
                    for cell in range {
                        let start = cell &* count
                        let foreign = 1 - fatlessLung * lungShare[cell]
                        var total: Float = 0
                        for bin in 0..<count {
                            known[bin] = isFat[bin] ? foreign : 1
                            total += histograms[start &+ bin] * known[bin]
                        }
                        let scale = (1 - regionShare) / max(total, 1e-6), has: Float = total > 1 ? 1 : 0
                        for bin in 0..<count {
                            let share = has * scale * histograms[start &+ bin] + (1 - has * (1 - regionShare)) * region[bin]
                            levels[bin] = share * known[bin]
                            spread[bin] = levels[bin] / law.scale.widths[bin]
                        }
                        freezing.apply(to: levels, into: &ice)
                        for bin in 0..<count {
                            // Neighbouring bins blur into one another: tissue varies from place to place.
                            let low = max(0, bin - 1), high = min(count - 1, bin + 1)
                            let here = 0.5 * spread[bin] + 0.25 * spread[low] + 0.25 * spread[high]
                            let unfrozen = (1 - anywhereShare) * here + anywhereShare * (law.unfrozenAnywhere[bin] * known[bin])
                            let iced = (1 - anywhereShare) * ice[bin] + anywhereShare * law.frozenAnywhere[bin]
                            odds[start &+ bin] = log((iced + 1e-7) / (unfrozen + 1e-7))
                        }
                    }
                }
            }
        }
        return odds
    }

    /// The log of how much likelier each voxel is ice than unfrozen tissue, read between the cells. `image` may lie on another grid.
    func logOdds(of image: Volume<Float>) -> Volume<Float> {
        let grid = image.geometry, size = image.size, count = LevelScale.count
        let origin = SIMD3<Float>(geometry.continuousIndex(grid.origin).ijk)
        func step(_ axis: VoxelIndex) -> SIMD3<Float> { SIMD3<Float>(geometry.continuousIndex(grid.point(axis)).ijk) - origin }
        let di = step(VoxelIndex(1, 0, 0)), dj = step(VoxelIndex(0, 1, 0)), dk = step(VoxelIndex(0, 0, 1))
        let last = SIMD3<Float>(cells) - 1, cells = cells, perCell = voxelsPerCell, scale = law.scale
        return image.withUnsafeVoxels { image in
            odds.withUnsafeBufferPointer { odds in
                Volume<Float>(geometry: grid) { target in
                    forEachSlab(of: size.k, slab: 1) { range in
                        for k in range {
                            for j in 0..<size.j {
                                let row = size.i &* (j &+ size.j &* k)
                                for i in 0..<size.i {
                                    let voxel = origin + Float(i) * di + Float(j) * dj + Float(k) * dk
                                    let place = pointwiseMax(pointwiseMin((voxel + 0.5) / perCell - 0.5, last), .zero)
                                    let low = SIMD3(Int32(place.x), Int32(place.y), Int32(place.z)), f = place - SIMD3<Float>(low)
                                    let bin = scale.bin(of: image[row &+ i])
                                    let x = Int(low.x), y = Int(low.y), z = Int(low.z)
                                    let dx = f.x > 0 ? 1 : 0, dy = f.y > 0 ? cells.x : 0, dz = f.z > 0 ? cells.x &* cells.y : 0
                                    let base = x &+ cells.x &* (y &+ cells.y &* z)
                                    @inline(__always) func at(_ cell: Int) -> Float { odds[cell &* count &+ bin] }
                                    @inline(__always) func line(_ cell: Int) -> Float { at(cell) + f.x * (at(cell &+ dx) - at(cell)) }
                                    @inline(__always) func plane(_ cell: Int) -> Float {
                                        line(cell) + f.y * (line(cell &+ dy) - line(cell))
                                    }
                                    target[row &+ i] = plane(base) + f.z * (plane(base &+ dz) - plane(base))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
