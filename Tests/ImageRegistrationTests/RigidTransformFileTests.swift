import ImagingCore
import Testing

@testable import ImageRegistration

@Suite struct RigidTransformFileTests {
    @Test func whatIsWrittenIsReadAgain() throws {
        let transform = AffineTransform(
            rotation: .rotation(about: PatientVector(0.2, -1, 0.5), radians: 0.3), about: PatientPoint(12, -80, 431),
            translation: PatientVector(-21.5, 60.25, 7))
        let read = try RigidTransformFile.transform(fromText: RigidTransformFile.text(transform), name: "a.tfm")
        for point in [PatientPoint(0, 0, 0), PatientPoint(120, -40, 500)] { #expect(read(point).distance(to: transform(point)) < 1e-9) }
    }

    /// SimpleITK 2.5.7 wrote this file, and takes (5, −7, 11) to the point below.
    @Test func anEulerTransformMeansWhatITKMeans() throws {
        let text = """
            #Insight Transform File V1.0
            #Transform 0
            Transform: Euler3DTransform_double_3_3
            Parameters: 0.1 -0.2 0.3 1 2 3
            FixedParameters: 10 20 30 0

            """
        let read = try RigidTransformFile.transform(fromText: text, name: "euler.tfm")
        #expect(read(PatientPoint(5, -7, 11)).distance(to: PatientPoint(17.28515612199149, -2.1271304857356563, 10.78787747543072)) < 1e-9)
    }

    @Test(arguments: [
        ("", TransformFileError.noTransform("x")),
        ("Transform: BSplineTransform_double_3_3\nParameters: 1", .unknownKind("x", "BSplineTransform_double_3_3")),
        ("Transform: AffineTransform_double_3_3\nParameters: 1 0 0 0 1 0 0 0 1 5 6", .badParameters("x")),
        ("Transform: AffineTransform_double_3_3\nParameters: 2 0 0 0 1 0 0 0 1 5 6 7", .notRigid("x")),
        (
            "Transform: AffineTransform_double_3_3\nParameters: 1 0 0 0 1 0 0 0 1 5 6 7\nTransform: AffineTransform_double_3_3",
            .severalTransforms("x")),
    ])
    func unusableFilesAreRefused(text: String, error: TransformFileError) {
        #expect(throws: error) { try RigidTransformFile.transform(fromText: text, name: "x") }
    }
}
