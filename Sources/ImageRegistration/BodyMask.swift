import ImageFilters
import ImagingCore

/// The patient's body without table and clothing.
enum BodyMask {
    /// What is thinner than this is no part of the body.
    static let tableThicknessMM = 14.0

    /// The largest compact object above `threshold` with everything that it encloses within a slice, such as lungs that the scan's
    /// ends cut open; the whole grid when nothing is above.
    ///
    /// - Parameters:
    ///   - air: what is not above this at a slice's edge lies outside the body; lung that the edge cuts is above.
    ///   - isLungDark: lung looks like air (MR), so that what lies between parts of the body, along a row or a column, is taken for body.
    static func find(in image: Volume<Float>, above threshold: Float, air: Float, isLungDark: Bool = false) -> Mask {
        let tissue = Mask(image) { $0 > threshold }
        let core = tissue.opened(byMM: tableThicknessMM / 2)
        let body = (core.isEmpty ? tissue : core).largestComponent(.six)
        guard !body.isEmpty else { return Mask(image) { _ in true } }
        let filled = filledBySlice(body, image, air: air)
        return isLungDark ? bridged(filled) : filled
    }

    /// With every voxel that lies between two of the body along its row or its column.
    private static func bridged(_ body: Mask) -> Mask {
        let size = body.size
        return Mask(geometry: body.geometry) { filled in
            body.withUnsafeVoxels { body in
                for offset in body.indices { filled[offset] = body[offset] }
                func bridge(_ start: Int, _ count: Int, _ pitch: Int) {
                    let line = (0..<count).lazy.map { start + $0 * pitch }
                    guard let first = line.first(where: { body[$0] != 0 }), let last = line.last(where: { body[$0] != 0 }) else { return }
                    for offset in stride(from: first, through: last, by: pitch) { filled[offset] = 1 }
                }
                for k in 0..<size.k {
                    let start = k * size.sliceVoxelCount
                    for j in 0..<size.j { bridge(start + j * size.i, size.i, 1) }
                    for i in 0..<size.i { bridge(start + i, size.j, size.i) }
                }
            }
        }
    }

    /// A slice's voxels that cannot be reached from the air at its edge through the outside.
    private static func filledBySlice(_ body: Mask, _ image: Volume<Float>, air: Float) -> Mask {
        let size = body.size
        return Mask(geometry: body.geometry) { filled in
            body.withUnsafeVoxels { body in
                image.withUnsafeVoxels { image in
                    forEachSlab(of: size.k, slab: 4) { slices in
                        var pending: [Int] = []
                        for k in slices {
                            let start = k * size.sliceVoxelCount
                            for offset in start..<start + size.sliceVoxelCount { filled[offset] = 1 }
                            func open(_ i: Int, _ j: Int) {
                                let offset = start + i + j * size.i
                                guard filled[offset] != 0, body[offset] == 0 else { return }
                                filled[offset] = 0
                                pending.append(i + j * size.i)
                            }
                            func begin(_ i: Int, _ j: Int) { if image[start + i + j * size.i] <= air { open(i, j) } }
                            for i in 0..<size.i {
                                begin(i, 0)
                                begin(i, size.j - 1)
                            }
                            for j in 0..<size.j {
                                begin(0, j)
                                begin(size.i - 1, j)
                            }
                            while let next = pending.popLast() {
                                let (i, j) = (next % size.i, next / size.i)
                                if i > 0 { open(i - 1, j) }
                                if i < size.i - 1 { open(i + 1, j) }
                                if j > 0 { open(i, j - 1) }
                                if j < size.j - 1 { open(i, j + 1) }
                            }
                        }
                    }
                }
            }
        }
    }
}
