import Foundation
import ImageFilters
import ImagingCore
import Testing
@testable import ImageSegmentation

/// An edge that hardly shows: the tumour does not become what was stated, and a person is told where the scan leaves its size open.
@Suite struct TumourAskedAgainTests {
    static let center = SIMD3(0.37, -0.81, 0.9)
    private let truth = ellipsoid(center, SIMD3(11, 10, 9))

    /// What is found when asked for a share of a stated diameter, without any answer to that being asked again.
    ///
    /// - Parameter neighbour: signed distance of another object of the same grey level, positive inside.
    private func search(
        contrast: Double, stated diameterMM: Double = 21, expecting share: Float = 1,
        neighbour: @escaping @Sendable (SIMD3<Double>) -> Double = { _ in -1 }
    ) throws -> (fit: RadialTumourFit, asked: AskedAgain) {
        let truth = truth, grid = try AnalyticScan.grid(70, 70, 24)
        let scan = AnalyticScan.make(grid, noise: 15) { truth($0) > 0 || neighbour($0) > 0 ? 60 - contrast : 60 }
        let image = scan.floats(in: 0..<grid.size.i, 0..<grid.size.j, 0..<grid.size.k).gaussianSmoothed(sigmaMM: SIMD3(repeating: 1.1))
        let search = TumourSearch(work: image, gradient: image.gradientLengths()), seed = PatientPoint(Self.center)
        var expectation = RadialTumourFit.Expectation(
            prompt: TumourPrompt(seed: seed, diameterMM: diameterMM), sigma: 3, grainVolumeMM3: 40)
        expectation.share = share
        var fit = RadialTumourFit(image, gradient: search.gradient, expectation)
        fit.refine()
        return (fit, AskedAgain(search, about: fit, seed: seed))
    }

    /// The geometric mean of the semi-axes is 10 mm; what was asked for first was 6 mm.
    @Test func answerThatTheScanSupportsMostIsTaken() throws {
        let (fit, asked) = try search(contrast: 20, expecting: 0.6)
        #expect(fit.meanRadius < 7)
        #expect(abs(asked.likeliest.meanRadius - 10) < 0.8)
        #expect(asked.finding == nil)
    }

    /// Two answers of 6 and 10 mm: equally likely, and with odds of e²⁰ to 1.
    @Test func answersThatDifferAreSaidUnlessTheScanDecides() throws {
        let small = try search(contrast: 20, expecting: 0.6).fit, large = try search(contrast: 20).fit
        #expect(large.meanRadius > 1.3 * small.meanRadius)
        let open = AskedAgain(answers: [(small, 100), (large, 100)], askedForSizes: true)
        #expect(abs(open.sizeDeviationLog - 0.5 * log(large.meanRadius / small.meanRadius)) < 1e-4)
        #expect(open.finding?.code == "tumour-depends-on-prompt")
        #expect(open.likeliest.meanRadius == small.meanRadius, "what was asked for is kept where nothing speaks against it")
        let decided = AskedAgain(answers: [(small, 0), (large, 200)], askedForSizes: true)
        #expect(decided.finding == nil)
        #expect(decided.likeliest.meanRadius == large.meanRadius)
    }

    /// An organ of the same grey level begins 7 mm from the middle. Where the two meet no edge shows; what reaches into it shows even less.
    @Test func answerThatGivesUpEdgeIsNotTakenWhateverItsSupport() throws {
        let organ: @Sendable (SIMD3<Double>) -> Double = { $0.x - Self.center.x - 7 }
        let within = try search(contrast: 40, stated: 17, neighbour: organ).fit
        let reaching = try search(contrast: 40, stated: 26, neighbour: organ).fit
        #expect(reaching.radii.max()! > 12 && within.radii.max()! < 10, "the longest semi-axis is 11 mm")
        let asked = AskedAgain(answers: [(within, 0), (reaching, 90)], askedForSizes: true)
        #expect(asked.likeliest.meanRadius == within.meanRadius)
        #expect(asked.sizeDeviationLog == 0)
        #expect(AskedAgain(answers: [(reaching, 0), (within, 90)], askedForSizes: true).likeliest.meanRadius == within.meanRadius)
    }

    /// The mean diameter is 20 mm: four fifths of 25 mm, as that of a tumour is of its longest, and more than all of 17 mm.
    @Test func answerOfTheStatedSizeIsNotAskedAgain() throws {
        let asStated = try search(contrast: 30, stated: 25)
        #expect(abs(asStated.fit.meanRadius - 10) < 1)
        #expect(asStated.asked.sizeDeviationLog == 0)
        #expect(asStated.asked.likeliest.radii == asStated.fit.radii)
        let other = try search(contrast: 30, stated: 17)
        #expect(abs(other.fit.meanRadius - 10) < 1.5)
        #expect(other.asked.sizeDeviationLog > 0)
    }
}
