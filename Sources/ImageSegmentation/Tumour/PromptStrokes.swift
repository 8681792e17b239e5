import ImagingCore

/// What a person's points say about the radius along a ray.
struct PromptStrokes {
    /// An exclude point, and how far around it hardly any tumour lies.
    struct Exclusion {
        let point: PatientPoint
        let reachMM: Float
    }

    private let include: [SIMD3<Float>], exclude: [(place: SIMD3<Float>, reachMM: Float)], ends: [SIMD3<Float>]
    private let directionSpacing: Float

    /// How sharply a stroke decides.
    private static let certain: Float = 15
    /// Logarithm of the odds that what lies just around an exclude point in the surface does not belong to the tumour either; none at its
    /// reach. Of 0, 0.6, 1.5 and `certain` it mends leaks about as well as the last and harms the rest of a surface as little as the first.
    private static let likely: Float = 1.5
    /// A point says no more than this surely.
    private static let sureMM: Float = 1
    /// Depths in a surface found by the search from which on, and below which, a point lies beside it and within it; the search lies about
    /// 1 mm deep.
    private static let besideMM: Float = -3, withinMM: Float = -1
    /// How well a reader places the ends of an axis, in mm.
    private static let endDeviationMM: Float = 1

    /// - Parameter exclusions: in place of the prompt's exclude points, which alone do not say how far they reach.
    init(_ prompt: TumourPrompt, exclusions: [Exclusion], center: PatientPoint, directionSpacing: Float) {
        func fromCenter(_ point: PatientPoint) -> SIMD3<Float> { SIMD3<Float>((point - center).lps) }
        include = prompt.include.map(fromCenter)
        exclude = exclusions.map { (fromCenter($0.point), $0.reachMM) }
        ends = prompt.axis.map { [fromCenter($0.first), fromCenter($0.second)] } ?? []
        self.directionSpacing = directionSpacing
    }

    /// What the prompt's exclude points leave out.
    ///
    /// A point within the surface that is found without any of them lies in something that it ran into, which goes with the point, but half
    /// way to the nearest point that is to stay in at most. A point that this surface passes by says nothing of what lies around it.
    ///
    /// - Parameter fit: found without exclude points; `nil` where nothing was.
    static func exclusions(_ prompt: TumourPrompt, correcting fit: RadialTumourFit?) -> [Exclusion] {
        let nearest = prompt.exclude.flatMap { point in ([prompt.seed] + prompt.include).map { point.distance(to: $0) } }.min() ?? .infinity
        let most = Float(max(0.5, min(prompt.diameterMM / 6, 5, 0.5 * nearest)))
        return prompt.exclude.map { point in
            let held = fit.map { max(0, min(1, ($0.depthMM(of: point) - besideMM) / (withinMM - besideMM))) } ?? 1
            return Exclusion(point: point, reachMM: sureMM + held * max(0, most - sureMM))
        }
    }

    func logLikelihood(ofSurfaceAt radius: Float, along direction: SIMD3<Float>) -> Float {
        var sum: Float = 0, strongest: Float = 0
        for (point, reachMM) in exclude {
            let ahead = (point * direction).sum(), squares = (point * point).sum()
            let aside = max(0, squares - ahead * ahead), reach = max(reachMM, 0.6 * directionSpacing * ahead)
            guard ahead > 0, aside < reach * reach, radius > ahead - (reach * reach - aside).squareRoot() else { continue }
            // A surface beyond the point has passed what lies nearest to it.
            let before = max(0, ahead - radius), distance = (aside + before * before).squareRoot()
            let sure = max(Self.sureMM, 0.6 * directionSpacing * ahead)
            let own = distance < sure ? Self.certain : Self.likely * (reach - distance) / max(reach - sure, 0.1)
            strongest = max(strongest, own)
        }
        sum -= strongest
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
