import Foundation
import ImagingCore

/// An image by direction and by depth beyond an outline, averaged over neighbouring directions.
struct DepthProfiles {
    let sphere: SphereDirections
    let count: Int
    /// For each direction its values by depth; not a number beyond the scan.
    let values: [Float]
    /// By depth, in the median of all directions.
    let usual: [Float]
    /// What grain leaves of itself in one value: its standard deviation.
    let grain: Float
    /// By direction how far the scanner, voxels, and reading between them blur (one standard deviation).
    let blurMM: [Float]

    static let stepMM: Float = 0.5
    /// How far inside the outline the profiles begin.
    private static let insideMM: Float = 2
    /// Directions are averaged over a patch of this radius (one standard deviation), or that angle if less.
    private static let patchMM: Float = 3, widestPatch: Float = 0.5

    /// The first place beyond the outline.
    static var surface: Int { Int(insideMM / stepMM) }
    static func depthMM(_ place: Int) -> Float { Float(place) * stepMM - insideMM }

    /// - Parameter image: not smoothed, on a grid of voxels of about the rays' spacing.
    /// - Returns: `nil` where most directions leave the scan.
    init?(_ image: Volume<Float>, about fit: RadialTumourFit, farthestMM: Float) {
        let count = Int((Self.insideMM + farthestMM) / Self.stepMM) + 1, sphere = fit.sphere
        let width = min(Self.patchMM / fit.meanRadius, Self.widestPatch)
        let values = Self.averaged(Self.read(image, about: fit, count: count), count: count, sphere: sphere, width: width)
        usual = (0..<count).map { s in sphere.directions.indices.map { values[$0 * count + s] }.filter { !$0.isNaN }.median ?? .nan }
        guard !usual.contains(where: \.isNaN) else { return nil }
        (self.sphere, self.count, self.values) = (sphere, count, values)
        blurMM = sphere.directions.map { Self.blurMM(of: image.geometry, along: $0) }
        let patchMM2 = 4 * .pi * pow(width * fit.meanRadius, 2), expectation = fit.expectation
        grain = expectation.sigma * (expectation.grainVolumeMM3 / (patchMM2 * 3 * Self.stepMM)).squareRoot()
    }

    private static func blurMM(of grid: GridGeometry, along direction: SIMD3<Float>) -> Float {
        let d = [grid.axes.i, grid.axes.j, grid.axes.k].map { (direction * SIMD3<Float>($0.lps)).sum() }, h = SIMD3<Float>(grid.spacing)
        let voxels = SIMD3(d[0], d[1], d[2]) * h, inPlane = RadialEdgeFit.usualBlurMM * (d[0] * d[0] + d[1] * d[1]).squareRoot()
        // A voxel is the mean over its width; linear interpolation has twice a voxel's variance.
        return (inPlane * inPlane + (voxels * voxels).sum() * (1 / 12 + 1 / 6)).squareRoot()
    }

    func values(_ direction: Int) -> ArraySlice<Float> { values[direction * count..<(direction + 1) * count] }

    /// Share of the outline from which some depth shows a level above this.
    func share(above level: Float, areas: [Float]) -> Float {
        areas.indices.reduce(0) { $0 + (values($1).contains { $0 > level } ? areas[$1] : 0) } / areas.reduce(0, +)
    }

    private static func read(_ image: Volume<Float>, about fit: RadialTumourFit, count: Int) -> [Float] {
        let geometry = image.geometry, middle = SIMD3<Float>(geometry.continuousIndex(fit.center).ijk)
        let axes = [geometry.axes.i, geometry.axes.j, geometry.axes.k].map { SIMD3<Float>($0.lps) }, spacing = SIMD3<Float>(geometry.spacing)
        return image.withUnsafeVoxels { voxels in
            let sample = TrilinearSampler(voxels, size: image.size)
            return fit.sphere.directions.indices.flatMap { n in
                let d = fit.sphere.directions[n], perMM = SIMD3((d * axes[0]).sum(), (d * axes[1]).sum(), (d * axes[2]).sum()) / spacing
                return (0..<count).map { s in
                    let place = middle + max(0, fit.radii[n] + depthMM(s)) * perMM
                    return any(place .< -0.5) || any(place .> sample.last + 0.5) ? .nan : sample(place)
                }
            }
        }
    }

    private static func averaged(_ values: [Float], count: Int, sphere: SphereDirections, width: Float) -> [Float] {
        let limit = cos(min(2.5 * width, 1.5)), exponent = 1 / (width * width)
        return sphere.directions.indices.flatMap { n in
            var sums = [Float](repeating: 0, count: count), weights = sums
            for m in sphere.directions.indices {
                let cosine = (sphere.directions[n] * sphere.directions[m]).sum()
                guard cosine > limit else { continue }
                let weight = sphere.solidAngles[m] * exp((cosine - 1) * exponent)
                for s in 0..<count where !values[m * count + s].isNaN {
                    sums[s] += weight * values[m * count + s]
                    weights[s] += weight
                }
            }
            return zip(sums, weights).map { $1 > 0 ? $0 / $1 : .nan }
        }
    }
}
