import Foundation
import ImagingCore

/// A fixed sequence of numbers, the same on every machine (SplitMix64).
struct FixedSequence {
    var state: UInt64
    mutating func unit() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) / 9_007_199_254_740_992
    }
    mutating func normal() -> Double { (-2 * log(max(unit(), 1e-300))).squareRoot() * cos(2 * .pi * unit()) }
}

/// Scans whose objects are closed forms: sub-sampled voxels (partial volume), blur in the slice plane, correlated noise.
enum AnalyticScan {
    static func grid(_ i: Int, _ j: Int, _ k: Int, spacing h: SIMD3<Double> = SIMD3(0.8, 0.8, 2.5)) throws -> GridGeometry {
        try GridGeometry(
            size: GridSize(i, j, k), spacing: h,
            origin: PatientPoint(-h.x * Double(i - 1) / 2, -h.y * Double(j - 1) / 2, -h.z * Double(k - 1) / 2),
            frameOfReferenceUID: "1.2.3")
    }

    static func make(
        _ geometry: GridGeometry, blurMM: Double = 0.7, noise: Double, seed: UInt64 = 1, metal: (@Sendable (SIMD3<Double>) -> Bool)? = nil,
        _ value: @Sendable (SIMD3<Double>) -> Double
    ) -> ScanVolume {
        let size = geometry.size, sub = 3
        let clean = Volume<Float>(geometry: geometry) { target in
            forEachSlab(of: size.k, slab: 1) { range in
                for k in range {
                    for j in 0..<size.j {
                        for i in 0..<size.i {
                            var sum = 0.0
                            for n in 0..<sub * sub * sub {
                                let offset = (
                                    SIMD3(Double(n % sub), Double(n / sub % sub), Double(n / sub / sub)) + 0.5
                                ) / Double(sub) - 0.5
                                let point = geometry.point(ContinuousIndex(SIMD3(Double(i), Double(j), Double(k)) + offset)).lps
                                sum += metal?(point) == true ? 8000 : value(point)
                            }
                            target[size.offset(VoxelIndex(i, j, k))] = Float(sum / Double(sub * sub * sub))
                        }
                    }
                }
            }
        }
        var sequence = FixedSequence(state: seed)
        let white = Volume<Float>(geometry: geometry) { target in
            for offset in 0..<target.count { target[offset] = Float(sequence.normal()) }
        }
        let blurred = blur(clean, blurMM), grain = blur(white, 0.7)
        let power = grain.withUnsafeVoxels { g in (g.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(g.count)).squareRoot() }
        return .int16(blurred.withUnsafeVoxels { b in
            grain.withUnsafeVoxels { g in
                Volume<Int16>(geometry: geometry) { target in
                    for offset in 0..<b.count {
                        target[offset] = Int16(max(-1024, min(3071, (Double(b[offset]) + noise / power * Double(g[offset])).rounded())))
                    }
                }
            }
        })
    }

    /// A Gaussian in the slice plane, by its definition.
    private static func blur(_ volume: Volume<Float>, _ sigmaMM: Double) -> Volume<Float> {
        guard sigmaMM > 0 else { return volume }
        var result = volume
        for (stride, count, spacing) in [
            (1, volume.size.i, volume.geometry.spacing.x), (volume.size.i, volume.size.j, volume.geometry.spacing.y)
        ] {
            let sigma = sigmaMM / spacing, reach = Int((3.5 * sigma).rounded(.up))
            let weights = (-reach...reach).map { exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }, total = weights.reduce(0, +)
            let kernel = weights.map { Float($0 / total) }
            result = result.withUnsafeVoxels { source in
                Volume<Float>(geometry: volume.geometry) { target in
                    for offset in 0..<source.count {
                        let at = offset / stride % count
                        var sum: Float = 0
                        for shift in -reach...reach {
                            sum += kernel[shift + reach] * source[offset + (min(max(at + shift, 0), count - 1) - at) * stride]
                        }
                        target[offset] = sum
                    }
                }
            }
        }
        return result
    }
}

/// How a found surface lies to a true one.
struct SurfaceComparison {
    /// Millimetres; signed is positive where the found surface lies outside the true one.
    var meanSigned = 0.0, meanAbsolute = 0.0, rootMeanSquare = 0.0, share95 = 0.0
    var dice = 0.0

    /// - Parameter trueDistance: signed distance, positive inside.
    init(_ found: LevelSet, on scan: GridGeometry, trueDistance: (SIMD3<Double>) -> Double) {
        let size = found.geometry.size
        var distances: [Double] = []
        for offset in 0..<size.voxelCount {
            let here = size.index(atOffset: offset), a = found.field[here]
            for next in [
                VoxelIndex(here.i + 1, here.j, here.k), VoxelIndex(here.i, here.j + 1, here.k), VoxelIndex(here.i, here.j, here.k + 1)
            ]
            where size.contains(next) {
                let b = found.field[next]
                guard (a >= 0) != (b >= 0) else { continue }
                let share = Double(a / (a - b))
                let p = found.geometry.point(here).lps, q = found.geometry.point(next).lps
                distances.append(-trueDistance(p + share * (q - p)))
            }
        }
        let ordered = distances.map { abs($0) }.sorted()
        guard !ordered.isEmpty else { return }
        meanSigned = distances.reduce(0, +) / Double(distances.count)
        meanAbsolute = ordered.reduce(0, +) / Double(ordered.count)
        rootMeanSquare = (ordered.reduce(0) { $0 + $1 * $1 } / Double(ordered.count)).squareRoot()
        share95 = ordered[Int(0.95 * Double(ordered.count))]
        var both = 0, total = 0
        for offset in 0..<scan.size.voxelCount {
            let point = scan.point(scan.size.index(atOffset: offset))
            let inTruth = trueDistance(point.lps) >= 0, voxel = found.geometry.continuousIndex(point).nearest
            let inFound = size.contains(voxel) && found.field[voxel] >= 0
            both += inTruth && inFound ? 1 : 0
            total += (inTruth ? 1 : 0) + (inFound ? 1 : 0)
        }
        dice = 2 * Double(both) / Double(max(total, 1))
    }
}

/// The signed distance of an ellipsoid along the axes, positive inside, to second order near its surface.
func ellipsoid(_ center: SIMD3<Double>, _ semiAxes: SIMD3<Double>) -> @Sendable (SIMD3<Double>) -> Double {
    { point in
        let q = (point - center) / semiAxes, k0 = (q * q).sum().squareRoot(), k1 = (q / semiAxes * q / semiAxes).sum().squareRoot()
        return k1 > 1e-9 ? k0 * (1 - k0) / k1 : semiAxes.min()
    }
}
