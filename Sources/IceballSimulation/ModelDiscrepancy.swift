import Foundation
import ImagingCore

/// What a fitted model leaves wrong along its edge, carried inwards: where a vessel that nobody drew dents the visible ice, the colder
/// isotherms behind it lie farther in, too.
///
/// Residuals of the edge are averaged over their neighbourhood and drawn towards 0 as far as they may be errors of the edge itself; a
/// disturbance of an edge fades inwards as harmonic functions do. Nothing is scaled: an edge that fits moves nothing.
struct ModelDiscrepancy: Sendable {
    /// Residuals within about this distance belong together, mm.
    private static let neighbourhoodMM = 8.0
    /// A disturbance that repeats after 40 mm, the width of an iceball, fades by e over 40 / 2π mm.
    private static let fadingMM = 6.4
    private static let spacingMM = 4.0

    private let grid: GridGeometry
    /// Per node, what is to be added to a place before the field is read there, mm, and one standard deviation of what is left wrong, mm.
    private let nodes: [SIMD4<Double>]

    /// - Parameters:
    ///   - points: of the edge in the field's own frame, with precisions (1/mm²) that add up over independent patches.
    ///   - distances: by which each lies inside the simulated edge, mm.
    init(
        points: [(position: PatientPoint, precision: Double)], distances: [Double], field: TemperatureField, modelErrorMM: Double
    ) throws {
        let low = points.reduce(points[0].position.lps) { pointwiseMin($0, $1.position.lps) } - 2 * Self.spacingMM
        let high = points.reduce(points[0].position.lps) { pointwiseMax($0, $1.position.lps) } + 2 * Self.spacingMM
        let counts = ((high - low) / Self.spacingMM).rounded(.up) + 1
        let grid = try GridGeometry(
            size: GridSize(Int(counts.x), Int(counts.y), Int(counts.z)), spacing: SIMD3(repeating: Self.spacingMM), origin: PatientPoint(low))
        self.grid = grid
        let prior = 1 / (modelErrorMM * modelErrorMM), reach = -1 / (2 * Self.neighbourhoodMM * Self.neighbourhoodMM)
        nodes = mapSlabs(of: grid.size.voxelCount, slab: 64) { range in
            range.map { offset -> SIMD4<Double> in
                let node = grid.point(grid.size.index(atOffset: offset)), outwards = field.gradient(at: node).normalized ?? .zero
                // The neighbourhood is that of the edge nearest to the node.
                let foot = points.min { $0.position.distance(to: node) < $1.position.distance(to: node) }!.position
                var weight = 0.0, sum = 0.0
                for (point, distance) in zip(points, distances) {
                    let apart = point.position - foot, share = point.precision * exp(apart.dot(apart) * reach)
                    weight += share
                    sum += share * distance
                }
                // Inwards only: what lies outside the edge that was seen moves with it.
                let isInside = (foot - node).dot(outwards) > 0
                let fading = isInside ? exp(-foot.distance(to: node) / Self.fadingMM) : 1, known = weight / (weight + prior)
                let displacement = fading * sum / (weight + prior) * outwards
                return SIMD4(displacement.lps, modelErrorMM * (1 - fading * fading * known).squareRoot())
            }
        }.flatMap { $0 }
    }

    /// The displacement at a place in the field's own frame, and the standard deviation there; beyond the nodes as at the nearest.
    func callAsFunction(_ point: PatientPoint) -> (displacement: PatientVector, deviationMM: Double) {
        let size = grid.size, last = SIMD3(Double(size.i - 1), Double(size.j - 1), Double(size.k - 1))
        let place = pointwiseMax(pointwiseMin(grid.continuousIndex(point).ijk, last), .zero)
        let low = pointwiseMin(place.rounded(.down), last - 1), share = place - low
        var sum = SIMD4<Double>.zero
        for corner in 0..<8 {
            let step = SIMD3(Double(corner & 1), Double(corner >> 1 & 1), Double(corner >> 2))
            let weights = step * share + (1 - step) * (1 - share), at = low + step
            sum += weights.x * weights.y * weights.z * nodes[size.offset(VoxelIndex(Int(at.x), Int(at.y), Int(at.z)))]
        }
        return (PatientVector(sum.x, sum.y, sum.z), sum.w)
    }
}
