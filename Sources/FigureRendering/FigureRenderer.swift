import Foundation
import ImagingCore

/// Colours that people with any colour vision can tell apart, on grey (Okabe & Ito 2008).
public enum FigureColour {
    public static let tumour = RGBColour(230, 159, 0)
    public static let ice = RGBColour(86, 180, 233)
    public static let isotherm20 = RGBColour(0, 170, 125)
    public static let isotherm40 = RGBColour(204, 121, 167)
    public static let structure = RGBColour(213, 94, 0)
    public static let mark = RGBColour(240, 228, 66)
}

/// The words that stand around a picture. None of them may name the patient.
public struct FigureCaption: Hashable, Sendable {
    /// At the top left: what is shown, for example `T1 in visible ice`.
    public var title: String
    /// At the top right: the result, for example `minimum margin −2.1 mm (−3.4 to −0.8)`.
    public var result: String

    public init(title: String, result: String = "") { (self.title, self.result) = (title, result) }
}

/// Pictures of a scan with outlines, for the report.
///
/// Every picture shows the patient's own planes at the scan's true geometry with square pixels, whatever the scan's
/// orientation and spacing, in radiological convention. The overlays lie in the scan's frame of reference.
public struct FigureRenderer: Sendable {
    public var window: DisplayWindow
    /// The side of one panel of `orthogonalPlanes`, in pixels.
    public var panelSize = 500
    /// What is left around the overlays, in millimetres.
    public var surroundingsMM = 20.0
    /// How far from the first overlay (the tumour) others may widen the picture, so that a second iceball does not make it small.
    public var reachMM = 30.0

    public init(window: DisplayWindow) { self.window = window }

    private static let (stripHeight, legendLine, gap) = (34, 22, 6)
    private static let notice = "Research use only"
    private static let ground = RGBColour(16, 16, 18)

    /// An axial, a coronal and a sagittal plane through `point` side by side at one scale, cut to the overlays and what
    /// surrounds them, with orientation letters, scale bar, window, position, legend, and `mark` with its cross-hair.
    ///
    /// Throws when an overlay lies in another frame of reference than the scan.
    public func orthogonalPlanes(
        scan: ScanVolume, overlays: [FigureOverlay], at point: PatientPoint, mark: FigureMark? = nil, caption: FigureCaption
    ) throws(GeometryError) -> RGBImage {
        try requireSameFrame(scan, overlays)
        let box = region(of: overlays, around: point, in: scan.geometry)
        let pixelSizeMM = box.sideMM / Double(panelSize)
        let panels = ViewOrientation.allCases.map { orientation in
            // The plane runs through the point; within it the picture is centred on the objects.
            let normal = orientation.normal
            let center = box.center + (point - box.center).dot(normal) * normal
            let plane = ViewPlane(orientation, center: center, pixelSizeMM: pixelSizeMM, width: panelSize, height: panelSize)
            var panel = Panel(scan, plane, window: window)
            panel.drawCrossHair(at: point)
            panel.draw(overlays)
            if let mark { panel.draw(mark, colour: FigureColour.mark, away: overlays.first.flatMap { Self.center(of: $0.corners) }) }
            panel.drawOrientation()
            panel.draw(topLeft: orientation.rawValue.uppercased() + "  " + Self.position(of: point, orientation))
            panel.draw(bottomRight: window.label)
            panel.drawScaleBar()
            return panel.canvas.image
        }
        return compose(panels, columns: 3, overlays: overlays, caption: caption)
    }

    /// Parallel planes across the first overlay (the tumour) in the orientation nearest to the scan's slices, evenly spaced,
    /// from where it begins to where it ends. `mark` is drawn in the plane that is nearest to it.
    ///
    /// - Parameters:
    ///   - columns, rows: the number of pictures; each has a side of `tileSize` pixels.
    /// Throws when an overlay lies in another frame of reference than the scan.
    public func montage(
        scan: ScanVolume, overlays: [FigureOverlay], columns: Int = 4, rows: Int = 3, tileSize: Int = 360, mark: FigureMark? = nil,
        caption: FigureCaption
    ) throws(GeometryError) -> RGBImage {
        precondition(columns > 0 && rows > 0)
        try requireSameFrame(scan, overlays)
        let orientation = ViewOrientation.nearest(to: scan.geometry), normal = orientation.normal
        let tumour = overlays.first?.corners ?? []
        let middle = Self.center(of: tumour) ?? scan.geometry.center
        let box = region(of: overlays, around: middle, in: scan.geometry)
        let depths = (tumour.isEmpty ? [middle] : tumour).map { ($0 - box.center).dot(normal) }
        let count = columns * rows, low = depths.min()!, high = depths.max()!
        // Head first for axial planes, as they are read.
        let positions = (0..<count).map { tile in
            let share = (Double(tile) + 0.5) / Double(count)
            return orientation == .axial ? high - share * (high - low) : low + share * (high - low)
        }
        let marked = mark.map { mark in
            let depth = (mark.point - box.center).dot(normal)
            return positions.indices.min { abs(positions[$0] - depth) < abs(positions[$1] - depth) }!
        }
        let tiles = mapSlabs(of: count, slab: 1) { range in
            let center = box.center + positions[range.lowerBound] * normal
            let plane = ViewPlane(
                orientation, center: center, pixelSizeMM: box.sideMM / Double(tileSize), width: tileSize, height: tileSize)
            var panel = Panel(scan, plane, window: window)
            panel.draw(overlays)
            if let mark, range.lowerBound == marked { panel.draw(mark, colour: FigureColour.mark, away: Self.center(of: tumour)) }
            panel.draw(topLeft: Self.position(of: center, orientation))
            if range.lowerBound == 0 {
                panel.drawOrientation()
                panel.drawScaleBar()
                panel.draw(bottomRight: window.label)
            }
            return panel.canvas.image
        }
        return compose(tiles, columns: columns, overlays: overlays, caption: caption)
    }

    /// One picture per slice of the scan with outlines and labels, in the scan's own planes, made on several threads. A pixel is
    /// as large as a voxel's shorter side in the slice, or a whole fraction of it when the slice has less than 400 columns.
    ///
    /// Throws when an overlay lies in another frame of reference than the scan.
    public func slices(scan: ScanVolume, overlays: [FigureOverlay], _ range: Range<Int>) throws(GeometryError) -> [RGBImage] {
        try requireSameFrame(scan, overlays)
        let geometry = scan.geometry, spacing = geometry.spacing
        let magnification = max(1, (400.0 / Double(geometry.size.i)).rounded(.up))
        let pixelSizeMM = min(spacing.x, spacing.y) / magnification
        let width = max(1, Int((Double(geometry.size.i) * spacing.x / pixelSizeMM).rounded()))
        let height = max(1, Int((Double(geometry.size.j) * spacing.y / pixelSizeMM).rounded()))
        return mapSlabs(of: range.count, slab: 1) { offset in
            let k = Double(range.lowerBound + offset.lowerBound)
            let center = geometry.point(ContinuousIndex(Double(geometry.size.i - 1) / 2, Double(geometry.size.j - 1) / 2, k))
            let plane = ViewPlane(
                center: center, right: geometry.axes.i, down: geometry.axes.j, pixelSizeMM: pixelSizeMM, width: width, height: height)
            var panel = Panel(scan, plane, window: window)
            panel.draw(overlays)
            panel.drawOrientation()
            panel.draw(topLeft: "slice \(Int(k) + 1) of \(geometry.size.k)")
            panel.draw(bottomRight: window.label)
            panel.drawScaleBar()
            return panel.canvas.image
        }
    }
}

extension FigureRenderer {
    private func requireSameFrame(_ scan: ScanVolume, _ overlays: [FigureOverlay]) throws(GeometryError) {
        for overlay in overlays { try scan.geometry.requireSameFrame(as: overlay.levelSet.geometry) }
    }

    /// The cube that holds `point` and the overlays that frame the picture, with what surrounds them. It is moved into the
    /// scan as far as it still holds them, so that no room is lost beside the scan.
    func region(of overlays: [FigureOverlay], around point: PatientPoint, in geometry: GridGeometry) -> (
        center: PatientPoint, sideMM: Double
    ) {
        func box(_ points: [PatientPoint]) -> (low: SIMD3<Double>, high: SIMD3<Double>) {
            points.reduce((points[0].lps, points[0].lps)) { (pointwiseMin($0.0, $1.lps), pointwiseMax($0.1, $1.lps)) }
        }
        let (first, last) = box((overlays.first?.corners ?? []) + [point])
        var (low, high) = (first, last)
        for overlay in overlays.dropFirst() where overlay.framesPicture && !overlay.corners.isEmpty {
            let other = box(overlay.corners)
            low = pointwiseMin(low, pointwiseMax(other.low, first - reachMM))
            high = pointwiseMax(high, pointwiseMin(other.high, last + reachMM))
        }
        let side = max((high - low).max() + 2 * surroundingsMM, 60), scan = box(geometry.cornerPoints)
        var center = (low + high) / 2
        for axis in 0..<3 where scan.high[axis] - scan.low[axis] >= side {
            center[axis] = min(max(center[axis], scan.low[axis] + side / 2), scan.high[axis] - side / 2)
        }
        // A box around an oblique scan is larger than the scan; the objects must stay in the picture in any case.
        center = pointwiseMin(pointwiseMax(center, high - side / 2), low + side / 2)
        return (PatientPoint(center), side)
    }

    private static func center(of corners: [PatientPoint]) -> PatientPoint? {
        corners.isEmpty ? nil : PatientPoint(corners.reduce(SIMD3.zero) { $0 + $1.lps } / Double(corners.count))
    }

    /// The coordinate that tells a plane from its neighbours, as it stands in the report: LPS millimetres.
    private static func position(of point: PatientPoint, _ orientation: ViewOrientation) -> String {
        let value = (point - PatientPoint(0, 0, 0)).dot(orientation.normal)
        return "\(orientation.coordinateLetter) = " + String(format: "%.1f mm", value).replacing("-", with: "−")
    }

    /// Pictures of one size in rows, under a title and over a legend, which takes as many lines as it needs.
    private func compose(_ pictures: [RGBImage], columns: Int, overlays: [FigureOverlay], caption: FigureCaption) -> RGBImage {
        let (width, height) = (pictures[0].width, pictures[0].height), rows = (pictures.count + columns - 1) / columns
        let total = columns * (width + Self.gap) - Self.gap, right = Double(total - 10)
        let legend = legendPlaces(overlays, right: right), lines = (legend.last?.line ?? 0) + 1
        var image = RGBImage(
            width: total,
            height: Self.stripHeight + rows * (height + Self.gap) - Self.gap + Self.stripHeight + (lines - 1) * Self.legendLine,
            filledWith: Self.ground)
        for (index, picture) in pictures.enumerated() {
            image.paste(picture, left: index % columns * (width + Self.gap), top: Self.stripHeight + index / columns * (height + Self.gap))
        }
        var canvas = Canvas(image)
        canvas.draw(caption.title, at: SIMD2(10, 11), height: 12, halo: false)
        canvas.draw(caption.result, at: SIMD2(right, 11), height: 12, colour: FigureColour.mark, anchor: .trailing, halo: false)
        let top = Double(image.height - Self.stripHeight - (lines - 1) * Self.legendLine) + 11.5
        for (overlay, place) in zip(overlays, legend) {
            let y = top + Double(place.line * Self.legendLine)
            canvas.draw(
                [[SIMD2(place.x, y + 6), SIMD2(place.x + 24, y + 6)]], colour: overlay.colour, thickness: overlay.thickness + 0.9,
                dash: overlay.dash.pixels)
            canvas.draw(overlay.name, at: SIMD2(place.x + 33, y), height: 11, halo: false)
        }
        canvas.draw(Self.notice, at: SIMD2(right, top), height: 11, colour: RGBColour(170, 170, 175), anchor: .trailing, halo: false)
        return canvas.image
    }

    /// Where the legend's entries begin; the first line leaves room for the notice.
    private func legendPlaces(_ overlays: [FigureOverlay], right: Double) -> [(x: Double, line: Int)] {
        var (x, line) = (10.0, 0)
        return overlays.map { overlay in
            let width = 33 + Canvas.width(of: overlay.name, height: 11),
                limit = line == 0 ? right - Canvas.width(of: Self.notice, height: 11) - 20 : right
            if x > 10, x + width > limit { (x, line) = (10, line + 1) }
            defer { x += width + 28 }
            return (x, line)
        }
    }
}
