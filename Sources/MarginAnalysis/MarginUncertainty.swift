import Foundation
import ImagingCore

/// How finely a surface was sampled by the image that it was taken from.
public struct SurfaceSampling: Sendable, Hashable {
    public enum Source: Sendable, Hashable {
        /// Voxels that are either in or out: the surface may lie anywhere between a voxel inside and its neighbour outside.
        case binaryMask
        /// Values that cross a level between voxels.
        case levelSet
    }
    public var source: Source
    /// Millimetres between voxel centres along `axes`.
    public var spacingMM: SIMD3<Double>
    public var axes: PatientAxes

    public init(_ source: Source, spacingMM: SIMD3<Double>, axes: PatientAxes = .identity) {
        (self.source, self.spacingMM, self.axes) = (source, spacingMM, axes)
    }
    /// As sampled by the voxels of `grid`.
    public init(_ source: Source, on grid: GridGeometry) { self.init(source, spacingMM: grid.spacing, axes: grid.axes) }

    /// The standard deviation in millimetres of the surface's position along its normal, from sampling alone.
    ///
    /// Chosen by reconstructions of analytic shapes (spheres, ellipsoids, capsules, lobulated) at random positions: small errors for
    /// voxels of 1 mm, and growing faster than the spacing, because thick slices leave out the object's ends.
    public func standardDeviationMM(along normal: PatientVector) -> Double {
        let n = axes.components(of: normal)
        let spacingAlongNormalMM = ((n * spacingMM) * (n * spacingMM)).sum().squareRoot()
        let thickest = spacingMM.max()
        switch source {
        case .binaryMask:
            return 0.045 * spacingAlongNormalMM + 0.012 * spacingAlongNormalMM * spacingAlongNormalMM + 0.02 * thickest
        case .levelSet: return 0.02 * spacingAlongNormalMM + 0.01 * thickest
        }
    }
}

/// What a margin's 95 % interval is made of, beside the margin itself. Independent errors, added in squares.
public struct MarginUncertainty: Sendable {
    /// Two-sided 95 % of a normal distribution.
    static let coverageFactor = 1.96
    /// What extraction and distances leave, in millimetres.
    static let numericalErrorMM = 0.02

    /// How the tumour's surface was sampled; `nil` stands for a level set on its own grid.
    public var tumourSampling: SurfaceSampling?
    /// How the zone's surface was sampled; `nil` stands for a level set on its own grid.
    public var zoneSampling: SurfaceSampling?
    /// Standard deviation in millimetres of where the segmentation puts the tumour's edge.
    public var tumourEdgeMM: Double
    /// Standard deviation in millimetres of where the segmentation, or the simulation, puts the zone's edge.
    public var zoneEdgeMM: Double
    /// Standard deviation in millimetres of an error that moves the whole edge of the zone alike, such as that of a set-back.
    public var zoneOffsetMM: Double
    /// The same where it differs from place to place, as that of a simulated isotherm does: standard deviations in millimetres on a grid
    /// around the zone's surface, in the zone's frame of reference; added to `zoneOffsetMM`.
    public var zoneOffsetMapMM: Volume<Float>?
    /// The expected length in millimetres of the registration's error at the tumour (root mean square of three components).
    public var registrationErrorMM: Double

    public init(
        tumourSampling: SurfaceSampling? = nil, zoneSampling: SurfaceSampling? = nil, tumourEdgeMM: Double = 0, zoneEdgeMM: Double = 0,
        zoneOffsetMM: Double = 0, zoneOffsetMapMM: Volume<Float>? = nil, registrationErrorMM: Double = 0
    ) {
        self.tumourSampling = tumourSampling
        self.zoneSampling = zoneSampling
        self.tumourEdgeMM = tumourEdgeMM
        self.zoneEdgeMM = zoneEdgeMM
        self.zoneOffsetMM = zoneOffsetMM
        self.zoneOffsetMapMM = zoneOffsetMapMM
        self.registrationErrorMM = registrationErrorMM
    }

    /// Half the width of the 95 % interval of a distance between the two surfaces along `normal`, at a place of the zone's surface.
    func halfWidthMM(along normal: PatientVector, at place: PatientPoint, tumour: GridGeometry, zone: GridGeometry) -> Double {
        let localMM = localErrorMM(along: normal, tumour: tumour, zone: zone)
        // One of the three components of the registration's error points along the normal.
        return Self.coverageFactor * (
            localMM * localMM + registrationErrorMM * registrationErrorMM / 3 + sharedErrorSquaredMM2(at: place)
        ).squareRoot()
    }

    /// The variance of what moves the whole edge of the zone alike, at a place of its surface.
    func sharedErrorSquaredMM2(at place: PatientPoint) -> Double {
        [zoneOffsetMM, mappedOffsetMM(at: place), Self.numericalErrorMM].reduce(0) { $0 + $1 * $1 }
    }

    /// Of the map's nearest voxel; its largest value outside it.
    private func mappedOffsetMM(at place: PatientPoint) -> Double {
        guard let map = zoneOffsetMapMM else { return 0 }
        let voxel = map.geometry.continuousIndex(place).nearest
        return Double(map.geometry.size.contains(voxel) ? map[voxel] : map.valueRange().upperBound)
    }

    /// The standard deviation of the distance from what differs from place to place: sampling and the edges of both surfaces.
    func localErrorMM(along normal: PatientVector, tumour: GridGeometry, zone: GridGeometry) -> Double {
        let parts = [
            (tumourSampling ?? SurfaceSampling(.levelSet, on: tumour)).standardDeviationMM(along: normal),
            (zoneSampling ?? SurfaceSampling(.levelSet, on: zone)).standardDeviationMM(along: normal),
            tumourEdgeMM, zoneEdgeMM,
        ]
        return parts.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
}
