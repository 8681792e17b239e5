import Foundation
import ImagingCore

/// The frames that masks on parts of one grid make: for each mask in turn its slices that have voxels, ascending.
struct SegmentFrames {
    struct Frame: Hashable {
        /// The mask's index.
        var segment: Int
        /// The index `k` on the whole grid.
        var slice: Int
    }

    let all: [Frame]
    /// The slices of the whole grid that some frame lies on, ascending.
    let slices: [Int]
    private let masks: [Mask]
    /// Where each mask's first voxel lies on the whole grid.
    private let starts: [VoxelIndex]
    private let grid: GridGeometry

    /// - Parameter masks: each on `grid` or on a part of it that `cropped` makes; not empty.
    init(_ masks: [Mask], on grid: GridGeometry) {
        (self.masks, self.grid) = (masks, grid)
        let starts = masks.map { mask in
            let start = grid.continuousIndex(mask.geometry.origin).nearest
            precondition(
                grid.size.contains(start)
                    && grid.size.contains(VoxelIndex(start.i + mask.size.i - 1, start.j + mask.size.j - 1, start.k + mask.size.k - 1))
                    && grid.point(start).distance(to: mask.geometry.origin) < GridGeometry.sameGridTolerance, "not a part of the grid")
            return start
        }
        var frames: [Frame] = []
        for (segment, mask) in masks.enumerated() {
            let perSlice = mask.size.sliceVoxelCount
            mask.withUnsafeVoxels { voxels in
                for k in 0..<mask.size.k where voxels[k * perSlice..<(k + 1) * perSlice].contains(1) {
                    frames.append(Frame(segment: segment, slice: starts[segment].k + k))
                }
            }
        }
        (self.starts, all) = (starts, frames)
        slices = Set(frames.map(\.slice)).sorted()
        precondition(!frames.isEmpty, "no voxels")
    }

    /// Whether two masks share a voxel.
    var overlap: Bool {
        Dictionary(grouping: all, by: \.slice).values.contains { frames in
            guard frames.count > 1 else { return false }
            var covered = [UInt8](repeating: 0, count: grid.size.sliceVoxelCount), shared: UInt8 = 0
            for frame in frames {
                forEachRow(of: frame) { cell, row in
                    for (offset, voxel) in row.enumerated() {
                        shared |= covered[cell &+ offset] & voxel
                        covered[cell &+ offset] |= voxel
                    }
                }
            }
            return shared != 0
        }
    }

    /// One bit for each voxel of each frame, lowest first, without a gap from frame to frame (PS3.5 8.1.1), and an even number of bytes.
    func packedBits() -> [UInt8] {
        let perFrame = grid.size.sliceVoxelCount, byteCount = (perFrame * all.count + 7) / 8
        var bytes = [UInt8](repeating: 0, count: byteCount + byteCount % 2)
        bytes.withUnsafeMutableBufferPointer { bytes in
            for (index, frame) in all.enumerated() {
                forEachRow(of: frame) { cell, row in
                    var bit = index &* perFrame &+ cell
                    for voxel in row {
                        bytes[bit >> 3] |= voxel << UInt8(bit & 7)
                        bit &+= 1
                    }
                }
            }
        }
        return bytes
    }

    /// Calls `body` with each row of a frame that its mask covers: the frame's cell that it begins at, and its zeros and ones.
    private func forEachRow(of frame: Frame, _ body: (_ cell: Int, _ row: UnsafeBufferPointer<UInt8>) -> Void) {
        let mask = masks[frame.segment], start = starts[frame.segment], size = mask.size
        mask.withUnsafeVoxels { voxels in
            for j in 0..<size.j {
                let offset = size.offset(VoxelIndex(0, j, frame.slice - start.k))
                body((start.j + j) * grid.size.i + start.i, UnsafeBufferPointer(rebasing: voxels[offset..<offset + size.i]))
            }
        }
    }

    /// Checks that `written` has the same voxels in the same places. Throws an internal `DICOMError` naming the first segment that differs.
    ///
    /// - Parameter position: of the first pixel of the lowest slice.
    func requireSame(in written: DICOMSegmentation, position: PatientPoint) throws(DICOMError) {
        func differs(_ what: String) -> DICOMError {
            DICOMError(
                Finding(
                    .error, "segmentation-differs", "\(written.url.path) does not read as it was written: \(what).",
                    remedy: "Please report this; the file must not be used."),
                category: .internalError)
        }
        let found = written.geometry
        guard found.size == GridSize(grid.size.i, grid.size.j, slices.last! - slices[0] + 1), found.origin.distance(to: position) < 1e-3
        else {
            throw differs("its grid is another")
        }
        for segment in masks.indices {
            guard let entry = written.segments.first(where: { $0.number == segment + 1 }) else {
                throw differs("segment \(segment + 1) is missing")
            }
            let mask = written.mask(of: entry)
            let isSame =
                mask.count == masks[segment].count
                && mask.withUnsafeVoxels { voxels in
                    all.filter { $0.segment == segment }.allSatisfy { frame in
                        let plane = (frame.slice - slices[0]) * grid.size.sliceVoxelCount
                        var isSame = true
                        forEachRow(of: frame) { cell, row in
                            isSame = isSame && memcmp(voxels.baseAddress! + plane + cell, row.baseAddress!, row.count) == 0
                        }
                        return isSame
                    }
                }
            guard isSame else { throw differs("segment \(segment + 1) has other voxels") }
        }
    }
}
