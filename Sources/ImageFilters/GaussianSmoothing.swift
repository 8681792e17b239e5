import Foundation
import ImagingCore

extension Volume where Voxel == Float {
    /// Convolution with a Gaussian of `sigmaMM` millimetres along `i`, `j` and `k`.
    ///
    /// The kernel is sampled at voxel centres, cut at four sigma (at least two voxels) and normalised to a sum of 1; beyond the grid the
    /// outermost value continues. A sigma of 0 leaves its axis as it is. Complexity: O(voxels · sigma in voxels), less where rows or slices
    /// are 0; no memory but the result.
    public func gaussianSmoothed(sigmaMM: SIMD3<Double>) -> Volume {
        precondition(sigmaMM.min() >= 0 && sigmaMM.sum().isFinite, "sigma must not be negative")
        let size = size
        let sigma = sigmaMM / geometry.spacing
        let kernelI = GaussianKernel(sigma: sigma.x), kernelJ = GaussianKernel(sigma: sigma.y), kernelK = GaussianKernel(sigma: sigma.z)
        return withUnsafeVoxels { source in
            Volume(geometry: geometry) { target in
                let source = source.baseAddress!, target = target.baseAddress!
                forEachSlab(of: size.k, slab: 2) { slices in
                    let rows = RowConvolution(kernelI, length: size.i)
                    let columns = ColumnConvolution(kernelJ, length: size.j, pitch: size.i)
                    let slice = UnsafeMutablePointer<Float>.allocate(capacity: size.sliceVoxelCount)
                    defer { slice.deallocate() }
                    for k in slices {
                        let offset = k * size.sliceVoxelCount
                        var isZero = true
                        for j in 0..<size.j where !rows.convolve(source + (offset + j * size.i), to: slice + j * size.i) { isZero = false }
                        if isZero {
                            (target + offset).update(repeating: 0, count: size.sliceVoxelCount)
                        } else {
                            columns.convolve(slice, width: size.i, to: target + offset)
                        }
                    }
                }
                guard kernelK.radius > 0 else { return }
                forEachSlab(of: size.j, slab: 4) { rows in
                    let columns = ColumnConvolution(kernelK, length: size.k, pitch: size.sliceVoxelCount)
                    for j in rows { columns.convolve(target + j * size.i, width: size.i, to: target + j * size.i) }
                }
            }
        }
    }

    /// Convolution with a Gaussian of the same `sigmaMM` along each axis.
    public func gaussianSmoothed(sigmaMM: Double) -> Volume { gaussianSmoothed(sigmaMM: SIMD3(repeating: sigmaMM)) }
}

/// Half of a sampled, normalised Gaussian: the weight at 0, ±1, ±2, … voxels.
struct GaussianKernel {
    static let cutoffInSigmas = 4.0

    let weights: [Float]
    var radius: Int { weights.count - 1 }

    /// `sigma` in voxels.
    init(sigma: Double) {
        guard sigma > 0 else {
            weights = [1]
            return
        }
        let radius = max(2, Int((Self.cutoffInSigmas * sigma).rounded(.up)))
        let samples = (0...radius).map { exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }
        let sum = samples[0] + 2 * samples.dropFirst().reversed().reduce(0, +)
        weights = samples.map { Float($0 / sum) }
    }
}

/// Symmetric convolution of rows, with a copy of the row that is continued at both ends.
private struct RowConvolution: ~Copyable {
    private let kernel: GaussianKernel
    private let length: Int
    private let padded: UnsafeMutablePointer<Float>

    init(_ kernel: GaussianKernel, length: Int) {
        (self.kernel, self.length) = (kernel, length)
        padded = .allocate(capacity: length + 2 * kernel.radius + ConvolutionBlock.width)
        padded.initialize(repeating: 0, count: length + 2 * kernel.radius + ConvolutionBlock.width)
    }

    deinit { padded.deallocate() }

    /// - Returns: whether the row is 0, and so is the result.
    func convolve(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>) -> Bool {
        let radius = kernel.radius
        guard radius > 0 else {
            target.update(from: source, count: length)
            return false
        }
        var bits: UInt32 = 0
        for i in 0..<length { bits |= source[i].bitPattern }
        guard bits != 0 else {
            target.update(repeating: 0, count: length)
            return true
        }
        padded.update(repeating: source[0], count: radius)
        (padded + radius).update(from: source, count: length)
        (padded + radius + length).update(repeating: source[length - 1], count: radius)
        kernel.weights.withUnsafeBufferPointer { weights in
            var i = 0
            while i < length {
                let block = ConvolutionBlock(centre: padded + (radius + i), weights: weights, step: 1)
                block.store(to: target + i, count: min(ConvolutionBlock.width, length - i))
                i += ConvolutionBlock.width
            }
        }
        return false
    }
}

/// Symmetric convolution of columns, on blocks of neighbouring columns that are copied together, continued at both ends.
private struct ColumnConvolution: ~Copyable {
    private static let blocks = 2
    private static var width: Int { blocks * ConvolutionBlock.width }

    private let kernel: GaussianKernel
    private let length: Int
    private let pitch: Int
    private let padded: UnsafeMutablePointer<Float>

    /// `pitch` is the distance in memory between neighbours in a column.
    init(_ kernel: GaussianKernel, length: Int, pitch: Int) {
        (self.kernel, self.length, self.pitch) = (kernel, length, pitch)
        padded = .allocate(capacity: (length + 2 * kernel.radius) * Self.width)
        padded.initialize(repeating: 0, count: (length + 2 * kernel.radius) * Self.width)
    }

    deinit { padded.deallocate() }

    /// `target` may be `source`.
    func convolve(_ source: UnsafePointer<Float>, width: Int, to target: UnsafeMutablePointer<Float>) {
        let radius = kernel.radius
        guard radius > 0 else {
            for row in 0..<length { (target + row * pitch).update(from: source + row * pitch, count: width) }
            return
        }
        kernel.weights.withUnsafeBufferPointer { weights in
            var i = 0
            while i < width {
                let count = min(Self.width, width - i)
                for row in -radius..<length + radius {
                    let from = source + (i + min(max(row, 0), length - 1) * pitch)
                    (padded + (row + radius) * Self.width).update(from: from, count: count)
                }
                for row in 0..<length {
                    for part in 0..<Self.blocks where part * ConvolutionBlock.width < count {
                        let shift = part * ConvolutionBlock.width
                        let block = ConvolutionBlock(
                            centre: padded + ((row + radius) * Self.width + shift), weights: weights, step: Self.width)
                        block.store(to: target + (row * pitch + i + shift), count: min(ConvolutionBlock.width, count - shift))
                    }
                }
                i += Self.width
            }
        }
    }
}

/// Neighbouring results of a symmetric convolution; each is summed from the centre outwards.
private struct ConvolutionBlock {
    static let width = 16

    private let sums: (SIMD8<Float>, SIMD8<Float>)

    @inline(__always)
    init(centre: UnsafePointer<Float>, weights: UnsafeBufferPointer<Float>, step: Int) {
        @inline(__always) func eight(_ offset: Int) -> SIMD8<Float> {
            UnsafeRawPointer(centre + offset).loadUnaligned(as: SIMD8<Float>.self)
        }
        var low = weights[0] * eight(0), high = weights[0] * eight(8)
        var offset = step
        var index = 1
        while index < weights.count {
            let weight = weights[index]
            low += weight * (eight(-offset) + eight(offset))
            high += weight * (eight(8 &- offset) + eight(8 &+ offset))
            offset &+= step
            index &+= 1
        }
        sums = (low, high)
    }

    @inline(__always)
    func store(to target: UnsafeMutablePointer<Float>, count: Int) {
        if count == Self.width {
            UnsafeMutableRawPointer(target).storeBytes(of: sums.0, as: SIMD8<Float>.self)
            UnsafeMutableRawPointer(target + 8).storeBytes(of: sums.1, as: SIMD8<Float>.self)
        } else {
            for lane in 0..<count { target[lane] = lane < 8 ? sums.0[lane] : sums.1[lane - 8] }
        }
    }
}
