import ImageFilters
import ImagingCore

/// A scan as registration compares it: cell averages of limited grey values on a coarse grid of the scan's own axes.
struct RegistrationImage: Sendable {
    /// Grey values in units of `contrast`; outside the body those of air.
    var values: Volume<Float>
    /// Whether a voxel may be compared: 1 in and just around the body, 0 in what is excluded.
    var weights: Volume<Float>
    /// The body, filled.
    var body: Mask

    var geometry: GridGeometry { values.geometry }

    /// The CT values that carry most contrast between organs; bone beyond them counts a quarter, and no more than `brightestHU`.
    static let softTissueHU: ClosedRange<Float> = -150...250
    static let brightestHU: Float = 600
    static let brightnessFactor: Float = 0.25
    /// What lung, gas and air below them count. Two CT scans bend alike at a cell that is partly lung; beside MR the value must stay
    /// proportional to how much tissue a cell holds, or every surface of lung seems to lie elsewhere.
    static let darknessFactor: Float = 0.25
    static let darknessFactorBesideMR: Float = 1
    /// Denser than cortical bone and calcium.
    static let metalHU: Float = 2200
    /// How far streaks and blur spoil the tissue around metal, and partial volume that around an excluded object.
    static let clearanceMM = 4.0
    /// The HU, and the share of bright MR signal, that is one unit of `values`.
    static let contrastHU: Float = 100
    static let contrastOfBrightSignal: Float = 0.2
    /// What divides tissue from lung and air, and lung from air.
    static let tissueHU: Float = -350
    static let airHU: Float = -940

    /// How the grey values of a scan are read.
    private struct Scale {
        /// Values are held to these, and above one and below the other they are tissue and air.
        let limits: ClosedRange<Float>, threshold: Float, air: Float
        private let modality: Modality
        /// What is one unit of `values`, and what air and lung below soft tissue count.
        private let unit: Float, darkness: Float

        init(_ scan: ScanVolume, _ modality: Modality, isOtherModality: Bool) {
            self.modality = modality
            darkness = isOtherModality ? darknessFactorBesideMR : darknessFactor
            switch modality {
            case .ct:
                (limits, threshold, air, unit) = (-1000...brightestHU, tissueHU, airHU, contrastHU)
            case .mr:
                let bright = brightSignal(scan)
                (limits, threshold, air, unit) = (0...2 * bright, 0.12 * bright, 0.12 * bright, contrastOfBrightSignal * bright)
            }
        }

        func grey(_ value: Float) -> Float {
            guard modality == .ct else { return value / unit }
            let (low, high) = (softTissueHU.lowerBound, softTissueHU.upperBound)
            if value < low { return (low + darkness * (value - low)) / unit }
            return value > high ? (high + brightnessFactor * (value - high)) / unit : value / unit
        }

        /// The grey values of `means` in `body`, and those of air elsewhere.
        func values(_ means: Volume<Float>, in body: Mask) -> Volume<Float> {
            let outside = grey(limits.lowerBound)
            return Volume(geometry: means.geometry) { voxels in
                means.withUnsafeVoxels { means in
                    body.withUnsafeVoxels { body in
                        for offset in voxels.indices { voxels[offset] = body[offset] != 0 ? grey(means[offset]) : outside }
                    }
                }
            }
        }
    }

    /// The scan at about `spacingMM`.
    ///
    /// - Parameter isOtherModality: whether it is compared with a scan of another modality.
    init(_ scan: RegistrationScan, isOtherModality: Bool, spacingMM: Double) {
        let scale = Scale(scan.volume, scan.modality, isOtherModality: isOtherModality)
        let averager = CellAverager(geometry: scan.volume.geometry, spacingMM: spacingMM)
        let (means, metal) = averager.average(
            scan.volume, limits: scale.limits, metalAbove: scan.modality == .ct ? Self.metalHU : .infinity)
        let body = BodyMask.find(in: means, above: scale.threshold, air: scale.air, isLungDark: scan.modality == .mr)
        self.body = body
        let near = body.dilated(byMM: 1.5 * spacingMM)
        values = scale.values(means, in: body)
        var barred = Mask(metal) { $0 > 0 }
        if let excluded = scan.excluded {
            let share = CellAverager(geometry: excluded.geometry, spacingMM: spacingMM).average(excluded)
            barred = barred.union(Mask(share.resampled(onto: means.geometry, interpolation: .linear, outside: 0)) { $0 > 0 })
        }
        if !barred.isEmpty { barred = barred.dilated(byMM: Self.clearanceMM) }
        weights = near.subtracting(barred).voxels.mapped { Float($0) }
    }

    /// The part of the scan within a box around a point, at about `spacingMM`; `nil` when the point lies too far outside.
    ///
    /// - Parameter whole: the scan at another spacing, whose body and weights are taken over.
    init?(
        detailOf scan: RegistrationScan, isOtherModality: Bool, spacingMM: Double, around center: PatientPoint, reachMM: Double,
        as whole: RegistrationImage
    ) {
        guard let box = scan.volume.geometry.indexRanges(around: [center], marginMM: reachMM) else { return nil }
        let part = ScanVolume.float32(scan.volume.floats(in: box.i, box.j, box.k)),
            scale = Scale(scan.volume, scan.modality, isOtherModality: isOtherModality)
        let means = CellAverager(geometry: part.geometry, spacingMM: spacingMM).average(
            part, limits: scale.limits, metalAbove: .infinity
        ).means
        func taken(_ volume: Volume<Float>) -> Mask {
            Mask(volume.resampled(onto: means.geometry, interpolation: .linear, outside: 0)) { $0 > 0.5 }
        }
        body = taken(whole.body.voxels.mapped { Float($0) })
        values = scale.values(means, in: body)
        weights = taken(whole.weights).voxels.mapped { Float($0) }
    }

    /// The same image at a coarser spacing.
    func averaged(toSpacingMM spacingMM: Double) -> RegistrationImage {
        let averager = CellAverager(geometry: geometry, spacingMM: spacingMM)
        return RegistrationImage(
            values: averager.average(values), weights: averager.average(weights).mapped { $0 > 0.5 ? 1 : 0 },
            body: Mask(averager.average(body)) { $0 > 0.5 })
    }

    /// The standard deviation of the noise: of second differences along rows in the body, the median, which edges hardly touch.
    var noise: Float {
        let width = geometry.size.i
        guard width > 2 else { return 0 }
        var differences = values.withUnsafeVoxels { v in
            weights.withUnsafeVoxels { w in
                body.withUnsafeVoxels { b in
                    (1..<max(1, v.count - 1)).compactMap { n -> Float? in
                        guard n % width > 0, n % width < width - 1, w[n] > 0, b[n - 1] != 0, b[n] != 0, b[n + 1] != 0 else { return nil }
                        return abs(v[n - 1] - 2 * v[n] + v[n + 1])
                    }
                }
            }
        }
        guard !differences.isEmpty else { return 0 }
        differences.sort()
        return differences[differences.count / 2] / Self.medianOfSecondDifference
    }
    /// For normal noise of standard deviation 1: 0.6745 · √6.
    private static let medianOfSecondDifference: Float = 1.652

    /// The part within a box around a point; `nil` when the point lies too far outside.
    func cropped(around center: PatientPoint, reachMM: Double) -> RegistrationImage? {
        guard let box = geometry.indexRanges(around: [center], marginMM: reachMM) else { return nil }
        return RegistrationImage(
            values: values.cropped(box.i, box.j, box.k), weights: weights.cropped(box.i, box.j, box.k),
            body: body.cropped(box.i, box.j, box.k))
    }

    private init(values: Volume<Float>, weights: Volume<Float>, body: Mask) {
        (self.values, self.weights, self.body) = (values, weights, body)
    }

    /// The signal that few voxels of an MR scan exceed.
    private static func brightSignal(_ scan: ScanVolume) -> Float {
        let size = scan.geometry.size
        let step = max(1, size.voxelCount / 200_000)
        var sample = stride(from: 0, to: size.voxelCount, by: step).map { scan.value(at: size.index(atOffset: $0)) }
        sample.sort()
        return max(sample[sample.count * 95 / 100], .leastNormalMagnitude)
    }
}
