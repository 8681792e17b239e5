import Foundation

/// The smooth function on a sphere's directions that noisy values at some of them make likeliest.
///
/// A Gaussian process whose energy is `stiffness` × the squared Laplacian over the unit sphere (a thin plate: features of degree l have
/// variance falling as 1/l⁴), solved by conjugate gradients.
struct SphereSmoothing {
    let sphere: SphereDirections
    let stiffness: Float
    /// For each direction the reciprocal variance of its value.
    let information: [Float]

    private let scale: Float

    init(sphere: SphereDirections, stiffness: Float, information: [Float]) {
        (self.sphere, self.stiffness, self.information) = (sphere, stiffness, information)
        // Mean over neighbours minus value ≈ spacing² / 4 × Laplacian.
        scale = 4 / (sphere.spacing * sphere.spacing)
    }

    /// The likeliest values given observed ones.
    func fit(_ observed: [Float], start: [Float]) -> [Float] {
        solve(zip(observed, information).map { $0 * $1 }, start: start)
    }

    /// The standard deviation of the fitted values by direction, from draws of the process, each seen through `RadialField`.
    func deviations(draws: Int = 12) -> [Float] {
        var random: UInt64 = 0x1CE
        func normal() -> Float {
            func unit() -> Double {
                random &+= 0x9E37_79B9_7F4A_7C15
                var z = random
                z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
                z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
                return Double((z ^ (z >> 31)) >> 11) / 9_007_199_254_740_992
            }
            return Float((-2 * log(max(unit(), 1e-300))).squareRoot() * cos(2 * .pi * unit()))
        }
        var squares = [Float](repeating: 0, count: sphere.count)
        for _ in 0..<draws {
            // A right-hand side with the operator's own covariance yields a draw from its inverse.
            let plate = laplacian((0..<sphere.count).map { normal() / (stiffness * sphere.solidAngles[$0]).squareRoot() })
            let side = (0..<sphere.count).map { n in stiffness * sphere.solidAngles[n] * plate[n] + information[n].squareRoot() * normal() }
            let draw = RadialField.joined(solve(side, start: [Float](repeating: 0, count: sphere.count)), on: sphere)
            for n in draw.indices { squares[n] += draw[n] * draw[n] / Float(draws) }
        }
        return sphere.averaged(sphere.averaged(squares)).map { $0.squareRoot() }
    }

    private func laplacian(_ values: [Float]) -> [Float] {
        (0..<sphere.count).map { n in
            let around = sphere.neighbourStarts[n]..<sphere.neighbourStarts[n + 1]
            return scale * (around.reduce(0) { $0 + values[sphere.neighbours[$1]] } / Float(around.count) - values[n])
        }
    }

    private func apply(_ x: [Float]) -> [Float] {
        let first = laplacian(x), second = laplacian(first)
        return x.indices.map { information[$0] * x[$0] + stiffness * sphere.solidAngles[$0] * second[$0] }
    }

    private func solve(_ side: [Float], start: [Float]) -> [Float] {
        var x = start
        let applied = apply(x)
        var residual = side.indices.map { side[$0] - applied[$0] }
        let diagonal = information.indices.map { information[$0] + stiffness * sphere.solidAngles[$0] * scale * scale * 1.17 }
        var prepared = residual.indices.map { residual[$0] / diagonal[$0] }, direction = prepared
        func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        var power = dot(residual, prepared)
        let enough = max(power, dot(side, side)) * 1e-9
        for _ in 0..<150 where power > enough {
            let image = apply(direction)
            let step = Float(power / max(dot(direction, image), 1e-30))
            for n in x.indices {
                x[n] += step * direction[n]
                residual[n] -= step * image[n]
                prepared[n] = residual[n] / diagonal[n]
            }
            let next = dot(residual, prepared), ratio = Float(next / power)
            for n in x.indices { direction[n] = prepared[n] + ratio * direction[n] }
            power = next
        }
        return x
    }
}
