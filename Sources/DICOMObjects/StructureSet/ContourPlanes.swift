import Foundation
import ImagingCore

/// The contours of a region, sorted into parallel planes.
struct ContourPlanes {
    /// Points further than this from the plane of their contour make it not planar.
    private static let planarityMM = 0.2
    /// Contours closer than this along the normal lie on one plane.
    private static let samePlaneMM = 0.05
    /// A plane whose normal is this close to a patient axis is taken to be exactly across it; contour points are rounded.
    private static let snapRadians = 2e-3
    /// Up to this many usual distances between planes, shapes are interpolated; beyond, the region is in separate pieces.
    static let bridgedGaps = 2.5

    struct Plane {
        /// Along the normal, from the patient origin.
        var offsetMM: Double
        var region: PlanarRegion
    }

    let axes: PatientAxes
    /// Ascending.
    let planes: [Plane]
    /// The usual distance between planes.
    let spacingMM: Double
    let findings: [Finding]

    init(_ region: StructureSet.Region, of url: URL) throws(DICOMError) {
        let name = "“\(region.name)”"
        func refuse(_ code: String, _ what: String, _ remedy: String) -> DICOMError { .segmentation(url, code, what, remedy: remedy) }
        guard let normal = Self.normal(region.contours) else {
            throw refuse("roi-empty", "has no closed contour that encloses anything for \(name).", "Draw or export the region again.")
        }
        let axes = Self.axes(normal)

        var placed: [(offset: Double, polygon: [SIMD2<Double>])] = []
        for (index, contour) in region.contours.enumerated() {
            let offsets = contour.map { axes.components(of: $0 - PatientPoint(0, 0, 0)).z }
            let mean = offsets.reduce(0, +) / Double(offsets.count)
            guard offsets.allSatisfy({ abs($0 - mean) <= Self.planarityMM }) else {
                throw refuse(
                    "contours-not-parallel", "has contours of \(name) that do not lie on parallel planes (contour \(index + 1)).",
                    "Export the region as contours on the slices of one series.")
            }
            let polygon = contour.map { point in
                let components = axes.components(of: point - PatientPoint(0, 0, 0))
                return SIMD2(components.x, components.y)
            }
            placed.append((mean, polygon))
        }
        placed.sort { $0.offset < $1.offset }
        var planes: [Plane] = []
        var duplicates = 0
        for (offset, polygon) in placed {
            if let last = planes.last, offset - last.offsetMM <= Self.samePlaneMM {
                if last.region.holdsCopy(of: polygon) { duplicates += 1 } else { planes[planes.count - 1].region.polygons.append(polygon) }
            } else {
                planes.append(Plane(offsetMM: offset, region: PlanarRegion(polygons: [polygon])))
            }
        }
        self.axes = axes
        self.planes = planes
        let gaps = zip(planes.dropFirst(), planes).map { $0.offsetMM - $1.offsetMM }.sorted()
        guard let spacing = gaps.isEmpty ? region.slabThicknessMM : gaps[(gaps.count - 1) / 2] else {
            throw refuse("contours-on-one-plane", "has contours of \(name) on one plane only and does not say how thick it is.",
                         "Draw the region on every slice that it lies in, or export it as a DICOM Segmentation.")
        }
        spacingMM = spacing
        findings = Self.findings(gaps, spacing: spacing, duplicates: duplicates, name: name, url: url)
    }

    private static func findings(_ gaps: [Double], spacing: Double, duplicates: Int, name: String, url: URL) -> [Finding] {
        var findings: [Finding] = []
        let file = url.lastPathComponent
        if duplicates > 0 {
            findings.append(Finding(
                .warning, "contours-duplicated", "Contours of \(name) that stand twice in \(file): \(duplicates). One of each is used."))
        }
        let bridged = gaps.filter { $0 > 1.5 * spacing && $0 <= bridgedGaps * spacing }.count
        if bridged > 0 {
            findings.append(Finding(
                .warning, "contours-missing",
                "\(name) in \(file) has planes without a contour between others (\(bridged)); its shape there is interpolated.",
                remedy: "Draw the missing contours if the region is not meant to be like its neighbours there."))
        }
        let open = gaps.filter { $0 > bridgedGaps * spacing }.count
        if open > 0 {
            findings.append(Finding(
                .warning, "region-in-pieces",
                String(
                    format: "%@ in %@ is in %d pieces, with gaps of more than %.1f mm between them.", name, file, open + 1,
                    bridgedGaps * spacing),
                remedy: "Check that no contours are missing."))
        }
        return findings
    }

    /// The unit normal of the contour with the largest area (Newell's method).
    private static func normal(_ contours: [[PatientPoint]]) -> PatientVector? {
        let vectors = contours.map { contour in
            var sum = PatientVector(0, 0, 0)
            for index in contour.indices {
                sum = sum + (contour[index] - contour[0]).cross(contour[(index + 1) % contour.count] - contour[0])
            }
            return sum
        }
        guard let largest = vectors.max(by: { $0.length < $1.length }), largest.length > 1e-3 else { return nil }
        return largest.normalized
    }

    /// Axes across `normal`, which points to where its largest component is positive: the identity for axial planes.
    private static func axes(_ normal: PatientVector) -> PatientAxes {
        let units = [PatientVector(1, 0, 0), PatientVector(0, 1, 0), PatientVector(0, 0, 1)]
        let largest = (0..<3).max { abs(normal.lps[$0]) < abs(normal.lps[$1]) }!
        var k = normal.lps[largest] < 0 ? -normal : normal
        if k.cross(units[largest]).length < snapRadians { k = units[largest] }
        let along = units[largest == 0 ? 1 : 0]
        let i = (along - along.dot(k) * k).normalized!
        return try! PatientAxes(rowDirection: i, columnDirection: k.cross(i))  // Orthonormal by construction.
    }
}
