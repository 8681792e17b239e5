import ImagingCore

extension ProbeDetection {
    /// Given tips may be off by this much: reading error and the ice's own size make less no matter.
    static let tipToleranceMM = 3.0
    /// A given probe and a shaft in the scan are the same when they lie this near to each other.
    private static let sameShaftMM = 6.0

    /// What contradicts the scan in a list of probes that a case gives: probes without length, listed twice, outside the scan or the body,
    /// where there is no metal or only that of another one, with tip and tail swapped, with a tip more than 3 mm off; and shafts in the scan
    /// that the list lacks.
    ///
    /// Probes are counted from 1. On MR only what the numbers alone and the scan's borders say is checked.
    public static func check(given probes: [Probe], in scan: ScanVolume, modality: Modality) -> [Finding] {
        var findings: [Finding] = []
        for (number, probe) in probes.enumerated() {
            if let finding = unusable(probe, number: number + 1, others: probes.prefix(number), scan: scan.geometry) {
                findings.append(finding)
            }
        }
        guard modality == .ct else { return findings }
        let body = BodyDepth(of: scan), evidence = RodEvidence(scan: scan, contrast: .metal)
        let shafts = shafts(in: scan, body: body, contrast: .metal)
        let found = read(shafts, body: body, evidence: evidence)
        let shaftOf = matches(given: probes, found: found.probes)
        for (number, probe) in probes.enumerated() where probe.lengthMM >= 1 && scan.geometry.contains(probe.tip) {
            if !body.isEmpty, body.millimetres(at: probe.tip) == 0 {
                findings.append(Finding(
                    .warning, "probe-tip-in-air", "The tip of probe \(number + 1), \(probe.tip.text), lies outside the body.",
                    remedy: "Check its coordinates (LPS millimetres) and that tip and tail are not swapped."))
            }
            if let index = shaftOf[number] {
                findings += differences(probe, found.probes[index], number: number + 1)
            } else if let other = shaftOf.first(where: { deviationMM(probe, found.probes[$0.value]) != nil })?.key {
                guard !areCopies(probe, probes[other]) else { continue }
                findings.append(Finding(
                    .warning, "probes-share-shaft",
                    "The scan shows one shaft where probes \(min(number, other) + 1) and \(max(number, other) + 1) are said to lie.",
                    remedy: "Remove the one that is not there or correct its coordinates; ignore this if both touch each other."))
            } else if !shafts.contains(where: { areSame(probe, $0, scan.geometry) }), evidence.metalShare(along: probe) < 0.3 {
                findings.append(Finding(
                    .warning, "probe-without-metal",
                    "There is no metal where probe \(number + 1) is said to lie, from \(probe.tip.text) to \(probe.tail.text).",
                    remedy: "Check its coordinates and that they are of this scan's frame of reference, or let the probes be found."))
            }
        }
        for index in found.probes.indices where !shaftOf.values.contains(index) {
            let probe = found.probes[index]
            findings.append(Finding(
                .warning, "probe-not-listed",
                "The scan shows a shaft with its tip at \(probe.tip.text) that is not among the given probes.",
                remedy: "Add it if it is a cryoprobe that froze."))
        }
        return findings
    }

    private static func unusable(_ probe: Probe, number: Int, others: some Sequence<Probe>, scan: GridGeometry) -> Finding? {
        if probe.lengthMM < 1 {
            return Finding(
                .error, "probe-without-length", "Tip and tail of probe \(number) are the same point, \(probe.tip.text).",
                remedy: "Give a tail some centimetres up the shaft.")
        }
        if let other = others.enumerated().first(where: { areCopies($0.element, probe) }) {
            return Finding(
                .warning, "probe-listed-twice",
                "Probes \(other.offset + 1) and \(number) are the same, with their tip at \(probe.tip.text).",
                remedy: "Remove one, or correct its coordinates.")
        }
        guard !scan.contains(probe.tip) else { return nil }
        let enters = stride(from: 0.0, through: probe.lengthMM, by: 2).contains { scan.contains(probe.point(atDepthMM: $0)) }
        return Finding(
            enters ? .warning : .error, "probe-outside-scan",
            "\(enters ? "The tip of probe" : "Probe") \(number), \(probe.tip.text), lies outside the scan.",
            remedy: PlaceOutsideScan(probe.tip, scan: scan).remedy(giving: "probe positions"))
    }

    private static func areCopies(_ one: Probe, _ other: Probe) -> Bool {
        guard let first = one.direction, let second = other.direction else { return false }
        return one.tip.distance(to: other.tip) < 1 && first.dot(second) > 0.999
    }

    /// By given probe the found one that it is: the nearest come first, each for one.
    private static func matches(given: [Probe], found: [Probe]) -> [Int: Int] {
        let pairs = given.indices.flatMap { number in
            found.indices.compactMap { index in deviationMM(given[number], found[index]).map { (number, index, $0) } }
        }
        var matches: [Int: Int] = [:]
        for (number, index, _) in pairs.sorted(by: { $0.2 < $1.2 }) where matches[number] == nil && !matches.values.contains(index) {
            matches[number] = index
        }
        return matches
    }

    /// How far a given probe lies beside a found one, by two points of its deep part; `nil` where they cannot be the same.
    private static func deviationMM(_ given: Probe, _ found: Probe) -> Double? { deviationMM(given, found.tip, found.tail) }
    private static func areSame(_ given: Probe, _ shaft: ShaftFit.Outcome, _ scan: GridGeometry) -> Bool {
        let line = shaft.model.line
        return deviationMM(given, line.point(at: shaft.model.from, in: scan), line.point(at: shaft.model.to, in: scan)) != nil
    }
    private static func deviationMM(_ given: Probe, _ tip: PatientPoint, _ tail: PatientPoint) -> Double? {
        guard let axis = (tail - tip).normalized, let own = given.direction, abs(own.dot(axis)) > 0.9 else { return nil }
        func offAxis(_ point: PatientPoint) -> Double {
            let offset = point - tip
            return (offset - offset.dot(axis) * axis).length
        }
        let near = given.point(atDepthMM: min(10, given.lengthMM)), far = given.point(atDepthMM: min(40, given.lengthMM))
        let along = (near - tip).dot(axis), deviation = max(offAxis(near), offAxis(far))
        return deviation < sameShaftMM && along > -30 && along < tip.distance(to: tail) + 30 ? deviation : nil
    }

    private static func differences(_ given: Probe, _ found: Probe, number: Int) -> [Finding] {
        guard given.direction!.dot(found.direction!) > 0 else {
            return [Finding(
                .warning, "probe-tip-and-tail-swapped",
                "Tip and tail of probe \(number) seem swapped: the scan shows the tip at \(found.tip.text), the case gives \(given.tip.text).",
                remedy: "Swap them in the case.")]
        }
        let distance = given.tip.distance(to: found.tip)
        guard distance > tipToleranceMM + (found.tipUncertaintyMM ?? 0) else { return [] }
        return [Finding(
            .warning, "probe-tip-differs",
            "The tip of probe \(number) is given at \(given.tip.text); the scan shows it at \(found.tip.text), \((distance * 10).rounded() / 10) mm away.",
            remedy: "Correct the tip, or let the probes be found.")]
    }
}

extension RodEvidence {
    /// The share of a probe's deep part, as far as the scan shows it, with metal within a few millimetres.
    func metalShare(along probe: Probe) -> Double {
        guard let axis = probe.direction else { return 0 }
        let geometry = scan.geometry, local = geometry.axes.components(of: axis)
        let start = geometry.continuousIndex(probe.tip).ijk * geometry.spacing
        return metalShare(LineStretch(origin: start, direction: local, range: 0...min(60, probe.lengthMM)))
    }
}
