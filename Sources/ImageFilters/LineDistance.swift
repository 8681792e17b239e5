/// Joins the signed squared distances of voxels along one line: one pass of the exact distance transform.
///
/// Squares are positive outside the mask and negative inside; infinite squares keep their sign.
struct LineDistance: ~Copyable {
    /// How many elements before and after a line belong to it and are infinite.
    static let padding = 8
    /// The number of elements past the end of the target that may be overwritten.
    static let overshoot = 4

    private let envelope: LowerEnvelope
    private let erosion: LineErosion
    private let insideToo: Bool

    /// Voxels inside become −1 unless their distances are wanted too.
    init(lineLength: Int, spacingMM: Double, insideToo: Bool) {
        envelope = LowerEnvelope(lineLength: lineLength, spacingMM: spacingMM)
        erosion = LineErosion(lineLength: lineLength, spacingMM: spacingMM)
        self.insideToo = insideToo
    }

    @inline(__always)
    func join(_ line: UnsafePointer<Float>, count: Int, to target: UnsafeMutablePointer<Float>) {
        if erosion.suits(line, count: count), erosion.join(line, count: count, insideToo: insideToo, to: target) { return }
        envelope.findCandidates(line, count: count)
        var first = 0, candidate = 0
        while first < count {
            let isInside = line[first].sign == .minus
            let end = Self.endOfRun(line, from: first, count: count)
            if isInside && !insideToo {
                (target + first).update(repeating: -1, count: end - first)
            } else {
                envelope.fill(
                    first..<end, zeroBefore: first > 0, zeroAfter: end < count, sign: isInside ? -1 : 1, next: &candidate,
                    from: line, to: target)
            }
            first = end
        }
    }

    /// The end of the run of equal signs that starts at `first`.
    @inline(__always)
    private static func endOfRun(_ line: UnsafePointer<Float>, from first: Int, count: Int) -> Int {
        let bits = UnsafeRawPointer(line)
        let sign = line[first].bitPattern & 0x8000_0000
        let pattern = UInt64(sign) &<< 32 | UInt64(sign)
        var end = first &+ 1
        while end &+ 4 <= count {
            let a = bits.loadUnaligned(fromByteOffset: 4 &* end, as: UInt64.self) ^ pattern
            let b = bits.loadUnaligned(fromByteOffset: 4 &* end &+ 8, as: UInt64.self) ^ pattern
            if (a | b) & 0x8000_0000_8000_0000 != 0 { break }
            end &+= 4
        }
        while end < count && line[end].bitPattern & 0x8000_0000 == sign { end &+= 1 }
        return end
    }
}

/// The same for lines in which inside and outside alternate quickly: minima over growing neighbourhoods, without branches.
///
/// A parabola of n steps is n erosions by three voxels, the n-th with weight (2n − 1) w² (van den Boomgaard et al., 1996). After n of them
/// every square of at most ((n + 1) w)² is final.
struct LineErosion: ~Copyable {
    private static let largestReach = 8
    /// Lines with a change of sign at least every so many voxels are worth a try.
    private static let voxelsPerChange = 5

    private let squaredSpacing: Float
    private let memory: UnsafeMutablePointer<Float>
    private let pitch: Int

    init(lineLength: Int, spacingMM: Double) {
        squaredSpacing = Float(spacingMM * spacingMM)
        pitch = lineLength + 2 * LineDistance.padding + 8
        memory = .allocate(capacity: 2 * pitch)
        memory.initialize(repeating: .infinity, count: 2 * pitch)
    }

    deinit { memory.deallocate() }

    @inline(__always)
    func suits(_ line: UnsafePointer<Float>, count: Int) -> Bool {
        guard count > 1 else { return false }
        var changes: UInt32 = 0
        for x in 1..<count { changes &+= (line[x].bitPattern ^ line[x &- 1].bitPattern) &>> 31 }
        return Int(changes) &* Self.voxelsPerChange > count
    }

    /// `false`, with `target` spoilt, when some square is too large to be found this way.
    func join(_ line: UnsafePointer<Float>, count: Int, insideToo: Bool, to target: UnsafeMutablePointer<Float>) -> Bool {
        guard let outside = eroded(line, count: count, sign: 0) else { return false }
        for x in 0..<count { target[x] = line[x].sign == .minus ? -1 : outside[x] }
        guard insideToo else { return true }
        guard let inside = eroded(line, count: count, sign: 0x8000_0000) else { return false }
        for x in 0..<count { target[x] = line[x].sign == .minus ? -inside[x] : target[x] }
        return true
    }

    /// The squares of the voxels with one sign bit when all others are sites of value 0.
    private func eroded(_ line: UnsafePointer<Float>, count: Int, sign: UInt32) -> UnsafePointer<Float>? {
        var current = memory + LineDistance.padding, next = current + pitch
        for x in 0..<count {
            let bits = line[x].bitPattern
            current[x] = bits & 0x8000_0000 == sign ? Float(bitPattern: bits & 0x7FFF_FFFF) : 0
        }
        for x in count..<count + LineDistance.padding { (current[x], next[x]) = (.infinity, .infinity) }
        for reach in 1...Self.largestReach {
            let weight = SIMD4<Float>(repeating: Float(2 * reach - 1) * squaredSpacing)
            let final = SIMD4<Float>(repeating: Float((reach + 1) * (reach + 1)) * squaredSpacing)
            var unfinished = SIMD4<Int32>.zero
            var x = 0
            while x < count {
                let here = UnsafeRawPointer(current + x)
                let before = here.loadUnaligned(fromByteOffset: -4, as: SIMD4<Float>.self) + weight
                let after = here.loadUnaligned(fromByteOffset: 4, as: SIMD4<Float>.self) + weight
                var value = here.loadUnaligned(as: SIMD4<Float>.self)
                value.replace(with: before, where: before .< value)
                value.replace(with: after, where: after .< value)
                let isUnfinished = SIMD4<Int32>.zero.replacing(with: SIMD4(repeating: 1), where: value .> final)
                // Past the end nothing counts.
                if x &+ 4 <= count { unfinished |= isUnfinished } else {
                    for lane in 0..<count &- x { unfinished[lane] |= isUnfinished[lane] }
                }
                UnsafeMutableRawPointer(next + x).storeBytes(of: value, as: SIMD4<Float>.self)
                x &+= 4
            }
            for x in count..<count + 4 { next[x] = .infinity }
            swap(&current, &next)
            if unfinished == .zero { return UnsafePointer(current) }
        }
        return nil
    }
}
