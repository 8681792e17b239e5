import Foundation
import ImagingCore

/// A temperature field with the spread that its uncertain parameters leave: how θ changes with each of them, and how they vary together.
public struct UncertainField: Sendable {
    /// The most probable field, before `shift`.
    public let field: TemperatureField
    /// By which the whole field is moved.
    public let shift: PatientVector
    /// At the values around which the changes were computed.
    private let base: TemperatureField
    private let changes: [TemperatureField?]
    private let stepSize: Double
    private let kinds: [EdgeFitParameters.Kind]
    private let covariance: [[Double]]

    init(
        field: TemperatureField, base: TemperatureField, changes: [TemperatureField?], stepSize: Double, kinds: [EdgeFitParameters.Kind],
        covariance: [[Double]], shift: PatientVector
    ) {
        self.base = base
        (self.field, self.changes, self.stepSize, self.kinds, self.covariance, self.shift) = (
            field, changes, stepSize, kinds, covariance, shift
        )
    }

    public func temperatureC(at point: PatientPoint) -> Double { field.temperatureC(at: point - shift) }

    /// One standard deviation of the temperature, K, to first order in the parameters.
    ///
    /// Temperatures of changed models are compared rather than θ, which the changed conductivities define differently.
    public func spreadK(at point: PatientPoint) -> Double {
        let place = point - shift, here = base.temperatureC(at: place), gradient = field.gradient(at: place)
        let slopes = kinds.indices.map { index -> Double in
            if case .shift(let axis) = kinds[index] { return -gradient.lps[axis] * kinds[index].spread }
            return changes[index].map { ($0.temperatureC(at: place) - here) / stepSize } ?? 0
        }
        let variance = slopes.indices.reduce(0.0) { sum, a in
            sum + slopes[a] * slopes.indices.reduce(0.0) { $0 + covariance[a][$1] * slopes[$1] }
        }
        return max(0, variance).squareRoot()
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

    /// The probability at every voxel of a grid.
    public func probabilities(below temperatureC: Double, on geometry: GridGeometry) -> Volume<Float> {
        let size = geometry.size
        return Volume(geometry: geometry) { target in
            nonisolated(unsafe) let target = target
            forEachSlab(of: size.k, slab: 1) { slices in
                for k in slices {
                    for j in 0..<size.j {
                        for i in 0..<size.i {
                            let index = VoxelIndex(i, j, k)
                            target[size.offset(index)] = Float(probability(below: temperatureC, at: geometry.point(index)))
                        }
                    }
                }
            }
        }
    }
}

extension TemperatureField {
    /// K/mm along patient axes, over a cell to both sides.
    func gradient(at point: PatientPoint) -> PatientVector {
        let step = grid.finestSpacing * 1000 / 2
        return PatientVector(
            SIMD3(
                (0..<3).map { axis -> Double in
                    var offset = SIMD3<Double>.zero
                    offset[axis] = step
                    return (temperatureC(at: point + PatientVector(offset)) - temperatureC(at: point - PatientVector(offset))) / (2 * step)
                }))
    }

    /// How far a point lies within the isotherm (negative: beyond it), mm, along the steepest way, and the outward normal there.
    func edgeDistanceMM(of temperatureC: Double, at point: PatientPoint) -> (distanceMM: Double, normal: PatientVector) {
        // By θ, whose slope does not break at the front.
        let level = table.kirchhoff(atTemperature: temperatureC)
        var place = point, travelled = 0.0, normal = PatientVector(0, 0, 0)
        for _ in 0..<4 {
            let slope = kirchhoffGradient(at: place)
            guard let unit = slope.normalized else { break }
            normal = unit
            let step = max(-4, min(4, (level - interpolate(kirchhoff, at: grid.position(place))) / slope.length))
            place = place + step * unit
            travelled += step
            if abs(step) < 0.01 { break }
        }
        return (travelled, normal)
    }

    private func kirchhoffGradient(at point: PatientPoint) -> PatientVector {
        let step = grid.finestSpacing * 1000 / 2
        return PatientVector(
            SIMD3(
                (0..<3).map { axis -> Double in
                    var offset = SIMD3<Double>.zero
                    offset[axis] = step
                    let ahead = interpolate(kirchhoff, at: grid.position(point + PatientVector(offset)))
                    return (ahead - interpolate(kirchhoff, at: grid.position(point - PatientVector(offset)))) / (2 * step)
                }))
    }
}
