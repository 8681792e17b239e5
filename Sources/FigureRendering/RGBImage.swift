import CPNG
import Foundation
import ImagingCore

/// An sRGB colour of 8 bits a channel.
public struct RGBColour: Hashable, Sendable {
    public var red, green, blue: UInt8
    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

    public static let black = RGBColour(0, 0, 0)
    public static let white = RGBColour(255, 255, 255)

    /// As in HTML, for example `#56b4e9`.
    public var hexadecimal: String { String(format: "#%02x%02x%02x", red, green, blue) }
}

/// A picture: 8-bit RGB, rows from the top, no padding.
///
/// In continuous pixel coordinates the centre of the top left pixel is (0, 0).
public struct RGBImage: Sendable, Hashable {
    public let width, height: Int
    /// Red, green, blue by turns.
    public internal(set) var pixels: [UInt8]

    /// A picture of one colour. Both sides are at least 1.
    public init(width: Int, height: Int, filledWith colour: RGBColour = .black) {
        precondition(width > 0 && height > 0, "empty picture")
        (self.width, self.height) = (width, height)
        pixels = [UInt8](unsafeUninitializedCapacity: 3 * width * height) { buffer, count in
            for pixel in 0..<width * height {
                buffer[3 &* pixel] = colour.red
                buffer[3 &* pixel &+ 1] = colour.green
                buffer[3 &* pixel &+ 2] = colour.blue
            }
            count = 3 * width * height
        }
    }

    /// A grey picture of `values` in `window`; NaN is black.
    init(width: Int, height: Int, values: [Float], window: DisplayWindow) {
        precondition(width > 0 && height > 0 && values.count == width * height)
        (self.width, self.height) = (width, height)
        pixels = [UInt8](unsafeUninitializedCapacity: 3 * width * height) { buffer, count in
            values.withUnsafeBufferPointer { values in
                for pixel in 0..<values.count {
                    let grey = window.grey(values[pixel])
                    buffer[3 &* pixel] = grey
                    buffer[3 &* pixel &+ 1] = grey
                    buffer[3 &* pixel &+ 2] = grey
                }
            }
            count = 3 * width * height
        }
    }

    public subscript(x: Int, y: Int) -> RGBColour {
        precondition((0..<width).contains(x) && (0..<height).contains(y), "pixel outside the picture")
        let offset = 3 * (x + y * width)
        return RGBColour(pixels[offset], pixels[offset + 1], pixels[offset + 2])
    }

    /// Copies `image` so that its top left pixel lands at (`left`, `top`); what falls outside is cut off.
    public mutating func paste(_ image: RGBImage, left: Int, top: Int) {
        let columns = max(0, -left)..<min(image.width, width - left)
        guard left < width, columns.lowerBound < columns.upperBound else { return }
        for row in max(0, -top)..<max(max(0, -top), min(image.height, height - top)) {
            let source = 3 * (row * image.width + columns.lowerBound), target = 3 * ((row + top) * width + left + columns.lowerBound)
            pixels.replaceSubrange(target..<target + 3 * columns.count, with: image.pixels[source..<source + 3 * columns.count])
        }
    }
}

extension RGBImage {
    /// How much time a PNG may take.
    public enum Compression: Sendable {
        /// For many files: deflate level 1 with one filter.
        case fast
        /// About ten times slower, a fifth to a half smaller; for pictures that are kept or embedded.
        case small
    }

    /// The picture as a PNG without metadata, written by libpng. A picture without colour is stored as grey.
    public func pngData(_ compression: Compression = .small) -> Data {
        let grey = isGrey
        let source = grey ? (0..<width * height).map { pixels[3 * $0] } : pixels
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = cpng_encode(source, UInt32(width), UInt32(height), grey ? 1 : 3, compression == .small ? 1 : 0, &bytes, &count)
        precondition(status == 1, "out of memory while writing a PNG")
        return Data(bytesNoCopy: bytes!, count: count, deallocator: .custom { memory, _ in cpng_free(memory) })
    }

    /// The pictures as PNGs, encoded on several threads.
    public static func pngData(of images: [RGBImage], _ compression: Compression = .fast) -> [Data] {
        mapSlabs(of: images.count, slab: 1) { images[$0.lowerBound].pngData(compression) }
    }

    /// The version of libpng.
    public static var libraryVersion: String { String(cString: cpng_version()) }

    /// Reads any PNG as 8-bit RGB; `nil` when `png` is none.
    public init?(png: Data) {
        var bytes: UnsafeMutablePointer<UInt8>?
        var (width, height) = (UInt32(0), UInt32(0))
        let status = png.withUnsafeBytes { cpng_decode($0.bindMemory(to: UInt8.self).baseAddress, $0.count, &bytes, &width, &height) }
        guard status == 1, let bytes else { return nil }
        defer { cpng_free(bytes) }
        (self.width, self.height) = (Int(width), Int(height))
        pixels = Array(UnsafeBufferPointer(start: bytes, count: 3 * Int(width) * Int(height)))
    }

    private var isGrey: Bool {
        pixels.withUnsafeBufferPointer { pixels in
            for offset in stride(from: 0, to: pixels.count, by: 3)
            where pixels[offset] != pixels[offset &+ 1] || pixels[offset] != pixels[offset &+ 2] { return false }
            return true
        }
    }
}
