import DICOMObjects
import Foundation
import ImageFilters
import ImagingCore
import NIfTIFormat

/// An object that was drawn elsewhere, as its file gives it: on its own grid, nothing resampled.
public struct ImportedMask: Sendable {
    /// How the file describes the object.
    public enum Shape: Sendable {
        /// Voxels that are inside or not.
        case mask(Mask)
        /// The share of each voxel that is inside, or the probability that it is, 0 … 1.
        case fraction(Volume<Float>)
        /// A surface between contours.
        case levelSet(LevelSet)
    }

    public var shape: Shape
    /// File and part, for messages.
    public var name: String
    /// Whether the object is known to end at its grid's first and at its last slice. Of a DICOM segmentation it is: a file
    /// may leave out the frames that hold nothing. Elsewhere an object at the edge of its grid may go on beyond it.
    public var endsAtSlices = (first: false, last: false)
    public var findings: [Finding]

    public var geometry: GridGeometry {
        switch shape {
        case .mask(let mask): mask.geometry
        case .fraction(let volume): volume.geometry
        case .levelSet(let levelSet): levelSet.geometry
        }
    }
    /// The Frame of Reference UID of its grid; `nil` when the file names none.
    public var frameOfReferenceUID: String? { geometry.frameOfReferenceUID }

    /// The voxels of its own grid that are inside (of a fraction at least one half).
    public var mask: Mask {
        switch shape {
        case .mask(let mask): mask
        case .fraction(let volume): Mask(volume) { $0 >= 0.5 }
        case .levelSet(let levelSet): levelSet.mask
        }
    }

    /// The voxels of `grid` whose centres are inside, in the same patient coordinates.
    ///
    /// On its own grid a mask stays as it is. Onto others, masks and fractions are interpolated linearly and cut at one half.
    public func mask(onto grid: GridGeometry) -> Mask {
        switch shape {
        case .mask(let mask):
            guard let box = mask.boundingBox else { return Mask(empty: grid) }
            let (i, j, k) = Self.widened(box, in: mask.size)
            return mask.cropped(i, j, k).resampled(onto: grid)
        case .fraction(let volume): return Mask(volume.resampled(onto: grid)) { $0 >= 0.5 }
        case .levelSet(let levelSet): return levelSet.resampled(onto: grid).mask
        }
    }

    /// One voxel more on each side, so that interpolation finds the zeros around the object.
    private static func widened(
        _ box: (i: Range<Int>, j: Range<Int>, k: Range<Int>), in size: GridSize
    ) -> (Range<Int>, Range<Int>, Range<Int>) {
        func widen(_ range: Range<Int>, _ count: Int) -> Range<Int> { max(0, range.lowerBound - 1)..<min(count, range.upperBound + 1) }
        return (widen(box.i, size.i), widen(box.j, size.j), widen(box.k, size.k))
    }

    func with(frameOfReferenceUID uid: String?) -> ImportedMask {
        var copy = self
        switch shape {
        case .mask(let mask): copy.shape = .mask(mask.with(frameOfReferenceUID: uid))
        case .fraction(let volume): copy.shape = .fraction(volume.with(frameOfReferenceUID: uid))
        case .levelSet(let levelSet): copy.shape = .levelSet(LevelSet(field: levelSet.field.with(frameOfReferenceUID: uid)))
        }
        return copy
    }
}
