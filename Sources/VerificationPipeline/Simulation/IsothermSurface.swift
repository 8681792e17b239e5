import IceballSimulation
import ImageFilters
import ImagingCore

/// Distances from an isotherm in the even core of a simulation.
struct IsothermSurface {
    private let field: TemperatureField
    private let temperatureC: Double
    private let surface: SurfaceDistance?

    init(_ field: TemperatureField, _ temperatureC: Double) {
        (self.field, self.temperatureC) = (field, temperatureC)
        let mesh = field.excess(over: temperatureC, on: field.grid.core).mapped { (value: Float) -> Float in -value }.isosurface(at: 0)
        surface = mesh.isEmpty ? nil : SurfaceDistance(mesh)
    }

    /// How far a point lies within the isotherm, mm, negative beyond it; −∞ where nothing is so cold.
    private func depthMM(of point: PatientPoint) -> Double {
        guard let surface else { return -.infinity }
        let distance = surface.closestPoint(to: point).distanceMM
        return field.temperatureC(at: point) < temperatureC ? distance : -distance
    }

    /// Of the point that the isotherm holds least deep, or leaves out farthest: the smallest margin of a surface.
    func least(of points: [PatientPoint], shiftedBy shift: PatientVector) -> (marginMM: Double, point: PatientPoint?) {
        points.map { (marginMM: depthMM(of: $0 - shift), point: $0) }.min { $0.marginMM < $1.marginMM } ?? (-.infinity, nil)
    }

    /// How near the isotherm comes to a surface, mm; negative where it reaches in, +∞ where nothing is so cold.
    func distanceMM(to points: [PatientPoint], shiftedBy shift: PatientVector) -> Double {
        -(points.map { depthMM(of: $0 - shift) }.max() ?? -.infinity)
    }
}

extension LevelSet {
    /// The share of an object that is colder than an isotherm, by its voxels.
    func share(below temperatureC: Double, in field: TemperatureField) -> Double {
        let inside = mask
        let points = (0..<geometry.size.voxelCount).map { geometry.size.index(atOffset: $0) }.filter { inside[$0] }.map(geometry.point)
        let cold = points.count { field.temperatureC(at: $0) < temperatureC }
        return points.isEmpty ? 0 : Double(cold) / Double(points.count)
    }
}
