import ImagingCore

/// The medium: where which tissue is, what holds at the sides, and how it begins.
public struct ThermalModel: Sendable {
    public var grid: SimulationGrid
    public var tissues: [Tissue]
    /// Per cell of the grid, i fastest, an index of `tissues`; `nil` when everything is the first.
    public var labels: [UInt8]?
    public var boundary: [SimulationGrid.Side: BoundaryCondition]
    public var startTemperatureC: Double
    /// Of arterial blood and of vessels.
    public var bloodTemperatureC: Double
    /// Whether blood flow that ice has stopped stays away after thawing.
    public var stasisIsPermanent: Bool

    public init(
        grid: SimulationGrid, tissues: [Tissue], labels: [UInt8]? = nil, boundary: [SimulationGrid.Side: BoundaryCondition],
        startTemperatureC: Double = 37, bloodTemperatureC: Double = 37, stasisIsPermanent: Bool = false
    ) {
        (self.grid, self.tissues, self.labels, self.boundary) = (grid, tissues, labels, boundary)
        (self.startTemperatureC, self.bloodTemperatureC, self.stasisIsPermanent) = (startTemperatureC, bloodTemperatureC, stasisIsPermanent)
    }

    /// The tissue that most cells are of, among those that can freeze.
    public var mainTissue: Tissue {
        guard let labels else { return tissues[0] }
        var counts = [Int](repeating: 0, count: tissues.count)
        for label in labels { counts[Int(label)] += 1 }
        return tissues[tissues.indices.filter { tissues[$0].isSolid }.max { counts[$0] < counts[$1] } ?? 0]
    }
}
