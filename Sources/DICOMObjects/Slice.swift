import ImagingCore

/// One image plane of a series: a frame of a file.
struct Slice: Sendable {
    /// Index into the files of the series.
    let file: Int
    let frame: ImageFrame
    let plane: ImagePlane
    let sopInstanceUID: String

    func separatingValue(_ attribute: SeparatingAttribute) -> String? { frame.separating[attribute.rawValue] }
}

/// Limits within which slices of a series are taken to belong to one regular grid.
enum SliceTolerance {
    /// Slices closer than this along the normal lie at one position; no scanner places slices this near.
    static let samePositionMM = 0.05
    /// Directions that differ by less (0.5°) are one orientation: files round them, gantries and patients do not move so little.
    static let orientationRadians = 0.00873
    /// Pixel spacings that differ by less, relatively, are one.
    static let pixelSpacing = 1e-3
    /// How far a slice may lie from its place on the regular grid, as a share of the spacing and at most, before slices are resampled.
    static let placeShare = 0.05
    static let placeMM = 0.1
    /// How far, in pixels, slices may shift within their plane before they are resampled.
    static let inPlanePixels = 0.1
}

extension Array where Element == Slice {
    /// Sorted along the normal of the first; equal positions by instance number, then as they were.
    func sortedAlongNormal() -> [Slice] {
        guard let normal = first?.plane.normal else { return self }
        return enumerated().map { (offset: $0.offset, slice: $0.element, position: normal.lps.dot($0.element.plane.position.lps)) }
            .sorted { a, b in
                if abs(a.position - b.position) > SliceTolerance.samePositionMM { return a.position < b.position }
                if a.slice.frame.instanceNumber != b.slice.frame.instanceNumber {
                    return a.slice.frame.instanceNumber < b.slice.frame.instanceNumber
                }
                return a.offset < b.offset
            }
            .map(\.slice)
    }

    /// Runs of slices, sorted along the normal, that lie at one position.
    func atEachPosition() -> [[Slice]] {
        guard let normal = first?.plane.normal else { return [] }
        var runs: [[Slice]] = []
        var runPosition = -Double.infinity
        for slice in sortedAlongNormal() {
            let position = normal.lps.dot(slice.plane.position.lps)
            if position - runPosition > SliceTolerance.samePositionMM {
                runs.append([])
                runPosition = position
            }
            runs[runs.count - 1].append(slice)
        }
        return runs
    }
}

extension SIMD3<Double> {
    func dot(_ other: SIMD3<Double>) -> Double { (self * other).sum() }
}
