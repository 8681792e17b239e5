import Foundation
import ImagingCore

enum MarginFinding {
    static let zoneCut = "zone-touches-scan-edge"
    static let tumourCut = "tumour-touches-scan-edge"
    static let tumourBeyondZoneImage = "tumour-outside-zone-image"
    /// Findings that say that a surface is not all in the image.
    static let cutCodes: Set<String> = [zoneCut, tumourCut, tumourBeyondZoneImage]
}

/// What a margin may be when the zone or the tumour goes on beyond the edge of its image.
struct CutBorders {
    /// Bounds of the smallest margin, before any other uncertainty.
    private(set) var lowestPossibleMM: Double
    private(set) var highestPossibleMM: Double
    private(set) var findings: [Finding] = []

    init(
        tumour: TumourGeometry, zone: LevelSet, fieldOfView: GridGeometry?, map: MarginMap, worst: WorstMargin, zoneName: MarginZone
    ) {
        (lowestPossibleMM, highestPossibleMM) = (worst.marginMM, worst.marginMM)
        let zoneBorders = GridBorder.touched(by: zone)
        if !zoneBorders.isEmpty {
            // A margin holds where the zone's surface is nearer than the border beyond which the zone is unknown.
            func holds(_ point: PatientPoint, _ marginMM: Double) -> Bool {
                zoneBorders.allSatisfy { $0.distanceMM(to: point) > abs(marginMM) + 1e-6 }
            }
            if !holds(worst.point, worst.marginMM) {
                highestPossibleMM = zip(map.surface.vertices, map.marginsMM).filter { holds($0, $1) }.map(\.1).min() ?? .infinity
            }
            let percent = Int((100 * map.areaFraction { !holds($0, $1) }).rounded())
            findings.append(Finding(
                .warning, MarginFinding.zoneCut,
                "The \(zoneName.phrase) reaches the edge of its image, so that part of its surface is not known: at \(percent) % of the tumour's surface "
                    + "the margin is not evaluable.",
                remedy: "Use an image that shows the whole zone."))
        }
        if let fieldOfView, !map.surface.vertices.allSatisfy({ fieldOfView.contains($0) }) {
            if !fieldOfView.contains(worst.point) {
                let seen = zip(map.surface.vertices, map.marginsMM).filter { fieldOfView.contains($0.0) }.map(\.1).min() ?? .infinity
                highestPossibleMM = max(highestPossibleMM, seen)
            }
            findings.append(Finding(
                .warning, MarginFinding.tumourBeyondZoneImage,
                "Part of the tumour lies outside the image that shows the \(zoneName.phrase); whether it is covered there is not known.",
                remedy: "Use an image that shows the whole tumour."))
        }
        if !GridBorder.touched(by: tumour.levelSet).isEmpty {
            lowestPossibleMM = -.infinity
            findings.append(Finding(
                .warning, MarginFinding.tumourCut,
                "The tumour reaches the edge of its image, so that part of it is not known; the margin there cannot be measured.",
                remedy: "Use an image that shows the whole tumour."))
        }
    }
}

/// One of the six sides of a grid, half a voxel beyond the outermost centres.
struct GridBorder {
    private let point: PatientPoint
    private let outwards: PatientVector

    /// The sides at which an object's outermost voxels are inside.
    static func touched(by levelSet: LevelSet) -> [GridBorder] {
        let grid = levelSet.geometry, size = grid.size
        let counts = [size.i, size.j, size.k], strides = [1, size.i, size.i * size.j]
        let directions = [grid.axes.i, grid.axes.j, grid.axes.k]
        return levelSet.field.withUnsafeVoxels { field in
            (0..<6).compactMap { side -> GridBorder? in
                let (axis, isHigh) = (side / 2, side % 2 == 1)
                let (u, v) = ((axis + 1) % 3, (axis + 2) % 3)
                let start = isHigh ? (counts[axis] - 1) * strides[axis] : 0
                let touches = (0..<counts[v]).contains { b in
                    (0..<counts[u]).contains { a in field[start + a * strides[u] + b * strides[v]] >= 0 }
                }
                guard touches else { return nil }
                var index = SIMD3<Double>.zero
                index[axis] = isHigh ? Double(counts[axis]) - 0.5 : -0.5
                return GridBorder(point: grid.point(ContinuousIndex(index)), outwards: isHigh ? directions[axis] : -directions[axis])
            }
        }
    }

    /// Millimetres from the border to a point on its inner side; negative beyond it.
    func distanceMM(to point: PatientPoint) -> Double { -(point - self.point).dot(outwards) }
}
