import Foundation
import ImagingCore

/// A series that results are about: its patient and study, its frame of reference and its images.
public struct SourceSeries {
    public let studyInstanceUID, seriesInstanceUID: String
    /// The grid of the loaded volume.
    public let geometry: GridGeometry
    let instances: [ScanInstance]
    let isResampled: Bool
    private let header: DICOMDataset

    /// Reads the header of the series' first image.
    public init(_ scan: Scan) throws(DICOMError) {
        (studyInstanceUID, seriesInstanceUID) = (scan.studyInstanceUID, scan.seriesInstanceUID)
        (geometry, instances, isResampled) = (scan.geometry, scan.instances, scan.isResampled)
        header = try DICOMDataset(contentsOf: scan.instances[0].file, extent: .upToPixelData)
    }

    /// That of the images; where they name none, one that stands for this series alone.
    public var frameOfReferenceUID: String {
        geometry.frameOfReferenceUID ?? DerivedUID.make(from: "frame of reference", seriesInstanceUID)
    }

    /// The images that slice `k` of the volume comes from: one, or its neighbours where images were resampled onto the grid.
    func images(ofSlice k: Int) -> [ScanInstance] {
        guard isResampled else { return [instances[k]] }
        let normal = geometry.axes.k, place = Double(k) * geometry.spacing.z
        return instances.filter { abs(normal.dot($0.position - geometry.origin) - place) < geometry.spacing.z }
    }

    /// Where the first pixel of slice `k` lies: as its image says, where there is one.
    func position(ofSlice k: Int) -> PatientPoint { isResampled ? geometry.point(VoxelIndex(0, 0, k)) : instances[k].position }

    /// The first component of an attribute of the first image; `nil` where it is missing or empty.
    public func string(_ tag: DICOMTag) -> String? { header.string(tag) }
}

/// What objects of the same study take over.
extension SourceSeries {
    /// The zone that the study's times are in, as far as the images say; else this machine's.
    var timeZone: TimeZone {
        guard let text = header.string(.timezoneOffsetFromUTC), let offset = Int(text), abs(offset) <= 1400 else { return .current }
        return TimeZone(secondsFromGMT: (offset / 100 * 60 + offset % 100) * 60) ?? .current
    }

    func copyPatientAndStudy(to item: DICOMItem) {
        for tag in Self.neverMissing { item.setEmpty(tag) }
        // Attributes that may not be empty are in some files. Of the clinical trial all are taken over: a part of them is no module.
        let tags = Self.patientAndStudy.filter { $0.rawValue >> 16 == 0x0012 || !header.strings($0).isEmpty || !header.items($0).isEmpty }
        item.copy(tags, from: header)
    }

    func copyFrameOfReference(to item: DICOMItem) {
        item.set(.frameOfReferenceUID, frameOfReferenceUID)
        item.setEmpty(.positionReferenceIndicator)
        item.copy([.positionReferenceIndicator], from: header)
    }

    /// What images derived from lossily compressed ones must say, too.
    func copyCompressionHistory(to item: DICOMItem) {
        item.set(.lossyImageCompression, "00")
        guard header.string(.lossyImageCompression) == "01" else { return }
        item.copy([.lossyImageCompression, .lossyImageCompressionRatio, .lossyImageCompressionMethod], from: header)
    }

    /// Attributes of type 2: without a value where the source lacks them.
    private static let neverMissing: [DICOMTag] = [
        .studyDate, .studyTime, .accessionNumber, .referringPhysicianName, .patientName, .patientID, .patientBirthDate, .patientSex,
        .studyID,
    ]

    /// Patient, Clinical Trial Subject, General Study, Patient Study and Clinical Trial Study modules (PS3.3 C.7.1, C.7.2).
    private static let patientAndStudy: [DICOMTag] = [
        .specificCharacterSet, .timezoneOffsetFromUTC,
        .patientName, .patientID, 0x0010_0021, 0x0010_0022, 0x0010_0024, .patientBirthDate, 0x0010_0032, 0x0010_0033, 0x0010_0034,
        0x0010_0035, .patientSex,
        0x0010_0200, 0x0010_0212, 0x0010_0213, 0x0010_0214, 0x0010_0215, 0x0010_0216, 0x0010_0217, 0x0010_0218, 0x0010_0219, 0x0010_0221,
        0x0010_0222,
        0x0010_0223, 0x0010_1000, 0x0010_1001, 0x0010_1002, 0x0010_1005, 0x0010_1060, 0x0010_2160, 0x0010_2201, 0x0010_2202, 0x0010_2203,
        0x0010_2292, 0x0010_2293,
        0x0010_2294, 0x0010_2295, 0x0010_2296, 0x0010_2297, 0x0010_2298, 0x0010_2299, 0x0010_4000,
        0x0012_0010, 0x0012_0020, 0x0012_0021, 0x0012_0022, 0x0012_0030, 0x0012_0031, 0x0012_0040, 0x0012_0042, 0x0012_0050, 0x0012_0051,
        0x0012_0052,
        0x0012_0053, 0x0012_0062, 0x0012_0063, 0x0012_0064, 0x0012_0081, 0x0012_0082, 0x0012_0083,
        .studyInstanceUID, .studyDate, .studyTime, .accessionNumber, 0x0008_0051, .referringPhysicianName, 0x0008_0096, 0x0008_009C,
        0x0008_009D, .studyDescription,
        0x0008_1032, 0x0008_1048, 0x0008_1049, 0x0008_1060, 0x0008_1062, 0x0008_1080, 0x0008_1084, 0x0008_1110,
        0x0010_1010, 0x0010_1020, 0x0010_1021, 0x0010_1022, 0x0010_1023, 0x0010_1024, 0x0010_1030, 0x0010_2180, 0x0010_21A0, 0x0010_21B0,
        0x0010_21C0, 0x0010_2203,
        .studyID, 0x0032_1033, 0x0038_0010, 0x0038_0014, 0x0038_0060, 0x0038_0062, 0x0038_0064, 0x0038_0500,
    ]
}
