import Foundation
import ImageFilters
import ImagingCore

/// What is as dense as ice in lung but is not: vessels, airways' walls, the chest wall.
///
/// Where such a structure enters the ice no edge shows between them: both are far from the level of lung, and thick slices give the
/// structure's border any level between. What tells it is its course: it is narrower than the ice, or it goes on where the ice's smooth
/// body has ended.
enum DenseInLung {
    /// Lung is below, about halfway to its ice.
    static let lungHU: Float = -500
    /// The body's surface is not off by more than this, so that what is dense farther out is not ice.
    private static let beyondMM: Float = 3
    /// From there back to the body, and as far along it as the structure may lean.
    private static let reachMM = 4.5
    /// Nearer to the body than this lies the ice's own blurred edge.
    private static let edgeMM: Float = 0.5
    /// So near to the body most has to be lung.
    private static let besideMM: Float = 8
    /// Ice is wider than twice this share of its radius everywhere but at its rim, which may stand out by `rimMM`.
    private static let widthShare = 0.6, rimMM = 1.0
    /// The radius of no lung vessel is larger.
    private static let widestMM = 6.0

    /// What goes on beyond the body, down to where it enters it; `nil` where most of what lies beside the body is not lung.
    ///
    /// - Parameters:
    ///   - scan: HU.
    ///   - depth: millimetres inside the smooth body of ice, negative outside, on the same grid.
    static func leaving(_ depth: Volume<Float>, in scan: Volume<Float>) -> Mask? {
        let beside = scan.values(in: Mask(depth) { $0 < -1 && $0 > -besideMM })
        guard 2 * beside.count(where: { $0 < lungHU }) > beside.count else { return nil }
        func dense(beyond least: Float) -> Mask {
            Mask(scan.combined(with: depth) { level, depth in level > lungHU && depth < -least ? 1 : 0 }) { $0 > 0 }
        }
        let far = dense(beyond: beyondMM)
        return far.isEmpty ? nil : far.dilated(byMM: reachMM).intersection(dense(beyond: edgeMM))
    }

    /// What is dense and as wide as ice of the given volume is; `nil` where nothing is.
    static func wide(in scan: Volume<Float>, iceML: Double) -> Mask? {
        let radius = min(widestMM, widthShare * cbrt(1000 * iceML * 3 / (4 * .pi)))
        let core = Mask(scan) { $0 > lungHU }.eroded(byMM: radius)
        return core.isEmpty ? nil : core.dilated(byMM: radius + rimMM)
    }
}
