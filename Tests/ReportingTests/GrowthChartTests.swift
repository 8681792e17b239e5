import Testing

@testable import Reporting

@Suite struct GrowthChartTests {
    static let ice = [0.0, 1, 2, 3, 4].map { step -> CaseReport.Forecast.Ice in
        .init(minutes: 2 * step - 8, visibleML: 5 * step, below20ML: 3 * step, below40ML: step)
    }

    static func forecast(reached: Double?) -> CaseReport.Forecast {
        let steps = [0.0, 5, 10].map { minutes -> CaseReport.Forecast.Step in
            .init(minutes: minutes, minimumMarginMM: 2 + minutes / 4, minimumMarginIntervalMM: minutes / 4...4 + minutes / 4)
        }
        func margin(_ tumour: String, _ zone: String, requiredMM: Double?) -> CaseReport.Forecast.Margin {
            .init(
                tumour: tumour, zone: zone, steps: steps, requiredMM: requiredMM, reachedAfterMinutes: requiredMM == nil ? nil : reached,
                reachedAfterIntervalMinutes: nil)
        }
        let margins = ["T1", "T2"].flatMap { [margin($0, "visible-ice", requiredMM: nil), margin($0, "isotherm-20", requiredMM: 3.5)] }
        return .init(minutes: 10, ice: ice, margins: margins)
    }

    @Test func thePageShowsGrowthAndForecastWhereThereAreAny() throws {
        let charts = [GrowthCharts.growth(Self.ice, scanMinutes: 8)].compactMap { $0 } + GrowthCharts.margins(Self.forecast(reached: 6))
        #expect(charts.map(\.name) == ["growth", "forecast-T1", "forecast-T2"])
        let page = try HTMLReport.render(try exampleReport(), figures: [], charts: charts)
        for chart in charts { #expect(page.contains(chart.plot.svg) && page.contains(chart.title)) }
        #expect(!(try HTMLReport.render(try exampleReport(), figures: [])).contains("Simulated growth"))
    }

    @Test(arguments: [(6.0, "reached after 6.0 min"), (0, "there already"), (nil, "not reached within 10.0 min")])
    func theForecastSaysWhenTheRequiredMarginIsReached(reached: Double?, words: String) {
        #expect(GrowthCharts.margins(Self.forecast(reached: reached)).allSatisfy { $0.caption.contains(words) })
    }

    /// The scan's mark stands where its minutes are on the axis; the document stands on white.
    @Test func theGrowthBeginsAtZero() throws {
        let plot = try #require(GrowthCharts.growth(Self.ice, scanMinutes: 8)).plot
        #expect(plot.x.range == 0...8 && plot.y.range.lowerBound == 0 && plot.y.range.contains(20))
        #expect(plot.document.contains("#ffffff") && plot.document.hasSuffix("</svg>\n"))
        #expect(GrowthCharts.growth([], scanMinutes: 8) == nil)
    }
}
