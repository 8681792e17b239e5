import Dispatch
import Foundation
import ImagingCore
import Synchronization

/// Reads the slices of a series into one block of memory, rescaled, on several threads.
struct SliceReading {
    let files: [ImageFile]
    let slices: [Slice]

    /// The slices on `geometry`, whose slice count must be theirs; whole numbers in the range of `Int16` stay so.
    func scanVolume(on geometry: GridGeometry) throws(DICOMError) -> ScanVolume {
        precondition(geometry.size.k == slices.count)
        let rescales = slices.map { $0.frame.rescale ?? .identity }
        if rescales.allSatisfy(\.keepsWholeNumbers), let volume = try wholeNumbers(on: geometry) { return .int16(volume) }
        return .float32(try realNumbers(on: geometry))
    }

    /// `nil` when some value is beyond `Int16`.
    private func wholeNumbers(on geometry: GridGeometry) throws(DICOMError) -> Volume<Int16>? {
        let fits = Atomic(true)
        let volume = try Volume<Int16>(geometry: geometry) { voxels throws(DICOMError) in
            nonisolated(unsafe) let voxels = voxels
            try forEachSlice { slice, index, reader, scratch throws(DICOMError) in
                guard fits.load(ordering: .relaxed) else { return }
                let target = UnsafeMutableBufferPointer(
                    rebasing: voxels[index * geometry.size.sliceVoxelCount..<(index + 1) * geometry.size.sliceVoxelCount])
                let format = files[slice.file].pixelFormat!
                // Sixteen-bit cells are read to where they are to stay.
                let cells = format.bitsAllocated == 16 ? UnsafeMutableRawBufferPointer(target) : scratch(format.bytesPerFrame)
                try reader.read(frame: slice.frame.index, into: cells)
                if !WholeNumberRescaling(format, slice.frame.rescale ?? .identity).apply(to: cells, into: target) {
                    fits.store(false, ordering: .relaxed)
                }
            }
        }
        return fits.load(ordering: .relaxed) ? volume : nil
    }

    private func realNumbers(on geometry: GridGeometry) throws(DICOMError) -> Volume<Float> {
        try Volume<Float>(geometry: geometry) { voxels throws(DICOMError) in
            nonisolated(unsafe) let voxels = voxels
            try forEachSlice { slice, index, reader, scratch throws(DICOMError) in
                let format = files[slice.file].pixelFormat!, rescale = slice.frame.rescale ?? .identity
                let count = format.pixelsPerFrame
                let memory = scratch(format.bytesPerFrame + 4 * count + 16)
                let cells = UnsafeMutableRawBufferPointer(rebasing: memory[..<format.bytesPerFrame])
                let aligned = (format.bytesPerFrame + 15) / 16 * 16
                let stored = UnsafeMutableRawBufferPointer(rebasing: memory[aligned..<aligned + 4 * count]).bindMemory(to: Int32.self)
                try reader.read(frame: slice.frame.index, into: cells)
                StoredCells(format).unpack(cells, into: stored)
                let target = voxels.baseAddress! + index * geometry.size.sliceVoxelCount
                for offset in 0..<count { target[offset] = Float(Double(stored[offset]) * rescale.slope + rescale.intercept) }
            }
        }
    }

    /// Calls `body` for every slice with a reader of its file and a source of scratch memory; several threads, a few slices each time.
    /// Throws the error of the first slice that has one.
    private func forEachSlice(
        _ body: (Slice, Int, FrameReader, (Int) -> UnsafeMutableRawBufferPointer) throws(DICOMError) -> Void
    ) throws(DICOMError) {
        let failures = Mutex<[Int: DICOMError]>([:])
        withoutActuallyEscaping(body) { body in
            nonisolated(unsafe) let body = body  // Threads write to different slices.
            forEachSlab(of: slices.count, slab: 4) { range in
                var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)
                defer { scratch.deallocate() }
                var reader: (file: Int, FrameReader)?
                for index in range {
                    let slice = slices[index]
                    do throws(DICOMError) {
                        if reader?.file != slice.file { reader = (slice.file, try FrameReader(files[slice.file])) }
                        try body(slice, index, reader!.1) { count in
                            if scratch.count < count {
                                scratch.deallocate()
                                scratch = .allocate(byteCount: count, alignment: 64)
                            }
                            return UnsafeMutableRawBufferPointer(rebasing: scratch[..<count])
                        }
                    } catch {
                        failures.withLock { $0[index] = error }
                    }
                }
            }
        }
        if let first = failures.withLock({ $0.min { $0.key < $1.key } }) { throw first.value }
    }
}

/// The rescaling of stored cells to whole numbers in place.
struct WholeNumberRescaling {
    private let format: PixelFormat
    private let rescale: Rescale

    init(_ format: PixelFormat, _ rescale: Rescale) {
        self.format = format
        self.rescale = rescale
    }

    /// Writes the rescaled values; false when some lie beyond `Int16`. `target` may be the memory of 16-bit `cells`.
    func apply(to cells: UnsafeMutableRawBufferPointer, into target: UnsafeMutableBufferPointer<Int16>) -> Bool {
        let cells = cells.baseAddress!
        let range = switch (format.bitsAllocated, format.isSigned) {
        case (8, true): convert(cells.assumingMemoryBound(to: Int8.self), target)
        case (8, false): convert(cells.assumingMemoryBound(to: UInt8.self), target)
        case (16, true): convert(cells.assumingMemoryBound(to: Int16.self), target)
        case (16, false): convert(cells.assumingMemoryBound(to: UInt16.self), target)
        case (32, true): convert(cells.assumingMemoryBound(to: Int32.self), target)
        default: convert(cells.assumingMemoryBound(to: UInt32.self), target)
        }
        let ends = [rescale(range.low), rescale(range.high)]
        return ends.allSatisfy { $0 >= Double(Int16.min) && $0 <= Double(Int16.max) }
    }

    private static let cellsAtOnce = 4096

    /// Converts all cells, wrapping around where they do not fit, and returns the smallest and largest stored value.
    private func convert<Cell: FixedWidthInteger>(
        _ cells: UnsafePointer<Cell>, _ target: UnsafeMutableBufferPointer<Int16>
    ) -> (low: Int, high: Int) {
        let up = Cell(truncatingIfNeeded: format.isPlain ? 0 : format.bitsAllocated - 1 - format.highBit),
            down = Cell(truncatingIfNeeded: format.bitsAllocated - format.bitsStored)
        let slope = Int32(rescale.slope), intercept = Int32(rescale.intercept), shift = Int16(truncatingIfNeeded: intercept)
        var low = Cell.max, high = Cell.min
        // Cells that are read where values are written are worked on one by one; a copy of some, several at once.
        withUnsafeTemporaryAllocation(of: Cell.self, capacity: Self.cellsAtOnce) { buffer in
            let stored = buffer.baseAddress!
            for first in stride(from: 0, to: target.count, by: Self.cellsAtOnce) {
                let count = min(Self.cellsAtOnce, target.count - first), values = target.baseAddress! + first
                for index in 0..<count {
                    let cell = (cells[first &+ index] &<< up) &>> down
                    low = min(low, cell)
                    high = max(high, cell)
                    stored[index] = cell
                }
                if slope == 1 {
                    for index in 0..<count { values[index] = Int16(truncatingIfNeeded: stored[index]) &+ shift }
                } else {
                    for index in 0..<count {
                        values[index] = Int16(truncatingIfNeeded: Int32(truncatingIfNeeded: stored[index]) &* slope &+ intercept)
                    }
                }
            }
        }
        return (Int(low), Int(high))
    }
}
