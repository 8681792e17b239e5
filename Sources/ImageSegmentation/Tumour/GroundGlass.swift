import Foundation
import ImagingCore

/// Ground glass under the surface of a tumour in lung.
///
/// The blur of a sharp edge passes through its grey levels too, but fast: in mm of depth per HU it shows a small part of what a rim of
/// some millimetres does.
struct GroundGlass {
    let levelHU: Float
    /// How much of the surface's area has glass below it.
    let share: Float

    private static let depthMM: ClosedRange<Float> = 0.3...6
    /// A step of 900 HU under a blur of 1.5 mm has 0.004 mm/HU at its middle; 1.5 mm of glass whose levels vary by 40 HU has 0.015.
    private static let leastMMPerHU: Float = 0.01
    private static let smoothingHU: Float = 20
    private static let leastThicknessMM: Float = 2, leastShareBeyond: Float = 0.5

    /// `nil` where there is none, or no lung around.
    init?(in image: Volume<Float>, under fit: RadialTumourFit) { self.init(in: image, at: fit, depths: Self.depthMM) }

    /// Glass that a surface leaves out, as that of a core does.
    init?(in image: Volume<Float>, beyond fit: RadialTumourFit) {
        self.init(in: image, at: fit, depths: -Self.depthMM.upperBound ... -1)
        guard share > Self.leastShareBeyond else { return nil }
    }

    private init?(in image: Volume<Float>, at fit: RadialTumourFit, depths: ClosedRange<Float>) {
        guard let lung = fit.expectation.lung else { return nil }
        let sphere = fit.sphere, radii = fit.radii
        let samples = RadialSamples(
            image, center: fit.center, sphere: sphere, smallestMM: max(0.2 * fit.meanRadius, 0.6),
            largestMM: (radii.max() ?? 1) - min(depths.lowerBound, 0), count: 64)
        let lowest = lung.level + 2.5 * lung.spread, count = samples.radii.count
        let bins = max(1, Int((LungBackground.glassHU - lowest) / 5) + 1)
        var density = [Float](repeating: 0, count: bins), area: Float = 0, glassArea: Float = 0
        for n in 0..<sphere.count where fit.odds.isLung(beyondDirection: n) {
            let patch = sphere.solidAngles[n] * radii[n] * radii[n]
            area += patch
            var thickness: Float = 0
            for s in 0..<count where depths.contains(radii[n] - samples.radii[s]) {
                let value = samples.values[n * count + s], length = samples.radii[s] * samples.logStep
                guard value > lowest, value < LungBackground.glassHU else { continue }
                density[min(bins - 1, Int((value - lowest) / 5))] += patch * length / 5
                thickness += length
            }
            if thickness > Self.leastThicknessMM { glassArea += patch }
        }
        guard area > 0 else { return nil }
        let width = Self.smoothingHU / 5, reach = Int((3 * width).rounded(.up))
        let kernel = (-reach...reach).map { exp(-0.5 * pow(Float($0) / width, 2)) }, total = kernel.reduce(0, +)
        let smooth = density.indices.map { at in
            (max(0, at - reach)...min(bins - 1, at + reach)).reduce(Float(0)) { $0 + density[$1] * kernel[$1 - at + reach] } / total / area
        }
        guard let peak = smooth.indices.max(by: { smooth[$0] < smooth[$1] }), smooth[peak] > Self.leastMMPerHU else { return nil }
        levelHU = lowest + (Float(peak) + 0.5) * 5
        share = glassArea / area
    }
}
