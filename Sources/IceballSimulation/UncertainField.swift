import Foundation
import ImagingCore

/// A temperature field with the spread that its uncertain parameters leave: how the temperature changes with each of them, how they vary
/// together, and what the model itself gets wrong.
public struct UncertainField: Sendable {
    /// The most probable field, before `shift`; one of a finer grid may take its place.
    public var field: TemperatureField
    /// By which the whole field is moved.
    public let shift: PatientVector
    private let discrepancy: ModelDiscrepancy
    /// At the values around which the changes were computed.
    private let base: TemperatureField
    private let changes: [TemperatureField?]
    private let stepSize: Double
    /// Per parameter, the shift for one spread of it; `nil` for those that change the field.
    private let shiftSpreads: [PatientVector?]
    private let covariance: [[Double]]
    /// θ of tissue that no probe has cooled.
    private let warmestTheta: Double

    init(
        field: TemperatureField, changes: [TemperatureField?], stepSize: Double, shiftSpreads: [PatientVector?], covariance: [[Double]],
        shift: PatientVector, discrepancy: ModelDiscrepancy
    ) {
        (self.field, base, self.changes, self.stepSize) = (field, field, changes, stepSize)
        warmestTheta = field.warmestTheta
        (self.shiftSpreads, self.covariance, self.shift, self.discrepancy) = (shiftSpreads, covariance, shift, discrepancy)
    }

    /// θ, W/m, at a place in the patient. What disturbs it beyond the ice fades to where tissue is warm, and makes nothing warmer than
    /// that.
    private func theta(at point: PatientPoint) -> Double {
        let own = point - shift, theta = field.theta(at: own)
        guard theta < warmestTheta else { return theta }
        return min(warmestTheta, theta + discrepancy.theta(at: own) * min(1, 1 - theta / warmestTheta))
    }

    public func temperatureC(at point: PatientPoint) -> Double { field.table.temperature(atKirchhoff: theta(at: point)) }

    /// K/mm, and by how much θ rises with it, W/m per K.
    private func gradient(at point: PatientPoint) -> (vector: PatientVector, thetaPerK: Double) {
        let slope = field.thetaGradient(at: point - shift), theta = theta(at: point), step = 0.5
        let perTheta = (
            field.table.temperature(atKirchhoff: theta + step) - field.table.temperature(atKirchhoff: theta - step)
        ) / (2 * step)
        return (slope.length * perTheta * slope.direction, 1 / perTheta)
    }

    /// One standard deviation of the temperature, K, to first order in the parameters.
    public func spreadK(at point: PatientPoint) -> Double {
        let gradient = gradient(at: point)
        return spreadMM(at: point, gradient) * gradient.vector.length
    }

    /// One standard deviation, in mm, of how far in or out the isotherm through a point lies.
    public func spreadMM(at point: PatientPoint) -> Double { spreadMM(at: point, gradient(at: point)) }

    private func spreadMM(at point: PatientPoint, _ gradient: (vector: PatientVector, thetaPerK: Double)) -> Double {
        let own = point - shift, left = discrepancy(own), slope = gradient.vector.length
        guard slope > 1e-9 else { return left.deviationMM }
        let carriedMM = ModelDiscrepancy.shareUncertain * left.theta / (slope * gradient.thetaPerK)
        let here = base.temperatureC(at: own)
        // Outwards, mm for one spread of each parameter. Temperatures of changed models are compared rather than θ, which the changed
        // conductivities define differently.
        let slopes = changes.indices.map { index -> Double in
            if let moved = shiftSpreads[index] { return gradient.vector.dot(moved) / slope - left.slopes[index] }
            guard let changed = changes[index] else { return 0 }
            return (here - changed.temperatureC(at: own)) / stepSize / slope - left.slopes[index]
        }
        let variance = slopes.indices.reduce(0.0) { sum, a in
            sum + slopes[a] * slopes.indices.reduce(0.0) { $0 + covariance[a][$1] * slopes[$1] }
        }
        return (max(0, variance) + left.deviationMM * left.deviationMM + carriedMM * carriedMM).squareRoot()
    }

    /// The probability that the temperature is below `temperatureC`.
    public func probability(below temperatureC: Double, at point: PatientPoint) -> Double {
        let spread = spreadK(at: point), margin = temperatureC - self.temperatureC(at: point)
        guard spread > 1e-9 else { return margin > 0 ? 1 : 0 }
        return 0.5 * erfc(-margin / spread / 2.0.squareRoot())
    }

    /// How far out along a ray the isotherm lies, mm, and one standard deviation of that; `nil` where the ray does not cross it.
    public func radiusMM(of temperatureC: Double, from origin: PatientPoint, along direction: PatientVector) -> (
        radiusMM: Double, spreadMM: Double
    )? {
        let level = field.table.kirchhoff(atTemperature: temperatureC)
        guard let unit = direction.normalized,
            let radius = field.radiusMM(from: origin - shift, along: unit, where: { theta(at: $0 + shift) - level })
        else { return nil }
        let crossing = origin + radius * unit, slope = abs(gradient(at: crossing).vector.dot(unit))
        return (radius, slope > 1e-9 ? spreadK(at: crossing) / slope : 0)
    }

    /// °C at every voxel of a grid.
    public func temperatures(on geometry: GridGeometry) -> Volume<Float> { Volume(geometry: geometry) { temperatureC(at: $0) } }

    /// θ less that of an isotherm at every voxel, W/m: 0 on the isotherm and negative where it is colder, without a kink there.
    public func excess(over temperatureC: Double, on geometry: GridGeometry) -> Volume<Float> {
        let level = field.table.kirchhoff(atTemperature: temperatureC)
        return Volume(geometry: geometry) { theta(at: $0) - level }
    }

    /// The probability at every voxel of a grid.
    public func probabilities(below temperatureC: Double, on geometry: GridGeometry) -> Volume<Float> {
        Volume(geometry: geometry) { probability(below: temperatureC, at: $0) }
    }

    /// `spreadMM` at every voxel of a grid.
    public func spreadsMM(on geometry: GridGeometry) -> Volume<Float> { Volume(geometry: geometry) { spreadMM(at: $0) } }
}
