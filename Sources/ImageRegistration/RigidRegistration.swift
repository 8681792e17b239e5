import Foundation
import ImageFilters
import ImagingCore

/// The rigid motion that brings one scan onto another, and how well they fit with it.
public struct RigidRegistration: Sendable {
    /// One pass over the images.
    struct Stage {
        /// Which spacing of the pyramid.
        var level: Int
        /// How far beyond the focus tissue has a say (the standard deviation of its weight); `nil`: everywhere alike.
        var reachMM: Double?
        var windowRadiusMM: Double
        var iterations: Int
    }
    /// From each start: how bodies fit as a whole.
    static let wholeBody = Stage(level: 0, reachMM: nil, windowRadiusMM: 36, iterations: 15)
    /// From the best starts.
    static let wholeBodyFiner = Stage(level: 1, reachMM: nil, windowRadiusMM: 20, iterations: 10)
    /// Ever closer to the focus: what lies around the tumour moves with it, the spine does not.
    static let towardsFocus = [
        Stage(level: 1, reachMM: 60, windowRadiusMM: 20, iterations: 10),
        Stage(level: 2, reachMM: 30, windowRadiusMM: 10, iterations: 10),
        Stage(level: 2, reachMM: 16, windowRadiusMM: 10, iterations: 10),
    ]
    /// Starts that are followed from the coarse search, and those of their ends that are compared more finely: at `wholeBody` a chest
    /// shifted by a rib or two can look as good as the right one, at `wholeBodyFiner` no longer.
    static let candidates = 5
    static let finerCandidates = 4
    static let directCandidates = 2
    /// Ends that are no farther apart than this, in the middle of the fixed scan and 100 mm from it, are one.
    static let sameEndMM = 6.0

    /// Fixed frame → moving frame, LPS millimetres.
    public let fixedToMoving: ImagingCore.AffineTransform
    /// Moving frame → fixed frame.
    public var movingToFixed: ImagingCore.AffineTransform { fixedToMoving.inverse! }
    /// The share of the fixed image's local contrast that the moving image explains, 0…1.
    public let similarity: Double
    /// The share of the compared tissue of the fixed image that the moving image shows.
    public let overlap: Double

    /// Finds the motion from nothing, or from near `initial` (fixed frame → moving frame).
    ///
    /// Tissue around the focus decides; without one the whole body does. The same scans give the same digits on any number of threads.
    public init(
        fixed: RegistrationScan, moving: RegistrationScan, focus: RegistrationFocus? = nil, initial: ImagingCore.AffineTransform? = nil
    ) throws(RegistrationError) {
        try self.init(RegistrationPair(fixed: fixed, moving: moving), focus: focus, initial: initial)
    }

    init(_ pair: RegistrationPair, focus: RegistrationFocus?, initial: ImagingCore.AffineTransform?) throws(RegistrationError) {
        let starts = initial.map { [$0] } ?? PoseSearch(pair).candidates(Self.candidates).map(\.transform)
        // Overlap as a share of the smaller body: a scan of a part lies wholly within a scan of the trunk, whichever of them is fixed.
        let fixedShare = pair.fixedShare
        func explained(_ pose: (transform: ImagingCore.AffineTransform, cost: Double, overlap: Double)) -> Double {
            PoseSearch.explained(cost: pose.cost, overlap: fixedShare * pose.overlap)
        }
        let ends = starts.compactMap { Self.refined($0, pair, Self.wholeBody, focus) }
            .filter { fixedShare * $0.overlap >= PoseSearch.leastOverlap }
            .sorted { explained($0) > explained($1) }
        let middle = pair.fixed[0].geometry.center
        let distinct = ends.indices.filter { n in
            ends[..<n].allSatisfy { !Self.isSameEnd($0.transform, ends[n].transform, around: middle) }
        }
        // Of different modalities the coarse grid can lead away from a good start: the best ones are followed on the finer grid, too.
        let direct = pair.isSameModality ? [] : starts.prefix(Self.directCandidates)
        let followed = (distinct.prefix(Self.finerCandidates).map { ends[$0].transform } + direct).compactMap {
            Self.refined($0, pair, Self.wholeBodyFiner, focus)
        }
        guard var found = followed.max(by: { explained($0) < explained($1) }) else { throw .nothingInCommon }
        for stage in Self.towardsFocus where focus != nil || stage.level == 2 {
            guard let next = Self.refined(found.transform, pair, stage, focus) else { throw .nothingInCommon }
            found = next
        }
        (fixedToMoving, similarity, overlap) = (found.transform, 1 - found.cost, found.overlap)
    }

    private static func isSameEnd(_ a: ImagingCore.AffineTransform, _ b: ImagingCore.AffineTransform, around middle: PatientPoint) -> Bool {
        [PatientVector(0, 0, 0), PatientVector(100, 0, 0), PatientVector(0, 100, 0), PatientVector(0, 0, 100)]
            .allSatisfy { a(middle + $0).distance(to: b(middle + $0)) <= sameEndMM }
    }

    static func refined(
        _ start: ImagingCore.AffineTransform, _ pair: RegistrationPair, _ stage: Stage, _ focus: RegistrationFocus?
    ) -> (transform: ImagingCore.AffineTransform, cost: Double, overlap: Double)? {
        let moving = MovingImage(pair.moving[stage.level]),
            parameters = LocalCorrelation.Parameters(windowRadiusMM: pair.scale * stage.windowRadiusMM)
        guard let focus, let reach = stage.reachMM else {
            guard var similarity = LocalCorrelation(fixed: pair.fixed[stage.level], moving: moving, parameters) else { return nil }
            return descent(stage, pair).refine(start, &similarity, about: similarity.grid.center)
        }
        let center = start.inverse!(focus.center)
        let part = pair.fixed[stage.level].cropped(around: center, reachMM: focus.radiusMM + LocalCorrelation.farthest * reach)
        guard let part, var similarity = LocalCorrelation(fixed: part, moving: moving, parameters) else { return nil }
        similarity.emphasise(around: center, radiusMM: focus.radiusMM, reachMM: reach)
        return descent(stage, pair).refine(start, &similarity, about: center)
    }

    private static func descent(_ stage: Stage, _ pair: RegistrationPair) -> RigidDescent {
        RigidDescent(iterations: stage.iterations, longestStepMM: 2 * pair.scale * stage.windowRadiusMM)
    }
}

extension LocalCorrelation {
    /// The share that tissue within `tailSpread` times the reach has at least, so that a region without structure in some direction
    /// follows what is around it.
    static let tailShare = 0.01
    static let tailSpread = 2.5
    /// What lies farther away than this many times the reach is left out.
    static let farthest = 5.0

    /// Weighs voxels by a bell curve of their distance from a ball around `center`.
    mutating func emphasise(around center: PatientPoint, radiusMM: Double, reachMM: Double) {
        let grid = grid
        let middle = grid.continuousIndex(center).ijk * grid.spacing
        emphasis.withUnsafeMutableBufferPointer { emphasis in
            nonisolated(unsafe) let emphasis = emphasis
            forEachSlab(of: grid.size.j * grid.size.k, slab: 64) { rows in
                for row in rows {
                    let y = Double(row % grid.size.j) * grid.spacing.y - middle.y, z = Double(row / grid.size.j) * grid.spacing.z - middle.z
                    for i in 0..<grid.size.i {
                        let x = Double(i) * grid.spacing.x - middle.x
                        let beyond = max(0, (x * x + y * y + z * z).squareRoot() - radiusMM) / reachMM
                        emphasis[row * grid.size.i + i] = Float(
                            exp(-0.5 * beyond * beyond)
                                + Self.tailShare * exp(-0.5 * beyond * beyond / (Self.tailSpread * Self.tailSpread)))
                    }
                }
            }
        }
    }
}
