import Foundation
import ImageRegistration
import ImagingCore
import NIfTIFormat
import Reporting

/// What a case's result has as images: masks, level sets, displacements, as NIfTI with a JSON file beside each that says what it is.
struct CaseImages {
    let result: CaseResult
    let isFollowup: Bool

    /// What a NIfTI file of a result holds: the JSON document of its name, schema `icemargin.image/1`.
    ///
    /// NIfTI headers have millimetres towards right, anterior and superior (RAS); points and vectors of IceMargin are left, posterior,
    /// superior.
    struct Description: Encodable {
        let schema = "icemargin.image/1"
        var file: String
        /// For example `tumour T1`.
        var object: String
        /// What the values mean.
        var values: String
        /// `null` for a mask.
        var unit: String?
        /// `planning`, `intraprocedural` or `followup`: the scan in whose frame of reference it lies.
        var frame: String
        var frameOfReferenceUID: String?
        /// The series of that scan.
        var seriesInstanceUID: String
        /// `segmented`, the mask that gave it, or how it was derived.
        var source: String
    }

    private enum Values {
        static let mask = "1 inside, 0 outside"
        static let levelSet = "signed distance to the surface near it, positive inside; only the sign counts far away"
        static let displacement =
            "treated → planning: from where a point lies in the treated scan to where it lies in the planning scan, deformation and rigid part together"
    }

    /// Writes all files. What was segmented comes as masks on the whole grid of its scan, which viewers want; what was given on its own.
    /// Level sets hold the part around the object. Tumours come on the treated scan's grid, too.
    func write(to folder: ResultsFolder) throws {
        let treated = result.scans.treated.geometry
        for tumour in result.tumours {
            try write(tumour, named: "tumour-\(tumour.name)", as: "tumour \(tumour.name)", source: tumour.source, to: folder)
        }
        for zone in result.zones {
            let name = zone.name == .visibleIce ? "ice" : zone.name.rawValue
            try write(zone.object, named: name, as: zone.name.rawValue, source: zone.source, to: folder)
        }
        for tumour in result.placement.tumours where result.scans.planning.seriesInstanceUID != result.scans.treated.seriesInstanceUID {
            guard let mask = tumour.levelSet.mask(onPartOf: treated) else { continue }
            try write(
                mask.placed(in: treated), named: "tumour-\(tumour.name)-registered", as: "tumour \(tumour.name)",
                source: "\(tumour.source), where it lies in the treated scan", inPlanningFrame: false, to: folder)
        }
        for (name, registration) in result.placement.registrations {
            let field = registration.displacements(over: treated), file = "registration/\(name)-displacement"
            try folder.write(Data(RigidTransformFile.text(registration.rigid).utf8), to: "registration/\(name)-rigid.tfm")
            try NIfTIFile.write(displacements: field.vectors, on: field.grid, to: folder.url(file + ".nii.gz"))
            try describe(
                file, object: "registration around tumour \(name)", values: Values.displacement, unit: "mm", source: "registration",
                inPlanningFrame: false, to: folder)
        }
    }

    /// Says what the volumes of `SimulationFiles` are.
    func describeSimulation(to folder: ResultsFolder) throws {
        func describe(_ name: String, _ values: String, unit: String? = nil) throws {
            guard FileManager.default.fileExists(atPath: try folder.url("simulation/\(name).nii.gz").path) else { return }
            try self.describe(
                "simulation/\(name)", object: "simulated ice", values: values, unit: unit, source: "simulation fitted to the visible ice",
                inPlanningFrame: false, to: folder)
        }
        try describe("lowest-temperature", "lowest temperature until the scan", unit: "°C")
        for (zone, temperatureC) in CaseSimulation.isotherms {
            try describe("probability-\(zone.rawValue)", "probability, 0 to 1, of having been below \(Int(temperatureC)) °C")
        }
    }

    /// The temperatures of a plan, around what would freeze.
    func write(_ plan: CasePlan, to folder: ResultsFolder) throws {
        let scan = result.scans.treated.geometry, name = "simulation/planned-lowest-temperature", field = plan.course.last.lowest
        guard let box = scan.indexRanges(around: field.grid.core.cornerPoints, marginMM: 0) else { return }
        try NIfTIFile.write(field.volume(on: scan.cropped(box.i, box.j, box.k)), to: folder.url(name + ".nii.gz"))
        try describe(
            name, object: "planned ice", values: "lowest temperature until the end of the protocol, of a plan: nothing of it has been seen",
            unit: "°C",
            source: "simulation of probes and protocol",
            inPlanningFrame: result.scans.planning.seriesInstanceUID == result.scans.treated.seriesInstanceUID,
            to: folder)
    }

    private func write(_ object: CaseObject, named name: String, as title: String, source: String, to folder: ResultsFolder) throws {
        let grid = (object.isInPlanningFrame ? result.scans.planning : result.scans.treated).geometry
        let mask = object.input == nil ? object.levelSet.mask(onPartOf: grid)?.placed(in: grid) ?? Mask(empty: grid) : object.levelSet.mask
        try write(mask, named: name, as: title, source: source, inPlanningFrame: object.isInPlanningFrame, to: folder)
        try NIfTIFile.write(object.levelSet, to: folder.url("masks/\(name)-level-set.nii.gz"))
        try describe(
            "masks/\(name)-level-set", object: title, values: Values.levelSet, unit: "mm", source: source,
            inPlanningFrame: object.isInPlanningFrame, to: folder)
    }

    private func write(
        _ mask: Mask, named name: String, as title: String, source: String, inPlanningFrame: Bool, to folder: ResultsFolder
    ) throws {
        try NIfTIFile.write(mask, to: folder.url("masks/\(name).nii.gz"))
        try describe("masks/\(name)", object: title, values: Values.mask, source: source, inPlanningFrame: inPlanningFrame, to: folder)
    }

    private func describe(
        _ path: String, object: String, values: String, unit: String? = nil, source: String, inPlanningFrame: Bool, to folder: ResultsFolder
    ) throws {
        let scan = inPlanningFrame ? result.scans.planning : result.scans.treated
        let description = Description(
            file: URL(filePath: path).lastPathComponent + ".nii.gz", object: object, values: values, unit: unit,
            frame: inPlanningFrame ? "planning" : isFollowup ? "followup" : "intraprocedural",
            frameOfReferenceUID: scan.geometry.frameOfReferenceUID, seriesInstanceUID: scan.seriesInstanceUID, source: source)
        try folder.write(try ReportEncoder().encode(description), to: path + ".json")
    }
}
