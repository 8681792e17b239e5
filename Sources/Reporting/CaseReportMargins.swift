import ImagingCore
import MarginAnalysis

/// `MarginAnalysis`'s verdict under a name that can be used inside `CaseReport`, whose member of the plain name it becomes.
public typealias MeasuredVerdict = Verdict

extension CaseReport.Margin {
    /// The entry for one tumour and zone.
    ///
    /// - Parameters:
    ///   - zoneSource: where the zone comes from; `nil` where that is not known.
    ///   - requiredMM: the margin that is required, for the parts that lack it.
    ///   - shortfalls: those parts, where more is known of them than the margins alone say.
    public init(
        tumour: String, _ result: MarginResult, zoneSource: String? = nil, requiredMM: Double? = nil, shortfalls: [MarginShortfall]? = nil
    ) {
        self.init(
            tumour: tumour, zone: result.zone.rawValue, zoneSource: zoneSource, minimumMarginMM: result.minimumMarginMM,
            minimumMarginIntervalMM: result.minimumMarginIntervalMM, worstPointLPS: result.worstPoint,
            surfaceFraction: SurfaceFraction(
                below0: result.surfaceFraction.below0, from0to5: result.surfaceFraction.from0to5,
                from5to10: result.surfaceFraction.from5to10,
                atLeast10: result.surfaceFraction.atLeast10),
            tumourCoverage: result.tumourCoverage, residualVolumeML: result.residualVolumeML,
            shellCoverage: result.shellCoverage.map { ShellCoverage(marginMM: $0.marginMM, fraction: $0.fraction) },
            tumourCoverageInterval: result.tumourCoverageInterval,
            probabilityMet: requiredMM.flatMap(result.probability),
            surfaceCertainty: requiredMM.flatMap(result.map.certainty).map { .init(enough: $0.enough, unsure: $0.unsure, short: $0.short) },
            shortfalls: requiredMM.map { (shortfalls ?? result.map.shortfalls(below: $0)).map(Shortfall.init) },
            capsule: result.capsule.map(Capsule.init))
    }

    /// The entry for a margin that could not be measured; a finding must say why.
    public init(notEvaluable tumour: String, zone: MarginZone, zoneSource: String? = nil) {
        self.init(
            tumour: tumour, zone: zone.rawValue, zoneSource: zoneSource, minimumMarginMM: nil, minimumMarginIntervalMM: nil,
            worstPointLPS: nil, surfaceFraction: nil,
            tumourCoverage: nil, residualVolumeML: nil, shellCoverage: [])
    }
}

extension CaseReport.Margin.Capsule {
    public init(_ capsule: CapsuleMargin) {
        self.init(
            depthMM: capsule.depthMM, excludedSurfaceFraction: capsule.excludedSurfaceFraction, minimumMarginMM: capsule.minimumMarginMM,
            minimumMarginIntervalMM: capsule.minimumMarginIntervalMM)
    }
}

extension CaseReport.Margin.Shortfall {
    public init(_ shortfall: MarginShortfall) {
        self.init(
            worstPointLPS: shortfall.worstPoint, worstMarginMM: shortfall.worstMarginMM, areaMM2: shortfall.areaMM2,
            missingMM: shortfall.missingMM,
            direction: shortfall.direction?.anatomicalName, probability: shortfall.probability,
            ahead: shortfall.ahead.map { .init(structure: $0.name, distanceMM: $0.distanceMM) })
    }
}

extension CaseReport.Structure {
    /// The entry for one structure and zone. With a limit the status is `met` only when the whole interval keeps it.
    public init(name: String, _ distance: StructureDistance, limitMM: Double? = nil, lowestTemperatureC: Double? = nil) {
        let interval = distance.minimumDistanceIntervalMM
        let status = limitMM.map { limit -> CaseReport.Verdict.Status in
            interval.lowerBound >= limit ? .met : interval.upperBound < limit ? .notMet : .indeterminate
        }
        self.init(
            name: name, zone: distance.zone.rawValue, minimumDistanceMM: distance.minimumDistanceMM, minimumDistanceIntervalMM: interval,
            nearestPointLPS: distance.nearestPoint, overlapVolumeML: distance.overlapVolumeML, lowestTemperatureC: lowestTemperatureC,
            limitMM: limitMM, status: status)
    }
}
