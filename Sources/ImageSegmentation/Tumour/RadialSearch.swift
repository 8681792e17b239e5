import Foundation
import ImagingCore

/// An image read along rays from a centre, at radii that grow by a constant factor.
struct RadialSamples {
    let sphere: SphereDirections
    let radii: [Float]
    /// For each direction its readings by radius; not a number beyond the scan.
    let values: [Float]
    /// The factor between neighbouring radii, as a logarithm.
    let logStep: Float

    init(_ image: Volume<Float>, center: PatientPoint, sphere: SphereDirections, smallestMM: Float, largestMM: Float, count: Int) {
        self.sphere = sphere
        logStep = log(largestMM / smallestMM) / Float(count - 1)
        let logStep = logStep
        let radii = (0..<count).map { smallestMM * exp(Float($0) * logStep) }
        self.radii = radii
        let geometry = image.geometry, size = image.size
        let middle = SIMD3<Float>(geometry.continuousIndex(center).ijk)
        let axes = [geometry.axes.i, geometry.axes.j, geometry.axes.k].map { SIMD3<Float>($0.lps) }
        let spacing = SIMD3<Float>(geometry.spacing)
        let last = SIMD3(Float(size.i), Float(size.j), Float(size.k)) - 0.5
        values = image.withUnsafeVoxels { voxels in
            let sample = TrilinearSampler(voxels, size: size)
            return [Float](unsafeUninitializedCapacity: sphere.count * count) { target, initialized in
                let first = target.baseAddress!
                forEachSlab(of: sphere.count, slab: 32) { range in
                    for n in range {
                        let d = sphere.directions[n]
                        let perMM = SIMD3((d * axes[0]).sum(), (d * axes[1]).sum(), (d * axes[2]).sum()) / spacing
                        for s in 0..<count {
                            let place = middle + radii[s] * perMM
                            (first + (n &* count &+ s)).initialize(to: any(place .< -0.5) || any(place .> last) ? .nan : sample(place))
                        }
                    }
                }
                initialized = sphere.count * count
            }
        }
    }
}

/// Where a closed surface around a centre lies, as a distribution over the radii of each direction.
struct RadialPosterior {
    /// The expected logarithm of the radius, and its standard deviation, by direction.
    let meanLog: [Float], deviationLog: [Float]

    /// Belief propagation (sum-product) on the sphere: each direction's evidence, and neighbours whose radii differ little.
    ///
    /// - Parameters:
    ///   - evidence: for each direction the logarithm of the likelihood of a surface just inside each radius.
    ///   - roughness: standard deviation of the difference of log radius between neighbours; the same for any number of directions
    init(evidence: [Float], samples: RadialSamples, roughness: Float, iterations: Int) {
        let sphere = samples.sphere, count = samples.radii.count, nodes = sphere.count
        let width = max(roughness / samples.logStep, 0.5)
        let reach = min(Int((3.5 * width).rounded(.up)), count - 1)
        var kernel = (0...reach).map { exp(-0.5 * pow(Float($0) / width, 2)) }
        let total = kernel[0] + 2 * kernel.dropFirst().reduce(0, +)
        // A few neighbours in a thousand differ by anything: a step between lobes.
        kernel = kernel.map { $0 / total }
        let jump: Float = 0.002 / Float(count)

        var local = evidence
        for n in 0..<nodes {
            let row = n * count..<(n + 1) * count
            let most = local[row].max()!
            for at in row { local[at] = max(exp(local[at] - most), 1e-12) }
        }
        var messages = [Float](repeating: 1, count: sphere.neighbours.count * count), next = messages
        var belief = local
        func gather(_ messages: [Float]) {
            belief.withUnsafeMutableBufferPointer { belief in
                local.withUnsafeBufferPointer { local in
                    messages.withUnsafeBufferPointer { messages in
                        for n in 0..<nodes {
                            let here = belief.baseAddress! + n * count, own = local.baseAddress! + n * count
                            here.update(from: own, count: count)
                            for edge in sphere.neighbourStarts[n]..<sphere.neighbourStarts[n + 1] {
                                // What the neighbour says to this direction.
                                let incoming = messages.baseAddress! + sphere.reverse[edge] * count
                                for s in 0..<count { here[s] *= incoming[s] }
                            }
                            var sum: Float = 0
                            for s in 0..<count { sum += here[s] }
                            let scale = 1 / max(sum, 1e-30)
                            for s in 0..<count { here[s] = max(here[s] * scale, 1e-20) }
                        }
                    }
                }
            }
        }
        for _ in 0..<iterations {
            gather(messages)
            let belief = belief, old = messages
            next.withUnsafeMutableBufferPointer { target in
                nonisolated(unsafe) let target = target
                forEachSlab(of: nodes, slab: 16) { range in
                    var cavity = [Float](repeating: 0, count: count + 2 * reach)
                    for n in range {
                        for edge in sphere.neighbourStarts[n]..<sphere.neighbourStarts[n + 1] {
                            let incoming = sphere.reverse[edge] * count
                            var sum: Float = 0
                            for s in 0..<count {
                                let value = belief[n &* count &+ s] / max(old[incoming &+ s], 1e-12)
                                cavity[reach &+ s] = value
                                sum += value
                            }
                            let scale = 1 / max(sum, 1e-30)
                            let row = edge &* count
                            var most: Float = 0
                            for s in 0..<count {
                                var mixed = kernel[0] * cavity[reach &+ s]
                                for t in 1...reach { mixed += kernel[t] * (cavity[reach &+ s &- t] + cavity[reach &+ s &+ t]) }
                                let message = mixed * scale + jump
                                target[row &+ s] = message
                                most = max(most, message)
                            }
                            let lift = 1 / most
                            for s in 0..<count { target[row &+ s] = max(target[row &+ s] * lift, 1e-8) }
                        }
                    }
                }
            }
            swap(&messages, &next)
        }
        gather(messages)
        var means = [Float](repeating: 0, count: nodes), deviations = means
        for n in 0..<nodes {
            var first: Float = 0, second: Float = 0
            for s in 0..<count {
                let p = belief[n * count + s], x = Float(s)
                first += p * x
                second += p * x * x
            }
            // A surface "just inside" radius s lies half a step before it.
            means[n] = log(samples.radii[0]) + (first - 0.5) * samples.logStep
            deviations[n] = max(second - first * first, 0.05).squareRoot() * samples.logStep
        }
        (meanLog, deviationLog) = (means, deviations)
    }
}
