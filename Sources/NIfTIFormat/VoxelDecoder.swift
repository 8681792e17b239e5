import Foundation
import ImagingCore

/// Turns stored voxels of any type and byte order into `Float`: value · slope + intercept, computed in `Double`.
struct VoxelDecoder {
    private static let voxelsAtATime = 1 << 18

    let datatype: NIfTIDatatype
    let isByteSwapped: Bool
    let slope: Double
    let intercept: Double

    /// Fills `voxels` from `file`; gives the number of voxels that were not a number, which are set to 0.
    func decode(_ file: ByteReader, of url: URL, into voxels: UnsafeMutableBufferPointer<Float>) throws(NIfTIError) -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(Self.voxelsAtATime, voxels.count) * datatype.byteCount, alignment: 8)
        defer { buffer.deallocate() }
        var done = 0, notNumbers = 0
        while done < voxels.count {
            let count = min(Self.voxelsAtATime, voxels.count - done)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(count * datatype.byteCount)])
            let start = file.position
            let read = try file.read(into: bytes)
            guard read == bytes.count else {
                throw .truncated(url, expectedBytes: start + (voxels.count - done) * datatype.byteCount, foundBytes: start + read)
            }
            notNumbers += decode(UnsafeRawBufferPointer(bytes), into: UnsafeMutableBufferPointer(rebasing: voxels[done..<done + count]))
            done += count
        }
        return notNumbers
    }

    private func decode(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>) -> Int {
        switch datatype {
        case .uint8: integers(UInt8.self, bytes, target)
        case .int8: integers(Int8.self, bytes, target)
        case .int16: integers(Int16.self, bytes, target)
        case .uint16: integers(UInt16.self, bytes, target)
        case .int32: integers(Int32.self, bytes, target)
        case .uint32: integers(UInt32.self, bytes, target)
        case .int64: integers(Int64.self, bytes, target)
        case .uint64: integers(UInt64.self, bytes, target)
        case .float32: reals(UInt32.self, bytes, target) { Double(Float(bitPattern: $0)) }
        case .float64: reals(UInt64.self, bytes, target) { Double(bitPattern: $0) }
        }
    }

    @inline(__always)
    private func integers<T: FixedWidthInteger>(
        _ type: T.Type, _ bytes: UnsafeRawBufferPointer, _ target: UnsafeMutableBufferPointer<Float>
    ) -> Int {
        let (slope, intercept, isByteSwapped) = (slope, intercept, isByteSwapped)
        for offset in 0..<target.count {
            let stored = bytes.loadUnaligned(fromByteOffset: offset &* MemoryLayout<T>.size, as: T.self)
            target[offset] = Float(Double(isByteSwapped ? stored.byteSwapped : stored) * slope + intercept)
        }
        return 0
    }

    @inline(__always)
    private func reals<Bits: FixedWidthInteger>(
        _ type: Bits.Type, _ bytes: UnsafeRawBufferPointer, _ target: UnsafeMutableBufferPointer<Float>, _ value: (Bits) -> Double
    ) -> Int {
        let (slope, intercept, isByteSwapped) = (slope, intercept, isByteSwapped)
        var notNumbers = 0
        for offset in 0..<target.count {
            let stored = bytes.loadUnaligned(fromByteOffset: offset &* MemoryLayout<Bits>.size, as: Bits.self)
            let scaled = Float(value(isByteSwapped ? stored.byteSwapped : stored) * slope + intercept)
            if scaled.isNaN { notNumbers &+= 1 }
            target[offset] = scaled.isNaN ? 0 : scaled
        }
        return notNumbers
    }
}
