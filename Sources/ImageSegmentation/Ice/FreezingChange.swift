import ImagingCore

/// By how much CT numbers change when the tissue of each CT number freezes.
///
/// Watery tissue falls by about 85 HU whatever its level; fat and mineralised bone fall by less, for they hold less water; air-filled
/// lung rises. How much in this patient is read about the middles of the probes' active ends, where tissue is wholly frozen; without
/// enough tissue of a kind there, typical values are taken, and little is made of them. What fat falls by is so little that some fat
/// which has not frozen halves it: once the ice is roughly known, it is read anew within.
struct FreezingChange {
    private var soft: Float, fat: Float, bone: Float, lungRise: Float
    private var fatWeight: Float, boneWeight: Float
    private let noiseHU: Float, largestHU: Float

    /// Upper bound of lung, of fat, and lower bound of bone, in HU of unfrozen tissue.
    private static let lungHU: Float = -450, fatHU: Float = -60, boneHU: Float = 150
    private static let corticalHU: Float = 450, gasHU: Float = -300

    private static let typicalFat: (drop: Float, weight: Float) = (30, 0.15)
    /// Of fat whose change was looked for and not seen.
    private static let hiddenFatWeight: Float = 0.1
    /// From fewer voxels of a kind nothing is read.
    private static let enough = 60
    /// A voxel whose drop squared is so many times the noise squared is as certain as one can be: its log-odds are then 3.
    private static let certainSquares: Float = 6
    /// Fat that has fallen by less, as a share of the noise, tells nothing.
    private static let leastFatDrop: Float = 0.6

    /// Reads the changes from pairs (unfrozen, frozen) about the middles of the active ends.
    ///
    /// - Parameter noiseHU: by which single pairs differ where nothing freezes: what falls by little is trusted as far as it shows.
    init(softDropHU: Float, noiseHU: Float, frozen pairs: some Sequence<(tissue: Float, value: Float)>) {
        (soft, bone, lungRise) = (softDropHU, 50, 450)
        (fat, fatWeight) = Self.typicalFat
        (boneWeight, self.noiseHU, largestHU) = (0.3, noiseHU, 1.25 * softDropHU)
        readFat(from: pairs)
        var drops: (soft: [Float], bone: [Float], lung: [Float]) = ([], [], [])
        for pair in pairs where !pair.tissue.isNaN && pair.value < pair.tissue + 1000 {
            let drop = pair.tissue - pair.value
            switch pair.tissue {
            case ..<Self.lungHU: drops.lung.append(drop)
            case 0..<90: drops.soft.append(drop)
            case Self.boneHU..<Self.corticalHU: drops.bone.append(drop)
            default: break
            }
        }
        let enough = Self.enough
        if drops.soft.count >= enough, let drop = drops.soft.quantile(0.6), drop > 0.6 * softDropHU { soft = min(drop, largestHU) }
        if drops.bone.count >= enough, let drop = drops.bone.quantile(0.55), drop > 15 {
            (bone, boneWeight) = (min(drop, largestHU), min(0.8, weight(ofDrop: drop)))
        }
        if drops.lung.count >= enough, let drop = drops.lung.quantile(0.4), drop < -150 { lungRise = -drop }
    }

    /// Reads fat's change from pairs (unfrozen, frozen) anew; a typical one where they hold too little fat.
    mutating func readFat(from pairs: some Sequence<(tissue: Float, value: Float)>) {
        let drops = pairs.compactMap { (-140 ..< -80).contains($0.tissue) && $0.value < $0.tissue + 1000 ? $0.tissue - $0.value : nil }
        (fat, fatWeight) = Self.typicalFat
        guard drops.count >= Self.enough, let drop = drops.quantile(0.55) else { return }
        // What lies within the fat's own texture tells nothing.
        (fat, fatWeight) = drop > max(9, Self.leastFatDrop * noiseHU)
            ? (min(drop, largestHU), weight(ofDrop: drop)) : (Self.typicalFat.drop, Self.hiddenFatWeight)
    }

    private func weight(ofDrop drop: Float) -> Float { min(1, drop * drop / (Self.certainSquares * noiseHU * noiseHU)) }

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
