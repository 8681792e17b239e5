import ImagingCore

/// What tissue gives on an MR scan, place by place: its mean around, with the bias field and without what has no signal.
struct TissueSignal {
    /// What gives less than this share of the scan's brightest tissue has no signal: air, cortical bone, ice, needles.
    private static let leastShare: Float = 0.15
    /// Far from tissue, in air or deep in a large ball of ice, there is nothing to compare with.
    private static let leastTissueShare: Float = 0.2
    private static let cellMM = 3.0, meanOverMM = 8.0

    /// What gives less has no signal.
    let floor: Float
    /// Half of the tissue gives more.
    let median: Float
    /// The mean of the tissue around, on the image's grid; 0 where there is none.
    let level: Volume<Float>

    init(_ image: Volume<Float>) {
        let block = SIMD3<Int>(pointwiseMax(SIMD3(repeating: 1), (Self.cellMM / image.geometry.spacing).rounded(.down)))
        let means = image.blockMeans(block), high = means.values(in: Mask(means) { _ in true }).quantile(0.9) ?? 0
        let floor = Self.leastShare * high
        let isTissue = means.mapped { (value: Float) -> Float in value > floor ? 1 : 0 }
        let share = isTissue.gaussianSmoothed(sigmaMM: Self.meanOverMM)
        let sum = means.combined(with: isTissue) { $0 * $1 }.gaussianSmoothed(sigmaMM: Self.meanOverMM)
        self.floor = floor
        median = means.values(in: Mask(means) { $0 > floor }).median ?? 0
        level = sum.combined(with: share) { sum, share in share > Self.leastTissueShare ? sum / share : 0 }.interpolated(onto: image.geometry)
    }
}
