import Foundation
import ImagingCore

/// A temperature field with the spread that its uncertain parameters leave: how the temperature changes with each of them, how they vary
/// together, and what the model itself may be wrong by.
public struct UncertainField: Sendable {
    /// The most probable field, before `shift`; one of a finer grid may take its place.
    public var field: TemperatureField
    /// By which the whole field is moved.
    public let shift: PatientVector
    /// One standard deviation of the model's own error at an isotherm, mm.
    public let modelErrorMM: Double
    /// At the values around which the changes were computed.
    private let base: TemperatureField
    private let changes: [TemperatureField?]
    private let stepSize: Double
    /// Per parameter, the shift for one spread of it; `nil` for those that change the field.
    private let shiftSpreads: [PatientVector?]
    private let covariance: [[Double]]

    init(
        field: TemperatureField, base: TemperatureField, changes: [TemperatureField?], stepSize: Double, shiftSpreads: [PatientVector?],
        covariance: [[Double]], shift: PatientVector, modelErrorMM: Double
    ) {
        (self.field, self.base, self.changes, self.stepSize) = (field, base, changes, stepSize)
        (self.shiftSpreads, self.covariance, self.shift, self.modelErrorMM) = (shiftSpreads, covariance, shift, modelErrorMM)
    }

    public func temperatureC(at point: PatientPoint) -> Double { field.temperatureC(at: point - shift) }

    /// One standard deviation of the temperature, K, to first order in the parameters.
    public func spreadK(at point: PatientPoint) -> Double {
        let gradient = field.gradient(at: point - shift), wrong = modelErrorMM * gradient.length
        return (parameterVarianceK2(at: point, gradient) + wrong * wrong).squareRoot()
    }

    /// One standard deviation, in mm, of how far in or out the isotherm through a point lies.
    public func spreadMM(at point: PatientPoint) -> Double {
        let gradient = field.gradient(at: point - shift), slope = gradient.length
        guard slope > 1e-9 else { return 0 }
        return (parameterVarianceK2(at: point, gradient) / (slope * slope) + modelErrorMM * modelErrorMM).squareRoot()
    }

    /// Temperatures of changed models are compared rather than θ, which the changed conductivities define differently.
    private func parameterVarianceK2(at point: PatientPoint, _ gradient: PatientVector) -> Double {
        let place = point - shift, here = base.temperatureC(at: place)
        let slopes = zip(changes, shiftSpreads).map { changed, shift -> Double in
            if let shift { return -gradient.dot(shift) }
            return changed.map { ($0.temperatureC(at: place) - here) / stepSize } ?? 0
        }
        return max(0, slopes.indices.reduce(0) { sum, a in
            sum + slopes[a] * slopes.indices.reduce(0) { $0 + covariance[a][$1] * slopes[$1] }
        })
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
        guard let unit = direction.normalized, let radius = field.radiusMM(of: temperatureC, from: origin - shift, along: unit) else {
            return nil
        }
        let crossing = origin + radius * unit, slope = abs(field.gradient(at: crossing - shift).dot(unit))
        return (radius, slope > 1e-9 ? spreadK(at: crossing) / slope : 0)
    }

    /// °C at every voxel of a grid.
    public func temperatures(on geometry: GridGeometry) -> Volume<Float> { Volume(geometry: geometry) { temperatureC(at: $0) } }

    /// See `TemperatureField.excess`.
    public func excess(over temperatureC: Double, on geometry: GridGeometry) -> Volume<Float> {
        field.excess(over: temperatureC, on: geometry, shiftedBy: shift)
    }

    /// The probability at every voxel of a grid.
    public func probabilities(below temperatureC: Double, on geometry: GridGeometry) -> Volume<Float> {
        Volume(geometry: geometry) { probability(below: temperatureC, at: $0) }
    }

    /// `spreadMM` at every voxel of a grid.
    public func spreadsMM(on geometry: GridGeometry) -> Volume<Float> { Volume(geometry: geometry) { spreadMM(at: $0) } }
}
