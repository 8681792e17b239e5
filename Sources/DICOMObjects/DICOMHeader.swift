import Foundation
import ImagingCore

/// What tells DICOM files of an archive apart: the attributes that studies and series are found by. Nothing of the pixels is read.
public struct DICOMHeader: Hashable, Sendable {
    public var sopClassUID = ""
    public var sopInstanceUID = ""
    public var studyInstanceUID = ""
    public var seriesInstanceUID = ""
    public var frameOfReferenceUID: String?
    public var modality = ""
    public var seriesDescription = ""
    public var studyDescription = ""
    public var bodyPart = ""
    /// As in DICOM: YYYYMMDD, and HHMMSS with what follows; of the acquisition where it is given, else of the series, else of the study.
    public var date = ""
    public var time = ""
    public var rows = 0
    public var columns = 0
    public var frames = 1
    /// Patient ID and birth date, only to compare.
    public var patientID = ""
    public var patientBirthDate = ""

    /// Reads the header of a file.
    ///
    /// Little endian files with a meta header, which nearly all are, are read from the start as far as the last attribute that is needed;
    /// all others, and texts outside ASCII, through `DICOMDataset`. Throws for what is not DICOM.
    public init(contentsOf url: URL) throws(DICOMError) {
        if let header = HeaderReader.read(url.path) {
            self = header
        } else {
            self.init(try DICOMDataset(contentsOf: url, extent: .upToPixelData))
        }
    }

    /// The headers of many files in their order; `nil` for one that is not DICOM or cannot be read.
    public static func read(_ files: [FolderWalk.File]) -> [DICOMHeader?] {
        mapSlabs(of: files.count, slab: 64) { range in range.map { try? DICOMHeader(contentsOf: files[$0].url) } }.flatMap { $0 }
    }

    init() {}

    init(_ dataset: DICOMDataset) {
        sopClassUID = dataset.string(.sopClassUID) ?? dataset.metaHeader.string(.mediaStorageSOPClassUID) ?? ""
        sopInstanceUID = dataset.string(.sopInstanceUID) ?? ""
        studyInstanceUID = dataset.string(.studyInstanceUID) ?? ""
        seriesInstanceUID = dataset.string(.seriesInstanceUID) ?? ""
        frameOfReferenceUID = dataset.string(.frameOfReferenceUID)
        modality = dataset.string(.modality) ?? ""
        seriesDescription = dataset.string(.seriesDescription) ?? ""
        studyDescription = dataset.string(.studyDescription) ?? ""
        bodyPart = dataset.string(Self.bodyPartExamined) ?? ""
        patientID = dataset.string(.patientID) ?? ""
        patientBirthDate = dataset.string(.patientBirthDate) ?? ""
        (rows, columns) = (dataset.integer(.rows) ?? 0, dataset.integer(.columns) ?? 0)
        frames = dataset.integer(.numberOfFrames) ?? 1
        for (dateTag, timeTag) in Self.dates {
            guard let date = dataset.string(dateTag) else { continue }
            (self.date, time) = (date, dataset.string(timeTag) ?? "")
            break
        }
    }

    static let bodyPartExamined: DICOMTag = 0x0018_0015
    /// Date and time of acquisition, series and study.
    static let dates: [(DICOMTag, DICOMTag)] = [(0x0008_0022, 0x0008_0032), (0x0008_0021, 0x0008_0031), (0x0008_0020, 0x0008_0030)]
}

/// Reads the attributes of `DICOMHeader` from the first bytes of a file.
private struct HeaderReader {
    /// Enough for the header of nearly every image.
    private static let firstRead = 8 << 10
    private static let largestRead = 4 << 20

    /// `nil` for a file that has to be read in another way.
    static func read(_ path: String) -> DICOMHeader? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var size = firstRead
        while size <= largestRead {
            let outcome = withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { buffer -> Outcome in
                let count = pread(descriptor, buffer.baseAddress, size, 0)
                guard count > 0 else { return .unreadable }
                var reader = HeaderReader(bytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]), isWhole: count < size)
                return reader.parse()
            }
            switch outcome {
            case .header(let header): return header
            case .unreadable: return nil
            case .tooShort: size *= 8
            }
        }
        return nil
    }

    private enum Outcome { case header(DICOMHeader), unreadable, tooShort }
    private enum Stop: Error { case unreadable, tooShort }

    private let bytes: UnsafeRawBufferPointer
    /// Whether the file ends with these bytes.
    private let isWhole: Bool
    private var offset = 0
    private var isExplicit = true
    private var header = DICOMHeader()
    /// Of acquisition, series and study: three dates, then three times.
    private var dates: [String] = Array(repeating: "", count: 6)

    private init(bytes: UnsafeRawBufferPointer, isWhole: Bool) { (self.bytes, self.isWhole) = (bytes, isWhole) }

    private mutating func parse() -> Outcome {
        do {
            try readMeta()
            while offset < bytes.count || !isWhole {
                guard try readElement() else { break }
            }
        } catch {
            return error == .tooShort && !isWhole ? .tooShort : .unreadable
        }
        for index in 0..<3 where !dates[index].isEmpty {
            (header.date, header.time) = (dates[index], dates[index + 3])
            break
        }
        return .header(header)
    }

    private func need(_ count: Int) throws(Stop) { if offset + count > bytes.count || count < 0 { throw .tooShort } }

    private mutating func u16() throws(Stop) -> Int {
        try need(2)
        defer { offset += 2 }
        return Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self).littleEndian)
    }
    private mutating func u32() throws(Stop) -> Int {
        try need(4)
        defer { offset += 4 }
        return Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian)
    }

    /// The meta header, which is always explicit VR little endian.
    private mutating func readMeta() throws(Stop) {
        guard bytes.count > 132, bytes[128...131].elementsEqual("DICM".utf8) else { throw .unreadable }
        offset = 132
        var syntax = ""
        while offset + 8 <= bytes.count, bytes[offset] == 2, bytes[offset + 1] == 0 {
            let (tag, length) = try elementHeader()
            try need(length)
            if tag == 0x0002_0010 { syntax = try ascii(length) }
            if tag == 0x0002_0002 { header.sopClassUID = try ascii(length) }
            offset += length
        }
        switch syntax {
        case "1.2.840.10008.1.2": isExplicit = false
        case "", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99": throw .unreadable  // Unknown, big endian, deflated.
        default: isExplicit = true
        }
    }

    /// The tag and the length of the value, −1 for one of undefined length.
    private mutating func elementHeader() throws(Stop) -> (tag: Int, length: Int) {
        let group = try u16(), element = try u16(), tag = group << 16 | element
        guard isExplicit, group != 0xfffe else {
            let length = try u32()
            return (tag, length == 0xffff_ffff ? -1 : length)
        }
        try need(4)
        let (a, b) = (bytes[offset], bytes[offset + 1])
        offset += 2
        guard (0x41...0x5a).contains(a), (0x41...0x5a).contains(b) else { throw .unreadable }
        switch (a, b) {
        case (0x4f, _), (0x53, 0x51), (0x53, 0x56), (0x55, 0x43), (0x55, 0x4e), (0x55, 0x52), (0x55, 0x54), (0x55, 0x56):  // O?, SQ, SV, UC, UN, UR, UT, UV
            offset += 2
            let length = try u32()
            return (tag, length == 0xffff_ffff ? -1 : length)
        default: return (tag, try u16())
        }
    }

    /// Reads or passes over one element. Returns whether more are needed.
    private mutating func readElement() throws(Stop) -> Bool {
        let (tag, length) = try elementHeader()
        guard tag <= 0x0028_0011 else { return false }
        guard length >= 0 else {
            try skipItems()
            return true
        }
        if length > bytes.count - offset {
            // A value that ends past the file is for the careful reader.
            throw isWhole ? .unreadable : .tooShort
        }
        switch tag {
        case 0x0008_0016: header.sopClassUID = try ascii(length)
        case 0x0008_0018: header.sopInstanceUID = try ascii(length)
        case 0x0008_0022: dates[0] = try ascii(length)
        case 0x0008_0021: dates[1] = try ascii(length)
        case 0x0008_0020: dates[2] = try ascii(length)
        case 0x0008_0032: dates[3] = try ascii(length)
        case 0x0008_0031: dates[4] = try ascii(length)
        case 0x0008_0030: dates[5] = try ascii(length)
        case 0x0008_0060: header.modality = try ascii(length)
        case 0x0008_1030: header.studyDescription = try ascii(length)
        case 0x0008_103e: header.seriesDescription = try ascii(length)
        case 0x0010_0020: header.patientID = try ascii(length)
        case 0x0010_0030: header.patientBirthDate = try ascii(length)
        case 0x0018_0015: header.bodyPart = try ascii(length)
        case 0x0020_000d: header.studyInstanceUID = try ascii(length)
        case 0x0020_000e: header.seriesInstanceUID = try ascii(length)
        case 0x0020_0052: header.frameOfReferenceUID = try ascii(length).nonEmpty
        case 0x0028_0008: header.frames = Int(try ascii(length)) ?? 1
        case 0x0028_0010, 0x0028_0011:
            guard length == 2 else { throw .unreadable }
            let value = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self).littleEndian)
            if tag == 0x0028_0010 { header.rows = value } else { header.columns = value }
        default: break
        }
        offset += length
        return tag < 0x0028_0011
    }

    /// Passes over the items of a sequence of undefined length.
    private mutating func skipItems() throws(Stop) {
        while true {
            let (tag, length) = try elementHeader()
            if tag == 0xfffe_e0dd { return }
            guard tag == 0xfffe_e000 else { throw .unreadable }
            if length >= 0 { try pass(length) } else { try skipItem() }
        }
    }

    private mutating func skipItem() throws(Stop) {
        while true {
            let (tag, length) = try elementHeader()
            if tag == 0xfffe_e00d { return }
            if length >= 0 { try pass(length) } else { try skipItems() }
        }
    }

    private mutating func pass(_ length: Int) throws(Stop) {
        try need(length)
        offset += length
    }

    /// The first component of a text of ASCII characters, without blanks around it. Others depend on the file's character set.
    private func ascii(_ length: Int) throws(Stop) -> String {
        var first = offset, end = offset
        let limit = offset + length
        while end < limit, bytes[end] != 0x5c {
            guard bytes[end] < 0x80, bytes[end] != 0x1b else { throw .unreadable }
            end += 1
        }
        while first < end, bytes[first] == 0x20 || bytes[first] == 0 { first += 1 }
        while end > first, bytes[end - 1] == 0x20 || bytes[end - 1] == 0 { end -= 1 }
        return String(decoding: bytes[first..<end], as: UTF8.self)
    }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
