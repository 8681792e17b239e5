import Foundation
import ImagingCore

/// Where a fitted rod ends.
extension ShaftFit {
    /// About where the metal ends, among the lights of blunt rods that end ever further out.
    ///
    /// What reads no more than soft tissue does speaks against metal but never for it, however dark the lung around it: a vessel, a nodule
    /// or ice ahead of the tip is no rod.
    private func roughEnd(_ blunt: EndLights, _ values: [Float], _ below: [Float], excess: Double) -> Int {
        let costs = blunt.costs(of: 0..<blunt.ends, EndLights.Readings(
            values: values, grounds: below, brightest: Float(contrast.saturation), harmless: contrast.brightestTissue,
            scale: Float(1 / (3 * (contrast.scatter + 0.1 * excess)))))
        return costs.indices.min { costs[$0] < costs[$1] }!
    }

    /// What lies ahead of an end on the axis itself, where that is brighter than what lies around the axis: ice in lung that tapers ahead
    /// of the tip, say. `nil` when it is not, or brighter than tissue.
    private func levelBeyond(_ end: Double, _ outward: Double, _ model: ShaftModel, _ samples: [Sample]) -> Float? {
        let ahead = samples.filter { (4...9).contains(outward * ($0.along - end)) && model.line.offAxis($0.position) < 3 }
        guard ahead.count >= 5 else { return nil }
        let level = ahead.map { Float($0.value) }.median!, around = ahead.map { Float($0.background) }.median!
        return level > around + Self.leastRiseHU && level < contrast.brightestTissue ? level : nil
    }

    /// The values of voxels that a rod with this end does not reach and that stand out all the same, by no more than tissue does: a vessel
    /// across the way ahead lies there, and a rod that went on would add to it.
    private func tissueAhead(of end: Int, _ blunt: EndLights, _ values: [Float], _ below: [Float]) -> [Float?] {
        let here = blunt.lights(ofEnd: end), farthest = blunt.lights(ofEnd: blunt.ends - 1)
        return values.indices.map { index in
            here[index] < Self.unreachedShare * farthest[index] && values[index] > below[index] + Self.leastRiseHU
                && values[index] < contrast.brightestTissue ? values[index] : nil
        }
    }

    private static let unreachedShare: Float = 0.05, leastRiseHU: Float = 100

    /// By how much the rod's light near an end exceeds the whole rod's: metal stands out more from lung than from tissue.
    private func localGain(
        _ samples: [Sample], _ values: [Float], _ ground: [Float], _ light: [Float], _ end: Double, _ outward: Double
    ) -> Float {
        var agreement: Float = 0, power: Float = 0
        for index in samples.indices where (-12 ... -3).contains(outward * (samples[index].along - end)) {
            guard values[index] < Float(contrast.saturation) else { continue }
            agreement += light[index] * (values[index] - ground[index])
            power += light[index] * light[index]
        }
        return power > 0 ? min(max(agreement / power, 0.6), 1.6) : 1
    }

    private static let endReachMM = 14.0, endStepMM = 0.25
    /// Neighbouring voxels share their errors: a rise of the cost by this share counts as one standard deviation.
    private static let temperature = 0.003
    private static let closeness = 0.02
    /// A tip may be ground to a point this long, or be blunt; what the voxels say decides as far as they can.
    private static let pointLengthsMM = [0.0, 1, 2, 3]

    /// The light of rods that end ever further out and have no other end, on each voxel.
    private func bluntEnds(_ model: ShaftModel, _ samples: [Sample], count: Int, outward: Double, start: Double) -> EndLights {
        let rod = ShaftModel.Projection(of: model)
        var lights = EndLights(ends: count, farthestStep: Int(Self.pointLengthsMM.max()! / Self.endStepMM), capacity: samples.count)
        let steps = outward * Self.endStepMM, first = start - outward * Self.endReachMM, amplitude = Float(model.amplitude)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
            for sample in samples {
                guard let section = ShaftModel.Section(of: rod, at: sample.position) else {
                    lights.append(EndLights.Row(from: 0, before: 0, after: 0), varying: UnsafeBufferPointer(rebasing: buffer[..<0]))
                    continue
                }
                func light(endingAt end: Double) -> Float {
                    amplitude * Float(outward < 0 ? section.share(from: end, to: .infinity) : section.share(from: -.infinity, to: end))
                }
                // Most voxels lie well before an end or well beyond it.
                let range = section.whereEndsMatter
                let (nearest, farthest) = outward < 0 ? (range.upperBound, range.lowerBound) : (range.lowerBound, range.upperBound)
                let from = Int(min(max((nearest - first) / steps, 0), Double(count)))
                let to = Int(min(max((farthest - first) / steps + 1, 0), Double(count)))
                let varying = UnsafeMutableBufferPointer(rebasing: buffer[from..<to])
                section.shares(endingAt: first + steps * Double(from), step: steps, isLower: outward < 0, to: varying)
                for number in varying.indices { varying[number] *= amplitude }
                lights.append(
                    EndLights.Row(from: from, before: light(endingAt: nearest), after: light(endingAt: farthest)),
                    varying: UnsafeBufferPointer(varying))
            }
        }
        return lights
    }

    /// The end that agrees best with the voxels around it, and its standard deviation.
    ///
    /// Every candidate end's light is worked out once for a blunt rod; a cone is the mean of blunt rods that end along it, since its
    /// section falls with the square of the distance to the tip. Ends of different sharpness that agree about as well are averaged.
    func end(_ model: ShaftModel, _ samples: [Sample], excess: Double, near start: Double, isLower: Bool) -> (Double, Double) {
        let local = samples.filter { abs($0.along - start) < Self.endReachMM + 6 }
        guard local.count > 10 else { return (start, 3) }
        let count = Int(2 * Self.endReachMM / Self.endStepMM) + 1, outward = isLower ? -1.0 : 1
        let blunt = bluntEnds(model, local, count: count, outward: outward, start: start)
        let values = local.map { Float($0.value) }
        let below = local.map { Float($0.background + $0.others) }
        let about = roughEnd(blunt, values, below, excess: excess)
        let aboutMM = start + outward * (Double(about) * Self.endStepMM - Self.endReachMM)
        let level = levelBeyond(aboutMM, outward, model, local)
        let across = tissueAhead(of: about, blunt, values, below)
        let ground = local.indices.map { index -> Float in
            across[index] ?? (outward * (local[index].along - aboutMM) > -2 ? max(below[index], level ?? below[index]) : below[index])
        }
        let gain = localGain(local, values, ground, blunt.lights(ofEnd: about), aboutMM, outward)
        let readings = EndLights.Readings(
            values: values, grounds: ground, brightest: Float(contrast.saturation),
            scale: Float(1 / (3 * (contrast.scatter / 2 + Self.closeness * excess))))
        let fits = Self.pointLengthsMM.map { length -> (at: Double, cost: Double, width: Double) in
            let steps = length == 0 ? [0] : [0.125, 0.375, 0.625, 0.875].map { Int((length * $0.squareRoot() / Self.endStepMM).rounded()) }
            let shift = Int(0.7 * length / Self.endStepMM), reach = Int(2 / Self.endStepMM)
            let range = min(max(about + shift - reach, 0), count - 1)...min(about + shift + reach, count - 1)
            let costs = blunt.costs(
                of: range.lowerBound..<range.upperBound + 1, gain: gain / Float(steps.count), fallingOver: steps, readings)
            let best = costs.indices.min { costs[$0] < costs[$1] }!
            // The parabola through the lowest cost and its neighbours.
            let a = costs[max(best - 1, 0)], c = costs[min(best + 1, costs.count - 1)], bend = max(a + c - 2 * costs[best], 1e-3)
            let part = min(max((a - c) / (2 * bend), -0.5), 0.5)
            let rise = max(1, Self.temperature * costs[best])
            return (
                (Double(range.lowerBound + best) + part) * Self.endStepMM - Self.endReachMM, costs[best],
                Self.endStepMM * (2 * rise / bend).squareRoot())
        }
        let least = fits.map(\.cost).min()!
        let weights = fits.map { exp(-($0.cost - least) / max(1, Self.temperature * least)) }, total = weights.reduce(0, +)
        let mean = zip(fits, weights).reduce(0) { $0 + $1.0.at * $1.1 } / total
        let variance = zip(fits, weights).reduce(0) { $0 + (pow($1.0.at - mean, 2) + pow(min($1.0.width, 3), 2)) * $1.1 } / total
        return (start + outward * mean, max(variance.squareRoot(), 0.2))
    }
}
