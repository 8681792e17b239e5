/// What a freezing law makes of histograms, many of them one after another.
struct FreezingMatrix {
    /// Shares of the histogram below this are left out.
    private static let leastShare: Float = 1e-4
    /// As many bins as are summed up at a time, in registers; the bins are a whole number of them.
    private static let block = 20

    private let frozen: [Float]

    init(_ law: FreezingLaw) {
        precondition(LevelScale.count % Self.block == 0)
        frozen = law.frozen
    }

    /// The density at each level of what had the levels given by their shares.
    func apply(to shares: [Float], into ice: inout [Float]) {
        let count = LevelScale.count
        precondition(shares.count == count && ice.count == count)
        let counted = (0..<count).filter { shares[$0] > Self.leastShare }.map { (share: shares[$0], row: $0 * count) }
        frozen.withUnsafeBytes { frozen in
            counted.withUnsafeBufferPointer { counted in
                for start in stride(from: 0, to: count, by: Self.block) {
                    var a = SIMD4<Float>.zero, b = a, c = a, d = a, e = a
                    for tissue in counted {
                        let row = frozen.baseAddress! + 4 &* (tissue.row &+ start), share = SIMD4<Float>(repeating: tissue.share)
                        @inline(__always) func four(_ n: Int) -> SIMD4<Float> {
                            row.loadUnaligned(fromByteOffset: 16 &* n, as: SIMD4<Float>.self)
                        }
                        a += share * four(0)
                        b += share * four(1)
                        c += share * four(2)
                        d += share * four(3)
                        e += share * four(4)
                    }
                    for lane in 0..<4 {
                        (ice[start + lane], ice[start + 4 + lane], ice[start + 8 + lane]) = (a[lane], b[lane], c[lane])
                        (ice[start + 12 + lane], ice[start + 16 + lane]) = (d[lane], e[lane])
                    }
                }
            }
        }
    }
}
