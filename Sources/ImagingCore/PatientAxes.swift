import Foundation

/// The directions in patient space along which a grid's columns (`i`), rows (`j`) and slices (`k`) are counted.
///
/// The three unit vectors are orthogonal to within `tolerance`. Either handedness is legal: series loaded from DICOM
/// are right-handed, masks from other formats need not be.
public struct PatientAxes: Hashable, Sendable {
    /// The largest dot product between axes, and deviation of a length from 1, that is taken for rounding in a file.
    public static let tolerance = 1e-3

    public let i, j, k: PatientVector

    /// Axial slices, columns towards the patient's left, rows towards posterior, slices towards superior.
    public static let identity = PatientAxes(
        uncheckedI: PatientVector(1, 0, 0), j: PatientVector(0, 1, 0), k: PatientVector(0, 0, 1))

    /// Makes exactly orthonormal axes of three directions that are so to within `tolerance`.
    public init(i: PatientVector, j: PatientVector, k: PatientVector) throws(GeometryError) {
        for (axis, vector) in zip(["i", "j", "k"], [i, j, k]) where !(abs(vector.length - 1) <= Self.tolerance) {
            throw .axisNotUnit(axis: axis, length: vector.length)
        }
        for (axes, dot) in [("i and j", i.dot(j)), ("i and k", i.dot(k)), ("j and k", j.dot(k))] where !(abs(dot) <= Self.tolerance) {
            throw .axesNotOrthogonal(axes: axes, dot: dot)
        }
        let exactI = i.normalized!
        let exactJ = (j - exactI.dot(j) * exactI).normalized!
        let normal = exactI.cross(exactJ)
        self.init(uncheckedI: exactI, j: exactJ, k: normal.dot(k) < 0 ? -normal : normal)
    }

    /// Axes of an image plane (DICOM Image Orientation (Patient)); slices are counted along rows × columns.
    public init(rowDirection: PatientVector, columnDirection: PatientVector) throws(GeometryError) {
        try self.init(i: rowDirection, j: columnDirection, k: rowDirection.cross(columnDirection))
    }

    init(uncheckedI i: PatientVector, j: PatientVector, k: PatientVector) { (self.i, self.j, self.k) = (i, j, k) }

    public var isRightHanded: Bool { i.cross(j).dot(k) > 0 }

    /// The patient-space vector that is `components` along the three axes.
    public func vector(_ components: SIMD3<Double>) -> PatientVector {
        PatientVector(components.x * i.lps + components.y * j.lps + components.z * k.lps)
    }
    /// The components of a patient-space vector along the three axes.
    public func components(of vector: PatientVector) -> SIMD3<Double> {
        SIMD3(i.dot(vector), j.dot(vector), k.dot(vector))
    }
    /// The largest angle between an axis of `self` and the same axis of `other`, in radians.
    public func angle(to other: PatientAxes) -> Double {
        zip([i, j, k], [other.i, other.j, other.k]).map { a, b in atan2(a.cross(b).length, a.dot(b)) }.max()!
    }
}
