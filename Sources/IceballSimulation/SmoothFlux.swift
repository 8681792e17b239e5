import ImagingCore

/// What fluxes of fourth order add to those of second order where θ is smooth: between like cells that are all unfrozen.
///
/// There θ falls off so steeply away from ice that the difference of two cells overstates how far cold reaches, most along the grid's axes.
/// The flux at a face from the four cells along the axis is that of the two at it less a twelfth of their third difference; what one cell
/// gives the other takes. It is computed once in a step, from the field at its beginning. For models of a single tissue without blood,
/// which holds cold back by itself.
struct SmoothFlux: Sendable {
    private typealias Lanes = SIMD4<Float>

    private let layout: FieldLayout
    /// −1 / (12 h²) where a face lies between the two middle ones of four cells of the even core, else 0: towards lower and higher indices.
    private let iLow, iHigh: FixedBuffer<Float>
    private let jFactors, kFactors: [(low: Float, high: Float)]
    /// 1/s, the fastest that differences between cells fall; held against that of the whole model.
    let fastestDecay: Double

    /// `nil` for models to which it does not apply.
    init?(grid: SimulationGrid, layout: FieldLayout, tissues: TissueLayout, conduction: Conduction) {
        guard tissues.labels == nil, tissues.tissues[0].perfusion == 0 else { return nil }
        func factors(_ axis: GridAxis) -> [(low: Float, high: Float)] {
            let factor = Float(-1 / (12 * axis.coreSpacing * axis.coreSpacing))
            return (0..<axis.count).map { index in
                func isEven(_ lowest: Int) -> Bool { lowest >= axis.core.lowerBound && lowest + 3 < axis.core.upperBound }
                return (isEven(index - 2) ? factor : 0, isEven(index - 1) ? factor : 0)
            }
        }
        let i = factors(grid.axes.x), padding = [Float](repeating: 0, count: layout.pitch - i.count)
        (iLow, iHigh) = (FixedBuffer(i.map(\.low) + padding), FixedBuffer(i.map(\.high) + padding))
        (jFactors, kFactors) = (factors(grid.axes.y), factors(grid.axes.z))
        self.layout = layout
        let table = tissues.tissues[0].table
        fastestDecay = table.liquidConductivity / table.liquidHeatCapacity * conduction.largestSum
    }

    /// A step whose stages are bounded by a field that evens out this many times as fast is stable with fluxes that stay those of its
    /// beginning.
    static let leastDecayRatio = 4.0

    /// Adds to `rate`, which begins at the row, `share` times what the fluxes make of dH/dt.
    func add(to rate: UnsafeMutablePointer<Float>, row: Int, kirchhoff: UnsafePointer<Float>, share: Float) {
        let size = layout.size, j = row % size.j, k = row / size.j, own = kirchhoff + layout.rowStart(row)
        let jFactor = jFactors[j], kFactor = kFactors[k], jStep = layout.pitch, kStep = layout.pitch * size.j
        var i = 0
        while i < size.i {
            let cells = own + i
            var sum = Self.difference(cells, 1, Self.load(iLow.values, i), Self.load(iHigh.values, i))
            if jFactor != (0, 0) { sum += Self.difference(cells, jStep, Lanes(repeating: jFactor.low), Lanes(repeating: jFactor.high)) }
            if kFactor != (0, 0) { sum += Self.difference(cells, kStep, Lanes(repeating: kFactor.low), Lanes(repeating: kFactor.high)) }
            for lane in 0..<min(Lanes.scalarCount, size.i - i) { rate[i + lane] += share * sum[lane] }
            i += Lanes.scalarCount
        }
    }

    /// The third differences at a cell's two faces along an axis, the higher less the lower, each with its factor.
    @inline(__always)
    private static func difference(_ cells: UnsafePointer<Float>, _ step: Int, _ low: Lanes, _ high: Lanes) -> Lanes {
        let zero = Lanes.zero, hasLow = low .!= zero, hasHigh = high .!= zero
        let here = load(cells, 0), below = load(cells, -step), above = load(cells, step)
        // Only where there is a face are there cells beyond.
        let farBelow = any(hasLow) ? load(cells, -2 * step) : zero, farAbove = any(hasHigh) ? load(cells, 2 * step) : zero
        let isLiquid = here .> zero .& below .> zero .& above .> zero
        let atLow = low * (above - 3 * here + 3 * below - farBelow), atHigh = high * (farAbove - 3 * above + 3 * here - below)
        return zero.replacing(with: atHigh, where: hasHigh .& isLiquid .& farAbove .> zero)
            - zero.replacing(with: atLow, where: hasLow .& isLiquid .& farBelow .> zero)
    }

    @inline(__always) private static func load(_ row: UnsafePointer<Float>, _ i: Int) -> Lanes {
        UnsafeRawPointer(row + i).loadUnaligned(as: Lanes.self)
    }
}
