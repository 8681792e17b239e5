import Foundation
import ImagingCore

/// A sink thinner than the cells, spread over those around it by a smooth kernel.
///
/// Beyond the kernel's radius the field is that of the sink itself. Within, the kernel's mean of θ stands for the field at a known distance
/// from the axis, from which the surface's temperature follows: a well as reservoir models have it, but at any place and angle.
struct KernelWell: Sendable {
    struct Segment: Sendable {
        /// The cells' places in `cells` and `weights`.
        var cells: Range<Int>
        /// The sum of their weights, 1 unless cells lie beyond a plane of symmetry.
        var weight: Float
        /// The tissue at its centre.
        var tissue: Int
    }

    let segments: [Segment]
    /// Of each segment, metres; 1 for a point.
    let segmentLength: Double
    /// Offsets of cells (as in `FieldLayout`) and weights, segment after segment.
    let cells: [Int32]
    let weights: [Float]
    /// 2π / ln(r/a), r being the distance from the axis for which the kernel's mean of θ stands; 0 where a radius is not given.
    let coupling: Double

    /// The kernel's radius in cells must not fall below this.
    static let smallestRadius = 2.5
    /// Nor in radii of the sink.
    static let smallestRadiusPerSinkRadius = 3.6

    static func radius(spacing: Double, sinkRadius: Double) -> Double {
        max(smallestRadius * spacing, smallestRadiusPerSinkRadius * sinkRadius)
    }

    /// The distance for which the mean of θ stands, per kernel radius, by kernel radius in cells (found by sinks in a uniform medium).
    static func equivalentRadius(kernelRadius: Double, spacing: Double) -> Double {
        let measured = [(2.5, 0.904), (3, 1.113), (3.5, 1.319), (4.32, 1.650), (5.3, 2.041)], cells = kernelRadius / spacing
        let limit = 0.391
        guard let upper = measured.firstIndex(where: { $0.0 >= cells }) else {
            // The difference from the limit falls with the square of the cells.
            let last = measured.last!
            return kernelRadius * (limit - (limit - last.1 / last.0) * (last.0 / cells) * (last.0 / cells))
        }
        guard upper > 0 else { return measured[0].1 / measured[0].0 * kernelRadius }
        let (a, b) = (measured[upper - 1], measured[upper]), share = (cells - a.0) / (b.0 - a.0)
        return kernelRadius * ((1 - share) * a.1 / a.0 + share * b.1 / b.0)
    }

    /// - Parameter withdrawalMM: how far the sink has been drawn back.
    init(
        _ sink: HeatSink, withdrawalMM: Double, grid: SimulationGrid, layout: FieldLayout, tissues: TissueLayout,
        insulated: Set<SimulationGrid.Side>
    )
        throws(SimulationError)
    {
        guard grid.hasCubicCells else { throw .coreNotCubic(grid.core.spacing) }
        let spacing = grid.finestSpacing, radius = Self.radius(spacing: spacing, sinkRadius: sink.radiusMM / 1000)
        let (centers, length) = Self.segmentCenters(sink, withdrawalMM: withdrawalMM, grid: grid, spacing: spacing, kernelRadius: radius)
        try Self.check(sink, centers, grid: grid, margin: radius, insulated: insulated)
        segmentLength = length
        coupling =
            sink.radiusMM > 0
            ? 2 * .pi / log(Self.equivalentRadius(kernelRadius: radius, spacing: spacing) / (sink.radiusMM / 1000)) : 0
        var segments: [Segment] = [], cells: [Int32] = [], weights: [Float] = []
        for center in centers {
            let first = cells.count
            Self.spread(center, radius: radius, spacing: spacing, grid: grid, layout: layout, &cells, &weights)
            guard cells.count > first else { continue }
            let nearest = layout.index(
                Int(cells[first..<cells.count].enumerated().max { weights[first + $0.offset] < weights[first + $1.offset] }!.element))
            segments.append(
                Segment(
                    cells: first..<cells.count, weight: weights[first...].reduce(0, +),
                    tissue: tissues.tissue(nearest.i, nearest.j, nearest.k)))
        }
        (self.segments, self.cells, self.weights) = (segments, cells, weights)
    }

    private static func segmentCenters(_ sink: HeatSink, withdrawalMM: Double, grid: SimulationGrid, spacing: Double, kernelRadius: Double)
        -> (centers: [SIMD3<Double>], length: Double)
    {
        func along(_ from: SIMD3<Double>, _ direction: SIMD3<Double>, _ length: Double) -> ([SIMD3<Double>], Double) {
            let count = max(1, Int((length / (spacing / 2)).rounded(.up))), step = length / Double(count)
            return ((0..<count).map { from + (Double($0) + 0.5) * step * direction }, step)
        }
        func axes(_ vector: PatientVector) -> SIMD3<Double> { grid.core.axes.components(of: vector) }
        switch sink.shape {
        case .point(let point):
            return ([grid.position(point)], 1)
        case .segment(let from, let direction, let lengthMM):
            return along(grid.position(from + withdrawalMM * direction), axes(direction), lengthMM / 1000)
        case .line(let through, let direction):
            // As far as its kernels touch the grid, with whole cells' worth of segments, so that each cell along it receives the same.
            let unit = axes(direction), axis = [0, 1, 2].max { abs(unit[$0]) < abs(unit[$1]) }!, extent = grid.extent
            let beyond = (kernelRadius / spacing).rounded(.up) * spacing + spacing
            let start = extent.low[axis] - beyond, end = extent.high[axis] + beyond, position = grid.position(through)
            let count = Int(((end - start) / (spacing / 2)).rounded()), step = (end - start) / Double(count)
            let centers = (0..<count).map { number -> SIMD3<Double> in
                let along = start + (Double(number) + 0.5) * step - position[axis]
                return position + (along / unit[axis]) * unit
            }
            return (centers, step / abs(unit[axis]))
        }
    }

    /// Kernels lie in the even core, or reach beyond it only where the sink is its own image in a side that mirrors what is inside.
    private static func check(
        _ sink: HeatSink, _ centers: [SIMD3<Double>], grid: SimulationGrid, margin: Double, insulated: Set<SimulationGrid.Side>
    )
        throws(SimulationError)
    {
        let isLine = if case .line = sink.shape { true } else { false }
        let axes = [grid.axes.x, grid.axes.y, grid.axes.z], sides = SimulationGrid.Side.allCases
        for axis in 0..<3 {
            let low = centers.map { $0[axis] }.min()!, high = centers.map { $0[axis] }.max()!,
                end = Double(axes[axis].core.count) * grid.finestSpacing
            for (side, distance, face) in [(sides[2 * axis], low, 0.0), (sides[2 * axis + 1], end - high, end)] {
                let endsHere = face == 0 ? axes[axis].core.lowerBound == 0 : axes[axis].core.upperBound == axes[axis].count
                let isMirrored = abs(low + high - 2 * face) < 1e-3 * grid.finestSpacing
                if endsHere, insulated.contains(side), isLine || isMirrored { continue }
                guard distance >= margin * (1 - 1e-9) else {
                    throw .sourceOutsideCore(sink.name, distanceMM: distance * 1000, neededMM: margin * 1000)
                }
            }
        }
    }

    /// Wendland's kernel (1 − u)⁴ (1 + 4u) of the core's lattice, continued beyond its end so that weights do not change there.
    private static func spread(
        _ center: SIMD3<Double>, radius: Double, spacing: Double, grid: SimulationGrid, layout: FieldLayout,
        _ cells: inout [Int32], _ weights: inout [Float]
    ) {
        let low = ((center - radius) / spacing).rounded(.down), high = ((center + radius) / spacing).rounded(.up)
        var found: [(cell: Int32, weight: Double)] = [], sum = 0.0
        for k in Int(low.z)...Int(high.z) {
            for j in Int(low.y)...Int(high.y) {
                for i in Int(low.x)...Int(high.x) {
                    let offset = (SIMD3(Double(i), Double(j), Double(k)) + 0.5) * spacing - center
                    let u = (offset * offset).sum().squareRoot() / radius
                    guard u < 1 else { continue }
                    let weight = (1 - u) * (1 - u) * (1 - u) * (1 - u) * (1 + 4 * u)
                    sum += weight
                    let x = i + grid.axes.x.core.lowerBound, y = j + grid.axes.y.core.lowerBound, z = k + grid.axes.z.core.lowerBound
                    guard grid.axes.x.core.contains(x), grid.axes.y.core.contains(y), grid.axes.z.core.contains(z) else { continue }
                    found.append((Int32(layout.offset(x, y, z)), weight))
                }
            }
        }
        for (cell, weight) in found {
            cells.append(cell)
            weights.append(Float(weight / sum))
        }
    }

    /// Heat per metre that the surface takes, W/m, where the kernel's mean of θ is `mean`; `guess` is that of the stage before.
    func power(mean: Double, coolantC: Double, resistance: Double, largestPower: Double?, duty: Double, table: EnthalpyTable, guess: Double)
        -> Double
    {
        let coupling = coupling * duty
        var power = guess
        if resistance == 0 {
            power = coupling * (mean - table.kirchhoff(atTemperature: coolantC))
        } else {
            // The coolant's resistance counts for the time that it flows.
            let resistance = resistance / duty
            for _ in 0..<8 {
                let surface = coolantC + resistance * power
                let excess = power - coupling * (mean - table.kirchhoff(atTemperature: surface))
                let change = excess / (1 + coupling * resistance * table.conductivity(atTemperature: surface))
                power -= change
                if abs(change) < 1e-3 { break }
            }
        }
        return min(power, largestPower ?? .infinity)
    }
}
