import Foundation
import ImagingCore

extension ImportedMask {
    /// The least share of a mask that may lie outside the scan without a warning.
    private static let toleratedOutside = 0.001

    /// The mask as an object in the frame of `scan`, still on its own grid.
    ///
    /// A mask from DICOM must lie in the scan's frame of reference. One without a frame of reference (NIfTI) is taken to lie in it,
    /// which the findings say. A mask that misses the scan is refused; one that is partly outside it is a warning.
    public func placed(in scan: GridGeometry) throws -> ImportedMask {
        var findings = findings
        if findings.contains(where: { $0.code == "nifti-no-orientation" }) { throw MaskError.noOrientation(name) }
        switch (frameOfReferenceUID, scan.frameOfReferenceUID) {
        case (let mine?, let other?):
            guard mine == other else { throw MaskError.otherFrame(name, maskUID: mine, scanUID: other) }
        case (nil, _):
            findings.append(Finding(
                .info, "mask-frame-assumed", "The mask \(name) names no frame of reference; it is taken to lie in the scan's."))
        case (_?, nil):
            findings.append(Finding(
                .info, "mask-frame-assumed", "The scan names no frame of reference; the mask \(name) is taken to lie in it."))
        }
        let mask = mask
        let outside = mask.shareOutside(scan)
        guard outside < 1 else { throw MaskError.missesScan(name, mask: mask.extentText, scan: scan.extentText) }
        if outside > Self.toleratedOutside {
            findings.append(Finding(
                .warning, "mask-partly-outside", String(format: "%.1f %% of the mask %@ lie outside the scan.", 100 * outside, name),
                remedy: "Check that the scan covers the whole object and that the mask belongs to it."))
        }
        var placed = with(frameOfReferenceUID: scan.frameOfReferenceUID)
        placed.findings = findings
        // At the end of the scan itself the object may go on unseen.
        placed.endsAtSlices.first = endsAtSlices.first && scan.contains(geometry.centre(ofSlice: -1))
        placed.endsAtSlices.last = endsAtSlices.last && scan.contains(geometry.centre(ofSlice: geometry.size.k))
        return placed
    }
}

extension Mask {
    /// The share of the voxels inside whose centres lie in no voxel of `grid`; 1 for an empty mask.
    fileprivate func shareOutside(_ grid: GridGeometry) -> Double {
        let (size, own) = (size, geometry)
        let counts = withUnsafeVoxels { voxels in
            mapSlabs(of: size.k, slab: 1) { slices -> SIMD2<Int> in
                var counts = SIMD2<Int>.zero
                for k in slices {
                    for j in 0..<size.j {
                        let row = size.offset(VoxelIndex(0, j, k))
                        for i in 0..<size.i where voxels[row &+ i] != 0 {
                            counts.x &+= 1
                            if !grid.contains(own.point(VoxelIndex(i, j, k))) { counts.y &+= 1 }
                        }
                    }
                }
                return counts
            }
        }.reduce(SIMD2<Int>.zero, &+)
        return counts.x == 0 ? 1 : Double(counts.y) / Double(counts.x)
    }

    /// The box around the voxels inside, for messages.
    fileprivate var extentText: String {
        guard let box = boundingBox else { return "nothing" }
        return geometry.cropped(box.i, box.j, box.k).extentText
    }
}

extension GridGeometry {
    /// The middle of a slice, which may lie beyond the grid's ends.
    fileprivate func centre(ofSlice k: Int) -> PatientPoint {
        point(ContinuousIndex(Double(size.i - 1) / 2, Double(size.j - 1) / 2, Double(k)))
    }
}
