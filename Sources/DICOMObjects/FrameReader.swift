import CDCMTK
import Foundation
import ImagingCore

#if canImport(Glibc)
import Glibc
#endif

/// Reads frames of one file as stored cells. One thread at a time.
final class FrameReader {
    private let file: ImageFile
    private let format: PixelFormat
    private var descriptor: Int32 = -1
    private var decoder: DICOMDataset?
    private var fragment: UInt32 = 0
    private var nextFrame = 0

    /// Expects a file that was not refused.
    init(_ file: ImageFile) throws(DICOMError) {
        self.file = file
        format = file.pixelFormat!
        if file.nativePixelsOffset != nil {
            descriptor = open(file.url.path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw Self.failure(file, "it cannot be opened", code: "cannot-open") }
        } else {
            decoder = try DICOMDataset(contentsOf: file.url)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Fills `cells`, which has `bytesPerFrame` bytes, with frame `index` in this machine's byte order.
    func read(frame index: Int, into cells: UnsafeMutableRawBufferPointer) throws(DICOMError) {
        precondition(cells.count == format.bytesPerFrame)
        if let offset = file.nativePixelsOffset {
            try readNative(at: offset + index * format.bytesPerFrame, into: cells)
        } else {
            try decode(frame: index, into: cells)
        }
    }

    private func readNative(at offset: Int, into cells: UnsafeMutableRawBufferPointer) throws(DICOMError) {
        var done = 0
        while done < cells.count {
            let count = pread(descriptor, cells.baseAddress! + done, cells.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(file, "its pixel data end early", code: "truncated-pixel-data") }
            done += count
        }
    }

    private func decode(frame index: Int, into cells: UnsafeMutableRawBufferPointer) throws(DICOMError) {
        var status = cdcmtk_status()
        let handle = decoder!.file.handle
        // Fragments can only be followed forwards; 0 lets DCMTK find the frame itself.
        if index != nextFrame { fragment = 0 }
        let size = Int(cdcmtk_frame_size(handle, &status))
        guard size > 0 else { throw DICOMError(status, file: file.url) }
        guard size == cells.count else { throw Self.failure(file, "its header changed while it was read", code: "broken-file") }
        // A codec may round an odd frame up to a whole word.
        let padded = size + (size & 1)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: padded, alignment: 16)
        defer { buffer.deallocate() }
        guard Int(cdcmtk_decode_frame(handle, UInt32(index), &fragment, buffer.baseAddress, Int64(padded), &status)) == size else {
            throw DICOMError(status, file: file.url)
        }
        cells.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<size]))
        nextFrame = index + 1
    }

    private static func failure(_ file: ImageFile, _ what: String, code: String) -> DICOMError {
        DICOMError(Finding(.error, code, "\(file.url.path) is broken: \(what).", remedy: "Export or copy the file again."))
    }
}

extension FrameReader {
    /// The stored numbers of a frame: cells without unused bits, with their sign.
    static func storedValues(frame: Int, of file: ImageFile) throws(DICOMError) -> [Int32] {
        let format = file.pixelFormat!
        let cells = UnsafeMutableRawBufferPointer.allocate(byteCount: format.bytesPerFrame, alignment: 16)
        defer { cells.deallocate() }
        try FrameReader(file).read(frame: frame, into: cells)
        var values = [Int32](repeating: 0, count: format.pixelsPerFrame)
        values.withUnsafeMutableBufferPointer { StoredCells(format).unpack(cells, into: $0) }
        return values
    }

    /// The rescaled values of a slice; `nil` when they cannot be read.
    static func realValues(of slice: Slice, in files: [ImageFile]) -> [Double]? {
        let rescale = slice.frame.rescale ?? .identity
        return try? storedValues(frame: slice.frame.index, of: files[slice.file]).map { rescale(Int($0)) }
    }
}

/// Turns stored cells into numbers (PS3.5 §8.1.1): Bits Stored up to High Bit, two's complement where signed.
struct StoredCells {
    private let format: PixelFormat
    /// Shifts that push out the bits above High Bit, and then those below the value.
    private let up, down: Int

    init(_ format: PixelFormat) {
        self.format = format
        up = format.bitsAllocated - 1 - format.highBit
        down = format.bitsAllocated - format.bitsStored
    }

    func unpack(_ cells: UnsafeMutableRawBufferPointer, into values: UnsafeMutableBufferPointer<Int32>) {
        switch (format.bitsAllocated, format.isSigned) {
        case (8, true): unpack(cells.bindMemory(to: Int8.self), values)
        case (8, false): unpack(cells.bindMemory(to: UInt8.self), values)
        case (16, true): unpack(cells.bindMemory(to: Int16.self), values)
        case (16, false): unpack(cells.bindMemory(to: UInt16.self), values)
        case (32, true): unpack(cells.bindMemory(to: Int32.self), values)
        default: unpack(cells.bindMemory(to: UInt32.self), values)
        }
    }

    private func unpack<Cell: FixedWidthInteger>(_ cells: UnsafeMutableBufferPointer<Cell>, _ values: UnsafeMutableBufferPointer<Int32>) {
        let up = Cell(truncatingIfNeeded: up), down = Cell(truncatingIfNeeded: down)
        for index in 0..<values.count { values[index] = Int32(truncatingIfNeeded: (cells[index] &<< up) &>> down) }
    }
}
