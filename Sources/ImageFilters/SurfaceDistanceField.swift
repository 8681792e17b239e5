import ImagingCore

extension SurfaceDistance {
    /// Signed distances in millimetres at the voxels of a grid, positive inside.
    ///
    /// Near the surface each is exact. Farther away a distance bends so little that every other voxel along each axis is enough, and the
    /// rest is interpolated: half-way between two of them, `d` from the surface, the error is at most the square of the spacing over 2 `d`,
    /// and far less from a smooth surface.
    ///
    /// - Parameters:
    ///   - rough: about the signed distance; its sign is kept, and so are its values outside `range`.
    ///   - range: where distances are wanted.
    ///   - exactMM: up to this distance every voxel is measured.
    public func signedDistances(near rough: Volume<Float>, in range: ClosedRange<Float>, exactMM: Float) -> Volume<Float> {
        let grid = rough.geometry, size = rough.size
        func isMeasured(_ value: Float, _ i: Int, inCoarseRow: Bool) -> Bool {
            range.contains(value) && (abs(value) <= exactMM || inCoarseRow && Self.isCoarse(i, size.i))
        }
        var field = Volume<Float>(geometry: grid) { target in
            rough.withUnsafeVoxels { rough in
                forEachSlab(of: size.j * size.k, slab: 16) { rows in
                    for row in rows {
                        let first = row * size.i, isCoarseRow = Self.isCoarse(row % size.j, size.j) && Self.isCoarse(row / size.j, size.k)
                        for offset in first..<first + size.i { target[offset] = rough[offset] }
                        let wanted = (first..<first + size.i).filter { isMeasured(rough[$0], $0 - first, inCoarseRow: isCoarseRow) }
                        let distances = serialDistances(to: wanted.lazy.map { grid.point(size.index(atOffset: $0)) })
                        for (offset, distance) in zip(wanted, distances) { target[offset] = rough[offset] >= 0 ? distance : -distance }
                    }
                }
            }
        }
        rough.withUnsafeVoxels { rough in
            // Along i, then j, then k: each time the voxels whose two neighbours are known by then.
            for axis in 0..<3 {
                let stride = [1, size.i, size.i * size.j][axis]
                field.withUnsafeMutableVoxels { field in
                    let voxels = field.baseAddress!
                    forEachSlab(of: size.k, slab: 1) { slices in
                        for k in slices where axis == 2 ? !Self.isCoarse(k, size.k) : Self.isCoarse(k, size.k) {
                            for j in 0..<size.j where axis == 2 || (axis == 1) != Self.isCoarse(j, size.j) {
                                let row = size.i &* (j &+ size.j &* k)
                                for i in 0..<size.i where axis > 0 || !Self.isCoarse(i, size.i) {
                                    let offset = row &+ i, value = rough[offset]
                                    if abs(value) > exactMM, range.contains(value) {
                                        voxels[offset] = (voxels[offset &- stride] + voxels[offset &+ stride]) / 2
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return field
    }

    /// Every other place along an axis, and its last one.
    @inline(__always) private static func isCoarse(_ index: Int, _ count: Int) -> Bool { index & 1 == 0 || index == count &- 1 }
}
