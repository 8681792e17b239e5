import Foundation
import ImagingCore

/// What a fitted model leaves wrong along its edge, carried inwards: where a vessel that nobody drew dents the visible ice, the colder
/// isotherms behind it lie farther in, too.
///
/// At the edge it is what the distances there speak for (`EdgeErrors`), as a change of θ = ∫ k dT: to first order the distance times the
/// slope of θ at the simulated edge. In ice that has almost stopped growing θ is harmonic, and so is what disturbs it: its value at a place
/// is the mean of its values on the edge, each weighed with the probability that a random walk from the place ends there rather than at a
/// probe, where nothing is disturbed. A narrow dent thus fades within a few millimetres, a broad one goes deeper. Nothing is scaled: an
/// edge that fits moves nothing. Parameters and the model's error explain the same edge, so that what is uncertain of one is made up for by
/// the other; `slopes` keep account of that.
struct ModelDiscrepancy: Sendable {
    private static let spacingMM = 4.0
    /// Points of the edge that a walk is this many times less likely to end at than at the nearest one are left out.
    private static let leastShare = 0.01
    /// Nearer points are not told apart, mm.
    private static let resolutionMM = 1.0
    /// One standard deviation of what is carried inwards, as a share of it: what made a dent is not seen, nor how it goes on farther in. In
    /// simulated ice with vessels isotherms that it moved by more than a millimetre lay off by 0.6 of that.
    static let shareUncertain = 0.4
    /// One standard deviation of what the computation itself leaves wrong of isotherms inside the ice, mm: against fine axisymmetric
    /// references and steady solutions it is 0.05 across needles and 0.09 beyond their ends (root mean squares). What tissue does
    /// otherwise than believed shows at the edge, too, and comes from there; added once more, it made intervals too wide.
    static let solverErrorMM = 0.1

    /// At a place.
    struct Value {
        /// By which θ is changed, W/m.
        var theta: Double
        /// One standard deviation of what is left wrong if the parameters were known, mm.
        var deviationMM: Double
        /// By how much farther in, in mm, isotherms lie for one spread more of each parameter, the edge being what it is.
        var slopes: [Double]
    }

    private let grid: GridGeometry
    private let parameterCount: Int
    /// Per node the change of θ, variance and slopes.
    private let nodes: [Double]

    /// - Parameters:
    ///   - points: of the edge, in the field's own frame.
    ///   - errors: of the model at these points. Inside the ice, where power and constants are parameters, the solver's own comes on top.
    ///   - edgeTemperatureC: of the edge.
    init(points: [PatientPoint], errors: EdgeErrors.ModelErrors, field: TemperatureField, edgeTemperatureC: Double) throws {
        let low = points.reduce(points[0].lps) { pointwiseMin($0, $1.lps) } - 2 * Self.spacingMM
        let high = points.reduce(points[0].lps) { pointwiseMax($0, $1.lps) } + 2 * Self.spacingMM
        let counts = ((high - low) / Self.spacingMM).rounded(.up) + 1
        let grid = try GridGeometry(
            size: GridSize(Int(counts.x), Int(counts.y), Int(counts.z)), spacing: SIMD3(repeating: Self.spacingMM),
            origin: PatientPoint(low))
        let parameterCount = errors.slopes[0].count, edge = EdgeOfIce(points, field, edgeTemperatureC)
        let changes = zip(edge.slopes, errors.meansMM).map { $0 * $1 }
        (self.grid, self.parameterCount) = (grid, parameterCount)
        nodes = mapSlabs(of: grid.size.voxelCount, slab: 16) { range in
            range.flatMap { offset -> [Double] in
                let node = grid.point(grid.size.index(atOffset: offset)), reached = edge.reached(from: node)
                let change = reached.reduce(0) { $0 + $1.weight * changes[$1.point] }
                // Where θ is flat, between probes, isotherms move no farther than the edge does.
                let slope = max(field.thetaGradient(at: node).length, 1e-12)
                let weights = reached.map { (point: $0.point, weight: $0.weight * min(1, edge.slopes[$0.point] / slope)) }
                let whole = min(1, weights.reduce(0) { $0 + $1.weight }), own = Self.solverErrorMM
                let variance = errors.variance(weights) + own * own * (1 - whole * whole)
                return [change, variance]
                    + (0..<parameterCount).map { index in weights.reduce(0) { $0 + $1.weight * errors.slopes[$1.point][index] } }
            }
        }.flatMap { $0 }
    }

    /// How a change of θ on the edge goes on elsewhere.
    private struct EdgeOfIce {
        let points: [PatientPoint]
        let field: TemperatureField
        /// Per point: of the edge around it, in proportion; of θ where the simulated edge is, W/m per mm; and θ at the point.
        private let areas: [Double]
        let slopes: [Double]
        private let thetas: [Double]
        private let coldestTheta: Double

        init(_ points: [PatientPoint], _ field: TemperatureField, _ edgeTemperatureC: Double) {
            (self.points, self.field) = (points, field)
            areas = points.map { point in
                let crowd = points.reduce(0.0) { sum, other in
                    let apart = other.distance(to: point) / spacingMM
                    return sum + exp(-apart * apart / 2)
                }
                return 1 / crowd
            }
            thetas = points.map { field.theta(at: $0) }
            slopes = points.map { point in
                let (distance, normal) = field.edgeDistanceMM(of: edgeTemperatureC, at: point)
                return field.thetaGradient(at: point + distance * normal).length
            }
            coldestTheta = field.coldestTheta
        }

        /// Points of the edge that walks from a place end at, and how probably.
        func reached(from place: PatientPoint) -> [(point: Int, weight: Double)] {
            let distances = points.map { max(ModelDiscrepancy.resolutionMM, $0.distance(to: place)) }
            let nearest = distances.indices.min { distances[$0] < distances[$1] }!
            // What lies outside the edge that was seen moves with it.
            let isInside = (points[nearest] - place).dot(field.thetaGradient(at: place).direction) > 0
            guard isInside else { return [(nearest, 1)] }
            // Poisson's kernel of a half space, near a curved edge.
            let shares = distances.indices.map { areas[$0] / (distances[$0] * distances[$0] * distances[$0]) }
            let least = shares.max()! * ModelDiscrepancy.leastShare, kept = shares.indices.filter { shares[$0] >= least }
            let sum = kept.reduce(0) { $0 + shares[$1] }, edgeTheta = kept.reduce(0) { $0 + shares[$1] / sum * thetas[$1] }
            let toEdge = min(1, max(0, (field.theta(at: place) - coldestTheta) / max(edgeTheta - coldestTheta, 1e-12)))
            return kept.map { ($0, toEdge * shares[$0] / sum) }
        }
    }

    /// At a place in the field's own frame; beyond the nodes as at the nearest.
    func callAsFunction(_ point: PatientPoint) -> Value {
        var sums = [Double](repeating: 0, count: 2 + parameterCount)
        addCorners(of: point) { weight, node in for index in sums.indices { sums[index] += weight * nodes[node + index] } }
        return Value(theta: sums[0], deviationMM: sums[1].squareRoot(), slopes: Array(sums[2...]))
    }

    /// What is to be added to θ, W/m.
    func theta(at point: PatientPoint) -> Double {
        var sum = 0.0
        addCorners(of: point) { weight, node in sum += weight * nodes[node] }
        return sum
    }

    @inline(__always) private func addCorners(of point: PatientPoint, _ add: (Double, Int) -> Void) {
        let size = grid.size, last = SIMD3(Double(size.i - 1), Double(size.j - 1), Double(size.k - 1))
        let place = pointwiseMax(pointwiseMin(grid.continuousIndex(point).ijk, last), .zero)
        let low = pointwiseMin(place.rounded(.down), last - 1), share = place - low
        for corner in 0..<8 {
            let step = SIMD3(Double(corner & 1), Double(corner >> 1 & 1), Double(corner >> 2))
            let weights = step * share + (1 - step) * (1 - share), at = low + step
            add(weights.x * weights.y * weights.z, (2 + parameterCount) * size.offset(VoxelIndex(Int(at.x), Int(at.y), Int(at.z))))
        }
    }
}
