import ImageFilters
import ImagingCore

/// The margin of the tumour's surface that lies deep enough in its organ: at the capsule there is no tissue beyond the tumour to freeze.
public struct CapsuleMargin: Sendable, Hashable {
    /// Surface less deep in the organ than this, or outside it, is left out.
    public var depthMM: Double
    /// The share of the tumour's surface area that was left out.
    public var excludedSurfaceFraction: Double
    /// Of what is left; `nil` when nothing is.
    public var minimumMarginMM: Double?
    /// 95 %.
    public var minimumMarginIntervalMM: ClosedRange<Double>?
    public var worstPoint: PatientPoint?
}

/// A tumour's margin map without the surface near its organ's capsule.
struct CapsuleSelection {
    let excludedSurfaceFraction: Double
    /// Excluded vertices have no triangle and an infinite margin; `nil` when nothing is left.
    let rest: MarginMap?

    /// - Parameter organ: in the frame of reference of the map.
    init(_ map: MarginMap, organ: LevelSet, depthMM: Double) throws(MarginError) {
        let mesh = organ.surface()
        guard !mesh.isEmpty else { throw .structureEmpty("organ") }
        let depths = SignedMarginMeasure(of: organ, mesh: mesh).marginsMM(at: map.surface.vertices)
        excludedSurfaceFraction = MarginMap(surface: map.surface, marginsMM: depths).areaFraction(below: depthMM)
        let isLeft = depths.map { $0 >= depthMM }
        let triangles = map.surface.triangles.filter { triangle in (0..<3).allSatisfy { isLeft[Int(triangle[$0])] } }
        rest = triangles.isEmpty ? nil : MarginMap(
            surface: TriangleMesh(vertices: map.surface.vertices, triangles: triangles), marginsMM: zip(map.marginsMM, isLeft).map {
                $1 ? $0 : .infinity
            })
    }
}
