import Foundation
import ImagingCore
import NIfTIFormat

/// The files of a simulation in a case's results: temperatures (°C) and probabilities as NIfTI on the ice scan's voxels.
struct SimulationFiles {
    let simulation: CaseSimulation
    let scan: GridGeometry

    func write(to folder: ResultsFolder) throws {
        guard let box = scan.indexRanges(around: simulation.grid.cornerPoints, marginMM: 0) else { return }
        let voxels = scan.cropped(box.i, box.j, box.k)
        try NIfTIFile.write(simulation.lowest.temperatures(on: voxels), to: folder.url("simulation/lowest-temperature.nii.gz"))
        for (zone, temperatureC) in CaseSimulation.isotherms {
            try NIfTIFile.write(
                simulation.lowest.probabilities(below: temperatureC, on: voxels),
                to: folder.url("simulation/probability-\(zone.rawValue).nii.gz"))
        }
    }
}
