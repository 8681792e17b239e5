import Foundation
import ImagingCore
import Testing
@testable import DICOMObjects

@Suite struct SeriesValuesTests {
    private static func value(_ point: SIMD3<Double>) -> Int { Int(((point * SIMD3(3, 5, 7)).sum() + 100).rounded()) }

    @Test(arguments: [DICOMBytes.Syntax.implicitLittle, .explicitLittle, .explicitBig])
    func valuesDoNotDependOnTransferSyntax(syntax: DICOMBytes.Syntax) throws {
        let scan = try SyntheticSeries(syntax: syntax).loaded()
        #expect(scan.volume.isWhole)
        #expect(scan.volume.values == (try SyntheticSeries().loaded().volume.values))
        #expect(scan.transferSyntaxes == [syntax.rawValue])
        #expect(scan.volume.value(at: VoxelIndex(0, 0, 0)) == Float(Self.value(SIMD3(-10, -20, 30)) - 1024))
    }

    /// (bits stored, high bit, signed, the cell in the file, the value it stands for)
    @Test(arguments: [
        (12, 11, false, 0xA7FF, 0x7FF), (12, 11, true, 0xA801, -2047), (12, 15, true, 0x801F, -2047), (16, 15, true, 0xF830, -2000),
        (16, 15, false, 0x7000, 0x7000), (14, 14, false, 0x8003, 1),
    ] as [(Int, Int, Bool, Int, Int)])
    func unusedBitsAreMaskedAndSignsExtended(stored: Int, high: Int, signed: Bool, cell: Int, value: Int) throws {
        let scan = try SyntheticSeries(modality: .mr, stored: { _ in cell }, edit: { _, attributes in
            attributes[.bitsStored] = .us([UInt16(stored)])
            attributes[.highBit] = .us([UInt16(high)])
            attributes[.pixelRepresentation] = .us([signed ? 1 : 0])
        }).loaded()
        #expect(Set(scan.volume.values) == [Double(value)])
    }

    @Test func eachSliceIsRescaledByItsOwnSlope() throws {
        let scan = try SyntheticSeries(modality: .mr, stored: { _ in 100 }, edit: { slice, attributes in
            attributes[.rescaleSlope] = .text("DS", "\(1 + 0.25 * Double(slice))")
            attributes[.rescaleIntercept] = .text("DS", "-3.5")
        }).loaded()
        let values: [Float] = (0..<6).map { scan.volume.value(at: VoxelIndex(3, 3, $0)) }
        #expect(values == [96.5, 121.5, 146.5, 171.5, 196.5, 221.5])
        #expect(scan.findings.contains { $0.code == "rescale-varies" })
    }

    @Test func wholeSlopesStayWhole() throws {
        let scan = try SyntheticSeries(stored: { _ in -700 }, edit: { $1[.rescaleSlope] = .text("DS", "2") }).loaded()
        #expect(scan.volume.isWhole && Set(scan.volume.values) == [-2424])
    }

    /// Slices have many times as many cells as are rescaled at once.
    @Test(arguments: [1, 2]) func everyCellOfALargeSliceIsRescaled(slope: Int) throws {
        let series = SyntheticSeries(columns: 97, rows: 91, positions: [0, 2.5, 5], edit: { $1[.rescaleSlope] = .text("DS", "\(slope)") })
        let volume = try series.loaded().volume
        for k in 0..<3 {
            let start = series.position(of: k)
            let wrong = (0..<97 * 91).filter { cell in
                let point = start + SIMD3(Double(cell % 97) * 0.9, Double(cell / 97) * 0.7, 0)
                return volume.value(at: VoxelIndex(cell % 97, cell / 97, k)) != Float(slope * Self.value(point) - 1024)
            }
            #expect(wrong.isEmpty)
        }
    }

    @Test func valuesBeyondSixteenBitsBecomeReal() throws {
        let unsigned = try SyntheticSeries(modality: .mr, stored: { _ in 60000 }, edit: { $1[.pixelRepresentation] = .us([0]) }).loaded()
        #expect(!unsigned.volume.isWhole && Set(unsigned.volume.values) == [60000])
        let low = try SyntheticSeries(stored: { _ in -32768 }).loaded()
        #expect(!low.volume.isWhole && Set(low.volume.values) == [-33792])
    }

    @Test func missingRescaleLeavesStoredValuesAndWarnsForCT() throws {
        func without(_ modality: Modality) throws -> Scan {
            try SyntheticSeries(modality: modality, edit: { $1[.rescaleSlope] = nil; $1[.rescaleIntercept] = nil }).loaded()
        }
        let ct = try without(.ct), mr = try without(.mr)
        #expect(ct.volume.value(at: VoxelIndex(0, 0, 0)) == Float(Self.value(SIMD3(-10, -20, 30))))
        #expect(ct.findings.contains { $0.code == "no-rescale" && $0.severity == .warning })
        #expect(!mr.findings.contains { $0.code == "no-rescale" })
    }

    @Test(arguments: ["0", "abc", "1e300"])
    func impossibleSlopeIsRefused(slope: String) throws {
        let entry = try SyntheticSeries(edit: { $1[.rescaleSlope] = .text("DS", slope) }).scanned().catalog.series[0]
        #expect(!entry.usable && entry.codes.contains("rescale"))
    }

    @Test(arguments: [DICOMBytes.Syntax.implicitLittle, .explicitLittle])
    func paddingKeepsItsRescaledValue(syntax: DICOMBytes.Syntax) throws {
        let scan = try SyntheticSeries(
            syntax: syntax, stored: { $0.x < -9 ? -2000 : 40 }, edit: { $1[.pixelPaddingValue] = .ss([-2000]) }
        ).loaded()
        #expect(Set(scan.volume.values) == [-3024, -984])
        #expect(scan.findings.contains { $0.code == "pixel-padding" && $0.message.contains("-3024") })
    }

    @Test func resultDoesNotDependOnThreads() throws {
        let (folder, catalog) = try SyntheticSeries().scanned()
        defer { withExtendedLifetime(folder) {} }
        let one = try KernelThreads.with(1) { try catalog.series[0].load() }
        let two = try KernelThreads.with(2) { try catalog.series[0].load() }
        #expect(one.volume.values == two.volume.values)
    }
}
