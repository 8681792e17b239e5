import Foundation
import ImagingCore

/// How the distances of an observed edge from a simulated one vary together: errors of the edge itself, alike over millimetres, and what
/// the model leaves wrong, alike over centimetres, both normally distributed.
///
/// Parameters are found by least squares over patches of the edge, which need not know how errors vary together, and which a dent does not
/// pull along; how uncertain they are, and what the model leaves wrong, follows from how errors vary together.
struct EdgeErrors {
    /// Correlations fall to e⁻² over these distances, mm: of a segmented edge exponentially, for it is rough; of a model with a slope that
    /// goes on (Matérn 3/2), for diffusion is smooth, but not as far as a Gaussian's, to which whatever is less smooth looks like a large
    /// error.
    private static let edgeReachMM = 10.0, modelReachMM = 20.0
    /// A threshold that is a little off moves an edge in or out everywhere: this share of its variance. Another is each point's own, from
    /// the image's noise and voxels.
    private static let commonShare = 0.1, ownShare = 0.3
    /// Of the model, one standard deviation: at least so much (cells, the shape of a probe), and hardly more than three times what is usual
    /// in patients, where tissues are uneven and vessels are not all known, mm. Gels without either were predicted to 2.3 mm at worst,
    /// patients to 2.6 mm on average before any fit.
    static let leastModelErrorMM = 0.3, usualModelErrorMM = 1.2
    private static let candidateCount = 8
    /// So many points tell how wrong a model is, roughly.
    private static let thinnedCount = 120

    /// The root mean square distance of an edge from a model that is usual in patients.
    static func usualRmsMM(of edge: [EdgeFit.EdgePoint]) -> Double {
        let own = edge.reduce(0) { $0 + $1.uncertaintyMM * $1.uncertaintyMM } / Double(edge.count)
        return (own + usualModelErrorMM * usualModelErrorMM).squareRoot()
    }

    private let edge: [EdgeFit.EdgePoint]
    /// One standard deviation of the model's error where nothing is out of the way.
    let modelErrorMM: Double
    /// Per point, by which factor it is larger there: an edge that lies far off where the rest fits is dented by what the model does not
    /// know of, a vessel mostly; what is seen is to be followed there and says little of the model's parameters.
    private let excess: [Double]
    private let factor: SymmetricFactor
    private let weights: [Double]
    /// Points that say nothing of the parameters.
    private let dented: Set<Int>

    /// With the standard deviation of the model's error that the distances speak for: its mean over all that are possible, each as probable
    /// as it makes the distances (the parameters being integrated out) and as it was beforehand.
    ///
    /// - Parameters:
    ///   - columns: how the distances change with each parameter of the model, per spread of its prior, around `values`.
    ///   - modelErrorMM: as it was found before, for telling outliers.
    ///   - dented: points that are left to the model's error, whatever parameters could make of them.
    init(
        _ edge: [EdgeFit.EdgePoint], distances: [Double], columns: [[Double]], values: [Double], modelErrorMM: Double, dented: Set<Int> = []
    ) {
        // What parameters can mend is no dent.
        let step = Self.normalEquations(columns, distances, Self.weights(edge, distances, modelErrorMM, dented)).solution(priorAt: values)
        let excess = Self.excess(edge, Self.changed(distances, columns, by: step), modelErrorMM)
        (self.edge, self.excess, self.dented) = (edge, excess, dented)
        // As the nominal model would leave them.
        let nominal = Self.changed(distances, columns, by: values.map { -$0 })
        let ratio = 3 * Self.usualModelErrorMM / Self.leastModelErrorMM
        let candidates = (0..<Self.candidateCount).map { Self.leastModelErrorMM * pow(ratio, Double($0) / Double(Self.candidateCount - 1)) }
        let logs = mapSlabs(of: candidates.count, slab: 1) { range -> Double in
            let candidate = candidates[range.lowerBound], factor = Self.factor(edge, excess, candidate)
            let normal = NormalEquations(columns: columns.map(factor.whitened), residuals: factor.whitened(nominal))
            // Half a normal distribution, over steps that are even in the logarithm.
            let prior = log(candidate) - candidate * candidate / (2 * Self.usualModelErrorMM * Self.usualModelErrorMM)
            return prior - (normal.leastCost + factor.logDeterminant + normal.logDeterminant) / 2
        }
        let best = logs.max()!, probabilities = logs.map { exp($0 - best) }, sum = probabilities.reduce(0, +)
        self.modelErrorMM = (zip(candidates, probabilities).reduce(0) { $0 + $1.0 * $1.0 * $1.1 } / sum).squareRoot()
        factor = Self.factor(edge, excess, self.modelErrorMM)
        weights = Self.weights(edge, distances, self.modelErrorMM, dented)
    }

    /// Per point 1 / variance, less for outliers, shared among the points of an edge's patch, which err together.
    private static func weights(
        _ edge: [EdgeFit.EdgePoint], _ distances: [Double], _ modelErrorMM: Double, _ dented: Set<Int> = []
    ) -> [Double] {
        let patches = Set(edge.map { ($0.position.lps / edgeReachMM).rounded(.down) }).count
        let share = min(1, Double(patches) / Double(edge.count))
        return edge.indices.map { index in
            let point = edge[index], distance = distances[index]
            guard !dented.contains(index) else { return 0 }
            let variance = point.uncertaintyMM * point.uncertaintyMM + modelErrorMM * modelErrorMM,
                size = abs(distance) / variance.squareRoot()
            return share / variance * (size > EdgeFit.outlier ? EdgeFit.outlier / size : 1)
        }
    }

    private static func normalEquations(_ columns: [[Double]], _ distances: [Double], _ weights: [Double]) -> NormalEquations {
        func weighed(_ values: [Double]) -> [Double] { zip(values, weights).map { $0 * $1.squareRoot() } }
        return NormalEquations(columns: columns.map(weighed), residuals: weighed(distances))
    }
    func normalEquations(_ columns: [[Double]], _ distances: [Double]) -> NormalEquations {
        Self.normalEquations(columns, distances, weights)
    }

    /// Of the parameters that make `cost` least, in spreads of their priors: what errors that vary together as they do make of them, and
    /// what the edge does not tell of them.
    func covariance(_ columns: [[Double]]) -> [[Double]] {
        let inverse = normalEquations(columns, edge.map { _ in 0 }).covariance
        let spread = columns.map { column in factor.spread(zip(column, weights).map(*)) }
        let errors = NormalEquations(columns: spread, residuals: edge.map { _ in 0 }).matrix
        func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
            a.map { row in b[0].indices.map { column in row.indices.reduce(0) { $0 + row[$1] * b[$1][column] } } }
        }
        return product(product(inverse, errors), inverse)
    }

    /// What the edge without some of its points makes of them: their distances from the edge that it predicts, and one standard deviation
    /// of the mean of these.
    func heldBack(
        _ points: [Int], columns: [[Double]], distances: [Double], values: [Double]
    ) -> (distancesMM: [Double], deviationMM: Double) {
        let held = Set(points), kept = edge.indices.filter { !held.contains($0) }
        let rest = kept.map { edge[$0] }, slopes = columns.map { column in kept.map { column[$0] } }, own = kept.map { distances[$0] }
        // How wrong the model is, too, is to be said by the rest; some of its points tell that.
        let thinned = Swift.stride(from: 0, to: rest.count, by: 1 + rest.count / Self.thinnedCount).map { $0 }
        let modelErrorMM = EdgeErrors(
            thinned.map { rest[$0] }, distances: thinned.map { own[$0] }, columns: slopes.map { slope in thinned.map { slope[$0] } },
            values: values,
            modelErrorMM: modelErrorMM
        ).modelErrorMM
        var change = values.map { _ in 0.0 }, covariance: [[Double]] = []
        for _ in 0..<3 {
            // Around the fitted values; outliers are told anew.
            let weights = Self.weights(rest, Self.changed(own, slopes, by: change), modelErrorMM)
            let normal = Self.normalEquations(slopes, own, weights)
            (change, covariance) = (normal.solution(priorAt: values), normal.covariance)
        }
        let count = Double(points.count), predicted = Self.changed(distances, columns, by: change)
        let slope = columns.map { column in points.reduce(0) { $0 + column[$1] } / count }
        var variance = slope.indices.reduce(0.0) { sum, a in
            sum + slope[a] * slope.indices.reduce(0) { $0 + covariance[a][$1] * slope[$1] }
        }
        for a in points { for b in points { variance += Self.covariance(edge[a], edge[b], a == b, modelErrorMM) / (count * count) } }
        return (points.map { predicted[$0] }, variance.squareRoot())
    }

    private static func changed(_ distances: [Double], _ columns: [[Double]], by step: [Double]) -> [Double] {
        distances.indices.map { point in distances[point] + columns.indices.reduce(0) { $0 + columns[$1][point] * step[$1] } }
    }

    private static func excess(_ edge: [EdgeFit.EdgePoint], _ distances: [Double], _ modelErrorMM: Double) -> [Double] {
        zip(edge, distances).map { point, distance in
            let expected = (point.uncertaintyMM * point.uncertaintyMM + modelErrorMM * modelErrorMM).squareRoot()
            return max(1, abs(distance) / expected / EdgeFit.outlier)
        }
    }

    private static func factor(_ edge: [EdgeFit.EdgePoint], _ excess: [Double], _ modelErrorMM: Double) -> SymmetricFactor {
        SymmetricFactor(count: edge.count) { a, b in covariance(edge[a], edge[b], a == b, modelErrorMM, excess: excess[a] * excess[b]) }
    }

    @inline(__always) private static func covariance(
        _ a: EdgeFit.EdgePoint, _ b: EdgeFit.EdgePoint, _ isSame: Bool, _ modelErrorMM: Double, excess: Double = 1
    ) -> Double {
        let apart = a.position.distance(to: b.position), variance = a.uncertaintyMM * b.uncertaintyMM
        let alike = isSame ? 1 : (1 - commonShare - ownShare) * exp(-2 * apart / edgeReachMM) + commonShare
        return variance * alike + modelErrorMM * modelErrorMM * excess * modelCorrelation(apart)
    }

    private static func modelCorrelation(_ apart: Double) -> Double {
        let scaled = 3.27 * apart / modelReachMM
        return (1 + scaled) * exp(-scaled)
    }

    /// Of unit covariance.
    private func whitened(_ distances: [Double]) -> [Double] { factor.whitened(distances) }

    /// What a fit makes least.
    func cost(_ distances: [Double], _ values: [Double]) -> Double {
        zip(distances, weights).reduce(0) { $0 + $1.0 * $1.0 * $1.1 } + values.reduce(0) { $0 + $1 * $1 }
    }

    /// What the distances tell of the model's error along the edge.
    struct ModelErrors {
        /// Most probable for the distances as they are, mm, positive where the simulated ice is too large.
        var meansMM: [Double]
        /// How that changes with each parameter.
        var slopes: [[Double]]
        /// Of the points' errors, before anything is known of them; and vectors whose products tell by how much less they vary together
        /// then.
        fileprivate var covariances, known: [[Double]]

        /// The variance that is left of a weighted sum of the points' errors, mm²; the weights' number is small.
        func variance(_ weights: [(point: Int, weight: Double)]) -> Double {
            var before = 0.0, known = [Double](repeating: 0, count: meansMM.count)
            for (point, weight) in weights {
                for (other, otherWeight) in weights { before += weight * otherWeight * covariances[point][other] }
                for index in known.indices { known[index] += weight * self.known[point][index] }
            }
            return max(0, before - known.reduce(0) { $0 + $1 * $1 })
        }
    }
    func modelErrors(distances: [Double], columns: [[Double]]) -> ModelErrors {
        let residuals = whitened(distances), columns = columns.map(whitened)
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let covariances = mapSlabs(of: edge.count, slab: 16) { range in range.map { modelCovariances(of: $0) } }.flatMap { $0 }
        let known = mapSlabs(of: edge.count, slab: 16) { range in range.map { whitened(covariances[$0]) } }.flatMap { $0 }
        return ModelErrors(
            meansMM: known.map { dot($0, residuals) }, slopes: known.map { known in columns.map { dot(known, $0) } },
            covariances: covariances,
            known: known)
    }

    private func modelCovariances(of point: Int) -> [Double] {
        edge.indices.map { other in
            modelErrorMM * modelErrorMM * excess[point] * excess[other]
                * Self.modelCorrelation(edge[point].position.distance(to: edge[other].position))
        }
    }
}
