import Foundation
import ImagingCore

/// An MR scanner, T1-weighted gradient echo: uneven coil sensitivity, Rician noise, frozen tissue and metal without signal.
struct MRAcquisition {
    /// Standard deviation of the noise in each channel; the liver's signal is about 520.
    var noise: Double
    /// How much the coils' sensitivity varies, as a share.
    var biasAmplitude = 0.25
    var blurMM = 0.6
    var edgeBandMM: Double
    var tumourSignal: Double
    /// The signal loss around a probe reaches this far beyond its shaft.
    static let susceptibilityMM = 1.4

    var appearance: Appearance {
        func unfrozen(_ tissue: Tissue) -> Double { tissue == .tumour ? tumourSignal : tissue.properties.signal }
        return Appearance(
            edgeBandMM: edgeBandMM, unfrozen: unfrozen,
            // T2 of ice is far below 1 ms; flowing blood does not freeze.
            frozen: { $0.properties.freezingHU == 0 ? unfrozen($0) : 6 },
            texture: { $0.properties.textureHU * $0.properties.signal / 160 })
    }

    func scan(_ scene: Scene, geometry: GridGeometry, sliceThicknessMM: Double, seed: UInt64) -> Volume<Int16> {
        var image = SceneRasterizer(scene: scene, geometry: geometry, sliceThicknessMM: sliceThicknessMM, appearance: appearance).render()
        let size = geometry.size
        let kernelI = SliceFilter.gaussian(sigmaPixels: blurMM / geometry.spacing.x)
        let kernelJ = SliceFilter.gaussian(sigmaPixels: blurMM / geometry.spacing.y)
        let first = CorrelatedNoise(seed: seed, grainMM: 0.4, spacing: geometry.spacing)
        let second = CorrelatedNoise(seed: seed &+ 0x5555, grainMM: 0.4, spacing: geometry.spacing)
        let bias = ValueNoise(seed: seed &+ 77, cell: 190)
        return Volume<Int16>(geometry: geometry) { result in
            nonisolated(unsafe) let result = result
            image.withUnsafeMutableVoxels { voxels in
                nonisolated(unsafe) let voxels = voxels
                forEachSlab(of: size.k, slab: 1) { range in
                    let k = range.lowerBound, offset = k * size.sliceVoxelCount
                    let slice = UnsafeMutableBufferPointer(rebasing: voxels[offset..<offset + size.sliceVoxelCount])
                    SliceFilter.blur(slice, width: size.i, kernelI: kernelI, kernelJ: kernelJ)
                    let real = first.slice(k, width: size.i, height: size.j), imaginary = second.slice(k, width: size.i, height: size.j)
                    for index in 0..<slice.count {
                        let point = geometry.point(VoxelIndex(index % size.i, index / size.i, k)).lps
                        let sensitivity = exp(biasAmplitude * 1.6 * bias(point))
                        let signal = Double(slice[index]) * sensitivity + noise * Double(real[index])
                        let other = noise * Double(imaginary[index])
                        result[offset + index] = Int16(min((signal * signal + other * other).squareRoot(), 4095).rounded())
                    }
                }
            }
        }
    }
}
