import ImagingCore

/// Where the cells of a simulation lie in patient space: an even core, surrounded by cells that widen outwards.
public struct SimulationGrid: Sendable {
    /// How much wider each cell beyond the core is than the one before it.
    public static let stretchRatio = 1.12
    /// The most cells that are accepted, so that a number in a file cannot exhaust the machine.
    public static let largestCellCount = 40_000_000

    /// The core: its voxels are cells.
    public let core: GridGeometry
    let axes: (x: GridAxis, y: GridAxis, z: GridAxis)

    /// Of all cells.
    public let size: GridSize

    /// A side of the grid; axes are those of the core.
    public enum Side: Int, CaseIterable, Sendable { case iLow, iHigh, jLow, jHigh, kLow, kHigh }

    /// - Parameter reachMM: how far beyond the core the grid goes on each side; 0 ends it there.
    public init(core: GridGeometry, reachMM: [Side: Double]) throws(SimulationError) {
        func axis(_ count: Int, _ spacing: Double, _ low: Side, _ high: Side) -> GridAxis {
            GridAxis(
                coreCount: count, spacing: spacing / 1000, reachLow: (reachMM[low] ?? 0) / 1000, reachHigh: (reachMM[high] ?? 0) / 1000,
                ratio: Self.stretchRatio)
        }
        self.core = core
        axes = (
            axis(core.size.i, core.spacing.x, .iLow, .iHigh), axis(core.size.j, core.spacing.y, .jLow, .jHigh),
            axis(core.size.k, core.spacing.z, .kLow, .kHigh)
        )
        size = GridSize(axes.x.count, axes.y.count, axes.z.count)
        guard cellCount <= Self.largestCellCount else { throw .gridTooLarge(cells: cellCount, largest: Self.largestCellCount) }
    }

    public var cellCount: Int { size.voxelCount }
    /// The least spacing of the core, metres.
    var finestSpacing: Double { core.spacing.min() / 1000 }
    /// Whether the core's cells are cubes, to one part in a thousand.
    var hasCubicCells: Bool { core.spacing.max() <= core.spacing.min() * 1.001 }

    /// Metres along the grid's axes, from the low corner of the core.
    func position(_ point: PatientPoint) -> SIMD3<Double> {
        (core.axes.components(of: point - core.origin) + core.spacing / 2) / 1000
    }
    func point(_ position: SIMD3<Double>) -> PatientPoint {
        core.origin + core.axes.vector(position * 1000 - core.spacing / 2)
    }
    /// The centre of a cell.
    public func cellCenter(_ index: VoxelIndex) -> PatientPoint { point(center(index.i, index.j, index.k)) }
    func center(_ i: Int, _ j: Int, _ k: Int) -> SIMD3<Double> { SIMD3(axes.x.centers[i], axes.y.centers[j], axes.z.centers[k]) }
    /// m³.
    func cellVolume(_ i: Int, _ j: Int, _ k: Int) -> Double { axes.x.widths[i] * axes.y.widths[j] * axes.z.widths[k] }
    /// The low and high corner of the whole grid.
    var extent: (low: SIMD3<Double>, high: SIMD3<Double>) {
        (
            SIMD3(axes.x.faces.first!, axes.y.faces.first!, axes.z.faces.first!),
            SIMD3(axes.x.faces.last!, axes.y.faces.last!, axes.z.faces.last!)
        )
    }
    func isInside(_ position: SIMD3<Double>) -> Bool {
        let (low, high) = extent
        return (position - low).min() >= 0 && (high - position).min() >= 0
    }
}

/// What holds at a side of the grid.
public enum BoundaryCondition: Hashable, Sendable {
    /// The side is held at a temperature, °C.
    case temperature(Double)
    /// No heat passes; also a plane of symmetry.
    case insulated
}
