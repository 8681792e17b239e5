import CZlib
import Foundation
import ImagingCore
import Testing

@testable import FigureRendering

private func inflated(_ data: Data, count: Int) -> [UInt8] {
    var (bytes, length) = ([UInt8](repeating: 0, count: count), uLong(count))
    #expect(uncompress(&bytes, &length, Array(data), uLong(data.count)) == Z_OK && length == count)
    return bytes
}

/// Reads an image as its description says, one voxel after the other.
private func values(_ packed: PackedVolume) -> [Double?] {
    let count = packed.size.voxelCount, planes = inflated(packed.data, count: 2 * count)
    var codes: [Int] = []
    for offset in 0..<count {
        let index = packed.size.index(atOffset: offset)
        let left = index.i > 0 ? codes[offset - 1] : nil, up = index.j > 0 ? codes[offset - packed.size.i] : nil
        let prediction = if let left, let up { (left + up) >> 1 } else { left ?? up ?? 0 }
        let folded = Int(planes[offset]) + 256 * Int(planes[count + offset])
        codes.append(prediction + (folded % 2 == 0 ? folded / 2 : -(folded + 1) / 2))
    }
    return codes.map { $0 == 0 ? nil : packed.offset + Double($0) * packed.step }
}

@Suite struct PackedVolumeTests {
    let grid: GridGeometry

    init() throws { grid = try GridGeometry(size: GridSize(7, 5, 3), spacing: SIMD3(1, 1, 1), origin: PatientPoint(0, 0, 0)) }

    @Test func wholeHounsfieldUnitsAreKept() {
        var generator = SystemRandomNumberGenerator()
        let source = (0..<grid.size.voxelCount).map { _ in Float(Int.random(in: -1024...3071, using: &generator)) }
        let volume = Volume<Float>(geometry: grid) { voxels in for offset in voxels.indices { voxels[offset] = source[offset] } }
        #expect(values(PackedVolume(image: volume, range: -1024...3071, step: 1)) == source.map(Double.init))
    }

    @Test func valuesBeyondTheRangeAreHeldAndMissingOnesStayMissing() {
        let source: [Float] = [-5000, 9000, .nan, -1024, 3071, .infinity, 12.4]
        let volume = Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices { voxels[offset] = offset < source.count ? source[offset] : 0 }
        }
        let read = values(PackedVolume(image: volume, range: -1024...3071, step: 1))
        #expect(Array(read.prefix(7)) == [-1024, 3071, nil, -1024, 3071, 3071, 12])
    }

    @Test func theSmallestDistancesKeepTheirSide() {
        let source: [Float] = [0, -1e-7, 1e-7, -0.0, .nan, -.infinity, 2, -2]
        let volume = Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices { voxels[offset] = offset < source.count ? source[offset] : -9 }
        }
        let packed = PackedVolume(surface: volume, reachMM: 3), differences = inflated(packed.data, count: grid.size.voxelCount)
        // The first row has only left neighbours.
        let codes = differences.prefix(7).reduce(into: [UInt8]()) { $0.append(($0.last ?? 0) &+ $1) }
        #expect(codes.map { $0 >= 128 } == [true, false, true, true, false, false, true])
        #expect(packed.step == 3.0 / 120 && codes[6] == 128 + 80)
    }
}
