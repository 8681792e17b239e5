import Foundation
import ImagingCore

/// Affine transforms as ITK's text files (`Insight Transform File`, .tfm or .txt) hold them: LPS millimetres, fixed frame → moving frame.
public enum RigidTransformFile {
    /// The file's text. The centre of rotation is the origin.
    public static func text(_ transform: ImagingCore.AffineTransform) -> String {
        let (r, t) = (transform.matrix.rows, transform.translation.lps)
        let parameters = [r.0.x, r.0.y, r.0.z, r.1.x, r.1.y, r.1.z, r.2.x, r.2.y, r.2.z, t.x, t.y, t.z]
        return """
            #Insight Transform File V1.0
            #Transform 0
            Transform: AffineTransform_double_3_3
            Parameters: \(parameters.map { "\($0)" }.joined(separator: " "))
            FixedParameters: 0 0 0

            """
    }

    /// Reads a file with an affine or Euler transform of three dimensions.
    public static func read(_ file: URL) throws(TransformFileError) -> ImagingCore.AffineTransform {
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { throw .noTransform(file.lastPathComponent) }
        return try transform(fromText: text, name: file.lastPathComponent)
    }

    /// Reads the text of such a file.
    ///
    /// - Parameter name: the file's, for messages.
    public static func transform(fromText text: String, name: String) throws(TransformFileError) -> ImagingCore.AffineTransform {
        var kind: String?, parameters: [Double] = [], center = [0.0, 0, 0]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, !line.hasPrefix("#") else { continue }
            let values = parts[1].split(separator: " ").map(String.init)
            switch parts[0].trimmingCharacters(in: .whitespaces) {
            case "Transform":
                guard kind == nil else { throw .severalTransforms(name) }
                kind = values.first
            case "Parameters": parameters = values.compactMap { Double($0) }
            case "FixedParameters": center = values.prefix(3).compactMap { Double($0) }
            default: continue
            }
        }
        guard let kind else { throw .noTransform(name) }
        let isEuler = kind.hasPrefix("Euler3DTransform")
        guard isEuler || ["AffineTransform_", "MatrixOffsetTransformBase_"].contains(where: kind.hasPrefix), kind.hasSuffix("_3_3") else {
            throw .unknownKind(name, kind)
        }
        guard parameters.count == (isEuler ? 6 : 12), center.count == 3, (parameters + center).allSatisfy(\.isFinite) else {
            throw .badParameters(name)
        }
        let matrix: Matrix3
        if isEuler {
            // ITK's default order: z · x · y.
            let (x, y, z) = (PatientVector(1, 0, 0), PatientVector(0, 1, 0), PatientVector(0, 0, 1))
            matrix = .rotation(about: z, radians: parameters[2]) * .rotation(about: x, radians: parameters[0])
                * .rotation(about: y, radians: parameters[1])
        } else {
            matrix = Matrix3(rows: SIMD3(parameters[0..<3]), SIMD3(parameters[3..<6]), SIMD3(parameters[6..<9]))
        }
        let transform = ImagingCore.AffineTransform(
            rotation: matrix, about: PatientPoint(SIMD3(center)), translation: PatientVector(SIMD3(parameters.suffix(3))))
        guard transform.isRigid(tolerance: 1e-3) else { throw .notRigid(name) }
        return transform
    }
}

/// Why a file's transform cannot be used.
public enum TransformFileError: ReportableError, Hashable {
    case noTransform(String)
    case severalTransforms(String)
    case unknownKind(String, String)
    case badParameters(String)
    case notRigid(String)

    public var category: FailureCategory { .badData }

    public var finding: Finding {
        let (what, remedy): (String, String) = switch self {
        case .noTransform(let name): (
            "\(name) holds no transform.", "Give an ITK transform file (.tfm), for example from ITK-SNAP or 3D Slicer.")
        case .severalTransforms(let name): ("\(name) holds several transforms.", "Save the composed rigid transform alone.")
        case .unknownKind(let name, let kind): (
            "\(name) holds a \(kind), expected an affine or Euler transform of three dimensions.", "Save it as one of those.")
        case .badParameters(let name): ("The parameters in \(name) are incomplete or not numbers.", "Save the transform again.")
        case .notRigid(let name): (
            "The matrix in \(name) is no rotation.", "Give a rigid transform from the fixed to the moving frame, LPS millimetres.")
        }
        return Finding(.error, "transform-file", what, remedy: remedy)
    }
}
