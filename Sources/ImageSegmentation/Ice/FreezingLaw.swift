import Foundation

/// What freezing makes of each grey level, as probabilities: the link from the tissue around the ice to the ice.
///
/// CT (Sandison, Rewcastle & Hahn 1998): watery tissue falls by about 85 HU whatever its level; fat and mineralised bone hold less water
/// and fall by less, how much being known only where the scan shows it; aerated lung fills with ice and blood and rises. MR: signal goes.
struct FreezingLaw {
    let scale: LevelScale
    /// Row T, column v: the density at level v of what had level T, per unit of level.
    let frozen: [Float]
    /// Levels that unfrozen tissue of any body may have, and those of ice of any organ: both believed in a little everywhere, so that
    /// what the neighbourhood does not show is doubtful and not certain. Densities per unit of level.
    let unfrozenAnywhere: [Float], frozenAnywhere: [Float]

    /// - Parameters:
    ///   - noise: standard deviation of the image.
    ///   - fatDropHU: by how much fat falls; nil where the scan does not show it.
    ///   - lungIce: the level of frozen lung and its spread; nil where the scan does not show it.
    static func ct(
        dropHU: Float, fatDropHU: Float?, lungIce: (level: Float, spread: Float)?, bonePresent: Bool, noise: Float
    ) -> FreezingLaw {
        let scale = LevelScale.hounsfield
        func normal(_ v: Float, _ mean: Float, _ sd: Float) -> Float {
            let s = (sd * sd + noise * noise).squareRoot(), z = (v - mean) / s
            return exp(-0.5 * z * z) / (s * 2.5066)
        }
        func flat(_ v: Float, _ low: Float, _ high: Float, _ edge: Float) -> Float {
            1 / (high - low) / ((1 + exp((low - v) / edge)) * (1 + exp((v - high) / edge)))
        }
        // A tissue that may fall by anything between nothing and the full drop.
        func doubtful(_ v: Float, _ tissue: Float) -> Float {
            0.65 * normal(v, tissue - 4, 10) + 0.35 * flat(v, tissue - dropHU - 10, tissue, 8)
        }
        func fat(_ v: Float, _ tissue: Float) -> Float { fatDropHU.map { normal(v, tissue - $0, 16) } ?? doubtful(v, tissue) }
        func lung(_ v: Float) -> Float {
            let any = flat(v, -450, 30, 20)
            return lungIce.map { 0.8 * normal(v, $0.level, $0.spread) + 0.2 * any } ?? any
        }
        func density(of v: Float, after tissue: Float) -> Float {
            switch tissue {
            case ..<(-930): return 0
            case ..<(-500): return lung(v)
            case ..<(-150): return 0.5 * lung(v)
            case ..<(-60): return fat(v, tissue)
            case ..<(-10):
                let share = (tissue + 60) / 50
                return share * normal(v, tissue - dropHU, 14) + (1 - share) * fat(v, tissue)
            case ..<130: return normal(v, tissue - dropHU, 13)
            case ..<450 where !bonePresent: return normal(v, tissue - dropHU, 16)
            case ..<450:
                let share = min(1, (tissue - 130) / 60)
                return (1 - share) * normal(v, tissue - dropHU, 14) + share * doubtful(v, tissue)
            default: return doubtful(v, tissue)
            }
        }
        return FreezingLaw(
            scale: scale,
            frozen: scale.centres.flatMap { tissue in scale.centres.map { density(of: $0, after: tissue) } },
            unfrozenAnywhere: scale.centres.map { v in
                0.3 * normal(v, -100, 20) + 0.25 * flat(v, 0, 70, 10) + 0.2 * flat(v, -1024, -930, 20) + 0.1 * flat(v, 150, 600, 30) + 0.15
                    * flat(v, -900, 150, 30)
            },
            frozenAnywhere: scale.centres.map { v in 0.8 * flat(v, 20 - dropHU, 70 - dropHU, 8) + 0.2 * flat(v, -300, 100, 30) })
    }

    /// - Parameter noise: as a share of the bright tissue.
    static func mr(noise: Float) -> FreezingLaw {
        let scale = LevelScale.signal
        func density(of v: Float, after tissue: Float) -> Float {
            let spread = (pow(0.05 * max(tissue, 0.3), 2) + noise * noise).squareRoot(), z = max(0, v - 0.05 * tissue) / spread
            return exp(-0.5 * z * z) / (1.25 * spread)
        }
        let void = scale.centres.map { density(of: $0, after: 0.6) }
        return FreezingLaw(
            scale: scale, frozen: scale.centres.flatMap { tissue in scale.centres.map { density(of: $0, after: tissue) } },
            unfrozenAnywhere: scale.centres.map { v in 1 / 1.6 / (1 + exp((0.1 - v) / 0.03)) }.enumerated().map {
                0.9 * $1 + 0.1 * void[$0]
            },
            frozenAnywhere: void)
    }
}
