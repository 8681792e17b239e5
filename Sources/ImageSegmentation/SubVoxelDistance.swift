import ImagingCore

extension Volume<Float> {
    /// The signed distance in millimetres to this field's zero surface, with the field's signs.
    ///
    /// Voxels with a neighbour of the other sign get their distance from the linear crossings along the axes (exact for a plane); the
    /// rest, and those that the surface passes at a slant, follow by fast sweeping of the eikonal equation (Zhao 2005), in which only
    /// voxels are looked at whose neighbours came nearer since they were last (Bak, McLaughlin & Renzi 2010).
    /// Edge cases: a field of one sign gives ±`limitMM`.
    /// Complexity: O(voxels), nine to sixteen sweeps.
    ///
    /// - Parameters:
    ///   - limitMM: distances beyond it are reported as this.
    ///   - isSmooth: the field is smooth near its zero, as a distance that was moved a little is: its slope then says how far its zero
    ///     lies,
    ///     while the chords between crossings cut every bulge short (by 0.03 mm in 2.5 mm slices each time).
    func signedDistanceToZero(limitMM: Float = .greatestFiniteMagnitude, isSmooth: Bool = false) -> Volume<Float> {
        let far = Float.greatestFiniteMagnitude
        let size = size, h = SIMD3<Float>(geometry.spacing)
        let strideJ = size.i, strideK = size.i * size.j
        let readsSlopes = isSmooth && h.max() < Self.thickestForSlopesMM
        return withUnsafeVoxels { field in
            Volume<Float>(geometry: geometry) { distance in
                forEachSlab(of: size.k, slab: 1) { range in
                    for k in range {
                        for j in 0..<size.j {
                            for i in 0..<size.i {
                                let here = i &+ j &* strideJ &+ k &* strideK
                                let value = field[here], inside = value >= 0
                                @inline(__always) func crossing(_ neighbour: Int, _ exists: Bool, _ spacing: Float) -> Float {
                                    guard exists else { return far }
                                    let other = field[neighbour]
                                    guard (other >= 0) != inside else { return far }
                                    return spacing * value / (value - other)
                                }
                                let a = min(crossing(here &- 1, i > 0, h.x), crossing(here &+ 1, i + 1 < size.i, h.x))
                                let b = min(crossing(here &- strideJ, j > 0, h.y), crossing(here &+ strideJ, j + 1 < size.j, h.y))
                                let c = min(crossing(here &- strideK, k > 0, h.z), crossing(here &+ strideK, k + 1 < size.k, h.z))
                                guard min(a, b, c) < far else {
                                    distance[here] = limitMM
                                    continue
                                }
                                if readsSlopes, i > 0, j > 0, k > 0, i + 1 < size.i, j + 1 < size.j, k + 1 < size.k {
                                    let slope = SIMD3(
                                        field[here &+ 1] - field[here &- 1], field[here &+ strideJ] - field[here &- strideJ],
                                        field[here &+ strideK] - field[here &- strideK]) / (2 * h)
                                    let steepness = (slope * slope).sum().squareRoot()
                                    if (0.6...1.6).contains(steepness) {
                                        distance[here] = abs(value) / steepness
                                        continue
                                    }
                                }
                                let floor: Float = 1e-6
                                let sum = 1 / (max(a, floor) * max(a, floor)) + 1 / (max(b, floor) * max(b, floor))
                                    + 1 / (max(c, floor) * max(c, floor))
                                distance[here] = 1 / sum.squareRoot()
                            }
                        }
                    }
                }
                let sweeping = DistanceSweeping(distance, size: size, spacing: h, limitMM: limitMM)
                for direction in 0..<8 { sweeping.sweep(direction) }
                // Around corners a second round may find shorter ways.
                for direction in 0..<8 where !sweeping.sweep(direction) { break }
                for offset in 0..<field.count { distance[offset] = field[offset] < 0 ? -distance[offset] : distance[offset] }
            }
        }
    }
    /// Across thicker voxels a slope is that of another place.
    private static var thickestForSlopesMM: Float { 5 }
}
