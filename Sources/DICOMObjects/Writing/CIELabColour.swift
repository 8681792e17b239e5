import Foundation

/// A colour as DICOM recommends it for display: CIE L*a*b* under the D50 illuminant of the ICC's profile connection space (PS3.3
/// C.10.7.1.1).
public struct CIELabColour: Hashable, Sendable {
    /// 0 … 100.
    public var lightness: Double
    /// −128 … 127: green to red, and blue to yellow.
    public var a, b: Double

    public init(lightness: Double, a: Double, b: Double) { (self.lightness, self.a, self.b) = (lightness, a, b) }

    /// An sRGB colour of 8 bits a channel (IEC 61966-2-1), adapted from D65 to D50 by Bradford's transform.
    public init(red: UInt8, green: UInt8, blue: UInt8) {
        func linear(_ channel: UInt8) -> Double {
            let value = Double(channel) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        let (r, g, b) = (linear(red), linear(green), linear(blue))
        // sRGB → XYZ(D50); the rows add up to the white point 0.9642, 1, 0.8251.
        let x = 0.4360747 * r + 0.3850649 * g + 0.1430804 * b
        let y = 0.2225045 * r + 0.7168786 * g + 0.0606169 * b
        let z = 0.0139322 * r + 0.0971045 * g + 0.7141733 * b
        func f(_ t: Double) -> Double { t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116 }
        let (fx, fy, fz) = (f(x / 0.9642), f(y), f(z / 0.8251))
        self.init(lightness: 116 * fy - 16, a: 500 * (fx - fy), b: 200 * (fy - fz))
    }

    /// The three 16-bit numbers of the attribute: 0 … 100 and −128 … 127, each over 0 … 65535.
    var encoded: [Int] {
        func scaled(_ value: Double, from low: Double, over width: Double) -> Int {
            Int((min(max((value - low) / width, 0), 1) * 65535).rounded())
        }
        return [scaled(lightness, from: 0, over: 100), scaled(a, from: -128, over: 255), scaled(b, from: -128, over: 255)]
    }
}
