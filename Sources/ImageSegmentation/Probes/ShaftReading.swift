import ImagingCore

/// What a rod of metal is: a probe, with its tip in the body, or something else, which is said.
struct ShaftReading {
    private(set) var probe: Probe?
    private(set) var findings: [Finding] = []
    private var isBeyondDoubt = false
    /// Nothing but metal: what is left out in spite of it is said.
    private var isMetal = false

    /// A tip lies at least this deep.
    private static let shallowestTipMM = 5.0
    /// A probe that ends under the skin (its hub is plastic, the picture coarse) ends no deeper than this.
    private static let deepestTailMM = 25.0
    /// Metal that is not seen to come through the skin must be beyond doubt: brighter than bone and contrast medium or, where thick slices
    /// dim it, long, and in either case straight and a rod all along.
    private struct Proof {
        var leastExcess, leastExplained, largestWanderMM, shortestMM: Double
    }
    /// Bone of a probe's width, a floating rib say, stands out by less than this; metal of a probe's width by more, could slices show it
    /// undimmed.
    private static let leastUndimmed = 1000.0
    private static let proofs = [
        Proof(leastExcess: 1000, leastExplained: 0.6, largestWanderMM: 0.2, shortestMM: 32),
        Proof(leastExcess: 550, leastExplained: 0.72, largestWanderMM: 0.12, shortestMM: 45),
    ]

    /// Cryoprobes are 1.5 to 2.4 mm thick (17 to 13 G); none looks wider than this (`RodEvidence.widthMM`), and hardly one wider than the
    /// other. Pedicle screws, nails and rods are thicker.
    private static let widestMM = 5.5, widestUsualMM = 4.5

    private struct End {
        var point: PatientPoint
        var outward: PatientVector
        var depthMM, uncertaintyMM: Double
        var leaves: Bool
        var isOutside: Bool { depthMM < 1 }
    }

    /// - Parameters:
    ///   - isTube: a tube of mesh is no probe (`MeshTubes`).
    ///   - widthMM: how wide it looks; `nil` where that cannot be told.
    init(_ shaft: ShaftFit.Outcome, isTube: Bool, widthMM: Double?, body: BodyDepth, evidence: RodEvidence) {
        let scan = evidence.scan.geometry
        let line = shaft.model.line, a = line.point(at: shaft.model.from, in: scan), b = line.point(at: shaft.model.to, in: scan)
        guard let axis = (b - a).normalized else { return }
        let ends = [
            End(
                point: a, outward: -axis, depthMM: body.millimetres(at: a), uncertaintyMM: shaft.endUncertaintyMM.from,
                leaves: shaft.leavesScan.from),
            End(
                point: b, outward: axis, depthMM: body.millimetres(at: b), uncertaintyMM: shaft.endUncertaintyMM.to,
                leaves: shaft.leavesScan.to),
        ]
        let length = a.distance(to: b)
        let deepest = stride(from: 0.0, through: length, by: 2).map { body.millimetres(at: a + $0 * axis) }.max() ?? 0
        isMetal = shaft.undimmedExcess(sliceSpacingMM: scan.spacing.z) >= Self.leastUndimmed
            && shaft.explainedShare >= Self.proofs[0].leastExplained
        guard deepest >= Self.shallowestTipMM else {
            if deepest > 0 { leaveOut(ends, "it enters the body by no more than some millimetres") }
            return
        }
        let tipInBody = ends[0].leaves ? 1 : ends[1].leaves ? 0 : ends[0].depthMM > ends[1].depthMM ? 0 : 1
        // What bends away may be taken for the point of a tip that lies beyond the bend.
        let full = shaft.full, position = tipInBody == 0 ? full.range.lowerBound : full.range.upperBound
        let goesOn = evidence.goesOn(
            beyond: full.point(at: position), outward: (tipInBody == 0 ? -1 : 1) * shaft.model.direction,
            excess: shaft.typicalExcess,
            background: 50)
        let wander = evidence.wanderMM(full)
        isBeyondDoubt = isMetal && !goesOn && Self.proofs.contains { proof in
            length >= proof.shortestMM && shaft.typicalExcess >= proof.leastExcess && shaft.explainedShare >= proof.leastExplained
                && wander < proof.largestWanderMM
        }
        read(ends, shaft, lengthMM: length, body: body)
        if isTube, probe != nil {
            (probe, findings, isMetal) = (nil, [], true)
            leaveOut(ends, "it looks as a tube of mesh does (a stent), and not as a rod")
            return
        }
        judge(widthMM, ends)
        guard probe == nil, findings.isEmpty else { return }
        leaveOut(ends, ends.allSatisfy(\.isOutside)
            ? "both of its ends lie outside the body"
            : goesOn ? "something as dense goes on beyond its deep end, as with a lead or a catheter"
                : "it is not seen to come through the skin, and is not even enough")
    }

    /// What is too thick for a cryoprobe is left out, or doubted.
    private mutating func judge(_ widthMM: Double?, _ ends: [End]) {
        guard let widthMM, widthMM > Self.widestUsualMM, probe != nil || findings.contains(where: { $0.severity == .warning }) else {
            return
        }
        let width = "it looks \((widthMM * 10).rounded() / 10) mm wide, and cryoprobes, which are up to 2.4 mm thick, look"
        if widthMM > Self.widestMM {
            (probe, findings, isMetal) = (nil, [], true)
            leaveOut(ends, "\(width) no wider than \(Self.widestMM) mm", ends.contains { $0.isOutside } ? .warning : .info)
        } else if let probe {
            findings.append(Finding(
                .warning, "probe-thick",
                "The probe with its tip at \(probe.tip.text) may be none: \(width) seldom more than \(Self.widestUsualMM) mm.",
                remedy: "Look at the picture; if it is a screw or a drain, give the probes in the case."))
        }
    }

    private mutating func leaveOut(_ ends: [End], _ reason: String, _ severity: Finding.Severity = .info) {
        guard isMetal else { return }
        findings.append(Finding(
            severity, "metal-not-taken-for-probe",
            "Straight metal from \(ends[0].point.text) to \(ends[1].point.text) was not taken for a probe: \(reason).",
            remedy: "If it is one, give its tip and tail in the case."))
    }

    private mutating func read(_ ends: [End], _ shaft: ShaftFit.Outcome, lengthMM: Double, body: BodyDepth) {
        switch (ends[0].leaves, ends[1].leaves) {
        case (true, true): passesThrough(ends, shaft)
        case (false, false): liesWithin(ends, shaft, lengthMM: lengthMM, body: body)
        default:
            let tip = ends[0].leaves ? ends[1] : ends[0], tail = ends[0].leaves ? ends[0] : ends[1]
            if tip.isOutside {
                // It comes from the air and goes on beyond the scan.
                guard tail.depthMM >= Self.shallowestTipMM, isBeyondDoubt else { return }
                findings.append(tipOutsideScan(tail))
            } else if tail.isOutside || isBeyondDoubt {
                accept(tip: tip, tail: tail)
            }
        }
    }

    private mutating func accept(tip: End, tail: End) {
        probe = Probe(tip: tip.point, tail: tail.point, source: .detected, tipUncertaintyMM: tip.uncertaintyMM)
    }

    private mutating func passesThrough(_ ends: [End], _ shaft: ShaftFit.Outcome) {
        guard isBeyondDoubt else { return }
        findings.append(tipOutsideScan(ends[0].depthMM > ends[1].depthMM ? ends[0] : ends[1]))
    }

    private func tipOutsideScan(_ end: End) -> Finding {
        Finding(
            .warning, "probe-tip-outside-scan",
            "A straight shaft of metal leaves the scan inside the body at \(end.point.text): its tip was not scanned, so it was not used.",
            remedy: "Scan the whole shaft, or give this probe's tip and tail in the case.")
    }

    /// Both ends lie in the scan.
    private mutating func liesWithin(_ ends: [End], _ shaft: ShaftFit.Outcome, lengthMM: Double, body: BodyDepth) {
        let (deep, shallow) = ends[0].depthMM >= ends[1].depthMM ? (ends[0], ends[1]) : (ends[1], ends[0])
        if deep.isOutside {
            accept(tip: deep, tail: shallow)
            findings.append(undecided(deep, shallow, "both of its ends lie outside the body"))
        } else if shallow.isOutside {
            accept(tip: deep, tail: shallow)
        } else {
            guard isBeyondDoubt else { return }
            guard shallow.depthMM <= Self.deepestTailMM else {
                findings.append(Finding(
                    .info, "straight-metal-inside-body",
                    "A straight piece of metal of \(Int(lengthMM.rounded())) mm lies wholly inside the body, from \(deep.point.text) to \(shallow.point.text). It was not taken for a probe.",
                    remedy: "If it is one, give its tip and tail in the case."))
                return
            }
            // The way on to the skin is short behind a tail, long before a tip.
            let ways = (
                body.millimetresToSkin(from: deep.point, along: deep.outward),
                body.millimetresToSkin(from: shallow.point, along: shallow.outward))
            accept(tip: deep, tail: shallow)
            let clear = deep.depthMM - shallow.depthMM > 10 && (ways.1 ?? .infinity) < 0.7 * (ways.0 ?? .infinity)
            if !clear { findings.append(undecided(deep, shallow, "both of its ends lie in the body, about as deep")) }
        }
    }

    private func undecided(_ tip: End, _ tail: End, _ reason: String) -> Finding {
        Finding(
            .warning, "probe-tip-undecided",
            "Which end of the probe from \(tip.point.text) to \(tail.point.text) is its tip cannot be told: \(reason). The former was taken.",
            remedy: "Look at the picture; where it is wrong, give the probe's tip and tail in the case.")
    }
}

extension PatientPoint {
    /// For messages: whole tenths of a millimetre.
    var text: String { "[" + [lps.x, lps.y, lps.z].map { String(($0 * 10).rounded() / 10) }.joined(separator: ", ") + "]" }
}
