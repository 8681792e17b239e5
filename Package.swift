// swift-tools-version: 6.1
import PackageDescription

/// Kernels are optimised in debug builds too, so that tests run at a useful speed.
let kernel: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
    name: "IceMargin",
    products: [
        .executable(name: "icemargin", targets: ["icemargin"]),
        .library(name: "IceMargin", targets: ["VerificationPipeline", "SyntheticStudies"]),
        .library(name: "IceMarginImaging", targets: ["ImagingCore", "ImageFilters", "DICOMObjects", "NIfTIFormat", "FigureRendering"]),
        .library(name: "IceMarginSimulation", targets: ["ImagingCore", "IceballSimulation"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        // Layer 0
        .target(name: "ImagingCore", swiftSettings: kernel),
        .target(
            name: "CDCMTK",
            cxxSettings: [.unsafeFlags(["-O2", "-ffp-contract=off"])],
            linkerSettings: ["dcmsr", "dcmseg", "dcmfg", "dcmiod", "dcmimgle", "dcmjpeg", "ijg8", "ijg12", "ijg16", "dcmjpls", "dcmtkcharls", "dcmdata", "oflog", "ofstd"]
                .map { .linkedLibrary($0) }),
        .target(name: "CPNG", cSettings: [.unsafeFlags(["-O2"])], linkerSettings: [.linkedLibrary("png")]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLanes"),
        // Layer 1
        .target(name: "ImageFilters", dependencies: ["ImagingCore"], swiftSettings: kernel),
        .target(name: "DICOMObjects", dependencies: ["ImagingCore", "CDCMTK"], swiftSettings: kernel),
        .target(name: "NIfTIFormat", dependencies: ["ImagingCore", "CZlib"], swiftSettings: kernel),
        .target(name: "DescriptionFiles", dependencies: ["ImagingCore", .product(name: "Yams", package: "Yams")]),
        // Layer 2
        .target(name: "IceballSimulation", dependencies: ["ImagingCore", "DescriptionFiles", "CLanes"], resources: [.embedInCode("Tables")], swiftSettings: kernel),
        .target(name: "ImageSegmentation", dependencies: ["ImagingCore", "ImageFilters"], swiftSettings: kernel),
        .target(name: "ImageRegistration", dependencies: ["ImagingCore", "ImageFilters"], swiftSettings: kernel),
        .target(name: "MarginAnalysis", dependencies: ["ImagingCore", "ImageFilters"], swiftSettings: kernel),
        .target(name: "FigureRendering", dependencies: ["ImagingCore", "CPNG", "CZlib"], swiftSettings: kernel),
        .target(name: "SyntheticStudies", dependencies: ["ImagingCore", "DICOMObjects"], swiftSettings: kernel),
        // Layer 3
        .target(name: "Reporting", dependencies: [
            "ImagingCore", "ImageFilters", "DICOMObjects", "MarginAnalysis", "FigureRendering",
            .product(name: "Crypto", package: "swift-crypto"), .product(name: "Mustache", package: "swift-mustache"),
        ], resources: [.embedInCode("Page")]),
        .target(name: "StudyArchive", dependencies: [
            "ImagingCore", "DICOMObjects", "Reporting", .product(name: "Crypto", package: "swift-crypto"), .product(name: "GRDB", package: "GRDB.swift"),
        ]),
        // Layer 4
        .target(name: "VerificationPipeline", dependencies: [
            "ImagingCore", "ImageFilters", "DICOMObjects", "NIfTIFormat", "ImageSegmentation", "ImageRegistration", "MarginAnalysis", "FigureRendering", "Reporting", "SyntheticStudies",
            "DescriptionFiles", "IceballSimulation", .product(name: "Crypto", package: "swift-crypto"),
        ], resources: [.embedInCode("Profiles")]),
        .target(name: "BatchVerification", dependencies: [
            "ImagingCore", "DICOMObjects", "Reporting", "StudyArchive", "VerificationPipeline", .product(name: "Crypto", package: "swift-crypto"),
        ]),
        // Layer 5
        .executableTarget(name: "icemargin", dependencies: [
            "ImagingCore", "ImageFilters", "DICOMObjects", "NIfTIFormat", "ImageRegistration", "ImageSegmentation", "MarginAnalysis", "FigureRendering", "SyntheticStudies", "Reporting", "VerificationPipeline",
            "StudyArchive", "BatchVerification", "DescriptionFiles", "IceballSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]),

        .testTarget(name: "ImagingCoreTests", dependencies: ["ImagingCore"]),
        .testTarget(name: "ImageFiltersTests", dependencies: ["ImageFilters"], swiftSettings: kernel),
        .testTarget(name: "DICOMObjectsTests", dependencies: ["DICOMObjects", .product(name: "Crypto", package: "swift-crypto")]),
        .testTarget(name: "NIfTIFormatTests", dependencies: ["NIfTIFormat", "CZlib"]),
        .testTarget(name: "ImageSegmentationTests", dependencies: ["ImageSegmentation", "SyntheticStudies"], swiftSettings: kernel),
        .testTarget(name: "ImageRegistrationTests", dependencies: ["ImageRegistration", "SyntheticStudies"], swiftSettings: kernel),
        .testTarget(name: "IceballSimulationTests", dependencies: ["IceballSimulation", "DescriptionFiles", "ImagingCore"], swiftSettings: kernel),
        .testTarget(name: "MarginAnalysisTests", dependencies: ["MarginAnalysis"], swiftSettings: kernel),
        .testTarget(name: "FigureRenderingTests", dependencies: ["FigureRendering", "CZlib"]),
        .testTarget(name: "SyntheticStudiesTests", dependencies: ["SyntheticStudies"], swiftSettings: kernel),
        .testTarget(name: "ReportingTests", dependencies: ["Reporting", "FigureRendering", "MarginAnalysis"]),
        .testTarget(name: "StudyArchiveTests", dependencies: ["StudyArchive", "Reporting"]),
        .testTarget(name: "BatchVerificationTests", dependencies: ["BatchVerification", "StudyArchive", "Reporting", "VerificationPipeline"]),
        .testTarget(name: "VerificationPipelineTests", dependencies: ["VerificationPipeline", "ImageRegistration", "MarginAnalysis"]),
        .testTarget(name: "CommandTests", dependencies: ["icemargin", "ImagingCore", "ImageRegistration", "DICOMObjects", "NIfTIFormat", "VerificationPipeline"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
