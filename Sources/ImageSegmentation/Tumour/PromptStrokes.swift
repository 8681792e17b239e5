import ImagingCore

/// What a person's points say about the radius along a ray.
struct PromptStrokes {
    private let include: [SIMD3<Float>], exclude: [SIMD3<Float>], ends: [SIMD3<Float>]
    private let excludeReachMM: Float, directionSpacing: Float

    /// How sharply a stroke decides.
    private static let certain: Float = 15
    /// How well a reader places the ends of an axis, in mm.
    private static let endDeviationMM: Float = 1

    init(_ prompt: TumourPrompt, center: PatientPoint, directionSpacing: Float) {
        func fromCenter(_ point: PatientPoint) -> SIMD3<Float> { SIMD3<Float>((point - center).lps) }
        include = prompt.include.map(fromCenter)
        exclude = prompt.exclude.map(fromCenter)
        ends = prompt.axis.map { [fromCenter($0.first), fromCenter($0.second)] } ?? []
        let nearest = prompt.exclude.flatMap { point in ([prompt.seed] + prompt.include).map { point.distance(to: $0) } }.min() ?? .infinity
        // Half way to the nearest point that is to stay in, at most.
        excludeReachMM = Float(max(0.5, min(prompt.diameterMM / 6, 5, 0.5 * nearest)))
        self.directionSpacing = directionSpacing
    }

    func logLikelihood(ofSurfaceAt radius: Float, along direction: SIMD3<Float>) -> Float {
        var sum: Float = 0
        for point in exclude {
            let ahead = (point * direction).sum(), squares = (point * point).sum()
            let aside = max(0, squares - ahead * ahead), reach = max(excludeReachMM, 0.6 * directionSpacing * ahead)
            if ahead > 0, aside < reach * reach, radius > ahead - (reach * reach - aside).squareRoot() { sum -= Self.certain }
        }
        for point in include {
            let ahead = (point * direction).sum(), squares = (point * point).sum()
            let aside = max(0, squares - ahead * ahead), reach = max(1.5, 0.6 * directionSpacing * ahead)
            if ahead > 0, aside < reach * reach, radius < ahead + 0.5 { sum -= Self.certain }
        }
        for point in ends {
            let ahead = (point * direction).sum(), squares = (point * point).sum()
            let aside = max(0, squares - ahead * ahead), reach = max(2, 0.6 * directionSpacing * ahead)
            if ahead > 0, aside < reach * reach {
                let distance = (radius - squares.squareRoot()) / Self.endDeviationMM
                sum -= min(0.5 * distance * distance, Self.certain)
            }
        }
        return sum
    }
}
