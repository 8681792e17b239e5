import ImagingCore

extension StudyTruth {
    init(
        options: StudyOptions, site: SitePlan, placement: ProbePlacement, motion: PatientMotion, followUpMotion: PatientMotion,
        plans: [ScanPlan],
        uids: StudyIdentity, inScan: @escaping @Sendable (SIMD3<Double>) -> Double, reachMM: Double, level: Int
    ) {
        let tumour = site.tumour
        let planningBody = RadialBody(center: tumour.center, reachMM: reachMM, level: level) { tumour.value(at: $0) }
        let target = motion(PatientPoint(tumour.center)).lps
        let truth = MarginTruth(
            tumourCenter: target, reachMM: reachMM, tumour: inScan, zone: placement.ice, stepMM: level < 6 ? 0.9 : 0.45, level: level)
        let moved = truth.tumourBody

        `case` = Case(id: uids.caseID, site: options.site.rawValue)
        self.options = options
        scans = plans.map { Scan($0, modality: options.modality, uids: uids) }
        let around = site.surrounding.properties
        tumours = [
            Tumour(
                id: "T1", volumeML: planningBody.volumeML, longestDiameterMM: planningBody.longestDiameterMM,
                centroidLPS: PatientPoint(planningBody.centroid), seedLPS: Self.seed(options, tumour),
                intraproceduralCentroidLPS: PatientPoint(moved.centroid), intraproceduralVolumeML: moved.volumeML,
                planningContrast: options.modality == .mr
                    ? site.signal - around.signal : site.planningHU - (site.hasContrast ? around.contrastHU : around.plainHU))
        ]
        probes = placement.probes.enumerated().map { number, probe in
            Probe(
                id: "P\(number + 1)", tipLPS: PatientPoint(probe.tip), tailLPS: PatientPoint(probe.tail), diameterMM: probe.diameterMM,
                source: "geometry")
        }
        registration = Registration(motion, surface: planningBody)
        margins = []
        structures = []
        if options.hasIce {
            let box = truth.zoneBounds
            ice = Ice(
                volumeML: truth.zoneVolumeML, lowestLPS: PatientPoint(box.low), highestLPS: PatientPoint(box.high),
                edgeBandMM: options.iceEdgeBandMM,
                source: "geometry")
            margins = [truth.margins(tumourID: "T1", zoneName: "visible-ice")]
            structures = site.structures.map { truth.structure($0, zoneName: "visible-ice", motion: motion) }
        }
        if options.hasFollowUpScan {
            let zone = CarriedZone(carried: CarriedIce(ice: placement.ice.shrunk(), motion: motion), motion: followUpMotion)
            let later = MarginTruth(
                tumourCenter: followUpMotion(PatientPoint(tumour.center)).lps, reachMM: reachMM,
                tumour: { tumour.value(at: followUpMotion.planningPoint(of: $0)) }, zone: zone,
                stepMM: level < 6 ? 0.9 : 0.45, level: level)
            margins.append(later.margins(tumourID: "T1", zoneName: "ablation-zone"))
        }
    }

    /// A point near the middle, to a tenth of a millimetre: people do not click the exact centre.
    private static func seed(_ options: StudyOptions, _ tumour: TumourShape) -> PatientPoint {
        var generator = SeededGenerator(seed: options.seed, purpose: "seed point")
        let point = tumour.center + generator.uniform(0...0.12) * tumour.meanRadius * generator.direction()
        return PatientPoint((point * 10).rounded(.toNearestOrAwayFromZero) / 10)
    }
}

/// A zone of planning space as a follow-up scan sees it.
private struct CarriedZone: ImplicitShape {
    var carried: CarriedIce
    var motion: PatientMotion

    func value(at point: SIMD3<Double>) -> Double { carried.value(at: motion.planningPoint(of: point)) }
    var bounds: Box {
        let box = carried.bounds
        let center = motion(PatientPoint((box.low + box.high) / 2)).lps, reach = length(box.high - box.low) / 2
        return Box(low: center - reach, high: center + reach)
    }
}

extension StudyTruth.Scan {
    fileprivate init(_ plan: ScanPlan, modality: Modality, uids: StudyIdentity) {
        let geometry = plan.geometry, axes = geometry.axes
        self.init(
            role: plan.role.rawValue, folder: plan.role.rawValue, modality: modality.rawValue,
            studyInstanceUID: uids.studyInstanceUID(plan.role),
            seriesInstanceUID: uids.seriesInstanceUID(plan.role), frameOfReferenceUID: geometry.frameOfReferenceUID!,
            size: [geometry.size.i, geometry.size.j, geometry.size.k],
            spacingMM: [geometry.spacing.x, geometry.spacing.y, geometry.spacing.z],
            sliceThicknessMM: plan.sliceThicknessMM, originLPS: geometry.origin,
            axes: [axes.i, axes.j, axes.k].map { [$0.lps.x, $0.lps.y, $0.lps.z] })
    }
}

extension StudyTruth.Registration {
    fileprivate init(_ motion: PatientMotion, surface: RadialBody) {
        let m = motion.rigid.matrix.rows, t = motion.rigid.translation.lps
        rigid = Rigid(matrix: [
            [m.0.x, m.0.y, m.0.z, t.x], [m.1.x, m.1.y, m.1.z, t.y], [m.2.x, m.2.y, m.2.z, t.z], [0, 0, 0, 1],
        ])
        let points = surface.surface.vertices
        // The first corners of the sphere are those of the coarse icosahedra, evenly spread.
        tumourSurface = points.prefix(162).map { Landmark(planningLPS: $0, intraproceduralLPS: motion($0)) }
        if !motion.isRigid {
            let lengths = tumourSurface.map { motion.rigid($0.planningLPS).distance(to: $0.intraproceduralLPS) }
            deformable = Deformable(
                meanDisplacementMM: lengths.reduce(0, +) / Double(lengths.count), maximumDisplacementMM: lengths.max()!)
        }
    }
}
