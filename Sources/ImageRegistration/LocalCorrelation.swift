import ImagingCore

/// How well a warped moving image explains a fixed one, window by window, and in which direction it would do so better.
///
/// Within a window the fixed image is taken for a linear function of the moving one, whatever its slope: contrast medium, and another
/// modality, change the slope but not where things are. The measure is the squared local correlation (Cachier et al. 2003; Avants et al.
/// 2008) with a noise floor, as a least-squares problem: each voxel gives one equation `gradient · shift = residual`.
struct LocalCorrelation {
    struct Parameters: Sendable {
        /// Half the width of a window.
        var windowRadiusMM: Double
        /// Contrast that counts as noise, in units of `RegistrationImage.values`.
        var noise: Float = 0.05
        /// The standard deviations of the fixed and the moving image's own noise, where they are known.
        var imageNoise = SIMD2<Float>.zero
    }
    /// How two images compare.
    struct Comparison {
        /// The unexplained share of the fixed image's local variance, 0…1.
        var cost: Double
        /// What `cost` is a share of: the variance of all windows, each in units of its own with noise.
        var contrast: Double
        /// The share of what is emphasised that overlaps.
        var overlap: Double
        /// The share of the variance that is not noise which the moving image explains, noise set aside, 0…1.
        var explained: Double
    }

    let grid: GridGeometry
    private let fixed: [SIMD2<Float>]
    private let moving: MovingImage
    private let noiseVariance: Float
    private let imageNoiseVariance: SIMD2<Float>
    private let radius: (i: Int, j: Int, k: Int)
    /// How much each voxel counts, besides the images' own weights.
    var emphasis: [Float]

    private var warped: [SIMD2<Float>]
    private var moments, buffer: [SIMD8<Float>]
    /// For each voxel of `grid`: the gradient (along the grid's axes, per millimetre) and the residual of its equation, weighted.
    private(set) var equations: [SIMD4<Float>]

    /// Compares over the part of the fixed image that has weight.
    init?(fixed image: RegistrationImage, moving: MovingImage, _ parameters: Parameters) {
        guard let box = Mask(image.weights, where: { $0 > 0 }).boundingBox else { return nil }
        let values = image.values.cropped(box.i, box.j, box.k), weights = image.weights.cropped(box.i, box.j, box.k)
        grid = values.geometry
        fixed = values.withUnsafeVoxels { values in
            weights.withUnsafeVoxels { weights in values.indices.map { SIMD2(values[$0], weights[$0]) } }
        }
        self.moving = moving
        noiseVariance = parameters.noise * parameters.noise
        imageNoiseVariance = parameters.imageNoise * parameters.imageNoise
        let voxels = (SIMD3(repeating: parameters.windowRadiusMM) / grid.spacing).rounded(.toNearestOrAwayFromZero)
        radius = (max(1, Int(voxels.x)), max(1, Int(voxels.y)), max(1, Int(voxels.z)))
        let count = grid.size.voxelCount
        emphasis = [Float](repeating: 1, count: count)
        warped = [SIMD2<Float>](repeating: .zero, count: count)
        moments = [SIMD8<Float>](repeating: .zero, count: count)
        buffer = moments
        equations = [SIMD4<Float>](repeating: .zero, count: count)
    }

    /// Fills `equations` for a transform of the fixed image's frame to the moving one's.
    ///
    mutating func evaluate(_ transform: AffineTransform, displacements: UnsafePointer<SIMD4<Float>>? = nil) -> Comparison {
        let (grid, moving) = (grid, moving)
        warped.withUnsafeMutableBufferPointer {
            moving.warp(onto: grid, through: transform, displacements: displacements, to: $0.baseAddress!)
        }
        sumAlongRows()
        sumAcrossRows()
        return finish()
    }

    /// Moments of a voxel: weight, weighted fixed, moving, their squares and product.
    private mutating func sumAlongRows() {
        let (size, reach) = (grid.size, radius.i)
        warped.withUnsafeBufferPointer { warped in
            fixed.withUnsafeBufferPointer { fixed in
                moments.withUnsafeMutableBufferPointer { moments in
                    nonisolated(unsafe) let moments = moments
                    forEachSlab(of: size.j * size.k, slab: 32) { rows in
                        withUnsafeTemporaryAllocation(of: SIMD8<Float>.self, capacity: size.i) { line in
                            for row in rows {
                                let start = row &* size.i
                                for i in 0..<size.i {
                                    let f = fixed[start &+ i], m = warped[start &+ i]
                                    let w = f.y * m.y
                                    line[i] = SIMD8(w, w * f.x, w * m.x, w * f.x * f.x, w * m.x * m.x, w * f.x * m.x, 0, 0)
                                }
                                for i in 0..<size.i {
                                    var sum = SIMD8<Float>.zero
                                    for n in max(0, i &- reach)...min(size.i &- 1, i &+ reach) { sum += line[n] }
                                    moments[start &+ i] = sum
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private mutating func sumAcrossRows() {
        let (size, reach) = (grid.size, radius.j)
        moments.withUnsafeBufferPointer { moments in
            buffer.withUnsafeMutableBufferPointer { buffer in
                nonisolated(unsafe) let buffer = buffer
                forEachSlab(of: size.j * size.k, slab: 32) { rows in
                    for row in rows {
                        let j = row % size.j, start = row &* size.i
                        let low = max(-j, -reach), high = min(size.j &- 1 &- j, reach)
                        for i in 0..<size.i {
                            var sum = SIMD8<Float>.zero
                            for n in low...high { sum += moments[start &+ i &+ n &* size.i] }
                            buffer[start &+ i] = sum
                        }
                    }
                }
            }
        }
    }

    /// Sums across slices, and makes each voxel's equation of its window's statistics.
    private mutating func finish() -> Comparison {
        let (size, reach, noise, imageNoise) = (grid.size, radius.k, noiseVariance, imageNoiseVariance)
        let pitch = size.sliceVoxelCount
        let perMM = SIMD3<Float>(0.5 / grid.spacing)
        // A window must hold a share of the voxels that it could.
        let enough = 0.3 * Float((2 * radius.i + 1) * (2 * radius.j + 1) * (2 * radius.k + 1))
        let (fixed, emphasis, buffer, warped) = (fixed, emphasis, buffer, warped)
        let sums = equations.withUnsafeMutableBufferPointer { equations in
            nonisolated(unsafe) let equations = equations
            return fixed.withUnsafeBufferPointer { fixed in
                emphasis.withUnsafeBufferPointer { emphasis in
                    buffer.withUnsafeBufferPointer { buffer in
                        warped.withUnsafeBufferPointer { warped in
                            mapSlabs(of: size.j * size.k, slab: 32) { rows -> SIMD8<Double> in
                                var sums = SIMD8<Double>.zero
                                for row in rows {
                                    let (j, k) = (row % size.j, row / size.j)
                                    let isInner = j > 0 && k > 0 && j < size.j - 1 && k < size.k - 1
                                    let low = max(-k, -reach), high = min(size.k &- 1 &- k, reach)
                                    for i in 0..<size.i {
                                        let offset = row &* size.i &+ i
                                        let own = fixed[offset].y * emphasis[offset]
                                        equations[offset] = .zero
                                        guard own > 0 else { continue }
                                        sums[2] += Double(own)
                                        let m = warped[offset]
                                        guard m.y > 0 else { continue }
                                        var sum = SIMD8<Float>.zero
                                        for n in low...high { sum += buffer[offset &+ n &* pitch] }
                                        guard sum[0] > enough else { continue }
                                        let mean = sum / sum[0]
                                        let (meanF, meanM) = (mean[1], mean[2])
                                        let varF = max(mean[3] - meanF * meanF, 0), varM = max(mean[4] - meanM * meanM, 0)
                                        let cov = mean[5] - meanF * meanM
                                        let slope = cov / (varM + noise), weight = own * m.y
                                        let scale = weight / (varF + noise)
                                        sums[0] += Double(scale * max(varF - slope * cov, 0))
                                        sums[1] += Double(scale * varF)
                                        sums[3] += Double(weight)
                                        sums[4] += Double(scale * imageNoise.x)
                                        sums[5] += Double(scale * slope * slope * imageNoise.y)
                                        guard isInner, i > 0, i < size.i &- 1 else { continue }
                                        let (l, r) = (warped[offset &- 1], warped[offset &+ 1])
                                        let (u, d) = (warped[offset &- size.i], warped[offset &+ size.i])
                                        let (b, t) = (warped[offset &- pitch], warped[offset &+ pitch])
                                        guard l.y * r.y * u.y * d.y * b.y * t.y > 0 else { continue }
                                        let gradient = SIMD3(r.x - l.x, d.x - u.x, t.x - b.x) * perMM * slope
                                        let residual = (fixed[offset].x - meanF) - slope * (m.x - meanM)
                                        equations[offset] = scale.squareRoot() * SIMD4(gradient, residual)
                                    }
                                }
                                return sums
                            }
                        }
                    }
                }
            }
        }.reduce(SIMD8<Double>.zero, +)
        let signal = sums[1] - sums[4]
        return Comparison(
            cost: sums[1] > 0 ? sums[0] / sums[1] : 1, contrast: sums[1], overlap: sums[2] > 0 ? sums[3] / sums[2] : 0,
            explained: signal > 0.05 * sums[1] ? min(1, max(0, 1 - (sums[0] - sums[4] - sums[5]) / signal)) : 0)
    }
}
