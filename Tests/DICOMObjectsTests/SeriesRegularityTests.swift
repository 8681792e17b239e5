import Foundation
import ImagingCore
import Testing
@testable import DICOMObjects

/// Slices that do not lie on a grid with right angles are brought onto one; a field that is linear in space survives that.
@Suite struct SeriesRegularityTests {
    /// HU at a patient position, for the stored values of `SyntheticSeries`.
    static func field(_ point: SIMD3<Double>) -> Double { (point * SIMD3(3, 5, 7)).sum() - 924 }

    /// Compares all voxels that lie between the slices with the field, and returns how many there were.
    static func voxelsOnField(_ scan: Scan, fill: Double) -> Int {
        var count = 0
        for k in 0..<scan.geometry.size.k {
            for j in 0..<scan.geometry.size.j {
                for i in 0..<scan.geometry.size.i {
                    let value = Double(scan.volume.value(at: VoxelIndex(i, j, k)))
                    if value == fill { continue }
                    count += 1
                    let expected = field(scan.geometry.point(VoxelIndex(i, j, k)).lps)
                    #expect(abs(value - expected) <= 1.01)
                }
            }
        }
        return count
    }

    @Test(arguments: [-15.0, 18.5])
    func tiltedGantryIsMadeRightAngled(degrees: Double) throws {
        let tilt = degrees * .pi / 180
        let series = SyntheticSeries(
            columns: 9, rows: 40, row: SIMD3(1, 0, 0), column: SIMD3(0, cos(tilt), -sin(tilt)), step: SIMD3(0, 0, 1))
        let scan = try series.loaded()
        #expect(scan.isResampled && scan.findings.contains { $0.code == "gantry-tilt" && $0.message.contains("\(abs(degrees))") })
        #expect(abs(scan.geometry.spacing.z - 2.5 * cos(tilt)) < 1e-9)
        #expect(close(scan.geometry.axes.k.lps, series.normal))
        let shift = abs(sin(tilt)) * 12.5
        #expect(scan.geometry.size == GridSize(9, 40 + Int((shift / 0.7).rounded(.up)), 6))
        // First and last slice keep all their voxels, others lose at most one row to interpolation.
        let fill = scan.volume.values.min()!
        #expect(Self.voxelsOnField(scan, fill: fill) >= 9 * 40 * 6 - 9 * 6 - 1)
    }

    @Test func unevenSpacingIsResampledOverTheSameExtent() throws {
        let scan = try SyntheticSeries(positions: [0, 1, 2, 3, 5.5, 8, 10.5, 13]).loaded()
        #expect(scan.isResampled && scan.findings.contains { $0.code == "variable-spacing" })
        #expect(scan.geometry.size.k == 14 && abs(scan.geometry.spacing.z - 1) < 1e-12)
        #expect(Self.voxelsOnField(scan, fill: .nan) == scan.geometry.size.voxelCount)
        #expect(scan.instances.count == 8)
    }

    @Test func oneMissingSliceIsBridgedAndNamed() throws {
        let scan = try SyntheticSeries(positions: [0, 2.5, 5, 10, 12.5]).loaded()
        let finding = try #require(scan.findings.first { $0.code == "missing-slice" })
        #expect(finding.severity == .warning && finding.message.contains("35") && finding.message.contains("40"))
        #expect(scan.geometry.size.k == 6 && scan.geometry.spacing.z == 2.5)
        #expect(Self.voxelsOnField(scan, fill: .nan) == scan.geometry.size.voxelCount)
    }

    @Test(arguments: [[0, 2.5, 5, 12.5, 15, 17.5], [0, 1.25, 2.5, 205], [0, 50, 51, 52, 53, 54]])
    func widerGapsAreNeverBridged(positions: [Double]) throws {
        let entry = try SyntheticSeries(positions: positions).scanned().catalog.series[0]
        #expect(!entry.usable && entry.findings.contains { $0.code == "missing-slices" && $0.severity == .error })
    }

    @Test func shiftedTableIsNamedAndCorrected() throws {
        let scan = try SyntheticSeries(columns: 30, rows: 20, edit: { slice, attributes in
            guard slice == 3 else { return }
            var moved = SyntheticSeries(columns: 30, rows: 20)
            moved.origin.x += 4.5
            let other = moved.attributes(slice)
            attributes[.imagePositionPatient] = other[.imagePositionPatient]
            attributes[.pixelData] = other[.pixelData]
        }).loaded()
        #expect(scan.findings.contains { $0.code == "slice-shift" })
        #expect(Self.voxelsOnField(scan, fill: scan.volume.values.min()!) > 25 * 20 * 6)
    }
}
