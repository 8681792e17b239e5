import Foundation
import ImagingCore

/// A volume as the report's page carries it: whole-number codes, differenced and deflated (zlib format).
///
/// Codes run over columns fastest, then rows, then slices. What is stored is how far each lies from its prediction:
/// - `bytes` 2: the mean of the left and the upper neighbour, rounded down (the one that there is at an edge, 0 at the first voxel of a
///   slice); the difference, folded to 0, −1, 1, −2 … ↦ 0, 1, 2, 3 …, as all low bytes, then all high bytes.
/// - `bytes` 1: left + upper − upper left, modulo 256; voxels beyond the edge are 0.
///
/// The same values give the same bytes with the same zlib.
public struct PackedVolume: Sendable {
    public let size: GridSize
    /// Of one code before it was deflated.
    public let bytes: Int
    /// The value of a code is `offset + code · step`; code 0 of a two-byte volume stands for a voxel that the image does not reach.
    public let offset, step: Double
    public let data: Data

    /// An image. Values beyond `range` are held to it; NaN is what the image does not reach.
    ///
    /// - Parameters:
    ///   - step: the difference of two values that can be told apart.
    ///   - range: at most 32,766 steps.
    public init(image: Volume<Float>, range: ClosedRange<Double>, step: Double) {
        let last = ((range.upperBound - range.lowerBound) / step).rounded(.up) + 1
        precondition(step > 0 && last >= 1 && last <= 32_767, "differences do not fit into two bytes")
        let (low, scale, limit, count) = (Float(range.lowerBound), Float(1 / step), Float(last), image.size.voxelCount)
        var codes = [UInt16](repeating: 0, count: count)
        image.withUnsafeVoxels { values in
            codes.withUnsafeMutableBufferPointer { codes in
                for index in 0..<count {
                    let value = values[index]
                    guard value == value else { continue }
                    codes[index] = UInt16(min(max(((value - low) * scale).rounded() + 1, 1), limit))
                }
            }
        }
        self.init(size: image.size, bytes: 2, offset: range.lowerBound - step, step: step, planes: Self.differences(codes, image.size))
    }

    /// A surface: signed distances near it, in steps of a 120th of `reachMM`, held to ±`reachMM`; NaN is outside.
    public init(surface: Volume<Float>, reachMM: Double) {
        let step = reachMM / 120, scale = Float(1 / step)
        let codes = surface.withUnsafeVoxels { values in
            values.map { value -> UInt8 in
                guard value == value else { return 128 - 120 }
                let steps = min(max((value * scale).rounded(), -120), 120)
                // Inside and outside are never exchanged by rounding.
                return UInt8(128 + (steps == 0 && value < 0 ? -1 : steps))
            }
        }
        self.init(size: surface.size, bytes: 1, offset: -128 * step, step: step, planes: Self.differences(codes, surface.size))
    }

    private init(size: GridSize, bytes: Int, offset: Double, step: Double, planes: [UInt8]) {
        (self.size, self.bytes, self.offset, self.step) = (size, bytes, offset, step)
        data = deflated(planes)
    }

    private static func differences(_ codes: [UInt16], _ size: GridSize) -> [UInt8] {
        let count = codes.count, width = size.i
        return [UInt8](unsafeUninitializedCapacity: 2 * count) { planes, initialized in
            codes.withUnsafeBufferPointer { codes in
                var index = 0
                for _ in 0..<size.k {
                    for j in 0..<size.j {
                        for i in 0..<width {
                            let prediction: Int =
                                switch (i > 0, j > 0) {
                                case (true, true): (Int(codes[index &- 1]) &+ Int(codes[index &- width])) >> 1
                                case (true, false): Int(codes[index &- 1])
                                case (false, true): Int(codes[index &- width])
                                case (false, false): 0
                                }
                            let difference = Int(codes[index]) &- prediction
                            let folded = UInt32(truncatingIfNeeded: difference < 0 ? -2 &* difference &- 1 : 2 &* difference)
                            planes[index] = UInt8(truncatingIfNeeded: folded)
                            planes[count &+ index] = UInt8(truncatingIfNeeded: folded >> 8)
                            index &+= 1
                        }
                    }
                }
            }
            initialized = 2 * count
        }
    }

    private static func differences(_ codes: [UInt8], _ size: GridSize) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: codes.count) { plane, initialized in
            codes.withUnsafeBufferPointer { codes in
                var index = 0
                for _ in 0..<size.k {
                    for j in 0..<size.j {
                        for i in 0..<size.i {
                            let left = i > 0 ? codes[index &- 1] : 0, up = j > 0 ? codes[index &- size.i] : 0
                            let corner = i > 0 && j > 0 ? codes[index &- size.i &- 1] : 0
                            plane[index] = codes[index] &- (left &+ up &- corner)
                            index &+= 1
                        }
                    }
                }
            }
            initialized = codes.count
        }
    }
}
