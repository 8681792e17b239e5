import ImagingCore

/// The region of least surface area that a force field holds up.
///
/// Minimises ∫|∇u| − ∫ f·u over 0 ≤ u ≤ 1 (Chan, Esedoḡlu & Nikolova 2006), the continuous form of a two-label graph cut: it has no
/// preferred grid direction, honours the spacing, and for any start reaches the global minimum, whose level set ½ is the region.
/// A ball of radius R survives when the mean force within exceeds 3/R. Solved by the primal-dual iteration of Chambolle & Pock 2011, in
/// which rows are passed over where nothing can change: most of a grid lies away from the region.
enum TotalVariationCut {
    /// - Parameters:
    ///   - force: per millimetre; positive where the region is wanted.
    ///   - iterations: 100 places the edge to within a fraction of a voxel where the force is clear.
    /// - Returns: `u` on the same grid, nearly everywhere 0 or 1.
    static func solve(force: Volume<Float>, iterations: Int) -> Volume<Float> {
        let size = force.size
        let h = SIMD3<Float>(force.geometry.spacing)
        let inverse = 1 / h
        let step = 1 / (4 * (inverse * inverse).sum()).squareRoot()
        let rowLength = size.i, rows = size.j, slices = size.k
        let sliceLength = rowLength * rows
        var activity = RowActivity(rows: rows, slices: slices)
        let zeros = [Float](repeating: 0, count: rowLength)

        var u = force.mapped { (f: Float) -> Float in f > 0 ? 1 : 0 }
        var extrapolated = u
        var dualI = Volume<Float>(geometry: force.geometry, repeating: 0), dualJ = dualI, dualK = dualI
        zeros.withUnsafeBufferPointer { zeros in
        force.withUnsafeVoxels { force in
        u.withUnsafeMutableVoxels { u in
        extrapolated.withUnsafeMutableVoxels { ahead in
        dualI.withUnsafeMutableVoxels { dualI in
        dualJ.withUnsafeMutableVoxels { dualJ in
        dualK.withUnsafeMutableVoxels { dualK in
        activity.withRows { activity in
            for _ in 0..<iterations {
                forEachSlab(of: slices, slab: 1) { range in
                    for k in range {
                        for j in 0..<rows {
                            let row = k &* sliceLength &+ j &* rowLength, isFlat = activity.isFlat(j, k)
                            guard activity.dualMayMove(j, k, isFlat: isFlat) else { continue }
                            ascendDual(
                                row: ahead.baseAddress! + row,
                                nextRow: ahead.baseAddress! + (j + 1 < rows ? row + rowLength : row),
                                nextSlice: ahead.baseAddress! + (k + 1 < slices ? row + sliceLength : row),
                                dualI: dualI.baseAddress! + row, dualJ: dualJ.baseAddress! + row, dualK: dualK.baseAddress! + row,
                                count: rowLength, scale: step * inverse)
                            activity.settle(j, k, isFlat && isWithinUnitBall(
                                dualI.baseAddress! + row, dualJ.baseAddress! + row, dualK.baseAddress! + row, count: rowLength))
                        }
                    }
                }
                forEachSlab(of: slices, slab: 1) { range in
                    for k in range {
                        for j in 0..<rows {
                            guard activity.primalMayMove(j, k) else { continue }
                            let row = k &* sliceLength &+ j &* rowLength
                            let isEmpty = descendPrimal(
                                u: u.baseAddress! + row, ahead: ahead.baseAddress! + row, force: force.baseAddress! + row,
                                dualI: dualI.baseAddress! + row, dualJ: dualJ.baseAddress! + row, dualK: dualK.baseAddress! + row,
                                previousJ: j > 0 ? UnsafePointer(dualJ.baseAddress! + row - rowLength) : zeros.baseAddress!,
                                previousK: k > 0 ? UnsafePointer(dualK.baseAddress! + row - sliceLength) : zeros.baseAddress!,
                                count: rowLength, step: step, inverse: inverse)
                            activity.empty(j, k, isEmpty)
                        }
                    }
                }
            }
        }}}}}}}}
        return u
    }

    @inline(__always)
    private static func ascendDual(
        row: UnsafePointer<Float>, nextRow: UnsafePointer<Float>, nextSlice: UnsafePointer<Float>,
        dualI: UnsafeMutablePointer<Float>, dualJ: UnsafeMutablePointer<Float>, dualK: UnsafeMutablePointer<Float>,
        count: Int, scale: SIMD3<Float>
    ) {
        let (si, sj, sk) = (scale.x, scale.y, scale.z)
        for i in 0..<(count &- 1) {
            let here = row[i]
            let a = dualI[i] + si * (row[i &+ 1] - here)
            let b = dualJ[i] + sj * (nextRow[i] - here)
            let c = dualK[i] + sk * (nextSlice[i] - here)
            let length = (a * a + b * b + c * c).squareRoot()
            let shrink = 1 / (length > 1 ? length : 1)
            dualI[i] = a * shrink
            dualJ[i] = b * shrink
            dualK[i] = c * shrink
        }
        let last = count &- 1
        let b = dualJ[last] + sj * (nextRow[last] - row[last])
        let c = dualK[last] + sk * (nextSlice[last] - row[last])
        let shrink = 1 / max(1, (b * b + c * c).squareRoot())
        dualI[last] = 0
        dualJ[last] = b * shrink
        dualK[last] = c * shrink
    }

    /// - Returns: whether `u` was 0 in the whole row and still is.
    @inline(__always)
    private static func descendPrimal(
        u: UnsafeMutablePointer<Float>, ahead: UnsafeMutablePointer<Float>, force: UnsafePointer<Float>,
        dualI: UnsafePointer<Float>, dualJ: UnsafePointer<Float>, dualK: UnsafePointer<Float>,
        previousJ: UnsafePointer<Float>, previousK: UnsafePointer<Float>, count: Int, step: Float, inverse: SIMD3<Float>
    ) -> Bool {
        let (ii, ij, ik) = (inverse.x, inverse.y, inverse.z)
        var bits: UInt32 = 0
        @inline(__always) func update(_ i: Int, _ previousI: Float) {
            let divergence = (dualI[i] - previousI) * ii + (dualJ[i] - previousJ[i]) * ij + (dualK[i] - previousK[i]) * ik
            let old = u[i]
            let moved = old + step * (divergence + force[i])
            let bounded = moved < 0 ? 0 : (moved > 1 ? 1 : moved)
            u[i] = bounded
            ahead[i] = 2 * bounded - old
            bits |= bounded.bitPattern | old.bitPattern
        }
        update(0, 0)
        for i in 1..<max(count, 1) { update(i, dualI[i &- 1]) }
        return bits == 0
    }

    /// Whether another ascent without a gradient leaves a row of the dual as it is, but for rounding.
    private static func isWithinUnitBall(
        _ dualI: UnsafePointer<Float>, _ dualJ: UnsafePointer<Float>, _ dualK: UnsafePointer<Float>, count: Int
    ) -> Bool {
        var largest: Float = 0
        for i in 0..<count {
            let square = dualI[i] * dualI[i] + dualJ[i] * dualJ[i] + dualK[i] * dualK[i]
            largest = square > largest ? square : largest
        }
        return largest < 1 + 1e-6
    }
}
