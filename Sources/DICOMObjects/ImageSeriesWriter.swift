import CDCMTK
import Foundation
import ImagingCore

/// Writes a volume as a series of single-frame CT or MR images.
public struct ImageSeriesWriter: Sendable {
    public var header: ImageSeriesHeader
    public var transferSyntax: WritableTransferSyntax

    public init(header: ImageSeriesHeader, transferSyntax: WritableTransferSyntax = .explicitLittleEndian) {
        (self.header, self.transferSyntax) = (header, transferSyntax)
    }

    /// Writes one file per slice into `folder`, which must exist, and returns the files by slice (`k` ascending).
    ///
    /// File names say nothing of the order. SOP instance UIDs follow from the series UID and the slice; the same input gives the
    /// same bytes. Whole numbers are kept exactly; other values are scaled to 16 bits over the volume's range.
    /// Throws `ImageWritingError`.
    @discardableResult
    public func write(_ volume: ScanVolume, to folder: URL) throws -> [URL] {
        let geometry = volume.geometry
        guard geometry.frameOfReferenceUID != nil else { throw ImageWritingError.noFrameOfReference }
        guard geometry.axes.isRightHanded else { throw ImageWritingError.axesNotRightHanded }
        guard geometry.size.i <= 0xFFFF, geometry.size.j <= 0xFFFF else { throw ImageWritingError.planeTooLarge(geometry.size) }

        let encoding = PixelEncoding(volume, modality: header.modality)
        let common = commonElements(geometry: geometry, encoding: encoding)
        let outcomes = mapSlabs(of: geometry.size.k, slab: 1) { range -> Result<URL, ImageWritingError> in
            let k = range.lowerBound
            let sopInstanceUID = DerivedUID.make(from: "instance", header.seriesInstanceUID, "\(k)")
            let file = folder.appendingPathComponent("IM" + String(sopInstanceUID.suffix(10)))
            let elements = common + sliceElements(k, geometry: geometry, sopInstanceUID: sopInstanceUID) + header.furtherElements
            return Self.writeFile(
                file, elements: elements, pixels: encoding.pixels(ofSlice: k, in: volume), size: geometry.size,
                transferSyntax: transferSyntax)
        }
        return try outcomes.map { try $0.get() }
    }

    private func commonElements(geometry: GridGeometry, encoding: PixelEncoding) -> [ImageSeriesHeader.Element] {
        typealias Element = ImageSeriesHeader.Element
        let axes = geometry.axes
        let acquisitionTime = Self.time(header.studyTime, plusSeconds: header.secondsIntoStudy)
        let isCT = header.modality == .ct
        var elements = [
            Element(0x0008, 0x0005, "ISO_IR 192"),
            Element(0x0008, 0x0008, isCT ? "ORIGINAL\\PRIMARY\\AXIAL" : "ORIGINAL\\PRIMARY\\OTHER"),
            Element(0x0008, 0x0016, isCT ? "1.2.840.10008.5.1.4.1.1.2" : "1.2.840.10008.5.1.4.1.1.4"),
            Element(0x0008, 0x0020, header.studyDate), Element(0x0008, 0x0021, header.studyDate),
            Element(0x0008, 0x0022, header.studyDate), Element(0x0008, 0x0023, header.studyDate),
            Element(0x0008, 0x0030, header.studyTime), Element(0x0008, 0x0031, acquisitionTime),
            Element(0x0008, 0x0032, acquisitionTime), Element(0x0008, 0x0033, acquisitionTime),
            Element(0x0008, 0x0050, ""), Element(0x0008, 0x0060, header.modality.rawValue),
            Element(0x0008, 0x0070, header.manufacturer), Element(0x0008, 0x0090, ""),
            Element(0x0008, 0x1030, header.studyDescription), Element(0x0008, 0x103E, header.seriesDescription),
            Element(0x0010, 0x0010, header.patient.name), Element(0x0010, 0x0020, header.patient.id),
            Element(0x0010, 0x0030, header.patient.birthDate), Element(0x0010, 0x0040, header.patient.sex),
            Element(0x0018, 0x0050, DecimalString.text(header.sliceThicknessMM)), Element(0x0018, 0x5100, header.patientPosition),
            Element(0x0020, 0x000D, header.studyInstanceUID), Element(0x0020, 0x000E, header.seriesInstanceUID),
            Element(0x0020, 0x0010, "1"), Element(0x0020, 0x0011, "\(header.seriesNumber)"),
            Element(0x0020, 0x0012, "\(header.seriesNumber)"),
            Element(0x0020, 0x0037, Self.decimals(axes.i.lps, axes.j.lps)),
            Element(0x0020, 0x0052, geometry.frameOfReferenceUID!), Element(0x0020, 0x1040, ""),
            Element(0x0028, 0x0002, "1"), Element(0x0028, 0x0004, "MONOCHROME2"),
            Element(0x0028, 0x0030, "\(DecimalString.text(geometry.spacing.y))\\\(DecimalString.text(geometry.spacing.x))"),
            Element(0x0028, 0x0100, "16"), Element(0x0028, 0x0101, "\(encoding.bitsStored)"),
            Element(0x0028, 0x0102, "\(encoding.bitsStored - 1)"), Element(0x0028, 0x0103, encoding.isSigned ? "1" : "0"),
            Element(0x0028, 0x1050, DecimalString.text(header.windowCenter)),
            Element(0x0028, 0x1051, DecimalString.text(header.windowWidth)),
        ]
        if !header.bodyPartExamined.isEmpty { elements.append(Element(0x0018, 0x0015, header.bodyPartExamined)) }
        if isCT {
            elements.append(Element(0x0018, 0x0060, "120"))
        } else {
            elements += [
                Element(0x0018, 0x0020, "GR"), Element(0x0018, 0x0021, "SP"), Element(0x0018, 0x0022, ""), Element(0x0018, 0x0023, "3D"),
                Element(0x0018, 0x0080, "4.1"), Element(0x0018, 0x0081, "1.9"), Element(0x0018, 0x0091, "1"),
            ]
        }
        if isCT || encoding.slope != 1 || encoding.intercept != 0 {
            elements += [
                Element(0x0028, 0x1052, DecimalString.text(encoding.intercept)),
                Element(0x0028, 0x1053, DecimalString.text(encoding.slope)),
                Element(0x0028, 0x1054, isCT ? "HU" : "US"),
            ]
        }
        return elements
    }

    private func sliceElements(_ k: Int, geometry: GridGeometry, sopInstanceUID: String) -> [ImageSeriesHeader.Element] {
        let position = geometry.point(VoxelIndex(0, 0, k))
        return [
            .init(0x0008, 0x0018, sopInstanceUID), .init(0x0020, 0x0013, "\(k + 1)"), .init(0x0020, 0x0032, Self.decimals(position.lps)),
            .init(0x0020, 0x1041, DecimalString.text((position.lps * geometry.axes.k.lps).sum())),
        ]
    }

    private static func writeFile(
        _ file: URL, elements: [ImageSeriesHeader.Element], pixels: [UInt16], size: GridSize, transferSyntax: WritableTransferSyntax
    ) -> Result<URL, ImageWritingError> {
        var message = [CChar](repeating: 0, count: 512)
        let texts = elements.map { strdup($0.value)! }
        defer { texts.forEach { free($0) } }
        let entries = zip(elements, texts).map { cdcmtk_text_element(group: $0.group, element: $0.element, value: UnsafePointer($1)) }
        let status = cdcmtk_write_image(
            file.path, entries, entries.count, pixels, UInt16(size.j), UInt16(size.i), transferSyntax.rawValue, &message, message.count)
        guard status == 0 else {
            let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return .failure(.fileNotWritten(path: file.path, reason: reason))
        }
        return .success(file)
    }

    private static func decimals(_ vectors: SIMD3<Double>...) -> String {
        vectors.flatMap { [$0.x, $0.y, $0.z].map(DecimalString.text) }.joined(separator: "\\")
    }

    private static func time(_ time: String, plusSeconds seconds: Int) -> String {
        guard time.count == 6, let digits = Int(time) else { return time }
        let total = (digits / 10000 * 3600 + digits / 100 % 100 * 60 + digits % 100 + seconds) % 86400
        return String(format: "%02d%02d%02d", total / 3600, total / 60 % 60, total % 60)
    }
}

/// How values become stored 16-bit pixels: value = slope · stored + intercept.
private struct PixelEncoding {
    let slope, intercept: Double
    let bitsStored: Int
    let isSigned: Bool

    init(_ volume: ScanVolume, modality: Modality) {
        switch volume {
        case .int16(let volume):
            let range = volume.valueRange()
            let offset = modality == .ct ? -1024 : 0
            if Int(range.lowerBound) >= offset, Int(range.upperBound) < offset + 4096 {
                (slope, intercept, bitsStored, isSigned) = (1, Double(offset), 12, false)
            } else {
                (slope, intercept, bitsStored, isSigned) = (1, 0, 16, true)
            }
        case .float32(let volume):
            let range = volume.valueRange()
            let width = Double(range.upperBound) - Double(range.lowerBound)
            slope = width > 0 ? Double(DecimalString.text(width / 65535))! : 1
            intercept = Double(DecimalString.text(Double(range.lowerBound)))!
            (bitsStored, isSigned) = (16, false)
        }
    }

    func pixels(ofSlice k: Int, in volume: ScanVolume) -> [UInt16] {
        let count = volume.geometry.size.sliceVoxelCount
        return [UInt16](unsafeUninitializedCapacity: count) { pixels, initialized in
            switch volume {
            case .int16(let volume):
                let offset = Int16(intercept)
                volume.withUnsafeVoxels { voxels in
                    for index in 0..<count { pixels[index] = UInt16(bitPattern: voxels[k * count + index] &- offset) }
                }
            case .float32(let volume):
                volume.withUnsafeVoxels { voxels in
                    for index in 0..<count {
                        let stored = ((Double(voxels[k * count + index]) - intercept) / slope).rounded()
                        pixels[index] = UInt16(min(max(stored, 0), 65535))
                    }
                }
            }
            initialized = count
        }
    }
}
