import Foundation

/// A plot with two linear axes as SVG, on its own or within a page, whose colours (`--ink`, `--soft`, `--line`) it then takes.
public struct SVGPlot: Sendable {
    public struct Axis: Sendable {
        public var label: String
        public var range: ClosedRange<Double>
        public var ticks: [Double]
        /// Stands at the ticks instead of their numbers.
        var names: [String]?

        /// - Parameter ticks: where numbers stand; round values, about six, by default.
        public init(_ label: String, _ range: ClosedRange<Double>, ticks: [Double]? = nil) {
            precondition(range.lowerBound < range.upperBound, "an axis needs a length")
            (self.label, self.range) = (label, range)
            self.ticks = ticks ?? Self.roundTicks(range)
        }

        private static func roundTicks(_ range: ClosedRange<Double>) -> [Double] {
            let raw = (range.upperBound - range.lowerBound) / 6, magnitude = pow(10, floor(log10(raw)))
            let step = [1, 2, 5, 10].map { $0 * magnitude }.first { $0 >= raw * 0.999 }!
            return Array(
                stride(from: (range.lowerBound / step - 1e-9).rounded(.up) * step, through: range.upperBound + 1e-9 * step, by: step))
        }
    }

    /// A line's look; dashes tell lines apart without colour.
    public struct Stroke: Sendable {
        public var colour: String
        public var width: Double
        public var dash: String

        /// - Parameter colour: as CSS has it.
        public init(_ colour: String, width: Double = 2, dash: String = "") { (self.colour, self.width, self.dash) = (colour, width, dash) }
    }

    public static let ink = "var(--ink, #16191d)", soft = "var(--soft, #566069)", grid = "var(--line, #d9dee3)"
    private static let (top, bottom) = (24.0, 44.0)

    public let x, y: Axis
    private let left, right, width, height: Double
    private let title, description: String
    var elements: [String] = []

    /// - Parameters:
    ///   - title: what is plotted, for people who cannot see it; not drawn.
    ///   - description: what is to be seen in it.
    ///   - rightMargin: room for names at the ends of lines, see `addNames`.
    public init(x: Axis, y: Axis, title: String, description: String, width: Double = 460, height: Double = 270, rightMargin: Double = 14) {
        (self.x, self.y, self.title, self.description, self.width, self.height) = (x, y, title, description, width, height)
        right = rightMargin
        left = y.names.map { names in min(190, 16 + 7 * Double(names.map(\.count).max() ?? 0)) } ?? 52
    }

    public func horizontal(_ value: Double) -> Double {
        left + (width - left - right) * (value - x.range.lowerBound) / (x.range.upperBound - x.range.lowerBound)
    }
    public func vertical(_ value: Double) -> Double {
        height - Self.bottom - (height - Self.top - Self.bottom) * (value - y.range.lowerBound) / (y.range.upperBound - y.range.lowerBound)
    }

    /// A bar from the x axis.
    public mutating func addBar(_ range: ClosedRange<Double>, height value: Double, colour: String) {
        let (a, b) = (horizontal(range.lowerBound) + 0.5, horizontal(range.upperBound) - 0.5), top = vertical(value)
        elements.append(
            "<rect x=\"\(Self.text(a))\" y=\"\(Self.text(top))\" width=\"\(Self.text(max(0.5, b - a)))\" height=\"\(Self.text(vertical(y.range.lowerBound) - top))\" fill=\"\(colour)\"/>"
        )
    }

    /// A line through points; parts beyond the axes are cut off.
    public mutating func addLine(_ points: [(x: Double, y: Double)], _ stroke: Stroke) {
        let path = points.map { "\(Self.text(horizontal($0.x))),\(Self.text(vertical($0.y)))" }.joined(separator: " ")
        elements.append("<polyline points=\"\(path)\" fill=\"none\" clip-path=\"inset(0)\" \(Self.attributes(stroke))/>")
    }

    /// A line across the plot with a word above it.
    public mutating func addVerticalLine(at value: Double, _ label: String, _ stroke: Stroke) {
        guard x.range.contains(value) else { return }
        let place = horizontal(value), anchor = place > width - 60 ? "end" : place < left + 40 ? "start" : "middle"
        elements.append(
            "<line x1=\"\(Self.text(place))\" x2=\"\(Self.text(place))\" y1=\"\(Self.text(Self.top))\" y2=\"\(Self.text(height - Self.bottom))\" \(Self.attributes(stroke))/>"
        )
        addText(label, atPixel: (place, Self.top - 7), anchor: anchor)
    }

    /// A short horizontal line with ends, for an interval along x.
    public mutating func addInterval(_ range: ClosedRange<Double>, at value: Double, _ stroke: Stroke) {
        let (a, b, place) = (
            horizontal(max(range.lowerBound, x.range.lowerBound)), horizontal(min(range.upperBound, x.range.upperBound)), vertical(value)
        )
        let (from, to, low, high) = (Self.text(a), Self.text(b), Self.text(place - 5), Self.text(place + 5))
        elements.append(
            "<path d=\"M\(from) \(low)V\(high)M\(from) \(Self.text(place))H\(to)M\(to) \(low)V\(high)\" fill=\"none\" \(Self.attributes(stroke))/>"
        )
    }

    public mutating func addText(_ text: String, x: Double, y: Double, anchor: String = "start", colour: String = ink) {
        addText(text, atPixel: (horizontal(x), vertical(y)), anchor: anchor, colour: colour)
    }
    public mutating func addText(_ text: String, atPixel place: (x: Double, y: Double), anchor: String, colour: String = ink) {
        elements.append(
            "<text x=\"\(Self.text(place.x))\" y=\"\(Self.text(place.y))\" text-anchor=\"\(anchor)\" style=\"fill:\(colour)\">\(Self.escaped(text))</text>"
        )
    }

    /// The element as a file of its own, on white.
    public var document: String {
        svg.replacing("</desc>", with: "</desc><rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>", maxReplacements: 1) + "\n"
    }

    /// The whole element, with a title and a description for screen readers.
    public var svg: String {
        let (bottom, right) = (height - Self.bottom, width - right)
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Self.text(width)) \(Self.text(height))\" role=\"img\" class=\"plot\" style=\"font:12px system-ui,sans-serif\">",
            "<title>\(Self.escaped(title))</title><desc>\(Self.escaped(description))</desc>",
        ]
        for tick in y.ticks {
            let place = Self.text(vertical(tick))
            lines.append(
                "<line x1=\"\(Self.text(left))\" x2=\"\(Self.text(right))\" y1=\"\(place)\" y2=\"\(place)\" \(Self.attributes(Stroke(Self.grid, width: 1)))/>"
            )
            lines.append(
                "<text x=\"\(Self.text(left - 6))\" y=\"\(Self.text(vertical(tick) + 4))\" text-anchor=\"end\" style=\"fill:\(Self.soft)\">\(y.label(of: tick))</text>"
            )
        }
        lines += elements
        lines.append(
            "<line x1=\"\(Self.text(left))\" x2=\"\(Self.text(right))\" y1=\"\(Self.text(bottom))\" y2=\"\(Self.text(bottom))\" \(Self.attributes(Stroke(Self.soft, width: 1)))/>"
        )
        for tick in x.ticks {
            let place = Self.text(horizontal(tick))
            lines.append(
                "<line x1=\"\(place)\" x2=\"\(place)\" y1=\"\(Self.text(bottom))\" y2=\"\(Self.text(bottom + 4))\" \(Self.attributes(Stroke(Self.soft, width: 1)))/>"
            )
            lines.append(
                "<text x=\"\(place)\" y=\"\(Self.text(bottom + 17))\" text-anchor=\"middle\" style=\"fill:\(Self.soft)\">\(x.label(of: tick))</text>"
            )
        }
        lines.append(
            "<text x=\"\(Self.text((left + right) / 2))\" y=\"\(Self.text(height - 6))\" text-anchor=\"middle\" style=\"fill:\(Self.ink)\">\(Self.escaped(x.label))</text>"
        )
        let middle = Self.text((Self.top + bottom) / 2)
        lines.append(
            "<text transform=\"translate(13 \(middle)) rotate(-90)\" text-anchor=\"middle\" style=\"fill:\(Self.ink)\">\(Self.escaped(y.label))</text></svg>"
        )
        return lines.joined(separator: "\n")
    }

    static func attributes(_ stroke: Stroke) -> String {
        "style=\"stroke:\(stroke.colour)\" stroke-width=\"\(text(stroke.width))\""
            + (stroke.dash.isEmpty ? "" : " stroke-dasharray=\"\(stroke.dash)\"")
    }
    /// Two decimals: a hundredth of a pixel.
    static func text(_ value: Double) -> String { String(format: "%.2f", value) }
    fileprivate static func label(_ value: Double) -> String {
        String(format: "%g", abs(value) < 1e-9 ? 0 : value).replacing("-", with: "−")
    }
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}

extension SVGPlot.Axis {
    fileprivate func label(of tick: Double) -> String {
        guard let names, let index = ticks.firstIndex(of: tick) else { return SVGPlot.label(tick) }
        return SVGPlot.escaped(String(names[index].prefix(26)))
    }
}
