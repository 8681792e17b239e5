import Foundation
import ImagingCore

/// A CT scanner: blur of the kernel, streaks of metal, noise, whole Hounsfield units from −1024 to 3071.
struct CTAcquisition {
    var hasContrast: Bool
    /// Standard deviation of the noise in HU.
    var noiseHU: Double
    /// The kernel's blur in plane, as the sigma of a Gaussian.
    var blurMM = 0.55
    var edgeBandMM: Double
    /// HU of the tumour, which a study chooses.
    var tumourHU: Double
    /// Stronger or weaker streaks around the probes; 0 for none.
    var streakStrength = 1.0

    var appearance: Appearance {
        func unfrozen(_ tissue: Tissue) -> Double {
            tissue == .tumour ? tumourHU : hasContrast ? tissue.properties.contrastHU : tissue.properties.plainHU
        }
        return Appearance(
            edgeBandMM: edgeBandMM, unfrozen: unfrozen, frozen: { unfrozen($0) + $0.properties.freezingHU }, texture: {
                $0.properties.textureHU
            })
    }

    func scan(_ scene: Scene, probes: [ProbePose], geometry: GridGeometry, sliceThicknessMM: Double, seed: UInt64) -> Volume<Int16> {
        var image = SceneRasterizer(scene: scene, geometry: geometry, sliceThicknessMM: sliceThicknessMM, appearance: appearance).render()
        let size = geometry.size
        let kernelI = SliceFilter.gaussian(sigmaPixels: blurMM / geometry.spacing.x)
        let kernelJ = SliceFilter.gaussian(sigmaPixels: blurMM / geometry.spacing.y)
        let noise = CorrelatedNoise(seed: seed, grainMM: 0.62, spacing: geometry.spacing)
        let streaks = MetalStreaks(
            probes: probes, geometry: geometry, sliceThicknessMM: sliceThicknessMM, strength: streakStrength, seed: seed)
        return Volume<Int16>(geometry: geometry) { result in
            nonisolated(unsafe) let result = result
            image.withUnsafeMutableVoxels { voxels in
                nonisolated(unsafe) let voxels = voxels
                forEachSlab(of: size.k, slab: 1) { range in
                    let k = range.lowerBound
                    let slice = UnsafeMutableBufferPointer(rebasing: voxels[k * size.sliceVoxelCount..<(k + 1) * size.sliceVoxelCount])
                    SliceFilter.blur(slice, width: size.i, kernelI: kernelI, kernelJ: kernelJ)
                    streaks.add(to: slice, k: k)
                    let grain = noise.slice(k, width: size.i, height: size.j)
                    let sigma = Float(noiseHU), offset = k * size.sliceVoxelCount
                    for index in 0..<slice.count {
                        // Noise in air is lower than in the body, where fewer photons arrive.
                        let value = slice[index] + grain[index] * (slice[index] < -950 ? 0.6 * sigma : sigma)
                        result[offset + index] = Int16(min(max(value, -1024), 3071).rounded())
                    }
                }
            }
        }
    }
}

/// Dark and bright rays around metal shafts, slice by slice.
///
/// Beam hardening and photon starvation dim the direction along which a shaft lies in the slice, and the line that joins two
/// shafts; undersampling adds thin rays on all sides. All fade with the distance from the metal.
struct MetalStreaks {
    private struct Section {
        var center, direction: SIMD2<Double>
        var halfLength, weight: Double
    }

    let geometry: GridGeometry
    let strength: Double
    private let probes: [ProbePose]
    private let sliceThicknessMM: Double
    private let seed: UInt64

    init(probes: [ProbePose], geometry: GridGeometry, sliceThicknessMM: Double, strength: Double, seed: UInt64) {
        (self.probes, self.geometry, self.sliceThicknessMM, self.strength, self.seed) = (probes, geometry, sliceThicknessMM, strength, seed)
    }

    /// The part of a shaft that lies in slice `k`, in millimetres along rows and columns.
    private func section(of probe: ProbePose, k: Int) -> Section? {
        let axes = geometry.axes
        func local(_ point: SIMD3<Double>) -> SIMD3<Double> { axes.components(of: PatientVector(point - geometry.origin.lps)) }
        let a = local(probe.tip), b = local(probe.tail)
        let low = Double(k) * geometry.spacing.z - sliceThicknessMM / 2 - 0.6, high = low + sliceThicknessMM + 1.2
        var t0 = 0.0, t1 = 1.0
        if abs(b.z - a.z) > 1e-6 {
            let u = (low - a.z) / (b.z - a.z), v = (high - a.z) / (b.z - a.z)
            (t0, t1) = (max(t0, min(u, v)), min(t1, max(u, v)))
        } else if a.z < low || a.z > high {
            return nil
        }
        guard t1 > t0 else { return nil }
        let p = a + t0 * (b - a), q = a + t1 * (b - a)
        let span = SIMD2(q.x - p.x, q.y - p.y), spanLength = (span * span).sum().squareRoot()
        return Section(
            center: SIMD2(p.x + q.x, p.y + q.y) / 2, direction: spanLength > 0.5 ? span / spanLength : SIMD2(1, 0),
            halfLength: spanLength / 2, weight: min(1, 0.45 + spanLength / 25))
    }

    func add(to slice: UnsafeMutableBufferPointer<Float>, k: Int) {
        guard strength > 0 else { return }
        let sections = probes.compactMap { section(of: $0, k: k) }
        guard !sections.isEmpty else { return }
        let size = geometry.size, spacing = geometry.spacing
        var generator = SeededGenerator(seed: seed, purpose: "streaks of slice \(k)")
        let rays = sections.map { _ in
            (0..<9).map { _ in (generator.uniform(0...Double.pi), generator.normal(), generator.uniform(0.025...0.06)) }
        }
        for (number, section) in sections.enumerated() {
            for j in 0..<size.j {
                for i in 0..<size.i {
                    let d = SIMD2(Double(i) * spacing.x, Double(j) * spacing.y) - section.center
                    let along = d.x * section.direction.x + d.y * section.direction.y
                    let across = d.y * section.direction.x - d.x * section.direction.y
                    let beyond = max(abs(along) - section.halfLength, 0)
                    let distance = (beyond * beyond + across * across).squareRoot()
                    guard distance < 90 else { continue }
                    let value = slice[j * size.i + i]
                    guard value > -700 else { continue }
                    var change = 0.0
                    if section.halfLength > 1.5, beyond > 0 {
                        let width = 1.6 + 0.06 * beyond
                        change -= 75 * exp(-across * across / (2 * width * width)) * exp(-beyond / 32)
                    }
                    // Bright flanks and a dark rim of the kernel right beside the metal.
                    change += 22 * exp(-(distance - 5) * (distance - 5) / 14) - 38 * exp(-(distance - 2) * (distance - 2) / 2.2)
                    let angle = atan2(d.y, d.x)
                    for (direction, height, width) in rays[number] {
                        var off = abs(angle - direction).truncatingRemainder(dividingBy: .pi)
                        off = min(off, .pi - off)
                        guard off < 4 * width else { continue }
                        change += 20 * height * exp(-off * off / (2 * width * width)) * exp(-distance / 28) * min(1, distance / 4)
                    }
                    slice[j * size.i + i] = value + Float(strength * section.weight * change)
                }
            }
        }
        darkenBetween(sections, slice)
    }

    private func darkenBetween(_ sections: [Section], _ slice: UnsafeMutableBufferPointer<Float>) {
        let size = geometry.size, spacing = geometry.spacing
        for first in sections.indices {
            for second in sections.indices where second > first {
                let a = sections[first].center, b = sections[second].center
                let span = b - a, gap = (span * span).sum().squareRoot()
                guard gap > 3, gap < 60 else { continue }
                let direction = span / gap
                for j in 0..<size.j {
                    for i in 0..<size.i {
                        let d = SIMD2(Double(i) * spacing.x, Double(j) * spacing.y) - a
                        let along = d.x * direction.x + d.y * direction.y, across = d.y * direction.x - d.x * direction.y
                        guard abs(across) < 8, along > -25, along < gap + 25, slice[j * size.i + i] > -700 else { continue }
                        let outside = max(-along, along - gap, 0)
                        slice[j * size.i + i] -= Float(strength * 30 * exp(-across * across / 6) * exp(-outside / 10))
                    }
                }
            }
        }
    }
}
