import ImagingCore

/// Temperature everywhere in a simulated grid, interpolated by way of θ = ∫ k dT, whose slope has no kink at the front.
public struct TemperatureField: Sendable {
    public let grid: SimulationGrid
    /// Per cell, i fastest, W/m, of the main tissue at the cell's temperature.
    let kirchhoff: [Float]
    /// Per cell, the share that is not frozen, where freezing happens at one temperature: all cells at the front have that temperature,
    /// and only this tells where in them the front is.
    let liquidShare: [Float]?
    let table: EnthalpyTable

    init(grid: SimulationGrid, kirchhoff: [Float], liquidShare: [Float]? = nil, table: EnthalpyTable) {
        (self.grid, self.kirchhoff, self.liquidShare, self.table) = (grid, kirchhoff, liquidShare, table)
    }

    /// A scalar whose level is an isotherm: below `level` it is colder.
    struct Indicator {
        let values: [Float]
        let level: Double
    }
    func indicator(of temperatureC: Double) -> Indicator {
        if let liquidShare, abs(temperatureC - table.liquidusC) < 1e-6 { return Indicator(values: liquidShare, level: 0.5) }
        return Indicator(values: kirchhoff, level: table.kirchhoff(atTemperature: temperatureC))
    }

    /// A cell field at a place in metres along the grid's axes; beyond the outermost cell centres, as there.
    func interpolate(_ values: [Float], at position: SIMD3<Double>) -> Double {
        let size = grid.size
        let x = grid.axes.x.bracket(position.x), y = grid.axes.y.bracket(position.y), z = grid.axes.z.bracket(position.z)
        return values.withUnsafeBufferPointer { values in
            func along(_ j: Int, _ k: Int) -> Double {
                let offset = size.offset(VoxelIndex(x.cell, j, k))
                return (1 - x.share) * Double(values[offset]) + (x.share > 0 ? x.share * Double(values[offset + 1]) : 0)
            }
            func across(_ k: Int) -> Double { (1 - y.share) * along(y.cell, k) + (y.share > 0 ? y.share * along(y.cell + 1, k) : 0) }
            return (1 - z.share) * across(z.cell) + (z.share > 0 ? z.share * across(z.cell + 1) : 0)
        }
    }

    /// °C at a point of patient space.
    public func temperatureC(at point: PatientPoint) -> Double {
        table.temperature(atKirchhoff: interpolate(kirchhoff, at: grid.position(point)))
    }

    /// °C at the voxels of a grid, by default the core, whose voxels are cells.
    public func volume(on geometry: GridGeometry? = nil) -> Volume<Float> {
        guard let geometry, geometry != grid.core else { return coreVolume }
        return Volume(geometry: geometry) { temperatureC(at: $0) }
    }

    private var coreVolume: Volume<Float> {
        let size = grid.size, (x, y, z) = grid.axes
        return Volume(geometry: grid.core) { target in
            var place = 0
            for k in z.core {
                for j in y.core {
                    for offset in size.offset(VoxelIndex(x.core.lowerBound, j, k))..<size.offset(VoxelIndex(x.core.lowerBound, j, k))
                        + x.core.count
                    {
                        target[place] = Float(table.temperature(atKirchhoff: Double(kirchhoff[offset])))
                        place += 1
                    }
                }
            }
        }
    }
}
