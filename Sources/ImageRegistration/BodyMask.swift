import ImageFilters
import ImagingCore

/// The patient's body without table and clothing.
enum BodyMask {
    /// What is thinner than this is no part of the body.
    static let tableThicknessMM = 14.0

    /// The largest compact object above `threshold` with everything that it encloses within a slice, such as lungs that the scan's
    /// ends cut open; the whole grid when nothing is above.
    ///
    /// - Parameter air: what is not above this at a slice's edge lies outside the body; lung that the edge cuts is above.
    static func find(in image: Volume<Float>, above threshold: Float, air: Float) -> Mask {
        let tissue = Mask(image) { $0 > threshold }
        let core = tissue.opened(byMM: tableThicknessMM / 2)
        let body = (core.isEmpty ? tissue : core).largestComponent(.six)
        return body.isEmpty ? Mask(image) { _ in true } : filledBySlice(body, image, air: air)
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
