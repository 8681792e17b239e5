import Foundation
import ImagingCore

/// How far details around a tumour, too small to be made to coincide, stand out where a motion puts them from where it does not.
///
/// Organs of different patients can be laid onto each other by a smooth motion, what is smaller than its waves cannot. So each block of
/// some 14 mm is compared where the motion puts it and, as the chance that this pair of scans itself gives, a few millimetres away in
/// every direction.
struct DetailComparison {
    static let spacingMM = 2.0
    /// How far around the tumour's surface blocks tell where the tumour lies, and, being more, whether both scans are one patient's.
    static let motionReachMM = 60.0, patientReachMM = 90.0
    /// How much farther motions that are compared may lead in the moving scan.
    static let slackMM = 30.0
    /// Half the width of a block, how far away it is put wrong, and the distance between blocks, in voxels.
    static let radius = 3, search = 3, step = 3
    /// Blocks overlap: so many of them say as much as one.
    static let blocksPerIndependent = pow(Double(2 * radius + 1) / Double(step), 3)
    /// A difference of means above this many of its standard errors is no chance.
    static let significance = 3.0

    private let image: RegistrationImage
    private let moving: MovingImage
    private let isSameModality: Bool
    private let noiseVariance: Float
    private let offsets: [Int]

    /// - Parameters:
    ///   - transform: a motion near to which those lie that are compared.
    ///   - ball: the tumour, in the fixed frame.
    ///   - reachMM: how far around its surface.
    init?(_ pair: RegistrationPair, near transform: DeformableTransform, around ball: RegistrationFocus, reachMM: Double) {
        let reach = ball.radiusMM + reachMM
        func detail(_ scan: RegistrationScan, _ whole: RegistrationImage, _ center: PatientPoint, _ reach: Double) -> RegistrationImage? {
            RegistrationImage(
                detailOf: scan, isOtherModality: !pair.isSameModality, spacingMM: Self.spacingMM, around: center, reachMM: reach,
                as: whole)
        }
        let rim = Self.radius + Self.search
        guard let image = detail(pair.scans.fixed, pair.fixed.last!, ball.center, reach + Double(rim) * Self.spacingMM),
            let moving = detail(pair.scans.moving, pair.moving.last!, transform(ball.center), reach + Self.slackMM)
        else { return nil }
        let grid = image.geometry, size = grid.size
        (self.image, self.moving) = (image, MovingImage(moving))
        (isSameModality, noiseVariance) = (pair.isSameModality, image.noise * image.noise)
        func steps(_ count: Int) -> StrideTo<Int> { stride(from: rim, to: count - rim, by: Self.step) }
        offsets = steps(size.k).flatMap { k in steps(size.j).flatMap { j in steps(size.i).map { VoxelIndex($0, j, k) } } }
            .filter { grid.point($0).distance(to: ball.center) <= reach }.map(size.offset)
    }

    /// What speaks for a motion, block by block; `nil` for blocks that say nothing.
    func evidence(_ transform: DeformableTransform) -> [Double?] {
        let grid = image.geometry, displacements = transform.displacements(inVoxelsOf: grid)
        var warped = [SIMD2<Float>](repeating: .zero, count: grid.size.voxelCount)
        warped.withUnsafeMutableBufferPointer { warped in
            displacements.withUnsafeBufferPointer {
                moving.warp(onto: grid, through: transform.rigid, displacements: $0.baseAddress!, to: warped.baseAddress!)
            }
        }
        let fixed = image.values.withUnsafeVoxels { values in
            image.weights.withUnsafeVoxels { weights in values.indices.map { SIMD2(values[$0], weights[$0]) } }
        }
        let blocks = Blocks(
            size: grid.size, fixed: fixed, warped: warped, noiseVariance: noiseVariance, isSameModality: isSameModality,
            radius: Self.radius, search: Self.search)
        return mapSlabs(of: offsets.count, slab: 64) { range in range.map { blocks.distinctness(at: offsets[$0]) } }.flatMap { $0 }
    }

    /// The mean over blocks; `nil` when they are too few to tell.
    static func mean(_ evidence: [Double?]) -> Double? {
        let values = evidence.compactMap { $0 }
        return values.count >= BlockAgreement.leastCount ? values.reduce(0, +) / Double(values.count) : nil
    }

    /// Whether the same blocks speak for one motion more than for another, beyond chance.
    static func isBetter(_ one: [Double?], than other: [Double?]) -> Bool {
        let differences = zip(one, other).compactMap { one, other in one.flatMap { one in other.map { one - $0 } } }
        let independent = Double(differences.count) / blocksPerIndependent
        guard independent > 1 else { return false }
        let mean = differences.reduce(0, +) / Double(differences.count)
        let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(differences.count - 1)
        return mean > significance * (variance / independent).squareRoot()
    }
}
