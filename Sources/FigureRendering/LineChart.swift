import Foundation

/// A small line chart as SVG: curves over a common axis, with levels and moments marked.
///
/// Text and lines carry their own colours on a light ground; every curve is named at its right end and told apart by its dashes, too.
public struct LineChart: Sendable {
    public struct Series: Sendable {
        public var name: String
        public var colour: RGBColour
        public var points: [(x: Double, y: Double)]
        /// Low and high ends of an interval at each point; empty for none.
        public var band: [(low: Double, high: Double)] = []
        public var isDashed = false

        public init(name: String, colour: RGBColour, points: [(x: Double, y: Double)], band: [(low: Double, high: Double)] = [], isDashed: Bool = false) {
            precondition(band.isEmpty || band.count == points.count)
            (self.name, self.colour, self.points, self.band, self.isDashed) = (name, colour, points, band, isDashed)
        }
    }
    /// A line across the chart with a label.
    public struct Rule: Sendable {
        public enum Direction: Sendable { case horizontal, vertical }
        public var direction: Direction
        public var value: Double
        public var label: String
        public init(_ direction: Direction, at value: Double, label: String) { (self.direction, self.value, self.label) = (direction, value, label) }
    }

    public var title, xLabel, yLabel: String
    public var series: [Series]
    public var rules: [Rule] = []

    public init(title: String, xLabel: String, yLabel: String, series: [Series], rules: [Rule] = []) {
        (self.title, self.xLabel, self.yLabel, self.series, self.rules) = (title, xLabel, yLabel, series, rules)
    }

    private static let (width, height) = (720.0, 400.0), (left, right, top, bottom) = (64.0, 150.0, 40.0, 52.0)
    private static let ink = "#222222", faint = "#c9c9c9"

    /// The document; the same chart always gives the same text. Values that are not finite are left out.
    public var svg: String {
        let xs = series.flatMap { $0.points.map(\.x) } + rules.filter { $0.direction == .vertical }.map(\.value)
        let ys = series.flatMap { $0.points.map(\.y) + $0.band.flatMap { [$0.low, $0.high] } } + rules.filter { $0.direction == .horizontal }.map(\.value)
        let x = Axis(xs.filter(\.isFinite), from: Self.left, to: Self.width - Self.right), y = Axis(ys.filter(\.isFinite), from: Self.height - Self.bottom, to: Self.top)
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" font-family=\"sans-serif\" font-size=\"13\" role=\"img\">",
            "<title>\(Self.escaped(title))</title>", "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
            Self.text(title, x: Self.left, y: 24, size: 15),
        ]
        for tick in x.ticks { lines += [Self.line(x[tick], Self.top, x[tick], Self.height - Self.bottom, Self.faint), Self.text(x.label(tick), x: x[tick], y: Self.height - Self.bottom + 18, anchor: "middle")] }
        for tick in y.ticks { lines += [Self.line(Self.left, y[tick], Self.width - Self.right, y[tick], Self.faint), Self.text(y.label(tick), x: Self.left - 8, y: y[tick] + 4, anchor: "end")] }
        lines.append(Self.text(xLabel, x: (Self.left + Self.width - Self.right) / 2, y: Self.height - 12, anchor: "middle"))
        lines.append("<text x=\"16\" y=\"\(Self.number((Self.top + Self.height - Self.bottom) / 2))\" text-anchor=\"middle\" fill=\"\(Self.ink)\" transform=\"rotate(-90 16 \(Self.number((Self.top + Self.height - Self.bottom) / 2)))\">\(Self.escaped(yLabel))</text>")
        for rule in rules { lines += Self.drawing(rule, x, y) }
        for entry in series where !entry.band.isEmpty { lines.append(Self.band(entry, x, y)) }
        var labels: [Double] = []
        for entry in series {
            let points = entry.points.filter { $0.x.isFinite && $0.y.isFinite }
            guard let last = points.last else { continue }
            let path = points.map { "\(Self.number(x[$0.x])),\(Self.number(y[$0.y]))" }.joined(separator: " ")
            lines.append("<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(entry.colour.hexadecimal)\" stroke-width=\"2.5\"\(entry.isDashed ? " stroke-dasharray=\"7 5\"" : "")/>")
            // Names at the ends, moved apart where curves end together.
            var place = y[last.y] + 4
            while let near = labels.first(where: { abs($0 - place) < 15 }) { place = near + 15 }
            labels.append(place)
            lines.append("<rect x=\"\(Self.number(Self.width - Self.right + 6))\" y=\"\(Self.number(place - 9))\" width=\"10\" height=\"10\" fill=\"\(entry.colour.hexadecimal)\"/>")
            lines.append(Self.text(entry.name, x: Self.width - Self.right + 21, y: place))
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private static func drawing(_ rule: Rule, _ x: Axis, _ y: Axis) -> [String] {
        let dash = " stroke-dasharray=\"3 3\""
        switch rule.direction {
        case .horizontal:
            return [line(left, y[rule.value], width - right, y[rule.value], ink, dash), text(rule.label, x: left + 6, y: y[rule.value] - 5)]
        case .vertical:
            return [line(x[rule.value], top, x[rule.value], height - bottom, ink, dash), text(rule.label, x: x[rule.value] + 5, y: top + 13)]
        }
    }

    private static func band(_ series: Series, _ x: Axis, _ y: Axis) -> String {
        let pairs = zip(series.points, series.band).filter { $0.0.x.isFinite && $0.1.low.isFinite && $0.1.high.isFinite }
        let there = pairs.map { "\(number(x[$0.0.x])),\(number(y[$0.1.high]))" }, back = pairs.reversed().map { "\(number(x[$0.0.x])),\(number(y[$0.1.low]))" }
        return "<polygon points=\"\((there + back).joined(separator: " "))\" fill=\"\(series.colour.hexadecimal)\" fill-opacity=\"0.18\"/>"
    }

    private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, _ more: String = "") -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(colour)\"\(more)/>"
    }
    private static func text(_ text: String, x: Double, y: Double, size: Int = 13, anchor: String = "start") -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(size)\" text-anchor=\"\(anchor)\" fill=\"\(ink)\">\(escaped(text))</text>"
    }
    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;").replacingOccurrences(of: ">", with: "&gt;")
    }

    /// From values to pixels, with ticks at round numbers.
    private struct Axis {
        let ticks: [Double]
        private let low, high, from, to: Double

        init(_ values: [Double], from: Double, to: Double) {
            let least = values.min() ?? 0, largest = max(values.max() ?? 1, least + 1e-9), rough = (largest - least) / 6
            let power = pow(10, floor(log10(max(rough, 1e-9)))), step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? power
            (low, high) = ((least / step).rounded(.down) * step, (largest / step).rounded(.up) * step)
            (self.from, self.to) = (from, to)
            let low = low
            ticks = (0...Int(((high - low) / step).rounded())).map { low + Double($0) * step }
        }
        subscript(value: Double) -> Double { from + (value - low) / (high - low) * (to - from) }
        func label(_ value: Double) -> String { String(format: "%g", (value * 1e6).rounded() / 1e6).replacingOccurrences(of: "-", with: "−") }
    }
}
