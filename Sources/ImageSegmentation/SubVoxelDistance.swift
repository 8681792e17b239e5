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
                for offset in 0..<field.count where field[offset] < 0 { distance[offset] = -distance[offset] }
            }
        }
    }
    /// Across thicker voxels a slope is that of another place.
    private static var thickestForSlopesMM: Float { 5 }
}

/// Distances that fall, from some that are known, as far as the eikonal equation lets them.
private final class DistanceSweeping {
    private let distance: UnsafeMutablePointer<Float>
    private let size: GridSize, h: SIMD3<Float>, weights: SIMD3<Float>, limit: Float
    /// Whether a voxel may come nearer, and whether one in its row may: a neighbour did.
    private let isOpen: UnsafeMutablePointer<Bool>, isRowOpen: UnsafeMutablePointer<Bool>

    init(_ distance: UnsafeMutableBufferPointer<Float>, size: GridSize, spacing: SIMD3<Float>, limitMM: Float) {
        (self.distance, self.size, h, weights, limit) = (distance.baseAddress!, size, spacing, 1 / (spacing * spacing), limitMM)
        isOpen = .allocate(capacity: distance.count)
        isRowOpen = .allocate(capacity: size.j * size.k)
        isOpen.initialize(repeating: false, count: distance.count)
        isRowOpen.initialize(repeating: false, count: size.j * size.k)
        for k in 0..<size.k {
            for j in 0..<size.j {
                let row = (j &+ k &* size.j) &* size.i
                for i in 0..<size.i where distance[row &+ i] < limit { open(around: i, j, k) }
            }
        }
    }

    deinit {
        isOpen.deallocate()
        isRowOpen.deallocate()
    }

    /// Opens what lies farther than the voxel and beside it.
    @inline(__always)
    private func open(around i: Int, _ j: Int, _ k: Int) {
        let row = j &+ k &* size.j, here = row &* size.i &+ i, value = distance[here]
        @inline(__always) func open(_ exists: Bool, _ voxel: Int, _ row: Int) {
            guard exists, distance[voxel] > value else { return }
            isOpen[voxel] = true
            isRowOpen[row] = true
        }
        open(i > 0, here &- 1, row)
        open(i &+ 1 < size.i, here &+ 1, row)
        open(j > 0, here &- size.i, row &- 1)
        open(j &+ 1 < size.j, here &+ size.i, row &+ 1)
        open(k > 0, here &- size.i &* size.j, row &- size.j)
        open(k &+ 1 < size.k, here &+ size.i &* size.j, row &+ size.j)
    }

    /// - Parameter direction: which of the eight corners the sweep starts from.
    /// - Returns: whether a distance became shorter by more than a twentieth of the smallest spacing.
    @discardableResult
    func sweep(_ direction: Int) -> Bool {
        let far = Float.greatestFiniteMagnitude, strideJ = size.i, strideK = size.i * size.j
        let d = distance, noticeable = 0.05 * h.min()
        var changed = false
        for kk in 0..<size.k {
            let k = direction & 4 == 0 ? kk : size.k &- 1 &- kk
            for jj in 0..<size.j {
                let j = direction & 2 == 0 ? jj : size.j &- 1 &- jj
                guard isRowOpen[j &+ k &* size.j] else { continue }
                isRowOpen[j &+ k &* size.j] = false
                let row = j &* strideJ &+ k &* strideK
                for ii in 0..<size.i {
                    let i = direction & 1 == 0 ? ii : size.i &- 1 &- ii
                    let here = row &+ i
                    guard isOpen[here] else { continue }
                    isOpen[here] = false
                    let a = min(i > 0 ? d[here &- 1] : far, i &+ 1 < size.i ? d[here &+ 1] : far)
                    let b = min(j > 0 ? d[here &- strideJ] : far, j &+ 1 < size.j ? d[here &+ strideJ] : far)
                    let c = min(k > 0 ? d[here &- strideK] : far, k &+ 1 < size.k ? d[here &+ strideK] : far)
                    // No way through a neighbour is shorter than the neighbour's own.
                    guard min(a, b, c) < min(d[here], limit) else { continue }
                    let candidate = Self.eikonal(a, b, c, h, weights)
                    guard candidate < d[here] else { continue }
                    changed = changed || candidate < d[here] - noticeable
                    d[here] = candidate
                    open(around: i, j, k)
                }
            }
        }
        return changed
    }

    /// The smallest u with Σ max(0, (u − aᵢ)/hᵢ)² = 1 over the axes' nearest values (Godunov's upwind scheme).
    @inline(__always)
    private static func eikonal(_ a: Float, _ b: Float, _ c: Float, _ h: SIMD3<Float>, _ w: SIMD3<Float>) -> Float {
        var (v0, v1, v2) = (a, b, c), (h0, w0) = (h.x, w.x), (w1, w2) = (w.y, w.z)
        var h1 = h.y, h2 = h.z
        if v1 < v0 { swap(&v0, &v1); swap(&h0, &h1); swap(&w0, &w1) }
        if v2 < v0 { swap(&v0, &v2); swap(&h0, &h2); swap(&w0, &w2) }
        if v2 < v1 { swap(&v1, &v2); swap(&h1, &h2); swap(&w1, &w2) }
        guard v0 < Float.greatestFiniteMagnitude else { return v0 }
        var u = v0 + h0
        if u <= v1 { return u }
        var sumW = w0 + w1, sumV = w0 * v0 + w1 * v1, sumVV = w0 * v0 * v0 + w1 * v1 * v1
        u = (sumV + max(0, sumV * sumV - sumW * (sumVV - 1)).squareRoot()) / sumW
        if u <= v2 { return u }
        sumW += w2
        sumV += w2 * v2
        sumVV += w2 * v2 * v2
        return (sumV + max(0, sumV * sumV - sumW * (sumVV - 1)).squareRoot()) / sumW
    }
}
