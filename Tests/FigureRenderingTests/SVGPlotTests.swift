import FigureRendering
import Foundation
import Testing

@Suite struct SVGPlotTests {
    @Test func pointsLieBetweenTheirTicks() throws {
        var plot = SVGPlot(x: .init("x", 0...10), y: .init("", names: ["a", "b"]), title: "t", description: "d")
        for value in [0.0, 5, 10] { plot.addPoint(x: value, y: 1, colour: "red") }
        let points = plot.svg.matches(of: /cx="([\d.]+)"/).map { Double($0.1)! }
        let ticks = plot.svg.matches(of: /<text x="([\d.]+)" [^>]*>(\d+)</).map { (Double($0.1)!, String($0.2)) }
        #expect(points[0] == ticks.first { $0.1 == "0" }?.0 && points[2] == ticks.first { $0.1 == "10" }?.0)
        #expect(abs(points[1] - (points[0] + points[2]) / 2) < 0.011)
    }

    @Test(arguments: [([0.0, 9.5], -2.0...10), ([-3.2, 4], -4.0...6), ([5.0, 5], 4...6)])
    func anAxisHoldsItsValuesAndEndsAtRoundNumbers(values: [Double], range: ClosedRange<Double>) {
        #expect(SVGPlot.Axis("", holding: values).range == range)
    }

    @Test func textCannotBreakOutOfThePlot() throws {
        var plot = SVGPlot(x: .init("<x>", 0...1), y: .init("", names: ["\"&<y>"]), title: "a < b", description: "c")
        plot.addPoint(x: 1, y: 0, colour: "red", title: "</title><script>", link: "a\"b")
        #expect(!plot.svg.contains("<script>") && !plot.svg.contains("<x>") && !plot.svg.contains("<y>") && !plot.svg.contains("a\"b"))
    }
}
