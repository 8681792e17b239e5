import ImageFilters
import ImagingCore
import Testing
@testable import ImageSegmentation

@Suite struct TumourSearchTests {
    /// A tumour of 24 mm with an edge on seven eighths of its surface around a core of 8 mm with an edge all around: the surface of the
    /// stated size is meant, though that of the core shows better.
    @Test func clearerEdgeOfAnotherSizeIsNotPreferred() throws {
        let ball = ellipsoid(.zero, SIMD3(repeating: 12)), core = ellipsoid(.zero, SIMD3(repeating: 4))
        let grid = try AnalyticScan.grid(72, 72, 28)
        let scan = AnalyticScan.make(grid, noise: 8) { core($0) > 0 ? 10 : ball($0) > 0 || $0.x > 9 ? 60 : 120 }
        let image = scan.floats(in: 0..<grid.size.i, 0..<grid.size.j, 0..<grid.size.k).gaussianSmoothed(sigmaMM: SIMD3(repeating: 1))
        let search = TumourSearch(work: image, gradient: image.gradientLengths())
        let prompt = TumourPrompt(seed: PatientPoint(0, 0, 0), diameterMM: 24)
        let fit = try #require(search.fit(.init(prompt: prompt, sigma: 3, grainVolumeMM3: 40)))
        #expect(fit.meanRadius > 10)
    }
}
