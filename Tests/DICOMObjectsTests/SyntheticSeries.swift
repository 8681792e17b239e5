import Foundation
import ImagingCore
@testable import DICOMObjects

/// A small series of single-frame images whose stored values are a known function of position.
struct SyntheticSeries {
    var modality = Modality.ct
    var columns = 7, rows = 5
    /// Between rows, between columns: the order of the attribute.
    var pixelSpacing = [0.7, 0.9]
    var row = SIMD3(1.0, 0, 0), column = SIMD3(0.0, 1, 0)
    var origin = SIMD3(-10.0, -20, 30)
    /// Where slices lie along the step, in millimetres.
    var positions = (0..<6).map { 2.5 * Double($0) }
    /// The direction from slice to slice; the normal when `nil`.
    var step: SIMD3<Double>?
    var seriesUID = "1.2.826.0.1.77"
    var syntax = DICOMBytes.Syntax.explicitLittle
    /// Stored value at a patient position.
    var stored: (SIMD3<Double>) -> Int = { Int((($0 * SIMD3(3, 5, 7)).sum() + 100).rounded()) }
    /// Changes the attributes of slice n.
    var edit: (Int, inout [DICOMTag: DICOMBytes.Value]) -> Void = { _, _ in }

    var normal: SIMD3<Double> { PatientVector(row).cross(PatientVector(column)).lps }

    func position(of slice: Int) -> SIMD3<Double> { origin + positions[slice] * (step ?? normal) }

    func attributes(_ slice: Int) -> [DICOMTag: DICOMBytes.Value] {
        let start = position(of: slice)
        var pixels: [UInt16] = []
        for j in 0..<rows {
            for i in 0..<columns {
                let point = start + Double(i) * pixelSpacing[1] * row + Double(j) * pixelSpacing[0] * column
                pixels.append(UInt16(truncatingIfNeeded: stored(point)))
            }
        }
        var attributes: [DICOMTag: DICOMBytes.Value] = [
            .imageType: .text("CS", "ORIGINAL\\PRIMARY\\AXIAL"),
            .sopClassUID: .text("UI", modality == .ct ? "1.2.840.10008.5.1.4.1.1.2" : "1.2.840.10008.5.1.4.1.1.4"),
            .sopInstanceUID: .text("UI", "\(seriesUID).\(slice + 1)"),
            .modality: .text("CS", modality.rawValue),
            .patientID: .text("LO", "P1"),
            .sliceThickness: .text("DS", "9.9"),
            .studyInstanceUID: .text("UI", "1.2.826.0.1.5"),
            .seriesInstanceUID: .text("UI", seriesUID),
            .instanceNumber: .text("IS", "\(100 - slice)"),
            .imagePositionPatient: DICOMBytes.text("DS", [start.x, start.y, start.z]),
            .imageOrientationPatient: DICOMBytes.text("DS", [row.x, row.y, row.z, column.x, column.y, column.z]),
            .frameOfReferenceUID: .text("UI", "1.2.826.0.1.6"),
            .samplesPerPixel: .us([1]),
            .photometricInterpretation: .text("CS", "MONOCHROME2"),
            .rows: .us([UInt16(rows)]), .columns: .us([UInt16(columns)]),
            .pixelSpacing: DICOMBytes.text("DS", pixelSpacing),
            .bitsAllocated: .us([16]), .bitsStored: .us([16]), .highBit: .us([15]), .pixelRepresentation: .us([1]),
            .pixelData: .ow(pixels),
        ]
        if modality == .ct {
            attributes[.rescaleIntercept] = .text("DS", "-1024")
            attributes[.rescaleSlope] = .text("DS", "1")
        }
        edit(slice, &attributes)
        return attributes
    }

    func file(_ slice: Int) -> Data { DICOMBytes.file(attributes(slice), syntax: syntax) }

    /// Writes the slices under names whose order says nothing.
    func write(to folder: TemporaryFolder, in subfolder: String = "") {
        for slice in positions.indices { folder.write(file(slice), "\(subfolder)/\((slice * 7919 + 13) % 1009)") }
    }

    func scanned() throws -> (folder: TemporaryFolder, catalog: SeriesCatalog) {
        let folder = TemporaryFolder()
        write(to: folder)
        return (folder, try SeriesCatalog.scan(folder.url))
    }

    /// The one usable entry, loaded.
    func loaded() throws -> Scan {
        let (folder, catalog) = try scanned()
        defer { withExtendedLifetime(folder) {} }
        guard catalog.series.count == 1 else { throw Unexpected("\(catalog.series.count) series") }
        return try catalog.series[0].load()
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension ScanVolume {
    var isWhole: Bool { if case .int16 = self { true } else { false } }
    /// All voxels as `Double`.
    var values: [Double] { floats().withUnsafeVoxels { $0.map(Double.init) } }
}

extension SeriesEntry {
    var codes: Set<String> { Set(findings.map(\.code)) }
}

func close(_ a: SIMD3<Double>, _ b: SIMD3<Double>, within tolerance: Double = 1e-6) -> Bool {
    let difference = a - b
    return max(abs(difference.x), abs(difference.y), abs(difference.z)) <= tolerance
}
