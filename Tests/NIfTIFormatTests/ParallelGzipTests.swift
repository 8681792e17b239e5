import CZlib
import Foundation
import ImagingCore
import Testing

@testable import NIfTIFormat

@Suite struct ParallelGzipTests {
    /// Noise, a long stretch of zeros and noise again, in uneven portions that are not whole slabs.
    private static let portions: [[UInt8]] = {
        var state: UInt32 = 7
        func noise(_ count: Int) -> [UInt8] {
            (0..<count).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return UInt8(state >> 24)
            }
        }
        return [noise(352), noise(300_001) + [UInt8](repeating: 0, count: 1_500_000) + noise(70_003), [], noise(1)]
    }()

    private static func compressed(_ portions: [[UInt8]]) -> [UInt8] {
        var gzip = ParallelGzip()
        let body = portions.flatMap { portion in portion.withUnsafeBytes { gzip.compress($0) }.flatMap { $0 } }
        return ParallelGzip.header + body + gzip.trailer
    }

    /// Readers that stop after the first member must get everything: zlib's own, told to expect a gzip header, checks checksum and length.
    @Test func oneMemberHoldsAllPortions() {
        var input = Self.compressed(Self.portions), output = [UInt8](repeating: 1, count: Self.portions.reduce(0) { $0 + $1.count } + 10)
        var stream = z_stream()
        #expect(inflateInit2_(&stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        let status = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
                (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
                return inflate(&stream, Z_FINISH)
            }
        }
        #expect(status == Z_STREAM_END)
        #expect(stream.avail_in == 0)
        #expect(Array(output.prefix(Int(stream.total_out))) == Self.portions.flatMap { $0 })
        inflateEnd(&stream)
    }

    @Test func bytesDoNotDependOnThreads() {
        let one = KernelThreads.with(1) { Self.compressed(Self.portions) }
        #expect(KernelThreads.with(4) { Self.compressed(Self.portions) } == one)
    }
}
