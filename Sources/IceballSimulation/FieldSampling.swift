import ImagingCore

extension Volume where Voxel == Float {
    /// Values that are computed at each voxel's centre, on several threads.
    init(geometry: GridGeometry, sampling value: (PatientPoint) -> Double) {
        let size = geometry.size
        self.init(geometry: geometry) { target in
            nonisolated(unsafe) let target = target
            forEachSlab(of: size.j * size.k, slab: size.j) { rows in
                for row in rows {
                    let j = row % size.j, k = row / size.j
                    for i in 0..<size.i { target[row * size.i + i] = Float(value(geometry.point(VoxelIndex(i, j, k)))) }
                }
            }
        }
    }
}

extension TemperatureField {
    /// θ less that of an isotherm at every voxel, W/m: 0 on the isotherm and negative where it is colder, without a kink there.
    public func excess(over temperatureC: Double, on geometry: GridGeometry, shiftedBy shift: PatientVector = .zero) -> Volume<Float> {
        let indicator = indicator(of: temperatureC)
        return Volume(geometry: geometry) { interpolate(indicator.values, at: grid.position($0 - shift)) - indicator.level }
    }

    /// Of a scalar along patient axes, per mm, over a cell.
    private func gradient(at point: PatientPoint, of scalar: (PatientPoint) -> Double) -> PatientVector {
        let step = grid.finestSpacing * 1000 / 2
        func along(_ offset: PatientVector) -> Double { (scalar(point + offset) - scalar(point - offset)) / (2 * step) }
        return PatientVector(SIMD3(along(.along(0, step)), along(.along(1, step)), along(.along(2, step))))
    }

    /// K/mm.
    func gradient(at point: PatientPoint) -> PatientVector { gradient(at: point) { temperatureC(at: $0) } }

    /// θ and its slope, W/m and W/m per mm.
    func theta(at point: PatientPoint) -> Double { interpolate(kirchhoff, at: grid.position(point)) }
    func thetaGradient(at point: PatientPoint) -> (direction: PatientVector, length: Double) {
        let slope = gradient(at: point, of: theta)
        return (slope.normalized ?? .zero, slope.length)
    }
    var warmestTheta: Double { Double(kirchhoff.max() ?? 0) }
    var coldestTheta: Double { Double(kirchhoff.min() ?? 0) }

    /// By how far points of an observed edge lie within the isotherm of the field moved by `shift`; see `EdgeFit`.
    public func misfit(of points: [PatientPoint], to temperatureC: Double, shiftedBy shift: PatientVector) -> EdgeMisfit {
        EdgeMisfit(distancesMM: points.map { edgeDistanceMM(of: temperatureC, at: $0 - shift).distanceMM })
    }

    /// How far a point lies within the isotherm (negative: beyond it), mm, along the steepest way, and the outward normal there.
    func edgeDistanceMM(of temperatureC: Double, at point: PatientPoint) -> (distanceMM: Double, normal: PatientVector) {
        // By θ, whose slope does not break at the front.
        let level = table.kirchhoff(atTemperature: temperatureC)
        var place = point, travelled = 0.0, normal = PatientVector(0, 0, 0)
        for _ in 0..<4 {
            let slope = gradient(at: place, of: theta)
            guard let unit = slope.normalized else { break }
            normal = unit
            let step = max(-4, min(4, (level - theta(at: place)) / slope.length))
            place = place + step * unit
            travelled += step
            if abs(step) < 0.01 { break }
        }
        return (travelled, normal)
    }
}

extension PatientVector {
    /// So long along a patient axis (0 left, 1 posterior, 2 superior).
    static func along(_ axis: Int, _ length: Double) -> PatientVector {
        var components = SIMD3<Double>.zero
        components[axis] = length
        return PatientVector(components)
    }
}
