import Foundation
import ImagingCore

/// How a tumour's surface divides by how sure it is that the margin there is enough; shares of its area that add up to 1.
public struct SurfaceCertainty: Sendable, Hashable {
    /// Enough with a probability of at least 97.5 %.
    public var enough: Double
    public var unsure: Double
    /// Too small with a probability of at least 97.5 %.
    public var short: Double

    static let sureProbability = 0.975
}

extension MarginMap {
    /// For each vertex the probability that the true margin there is at least `requiredMM`; empty without `deviationsMM`.
    public func probabilities(ofAtLeast requiredMM: Double) -> [Double] {
        zip(marginsMM, deviationsMM).map { margin, deviation in
            0.5 * erfc((requiredMM - margin) / (max(1e-6, deviation) * 2.0.squareRoot()))
        }
    }

    /// By each vertex alone, whereas the smallest margin asks for the whole surface at once. `nil` without `deviationsMM`.
    public func certainty(ofAtLeast requiredMM: Double) -> SurfaceCertainty? {
        let total = vertexAreasMM2.reduce(0, +), probabilities = probabilities(ofAtLeast: requiredMM)
        guard total > 0, !probabilities.isEmpty else { return nil }
        var enough = 0.0, short = 0.0
        for (probability, area) in zip(probabilities, vertexAreasMM2) {
            if probability >= SurfaceCertainty.sureProbability { enough += area / total }
            if probability <= 1 - SurfaceCertainty.sureProbability { short += area / total }
        }
        return SurfaceCertainty(enough: enough, unsure: max(0, 1 - enough - short), short: short)
    }
}

extension MarginUncertainty {
    /// The standard deviation of the margin at every vertex of a tumour's surface.
    func deviationsMM(of marginsMM: [Double], over surface: TriangleMesh, tumour: GridGeometry, zone: GridGeometry) -> [Double] {
        let normals = surface.vertexNormals
        return surface.vertices.indices.map { vertex in
            // The zone's surface lies about there.
            let place = surface.vertices[vertex] + marginsMM[vertex] * normals[vertex]
            return halfWidthMM(along: normals[vertex], at: place, tumour: tumour, zone: zone) / Self.coverageFactor
        }
    }
}
