import ImagingCore

/// By how much CT numbers change when the tissue of each CT number freezes.
///
/// Watery tissue falls by about 85 HU whatever its level; fat and mineralised bone fall by less, for they hold less water; air-filled
/// lung rises. How much in this patient is read about the middles of the probes' active ends, where tissue is wholly frozen; without
/// enough tissue of a kind there, typical values are taken, and little is made of them.
struct FreezingChange {
    private var soft: Float, fat: Float, bone: Float, lungRise: Float
    private var fatWeight: Float, boneWeight: Float

    /// Upper bound of lung, of fat, and lower bound of bone, in HU of unfrozen tissue.
    private static let lungHU: Float = -450, fatHU: Float = -60, boneHU: Float = 150
    private static let corticalHU: Float = 450, gasHU: Float = -300

    init(softDropHU: Float) {
        (soft, fat, bone, lungRise) = (softDropHU, 30, 50, 450)
        (fatWeight, boneWeight) = (0.15, 0.3)
    }

    /// A voxel whose drop squared is so many times the noise squared is as certain as one can be: its log-odds are then 3.
    private static let certainSquares: Float = 6
    /// Fat that has fallen by less, as a share of the noise, tells nothing.
    private static let leastFatDrop: Float = 0.6

    /// Reads the changes from pairs (unfrozen, frozen) about the middles of the active ends.
    ///
    /// - Parameter noiseHU: by which single pairs differ where nothing freezes: what falls by little is trusted as far as it shows.
    init(softDropHU: Float, noiseHU: Float, frozen pairs: some Sequence<(tissue: Float, value: Float)>) {
        self.init(softDropHU: softDropHU)
        var drops: (soft: [Float], fat: [Float], bone: [Float], lung: [Float]) = ([], [], [], [])
        for pair in pairs where !pair.tissue.isNaN && pair.value < pair.tissue + 1000 {
            let drop = pair.tissue - pair.value
            switch pair.tissue {
            case ..<Self.lungHU: drops.lung.append(drop)
            case -140 ..< -80: drops.fat.append(drop)
            case 0..<90: drops.soft.append(drop)
            case Self.boneHU..<Self.corticalHU: drops.bone.append(drop)
            default: break
            }
        }
        let enough = 60
        func weight(_ drop: Float) -> Float { min(1, drop * drop / (Self.certainSquares * noiseHU * noiseHU)) }
        if drops.soft.count >= enough, let drop = drops.soft.quantile(0.6), drop > 0.6 * softDropHU { soft = min(drop, 1.25 * softDropHU) }
        if drops.fat.count >= enough, let drop = drops.fat.quantile(0.55) {
            // What lies within the fat's own texture tells nothing.
            (fat, fatWeight) = drop > max(9, Self.leastFatDrop * noiseHU) ? (min(drop, 1.25 * softDropHU), weight(drop)) : (30, 0.1)
        }
        if drops.bone.count >= enough, let drop = drops.bone.quantile(0.55), drop > 15 {
            (bone, boneWeight) = (min(drop, 1.25 * softDropHU), min(0.8, weight(drop)))
        }
        if drops.lung.count >= enough, let drop = drops.lung.quantile(0.4), drop < -150 { lungRise = -drop }
    }

    /// The share of the way to ice, and how far it can be trusted, of a voxel that reads `value` and unfrozen read `tissue`.
    @inline(__always)
    func iceness(_ value: Float, tissue: Float) -> (Float, Float) {
        if tissue < Self.lungHU { return value > 250 ? (0.5, 0) : (min(4, (value - tissue) / lungRise), tissue < -600 ? 1 : 0.4) }
        if tissue < -170 || value > tissue + 250 { return (0.5, 0) }
        if value < Self.gasHU { return (0, 0.3) }
        var drop = soft, weight: Float = 1
        if tissue < 0 {
            let share = max(0, min(1, tissue / Self.fatHU))
            drop += share * (fat - soft)
            weight += share * (fatWeight - 1)
        } else if tissue > 110 {
            let share = min(1, (tissue - 110) / (Self.boneHU - 110))
            drop += share * (bone - soft)
            weight += share * ((tissue > Self.corticalHU ? 0.1 : boneWeight) - 1)
        }
        let h = (tissue - value) / drop
        // Far more than freezing can do is gas, metal's shadow or an organ that moved.
        return (min(h, 3), tissue - value > 2 * soft ? 0.3 * weight : weight)
    }
}

/// What freezing leaves of an MR signal.
enum SignalLoss {
    /// The share of signal lost; what is dark without ice says nothing.
    @inline(__always)
    static func iceness(_ value: Float, tissue: Float, bright: Float) -> (Float, Float) {
        guard tissue > 0.12 * bright else { return (0.5, 0) }
        return (1 - value / tissue, min(1, tissue / (0.4 * bright)))
    }
}
