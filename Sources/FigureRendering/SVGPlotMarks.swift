import Foundation

/// Marks for many values: points that open a page, named rows, steps.
extension SVGPlot {
    /// A point. Its title is shown when it is pointed at and read aloud.
    public mutating func addPoint(x xValue: Double, y yValue: Double, colour: String, title: String? = nil, link: String? = nil) {
        guard xValue.isFinite, yValue.isFinite else { return }
        let label = title.map { "<title>\(Self.escaped($0))</title>" } ?? ""
        let point =
            "<circle cx=\"\(Self.text(horizontal(xValue)))\" cy=\"\(Self.text(vertical(yValue)))\" r=\"4\" fill-opacity=\"0.8\""
            + " style=\"fill:\(colour);stroke:var(--sheet, #ffffff)\">\(label)</circle>"
        elements.append(link.map { "<a href=\"\(Self.escaped($0))\">\(point)</a>" } ?? point)
    }

    /// A line that goes on level from each point to the next one's x.
    public mutating func addSteps(_ points: [(x: Double, y: Double)], _ stroke: Stroke) {
        addLine(zip(points, points.dropFirst()).flatMap { [$0, (x: $1.x, y: $0.y)] } + points.suffix(1), stroke)
    }

    /// A line across the plot with words above its right end.
    public mutating func addHorizontalLine(at value: Double, _ label: String, _ stroke: Stroke) {
        guard y.range.contains(value) else { return }
        addLine([(x.range.lowerBound, value), (x.range.upperBound, value)], stroke)
        addText(label, atPixel: (horizontal(x.range.upperBound) - 4, vertical(value) - 4), anchor: "end", colour: Self.soft)
    }

    /// A shaded band, from the low to the high values.
    public mutating func addBand(_ band: [(x: Double, low: Double, high: Double)], colour: String) {
        let corners = band.map { (x: $0.x, y: $0.high) } + band.reversed().map { (x: $0.x, y: $0.low) }
        let places = corners.map { "\(Self.text(horizontal($0.x))),\(Self.text(vertical($0.y)))" }.joined(separator: " ")
        elements.append("<polygon points=\"\(places)\" fill-opacity=\"0.15\" style=\"fill:\(colour)\"/>")
    }

    /// Names beside the right end of lines, moved apart where lines end together.
    public mutating func addNames(_ names: [(at: Double, name: String)]) {
        var lowest = -Double.infinity
        for entry in names.sorted(by: { $0.at > $1.at }) {
            let place = max(vertical(entry.at) + 4, lowest + 15)
            addText(entry.name, atPixel: (horizontal(x.range.upperBound) + 5, place), anchor: "start")
            lowest = place
        }
    }

    /// The stretch of the x axis that looks as long as `pixels`.
    public func xDistance(ofPixels pixels: Double) -> Double {
        pixels * (x.range.upperBound - x.range.lowerBound) / (horizontal(x.range.upperBound) - horizontal(x.range.lowerBound))
    }
}

extension SVGPlot.Axis {
    /// An axis that holds `values` and ends at round numbers, or where `limits` end; equal values get room around them.
    public init(_ label: String, holding values: [Double], within limits: ClosedRange<Double> = -.infinity ... .infinity) {
        let finite = values.filter(\.isFinite), low = finite.min() ?? 0, high = finite.max() ?? 1
        let span = high > low ? high - low : max(abs(high), 1)
        let magnitude = pow(10, floor(log10(span / 6)))
        let step = [1, 2, 5, 10].map { $0 * magnitude }.first { $0 >= span / 6 * 0.999 }!
        let first = ((low - 0.02 * span) / step).rounded(.down), last = ((high + 0.02 * span) / step).rounded(.up)
        let range = max(first * step, limits.lowerBound)...min(last * step, limits.upperBound)
        self.init(label, range, ticks: Array(stride(from: first, through: last, by: 1)).map { $0 * step }.filter(range.contains))
    }

    /// An axis with a place for each of `names`, the first at 0.
    public init(_ label: String, names: [String]) {
        self.init(label, -0.5...Double(max(names.count, 1)) - 0.5, ticks: names.indices.map(Double.init))
        self.names = names
    }

    /// An axis with names at some places.
    public init(_ label: String, _ range: ClosedRange<Double>, named ticks: [(value: Double, name: String)]) {
        self.init(label, range, ticks: ticks.map(\.value))
        names = ticks.map(\.name)
    }
}
