import FigureRendering
import Foundation
import ImagingCore
import MarginAnalysis

/// Plots of a tumour's margins over its surface, as SVG.
struct MarginPlots {
    let scene: ReportScene

    /// Bars of this many millimetres.
    private static let binMM = 1.0
    private static let mostBins = 40.0

    private var deciding: MarginResult? { scene.margins.first?.result }
    private var name: String { "tumour \(scene.tumour ?? "")" }

    /// The share of the surface by margin in the deciding zone; `nil` when nothing was measured.
    var histogram: String? {
        guard let deciding, let range = deciding.map.rangeMM else { return nil }
        let colours = scene.colours
        let bin = max(Self.binMM, ((range.upperBound - range.lowerBound) / Self.mostBins).rounded(.up))
        let first = (min(range.lowerBound, 0) / bin).rounded(.down) * bin,
            last = max((range.upperBound / bin).rounded(.up) * bin, scene.colours.requiredMM + bin, first + bin)
        let edges = Array(stride(from: first, through: last + 1e-9, by: bin)), shares = edges.map(deciding.map.areaFraction)
        let bars = zip(edges, zip(shares, shares.dropFirst())).map { (low: $0, share: 100 * ($1.1 - $1.0)) }
        let highest = bars.map(\.share).max() ?? 1
        let below = 100 * deciding.map.areaFraction(below: scene.colours.requiredMM)
        var plot = SVGPlot(
            x: .init("margin in the \(deciding.zone.phrase), mm", first...last),
            y: .init("surface, % per \(String(format: "%g", bin)) mm", 0...max(5, highest * 1.12)),
            title: "Margins over the surface of \(name)",
            description:
                "\(Self.percent(below)) of the surface has less than \(Self.millimetres(scene.colours.requiredMM)) (\(scene.colours.requirement))."
        )
        for bar in bars where bar.share > 0 {
            // A bar that the requirement cuts is coloured by its middle.
            plot.addBar(bar.low...(bar.low + bin), height: bar.share, colour: colours.colour(bar.low + bin / 2).hexadecimal)
        }
        plot.addVerticalLine(at: 0, "0", .init(SVGPlot.soft, width: 1.2, dash: "4 3"))
        addRequirement(to: &plot)
        return plot.svg
    }

    /// The share of the surface with less than a margin, for each zone, with the smallest margin's interval.
    var cumulative: String? {
        guard let deciding else { return nil }
        let ranges = scene.margins.compactMap(\.result.map.rangeMM)
        guard let lowest = ranges.map(\.lowerBound).min(), let highest = ranges.map(\.upperBound).max() else { return nil }
        let interval = deciding.minimumMarginIntervalMM
        let low = min(lowest, 0, max(interval.lowerBound, lowest - 10)).rounded(.down),
            high = max(highest, scene.colours.requiredMM + 1).rounded(.up)
        var plot = SVGPlot(
            x: .init("margin, mm", low...high), y: .init("surface with less, %", 0...100, ticks: [0, 20, 40, 60, 80, 100]),
            title: "Share of the surface of \(name) with less than a margin",
            description: scene.margins.map {
                "\($0.result.zone.phrase): smallest \(FigureMark.text(ofMarginMM: $0.result.minimumMarginMM))"
            }.joined(separator: "; ") + ".")
        addRequirement(to: &plot)
        let steps = 120
        for (index, margin) in scene.margins.enumerated() {
            let points = (0...steps).map { step -> (x: Double, y: Double) in
                let x = low + (high - low) * Double(step) / Double(steps)
                return (x, 100 * margin.result.map.areaFraction(below: x))
            }
            plot.addLine(points, .of(margin.result.zone))
            // Names stand at different heights, beside their curves.
            let height = 82 - 18 * Double(index), place = points.first { $0.y >= height } ?? points.last!
            let isRight = (place.x - low) / (high - low) > 0.62
            plot.addText(
                margin.result.zone.phrase, x: place.x + (isRight ? -1 : 1) * (high - low) / 60, y: height - 2,
                anchor: isRight ? "end" : "start")
        }
        if interval.upperBound.isFinite { plot.addInterval(interval, at: 2, .init(SVGPlot.ink, width: 2)) }
        return plot.svg
    }

    /// How much of the tissue around the tumour each zone covers.
    var shells: String? {
        guard let first = scene.margins.first?.result.shellCoverage, let last = first.last?.marginMM, last > 1 else { return nil }
        var plot = SVGPlot(
            x: .init("shell around the tumour up to, mm", 0...last, ticks: first.map(\.marginMM)),
            y: .init("covered, %", 0...100, ticks: [0, 20, 40, 60, 80, 100]),
            title: "Shells of tissue around \(name) that each zone covers", description: "The numbers stand in the table of shells.")
        addRequirement(to: &plot)
        for margin in scene.margins {
            let points =
                [(x: 0.0, y: 100 * margin.result.tumourCoverage)]
                + margin.result.shellCoverage.map { (x: $0.marginMM, y: 100 * $0.fraction) }
            plot.addLine(points, .of(margin.result.zone))
        }
        return plot.svg
    }

    /// The margin map's colours in millimetres, with what is required.
    var legend: String {
        let colours = scene.colours, range = colours.rangeMM, steps = 60
        let (left, width) = (14.0, 400.0), share = (range.upperBound - range.lowerBound) / Double(steps)
        func x(_ marginMM: Double) -> String {
            HTMLNumber.text(left + width * (marginMM - range.lowerBound) / (range.upperBound - range.lowerBound), decimals: 1).replacing(
                "−", with: "-")
        }
        let cells = (0..<steps).map { step -> String in
            let margin = range.lowerBound + (Double(step) + 0.5) * share
            return
                "<rect x=\"\(x(margin - share / 2))\" y=\"4\" width=\"\(width / Double(steps) + 0.3)\" height=\"16\" fill=\"\(colours.colour(margin).hexadecimal)\"/>"
        }
        let ticks = colours.ticksMM.map { tick -> String in
            let isRequired = tick == scene.colours.requiredMM,
                text = String(format: "%g", tick).replacing("-", with: "−") + (isRequired ? " \(colours.requirement)" : "")
            return
                "<line x1=\"\(x(tick))\" x2=\"\(x(tick))\" y1=\"1\" y2=\"\(isRequired ? 26 : 23)\" style=\"stroke:\(SVGPlot.ink)\" stroke-width=\"\(isRequired ? 2.4 : 1)\"/>"
                + "<text x=\"\(x(tick))\" y=\"37\" text-anchor=\"middle\" style=\"fill:\(SVGPlot.ink)\"\(isRequired ? " font-weight=\"600\"" : "")>\(text)</text>"
        }
        return
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 500 44\" role=\"img\" class=\"plot\" style=\"font:12px system-ui,sans-serif\"><title>Colours of the margin map: orange below the margin that is \(colours.requirement), blue above it, darker further away</title>"
            + (cells + ticks).joined() + "<text x=\"424\" y=\"17\" style=\"fill:\(SVGPlot.ink)\">margin, mm</text></svg>"
    }

    private func addRequirement(to plot: inout SVGPlot) {
        plot.addVerticalLine(
            at: scene.colours.requiredMM, "\(scene.colours.requirement) \(Self.millimetres(scene.colours.requiredMM))",
            .init(SVGPlot.ink, width: 1.6))
    }

    private static func percent(_ value: Double) -> String { HTMLNumber.text(value, decimals: 1) + " %" }
    private static func millimetres(_ value: Double) -> String { String(format: "%g mm", value) }
}

extension MarginMap {
    /// `nil` for an empty surface.
    fileprivate var rangeMM: ClosedRange<Double>? {
        guard let low = marginsMM.min(), let high = marginsMM.max() else { return nil }
        return low...high
    }
}
