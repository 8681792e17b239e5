import Foundation
import ImagingCore

/// Where a fitted rod ends.
extension ShaftFit {
    /// One end of a rod, along its line.
    struct End {
        /// The very tip, and one standard deviation of where it lies.
        var tipMM, uncertaintyMM: Double
        /// Where a blunt rod would end: before the tip where the rod tapers.
        var bluntMM: Double
    }

    /// About where the metal ends, among the lights of blunt rods that end ever further out.
    ///
    /// What reads no more than soft tissue does speaks against metal but never for it, however dark the lung around it: a vessel, a nodule
    /// or ice ahead of the tip is no rod.
    private func roughEnd(_ blunt: EndLights, _ values: [Float], _ below: [Float], excess: Double) -> Int {
        let costs = blunt.costs(of: 0..<blunt.ends, EndLights.Readings(
            values: values, grounds: below, brightest: Float(contrast.saturation), harmless: contrast.brightestTissue,
            tolerance: Float(3 * (contrast.scatter + 0.1 * excess))))
        return costs.indices.min { costs[$0] < costs[$1] }!
    }

    /// What lies ahead of an end on the axis itself, where that is brighter than what lies around the axis: ice in lung that tapers ahead
    /// of the tip, say, near or some way on. `nil` when it is not, or brighter than tissue.
    private func levelBeyond(_ end: Double, _ outward: Double, _ model: ShaftModel, _ samples: [Sample]) -> Float? {
        Self.stretchesAheadMM.compactMap { stretch -> Float? in
            let ahead = samples.filter { stretch.contains(outward * ($0.along - end)) && model.line.offAxis($0.position) < Self.onAxisMM }
            guard ahead.count >= 5 else { return nil }
            let level = ahead.map { Float($0.value) }.median!, around = ahead.map { Float($0.background) }.median!
            return level > around + Self.leastRiseHU && level < contrast.brightestTissue ? level : nil
        }.max()
    }

    private static let stretchesAheadMM = [1.75...3, 3.0...5.5, 4.0...9]

    /// The values of voxels that a rod with this end does not reach and that stand out all the same, by no more than tissue does: a vessel
    /// across the way ahead lies there, and a rod that went on would add to it.
    ///
    /// - Parameter isAhead: by voxel, whether it lies so far ahead of the end that the point of a rod would hardly add to it.
    private func tissueAhead(of end: Int, _ blunt: EndLights, _ values: [Float], _ below: [Float], isAhead: [Bool]) -> [Float?] {
        let here = blunt.lights(ofEnd: end), farthest = blunt.lights(ofEnd: blunt.ends - 1)
        return values.indices.map { index in
            isAhead[index] && here[index] < Self.unreachedShare * farthest[index] && values[index] > below[index] + Self.leastRiseHU
                && values[index] < contrast.brightestTissue ? values[index] : nil
        }
    }

    private static let unreachedShare: Float = 0.05, leastRiseHU: Float = 100
    /// What a point adds this far ahead of where a blunt rod would end is faint: what stands out there no more than tissue does is tissue.
    private static let pointAheadMM = 2.0

    /// One standard deviation of voxels ahead of an end about their ground: noise, and the streaks that leave a rod along its axis.
    ///
    /// Vessels, nodules and the lung about them are no noise, however unlike the ground they read.
    ///
    /// - Parameter grounds: each voxel lies on whichever is nearer.
    private func scatterAhead(
        _ end: Double, _ outward: Double, _ model: ShaftModel, _ samples: [Sample], _ grounds: ([Float], [Float])
    ) -> Double {
        let widest = Self.onAxisMM + 0.4 * model.sliceThicknessMM
        let offsets = samples.indices.filter {
            (3.5..<9).contains(outward * (samples[$0].along - end)) && model.line.offAxis(samples[$0].position) < widest
        }.map { min(abs(Float(samples[$0].value) - grounds.0[$0]), abs(Float(samples[$0].value) - grounds.1[$0])) }
        guard offsets.count > 5 else { return Self.largestScatter * contrast.scatter }
        return min(max(1.4826 * Double(offsets.median!), contrast.scatter / 2), Self.largestScatter * contrast.scatter)
    }

    private static let onAxisMM = 3.0, largestScatter = 2.5

    /// By how much the rod's light exceeds the whole rod's, by voxel, as it does in a stretch behind an end.
    ///
    /// Metal stands out more from lung than from tissue: where the ground changes along the stretch, the light falls with what the ground
    /// rises, down to nothing at the brightness of metal, which the stretch tells too.
    private func gains(
        over stretch: ClosedRange<Double>, _ beyond: [Double], _ values: [Float], _ ground: [Float], _ light: [Float]
    ) -> [Float] {
        let used = beyond.indices.filter { stretch.contains(beyond[$0]) && values[$0] < Float(contrast.saturation) }
        func sum(_ term: (Int) -> Float) -> Float { used.reduce(0) { $0 + term($1) } }
        let power = sum { light[$0] * light[$0] }
        guard power > 0 else { return ground.map { _ in 1 } }
        let typical = sum { light[$0] * light[$0] * ground[$0] } / power
        let gain = min(max(sum { light[$0] * (values[$0] - ground[$0]) } / power, 0.6), 1.6)
        let spread = sum { light[$0] * light[$0] * (ground[$0] - typical) * (ground[$0] - typical) }
        guard spread > Self.leastRiseHU * Self.leastRiseHU * power else { return ground.map { _ in gain } }
        let slope = sum { light[$0] * (ground[$0] - typical) * (values[$0] - ground[$0] - gain * light[$0]) } / spread
        let falling = min(max(slope, -gain / (Self.dullestMetalHU - typical)), 0)
        return ground.map { max(gain + falling * ($0 - typical), 0) }
    }

    /// Scanners clip metal at some 2500 HU or more.
    private static let dullestMetalHU: Float = 2000

    /// Where what lies ahead of an end may begin behind it, and where the rod's light is then measured.
    private static let beginnings: [(atMM: Double, gainMM: ClosedRange<Double>)] = [(-2, -12 ... -3), (-5, -12 ... -2)]

    private static let endReachMM = 14.0, endStepMM = 0.25
    /// Streaks, and the error of other rods' light, grow with how much a rod stands out.
    private static let closeness = 0.01
    /// A rod's light is modelled to this share of itself: its section is no Gaussian, and saturation hides how bright it is.
    private static let lightError = 0.07
    /// A voxel this many standard deviations off counts half.
    private static let outlier = 5.0
    /// Neighbouring voxels share their errors: the scan's blur spans some three.
    private static let sharingVoxels = 3.0
    /// What the model leaves out, in millimetres: 0.2 mm of a grid's steps, 0.3 mm of the rod's bending and of light beyond its model.
    private static let leastUncertaintyMM = 0.4
    /// Tips are blunt or ground to a point, a trocar's or a cone's, of up to some 5 mm (on probes of 1.5 to 2.4 mm): all are taken as
    /// likely before the voxels are asked, the last interval by half.
    private static let points: [(lengthMM: Double, weight: Double)] = [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 0.5)]
    /// A cone is made of blunt rods that end where its section has fallen by another part; these are the shares of its length from the
    /// tip.
    private static let coneSteps = [0.125, 0.375, 0.625, 0.875].map { $0.squareRoot() }
    /// A blunt rod that looks like a cone ends about this share of its length before the tip.
    private static let bluntShare = 0.7
    private static let searchMM = 2.0

    /// The light of rods that end ever further out and have no other end, on each voxel.
    private func bluntEnds(_ model: ShaftModel, _ samples: [Sample], count: Int, outward: Double, start: Double) -> EndLights {
        let rod = ShaftModel.Projection(of: model)
        var lights = EndLights(ends: count, farthestStep: Int(Self.points.last!.lengthMM / Self.endStepMM), capacity: samples.count)
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

    /// Where the rod ends: the mean over ends and points of all lengths, each as likely as the voxels around make it.
    ///
    /// A blunt end fades as the scan blurs it; along a cone the metal in a section falls with the square of the distance to the tip. How
    /// light fades tells the two apart where noise and slices allow; where they do not, the mean lies between them, and the deviation says
    /// so. Every candidate end's light is worked out once for a blunt rod; a cone is the mean of blunt rods that end along it.
    func end(_ model: ShaftModel, _ samples: [Sample], excess: Double, near start: Double, isLower: Bool) -> End {
        let local = samples.filter { abs($0.along - start) < Self.endReachMM + 6 }
        guard local.count > 10 else { return End(tipMM: start, uncertaintyMM: 3, bluntMM: start) }
        let count = Int(2 * Self.endReachMM / Self.endStepMM) + 1, outward = isLower ? -1.0 : 1
        let blunt = bluntEnds(model, local, count: count, outward: outward, start: start)
        let values = local.map { Float($0.value) }
        let below = local.map { Float($0.background + $0.others) }
        let about = roughEnd(blunt, values, below, excess: excess)
        let aboutMM = start + outward * (Double(about) * Self.endStepMM - Self.endReachMM)
        let beyond = local.map { outward * ($0.along - aboutMM) }
        let level = levelBeyond(aboutMM, outward, model, local)
        let across = tissueAhead(of: about, blunt, values, below, isAhead: beyond.map { $0 > Self.pointAheadMM })
        let light = blunt.lights(ofEnd: about)
        // Ice around the tip is seen ahead of it; how far it reaches back along the shaft, a ring that misses it does not tell.
        let settings = Self.beginnings.prefix(level == nil ? 1 : 2).map { beginning -> EndLights.Readings in
            let ground = local.indices.map { index -> Float in
                across[index] ?? (beyond[index] > beginning.atMM ? max(below[index], level ?? below[index]) : below[index])
            }
            let scatter = scatterAhead(aboutMM, outward, model, local, (ground, below)) + Self.closeness * excess
            return EndLights.Readings(
                values: values, grounds: ground, gains: gains(over: beginning.gainMM, beyond, values, ground, light),
                brightest: Float(contrast.saturation), tolerance: Float(Self.outlier * scatter),
                tolerancePerLight: Float(Self.outlier * Self.lightError))
        }
        let (mean, deviation) = expectedEnd(blunt, about: about, settings)
        return End(
            tipMM: start + outward * (mean - Self.endReachMM), uncertaintyMM: hypot(deviation, Self.leastUncertaintyMM), bluntMM: aboutMM)
    }

    /// The mean and the standard deviation of where the tip lies, in millimetres from the first of the ends.
    ///
    /// - Parameter settings: what the voxels read, among what they may lie in.
    private func expectedEnd(_ blunt: EndLights, about: Int, _ settings: [EndLights.Readings]) -> (Double, Double) {
        // A difference of r standard deviations costs r²/2 as long as it is small.
        let perCost = Self.outlier * Self.outlier / 2 / Self.sharingVoxels
        let tried = Self.points.flatMap { point -> [(atMM: Double, cost: Double)] in
            let steps = point.lengthMM == 0 ? [0] : Self.coneSteps.map { Int((point.lengthMM * $0 / Self.endStepMM).rounded()) }
            let shift = Int(Self.bluntShare * point.lengthMM / Self.endStepMM), reach = Int(Self.searchMM / Self.endStepMM)
            let last = blunt.ends - 1, first = min(max(about + shift - reach, 0), last)
            return settings.flatMap { setting in
                blunt.costs(
                    of: first..<min(about + shift + reach, last) + 1, gain: 1 / Float(steps.count), fallingOver: steps, setting
                ).enumerated().map { (Double(first + $0.offset) * Self.endStepMM, perCost * $0.element - log(point.weight)) }
            }
        }
        let least = tried.map(\.cost).min()!
        let weights = tried.map { exp(least - $0.cost) }, total = weights.reduce(0, +)
        let mean = zip(tried, weights).reduce(0) { $0 + $1.0.atMM * $1.1 } / total
        let variance = zip(tried, weights).reduce(0) { $0 + ($1.0.atMM - mean) * ($1.0.atMM - mean) * $1.1 } / total
        return (mean, variance.squareRoot())
    }
}
