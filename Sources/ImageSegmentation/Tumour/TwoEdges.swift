import Foundation
import ImagingCore

/// The edge of a tumour's core and that of the whole: a person may mean either, and the size that was stated says which is likelier.
struct TwoEdges {
    /// Longest diameters.
    let coreDiameterMM, wholeDiameterMM: Double
    /// How likely it is that the core alone is meant.
    let probabilityOfCore: Double

    /// How well sizes are stated: the standard deviation of their logarithm.
    private static let statedDeviation = 0.2
    /// Beyond these odds a person is told which was taken, but the other is no part of the uncertainty.
    private static let sure = 0.1

    /// - Parameter priorOfCore: how likely it is before a size was stated.
    init(coreDiameterMM: Double, wholeDiameterMM: Double, statedMM: Double, priorOfCore: Double) {
        func likelihood(_ diameter: Double) -> Double {
            let miss = log(statedMM / diameter) / Self.statedDeviation
            return exp(-0.5 * miss * miss) + 1e-6
        }
        let asCore = priorOfCore * likelihood(coreDiameterMM), asWhole = (1 - priorOfCore) * likelihood(wholeDiameterMM)
        (self.coreDiameterMM, self.wholeDiameterMM, probabilityOfCore) = (coreDiameterMM, wholeDiameterMM, asCore / (asCore + asWhole))
    }

    var coreIsMeant: Bool { probabilityOfCore > 0.5 }
    var isSure: Bool { probabilityOfOther <= Self.sure }
    private var probabilityOfOther: Double { min(probabilityOfCore, 1 - probabilityOfCore) }
    /// What is expected of the distance between the two edges, as a root mean square, where either may be meant; at the most half of it,
    /// since twice that reaches from the one to the other.
    var edgeDeviationMM: Double {
        isSure ? 0 : min(0.5, probabilityOfOther.squareRoot()) * (wholeDiameterMM - coreDiameterMM) / 2
    }
}

extension SphereDirections {
    /// The greatest length of a set of points along any of the directions.
    func greatestExtent(of points: [SIMD3<Float>]) -> Float {
        directions.reduce(0) { most, d in
            let along = points.map { ($0 * d).sum() }
            return max(most, (along.max() ?? 0) - (along.min() ?? 0))
        }
    }
}

extension RadialTumourFit {
    var longestDiameterMM: Double {
        Double(sphere.greatestExtent(of: sphere.directions.indices.map { radii[$0] * sphere.directions[$0] }))
    }
}
