import Foundation
import ImagingCore

/// The planes in which scans are looked at.
public enum ViewOrientation: String, Sendable, CaseIterable {
    case axial, coronal, sagittal

    /// The directions of a picture's rows and columns, as radiologists expect them: the patient's right on the left of
    /// axial and coronal pictures, anterior on the left of sagittal ones, head up.
    var directions: (right: PatientVector, down: PatientVector) {
        switch self {
        case .axial: (PatientVector(1, 0, 0), PatientVector(0, 1, 0))
        case .coronal: (PatientVector(1, 0, 0), PatientVector(0, 0, -1))
        case .sagittal: (PatientVector(0, 1, 0), PatientVector(0, 0, -1))
        }
    }

    /// The direction across the plane, one of the patient's own axes.
    var normal: PatientVector {
        switch self {
        case .axial: PatientVector(0, 0, 1)
        case .coronal: PatientVector(0, 1, 0)
        case .sagittal: PatientVector(1, 0, 0)
        }
    }

    /// The letter of the LPS coordinate that tells planes of this orientation apart.
    var coordinateLetter: String { switch self { case .axial: "S"; case .coronal: "P"; case .sagittal: "L" } }

    /// The orientation whose planes lie nearest to the slices of `geometry`.
    public static func nearest(to geometry: GridGeometry) -> ViewOrientation {
        allCases.max { abs($0.normal.dot(geometry.axes.k)) < abs($1.normal.dot(geometry.axes.k)) }!
    }
}

/// A rectangle of square pixels in patient space.
public struct ViewPlane: Hashable, Sendable {
    /// The middle of the rectangle.
    public let center: PatientPoint
    /// Unit vectors along the picture's rows and columns, at right angles.
    public let right, down: PatientVector
    public let pixelSizeMM: Double
    public let width, height: Int

    public init(center: PatientPoint, right: PatientVector, down: PatientVector, pixelSizeMM: Double, width: Int, height: Int) {
        precondition(pixelSizeMM > 0 && width > 0 && height > 0)
        precondition(
            abs(right.length - 1) < 1e-6 && abs(down.length - 1) < 1e-6 && abs(right.dot(down)) < 1e-6, "directions are not orthonormal")
        (self.center, self.right, self.down) = (center, right, down)
        (self.pixelSizeMM, self.width, self.height) = (pixelSizeMM, width, height)
    }
    public init(_ orientation: ViewOrientation, center: PatientPoint, pixelSizeMM: Double, width: Int, height: Int) {
        let (right, down) = orientation.directions
        self.init(center: center, right: right, down: down, pixelSizeMM: pixelSizeMM, width: width, height: height)
    }

    private var middle: SIMD2<Double> { SIMD2(Double(width - 1), Double(height - 1)) / 2 }

    /// The place of a pixel position; (0, 0) is the centre of the top left pixel.
    public func point(_ pixel: SIMD2<Double>) -> PatientPoint {
        let offset = pixelSizeMM * (pixel - middle)
        return center + offset.x * right + offset.y * down
    }
    /// The pixel position of the point of the plane nearest to `point`.
    public func pixel(_ point: PatientPoint) -> SIMD2<Double> {
        let offset = point - center
        return SIMD2(offset.dot(right), offset.dot(down)) / pixelSizeMM + middle
    }
    /// Millimetres from the plane, positive on the far side for the onlooker.
    public func depthMM(_ point: PatientPoint) -> Double { (point - center).dot(right.cross(down)) }

    /// What the four edges of the picture face, in letters as DICOM has them (L, R, A, P, H, F).
    public var edgeLetters: (left: String, right: String, top: String, bottom: String) {
        (Self.letters(of: -right), Self.letters(of: right), Self.letters(of: -down), Self.letters(of: down))
    }

    /// The letters of a direction: the nearest patient axis first, then others that it leans towards by more than 15°.
    static func letters(of direction: PatientVector) -> String {
        let unit = (direction.normalized ?? direction).lps
        let candidates = [(unit.x, "L", "R"), (unit.y, "P", "A"), (unit.z, "H", "F")].sorted { abs($0.0) > abs($1.0) }
        return candidates.filter { abs($0.0) > sin(15 * .pi / 180) }.map { $0.0 > 0 ? $0.1 : $0.2 }.joined()
    }
}
