import Foundation
import ImagingCore

/// What the template of the page shows, as text: the names are the template's.
struct HTMLReportView {
    private(set) var content: [String: Any] = [:]

    init(_ report: CaseReport, figures: [Figure]) {
        let status = report.verdict.status
        content = [
            "case": [
                "id": report.case.id, "site": report.case.site, "profile": report.case.profile, "intent": report.case.intent.rawValue,
            ],
            "status": status.rawValue,
            "headline": report.plan == nil ? Self.headline(status) : "Plan only: no ice was seen",
            "explanation": report.plan == nil ? Self.explanation(status) : Self.planExplanation,
            "reasons": report.verdict.reasons,
            "hasReasons": !report.verdict.reasons.isEmpty,
            "keyFigures": figures.filter { $0.place == .key }.map(Self.figure),
            "surfaceFigures": figures.filter { $0.place == .surface }.map(Self.figure),
            "figures": figures.filter { $0.place == .more }.map(Self.figure),
            "hasFigures": figures.contains { $0.place == .more },
            "hasPictures": figures.contains { $0.place == .key || $0.place == .more },
            "tumours": report.tumours.map(Self.tumour),
            "ice": Self.ice(report.ice),
            "probes": report.probes.map {
                ["id": $0.id, "tip": HTMLNumber.point($0.tipLPS), "tail": HTMLNumber.point($0.tailLPS), "source": $0.source]
            },
            "hasProbes": !report.probes.isEmpty,
            "registration": Self.registration(report.registration),
            "structures": report.structures.map(Self.structure),
            "hasStructures": !report.structures.isEmpty,
            "inputs": report.inputs.map(Self.input),
            "hasInputs": !report.inputs.isEmpty,
            "timings": Self.timings(report.timingsS),
            "provenance": Self.provenance(report.provenance, beside: Set(report.inputs.map(\.role))),
            "parameters": Self.json(report.provenance.parameters),
        ]
        if let simulation = report.simulation {
            content["simulation"] = [
                "model": simulation.model, "rms": HTMLNumber.distance(simulation.fit.rmsMM),
                "maximum": HTMLNumber.distance(simulation.fit.maxMM),
                "dice": HTMLNumber.plain(simulation.fit.dice),
            ]
        }
        if let patient = report.patient { (content["patient"], content["hasPatient"]) = (Self.patient(patient), true) }
        addMargins(report.margins)
        if let plan = report.plan { addPlan(plan) }
        addFindings(report)
    }

    private mutating func addMargins(_ margins: [CaseReport.Margin]) {
        content["margins"] = margins.map(Self.margin)
        content["hasMargins"] = !margins.isEmpty
        let capsules = margins.compactMap { margin in margin.capsule.map { Self.capsule($0, of: margin) } }
        content["capsules"] = capsules
        content["hasCapsules"] = !capsules.isEmpty
        let shortfalls = margins.flatMap { margin in (margin.shortfalls ?? []).map { Self.shortfall($0, of: margin) } }
        content["shortfalls"] = shortfalls
        content["hasShortfalls"] = !shortfalls.isEmpty
        let thicknesses = Set(margins.flatMap { $0.shellCoverage.map(\.marginMM) }).sorted()
        content["shellColumns"] = thicknesses.map { HTMLNumber.text($0, decimals: $0 == $0.rounded() ? 0 : 1) + " mm" }
        content["hasShells"] = !thicknesses.isEmpty
        content["shells"] = margins.filter { !$0.shellCoverage.isEmpty }.map { margin in
            [
                "tumour": margin.tumour, "zone": VerdictSummary.zoneName(margin.zone),
                "values": thicknesses.map { thickness in
                    HTMLNumber.fraction(margin.shellCoverage.first { $0.marginMM == thickness }?.fraction)
                },
            ] as [String: Any]
        }
    }

    mutating func set(_ name: String, _ value: Any) { content[name] = value }

    private mutating func addFindings(_ report: CaseReport) {
        let all = report.findings.map { ("", $0) } + report.inputs.flatMap { input in input.findings.map { (input.role, $0) } }
        // The gravest first; among equals as they came.
        let sorted = all.enumerated().sorted { ($1.element.1.severity, $0.offset) < ($0.element.1.severity, $1.offset) }.map(\.element)
        content["findings"] = sorted.map { place, finding in
            var entry = ["severity": finding.severity.rawValue, "message": finding.message]
            if !place.isEmpty { entry["place"] = place }
            if !finding.remedy.isEmpty { entry["remedy"] = finding.remedy }
            return entry
        }
        content["hasFindings"] = !sorted.isEmpty
    }
}

extension HTMLReportView {
    private static func headline(_ status: CaseReport.Verdict.Status) -> String {
        switch status {
        case .met: "Margin met"
        case .notMet: "Margin not met"
        case .indeterminate: "Indeterminate"
        }
    }

    private static func explanation(_ status: CaseReport.Verdict.Status) -> String {
        switch status {
        case .met: "The criterion is met even at the unfavourable end of the interval."
        case .notMet: "The criterion is missed even at the favourable end of the interval."
        case .indeterminate: "What was measured does not allow a sure answer. Look at the pictures and the findings before deciding."
        }
    }

    private static let planExplanation =
        "Whether the criterion is met can only be judged on a scan that shows the ice. What is given here is simulated from probes and protocol."

    private static func patient(_ patient: CaseReport.Patient) -> [[String: String]] {
        // YYYYMMDD with dashes; anything else as it is.
        func date(_ text: String?) -> String? {
            text.map { $0.wholeMatch(of: /[0-9]{8}/) == nil ? $0 : "\($0.prefix(4))-\($0.dropFirst(4).prefix(2))-\($0.suffix(2))" }
        }
        let parts = [
            ("Patient", patient.name?.replacing("^", with: " ")), ("ID", patient.id), ("born", date(patient.birthDate)),
            ("sex", patient.sex),
            ("studied", date(patient.studyDate)),
        ]
        return parts.compactMap { label, value in value.flatMap { $0.isEmpty ? nil : ["label": label, "value": $0] } }
    }

    private static func figure(_ figure: Figure) -> [String: Any] {
        [
            "name": figure.name, "caption": figure.caption, "altText": figure.altText, "width": figure.size?.width ?? 0,
            "height": figure.size?.height ?? 0,
            "source": "data:image/png;base64," + figure.png.base64EncodedString(),
        ]
    }

    private static func tumour(_ tumour: CaseReport.Tumour) -> [String: Any] {
        [
            "id": tumour.id, "volume": HTMLNumber.volume(tumour.volumeML), "diameter": HTMLNumber.distance(tumour.longestDiameterMM),
            "centroid": HTMLNumber.point(tumour.centroidLPS),
        ]
    }

    private static func ice(_ ice: CaseReport.Ice) -> [String: Any] {
        var entry = ["source": ice.source, "volume": HTMLNumber.volume(ice.volumeML)]
        if ice.organShare != nil {
            entry["share"] = "\(HTMLNumber.volume(ice.volumeInOrganML)) of the organ, \(HTMLNumber.fraction(ice.organShare)) of it"
        }
        return entry
    }

    private static func margin(_ margin: CaseReport.Margin) -> [String: Any] {
        var entry: [String: Any] = [
            "tumour": margin.tumour, "zone": VerdictSummary.zoneName(margin.zone), "minimum": HTMLNumber.margin(margin.minimumMarginMM),
            "coverage": HTMLNumber.fraction(margin.tumourCoverage), "residual": HTMLNumber.volume(margin.residualVolumeML),
            "below0": HTMLNumber.fraction(margin.surfaceFraction?.below0),
            "from0to5": HTMLNumber.fraction(margin.surfaceFraction?.from0to5),
            "from5to10": HTMLNumber.fraction(margin.surfaceFraction?.from5to10),
            "atLeast10": HTMLNumber.fraction(margin.surfaceFraction?.atLeast10),
        ]
        if let interval = margin.minimumMarginIntervalMM { entry["interval"] = HTMLNumber.interval(interval, signed: true) }
        if let interval = margin.tumourCoverageInterval { entry["coverageInterval"] = HTMLNumber.fractions(interval) }
        if let source = margin.zoneSource { entry["zoneSource"] = source }
        entry["probability"] = HTMLNumber.fraction(margin.probabilityMet)
        if let sure = margin.surfaceCertainty {
            entry["certainty"] = ["surely on \(HTMLNumber.fraction(sure.enough))", "surely not on \(HTMLNumber.fraction(sure.short))"]
        }
        return entry
    }

    private static func shortfall(_ shortfall: CaseReport.Margin.Shortfall, of margin: CaseReport.Margin) -> [String: Any] {
        var entry: [String: Any] = [
            "tumour": margin.tumour, "zone": VerdictSummary.zoneName(margin.zone), "missing": HTMLNumber.distance(shortfall.missingMM),
            "direction": shortfall.direction ?? "all around", "area": HTMLNumber.area(shortfall.areaMM2),
            "worst": HTMLNumber.margin(shortfall.worstMarginMM), "probability": HTMLNumber.fraction(shortfall.probability),
            "point": HTMLNumber.point(shortfall.worstPointLPS),
        ]
        if let ahead = shortfall.ahead {
            entry["ahead"] = ["structure": ahead.structure, "distance": HTMLNumber.distance(ahead.distanceMM)]
        }
        return entry
    }

    private static func capsule(_ capsule: CaseReport.Margin.Capsule, of margin: CaseReport.Margin) -> [String: Any] {
        var entry: [String: Any] = [
            "tumour": margin.tumour, "zone": VerdictSummary.zoneName(margin.zone),
            "excluded": HTMLNumber.fraction(capsule.excludedSurfaceFraction),
            "minimum": HTMLNumber.margin(capsule.minimumMarginMM),
        ]
        if let interval = capsule.minimumMarginIntervalMM { entry["interval"] = HTMLNumber.interval(interval, signed: true) }
        return entry
    }

    private static func structure(_ structure: CaseReport.Structure) -> [String: Any] {
        var entry: [String: Any] = [
            "name": structure.name, "zone": VerdictSummary.zoneName(structure.zone),
            "minimum": HTMLNumber.distance(structure.minimumDistanceMM),
            "limit": HTMLNumber.distance(structure.limitMM), "overlap": HTMLNumber.volume(structure.overlapVolumeML),
            "temperature": HTMLNumber.temperature(structure.lowestTemperatureC),
        ]
        if let interval = structure.minimumDistanceIntervalMM { entry["interval"] = HTMLNumber.interval(interval, signed: false) }
        if let status = structure.status {
            let text =
                switch status {
                case .met: "yes";
                case .notMet: "no";
                case .indeterminate: "uncertain"
                }
            entry["kept"] = ["class": status.rawValue, "text": text]
        }
        return entry
    }

    private static func registration(_ registration: CaseReport.Registration) -> [String: Any] {
        let quality = registration.quality
        return [
            "method": quality.method, "trusted": quality.trusted ? "yes" : quality.status == "doubtful" ? "with doubts" : "no",
            "reasons": quality.reasons, "expectedError": HTMLNumber.distance(quality.expectedErrorMM),
            "deformable": registration.deformable.map {
                "\($0.method), at most \(HTMLNumber.text($0.maximumDisplacementMM, decimals: 1)) mm"
            } ?? "none",
            "measures": quality.measures.sorted { $0.key < $1.key }.map { ["name": $0.key, "value": HTMLNumber.plain($0.value)] },
        ]
    }

    private static func input(_ input: CaseReport.Input) -> [String: Any] {
        [
            "role": input.role, "modality": input.modality ?? "–", "size": input.size.map(String.init).joined(separator: " × "),
            "spacing": input.spacingMM.map { HTMLNumber.text($0, decimals: 2) }.joined(separator: " × "),
            "uid": input.seriesInstanceUID ?? "–", "sha256": input.sha256,
        ]
    }

    private static func timings(_ timings: [String: Double]) -> [[String: Any]] {
        timings.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ["stage": $0.key, "seconds": HTMLNumber.seconds($0.value)] }
    }

    /// - Parameter inputs: roles whose hashes stand elsewhere.
    private static func provenance(_ provenance: CaseReport.Provenance, beside inputs: Set<String>) -> [String: Any] {
        [
            "version": provenance.version, "dcmtk": provenance.dcmtk,
            "libraries": provenance.libraries.sorted { $0.key < $1.key }.filter { $0.key.lowercased() != "dcmtk" }.map {
                ["name": $0.key, "version": $0.value]
            }, "runID": provenance.runID, "created": provenance.created,
            "hashes": provenance.inputSHA256.filter { !inputs.contains($0.key) }.sorted { $0.key < $1.key }.map {
                ["role": $0.key, "sha256": $0.value]
            },
        ]
    }

    private static func json(_ value: JSONValue) -> String {
        // Under the key that tells the encoder to leave the numbers as they are.
        let data = try? ReportEncoder().encode(["parameters": value])
        return data.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
