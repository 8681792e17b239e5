import Foundation
import ImagingCore

/// A surface with a margin at each vertex, as it is drawn.
public struct SurfaceMap: Sendable {
    public let surface: TriangleMesh
    /// One per vertex, millimetres.
    public let marginsMM: [Double]
    let normals: [SIMD3<Double>]
    let center: PatientPoint
    let radiusMM: Double

    public init(surface: TriangleMesh, marginsMM: [Double]) {
        precondition(surface.vertices.count == marginsMM.count)
        (self.surface, self.marginsMM) = (surface, marginsMM)
        var sums = [SIMD3<Double>](repeating: .zero, count: surface.vertices.count)
        var (low, high) = (SIMD3<Double>(repeating: .infinity), SIMD3<Double>(repeating: -.infinity))
        for index in surface.triangles.indices {
            let (a, b, c) = surface.corners(index), normal = (b - a).cross(c - a).lps
            for corner in 0..<3 { sums[Int(surface.triangles[index][corner])] += normal }
        }
        for vertex in surface.vertices {
            low = pointwiseMin(low, vertex.lps)
            high = pointwiseMax(high, vertex.lps)
        }
        normals = sums.map { PatientVector($0).normalized?.lps ?? .zero }
        let center = PatientPoint(surface.isEmpty ? .zero : (low + high) / 2)
        self.center = center
        radiusMM = max(1, surface.vertices.reduce(0) { max($0, $1.distance(to: center)) })
    }
}

/// Sides from which a surface is looked at.
enum SurfaceView: CaseIterable {
    case anterior, left, superior, posterior, right, inferior

    /// To the picture's right, down, and away from the onlooker.
    var axes: (right: SIMD3<Double>, down: SIMD3<Double>, into: SIMD3<Double>) {
        switch self {
        case .anterior: (SIMD3(1, 0, 0), SIMD3(0, 0, -1), SIMD3(0, 1, 0))
        case .posterior: (SIMD3(-1, 0, 0), SIMD3(0, 0, -1), SIMD3(0, -1, 0))
        case .left: (SIMD3(0, 1, 0), SIMD3(0, 0, -1), SIMD3(-1, 0, 0))
        case .right: (SIMD3(0, -1, 0), SIMD3(0, 0, -1), SIMD3(1, 0, 0))
        case .superior: (SIMD3(-1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, -1))
        case .inferior: (SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1))
        }
    }
    var name: String {
        switch self {
        case .anterior: "from the front (A)"
        case .posterior: "from the back (P)"
        case .left: "from the patient's left (L)"
        case .right: "from the patient's right (R)"
        case .superior: "from above (H)"
        case .inferior: "from below (F)"
        }
    }
    var letters: (left: String, right: String, top: String, bottom: String) {
        let (right, down, _) = axes
        return (
            ViewPlane.letters(of: -PatientVector(right)), ViewPlane.letters(of: PatientVector(right)),
            ViewPlane.letters(of: -PatientVector(down)), ViewPlane.letters(of: PatientVector(down))
        )
    }
}

/// The margin of the visible side of a surface at each pixel of a square picture.
struct SurfaceRaster {
    private static let tolerance = 1e-6

    let side: Int
    /// NaN where there is no surface.
    private(set) var marginsMM: [Double]
    /// How squarely the surface faces the onlooker, 0 to 1.
    private(set) var facing: [Double]
    /// Away from the onlooker, millimetres from the surface's centre.
    private(set) var depthMM: [Double]
    let pixelsPerMM: Double
    private let map: SurfaceMap
    private let view: SurfaceView

    init(_ map: SurfaceMap, _ view: SurfaceView, side: Int) {
        (self.side, self.map, self.view) = (side, map, view)
        pixelsPerMM = Double(side) * 0.46 / map.radiusMM
        marginsMM = [Double](repeating: .nan, count: side * side)
        facing = [Double](repeating: 0, count: side * side)
        depthMM = [Double](repeating: .infinity, count: side * side)
        let places = map.surface.vertices.map(place), into = view.axes.into
        let towards = map.normals.map { -($0 * into).sum() }
        for triangle in map.surface.triangles {
            let (a, b, c) = (Int(triangle.x), Int(triangle.y), Int(triangle.z))
            fill(
                (places[a], places[b], places[c]), (map.marginsMM[a], map.marginsMM[b], map.marginsMM[c]),
                (towards[a], towards[b], towards[c]))
        }
    }

    /// Pixel position, and depth in millimetres.
    func place(_ point: PatientPoint) -> SIMD3<Double> {
        let (right, down, into) = view.axes, offset = (point - map.center).lps, middle = Double(side - 1) / 2
        return SIMD3(middle + pixelsPerMM * (offset * right).sum(), middle + pixelsPerMM * (offset * down).sum(), (offset * into).sum())
    }

    private mutating func fill(
        _ p: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>), _ margin: (Double, Double, Double), _ towards: (Double, Double, Double)
    ) {
        let area = (p.1.x - p.0.x) * (p.2.y - p.0.y) - (p.2.x - p.0.x) * (p.1.y - p.0.y)
        guard abs(area) > 1e-12 else { return }
        // A corner right on a pixel belongs to it however it was rounded.
        let low = pointwiseMin(pointwiseMin(p.0, p.1), p.2) - Self.tolerance,
            high = pointwiseMax(pointwiseMax(p.0, p.1), p.2) + Self.tolerance
        let (left, right) = (max(0, Int(low.x.rounded(.up))), min(side - 1, Int(high.x.rounded(.down))))
        let (top, bottom) = (max(0, Int(low.y.rounded(.up))), min(side - 1, Int(high.y.rounded(.down))))
        guard left <= right, top <= bottom else { return }
        for y in top...bottom {
            for x in left...right {
                let u = ((Double(x) - p.0.x) * (p.2.y - p.0.y) - (p.2.x - p.0.x) * (Double(y) - p.0.y)) / area
                let v = ((p.1.x - p.0.x) * (Double(y) - p.0.y) - (Double(x) - p.0.x) * (p.1.y - p.0.y)) / area
                let w = 1 - u - v
                guard min(u, v, w) >= -Self.tolerance else { continue }
                let depth = w * p.0.z + u * p.1.z + v * p.2.z, pixel = y * side + x
                guard depth < depthMM[pixel] else { continue }
                depthMM[pixel] = depth
                marginsMM[pixel] = w * margin.0 + u * margin.1 + v * margin.2
                facing[pixel] = min(1, max(0, w * towards.0 + u * towards.1 + v * towards.2))
            }
        }
    }
}
