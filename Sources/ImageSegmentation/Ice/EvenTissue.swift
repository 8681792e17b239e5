import Foundation
import ImageFilters
import ImagingCore

/// Unfrozen tissue around ice, where its level is even: farther from edges than they are blurred.
///
/// Half of the way from ice to what lies farther out is not half of the way to the tissue in between: on MR, dark tissue before bright
/// tissue (the spinal canal on T1, a wedge of muscle between ice and fat) counts as ice by the first, and in lung so does ground glass.
/// What a voxel would read unfrozen is therefore taken from the even tissue that is nearest to it. Partial volume makes every level, but
/// evenly none.
struct EvenTissue {
    /// On MR what is even, gives signal and is joined to what lies well outside; in lung what is even and holds more air than its ice.
    let mask: Mask
    /// Of the lung beside ice, where it is even, the share that is ground glass.
    private(set) var glassShare = 0.0
    private let ice: Float
    /// What of an image is 0, and 1 more.
    private var zero: Float = 0, step: Float = 1

    /// From voxel to voxel, at least so far apart, even tissue changes by less than this share of its own height above ice, or than this
    /// many standard deviations of the noise. A Gaussian edge no wider than the voxels is steeper below 85 % of its height.
    private static let stepMM = 1.0, slopeShare: Float = 0.3, noises: Float = 3
    /// No more than this, whatever the noise: as a share of the way from ice to bright tissue.
    private static let largestChange: Float = 0.15
    /// What lies above ice by less than the greater of these, as that share or in standard deviations of the noise, may be ice.
    private static let leastHeight: Float = 0.06, leastNoises: Float = 4
    /// So deep in the ice its level is read; what belongs to the surroundings goes on so far outside.
    private static let deepMM: Float = 3, outsideMM: Float = 3
    /// Where the noise is read.
    private static let aroundMM: ClosedRange<Float> = 2...12
    /// Frozen lung is denser. Glass is denser than lung by this, differs from other glass beside the same ice by no more than this, and
    /// makes up so much of what lies evenly beside ice that is surrounded by it (48 % and more in 12 phantoms with it; thick slices and
    /// vessels came to 25 %).
    private static let leastIceHU: Float = -450, glassHU: Float = 120, alikeHU: Float = 50, leastGlass = 0.35,
        besideMM: ClosedRange<Float> = -2...3
    /// The Gaussians that the nearest is taken by, one where the other does not reach, and from which weight on.
    private static let nearMM = 1.5, farMM = 4.0, enough: Float = 1e-3

    /// That around ice on MR; `nil` where nothing lies deep in the ice.
    ///
    /// - Parameters:
    ///   - iceness: 1 where there is no signal, 0 at that of the bright tissue around.
    ///   - depth: millimetres inside what was taken for ice, on the same grid.
    init?(in iceness: Volume<Float>, depth: Volume<Float>) {
        guard let ice = iceness.median(in: Mask(depth) { $0 > Self.deepMM }) else { return nil }
        self.ice = ice
        let even = Self.even(iceness, ice: ice, depth: depth)
        mask = even.joined(to: even.intersection(Mask(depth) { $0 < -Self.outsideMM }))
    }

    /// Lung and its ground glass around ice; `nil` where there is hardly any glass.
    ///
    /// - Parameters:
    ///   - iceness: differs between ice and lung.
    ///   - scan: HU on the same grid.
    ///   - depth: millimetres inside what was taken for ice, on the same grid.
    init?(in iceness: Volume<Float>, scan: Volume<Float>, depth: Volume<Float>) {
        let lungs = Mask(scan.combined(with: depth) { level, depth in
            level < DenseInLung.lungHU && depth < -Self.outsideMM ? 1 : 0
        }) { $0 > 0 }
        guard let ice = iceness.median(in: Mask(depth) { $0 > Self.deepMM }), let lung = iceness.median(in: lungs), ice != lung,
            let lungLevel = scan.median(in: lungs)
        else { return nil }
        self.ice = 1
        (zero, step) = (lung, ice - lung)
        let share = iceness.mapped { (value: Float) -> Float in (value - lung) / (ice - lung) }
        let even = Volume<Float>.levels(of: Self.even(share, ice: 1, depth: depth))
        let unfrozen = Mask(even.combined(with: scan, depth) { even, level, depth in
            even > 0 && level < Self.leastIceHU && depth < Self.deepMM ? 1 : 0
        }) { $0 > 0 }
        let beside = scan.values(in: unfrozen.intersection(Mask(depth) { Self.besideMM.contains(-$0) }))
        let glass = beside.filter { $0 > lungLevel + Self.glassHU }
        glassShare = Double(glass.count) / Double(max(beside.count, 1))
        guard glassShare > Self.leastGlass, let usual = glass.median else { return nil }
        // Where a rim of it leans, the next slice shows something else: in its own slice it is as even, and of the same level.
        let inSlice = Volume<Float>.levels(of: Self.even(share, ice: 1, depth: depth, acrossSlices: false))
        mask = unfrozen.union(Mask(inSlice.combined(with: scan, depth) { even, level, depth in
            even > 0 && abs(level - usual) < Self.alikeHU && depth < Self.deepMM ? 1 : 0
        }) { $0 > 0 })
    }

    /// The standard deviation by which neighbours in a row differ, divided by √2: robust, for most of a row lies beside no edge.
    private static func noise(of image: Volume<Float>, in mask: Mask) -> Float {
        let size = image.size
        let changes = image.withUnsafeVoxels { v in
            Volume<Float>(geometry: image.geometry) { target in
                for offset in 0..<v.count { target[offset] = offset % size.i == 0 ? 0 : abs(v[offset] - v[offset &- 1]) }
            }
        }
        return 1.4826 * (changes.median(in: mask) ?? 0) / Float(2).squareRoot()
    }

    private static func even(_ iceness: Volume<Float>, ice: Float, depth: Volume<Float>, acrossSlices: Bool = true) -> Mask {
        let noise = noise(of: iceness, in: Mask(depth) { aroundMM.contains(-$0) })
        let least = max(leastHeight, leastNoises * noise), tolerated = noises * noise
        let size = iceness.size, spacing = iceness.geometry.spacing
        let steps = SIMD3<Int>(pointwiseMax(SIMD3(repeating: 1), (stepMM / spacing).rounded(.toNearestOrAwayFromZero)))
        let strides = SIMD3(1, size.i, size.i * size.j) &* steps
        return iceness.withUnsafeVoxels { h in
            Mask(geometry: iceness.geometry) { target in
                for k in 0..<size.k {
                    for j in 0..<size.j {
                        for i in 0..<size.i {
                            let here = i &+ size.i &* (j &+ size.j &* k), height = ice - h[here]
                            let limit = min(largestChange, max(tolerated, slopeShare * height))
                            func isEven(_ place: Int, of count: Int, _ step: Int, _ stride: Int) -> Bool {
                                (place < step || abs(h[here &- stride] - h[here]) <= limit)
                                    && (place &+ step >= count || abs(h[here &+ stride] - h[here]) <= limit)
                            }
                            target[here] = height > least && isEven(i, of: size.i, steps.x, strides.x)
                                && isEven(j, of: size.j, steps.y, strides.y)
                                && (!acrossSlices || isEven(k, of: size.k, steps.z, strides.z)) ? 1 : 0
                        }
                    }
                }
            }
        }
    }

    /// The share of the way from what each place reads unfrozen, 0, to ice, 1; of that image which the tissue was found in.
    func iceness(of image: Volume<Float>) -> Volume<Float> {
        let share = image.mapped { (value: Float) -> Float in (value - zero) / step }
        let weight = Volume<Float>.levels(of: mask).mapped { (level: Float) -> Float in level > 0 ? 1 : 0 }
        let even = share.combined(with: weight) { $0 * $1 }
        func nearest(_ sigmaMM: Double, otherwise: Volume<Float>) -> Volume<Float> {
            let sum = even.gaussianSmoothed(sigmaMM: sigmaMM), total = weight.gaussianSmoothed(sigmaMM: sigmaMM)
            return sum.combined(with: total, otherwise) { ($0 + Self.enough * $2) / ($1 + Self.enough) }
        }
        let none = Volume<Float>(geometry: share.geometry, repeating: 0)
        let unfrozen = nearest(Self.nearMM, otherwise: nearest(Self.farMM, otherwise: none))
        return share.combined(with: unfrozen) { max(-0.5, ($0 - $1) / max(ice - $1, Self.leastHeight)) }
    }
}

extension Mask {
    /// Beside unfrozen tissue lies half of its blurred edge.
    private static let edgeMM = 1.0

    /// Ice without unfrozen tissue, its edge and small pieces; whole where nothing of `leastML` would be left.
    func without(_ unfrozen: Mask, leastML: Double) -> Mask {
        let within = intersection(unfrozen)
        guard !within.isEmpty else { return self }
        let rest = subtracting(within.dilated(byMM: Self.edgeMM)).keepingPieces(ofAtLeastML: leastML)
        return rest.isEmpty ? self : rest
    }
}
