import ImagingCore

/// Which voxels count as neighbours: across faces; across faces and edges; across faces, edges and corners.
public enum Connectivity: Int, Sendable, CaseIterable {
    case six = 6
    case eighteen = 18
    case twentySix = 26
}

/// The connected parts of a mask.
public struct ComponentLabels: Sendable {
    public struct Component: Sendable {
        public let label: Int32
        public let voxelCount: Int
        public let boundingBox: (i: Range<Int>, j: Range<Int>, k: Range<Int>)
    }

    /// 0 outside the mask, the component's label inside.
    public let labels: Volume<Int32>
    /// In the order of labels: 1, 2, … as their first voxels come in storage.
    public let components: [Component]

    /// The largest component, of equals the first; `nil` when the mask was empty.
    public var largest: Component? { components.largest }

    /// The mask of one component.
    public func mask(of component: Component) -> Mask {
        let label = component.label
        return Mask(labels) { $0 == label }
    }
}

extension [ComponentLabels.Component] {
    var largest: Element? { self.max { ($0.voxelCount, -$0.label) < ($1.voxelCount, -$1.label) } }
}

extension Mask {
    /// Labels each connected part. Complexity: O(rows + runs); labels do not depend on the number of threads.
    public func connectedComponents(_ connectivity: Connectivity = .twentySix) -> ComponentLabels {
        let parts = ConnectedRuns(of: self, connectivity)
        var labels = Volume<Int32>(zeros: geometry)
        labels.withUnsafeMutableVoxels { voxels in
            let voxels = voxels.baseAddress!
            parts.forEachRun { row, bounds, label in
                (voxels + (row &* size.i &+ bounds.lowerBound)).update(repeating: label, count: bounds.count)
            }
        }
        return ComponentLabels(labels: labels, components: parts.components)
    }

    /// The connected parts without the volume of labels.
    public func components(_ connectivity: Connectivity = .twentySix) -> [ComponentLabels.Component] {
        ConnectedRuns(of: self, connectivity).components
    }

    /// The connected part with the most voxels, of equals the first; empty when the mask is.
    public func largestComponent(_ connectivity: Connectivity = .twentySix) -> Mask {
        let parts = ConnectedRuns(of: self, connectivity)
        guard let largest = parts.components.largest else { return self }
        return parts.mask(on: geometry) { $0.label == largest.label }
    }

    /// The connected parts for which `isKept` holds.
    public func keepingComponents(
        _ connectivity: Connectivity = .twentySix, where isKept: (ComponentLabels.Component) -> Bool
    ) -> Mask {
        ConnectedRuns(of: self, connectivity).mask(on: geometry, where: isKept)
    }

    /// The connected part that holds `voxel`; empty when the voxel is outside the mask.
    public func component(containing voxel: VoxelIndex, _ connectivity: Connectivity = .twentySix) -> Mask {
        guard size.contains(voxel), self[voxel] else { return Mask(empty: geometry) }
        let parts = ConnectedRuns(of: self, connectivity)
        let label = parts.label(at: voxel, size: size)
        return parts.mask(on: geometry) { $0.label == label }
    }
}

/// Union-find over the runs of a mask (He, Chao & Suzuki, IEEE Trans. Image Processing 17, 2008, in three dimensions).
private struct ConnectedRuns {
    /// Slices per slab: each slab is joined in itself first, on its own thread.
    private static let slabSlices = 16

    private let size: GridSize
    private let slabs: [MaskRuns]
    private let firstRunOfSlab: [Int]
    /// The label of each run.
    private let labels: [Int32]
    let components: [ComponentLabels.Component]

    init(of mask: Mask, _ connectivity: Connectivity) {
        let size = mask.size
        let depth = Self.slabSlices
        let slabs = mask.withUnsafeVoxels { voxels in
            mapSlabs(of: size.k, slab: depth) { slices in
                MaskRuns(of: voxels.baseAddress!, size: size, rows: slices.lowerBound * size.j..<slices.upperBound * size.j)
            }
        }
        var firstRuns = [0]
        for slab in slabs { firstRuns.append(firstRuns.last! + slab.count) }
        precondition(firstRuns.last! <= Int(Int32.max), "too many runs")

        var parents = [Int32](unsafeUninitializedCapacity: firstRuns.last!) { buffer, count in
            count = firstRuns.last!
            guard count > 0 else { return }
            for run in 0..<count { buffer[run] = Int32(truncatingIfNeeded: run) }
            let forest = RunForest(parents: buffer.baseAddress!)
            forEachSlab(of: slabs.count, slab: 1) { range in
                let index = range.lowerBound
                let first = index * depth
                for k in first..<min(first + depth, size.k) {
                    forest.join(slice: k, to: k > first ? k - 1 : nil, slabs, firstRuns, slabSlices: depth, rows: size.j, connectivity)
                }
            }
            for index in 1..<max(slabs.count, 1) {
                forest.join(
                    slice: index * depth, to: index * depth - 1, slabs, firstRuns, slabSlices: depth, rows: size.j, connectivity,
                    acrossOnly: true)
            }
        }
        components = Self.label(&parents, slabs, size)
        (self.size, self.slabs, firstRunOfSlab, labels) = (size, slabs, firstRuns, parents)
    }

    /// Replaces each run's parent by its label. A parent comes before its children, so one pass is enough.
    private static func label(_ parents: inout [Int32], _ slabs: [MaskRuns], _ size: GridSize) -> [ComponentLabels.Component] {
        struct Extent {
            var count = 0
            var low = SIMD3<Int32>(repeating: .max), high = SIMD3<Int32>(repeating: -1)
        }
        var extents: [Extent] = []
        parents.withUnsafeMutableBufferPointer { parents in
            var run = 0
            var row = 0
            for slab in slabs {
                slab.bounds.withUnsafeBufferPointer { bounds in
                    for local in 0..<slab.firstRun.count - 1 {
                        let j = Int32(truncatingIfNeeded: row % size.j), k = Int32(truncatingIfNeeded: row / size.j)
                        for index in slab.firstRun[local]..<slab.firstRun[local + 1] {
                            let parent = Int(parents[run])
                            if parent == run {
                                extents.append(Extent())
                                parents[run] = Int32(truncatingIfNeeded: extents.count)
                            } else {
                                parents[run] = parents[parent]
                            }
                            let start = bounds[2 &* index], end = bounds[2 &* index &+ 1]
                            let label = Int(parents[run]) &- 1
                            extents[label].count &+= Int(end &- start)
                            extents[label].low = pointwiseMin(extents[label].low, SIMD3(start, j, k))
                            extents[label].high = pointwiseMax(extents[label].high, SIMD3(end, j &+ 1, k &+ 1))
                            run &+= 1
                        }
                        row &+= 1
                    }
                }
            }
        }
        return extents.enumerated().map { index, extent in
            ComponentLabels.Component(
                label: Int32(index + 1), voxelCount: extent.count,
                boundingBox: (
                    Int(extent.low.x)..<Int(extent.high.x), Int(extent.low.y)..<Int(extent.high.y), Int(extent.low.z)..<Int(extent.high.z)
                ))
        }
    }

    /// Calls `body` with the row (counted over all slices), the columns and the label of each run, on several threads.
    func forEachRun(_ body: (_ row: Int, _ bounds: Range<Int>, _ label: Int32) -> Void) {
        forEachSlab(of: slabs.count, slab: 1) { range in
            let slab = slabs[range.lowerBound]
            let firstRow = range.lowerBound * Self.slabSlices * size.j
            var run = firstRunOfSlab[range.lowerBound]
            for local in 0..<slab.firstRun.count - 1 {
                for index in slab.firstRun[local]..<slab.firstRun[local + 1] {
                    body(firstRow + local, Int(slab.bounds[2 * index])..<Int(slab.bounds[2 * index + 1]), labels[run])
                    run += 1
                }
            }
        }
    }

    func mask(on geometry: GridGeometry, where isKept: (ComponentLabels.Component) -> Bool) -> Mask {
        let kept = components.map(isKept)
        var mask = Mask(empty: geometry)
        mask.withUnsafeMutableVoxels { voxels in
            let voxels = voxels.baseAddress!
            forEachRun { row, bounds, label in
                guard kept[Int(label) - 1] else { return }
                (voxels + (row &* size.i &+ bounds.lowerBound)).update(repeating: 1, count: bounds.count)
            }
        }
        return mask
    }

    func label(at voxel: VoxelIndex, size: GridSize) -> Int32 {
        let slabIndex = voxel.k / Self.slabSlices
        let slab = slabs[slabIndex]
        let local = (voxel.k % Self.slabSlices) * size.j + voxel.j
        for index in slab.firstRun[local]..<slab.firstRun[local + 1]
        where slab.bounds[2 * index] <= voxel.i && voxel.i < slab.bounds[2 * index + 1] {
            return labels[firstRunOfSlab[slabIndex] + index]
        }
        return 0
    }
}

/// Trees of runs in which a parent always comes before its children.
private struct RunForest {
    let parents: UnsafeMutablePointer<Int32>

    @inline(__always) private func root(_ run: Int32) -> Int32 {
        var run = run
        while parents[Int(run)] != run {
            parents[Int(run)] = parents[Int(parents[Int(run)])]
            run = parents[Int(run)]
        }
        return run
    }

    @inline(__always) private func unite(_ a: Int32, _ b: Int32) {
        let (a, b) = (root(a), root(b))
        if a < b { parents[Int(b)] = a } else { parents[Int(a)] = b }
    }

    /// Joins the runs of a slice to each other (unless `acrossOnly`) and to those of the slice before it.
    func join(
        slice k: Int, to previous: Int?, _ slabs: [MaskRuns], _ firstRuns: [Int], slabSlices: Int, rows: Int,
        _ connectivity: Connectivity, acrossOnly: Bool = false
    ) {
        let slab = slabs[k / slabSlices], base = firstRuns[k / slabSlices], row = (k % slabSlices) * rows
        let faceReach: Int32 = connectivity == .six ? 0 : 1, edgeReach: Int32 = connectivity == .twentySix ? 1 : 0
        slab.bounds.withUnsafeBufferPointer { bounds in
            slab.firstRun.withUnsafeBufferPointer { firstRun in
                let here = Rows(bounds: bounds.baseAddress, firstRun: firstRun.baseAddress! + row, base: base)
                if !acrossOnly {
                    for j in 1..<max(rows, 1) { join(here, j, here, j &- 1, reach: faceReach) }
                }
                guard let previous else { return }
                let other = slabs[previous / slabSlices]
                other.bounds.withUnsafeBufferPointer { bounds in
                    other.firstRun.withUnsafeBufferPointer { firstRun in
                        let there = Rows(
                            bounds: bounds.baseAddress, firstRun: firstRun.baseAddress! + (previous % slabSlices) * rows,
                            base: firstRuns[previous / slabSlices])
                        for j in 0..<rows {
                            join(here, j, there, j, reach: faceReach)
                            guard connectivity != .six else { continue }
                            if j > 0 { join(here, j, there, j &- 1, reach: edgeReach) }
                            if j < rows &- 1 { join(here, j, there, j &+ 1, reach: edgeReach) }
                        }
                    }
                }
            }
        }
    }

    private struct Rows {
        let bounds: UnsafePointer<Int32>?
        let firstRun: UnsafePointer<Int>
        let base: Int
    }

    /// Unites the runs of two rows that overlap when one of them is made longer by `reach` on both sides.
    @inline(__always)
    private func join(_ a: Rows, _ rowA: Int, _ b: Rows, _ rowB: Int, reach: Int32) {
        var runA = a.firstRun[rowA], runB = b.firstRun[rowB]
        let endA = a.firstRun[rowA &+ 1], endB = b.firstRun[rowB &+ 1]
        while runA < endA && runB < endB {
            let startOfA = a.bounds![2 &* runA], endOfA = a.bounds![2 &* runA &+ 1]
            let startOfB = b.bounds![2 &* runB], endOfB = b.bounds![2 &* runB &+ 1]
            if startOfA < endOfB &+ reach && startOfB < endOfA &+ reach {
                unite(Int32(truncatingIfNeeded: a.base &+ runA), Int32(truncatingIfNeeded: b.base &+ runB))
            }
            if endOfA < endOfB { runA &+= 1 } else { runB &+= 1 }
        }
    }
}
