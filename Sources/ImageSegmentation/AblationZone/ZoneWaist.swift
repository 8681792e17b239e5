import ImageFilters
import ImagingCore

/// Where a region narrows between the body that holds its seeds and another one: a gallbladder or a loop of bowel that lies against an
/// ablation zone, or another ball of the zone's own.
struct ZoneWaist {
    /// The part of the region behind the waist.
    let part: Mask
    /// The depth of the waist's middle as a share of that of the shallower body's.
    let share: Double
    /// The root mean square distance in millimetres between the surfaces of the region with and without the part.
    let distanceMM: Double

    /// Shallower hollows of a surface make no two bodies.
    private static let leastProminenceMM: Float = 0.75
    private static let stepMM: Float = 0.5
    /// Of isotropic voxels: slices may be too thick to see a waist between two of them.
    private static let voxelMM = 1.6
    /// A smaller share of a region is a bump.
    private static let leastPartShare = 0.03

    /// The narrowest waist between the seeds' body and any other; `nil` where there is none.
    init?(_ region: Mask, seeds: [PatientPoint]) {
        guard let grid = Self.grid(around: region) else { return nil }
        let depth = Volume<Float>.levels(of: region).read(on: grid, outside: -0.5).signedDistanceToZero()
        let start = depth.summit(from: seeds.map { grid.continuousIndex($0).nearest })
        var best: (share: Float, mine: Mask, other: Mask)?
        for waist in stride(from: 2 * Self.stepMM, to: depth[start] - Self.leastProminenceMM, by: Self.stepMM) {
            let core = Mask(depth) { $0 > waist }, mine = core.joined(to: [start])
            for other in core.subtracting(mine).pieces() {
                guard let peak = depth.values(in: other).max(), peak > waist + Self.leastProminenceMM else { continue }
                let share = waist / min(peak, depth[start])
                if share < best?.share ?? 1 { best = (share, mine, other) }
            }
        }
        guard let best else { return nil }
        let nearer = best.mine.distanceToInside().combined(with: best.other.distanceToInside()) { $0 - $1 }
        part = Mask(nearer.interpolated(onto: region.geometry)) { $0 > 0 }.intersection(region)
        guard Double(part.count) > Self.leastPartShare * Double(region.count), part.count < region.count else { return nil }
        share = Double(best.share)
        let whole = Mask(depth) { $0 >= 0 }
        distanceMM = Self.distanceMM(between: depth, and: whole.subtracting(Mask(nearer) { $0 > 0 }))
    }

    /// Isotropic voxels around a region, with a border of two.
    private static func grid(around region: Mask) -> GridGeometry? {
        guard let box = region.boundingBox else { return nil }
        let geometry = region.geometry
        let low = SIMD3(Double(box.i.lowerBound), Double(box.j.lowerBound), Double(box.k.lowerBound)) - 1
        let high = SIMD3(Double(box.i.upperBound), Double(box.j.upperBound), Double(box.k.upperBound))
        let count = ((high - low) * geometry.spacing / voxelMM).rounded(.up) + 3
        let origin = geometry.point(ContinuousIndex(low - voxelMM / geometry.spacing))
        return try? GridGeometry(
            size: GridSize(Int(count.x), Int(count.y), Int(count.z)), spacing: SIMD3(repeating: voxelMM), origin: origin,
            axes: geometry.axes, frameOfReferenceUID: geometry.frameOfReferenceUID)
    }

    private static func distanceMM(between whole: Volume<Float>, and rest: Mask) -> Double {
        let reach = Float(0.5 * voxelMM), edge = rest.signedDistance()
        /// Where both run together they differ by no more than their voxels.
        func meanSquare(_ values: [Float]) -> Double {
            values.reduce(0) { abs($1) > 2 * reach ? $0 + Double($1) * Double($1) : $0 } / Double(max(values.count, 1))
        }
        let outer = edge.values(in: Mask(whole) { abs($0) < reach }), inner = whole.values(in: Mask(edge) { abs($0) < reach })
        return ((meanSquare(outer) + meanSquare(inner)) / 2).squareRoot()
    }
}

extension Volume<Float> {
    /// The highest voxel that a climb from the highest of some voxels reaches, in steps of up to two voxels.
    func summit(from starts: [VoxelIndex]) -> VoxelIndex {
        let near = -2...2
        func inside(_ v: VoxelIndex) -> VoxelIndex {
            func within(_ n: Int, _ count: Int) -> Int { Swift.min(Swift.max(n, 0), count - 1) }
            return VoxelIndex(within(v.i, size.i), within(v.j, size.j), within(v.k, size.k))
        }
        var here = starts.map(inside).max { self[$0] < self[$1] } ?? VoxelIndex(0, 0, 0)
        while true {
            var next = here
            for k in near { for j in near { for i in near {
                let v = inside(VoxelIndex(here.i + i, here.j + j, here.k + k))
                if self[v] > self[next] { next = v }
            } } }
            if next == here { return here }
            here = next
        }
    }
}

extension Mask {
    /// The longest extent in millimetres along any of many directions, from voxel centre to voxel centre; 0 where it is empty.
    var longestMM: Double {
        guard let box = boundingBox else { return 0 }
        let spacing = geometry.spacing, directions = SphereDirections.coarse.directions.filter { $0.x >= 0 }
        // Of each row only the ends can lie farthest.
        var ends: [SIMD3<Float>] = []
        withUnsafeVoxels { voxels in
            for k in box.k { for j in box.j {
                let row = size.offset(VoxelIndex(0, j, k))
                guard let low = box.i.first(where: { voxels[row + $0] != 0 }), let high = box.i.last(where: { voxels[row + $0] != 0 })
                else { continue }
                for i in [low, high] { ends.append(SIMD3<Float>(SIMD3(Double(i), Double(j), Double(k)) * spacing)) }
            } }
        }
        let extents = directions.map { way in
            var low = Float.infinity, high = -Float.infinity
            for end in ends {
                let place = (end * way).sum()
                low = Swift.min(low, place)
                high = Swift.max(high, place)
            }
            return high - low
        }
        return Double(extents.max() ?? 0)
    }
}
