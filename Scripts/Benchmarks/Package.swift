// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "IceMarginBenchmarks",
    dependencies: [.package(name: "IceMargin", path: "../..")],
    targets: [
        .executableTarget(name: "benchmarks", dependencies: [.product(name: "IceMarginImaging", package: "IceMargin")]),
        .executableTarget(name: "simulation", dependencies: [.product(name: "IceMarginSimulation", package: "IceMargin")]),
    ],
    swiftLanguageModes: [.v6]
)
