import CDCMTK
import Foundation
import ImagingCore

/// The stored cells of a segmentation's frames.
struct SegmentationCells: Sendable {
    enum Width: Sendable {
        /// Eight to a byte, lowest bit first, without a gap from frame to frame (PS3.5 8.1.1).
        case bit
        case byte
        case word
    }

    let width: Width
    let cellsPerFrame: Int
    let bytes: [UInt8]
    let findings: [Finding]

    init(_ file: SegmentationFile, encoding: DICOMSegmentation.Encoding, frameCount: Int) throws(DICOMError) {
        let dataset = file.dataset
        if let announced = dataset.integer(.numberOfFrames), announced != frameCount {
            throw file.broken("announces \(announced) frames but places \(frameCount)")
        }
        guard let rows = dataset.integer(.rows), let columns = dataset.integer(.columns) else {
            throw file.broken("has no Rows and Columns")
        }
        let (cells, overflow) = (rows * columns).multipliedReportingOverflow(by: frameCount)
        guard !overflow, cells < 1 << 40 else { throw file.broken("has an impossible size") }
        let needed: Int
        switch (encoding, dataset.integer(.bitsAllocated) ?? 0) {
        case (.binary, 1): (width, needed) = (.bit, (cells + 7) / 8)
        case (.binary, 8), (.fractional, 8), (.labelMap, 8): (width, needed) = (.byte, cells)
        case (.labelMap, 16): (width, needed) = (.word, 2 * cells)
        case (_, let bits): throw file.broken("has \(bits) bits allocated per voxel, which its Segmentation Type does not allow")
        }
        cellsPerFrame = rows * columns
        guard dataset.contains(.pixelData) else { throw file.broken("has no pixel data") }
        bytes = try Self.pixelBytes(dataset, frameCount: frameCount, width: width)
        guard bytes.count >= needed else { throw file.broken("ends early: its pixel data hold \(bytes.count) bytes, \(needed) are needed") }
        findings = bytes.count <= needed + 1 ? [] : [Finding(
            .warning, "segmentation-pixels-long",
            "\(file.url.lastPathComponent) has \(bytes.count) bytes of pixel data where \(needed) are needed; the rest is passed over.",
            remedy: "Compare the mask with the images before relying on it.")]
    }

    private static func pixelBytes(_ dataset: DICOMDataset, frameCount: Int, width: Width) throws(DICOMError) -> [UInt8] {
        do {
            return try dataset.bytes(.pixelData) ?? []
        } catch {
            // Compressed cells (RLE, JPEG-LS) come frame by frame; bits are never compressed that way.
            guard error.finding.code == "not-supported", width != .bit else { throw error }
            return try decodedFrames(dataset, frameCount: frameCount)
        }
    }

    private static func decodedFrames(_ dataset: DICOMDataset, frameCount: Int) throws(DICOMError) -> [UInt8] {
        var status = cdcmtk_status()
        let size = Int(cdcmtk_frame_size(dataset.file.handle, &status))
        guard size > 0 else { throw DICOMError(status, file: dataset.url) }
        let padded = size + (size & 1)  // A codec may round an odd frame up to a whole word.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: padded, alignment: 16)
        defer { buffer.deallocate() }
        var bytes: [UInt8] = []
        var fragment: UInt32 = 0
        for frame in 0..<frameCount {
            guard Int(cdcmtk_decode_frame(
                dataset.file.handle, UInt32(frame), &fragment, buffer.baseAddress, Int64(padded), &status
            )) == size else {
                throw DICOMError(status, file: dataset.url)
            }
            bytes += buffer.prefix(size)
        }
        return bytes
    }

    /// Calls `body` with the value of each cell of a frame, in order.
    @inline(__always)
    func forEachCell(ofFrame frame: Int, _ body: (_ cell: Int, _ value: UInt16) -> Void) {
        let first = frame * cellsPerFrame
        bytes.withUnsafeBufferPointer { bytes in
            switch width {
            case .bit: for cell in 0..<cellsPerFrame { body(cell, UInt16(bytes[(first &+ cell) >> 3] >> UInt8((first &+ cell) & 7) & 1)) }
            case .byte: for cell in 0..<cellsPerFrame { body(cell, UInt16(bytes[first &+ cell])) }
            case .word:
                for cell in 0..<cellsPerFrame {
                    body(cell, UInt16(bytes[2 &* (first &+ cell)]) | UInt16(bytes[2 &* (first &+ cell) &+ 1]) << 8)
                }
            }
        }
    }
}

extension DICOMSegmentation {
    /// The share of each voxel that belongs to the segment, or the probability that it does, 0 … 1, on `geometry`.
    public func fraction(of segment: Segment) -> Volume<Float> {
        var volume = Volume<Float>(geometry: geometry, repeating: 0)
        volume.withUnsafeMutableVoxels { voxels in
            fill(voxels, with: segment) { value in
                switch encoding {
                case .binary: value != 0 ? 1 : 0
                case .fractional(_, let maximum): min(1, Float(value) / Float(maximum))
                case .labelMap: Int(value) == segment.number ? 1 : 0
                }
            }
        }
        return volume
    }

    /// The voxels of the segment on `geometry`; of a fractional segment those with at least one half.
    public func mask(of segment: Segment) -> Mask {
        var mask = Mask(empty: geometry)
        mask.withUnsafeMutableVoxels { voxels in
            fill(voxels, with: segment) { value in
                switch encoding {
                case .binary: value != 0 ? 1 : 0
                case .fractional(_, let maximum): 2 * Int(value) >= maximum ? 1 : 0
                case .labelMap: Int(value) == segment.number ? 1 : 0
                }
            }
        }
        return mask
    }

    /// Where two frames show one segment on one plane, the larger value counts.
    @inline(__always)
    private func fill<Voxel: Comparable>(_ voxels: UnsafeMutableBufferPointer<Voxel>, with segment: Segment, _ voxel: (UInt16) -> Voxel) {
        let perSlice = geometry.size.sliceVoxelCount
        for (index, frame) in frames.enumerated() where frame.holds(segment.number) {
            let start = frame.slice * perSlice
            cells.forEachCell(ofFrame: index) { cell, value in voxels[start &+ cell] = max(voxels[start &+ cell], voxel(value)) }
        }
    }
}
