import DICOMObjects
import ImagingCore

/// The invented patient, dates and UIDs of a study; all follow from its options.
struct StudyIdentity {
    let options: StudyOptions
    private let key: String

    init(_ options: StudyOptions) {
        self.options = options
        key = "\(options)"
    }

    var caseID: String { "\(options.site.rawValue)-\(options.modality.rawValue.lowercased())-\(options.seed)" }

    /// Scans of one session share a study; a planning scan and a follow-up scan have their own.
    private func session(_ role: ScanPlan.Role) -> String { role == .prefreeze ? ScanPlan.Role.intraprocedural.rawValue : role.rawValue }

    func studyInstanceUID(_ role: ScanPlan.Role) -> String { DerivedUID.make(from: key, "study", session(role)) }
    func seriesInstanceUID(_ role: ScanPlan.Role) -> String { DerivedUID.make(from: key, "series", role.rawValue) }
    func frameOfReferenceUID(_ role: ScanPlan.Role) -> String {
        DerivedUID.make(from: key, "frame", options.motion == .none ? "shared" : session(role))
    }

    func header(_ plan: ScanPlan, site: SitePlan, isProne: Bool) -> ImageSeriesHeader {
        let date = switch plan.role {
        case .planning: "20240212"
        case .prefreeze, .intraprocedural: "20240304"
        case .followup: "20240405"
        }
        let description = switch plan.role {
        case .planning: options.modality == .mr ? "Planning T1 gradient echo" : site.hasContrast ? "Planning portal venous" : "Planning plain"
        case .prefreeze: "Probes in place, before freezing"
        case .intraprocedural: options.hasIce ? "Ice, 10 min" : "Probes in place"
        case .followup: "Follow-up"
        }
        let sex = options.seed % 2 == 0 ? "F" : "M"
        var header = ImageSeriesHeader(
            modality: options.modality,
            patient: .init(name: "Phantom^\(options.site.rawValue.capitalized)", id: "PHANTOM-\(caseID)", birthDate: "19560401", sex: sex),
            studyInstanceUID: studyInstanceUID(plan.role), studyDate: date, studyTime: "093000",
            studyDescription: "Synthetic cryoablation study", seriesInstanceUID: seriesInstanceUID(plan.role),
            seriesNumber: plan.role == .intraprocedural ? 3 : 2, seriesDescription: description, sliceThicknessMM: plan.sliceThicknessMM,
            windowCenter: options.modality == .mr ? 380 : options.site == .lung ? -450 : 50,
            windowWidth: options.modality == .mr ? 800 : options.site == .lung ? 1500 : 400)
        header.secondsIntoStudy = plan.role == .intraprocedural ? 1800 : 120
        header.bodyPartExamined = site.bodyPart
        header.patientPosition = isProne ? "HFP" : "HFS"
        header.furtherElements = [.init(0x0020, 0x4000, "Synthetic phantom, not a patient")]
        if options.modality == .ct {
            header.furtherElements.append(.init(0x0018, 0x1210, "STANDARD"))
            if plan.role == .planning || plan.role == .followup, site.hasContrast {
                header.furtherElements.append(.init(0x0018, 0x0010, "Iodinated"))
            }
        }
        return header
    }
}
