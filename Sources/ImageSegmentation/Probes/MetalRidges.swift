import ImagingCore

/// A voxel that may belong to a thin shaft.
struct MetalPoint {
    /// Millimetres along the grid's own axes from its first voxel's centre.
    let position: SIMD3<Double>
    /// Larger for brighter voxels; at least 1.
    let weight: Double
}

/// How shafts stand out in a kind of scan.
struct ShaftContrast {
    /// No voxel of a shaft that can be followed reads less than this.
    var lowestValue: Float
    /// By how much a shaft's voxel exceeds what lies beside it.
    var ridgeHeight: Float
    /// Soft tissue, enhanced or not, reads no more than this.
    var brightestTissue: Float
    /// Values end here.
    var saturation: Double
    /// The median along a shaft of what stands out is more than this.
    var leastExcess: Double
    /// How far the middles of a straight shaft's sections may wander, besides 3 mm in a metre for its bending.
    var wanderMM: Double
    /// What a fitted profile may be off by besides a tenth of its own height.
    var scatter: Double

    /// CT: a 1.5 mm shaft thinned out by thick slices still reads some hundred HU above its surroundings.
    static let metal = ShaftContrast(
        lowestValue: 250, ridgeHeight: 300, brightestTissue: 150, saturation: 3071, leastExcess: 380, wanderMM: 0.1, scatter: 30)
    /// MR, in thousandths of the tissue's signal that are missing: tracks are as wide as a voxel or some, in slices a few times as thick.
    static let missingSignal = ShaftContrast(
        lowestValue: 220, ridgeHeight: 170, brightestTissue: 100, saturation: 4000, leastExcess: 240, wanderMM: 0.25, scatter: 90)
}

/// Voxels that are brighter than what lies some millimetres away on both sides, in most directions: thin lines are, plates and lumps are
/// not.
enum MetalRidges {
    /// Of 13 pairs of opposite directions a line fills at most four.
    private static let pairsNeeded = 8
    /// Wider than half of any probe with its blur.
    private static let reachMM = 4.0
    private static let stretch = 64

    static func points(in scan: ScanVolume, contrast: ShaftContrast) -> [MetalPoint] {
        switch scan {
        case .int16(let volume): points(in: volume, contrast, lowest: Int16(contrast.lowestValue.rounded(.up)))
        case .float32(let volume): points(in: volume, contrast, lowest: contrast.lowestValue)
        }
    }

    private static func points<V: ScanVoxel>(in volume: Volume<V>, _ contrast: ShaftContrast, lowest: V) -> [MetalPoint] {
        let size = volume.size, spacing = volume.geometry.spacing
        let steps = steps(spacing: spacing), offsets = steps.map { $0.i + size.i * ($0.j + size.j * $0.k) }
        let reach = VoxelIndex(steps.map { abs($0.i) }.max()!, steps.map { abs($0.j) }.max()!, steps.map { abs($0.k) }.max()!)
        return volume.withUnsafeVoxels { voxels in
            mapSlabs(of: size.k, slab: 1) { slices in
                var found: [MetalPoint] = []
                let k = slices.lowerBound
                for j in 0..<size.j {
                    let row = size.i &* (j &+ size.j &* k)
                    // Hardly any stretch of a row holds metal.
                    for stretch in stride(from: 0, to: size.i, by: Self.stretch) {
                        let columns = stretch..<min(stretch &+ Self.stretch, size.i)
                        var brightest = voxels[row &+ stretch]
                        for i in columns { brightest = max(brightest, voxels[row &+ i]) }
                        guard brightest >= lowest else { continue }
                        for i in columns {
                            let here = voxels[row &+ i].float
                            guard here >= contrast.lowestValue else { continue }
                            let limit = here - contrast.ridgeHeight
                            let margins = (i: min(i, size.i - 1 - i), j: min(j, size.j - 1 - j), k: min(k, size.k - 1 - k))
                            let isWithin = margins.i >= reach.i && margins.j >= reach.j && margins.k >= reach.k, at = row &+ i
                            func isLow(_ i: Int, _ j: Int, _ k: Int) -> Bool {
                                guard i >= 0, j >= 0, k >= 0, i < size.i, j < size.j, k < size.k else { return true }
                                return voxels[i &+ size.i &* (j &+ size.j &* k)].float <= limit
                            }
                            var passed = 0
                            for (number, step) in steps.enumerated() {
                                let offset = offsets[number]
                                if isWithin {
                                    if voxels[at &+ offset].float <= limit, voxels[at &- offset].float <= limit { passed += 1 }
                                } else if isLow(i &+ step.i, j &+ step.j, k &+ step.k), isLow(i &- step.i, j &- step.j, k &- step.k) {
                                    passed += 1
                                }
                                if passed + steps.count - 1 - number < pairsNeeded { break }
                            }
                            guard passed >= pairsNeeded else { continue }
                            let weight = Double(min(max(here - contrast.lowestValue, 1), 2000))
                            found.append(MetalPoint(position: SIMD3(Double(i), Double(j), Double(k)) * spacing, weight: weight))
                        }
                    }
                }
                return found
            }.flatMap { $0 }
        }
    }

    /// Thirteen steps in voxels, one for each pair of opposite neighbours of a cube. Across slices a shaft is as thick as a slice.
    private static func steps(spacing: SIMD3<Double>) -> [VoxelIndex] {
        var result: [VoxelIndex] = []
        for k in -1...1 {
            for j in -1...1 {
                for i in -1...1 where k > 0 || k == 0 && (j > 0 || j == 0 && i > 0) {
                    let direction = SIMD3(Double(i), Double(j), Double(k)), unit = direction / direction.length
                    let step = unit * reachMM / spacing
                    func whole(_ step: Double, _ sign: Int) -> Int { sign * max(1, Int(abs(step).rounded())) }
                    // Half a slice more: a shaft between two slices shows in both.
                    let slices = k == 0 ? 0 : Int((abs(step.z) + 0.5).rounded(.up))
                    result.append(VoxelIndex(whole(step.x, i), whole(step.y, j), slices))
                }
            }
        }
        return result
    }
}
