import ImageFilters
import ImagingCore

/// What speaks against the tumours of a case: their size and number by the profile, and two of them in one place.
struct LesionFindings {
    let profile: SiteProfile

    func findings(for tumours: [CaseObject]) -> [Finding] { sizeAndNumber(of: tumours) + overlaps(of: tumours) }

    /// Two tumours that share more than this of the smaller one are one, or one of them has run into the other.
    private static let largestSharedPart = 0.1

    private func overlaps(of tumours: [CaseObject]) -> [Finding] {
        tumours.indices.flatMap { first in
            tumours.indices.dropFirst(first + 1).compactMap { second -> Finding? in
                let (a, b) = (tumours[first], tumours[second])
                let here = a.levelSet.mask, there = b.levelSet.mask
                let shared = here.intersection(b.levelSet.resampled(onto: here.geometry).mask).volumeML / min(here.volumeML, there.volumeML)
                guard shared > Self.largestSharedPart else { return nil }
                return Finding(
                    .warning, "tumours-overlap",
                    "Tumours \(a.name) and \(b.name) share \(Int((100 * min(shared, 1)).rounded())) % of the smaller one: they may be one tumour, or one outline has run into the other.",
                    remedy: "Look at both outlines; correct seeds and diameters, or part them with exclude points.")
            }
        }
    }

    private func sizeAndNumber(of tumours: [CaseObject]) -> [Finding] {
        guard let lesion = profile.lesion else { return [] }
        var findings: [Finding] = []
        if tumours.count > lesion.maximumCount {
            findings.append(Finding(
                .warning, "many-lesions",
                "The case has \(tumours.count) tumours; the \(profile.name) profile expects at most \(lesion.maximumCount)."))
        }
        for tumour in tumours {
            let diameter = tumour.surface.longestDiameterMM
            let measured = "Tumour \(tumour.name) measures \((diameter * 10).rounded() / 10) mm"
            if diameter > lesion.cautionDiameterMM {
                findings.append(Finding(
                    .warning, "lesion-large",
                    "\(measured), above the \(lesion.cautionDiameterMM) mm up to which the \(profile.name) profile treats without special caution."))
            } else if diameter > lesion.recommendedDiameterMM {
                findings.append(Finding(
                    .info, "lesion-above-recommended",
                    "\(measured); the \(profile.name) profile recommends up to \(lesion.recommendedDiameterMM) mm."))
            }
        }
        return findings
    }
}
