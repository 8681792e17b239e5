import Foundation
import ImagingCore

/// Foundation has a type of this name too.
typealias AffineTransform = ImagingCore.AffineTransform

/// Grids in NIfTI terms. NIfTI counts millimetres towards Right, Anterior, Superior; here it is Left, Posterior, Superior:
/// x and y change sign. The map from index to patient is the sform (an affine matrix) or the qform (a rotation quaternion,
/// voxel sizes and an offset).
extension NIfTIHeader {
    /// How far apart qform and sform may put a voxel, in units of the smallest spacing, before a reader is told.
    static let agreementTolerance = 0.1

    /// The grid of the file: the sform if there is one, else the qform, else voxel sizes alone (RAS axes, origin 0; nifti1.h "method 1").
    func gridGeometry(size: GridSize, of url: URL) throws(NIfTIError) -> (geometry: GridGeometry, findings: [Finding]) {
        var findings: [Finding] = []
        let millimetres = try unitLengthMM(of: url, findings: &findings)
        let sform = sformCode > 0 ? sformAffine : nil
        let qform = qformCode > 0 ? try qformAffine(size: size, of: url) : nil

        if let sform {
            if sform.matrix.determinant.isNormal || qform == nil {
                let geometry = try Self.geometry(of: sform, size: size, millimetres: millimetres, form: "sform", of: url)
                if let qform, let gap = Self.largestGap(sform, qform, size: size),
                   !(gap * millimetres <= Self.agreementTolerance * geometry.spacing.min()) {
                    findings.append(Finding(
                        .warning, "nifti-forms-differ",
                        "The sform and the qform of \(url.lastPathComponent) place it up to \((gap * millimetres).formatted(places: 2)) mm apart; the sform is used.",
                        remedy: "Export the file again if it does not lie where it should."))
                }
                warnIfSpacingDiffers(from: geometry.spacing / millimetres, size: size, of: url, findings: &findings)
                return (geometry, findings)
            }
            findings.append(Finding(
                .warning, "nifti-sform-unusable", "The sform of \(url.lastPathComponent) is not invertible; the qform is used."))
        }
        if let qform {
            return (try Self.geometry(of: qform, size: size, millimetres: millimetres, form: "qform", of: url), findings)
        }
        findings.append(Finding(
            .warning, "nifti-no-orientation",
            "\(url.lastPathComponent) does not say where and how it lies in the patient, and programs differ in what they make of that. "
                + "Axes towards right, anterior and superior from the origin are assumed.",
            remedy: "Export the file again, with its position and orientation (qform or sform)."))
        let plain = AffineTransform(
            matrix: Matrix3(
                columns: SIMD3(Double(pixelDimensions[0]), 0, 0), SIMD3(0, Double(pixelDimensions[1]), 0), SIMD3(0, 0, voxelDepth(size))),
            translation: PatientVector(.zero))
        return (try Self.geometry(of: plain, size: size, millimetres: millimetres, form: "pixdim", of: url), findings)
    }

    /// Sets sform and qform to `geometry`, both as "scanner anatomical" coordinates.
    mutating func setOrientation(_ geometry: GridGeometry) {
        let ras = SIMD3(-1.0, -1.0, 1.0)
        let axes = [geometry.axes.i.lps * ras, geometry.axes.j.lps * ras, geometry.axes.k.lps * ras]
        let origin = geometry.origin.lps * ras
        for row in 0..<3 {
            sformRows[row] = SIMD4<Float>(SIMD4(
                axes[0][row] * geometry.spacing.x, axes[1][row] * geometry.spacing.y, axes[2][row] * geometry.spacing.z, origin[row]))
        }
        let isRightHanded = geometry.axes.isRightHanded
        handedness = isRightHanded ? 1 : -1
        quaternion = Quaternion.stored(for: Matrix3(columns: axes[0], axes[1], isRightHanded ? axes[2] : -axes[2]))
        quaternionOffset = SIMD3<Float>(origin)
        for axis in 0..<3 { pixelDimensions[axis] = Float(geometry.spacing[axis]) }
        (qformCode, sformCode) = (1, 1)
    }

    private var sformAffine: AffineTransform {
        let rows = sformRows.map { SIMD4<Double>($0) }
        func linear(_ row: SIMD4<Double>) -> SIMD3<Double> { SIMD3(row.x, row.y, row.z) }
        return AffineTransform(
            matrix: Matrix3(rows: linear(rows[0]), linear(rows[1]), linear(rows[2])),
            translation: PatientVector(rows[0].w, rows[1].w, rows[2].w))
    }

    private func qformAffine(size: GridSize, of url: URL) throws(NIfTIError) -> AffineTransform {
        let rotation = Quaternion.rotation(storedAs: SIMD3<Double>(quaternion)).columns
        let qfac = handedness < 0 ? -1.0 : 1.0
        return AffineTransform(
            matrix: Matrix3(
                columns: abs(Double(pixelDimensions[0])) * rotation.0, abs(Double(pixelDimensions[1])) * rotation.1,
                qfac * abs(voxelDepth(size)) * rotation.2),
            translation: PatientVector(SIMD3<Double>(quaternionOffset)))
    }

    /// pixdim[3]; 1 for a single slice whose thickness is not given.
    private func voxelDepth(_ size: GridSize) -> Double {
        size.k == 1 && pixelDimensions[2] == 0 ? 1 : Double(pixelDimensions[2])
    }

    /// Some readers (ITK) take the spacing from pixdim even where there is an sform: such a file means two things.
    private func warnIfSpacingDiffers(from spacing: SIMD3<Double>, size: GridSize, of url: URL, findings: inout [Finding]) {
        let counts = [size.i, size.j, size.k]
        for axis in 0..<3 where counts[axis] > 1 && !(abs(Double(pixelDimensions[axis]) / spacing[axis] - 1) < 0.01) {
            findings.append(Finding(
                .warning, "nifti-spacing-differs",
                "\(url.lastPathComponent) has voxels of \(spacing[axis].formatted(places: 3)) by its sform but \(pixelDimensions[axis]) by pixdim along axis \(axis + 1); the sform is used.",
                remedy: "Export the file again if its size in the patient is wrong."))
            return
        }
    }

    private func unitLengthMM(of url: URL, findings: inout [Finding]) throws(NIfTIError) -> Double {
        let (length, name): (Double, String)
        switch units & 7 {
        case 1: (length, name) = (1000, "metres")
        case 3: (length, name) = (0.001, "micrometres")
        default: return 1  // Millimetres, or unknown, which every writer uses for millimetres.
        }
        findings.append(Finding(.info, "nifti-units", "\(url.lastPathComponent) counts in \(name); converted to millimetres."))
        return length
    }

    private static func geometry(
        of affine: AffineTransform, size: GridSize, millimetres: Double, form: String, of url: URL
    ) throws(NIfTIError) -> GridGeometry {
        let ras = SIMD3(-1.0, -1.0, 1.0)
        let (i, j, k) = affine.matrix.columns
        let columns = [i, j, k].map { PatientVector($0 * ras * millimetres) }
        let spacing = SIMD3(columns[0].length, columns[1].length, columns[2].length)
        do throws(GeometryError) {
            guard let i = columns[0].normalized, let j = columns[1].normalized, let k = columns[2].normalized else {
                throw .spacingNotPositive(spacing)
            }
            return try GridGeometry(
                size: size, spacing: spacing, origin: PatientPoint(affine.translation.lps * ras * millimetres),
                axes: PatientAxes(i: i, j: j, k: k))
        } catch {
            guard case .axesNotOrthogonal(_, let dot) = error else { throw .badOrientation(url, form: form, reason: error) }
            throw .sheared(url, form: form, degrees: asin(min(1, abs(dot))) * 180 / .pi)
        }
    }

    /// The largest distance between where two affines put a corner voxel; `nil` when it is not a number.
    private static func largestGap(_ a: AffineTransform, _ b: AffineTransform, size: GridSize) -> Double? {
        let corners = [0, size.k - 1].flatMap { k in
            [0, size.j - 1].flatMap { j in [0, size.i - 1].map { PatientPoint(Double($0), Double(j), Double(k)) } }
        }
        return corners.map { a($0).distance(to: b($0)) }.max()
    }
}

/// The unit quaternions of the NIfTI qform: (b, c, d) are stored, a = √(1 − b² − c² − d²) ≥ 0 is implied.
enum Quaternion {
    static func rotation(storedAs bcd: SIMD3<Double>) -> Matrix3 {
        var (b, c, d) = (bcd.x, bcd.y, bcd.z)
        var a = 1 - (b * b + c * c + d * d)
        if a < 1e-7 {  // A half turn whose rounding took it past length 1 (nifti1.h).
            let length = (b * b + c * c + d * d).squareRoot()
            (a, b, c, d) = (0, b / length, c / length, d / length)
        } else {
            a = a.squareRoot()
        }
        return Matrix3(
            rows: SIMD3(a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)),
            SIMD3(2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)),
            SIMD3(2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c))
    }

    /// The quaternion of a rotation, rounded to what the file holds.
    ///
    /// Near a half turn the implied `a` magnifies the rounding of b, c, d to 3·10⁻⁴ rad. Of the nearby roundings, the one whose
    /// rotation comes closest is taken.
    static func stored(for rotation: Matrix3) -> SIMD3<Float> {
        let exact = quaternion(of: rotation)
        let nearest = SIMD3<Float>(exact)
        var best = (value: nearest, error: Double.infinity)
        for x in -2...2 {
            for y in -2...2 {
                for z in -2...2 {
                    let candidate = SIMD3(step(nearest.x, x), step(nearest.y, y), step(nearest.z, z))
                    let error = squaredDifference(self.rotation(storedAs: SIMD3<Double>(candidate)), rotation)
                    if error < best.error { best = (candidate, error) }
                }
            }
        }
        return best.value
    }

    private static func step(_ value: Float, _ steps: Int) -> Float {
        guard abs(value) > 1e-6 else { return value }
        return value + Float(steps) * value.ulp
    }

    private static func squaredDifference(_ a: Matrix3, _ b: Matrix3) -> Double {
        let (r0, r1, r2) = (a.rows.0 - b.rows.0, a.rows.1 - b.rows.1, a.rows.2 - b.rows.2)
        return (r0 * r0).sum() + (r1 * r1).sum() + (r2 * r2).sum()
    }

    /// (b, c, d) with a ≥ 0, from the largest component, which keeps full accuracy (Shepperd 1978).
    private static func quaternion(of m: Matrix3) -> SIMD3<Double> {
        let (x, y, z) = m.rows
        let squares = [1 + x.x + y.y + z.z, 1 + x.x - y.y - z.z, 1 + y.y - x.x - z.z, 1 + z.z - x.x - y.y]
        let largest = squares.indices.max { squares[$0] < squares[$1] }!
        let t = 2 * squares[largest].squareRoot()
        let abcd: SIMD4<Double> =
            switch largest {
            case 0: SIMD4(t / 4, (z.y - y.z) / t, (x.z - z.x) / t, (y.x - x.y) / t)
            case 1: SIMD4((z.y - y.z) / t, t / 4, (x.y + y.x) / t, (x.z + z.x) / t)
            case 2: SIMD4((x.z - z.x) / t, (x.y + y.x) / t, t / 4, (y.z + z.y) / t)
            default: SIMD4((y.x - x.y) / t, (x.z + z.x) / t, (y.z + z.y) / t, t / 4)
            }
        return (abcd.x < 0 ? -1 : 1) * SIMD3(abcd.y, abcd.z, abcd.w)
    }
}
