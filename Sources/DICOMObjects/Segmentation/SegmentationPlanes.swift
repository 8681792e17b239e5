import Foundation
import ImagingCore

/// The regular grid that the frames of a segmentation lie on.
///
/// Positions are the truth for the spacing. Frames may leave planes out, so the distance between two planes is a multiple of the
/// spacing: of Spacing Between Slices where that fits, else of the smallest distance that occurs.
struct SegmentationPlanes {
    /// How far a plane may lie from its place on the grid, in spacings or pixels.
    private static let placeTolerance = 0.1
    /// Planes closer than this are one.
    private static let samePlaneMM = 0.01
    /// Limits on what a file can make a program allocate.
    private static let maximumPlaneCount = 20_000
    private static let maximumVoxelCount = 1 << 29

    let geometry: GridGeometry
    /// For each frame the index `k` of its plane.
    let slices: [Int]
    let findings: [Finding]

    init(_ file: SegmentationFile) throws(DICOMError) {
        guard file.frameCount > 0 else { throw file.broken("has no functional groups that place its frames") }
        guard let rows = file.dataset.integer(.rows), let columns = file.dataset.integer(.columns), rows > 0, columns > 0 else {
            throw file.broken("has no usable Rows and Columns")
        }
        var places: [FramePlace] = []
        for frame in 0..<file.frameCount { places.append(try FramePlace(file, frame: frame)) }
        let first = places[0]
        for (index, place) in places.enumerated() { try place.requireSamePlanes(as: first, frame: index, of: file) }

        let normal = first.axes.k
        let offsets = places.map { normal.dot($0.position - first.position) }
        let lowest = offsets.min()!
        var distances: [Double] = []  // From the lowest plane, ascending, each plane once.
        for offset in offsets.sorted() where distances.last.map({ offset - lowest - $0 > Self.samePlaneMM }) ?? true {
            distances.append(offset - lowest)
        }
        let spacing = try Self.spacing(distances, first, file)
        findings = spacing.findings
        slices = offsets.map { Int((($0 - lowest) / spacing.mm).rounded()) }
        let count = slices.max()! + 1
        let size = GridSize(columns, rows, count)
        let (voxels, overflow) = size.sliceVoxelCount.multipliedReportingOverflow(by: count)
        guard count <= Self.maximumPlaneCount, !overflow, voxels <= Self.maximumVoxelCount else {
            throw file.broken("spans \(count) planes of \(columns) × \(rows), more than can be meant")
        }
        do {
            geometry = try GridGeometry(
                size: size, spacing: SIMD3(first.pixelSpacing.x, first.pixelSpacing.y, spacing.mm),
                origin: places[offsets.firstIndex(of: lowest)!].position, axes: first.axes,
                frameOfReferenceUID: file.dataset.string(.frameOfReferenceUID))
        } catch { throw file.broken("lies on no usable grid: \(error.finding.message)") }
    }

    private static func spacing(
        _ distances: [Double], _ place: FramePlace, _ file: SegmentationFile
    ) throws(DICOMError) -> (mm: Double, findings: [Finding]) {
        guard let extent = distances.last, extent > 0 else {
            guard let given = place.spacingBetweenSlices ?? place.sliceThickness else {
                throw .segmentation(file.url, "segmentation-one-plane", "has frames on one plane only and does not say how thick it is.",
                                    remedy: "Export it with Slice Thickness, or on every slice of its scan.")
            }
            return (given, [])
        }
        let smallest = zip(distances.dropFirst(), distances).map { $0 - $1 }.min()!
        /// `step`, refined by the positions, where all planes lie on multiples of it.
        func fitted(_ step: Double) -> Double? {
            let refined = extent / (extent / step).rounded()
            let fits = distances.allSatisfy { abs($0 / refined - ($0 / refined).rounded()) <= placeTolerance }
            return fits && refined.isFinite && abs(refined / step - 1) <= placeTolerance ? refined : nil
        }
        if let given = place.spacingBetweenSlices, let step = fitted(given) { return (step, []) }
        if place.spacingBetweenSlices == nil, let thickness = place.sliceThickness, 1.5 * thickness < smallest, let step = fitted(thickness) {
            let text = String(format: "Planes of %@ are at least %.3f mm apart, a multiple of the slice thickness of %.3f mm; that is taken for the spacing.",
                              file.url.lastPathComponent, smallest, thickness)
            return (step, [Finding(.warning, "segmentation-spacing-assumed", text, remedy: "Export it with Spacing Between Slices.")])
        }
        if let step = fitted(smallest) { return (step, []) }
        throw .segmentation(
            file.url, "segmentation-planes-uneven",
            "has planes at uneven distances (smallest \(String(format: "%.3f", smallest)) mm, and others that are no multiple of it).",
            remedy: "Resample the segmentation onto a grid with even slices and export it again.")
    }
}

/// Where one frame lies in the patient.
private struct FramePlace {
    private static let sameDirectionRadians = 2e-3
    private static let sameSpacingShare = 1e-3

    let position: PatientPoint
    let axes: PatientAxes
    /// Millimetres between columns (x) and between rows (y).
    let pixelSpacing: SIMD2<Double>
    let spacingBetweenSlices: Double?
    let sliceThickness: Double?

    init(_ file: SegmentationFile, frame: Int) throws(DICOMError) {
        func missing(_ what: String) -> DICOMError {
            .segmentation(file.url, "segmentation-geometry-missing", "does not give the \(what) of frame \(frame + 1).",
                          remedy: "Export it as a segmentation of a CT or MR series in patient space.")
        }
        guard let position = try file.group(.planePositionSequence, frame: frame)?.numbers(.imagePositionPatient), position.count == 3,
              position.allSatisfy(\.isFinite) else { throw missing("position") }
        guard let directions = try file.group(.planeOrientationSequence, frame: frame)?.numbers(.imageOrientationPatient),
            directions.count == 6
        else { throw missing("orientation") }
        let measures = file.group(.pixelMeasuresSequence, frame: frame)
        guard let spacing = try measures?.numbers(.pixelSpacing), spacing.count == 2, spacing.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw missing("pixel spacing")
        }
        do {
            axes = try PatientAxes(
                rowDirection: PatientVector(directions[0], directions[1], directions[2]),
                columnDirection: PatientVector(directions[3], directions[4], directions[5]))
        } catch { throw missing("orientation in usable form (\(error.finding.message))") }
        self.position = PatientPoint(position[0], position[1], position[2])
        pixelSpacing = SIMD2(spacing[1], spacing[0])
        func positive(_ tag: DICOMTag) -> Double? { measures?.number(tag).flatMap { $0 > 0 ? $0 : nil } }
        spacingBetweenSlices = positive(.spacingBetweenSlices)
        sliceThickness = positive(.sliceThickness)
    }

    func requireSamePlanes(as first: FramePlace, frame: Int, of file: SegmentationFile) throws(DICOMError) {
        func uneven(_ what: String) -> DICOMError {
            .segmentation(file.url, "segmentation-grid-irregular", "has frames that make no common grid: frame \(frame + 1) has \(what) than frame 1.",
                          remedy: "Resample the segmentation onto one grid with right angles and export it again.")
        }
        guard axes.angle(to: first.axes) <= Self.sameDirectionRadians else { throw uneven("another orientation") }
        let ratio = pixelSpacing / first.pixelSpacing - 1
        guard max(abs(ratio.x), abs(ratio.y)) <= Self.sameSpacingShare else { throw uneven("another pixel spacing") }
        let shift = first.axes.components(of: position - first.position)
        guard abs(shift.x) <= 0.1 * first.pixelSpacing.x, abs(shift.y) <= 0.1 * first.pixelSpacing.y else {
            throw uneven("another place within its plane (a tilted gantry, or tiles)")
        }
    }
}
