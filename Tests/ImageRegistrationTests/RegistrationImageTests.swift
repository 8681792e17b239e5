import ImagingCore
import Testing

@testable import ImageRegistration

/// What of a scan registration compares: a cylinder of tissue on a table, with a lung and a needle in it.
@Suite struct RegistrationImageTests {
    private static let spacingMM = 4.0
    private static let size = GridSize(60, 60, 12)
    /// The table's top: a plate of 6 mm below the body, which touches it.
    private static func isTable(_ j: Int) -> Bool { j >= 50 && j < 53 }
    private static func scan(_ voxel: (_ i: Int, _ j: Int, _ k: Int) -> Int16?) throws -> ScanVolume {
        let grid = try GridGeometry(size: size, spacing: SIMD3(2, 2, 4), origin: PatientPoint(0, 0, 0))
        return .int16(Volume<Int16>(geometry: grid) { voxels in
            for offset in voxels.indices {
                let at = size.index(atOffset: offset), (x, y) = (at.i - 30, at.j - 30)
                voxels[offset] = voxel(at.i, at.j, at.k) ?? (x * x + y * y <= 400 ? 40 : isTable(at.j) ? 300 : -1000)
            }
        })
    }
    private static func image(_ scan: ScanVolume, beside other: Bool = false, excluded: Mask? = nil) -> RegistrationImage {
        RegistrationImage(RegistrationScan(scan, modality: .ct, excluded: excluded), isOtherModality: other, spacingMM: spacingMM)
    }
    private static func voxel(_ image: RegistrationImage, _ point: PatientPoint) -> VoxelIndex {
        let index = image.geometry.continuousIndex(point).ijk.rounded(.toNearestOrEven)
        return VoxelIndex(Int(index.x), Int(index.y), Int(index.z))
    }
    private static func weight(_ image: RegistrationImage, _ x: Double, _ y: Double) -> Float {
        image.weights[voxel(image, PatientPoint(x, y, 22))]
    }

    @Test func theTableIsNotCompared() throws {
        let image = Self.image(try Self.scan { _, _, _ in nil })
        #expect(Self.weight(image, 60, 60) == 1 && Self.weight(image, 60, 95) == 1)
        // Under the body's sides, where it rests on nothing.
        #expect(Self.weight(image, 10, 103) == 0 && Self.weight(image, 110, 103) == 0)
        #expect(image.values[Self.voxel(image, PatientPoint(10, 103, 22))] == image.values[Self.voxel(image, PatientPoint(4, 4, 22))])
    }

    @Test func metalAndWhatIsExcludedAreNotComparedNorWhatLiesAround() throws {
        let needle = try Self.scan { i, j, _ in abs(i - 20) <= 0 && abs(j - 30) <= 0 ? 3000 : nil }
        let image = Self.image(needle)
        #expect([38.0, 42].allSatisfy { Self.weight(image, $0, 60) == 0 })
        #expect(Self.weight(image, 54, 60) == 1 && Self.weight(image, 40, 74) == 1)

        let plain = try Self.scan { _, _, _ in nil }
        let ice = Mask(geometry: plain.geometry) { voxels in
            for offset in voxels.indices { voxels[offset] = Self.size.index(atOffset: offset).i < 20 ? 1 : 0 }
        }
        let excluding = Self.image(plain, excluded: ice)
        #expect(Self.weight(excluding, 30, 60) == 0 && Self.weight(excluding, 41, 60) == 0 && Self.weight(excluding, 50, 60) == 1)
    }

    /// Half a cell of lung is half the way from lung to tissue where the other scan is MR.
    @Test func cellsThatArePartlyLungAreInProportionBesideMR() throws {
        func value(lungShare: Double, beside other: Bool) throws -> Float {
            let image = Self.image(try Self.scan { i, j, _ in
                guard (20..<40).contains(i), (20..<40).contains(j) else { return nil }
                return Int16(40 - 890 * lungShare)
            }, beside: other)
            return image.values[Self.voxel(image, PatientPoint(60, 60, 22))]
        }
        let tissue = try value(lungShare: 0, beside: true), lung = try value(lungShare: 1, beside: true)
        #expect(abs(try value(lungShare: 0.5, beside: true) - (tissue + lung) / 2) < 0.01)
        #expect(try value(lungShare: 1, beside: false) > lung + 1)
    }
}
