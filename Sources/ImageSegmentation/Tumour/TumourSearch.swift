import Foundation
import ImageFilters
import ImagingCore

/// Looks for the closed surface around a seed whose size the prompt states, or another size where the scan says so.
struct TumourSearch {
    /// A little smoothed, and how fast it changes (grey levels per mm).
    let work: Volume<Float>, gradient: Volume<Float>

    /// The surface around the seed as the prompt's exclude points correct it; `nil` where hardly any of it shows an edge.
    func corrected(_ expectation: RadialTumourFit.Expectation) -> RadialTumourFit? {
        guard !expectation.prompt.exclude.isEmpty else { return anywhere(expectation) }
        var own = expectation
        own.exclusions = []
        own.exclusions = PromptStrokes.exclusions(own.prompt, correcting: anywhere(own))
        return anywhere(own)
    }

    /// Where vessels and wall leave hardly any lung beside the tumour, what is denser than lung may be anything.
    private func anywhere(_ expectation: RadialTumourFit.Expectation) -> RadialTumourFit? {
        if let fit = fit(expectation) { return fit }
        guard expectation.lung != nil else { return nil }
        var anywhere = expectation
        anywhere.lung = nil
        return fit(anywhere)
    }

    /// The surface around the seed; `nil` where hardly any of it shows an edge.
    func fit(_ expectation: RadialTumourFit.Expectation) -> RadialTumourFit? {
        guard var fit = bestFit(expectation) ?? withoutAxis(nil, expectation) else { return nil }
        if let other = withoutAxis(fit, expectation) { fit = other }
        fit.refine()
        if let centred = again(fromMiddleOf: fit, expectation) { fit = centred }
        return fit.visibleShare >= TumourFindings.leastVisibleShare ? fit : nil
    }

    /// A size is stated to within some 20 %: what a surface at half the stated size costs is what 10 % less of visible edge does.
    private static let missedSizeWeight = 0.2

    /// Sizes that are tried, as shares of the stated one, when that one shows no closed edge.
    private static let otherShares: [Float] = [1.7, 0.6, 0.36, 0.22]
    /// A larger tumour than stated is looked for up to this radius in mm: beyond it lie organs.
    private static let largestGuessMM: Float = 45

    /// What is longer than this is an organ or a body, not the tumour that was stated.
    static func longestBelievedMM(stated diameterMM: Double) -> Double { max(1.35 * diameterMM, 60) }

    /// The fit from the stated size, or from another where that one shows more of an edge; `nil` where every size ends in something far
    /// larger than itself.
    private func bestFit(_ expectation: RadialTumourFit.Expectation) -> RadialTumourFit? {
        var best: RadialTumourFit?, bestScore = -Double.infinity
        func consider(_ share: Float, leastVisible: Double) {
            var own = expectation
            own.share = expectation.share * share
            let fit = RadialTumourFit(work, gradient: gradient, own)
            let ratio = log(Double(fit.meanRadius / Float(0.45 * expectation.prompt.diameterMM)))
            let score = fit.visibleShare - Self.missedSizeWeight * ratio * ratio
            guard fit.visibleShare > leastVisible, fit.meanRadius < (fit.visibleShare > 0.97 ? 1.4 : 1.15) * own.radius,
                score > bestScore + 0.01,
                Double(2.2 * fit.meanRadius) < Self.longestBelievedMM(stated: expectation.prompt.diameterMM) else { return }
            (best, bestScore) = (fit, score)
        }
        consider(1, leastVisible: 0)
        guard expectation.prompt.axis == nil else { return best }
        // What lung looks like is known whatever the size: a smaller surface with a clearer edge is that of a core, or within the tumour.
        let enough = expectation.lung == nil ? 0.98 : 0.8
        for share in Self.otherShares where bestScore < enough && expectation.radius * share > 2.5 && (
            share < 1 || expectation.radius * share < Self.largestGuessMM
        ) {
            // A larger size is tried only where the surface presses outwards; a surface that lies well inside has its own size.
            if share > 1, let best, best.meanRadius < 0.9 * expectation.radius { continue }
            // Another size than the stated one needs a surface that shows all around.
            consider(share, leastVisible: 0.94)
        }
        return best.map { closest(to: $0, expectation) }
    }

    /// The surface that shows all around where the ends of an axis hide it, as where they were placed on something else.
    private func withoutAxis(_ fit: RadialTumourFit?, _ expectation: RadialTumourFit.Expectation) -> RadialTumourFit? {
        let prompt = expectation.prompt
        guard prompt.axis != nil, fit.map({ $0.visibleShare < Self.leastVisibleAlongAxis }) ?? true else { return nil }
        var own = expectation
        own.prompt = TumourPrompt(seed: prompt.seed, diameterMM: prompt.diameterMM, include: prompt.include, exclude: prompt.exclude)
        guard let other = bestFit(own), other.visibleShare > max(0.9, (fit?.visibleShare ?? 0) + 0.1) else { return nil }
        return other
    }
    private static let leastVisibleAlongAxis = 0.8

    /// The search from the middle of what was found, for a seed near the tumour's edge, from where half the tumour lies behind the rest.
    ///
    /// - Returns: `nil` where the seed lies well inside, or the second search loses the seed or the edge.
    private func again(fromMiddleOf fit: RadialTumourFit, _ expectation: RadialTumourFit.Expectation) -> RadialTumourFit? {
        let seed = expectation.prompt.seed
        guard expectation.prompt.axis == nil, fit.center.distance(to: seed) > 0.45 * Double(fit.meanRadius) else { return nil }
        var own = expectation
        own.prompt.seed = fit.center
        guard var centred = bestFit(own) else { return nil }
        centred.refine()
        return centred.holds(seed) && centred.visibleShare > fit.visibleShare - 0.02 ? centred : nil
    }

    /// A surface far smaller than stated says that the stated size is wrong; what expects the wrong size reaches into neighbours.
    ///
    /// - Returns: the surface found when expecting the size of `fit`, where it shows all around; else `fit`.
    private func closest(to fit: RadialTumourFit, _ expectation: RadialTumourFit.Expectation) -> RadialTumourFit {
        let statedRadius = Float(expectation.prompt.diameterMM / 2)
        guard fit.expectation.share == expectation.share, fit.meanRadius < 0.6 * statedRadius else { return fit }
        var own = expectation
        own.share = fit.meanRadius / statedRadius
        let smaller = RadialTumourFit(work, gradient: gradient, own)
        return smaller.visibleShare > max(0.97, fit.visibleShare - 0.01) && smaller.meanRadius < fit.meanRadius ? smaller : fit
    }
}
