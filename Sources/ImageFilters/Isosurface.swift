import ImagingCore

extension Volume where Voxel == Float {
    /// The surface on which the field, linear along each edge between neighbouring voxel centres, equals `level`; voxels at `level`
    /// or above are inside.
    ///
    /// The surface is closed: every edge of a triangle is shared with exactly one other, in the opposite direction. Where the
    /// inside reaches the grid's edge the surface is closed at the border of the outermost voxels, half a spacing beyond their centres
    /// (see `touchesGridEdge`). Normals point from higher to lower values. NaN counts as outside.
    /// Complexity: one pass over the voxels by bits, all else in proportion to the surface.
    public func isosurface(at level: Float) -> TriangleMesh { SurfaceExtraction(self, level: level).mesh() }

    /// Whether a voxel in the outermost layer of the grid reaches `level`, so that its isosurface is cut off by the grid.
    public func touchesGridEdge(at level: Float) -> Bool {
        let size = size
        return withUnsafeVoxels { voxels in
            for k in 0..<size.k {
                for j in 0..<size.j {
                    let row = size.offset(VoxelIndex(0, j, k))
                    let isEdgeRow = k == 0 || k == size.k - 1 || j == 0 || j == size.j - 1
                    if isEdgeRow {
                        for i in 0..<size.i where voxels[row + i] >= level { return true }
                    } else if voxels[row] >= level || voxels[row + size.i - 1] >= level {
                        return true
                    }
                }
            }
            return false
        }
    }
}

/// Marching cubes by rows of bits. Vertices are numbered by slice, row, axis of their edge and column.
///
/// Rows, slices and columns count from −1: the layer of outside voxels around the grid that closes the surface.
private struct SurfaceExtraction {
    /// Crossings stay this share of an edge away from its ends, so that no triangle collapses.
    private static let smallestShare: Float = 1e-4

    let field: Volume<Float>
    let level: Float
    let size: GridSize
    let bits: InsideBits
    /// The padded rows of one slice.
    private var rowsPerSlice: Int { size.j + 1 }

    init(_ field: Volume<Float>, level: Float) {
        (self.field, self.level, size) = (field, level, field.size)
        bits = InsideBits(of: field, atLeast: level)
    }

    /// The vertices of one padded slice: those on edges that start there.
    private struct SliceVertices {
        var points: [PatientPoint] = []
        /// For each row, axis and word: the number of vertices before the word, counted from the slice's first.
        var firstOfWord: [Int32] = []
    }

    func mesh() -> TriangleMesh {
        let slices = size.k + 1
        let vertices = mapSlabs(of: slices, slab: 1) { self.vertices(ofSlice: $0.lowerBound - 1) }
        var firstVertex = [Int32(0)]
        for slice in vertices { firstVertex.append(firstVertex.last! + Int32(slice.points.count)) }
        let triangles = mapSlabs(of: slices, slab: 1) { range in
            self.triangles(ofSlice: range.lowerBound - 1, vertices, firstVertex)
        }
        return TriangleMesh(vertices: vertices.flatMap(\.points), triangles: triangles.flatMap { $0 })
    }

    /// For each word of a row the edges along axis 0, 1 and 2 that cross the surface, by the bit of their lower end.
    @inline(__always)
    private func crossings(
        _ word: Int, _ here: UnsafePointer<UInt64>, _ nextRow: UnsafePointer<UInt64>, _ nextSlice: UnsafePointer<UInt64>, axis: Int
    ) -> UInt64 {
        switch axis {
        case 0: here[word] ^ (here[word] &>> 1 | (word &+ 1 < bits.wordsPerRow ? here[word &+ 1] &<< 63 : 0))
        case 1: here[word] ^ nextRow[word]
        default: here[word] ^ nextSlice[word]
        }
    }

    private func vertices(ofSlice k: Int) -> SliceVertices {
        guard !bits.isEmpty(slice: k) || !bits.isEmpty(slice: k + 1) else { return SliceVertices() }
        var result = SliceVertices()
        result.firstOfWord.reserveCapacity(rowsPerSlice * 3 * bits.wordsPerRow)
        let toPatient = field.geometry.indexToPatient
        field.withUnsafeVoxels { voxels in
            let voxels = voxels.baseAddress!
            for j in -1..<size.j {
                bits.withRow(j, k) { here in
                    bits.withRow(j + 1, k) { nextRow in
                        bits.withRow(j, k + 1) { nextSlice in
                            for axis in 0..<3 {
                                for word in 0..<bits.wordsPerRow {
                                    result.firstOfWord.append(Int32(truncatingIfNeeded: result.points.count))
                                    var crossing = crossings(word, here, nextRow, nextSlice, axis: axis)
                                    while crossing != 0 {
                                        let i = word &* 64 &+ crossing.trailingZeroBitCount &- 1
                                        crossing &= crossing &- 1
                                        var index = SIMD3(Double(i), Double(j), Double(k))
                                        index[axis] += Double(share(of: voxels, i, j, k, axis))
                                        result.points.append(toPatient(PatientPoint(index)))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return result
    }

    /// How far along its edge the field crosses the level; half way where one end lies outside the grid.
    @inline(__always)
    private func share(of voxels: UnsafePointer<Float>, _ i: Int, _ j: Int, _ k: Int, _ axis: Int) -> Float {
        let start = VoxelIndex(i, j, k)
        let end = VoxelIndex(axis == 0 ? i &+ 1 : i, axis == 1 ? j &+ 1 : j, axis == 2 ? k &+ 1 : k)
        guard size.contains(start), size.contains(end) else { return 0.5 }
        let a = voxels[size.offset(start)], b = voxels[size.offset(end)]
        let share = (level - a) / (b - a)
        // Beside an infinite or undefined value the crossing is put in the middle.
        return a.isFinite && b.isFinite ? min(max(share, Self.smallestShare), 1 - Self.smallestShare) : 0.5
    }

    private func triangles(ofSlice k: Int, _ vertices: [SliceVertices], _ firstVertex: [Int32]) -> [SIMD3<Int32>] {
        guard !bits.isEmpty(slice: k) || !bits.isEmpty(slice: k + 1) else { return [] }
        var result: [SIMD3<Int32>] = []
        let flipped = !field.geometry.axes.isRightHanded
        let words = bits.wordsPerRow
        for j in -1..<size.j {
            bits.withRow(j, k) { r00 in
                bits.withRow(j + 1, k) { r10 in
                    bits.withRow(j, k + 1) { r01 in
                        bits.withRow(j + 1, k + 1) { r11 in
                            let cell = CellRow(rows: (r00, r10, r01, r11), words: words)
                            for word in 0..<words {
                                var active = cell.active(word)
                                while active != 0 {
                                    let position = word &* 64 &+ active.trailingZeroBitCount
                                    active &= active &- 1
                                    let table = CubeCases.triangles[cell.pattern(at: position)]
                                    var corner = 0
                                    while corner < table.count {
                                        let a = vertex(table[corner], position, j, k, cell, vertices, firstVertex)
                                        let b = vertex(table[corner + 1], position, j, k, cell, vertices, firstVertex)
                                        let c = vertex(table[corner + 2], position, j, k, cell, vertices, firstVertex)
                                        result.append(flipped ? SIMD3(a, c, b) : SIMD3(a, b, c))
                                        corner += 3
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return result
    }

    /// The number of the vertex on an edge of the cell whose lowest corner is at bit `position` of row (j, k).
    private func vertex(
        _ edgeNumber: UInt8, _ position: Int, _ j: Int, _ k: Int, _ cell: CellRow, _ vertices: [SliceVertices], _ firstVertex: [Int32]
    ) -> Int32 {
        let edge = CubeCases.edges[Int(edgeNumber)]
        let bit = position + (edge.corner & 1), up = edge.corner >> 1 & 1, over = edge.corner >> 2 & 1
        let slice = k + 1 + over, row = j + 1 + up
        let word = bit >> 6
        let base = vertices[slice].firstOfWord[(row * 3 + edge.axis) * bits.wordsPerRow + word]
        let before = cell.crossing(word, up: up, over: over, axis: edge.axis) & ((1 as UInt64) << UInt64(bit & 63) - 1)
        return firstVertex[slice] + base + Int32(before.nonzeroBitCount)
    }
}

/// The four rows of bits at the corners of a row of cells: (j, k), (j + 1, k), (j, k + 1), (j + 1, k + 1).
private struct CellRow {
    let rows: (UnsafePointer<UInt64>, UnsafePointer<UInt64>, UnsafePointer<UInt64>, UnsafePointer<UInt64>)
    let words: Int

    @inline(__always) private func row(_ up: Int, _ over: Int) -> UnsafePointer<UInt64> {
        switch (up, over) {
        case (0, 0): rows.0
        case (1, 0): rows.1
        case (0, _): rows.2
        default: rows.3
        }
    }

    @inline(__always) private func shifted(_ row: UnsafePointer<UInt64>, _ word: Int) -> UInt64 {
        row[word] &>> 1 | (word &+ 1 < words ? row[word &+ 1] &<< 63 : 0)
    }

    /// The cells of a word that have corners of both kinds.
    @inline(__always) func active(_ word: Int) -> UInt64 {
        let some = rows.0[word] | rows.1[word] | rows.2[word] | rows.3[word]
        let every = rows.0[word] & rows.1[word] & rows.2[word] & rows.3[word]
        let nextSome = shifted(rows.0, word) | shifted(rows.1, word) | shifted(rows.2, word) | shifted(rows.3, word)
        let nextEvery = shifted(rows.0, word) & shifted(rows.1, word) & shifted(rows.2, word) & shifted(rows.3, word)
        return (some | nextSome) & ~(every & nextEvery)
    }

    @inline(__always) func pattern(at position: Int) -> Int {
        @inline(__always) func pair(_ row: UnsafePointer<UInt64>) -> Int {
            let word = position &>> 6, bit = UInt64(position & 63)
            let low = row[word] &>> bit & 1
            let next = position &+ 1
            let high = next &>> 6 < words ? row[next &>> 6] &>> UInt64(next & 63) & 1 : 0
            return Int(low | high &<< 1)
        }
        return pair(rows.0) | pair(rows.1) << 2 | pair(rows.2) << 4 | pair(rows.3) << 6
    }

    /// The edges along `axis` from row (up, over) that cross the surface; only those within this row of cells are asked for.
    @inline(__always) func crossing(_ word: Int, up: Int, over: Int, axis: Int) -> UInt64 {
        let here = row(up, over)
        return switch axis {
        case 0: here[word] ^ shifted(here, word)
        case 1: here[word] ^ row(1, over)[word]
        default: here[word] ^ row(up, 1)[word]
        }
    }
}
