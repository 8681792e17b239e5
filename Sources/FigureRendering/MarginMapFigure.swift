import Foundation
import ImagingCore

/// Pictures of a margin on a tumour's surface, from six sides.
public struct MarginMapFigure: Sendable {
    public var colours: MarginColours
    /// The side of one view in pixels.
    public var viewSize = 340

    public init(colours: MarginColours) { self.colours = colours }

    private static let ground = RGBColour(16, 16, 18), soft = RGBColour(190, 192, 196)
    private static let (strip, legend, gap) = (34, 66, 6)

    /// Six views in two rows over a legend in millimetres. A dark line runs where the margin is what is required, a light one where it is
    /// zero; a ring marks `worst` in the views that show it.
    public func image(_ map: SurfaceMap, worst: PatientPoint, caption: FigureCaption) -> RGBImage {
        let views = mapSlabs(of: SurfaceView.allCases.count, slab: 1) { view(map, SurfaceView.allCases[$0.lowerBound], worst: worst) }
        let width = 3 * (viewSize + Self.gap) - Self.gap, rows = 2 * (viewSize + Self.gap) - Self.gap
        var image = RGBImage(width: width, height: Self.strip + rows + Self.legend, filledWith: Self.ground)
        for (index, view) in views.enumerated() {
            image.paste(view, left: index % 3 * (viewSize + Self.gap), top: Self.strip + index / 3 * (viewSize + Self.gap))
        }
        var canvas = Canvas(image)
        canvas.draw(caption.title, at: SIMD2(10, 11), height: 12, halo: false)
        canvas.draw(
            caption.result, at: SIMD2(Double(width - 10), 11), height: 12, colour: FigureColour.mark, anchor: .trailing, halo: false)
        drawLegend(on: &canvas, top: Double(Self.strip + rows) + 12)
        return canvas.image
    }

    private func drawLegend(on canvas: inout Canvas, top: Double) {
        let width = 560.0, left = 12.0, range = colours.rangeMM
        func x(_ marginMM: Double) -> Double { left + width * (marginMM - range.lowerBound) / (range.upperBound - range.lowerBound) }
        for column in 0..<Int(width) {
            let margin = range.lowerBound + (Double(column) + 0.5) / width * (range.upperBound - range.lowerBound),
                x = left + Double(column)
            canvas.draw([[SIMD2(x, top), SIMD2(x, top + 16)]], colour: colours.colour(margin), thickness: 1.6)
        }
        for tick in colours.ticksMM {
            let isRequired = tick == colours.requiredMM
            canvas.draw(
                [[SIMD2(x(tick), top - 3), SIMD2(x(tick), top + 19)]], colour: isRequired ? .black : .white, thickness: isRequired ? 2.4 : 1
            )
            let text = String(format: "%g", tick).replacing("-", with: "−") + (isRequired ? " \(colours.requirement)" : "")
            canvas.draw(text, at: SIMD2(x(tick), top + 26), height: 11, anchor: tick == range.lowerBound ? .leading : .center, halo: false)
        }
        canvas.draw("margin, mm", at: SIMD2(left + width + 18, top + 3), height: 11, halo: false)
        let right = Double(canvas.image.width - 10)
        canvas.draw(
            "dark line: \(colours.requirement)   dashed: 0 mm", at: SIMD2(right, top + 3), height: 11, colour: Self.soft, anchor: .trailing,
            halo: false)
        canvas.draw("Research use only", at: SIMD2(right, top + 26), height: 11, colour: Self.soft, anchor: .trailing, halo: false)
    }

    private func view(_ map: SurfaceMap, _ view: SurfaceView, worst: PatientPoint) -> RGBImage {
        let raster = SurfaceRaster(map, view, side: viewSize)
        var image = RGBImage(width: viewSize, height: viewSize, filledWith: RGBColour(30, 31, 34))
        for pixel in raster.marginsMM.indices where !raster.marginsMM[pixel].isNaN {
            let colour = colours.colour(raster.marginsMM[pixel]), light = 0.5 + 0.5 * raster.facing[pixel]
            image.pixels[3 * pixel] = UInt8((light * Double(colour.red)).rounded())
            image.pixels[3 * pixel + 1] = UInt8((light * Double(colour.green)).rounded())
            image.pixels[3 * pixel + 2] = UInt8((light * Double(colour.blue)).rounded())
        }
        var canvas = Canvas(image)
        // Lines stop where the surface does: the outline of the picture is not one of the margin.
        func isOnSurface(_ point: SIMD2<Double>) -> Bool {
            let (x, y) = (Int(point.x), Int(point.y))
            return [0, 1].allSatisfy { dx in
                [0, 1].allSatisfy { dy in
                    let (column, row) = (min(x + dx, viewSize - 1), min(y + dy, viewSize - 1))
                    return !raster.marginsMM[row * viewSize + column].isNaN
                }
            }
        }
        func lines(at level: Double) -> [[SIMD2<Double>]] {
            zeroContours(raster.marginsMM.map { Float($0 - level) }, width: viewSize, height: viewSize)
                .flatMap { line in line.split { !isOnSurface($0) }.map(Array.init) }.filter { $0.count > 3 }
        }
        canvas.draw(lines(at: 0), colour: .white, thickness: 1.5, dash: (5, 4), border: 0.6)
        canvas.draw(lines(at: colours.requiredMM), colour: .black, thickness: 2)
        draw(worst, raster, on: &canvas)
        let letters = view.letters, size = Double(viewSize), height = 12.0
        canvas.draw(letters.left, at: SIMD2(8, (size - height) / 2), height: height)
        canvas.draw(letters.right, at: SIMD2(size - 8, (size - height) / 2), height: height, anchor: .trailing)
        canvas.draw(letters.top, at: SIMD2(size / 2, 26), height: height, anchor: .center)
        canvas.draw(letters.bottom, at: SIMD2(size / 2, size - 8 - height), height: height, anchor: .center)
        canvas.draw(view.name, at: SIMD2(8, 8), height: 11)
        let barMM = Panel.scaleBarMM(pictureWidthMM: size / raster.pixelsPerMM), end = SIMD2(10 + barMM * raster.pixelsPerMM, size - 12)
        canvas.draw([[SIMD2(10, size - 12), end]], colour: .white, thickness: 3, border: 1)
        canvas.draw(String(format: "%g mm", barMM), at: SIMD2(10, size - 32), height: 11)
        return canvas.image
    }

    private func draw(_ worst: PatientPoint, _ raster: SurfaceRaster, on canvas: inout Canvas) {
        let place = raster.place(worst), (x, y) = (Int(place.x.rounded()), Int(place.y.rounded()))
        guard (0..<viewSize).contains(x), (0..<viewSize).contains(y), place.z < raster.depthMM[y * viewSize + x] + 1 else { return }
        canvas.draw([Canvas.circle(center: SIMD2(place.x, place.y), radius: 7)], colour: FigureColour.mark, thickness: 2, border: 1.2)
    }
}
