import Foundation
import ImagingCore

/// Blurring of single slices, and noise made with it.
enum SliceFilter {
    /// The weights of a Gaussian on whole pixels, from the middle outwards, that add up to 1 over both sides.
    static func gaussian(sigmaPixels: Double) -> [Float] {
        guard sigmaPixels > 0.05 else { return [1] }
        let radius = max(1, Int((3.5 * sigmaPixels).rounded(.up)))
        let half = (0...radius).map { exp(-0.5 * Double($0 * $0) / (sigmaPixels * sigmaPixels)) }
        let sum = half[0] + 2 * half.dropFirst().reduce(0, +)
        return half.map { Float($0 / sum) }
    }

    /// Blurs `slice` (rows of `width`) along rows with `kernelI` and along columns with `kernelJ`; edge pixels go on outside.
    static func blur(_ slice: UnsafeMutableBufferPointer<Float>, width: Int, kernelI: [Float], kernelJ: [Float]) {
        let height = slice.count / width
        var line = [Float](repeating: 0, count: max(width, height) + 2 * max(kernelI.count, kernelJ.count))
        line.withUnsafeMutableBufferPointer { line in
            let reach = kernelI.count - 1
            for row in 0..<height {
                let pixels = slice.baseAddress! + row * width
                for x in 0..<width + 2 * reach { line[x] = pixels[min(max(x - reach, 0), width - 1)] }
                for x in 0..<width {
                    var sum = kernelI[0] * line[x &+ reach]
                    for tap in 1..<max(kernelI.count, 1) { sum += kernelI[tap] * (line[x &+ reach &- tap] + line[x &+ reach &+ tap]) }
                    pixels[x] = sum
                }
            }
        }
        let reach = kernelJ.count - 1
        guard reach > 0 else { return }
        let source = [Float](slice)
        source.withUnsafeBufferPointer { source in
            for row in 0..<height {
                let target = slice.baseAddress! + row * width
                for x in 0..<width { target[x] = kernelJ[0] * source[row &* width &+ x] }
                for tap in 1...reach {
                    let weight = kernelJ[tap], above = max(row - tap, 0) * width, below = min(row + tap, height - 1) * width
                    for x in 0..<width { target[x] += weight * (source[above &+ x] + source[below &+ x]) }
                }
            }
        }
    }
}

/// Noise as a scanner makes it: grainy in plane, free from slice to slice.
///
/// White noise through a band-pass (one Gaussian less half of a wider one), scaled to a standard deviation of 1.
struct CorrelatedNoise {
    let seed: UInt64
    private let narrowI, narrowJ, wideI, wideJ: [Float]
    private let gain: Float
    private static let wideShare: Float = 0.5

    init(seed: UInt64, grainMM: Double, spacing: SIMD3<Double>) {
        self.seed = seed
        narrowI = SliceFilter.gaussian(sigmaPixels: grainMM / spacing.x)
        narrowJ = SliceFilter.gaussian(sigmaPixels: grainMM / spacing.y)
        wideI = SliceFilter.gaussian(sigmaPixels: 2.5 * grainMM / spacing.x)
        wideJ = SliceFilter.gaussian(sigmaPixels: 2.5 * grainMM / spacing.y)
        var energy = 0.0
        for y in -(wideJ.count - 1)...(wideJ.count - 1) {
            for x in -(wideI.count - 1)...(wideI.count - 1) {
                func weight(_ i: [Float], _ j: [Float]) -> Float { abs(x) < i.count && abs(y) < j.count ? i[abs(x)] * j[abs(y)] : 0 }
                let value = Double(weight(narrowI, narrowJ) - Self.wideShare * weight(wideI, wideJ))
                energy += value * value
            }
        }
        gain = Float(1 / energy.squareRoot())
    }

    /// The noise of slice `k`, rows of `width` pixels.
    func slice(_ k: Int, width: Int, height: Int) -> [Float] {
        var generator = SeededGenerator(seed: seed, purpose: "noise of slice \(k)")
        var narrow = generator.normals(width * height)
        var wide = narrow
        narrow.withUnsafeMutableBufferPointer { SliceFilter.blur($0, width: width, kernelI: narrowI, kernelJ: narrowJ) }
        wide.withUnsafeMutableBufferPointer { SliceFilter.blur($0, width: width, kernelI: wideI, kernelJ: wideJ) }
        for index in narrow.indices { narrow[index] = gain * (narrow[index] - Self.wideShare * wide[index]) }
        return narrow
    }
}
