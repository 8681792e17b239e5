import ImageFilters
import ImagingCore
import Testing

@Suite struct MorphologyTests {
    private func ball(_ geometry: GridGeometry, _ center: PatientPoint, _ radius: Double) -> Mask {
        Mask(Volume<Float>(geometry) { radius - $0.distance(to: center) }) { $0 >= 0 }
    }

    @Test(arguments: [1.0, 1.9, 3.0])
    func dilationReachesTheRadiusInMillimetres(_ radius: Double) {
        let geometry = grid(20, 18, 12, spacing: SIMD3(0.7, 0.9, 2))
        let mask = Mask.random(geometry, density: 0.004, seed: 3)
        let inside = (0..<geometry.size.voxelCount).map(geometry.size.index(atOffset:)).filter { mask[$0] }.map { geometry.point($0) }
        let dilated = mask.dilated(byMM: radius), eroded = mask.complement.eroded(byMM: radius)
        for offset in 0..<geometry.size.voxelCount {
            let voxel = geometry.size.index(atOffset: offset)
            let expected = inside.contains { $0.distance(to: geometry.point(voxel)) <= radius + 1e-9 }
            #expect(dilated[voxel] == expected)
            #expect(eroded[voxel] == !expected)
        }
    }

    @Test func aRadiusThatReachesAVoxelCentreExactlyIncludesIt() {
        var mask = Mask(empty: grid(15, 3, 3, spacing: SIMD3(0.1, 1, 1)))
        mask[VoxelIndex(7, 1, 1)] = true
        #expect(mask.dilated(byMM: 0.3).count == 7)
    }

    @Test func openingRemovesWhatIsThin() {
        let geometry = grid(40, 40, 40)
        let body = ball(geometry, PatientPoint(15, 20, 20), 9)
        var withBridge = body
        for i in 0..<40 { withBridge[VoxelIndex(i, 20, 20)] = true }
        let opened = withBridge.opened(byMM: 2.5)
        #expect(opened.subtracting(body).isEmpty && opened.count > body.count * 9 / 10)
    }

    @Test func closingFillsAGapAndAddsNothingAtTheGridsEdge() {
        let geometry = grid(30, 20, 20)
        let slabs = Mask(Volume<Float>(geometry) { $0.lps.x }) { ($0 >= 8 && $0 <= 12) || ($0 >= 15 && $0 <= 20) }
        let closed = slabs.closed(byMM: 2)
        for i in 0..<30 { #expect(closed[VoxelIndex(i, 10, 10)] == (8...20).contains(i)) }
        let atEdge = ball(geometry, PatientPoint(4, 10, 10), 3)
        #expect(
            atEdge.closed(byMM: 3).subtracting(atEdge).voxels.withUnsafeVoxels { voxels in !(0..<400).contains { voxels[$0 * 30] != 0 } })
    }

    @Test func holesAreFilledAndBaysAreNot() {
        let geometry = grid(30, 30, 30)
        let shell = ball(geometry, PatientPoint(14, 14, 14), 10).subtracting(ball(geometry, PatientPoint(14, 14, 14), 6))
        #expect(shell.fillingHoles().allVoxels() == ball(geometry, PatientPoint(14, 14, 14), 10).allVoxels())
        var open = shell
        for i in 0..<14 { open[VoxelIndex(i, 14, 14)] = false }
        #expect(open.fillingHoles().allVoxels() == open.allVoxels())
    }

    @Test func emptyMasksStayEmpty() {
        let empty = Mask(empty: grid(5, 5, 5))
        #expect(
            empty.dilated(byMM: 3).isEmpty && empty.eroded(byMM: 3).isEmpty && empty.closed(byMM: 3).isEmpty
                && empty.fillingHoles().isEmpty)
    }
}
