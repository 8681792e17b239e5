import ImagingCore

/// Sizes of isotherms: of what is colder than a temperature.
extension TemperatureField {
    /// Millilitres colder than `temperatureC`; the share of each cell that is follows from how θ varies across it.
    public func volumeML(below temperatureC: Double) -> Double {
        let indicator = indicator(of: temperatureC), size = grid.size
        func value(_ i: Int, _ j: Int, _ k: Int) -> Double { Double(indicator.values[size.offset(VoxelIndex(i, j, k))]) }
        /// By how much the indicator varies across a cell.
        func span(_ i: Int, _ j: Int, _ k: Int) -> Double {
            func along(_ axis: GridAxis, _ index: Int, _ at: (Int) -> Double) -> Double {
                let low = max(index - 1, 0), high = min(index + 1, axis.count - 1)
                guard high > low else { return 0 }
                return abs(at(high) - at(low)) * axis.widths[index] / (axis.centers[high] - axis.centers[low])
            }
            return along(grid.axes.x, i) { value($0, j, k) } + along(grid.axes.y, j) { value(i, $0, k) }
                + along(grid.axes.z, k) { value(i, j, $0) }
        }
        return mapSlabs(of: size.k, slab: 1) { slices -> Double in
            var sum = 0.0
            for k in slices {
                for j in 0..<size.j {
                    for i in 0..<size.i {
                        let share = min(1, max(0, 0.5 + (indicator.level - value(i, j, k)) / (span(i, j, k) + 1e-12)))
                        sum += share * grid.cellVolume(i, j, k)
                    }
                }
            }
            return sum
        }.reduce(0, +) * 1e6
    }

    /// How far from `origin` along `direction` the outermost place lies where the temperature rises through `temperatureC`, mm;
    /// `nil` when the ray is nowhere colder, or still colder where it leaves the grid.
    public func radiusMM(of temperatureC: Double, from origin: PatientPoint, along direction: PatientVector) -> Double? {
        let indicator = indicator(of: temperatureC)
        return radiusMM(from: origin, along: direction) { interpolate(indicator.values, at: grid.position($0)) - indicator.level }
    }

    /// - Parameter excessAt: at a place, below 0 where it is colder.
    func radiusMM(from origin: PatientPoint, along direction: PatientVector, where excessAt: (PatientPoint) -> Double) -> Double? {
        guard let unit = direction.normalized else { return nil }
        let start = grid.position(origin), step = grid.core.axes.components(of: unit)
        func excess(_ distance: Double) -> Double { excessAt(origin + 1000 * distance * unit) }
        let spacing = grid.finestSpacing / 4
        var distance = 0.0, before = excess(0), found: Double?
        while grid.isInside(start + (distance + spacing) * step) {
            let next = excess(distance + spacing)
            if before < 0, next >= 0 { found = Self.crossing(distance, distance + spacing, excess) }
            if before >= 0, next < 0 { found = nil }
            (before, distance) = (next, distance + spacing)
        }
        return before < 0 ? nil : found.map { $0 * 1000 }
    }

    private static func crossing(_ near: Double, _ far: Double, _ excess: (Double) -> Double) -> Double {
        var (near, far) = (near, far)
        for _ in 0..<24 {
            let middle = (near + far) / 2
            if excess(middle) < 0 { near = middle } else { far = middle }
        }
        return (near + far) / 2
    }

    /// The size of an isotherm around the active part of one probe.
    public struct ProbeSize: Hashable, Sendable, Codable {
        /// Twice the mean radius where it is largest along the active part.
        public var widthMM: Double
        /// Along the probe's line.
        public var lengthMM: Double
        /// How far it goes beyond the active part's ends.
        public var tipBeyondMM, tailBeyondMM: Double
    }

    /// `nil` when no part of the active part is inside the isotherm.
    ///
    /// - Parameters:
    ///   - tip: the active part's end nearest the tip.
    ///   - direction: from tip to tail.
    public func probeSize(of temperatureC: Double, tip: PatientPoint, direction: PatientVector, lengthMM: Double) -> ProbeSize? {
        guard let axis = direction.normalized else { return nil }
        let across = axis.anyPerpendicular, other = axis.cross(across)
        let directions = (0..<16).map { number -> PatientVector in
            let (cosine, sine) = Self.sixteenths[number]
            return cosine * across + sine * other
        }
        let largest = stride(from: 0.0, through: lengthMM, by: 1).compactMap { depth -> Double? in
            let radii = directions.compactMap { radiusMM(of: temperatureC, from: tip + depth * axis, along: $0) }
            return radii.count == directions.count ? radii.reduce(0, +) / Double(radii.count) : nil
        }.max()
        let middle = tip + (lengthMM / 2) * axis
        guard let largest, let towardsTip = radiusMM(of: temperatureC, from: middle, along: -axis),
            let towardsTail = radiusMM(of: temperatureC, from: middle, along: axis)
        else { return nil }
        return ProbeSize(
            widthMM: 2 * largest, lengthMM: towardsTip + towardsTail, tipBeyondMM: towardsTip - lengthMM / 2,
            tailBeyondMM: towardsTail - lengthMM / 2)
    }

    /// Cosine and sine of sixteenths of a turn.
    private static let sixteenths: [(Double, Double)] = {
        let quarter = [
            (1, 0), (0.9238795325112867, 0.3826834323650898), (0.7071067811865476, 0.7071067811865476),
            (0.3826834323650898, 0.9238795325112867),
        ]
        return quarter + quarter.map { (-$0.1, $0.0) } + quarter.map { (-$0.0, -$0.1) } + quarter.map { ($0.1, -$0.0) }
    }()
}

extension PatientVector {
    /// A unit vector at right angles.
    var anyPerpendicular: PatientVector {
        let smallest = [PatientVector(1, 0, 0), PatientVector(0, 1, 0), PatientVector(0, 0, 1)].min {
            abs($0.dot(self)) < abs($1.dot(self))
        }!
        return cross(smallest).normalized ?? smallest
    }
}
