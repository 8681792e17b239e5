import Foundation
import ImagingCore

/// A place that is pointed out in a picture.
public struct FigureMark: Hashable, Sendable {
    /// The point of the tumour's surface where the margin is smallest.
    public var point: PatientPoint
    /// The point of the zone's surface that is nearest to it; an arrow leads there.
    public var target: PatientPoint?
    /// What is written beside it, for example `−2.1 mm`.
    public var text: String

    public init(point: PatientPoint, target: PatientPoint?, text: String) { (self.point, self.target, self.text) = (point, target, text) }

    /// The worst margin: from `point` on a tumour's surface to the surface of `zone`, `marginMM` away (positive where the
    /// zone exceeds the tumour). The zone's point is found along the zone's gradient at `point`.
    public static func worstMargin(_ marginMM: Double, at point: PatientPoint, in zone: LevelSet) -> FigureMark {
        let step = zone.geometry.spacing.min() / 2
        func value(_ offset: PatientVector) -> Double { Double(zone.field.interpolated(at: point + offset)) }
        let gradient = PatientVector(
            value(PatientVector(step, 0, 0)) - value(PatientVector(-step, 0, 0)),
            value(PatientVector(0, step, 0)) - value(PatientVector(0, -step, 0)),
            value(PatientVector(0, 0, step)) - value(PatientVector(0, 0, -step)))
        // The field grows inwards, so the surface lies against the gradient of a point inside.
        return FigureMark(point: point, target: gradient.normalized.map { point - marginMM * $0 }, text: text(ofMarginMM: marginMM))
    }

    /// `−2.1 mm`, with a sign whenever it is not zero.
    public static func text(ofMarginMM margin: Double) -> String {
        let tenths = (margin * 10).rounded() / 10
        let sign = tenths > 0 ? "+" : tenths < 0 ? "−" : ""
        return String(format: "%@%.1f mm", sign, abs(tenths))
    }
}

extension Volume where Voxel: Displayable {
    /// The value at `point`, interpolated linearly; outside the grid that of the nearest point of the grid.
    func interpolated(at point: PatientPoint) -> Float {
        let size = size, last = SIMD3(Double(size.i - 1), Double(size.j - 1), Double(size.k - 1))
        let position = pointwiseMin(pointwiseMax(geometry.continuousIndex(point).ijk, .zero), last)
        let floor = position.rounded(.down), f = SIMD3<Float>(position - floor)
        var sum: Float = 0
        for corner in 0..<8 {
            let (x, y, z) = (corner & 1, corner >> 1 & 1, corner >> 2)
            let weight = (x == 1 ? f.x : 1 - f.x) * (y == 1 ? f.y : 1 - f.y) * (z == 1 ? f.z : 1 - f.z)
            guard weight > 0 else { continue }
            sum += weight * self[VoxelIndex(Int(floor.x) + x, Int(floor.y) + y, Int(floor.z) + z)].float
        }
        return sum
    }
}

/// One plane of a scan with outlines and labels.
struct Panel {
    /// The height of capitals in pixels.
    static let labelHeight = 11.0

    let plane: ViewPlane
    private(set) var canvas: Canvas
    private var size: SIMD2<Double> { SIMD2(Double(plane.width), Double(plane.height)) }

    init(_ scan: ScanVolume, _ plane: ViewPlane, window: DisplayWindow) {
        self.plane = plane
        canvas = Canvas(scan.picture(plane, window: window))
    }

    mutating func draw(_ overlays: [FigureOverlay]) {
        for overlay in overlays {
            canvas.draw(
                overlay.contours(in: plane), colour: overlay.colour, thickness: overlay.thickness, dash: overlay.dash.pixels,
                border: 0.9)
        }
    }

    /// Orientation letters at the middle of each edge.
    mutating func drawOrientation() {
        let letters = plane.edgeLetters, height = Self.labelHeight + 1, inset = 8.0
        let middle = SIMD2(size.x / 2, (size.y - height) / 2)
        canvas.draw(letters.left, at: SIMD2(inset, middle.y), height: height)
        canvas.draw(letters.right, at: SIMD2(size.x - inset, middle.y), height: height, anchor: .trailing)
        canvas.draw(letters.top, at: SIMD2(middle.x, inset), height: height, anchor: .center)
        canvas.draw(letters.bottom, at: SIMD2(middle.x, size.y - inset - height), height: height, anchor: .center)
    }

    mutating func draw(topLeft text: String) { canvas.draw(text, at: SIMD2(9, 9), height: Self.labelHeight) }
    mutating func draw(bottomRight text: String) {
        canvas.draw(text, at: size - SIMD2(9, 9 + Self.labelHeight), height: Self.labelHeight, anchor: .trailing)
    }

    /// A bar of a round length at the bottom left.
    mutating func drawScaleBar() {
        let lengthMM = Self.scaleBarMM(pictureWidthMM: size.x * plane.pixelSizeMM), length = lengthMM / plane.pixelSizeMM
        let left = 10.0, y = size.y - 13
        let bar = [
            [SIMD2(left, y), SIMD2(left + length, y)], [SIMD2(left, y - 4), SIMD2(left, y + 4)],
            [SIMD2(left + length, y - 4), SIMD2(left + length, y + 4)]
        ]
        canvas.draw(bar, colour: .white, thickness: 1.4, border: 1.2)
        canvas.draw("\(Int(lengthMM)) mm", at: SIMD2(left + length + 8, y - Self.labelHeight / 2), height: Self.labelHeight)
    }

    /// The longest round length that takes up at most a quarter of the picture.
    static func scaleBarMM(pictureWidthMM: Double) -> Double { [100, 50, 20, 10, 5, 2].first { $0 <= pictureWidthMM / 4 } ?? 1 }

    /// Fine lines through `point` that leave its neighbourhood free.
    mutating func drawCrossHair(at point: PatientPoint) {
        let p = plane.pixel(point), gap = 22.0
        let lines = [
            [SIMD2(0, p.y), SIMD2(p.x - gap, p.y)], [SIMD2(p.x + gap, p.y), SIMD2(size.x, p.y)],
            [SIMD2(p.x, 0), SIMD2(p.x, p.y - gap)], [SIMD2(p.x, p.y + gap), SIMD2(p.x, size.y)],
        ]
        canvas.draw(lines, colour: .white, thickness: 1, dash: (2, 5), opacity: 0.6)
    }

    /// An arrow from the mark to its target as far as the picture shows it, or a ring where that is too short, and the text.
    ///
    /// - Parameter away: the point that the text keeps away from: the middle of the tumour.
    mutating func draw(_ mark: FigureMark, colour: RGBColour, away: PatientPoint?) {
        let p = plane.pixel(mark.point), way = mark.target.map { plane.pixel($0) - p } ?? .zero
        let length = (way * way).sum().squareRoot(), arrow = length >= 6 ? way / length : nil
        if let arrow {
            canvas.draw([Canvas.circle(center: p, radius: 1)], colour: colour, thickness: 2.6, border: 0.9)
            drawArrow(from: p, along: arrow, length: length, colour: colour)
        } else {
            canvas.draw([Canvas.circle(center: p, radius: 8)], colour: colour, thickness: 1.4, border: 0.9)
        }
        let height = 13.0, width = Canvas.width(of: mark.text, height: height)
        let (direction, corner, end) = placeText(width: width, height: height, beside: p, away: away.map(plane.pixel), arrow: arrow)
        canvas.draw([[p + (arrow == nil ? 9 : 6) * direction, end]], colour: colour, thickness: 1.1, border: 0.8)
        canvas.draw(mark.text, at: corner, height: height, colour: colour)
    }

    /// A free place for text near `p`, as far as can be in the direction from `away`: the direction of its leader, the text's
    /// top left corner, and the leader's end. It keeps off the arrow.
    private func placeText(width: Double, height: Double, beside p: SIMD2<Double>, away: SIMD2<Double>?, arrow: SIMD2<Double>?)
        -> (direction: SIMD2<Double>, corner: SIMD2<Double>, end: SIMD2<Double>)
    {
        let wanted = away.map { p - $0 } ?? SIMD2(1, -1)
        let directions = [20.0, -20, 45, -45, 70, -70, 110, -110, 135, -135, 160, -160].map { degrees in
            SIMD2(cos(degrees * .pi / 180), sin(degrees * .pi / 180))
        }
        let places = directions.filter { direction in arrow.map { ($0 * direction).sum() < 0.8 } ?? true }.map { direction in
            let end = p + 46 * direction
            let left = direction.x > 0 ? end.x + 4 : end.x - 4 - width
            return (direction: direction, corner: SIMD2(left, end.y - height / 2), end: end)
        }
        let free = places.filter { place in
            let low = place.corner, high = low + SIMD2(width, height)
            // Titles and scale bar keep the top and the bottom, orientation letters the middle of the edges.
            let crossesLetters = abs(low.y + height / 2 - size.y / 2) < 2 * height && (low.x < 30 || high.x > size.x - 30)
            return low.x >= 6 && high.x <= size.x - 6 && low.y >= 28 && high.y <= size.y - 32 && !crossesLetters
        }
        return (free.isEmpty ? places : free).max { ($0.direction * wanted).sum() < ($1.direction * wanted).sum() }!
    }

    private mutating func drawArrow(from start: SIMD2<Double>, along: SIMD2<Double>, length: Double, colour: RGBColour) {
        let end = start + length * along, across = SIMD2(-along.y, along.x), head = min(6, 0.6 * length)
        let back = end - head * along
        canvas.draw(
            [[start, end], [back + 0.6 * head * across, end, back - 0.6 * head * across]], colour: colour, thickness: 1.6, border: 0.8)
    }
}
