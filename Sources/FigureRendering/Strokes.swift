/// Draws lines with smooth edges. The lines of one layer are laid over the picture in one go, so that joints and crossings
/// are no darker or brighter than the lines themselves.
///
/// Coordinates are continuous pixels: the centre of the top left pixel is (0, 0).
struct StrokeLayer {
    let width, height: Int
    private var coverage: [Float]
    private var touched: (x: ClosedRange<Int>, y: ClosedRange<Int>)?

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        coverage = [Float](repeating: 0, count: width * height)
    }

    /// Adds a line of `thickness` pixels with round ends.
    mutating func add(from a: SIMD2<Double>, to b: SIMD2<Double>, thickness: Double) {
        let reach = thickness / 2 + 0.5
        let low = pointwiseMin(a, b) - reach, high = pointwiseMax(a, b) + reach
        guard high.x >= 0, high.y >= 0, low.x <= Double(width - 1), low.y <= Double(height - 1) else { return }
        let columns = Int(max(low.x.rounded(.up), 0))...max(Int(max(low.x.rounded(.up), 0)), Int(min(high.x, Double(width - 1))))
        let rows = Int(max(low.y.rounded(.up), 0))...max(Int(max(low.y.rounded(.up), 0)), Int(min(high.y, Double(height - 1))))
        let (direction, length) = (SIMD2<Float>(b - a), Float(((b - a) * (b - a)).sum()))
        let start = SIMD2<Float>(a), limit = Float(reach), scale = length > 0 ? 1 / length : 0, line = width
        coverage.withUnsafeMutableBufferPointer { coverage in
            for y in rows {
                for x in columns {
                    let offset = SIMD2(Float(x), Float(y)) - start
                    let along = min(max((offset * direction).sum() * scale, 0), 1)
                    let away = offset - along * direction
                    let value = min(1, limit - (away * away).sum().squareRoot())
                    let pixel = x &+ y &* line
                    if value > coverage[pixel] { coverage[pixel] = value }
                }
            }
        }
        guard let old = touched else { return touched = (columns, rows) }
        touched = (min(old.x.lowerBound, columns.lowerBound)...max(old.x.upperBound, columns.upperBound),
                   min(old.y.lowerBound, rows.lowerBound)...max(old.y.upperBound, rows.upperBound))
    }

    /// Adds a line through `points`. With `dash` the line is drawn for `dash.on` pixels and left out for `dash.off` by turns.
    mutating func add(_ points: [SIMD2<Double>], thickness: Double, dash: (on: Double, off: Double)? = nil) {
        guard let dash else {
            for (a, b) in zip(points, points.dropFirst()) { add(from: a, to: b, thickness: thickness) }
            return
        }
        var (left, isOn) = (dash.on, true)
        for (a, b) in zip(points, points.dropFirst()) {
            let length = ((b - a) * (b - a)).sum().squareRoot()
            var position = 0.0
            while length - position > 0 {
                let step = min(left, length - position)
                if isOn {
                    add(from: a + (position / length) * (b - a), to: a + ((position + step) / length) * (b - a), thickness: thickness)
                }
                position += step
                left -= step
                if left <= 1e-9 {
                    isOn.toggle()
                    left = isOn ? dash.on : dash.off
                }
            }
        }
    }

    /// Lays the lines over `image` in `colour`, then empties the layer.
    mutating func composite(onto image: inout RGBImage, colour: RGBColour, opacity: Float = 1) {
        precondition(image.width == width && image.height == height)
        guard let touched else { return }
        let tint = SIMD4<Float>(Float(colour.red), Float(colour.green), Float(colour.blue), 0), line = width
        image.pixels.withUnsafeMutableBufferPointer { pixels in
            coverage.withUnsafeMutableBufferPointer { coverage in
                for y in touched.y {
                    for pixel in y &* line &+ touched.x.lowerBound...y &* line &+ touched.x.upperBound where coverage[pixel] > 0 {
                        let share = coverage[pixel] * opacity
                        coverage[pixel] = 0
                        let under = SIMD4<Float>(
                            Float(pixels[3 &* pixel]), Float(pixels[3 &* pixel &+ 1]), Float(pixels[3 &* pixel &+ 2]), 0)
                        let over = (under + share * (tint - under)).rounded(.toNearestOrEven)
                        pixels[3 &* pixel] = UInt8(over.x)
                        pixels[3 &* pixel &+ 1] = UInt8(over.y)
                        pixels[3 &* pixel &+ 2] = UInt8(over.z)
                    }
                }
            }
        }
        self.touched = nil
    }
}
