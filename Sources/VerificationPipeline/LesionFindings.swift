import ImagingCore

/// What a profile says about the size and number of tumours.
struct LesionFindings {
    let profile: SiteProfile

    func findings(for tumours: [CaseObject]) -> [Finding] {
        guard let lesion = profile.lesion else { return [] }
        var findings: [Finding] = []
        if tumours.count > lesion.maximumCount {
            findings.append(Finding(
                .warning, "many-lesions", "The case has \(tumours.count) tumours; the \(profile.name) profile expects at most \(lesion.maximumCount)."))
        }
        for tumour in tumours {
            let diameter = tumour.surface.longestDiameterMM
            let measured = "Tumour \(tumour.name) measures \((diameter * 10).rounded() / 10) mm"
            if diameter > lesion.cautionDiameterMM {
                findings.append(Finding(.warning, "lesion-large", "\(measured), above the \(lesion.cautionDiameterMM) mm up to which the \(profile.name) profile treats without special caution."))
            } else if diameter > lesion.recommendedDiameterMM {
                findings.append(Finding(.info, "lesion-above-recommended", "\(measured); the \(profile.name) profile recommends up to \(lesion.recommendedDiameterMM) mm."))
            }
        }
        return findings
    }
}
