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
    /// - Throws: `MarginError` when tumour or zone is empty, `GeometryError` when they lie in different frames of reference.
    public static func margins(
        ofTumour tumour: LevelSet, in zoneSurface: LevelSet, zone: MarginZone, uncertainty: MarginUncertainty = MarginUncertainty(),
        zoneFieldOfView: GridGeometry? = nil
    ) throws -> MarginResult {
        try tumour.geometry.requireSameFrame(as: zoneSurface.geometry)
        return try margins(
            of: TumourGeometry(tumour), in: zoneSurface, zone: zone, uncertainty: uncertainty, zoneFieldOfView: zoneFieldOfView)
    }

    /// The margins of a tumour, made ready once for several zones.
    public static func margins(
        of tumour: TumourGeometry, in zoneSurface: LevelSet, zone: MarginZone, uncertainty: MarginUncertainty = MarginUncertainty(),
        zoneFieldOfView: GridGeometry? = nil
    ) throws -> MarginResult {
        try tumour.levelSet.geometry.requireSameFrame(as: zoneSurface.geometry)
        let zoneMesh = zoneSurface.surface()
        guard !zoneMesh.isEmpty else { throw MarginError.zoneEmpty(zone) }
        let measure = SignedMarginMeasure(of: zoneSurface, mesh: zoneMesh)
        let map = MarginMap(surface: tumour.surface, marginsMM: measure.marginsMM(at: tumour.surface.vertices))
        let worst = measure.minimum(over: map)
        let coverage = VolumeCoverage(of: tumour, in: zoneSurface)
        let cut = CutBorders(tumour: tumour, zone: zoneSurface, fieldOfView: zoneFieldOfView, map: map, worst: worst, zoneName: zone)

        let halfWidth = uncertainty.halfWidthMM(along: worst.normal, tumour: tumour.levelSet.geometry, zone: zoneSurface.geometry)
        let shortfall = SmallestOfMany.expectedShortfallMM(
            of: map, errorMM: uncertainty.localErrorMM(along: worst.normal, tumour: tumour.levelSet.geometry, zone: zoneSurface.geometry))
        let low = cut.lowestPossibleMM - halfWidth, high = cut.highestPossibleMM + halfWidth + shortfall
        let residual = max(0, coverage.tumour - coverage.tumourInZone)
        return MarginResult(
            zone: zone, minimumMarginMM: worst.marginMM, minimumMarginIntervalMM: low...high, worstPoint: worst.point,
            nearestZonePoint: worst.nearestZonePoint, surfaceFraction: surfaceFraction(map),
            tumourCoverage: min(1, coverage.tumourInZone / coverage.tumour),
            residualVolumeML: tumour.volumeML * residual / coverage.tumour, tumourVolumeML: tumour.volumeML,
            zoneVolumeML: zoneMesh.enclosedVolume / 1000,
            shellCoverage: coverage.shells.enumerated().map { index, shell in
                .init(marginMM: Double(index + 1), fraction: shell.volume > 0 ? min(1, max(0, shell.inZone / shell.volume)) : 0)
            },
            map: map, isComplete: cut.findings.isEmpty, findings: cut.findings)
    }

    private static func surfaceFraction(_ map: MarginMap) -> MarginResult.SurfaceFraction {
        let (zero, five, ten) = (map.areaFraction(below: 0), map.areaFraction(below: 5), map.areaFraction(below: 10))
        return .init(below0: zero, from0to5: five - zero, from5to10: ten - five, atLeast10: 1 - ten)
    }
}
