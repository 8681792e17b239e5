import IceballSimulation
import ImageFilters
import ImagingCore
import MarginAnalysis

/// The simulated iceball of a case, fitted to its visible ice.
struct CaseSimulation {
    var setup: IceballSetup
    var edge: ObservedEdge
    /// The isotherm that the visible edge stands for, °C.
    var edgeTemperatureC: Double
    var fit: EdgeFit.Result
    /// At the fitted values, on fine cells where the fit holds: the lowest temperature until the scan, and that at the scan before the
    /// fit's shift.
    var lowest: UncertainField
    var temperature: TemperatureField
    /// Per threshold, seconds below it, before the fit's shift.
    var secondsBelow: [(thresholdC: Double, seconds: Volume<Float>)] = []
    /// The distance of the observed edge from the simulated one.
    var before, after: EdgeMisfit
    /// Of the simulated and the visible ice.
    var dice: Double?
    /// The grid of its level sets, in the treated scan's frame of reference.
    var grid: GridGeometry

    /// Temperatures that kill, °C, and the zones they bound.
    static let isotherms: [(zone: MarginZone, temperatureC: Double)] = [(.isotherm20, -20), (.isotherm40, -40)]

    /// No ice is known in which the temperature rises by more than this towards the visible edge, K/mm: the steepest simulated, a thin
    /// needle in tissue with the blood flow of a kidney at rest, has 10.
    static let steepestRise = 10.0

    /// What was at some time below −20 and −40 °C. Where they may lie differs from place to place. Where the visible edge lies farther in
    /// than the simulated one, an isotherm keeps the least distance from it that is known.
    func zones(ice: CaseObject) -> [MeasuredZone] {
        let spreads = lowest.spreadsMM(on: grid)
        return Self.isotherms.map { zone, temperatureC in
            let simulated = LevelSet(colderThan: temperatureC, excess: lowest.excess(over: temperatureC, on: grid))
            let reach = ice.setBack(byMM: -temperatureC / Self.steepestRise).levelSet.resampled(onto: grid)
            var object = ice
            object.name = zone.phrase
            object.levelSet = simulated.intersected(with: reach)
            object.sampling = SurfaceSampling(.levelSet, on: grid)
            // In the spreads.
            object.edgeUncertaintyMM = 0
            object.source = "simulated"
            object.input = nil
            var measured = MeasuredZone(zone, object)
            measured.offsetDeviationMapMM = spreads
            return measured
        }
    }

    /// The ice that the simulation says the scan shows.
    var simulatedIce: LevelSet {
        LevelSet(colderThan: edgeTemperatureC, excess: temperature.excess(over: edgeTemperatureC, on: grid, shiftedBy: fit.shift))
    }

    /// The overlap of the simulated ice with the visible one, on the latter's voxels: twice the common volume over the sum of both.
    static func dice(_ temperature: TemperatureField, _ edgeTemperatureC: Double, shift: PatientVector, _ ice: LevelSet) -> Double? {
        let simulated = temperature.excess(over: edgeTemperatureC, on: ice.geometry, shiftedBy: shift)
        var common = 0, sum = 0
        simulated.withUnsafeVoxels { simulated in
            ice.field.withUnsafeVoxels { visible in
                for offset in simulated.indices {
                    let (a, b) = (simulated[offset] <= 0, visible[offset] >= 0)
                    if a && b { common += 1 }
                    sum += (a ? 1 : 0) + (b ? 1 : 0)
                }
            }
        }
        return sum > 0 ? 2 * Double(common) / Double(sum) : nil
    }

    /// The lowest temperature in an object, and per threshold the longest time below it anywhere in it; `nil` for what lies outside the
    /// grid.
    func exposure(of object: LevelSet) -> StructureExposure? {
        let inside = object.mask, size = object.geometry.size
        var lowestC = Double.infinity, longest = secondsBelow.map { _ in 0.0 }
        for k in 0..<size.k {
            for j in 0..<size.j {
                for i in 0..<size.i {
                    let index = VoxelIndex(i, j, k)
                    guard inside[index] else { continue }
                    let point = object.geometry.point(index)
                    lowestC = min(lowestC, lowest.temperatureC(at: point))
                    for (number, entry) in secondsBelow.enumerated() {
                        let voxel = entry.seconds.geometry.continuousIndex(point - fit.shift).nearest
                        if entry.seconds.size.contains(voxel) { longest[number] = max(longest[number], Double(entry.seconds[voxel])) }
                    }
                }
            }
        }
        return lowestC.isFinite ? StructureExposure(
            lowestC: lowestC, longestS: zip(secondsBelow, longest).map { ($0.thresholdC, $1) }
        ) : nil
    }
}

/// How cold a structure became somewhere in it, and for how long at most.
struct StructureExposure {
    var lowestC: Double
    var longestS: [(temperatureC: Double, seconds: Double)]
}

extension LevelSet {
    /// Exact near the surface; farther away only the sign counts, mm.
    private static let exactMM: Float = 6

    /// What lies in both of two objects on the same grid.
    func intersected(with other: LevelSet) -> LevelSet {
        precondition(geometry == other.geometry)
        return LevelSet(field: Volume<Float>(geometry: geometry) { target in
            field.withUnsafeVoxels { a in
                other.field.withUnsafeVoxels { b in for offset in target.indices { target[offset] = min(a[offset], b[offset]) } }
            }
        })
    }

    /// What is colder than an isotherm; with an empty surface where nothing is.
    ///
    /// - Parameter excess: θ less that of the isotherm (`TemperatureField.excess`): its surface is that of θ, whose slope has no kink.
    init(colderThan temperatureC: Double, excess: Volume<Float>) {
        let colder = excess.mapped { (value: Float) -> Float in -value }, mesh = colder.isosurface(at: 0)
        guard !mesh.isEmpty else {
            self.init(field: Volume(geometry: excess.geometry, repeating: -Self.exactMM))
            return
        }
        let rough = Mask(colder) { $0 >= 0 }.signedDistance(), reach = Self.exactMM + Float(3 * excess.geometry.spacing.max())
        self.init(field: SurfaceDistance(mesh).signedDistances(near: rough, in: -reach...reach, exactMM: Self.exactMM))
    }
}
