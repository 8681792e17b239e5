import ImagingCore

/// How well a motion makes two scans look alike around a tumour, and how much worse they do when it is put wrong.
struct FocusComparison {
    /// How far around the tumour, and in what windows, the scans are compared.
    static let reachMM = 40.0
    static let windowRadiusMM = 20.0
    /// Tissue farther away than this from the tumour's surface has no weight.
    static let farthestMM = 100.0
    /// What a motion is put wrong by.
    static let shiftMM = 16.0

    /// The explained share of local contrast, 0…1.
    let similarity: Double
    /// The same of what is not noise.
    let explained: Double
    /// The largest such share when the motion is put wrong by `shiftMM` along either direction of an axis.
    let shiftedSimilarity: Double
    /// The share of the tissue around the tumour, in the fixed scan, that the moving scan shows.
    let overlap: Double

    /// - Parameter ball: the tumour, in the fixed frame.
    init(_ pair: RegistrationPair, _ transform: DeformableTransform, around ball: RegistrationFocus) {
        let image = pair.fixed.last!.cropped(around: ball.center, reachMM: ball.radiusMM + Self.farthestMM)
        guard let image, var comparison = LocalCorrelation(
            fixed: image, moving: MovingImage(pair.moving.last!),
            .init(windowRadiusMM: pair.scale * Self.windowRadiusMM, imageNoise: SIMD2(image.noise, pair.moving.last!.noise)))
        else {
            (similarity, explained, shiftedSimilarity, overlap) = (0, 0, 0, 0)
            return
        }
        comparison.emphasise(around: ball.center, radiusMM: ball.radiusMM, reachMM: Self.reachMM)
        let displacements = transform.displacements(inVoxelsOf: comparison.grid)
        func compared(_ rigid: AffineTransform) -> LocalCorrelation.Comparison {
            displacements.withUnsafeBufferPointer { comparison.evaluate(rigid, displacements: $0.baseAddress!) }
        }
        let found = compared(transform.rigid)
        let shift = pair.scale * Self.shiftMM
        let shifted = [SIMD3(shift, 0, 0), SIMD3(0, shift, 0), SIMD3(0, 0, shift)].flatMap { [$0, -$0] }.map { offset in
            1 - compared(transform.rigid.followed(by: AffineTransform(matrix: .identity, translation: PatientVector(offset)))).cost
        }
        (similarity, explained, overlap, shiftedSimilarity) = (1 - found.cost, found.explained, found.overlap, shifted.max()!)
    }
}
