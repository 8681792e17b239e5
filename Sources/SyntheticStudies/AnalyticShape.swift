import Foundation
import ImagingCore

/// A body whose surface is known in closed form, sampled on grids as imaging software would draw it.
public struct AnalyticShape: Sendable {
    /// For a table, such as “ball 9 mm”.
    public let name: String
    public let volumeML: Double
    let body: any ImplicitShape

    public static func ball(radiusMM: Double, at center: PatientPoint) -> AnalyticShape {
        AnalyticShape(
            name: "ball \(number(radiusMM)) mm", volumeML: 4 / 3 * .pi * pow(radiusMM, 3) / 1000,
            body: Ellipsoid(center: center.lps, semiAxes: SIMD3(repeating: radiusMM)))
    }

    /// All points within `radiusMM` of a segment.
    public static func capsule(from start: PatientPoint, to end: PatientPoint, radiusMM: Double) -> AnalyticShape {
        AnalyticShape(
            name: "capsule \(number(radiusMM)) mm",
            volumeML: (.pi * radiusMM * radiusMM * start.distance(to: end) + 4 / 3 * .pi * pow(radiusMM, 3)) / 1000,
            body: Capsule(start: start.lps, end: end.lps, startRadius: radiusMM, endRadius: radiusMM))
    }

    /// Turned about the patient's z axis, then about its x axis.
    public static func ellipsoid(
        semiAxesMM: SIMD3<Double>, at center: PatientPoint, turnedDegrees: (z: Double, x: Double) = (0, 0)
    ) -> AnalyticShape {
        AnalyticShape(
            name: "ellipsoid \(number(semiAxesMM.x)) × \(number(semiAxesMM.y)) × \(number(semiAxesMM.z)) mm",
            volumeML: 4 / 3 * .pi * semiAxesMM.x * semiAxesMM.y * semiAxesMM.z / 1000,
            body: Ellipsoid(center: center.lps, semiAxes: semiAxesMM).turned(aboutZ: turnedDegrees.z, aboutX: turnedDegrees.x))
    }

    /// The voxels whose centres lie inside.
    public func mask(on grid: GridGeometry, roughness: SurfaceRoughness? = nil) -> Mask {
        Mask(levels(on: grid, roughness)) { $0 >= 0 }
    }

    /// The signed distance at the voxels' centres (of an ellipsoid: to first order), positive inside.
    public func levelSet(on grid: GridGeometry, roughness: SurfaceRoughness? = nil) -> LevelSet {
        LevelSet(field: levels(on: grid, roughness))
    }

    private func levels(on grid: GridGeometry, _ roughness: SurfaceRoughness?) -> Volume<Float> {
        let size = grid.size
        return Volume<Float>(geometry: grid) { levels in
            forEachSlab(of: size.k, slab: 1) { slices in
                for offset in slices.lowerBound * size.sliceVoxelCount..<slices.upperBound * size.sliceVoxelCount {
                    let point = grid.point(size.index(atOffset: offset)).lps
                    var value = body.value(at: point)
                    // Displacements are wanted at the surface only.
                    if let roughness, abs(value) < 4 { value += roughness.displacementMM(at: point) }
                    levels[offset] = Float(value)
                }
            }
        }
    }

    /// A grid that holds all of `shapes` and `marginMM` around them.
    ///
    /// - Parameter shift: by which part of a voxel (−0.5 … 0.5) the grid is moved, along each axis.
    public static func grid(
        holding shapes: [AnalyticShape], spacing: SIMD3<Double>, shift: SIMD3<Double> = .zero, marginMM: Double = 6
    ) throws -> GridGeometry {
        let box = shapes.dropFirst().reduce(shapes[0].body.bounds) { $0.union($1.body.bounds) }.grown(by: marginMM)
        let center = (box.low + box.high) / 2, half = ((box.high - box.low) / 2 / spacing).rounded(.up) + 1
        let counts = 2 * half + 1
        return try GridGeometry(
            size: GridSize(Int(counts.x), Int(counts.y), Int(counts.z)), spacing: spacing,
            origin: PatientPoint(center + (shift - half) * spacing))
    }

    private static func number(_ mm: Double) -> String {
        mm.formatted(.number.precision(.fractionLength(0...1)).locale(Locale(identifier: "en_US_POSIX")))
    }
}

/// How a segmented surface strays from the true one: a smooth random displacement along its normal.
public struct SurfaceRoughness: Sendable {
    private let offsetMM, amplitudeMM: Double
    private let waves: [(vector: SIMD3<Double>, phase: Double)]

    /// - Parameters:
    ///   - deviationMM: one standard deviation of the displacement.
    ///   - commonShare: the share of the variance that the whole surface has in common; the rest changes from place to place.
    ///   - correlationMM: over this distance displacements are alike.
    init(deviationMM: Double, commonShare: Double, correlationMM: Double, random: inout SeededGenerator) {
        offsetMM = deviationMM * commonShare.squareRoot() * random.normal()
        // A sum of many waves with random directions is nearly a Gaussian field.
        waves = (0..<48).map { _ in
            (SIMD3(random.normal(), random.normal(), random.normal()) / correlationMM, random.uniform(0...2 * .pi))
        }
        amplitudeMM = deviationMM * ((1 - commonShare) * 2 / 48).squareRoot()
    }

    func displacementMM(at point: SIMD3<Double>) -> Double {
        offsetMM + amplitudeMM * waves.reduce(0) { $0 + cos(dot($1.vector, point) + $1.phase) }
    }
}
