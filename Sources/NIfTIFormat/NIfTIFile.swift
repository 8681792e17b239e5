import CZlib
import Foundation
import ImagingCore

/// A volume read from a NIfTI-1 file.
public struct NIfTIImage: Sendable {
    /// The voxel values after slope and intercept, on the grid as stored (any axis order, either handedness), in LPS millimetres.
    /// There is no frame of reference UID. Voxels that are not a number read as 0.
    public var volume: Volume<Float>
    /// How the voxels are stored in the file.
    public var datatype: NIfTIDatatype
    /// What a person should know about the file.
    public var findings: [Finding]
}

/// NIfTI-1 files: `.nii`, `.nii.gz`, and `.hdr` with `.img`.
public enum NIfTIFile {
    /// The version of zlib.
    public static var compressionLibraryVersion: String { String(cString: zlibVersion()) }

    /// Whether a file is called as NIfTI files are; its content is not looked at.
    public static func isNamed(_ url: URL) -> Bool {
        let name = url.lastPathComponent.lowercased()
        return [".nii", ".nii.gz", ".hdr", ".img", ".img.gz"].contains { name.hasSuffix($0) }
    }

    /// Reads the one volume of a NIfTI-1 file.
    ///
    /// Compression is told by content. The sform is used when its code is positive, else the qform, else the voxel sizes alone,
    /// which is a warning. Slope 0 means "no scaling". Two-dimensional images count as one slice; dimensions beyond the third
    /// must be 1.
    public static func read(_ url: URL) throws(NIfTIError) -> NIfTIImage {
        let headerURL = url.replacingSuffix("img", by: "hdr") ?? url
        let headerFile = try ByteReader(headerURL)
        let bytes = try headerFile.bytes(NIfTIHeader.byteCount)
        guard bytes.count == NIfTIHeader.byteCount else {
            throw .truncated(headerURL, expectedBytes: NIfTIHeader.byteCount, foundBytes: bytes.count)
        }
        let header = try NIfTIHeader(parsing: bytes, of: headerURL)
        guard let datatype = NIfTIDatatype(rawValue: header.datatypeCode) else {
            throw .unsupportedDatatype(url, code: Int(header.datatypeCode))
        }
        let size = try header.gridSize(of: headerURL)
        var (geometry, findings) = try header.gridGeometry(size: size, of: headerURL)

        let dataFile: ByteReader
        switch header.layout {
        case .singleFile: dataFile = headerFile
        case .pair: dataFile = try ByteReader(url.replacingSuffix("hdr", by: "img") ?? url)
        }
        let offset = try header.voxelOffset(of: url)
        let byteCount = size.voxelCount * datatype.byteCount
        guard offset + byteCount <= dataFile.largestByteCount else {
            throw .truncated(url, expectedBytes: offset + byteCount, foundBytes: dataFile.largestByteCount)
        }
        try dataFile.skip(to: offset)
        let scaling = header.scaling(of: url, findings: &findings)
        let decoder = VoxelDecoder(
            datatype: datatype, isByteSwapped: header.isByteSwapped, slope: scaling.slope, intercept: scaling.intercept)
        var notNumbers = 0
        let volume = try Volume<Float>(geometry: geometry) { (voxels) throws(NIfTIError) in
            notNumbers = try decoder.decode(dataFile, of: url, into: voxels)
        }
        // Reading past the voxels makes zlib compare the checksum.
        _ = try dataFile.bytes(1)
        if notNumbers > 0 {
            findings.append(Finding(
                .warning, "nifti-not-a-number", "Voxels of \(url.lastPathComponent) that are not a number are read as 0: \(notNumbers).",
                remedy: "Export the file again if these voxels matter."))
        }
        return NIfTIImage(volume: volume, datatype: datatype, findings: findings)
    }

    /// Writes a volume with exact sform and qform; compressed when the name ends in `.gz`. Replaces a file only when complete.
    public static func write<Voxel: NIfTIVoxel>(_ volume: Volume<Voxel>, to url: URL) throws(NIfTIError) {
        let header = try NIfTIHeader(describing: volume.geometry, datatype: Voxel.niftiDatatype, url: url)
        let file = try ByteWriter(url)
        try file.write(header.encoded())
        try volume.withUnsafeVoxels { (voxels) throws(NIfTIError) in try file.write(UnsafeRawBufferPointer(voxels)) }
        try file.finish()
    }

    /// Writes 0 and 1 as unsigned bytes.
    public static func write(_ mask: Mask, to url: URL) throws(NIfTIError) { try write(mask.voxels, to: url) }

    /// Writes the field, positive inside, in millimetres near the surface.
    public static func write(_ levelSet: LevelSet, to url: URL) throws(NIfTIError) { try write(levelSet.field, to: url) }

    /// Writes a scan with the voxel type that it has in memory.
    public static func write(_ scan: ScanVolume, to url: URL) throws(NIfTIError) {
        switch scan {
        case .int16(let volume): try write(volume, to: url)
        case .float32(let volume): try write(volume, to: url)
        }
    }
}

/// The voxel types that can be written.
public protocol NIfTIVoxel: VoxelValue {
    static var niftiDatatype: NIfTIDatatype { get }
}
extension UInt8: NIfTIVoxel { public static var niftiDatatype: NIfTIDatatype { .uint8 } }
extension Int16: NIfTIVoxel { public static var niftiDatatype: NIfTIDatatype { .int16 } }
extension UInt16: NIfTIVoxel { public static var niftiDatatype: NIfTIDatatype { .uint16 } }
extension Int32: NIfTIVoxel { public static var niftiDatatype: NIfTIDatatype { .int32 } }
extension Float: NIfTIVoxel { public static var niftiDatatype: NIfTIDatatype { .float32 } }

extension NIfTIHeader {
    init(describing geometry: GridGeometry, datatype: NIfTIDatatype, url: URL) throws(NIfTIError) {
        self.init()
        let counts = [geometry.size.i, geometry.size.j, geometry.size.k]
        guard counts.allSatisfy({ $0 <= Int(Int16.max) }) else {
            throw .cannotWrite(url, reason: "NIfTI-1 holds at most \(Int16.max) voxels along an axis")
        }
        for axis in 0..<3 { dimensions[axis] = Int16(counts[axis]) }
        datatypeCode = datatype.rawValue
        bitsPerVoxel = Int16(8 * datatype.byteCount)
        setOrientation(geometry)
    }

    /// The size of the one volume in the file.
    func gridSize(of url: URL) throws(NIfTIError) -> GridSize {
        guard (1...7).contains(dimensionCount) else {
            throw .badDimensions(url, dimensions: [Int(dimensionCount)] + dimensions.map(Int.init))
        }
        let counts = dimensions.prefix(Int(dimensionCount)).map(Int.init)
        guard counts.allSatisfy({ $0 >= 1 }) else { throw .badDimensions(url, dimensions: counts) }
        guard counts.dropFirst(3).allSatisfy({ $0 == 1 }) else { throw .notSingleVolume(url, dimensions: counts) }
        let size = GridSize(counts[0], counts.count > 1 ? counts[1] : 1, counts.count > 2 ? counts[2] : 1)
        guard size.voxelCount <= GridGeometry.maximumVoxelCount else { throw .badDimensions(url, dimensions: counts) }
        return size
    }

    func voxelOffset(of url: URL) throws(NIfTIError) -> Int {
        if layout == .singleFile, dataOffset == 0 { return Self.singleFileDataOffset }
        let least: Float = layout == .singleFile ? Float(Self.singleFileDataOffset) : 0
        guard dataOffset >= least, dataOffset <= 1e9 else { throw .badDataOffset(url, dataOffset) }
        return Int(dataOffset)
    }

    fileprivate func scaling(of url: URL, findings: inout [Finding]) -> (slope: Double, intercept: Double) {
        if slope == 0 { return (1, 0) }
        guard slope.isFinite, intercept.isFinite else {
            findings.append(Finding(
                .warning, "nifti-scaling",
                "The slope (\(slope)) or intercept (\(intercept)) of \(url.lastPathComponent) is not finite; stored values are used unscaled."))
            return (1, 0)
        }
        return (Double(slope), Double(intercept))
    }
}

extension URL {
    /// `x.img.gz` → `x.hdr.gz` for "img" → "hdr"; `nil` when the name does not end so.
    fileprivate func replacingSuffix(_ old: String, by new: String) -> URL? {
        let isCompressed = pathExtension.lowercased() == "gz"
        let bare = isCompressed ? deletingPathExtension() : self
        guard bare.pathExtension.lowercased() == old else { return nil }
        let other = bare.deletingPathExtension().appendingPathExtension(new)
        let candidates = isCompressed ? [other.appendingPathExtension("gz"), other] : [other, other.appendingPathExtension("gz")]
        return candidates.first { FileManager.default.fileExists(atPath: $0.path) } ?? candidates[0]
    }
}
