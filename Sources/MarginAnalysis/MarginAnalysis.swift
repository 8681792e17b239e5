import ImageFilters
import ImagingCore

/// Signed margins of tumours in frozen or ablated zones.
///
/// The margin at a point of the tumour's surface is its distance to the zone's surface, positive inside the zone. Tumour and
/// zone may live on different grids of one frame of reference.
public enum MarginAnalysis {
    /// The margins of a tumour in one zone.
    /// - Parameter zoneFieldOfView: the grid of the image that shows the zone, if the zone's own grid is only a part of it;
    ///   tumour outside it makes the result incomplete. `nil` leaves that unchecked.
    /// - Parameter organ: the tumour's organ, for the margin without the surface near its capsule.
    /// - Throws: `MarginError` when tumour, zone or organ is empty, `GeometryError` when they lie in different frames of reference.
    public static func margins(
        ofTumour tumour: LevelSet, in zoneSurface: LevelSet, zone: MarginZone, uncertainty: MarginUncertainty = MarginUncertainty(),
        zoneFieldOfView: GridGeometry? = nil, organ: (levelSet: LevelSet, capsuleDepthMM: Double)? = nil
    ) throws -> MarginResult {
        try tumour.geometry.requireSameFrame(as: zoneSurface.geometry)
        return try margins(
            of: TumourGeometry(tumour), in: zoneSurface, zone: zone, uncertainty: uncertainty, zoneFieldOfView: zoneFieldOfView,
            organ: organ)
    }

    /// The margins of a tumour, made ready once for several zones.
    public static func margins(
        of tumour: TumourGeometry, in zoneSurface: LevelSet, zone: MarginZone, uncertainty: MarginUncertainty = MarginUncertainty(),
        zoneFieldOfView: GridGeometry? = nil, organ: (levelSet: LevelSet, capsuleDepthMM: Double)? = nil
    ) throws -> MarginResult {
        try organ?.levelSet.geometry.requireSameFrame(as: zoneSurface.geometry)
        try tumour.levelSet.geometry.requireSameFrame(as: zoneSurface.geometry)
        let zoneMesh = zoneSurface.surface()
        guard !zoneMesh.isEmpty else { throw MarginError.zoneEmpty(zone) }
        let measure = SignedMarginMeasure(of: zoneSurface, mesh: zoneMesh)
        let margins = measure.marginsMM(at: tumour.surface.vertices)
        let map = MarginMap(
            surface: tumour.surface, marginsMM: margins,
            deviationsMM: uncertainty.deviationsMM(
                of: margins, over: tumour.surface, tumour: tumour.levelSet.geometry, zone: zoneSurface.geometry))
        let zoneAroundTumour = zoneSurface.resampled(onto: tumour.distance.geometry).field
        let coverage = VolumeCoverage(of: tumour, in: zoneAroundTumour)
        func smallest(_ map: MarginMap) -> (worst: WorstMargin, intervalMM: ClosedRange<Double>, cut: CutBorders) {
            let worst = measure.minimum(over: map), grids = (tumour: tumour.levelSet.geometry, zone: zoneSurface.geometry)
            let cut = CutBorders(tumour: tumour, zone: zoneSurface, fieldOfView: zoneFieldOfView, map: map, worst: worst, zoneName: zone)
            let error = uncertainty.smallestMarginError(over: map, worst: worst, measure: measure, tumour: grids.tumour, zone: grids.zone)
            return (worst, (cut.lowestPossibleMM - error.belowMM)...(cut.highestPossibleMM + error.aboveMM), cut)
        }
        let (worst, interval, cut) = smallest(map)
        let capsule = try organ.map { organ in
            let selection = try CapsuleSelection(map, organ: organ.levelSet, depthMM: organ.capsuleDepthMM),
                rest = selection.rest.map(smallest)
            return CapsuleMargin(
                depthMM: organ.capsuleDepthMM, excludedSurfaceFraction: selection.excludedSurfaceFraction,
                minimumMarginMM: rest?.worst.marginMM,
                minimumMarginIntervalMM: rest?.intervalMM, worstPoint: rest?.worst.point)
        }
        let share = min(1, coverage.tumourInZone / coverage.tumour)
        let halfWidth = uncertainty.halfWidthMM(
            along: worst.normal, at: worst.nearestZonePoint, tumour: tumour.levelSet.geometry, zone: zoneSurface.geometry)
        let shares = [-halfWidth, halfWidth].map { VolumeCoverage.tumourShare(of: tumour, in: zoneAroundTumour, shiftMM: $0) }
        let residual = max(0, coverage.tumour - coverage.tumourInZone)
        return MarginResult(
            zone: zone, minimumMarginMM: worst.marginMM, minimumMarginIntervalMM: interval, worstPoint: worst.point,
            nearestZonePoint: worst.nearestZonePoint, surfaceFraction: surfaceFraction(map),
            tumourCoverage: share, tumourCoverageInterval: min(share, shares[0])...max(share, shares[1]),
            residualVolumeML: tumour.volumeML * residual / coverage.tumour, tumourVolumeML: tumour.volumeML,
            zoneVolumeML: zoneMesh.enclosedVolume / 1000,
            shellCoverage: coverage.shells.enumerated().map { index, shell in
                .init(marginMM: Double(index + 1), fraction: shell.volume > 0 ? min(1, max(0, shell.inZone / shell.volume)) : 0)
            },
            capsule: capsule, map: map, isComplete: cut.findings.isEmpty, findings: cut.findings)
    }

    private static func surfaceFraction(_ map: MarginMap) -> MarginResult.SurfaceFraction {
        let (zero, five, ten) = (map.areaFraction(below: 0), map.areaFraction(below: 5), map.areaFraction(below: 10))
        return .init(below0: zero, from0to5: five - zero, from5to10: ten - five, atLeast10: 1 - ten)
    }
}
