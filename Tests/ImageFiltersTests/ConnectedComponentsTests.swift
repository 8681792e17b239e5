import ImageFilters
import ImagingCore
import Testing

@Suite struct ConnectedComponentsTests {
    /// Labels by flood fill, in the order of first voxels.
    private func floodFill(_ mask: Mask, _ connectivity: Connectivity) -> [Int32] {
        let size = mask.size
        let largestSum = [Connectivity.six: 1, .eighteen: 2, .twentySix: 3][connectivity]!
        var labels = [Int32](repeating: 0, count: size.voxelCount)
        var count: Int32 = 0
        for start in labels.indices where labels[start] == 0 && mask[size.index(atOffset: start)] {
            count += 1
            var queue = [size.index(atOffset: start)]
            labels[start] = count
            while let v = queue.popLast() {
                for dk in -1...1 {
                    for dj in -1...1 {
                        for di in -1...1 where abs(di) + abs(dj) + abs(dk) <= largestSum {
                            let n = VoxelIndex(v.i + di, v.j + dj, v.k + dk)
                            if size.contains(n), mask[n], labels[size.offset(n)] == 0 {
                                labels[size.offset(n)] = count
                                queue.append(n)
                            }
                        }
                    }
                }
            }
        }
        return labels
    }

    @Test(arguments: Connectivity.allCases, [(30, 17, 40), (8, 9, 3), (1, 40, 35), (65, 1, 20), (16, 16, 1)])
    func agreesWithFloodFill(_ connectivity: Connectivity, _ size: (Int, Int, Int)) {
        for density in [0.03, 0.12, 0.3, 0.6, 0.97] {
            let mask = Mask.random(grid(size.0, size.1, size.2), density: density, seed: UInt64(density * 100))
            let expected = floodFill(mask, connectivity)
            let result = mask.connectedComponents(connectivity)
            #expect(result.labels.withUnsafeVoxels { Array($0) } == expected)
            #expect(result.components.count == Int(expected.max()!))
            for component in result.components {
                #expect(component.voxelCount == expected.count { $0 == component.label })
                let box = result.mask(of: component).boundingBox!
                #expect(box.i == component.boundingBox.i && box.j == component.boundingBox.j && box.k == component.boundingBox.k)
            }
        }
    }

    @Test func theLargestPartIsKept() {
        var mask = Mask(empty: grid(20, 10, 40))
        for i in 2..<6 { mask[VoxelIndex(i, 3, 5)] = true }
        for k in 20..<36 { mask[VoxelIndex(17, 8, k)] = true }
        let largest = mask.largestComponent()
        #expect(largest.count == 16 && largest[VoxelIndex(17, 8, 30)])
        #expect(mask.component(containing: VoxelIndex(4, 3, 5)).count == 4)
        #expect(mask.component(containing: VoxelIndex(0, 0, 0)).isEmpty)
        #expect(mask.keepingComponents { $0.voxelCount < 10 }.count == 4)
        #expect(Mask(empty: mask.geometry).largestComponent().isEmpty)
    }

    @Test func threadsDoNotChangeLabels() {
        let mask = Mask.random(grid(50, 40, 70), density: 0.1, seed: 8)
        let one = KernelThreads.with(1) { mask.connectedComponents().labels.withUnsafeVoxels { Array($0) } }
        #expect(KernelThreads.with(2) { mask.connectedComponents().labels.withUnsafeVoxels { Array($0) } } == one)
    }
}
