import Foundation
import ImagingCore

/// The volumes that every kernel, ours or a peer's, works on: raw little-endian files, columns fastest.
struct BenchmarkInputs {
    static let size = GridSize(512, 512, 200)
    static let spacing = SIMD3(0.8, 0.8, 1.5)

    static var geometry: GridGeometry {
        try! GridGeometry(size: size, spacing: spacing, origin: PatientPoint(-204, -204, 0), frameOfReferenceUID: "2.25.1")
    }

    let mask: Mask
    let scan: Volume<Int16>

    /// Forty ellipsoids of 4 to 40 mm and speckles: organs, vessels and noise as a threshold leaves them.
    static func mask() -> Mask {
        var generator = SplitMix64(state: 2)
        var mask = Mask(empty: geometry)
        mask.withUnsafeMutableVoxels { voxels in
            for _ in 0..<40 {
                let radii = SIMD3<Double>.random(in: 4...40, using: &generator) / spacing
                let center = SIMD3<Double>.random(in: 0...1, using: &generator) * SIMD3(511, 511, 199)
                fillEllipsoid(voxels, center: center, radii: radii)
            }
            for _ in 0..<20_000 { voxels[Int.random(in: voxels.indices, using: &generator)] = 1 }
        }
        return mask
    }

    private static func fillEllipsoid(_ voxels: UnsafeMutableBufferPointer<UInt8>, center: SIMD3<Double>, radii: SIMD3<Double>) {
        let low = pointwiseMax((center - radii).rounded(.up), .zero)
        let high = pointwiseMin((center + radii).rounded(.down), SIMD3(511, 511, 199))
        for k in stride(from: Int(low.z), through: Int(high.z), by: 1) {
            for j in stride(from: Int(low.y), through: Int(high.y), by: 1) {
                for i in stride(from: Int(low.x), through: Int(high.x), by: 1) {
                    let d = (SIMD3(Double(i), Double(j), Double(k)) - center) / radii
                    if (d * d).sum() <= 1 { voxels[size.offset(VoxelIndex(i, j, k))] = 1 }
                }
            }
        }
    }

    /// CT-like numbers: the mask's objects in soft tissue, with noise.
    static func scan(of mask: Mask) -> Volume<Int16> {
        var generator = SplitMix64(state: 3)
        return mask.withUnsafeVoxels { inside in
            Volume(geometry: mask.geometry) { voxels in
                for offset in voxels.indices {
                    voxels[offset] = (inside[offset] == 1 ? 140 : 40) + Int16(truncatingIfNeeded: generator.next() & 63) - 32
                }
            }
        }
    }

    static func write(to folder: URL) throws {
        let mask = mask(), scan = scan(of: mask)
        try mask.withUnsafeVoxels { try Data(buffer: $0).write(to: folder.appending(path: "mask.raw")) }
        try scan.withUnsafeVoxels { try Data(buffer: $0).write(to: folder.appending(path: "scan.raw")) }
    }

    init(readFrom folder: URL) throws {
        let maskData = try Data(contentsOf: folder.appending(path: "mask.raw"))
        let scanData = try Data(contentsOf: folder.appending(path: "scan.raw"))
        mask = Mask(geometry: Self.geometry) { voxels in _ = maskData.copyBytes(to: voxels) }
        scan = Volume(geometry: Self.geometry) { voxels in _ = scanData.copyBytes(to: voxels) }
    }
}

private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
