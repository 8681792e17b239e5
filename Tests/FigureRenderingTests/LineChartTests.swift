import FigureRendering
import Foundation
import Testing

@Suite struct LineChartTests {
    /// A straight line from one corner of the axes to the other: 64 to 570 across, 348 to 40 down; names are escaped.
    @Test func curvesLieWhereTheAxesSay() throws {
        let chart = LineChart(
            title: "a < b", xLabel: "x", yLabel: "y",
            series: [.init(name: "one & two", colour: RGBColour(0, 170, 125), points: [(0, 0), (5, 30), (10, 60)], band: [(0, 0), (20, 40), (50, 60)])],
            rules: [.init(.horizontal, at: 30, label: "level")])
        let svg = chart.svg
        #expect(svg.contains("<polyline points=\"64.0,348.0 317.0,194.0 570.0,40.0\"") && svg.contains("#00aa7d"))
        #expect(svg.contains("a &lt; b") && svg.contains("one &amp; two") && !svg.contains("a < b"))
        #expect(svg.contains("<line x1=\"64.0\" y1=\"194.0\" x2=\"570.0\" y2=\"194.0\" stroke=\"#222222\""))
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n") && chart.svg == svg)
    }
}
