import FigureRendering
import Foundation
import ImagingCore
import NIfTIFormat
import Reporting

/// The files of a simulation in a case's results: temperatures (°C) and probabilities as NIfTI on the ice scan's voxels, and charts.
struct SimulationFiles {
    let simulation: CaseSimulation
    let scan: GridGeometry

    func write(growth: [CaseReport.Forecast.Ice], forecast: CaseReport.Forecast?, to folder: ResultsFolder) throws {
        let minutes = simulation.fit.seconds / 60
        if !growth.isEmpty { try folder.write(Data(SimulationFigures.growth(growth, scanMinutes: minutes).svg.utf8), to: "simulation/growth.svg") }
        if let forecast { try folder.write(Data(SimulationFigures.margins(forecast).svg.utf8), to: "simulation/forecast.svg") }
        guard let box = scan.indexRanges(around: simulation.grid.cornerPoints, marginMM: 0) else { return }
        let voxels = scan.cropped(box.i, box.j, box.k)
        try NIfTIFile.write(simulation.lowest.temperatures(on: voxels), to: folder.url("simulation/lowest-temperature.nii.gz"))
        for (zone, temperatureC) in CaseSimulation.isotherms {
            try NIfTIFile.write(simulation.lowest.probabilities(below: temperatureC, on: voxels), to: folder.url("simulation/probability-\(zone.rawValue).nii.gz"))
        }
    }
}
