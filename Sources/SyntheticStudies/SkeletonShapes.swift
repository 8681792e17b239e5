import Foundation

/// A column of vertebral bodies along z, one every `Spine.spacing` millimetres; `inset` gives the marrow space.
struct VertebralBodies: ImplicitShape {
    var center: SIMD2<Double>
    var inset = 0.0

    func value(at point: SIMD3<Double>) -> Double {
        let dz = Spine.offsetFromVertebra(point.z)
        // Waisted halfway up, as bodies are.
        let waist = 1.5 * (1 - (dz / 13.5) * (dz / 13.5))
        let u = (point.x - center.x) / (24 - waist), v = (point.y - center.y) / (18 - waist)
        let k0 = (u * u + v * v).squareRoot()
        let k1 = ((u / 24) * (u / 24) + (v / 18) * (v / 18)).squareRoot()
        let side = k1 > 1e-9 ? k0 * (1 - k0) / k1 : 18
        return min(side, 13.5 - abs(dz)) - inset
    }
    var bounds: Box { Box(low: SIMD3(center.x - 24, center.y - 18, -1e6), high: SIMD3(center.x + 24, center.y + 18, 1e6)) }
}

/// Pedicles, laminae, transverse and spinous processes of every vertebra.
struct NeuralArches: ImplicitShape {
    var canal: SIMD2<Double>
    var inset = 0.0

    func value(at point: SIMD3<Double>) -> Double {
        let dz = Spine.offsetFromVertebra(point.z)
        let x = abs(point.x - canal.x), y = point.y - canal.y
        let ring = min(15 - (x * x + y * y * 1.25).squareRoot(), 9.5 - abs(dz - 1))
        let transverse = min(4 - abs(y + 1 + 0.12 * x), 5 - abs(dz), x - 10, 34 - x)
        let spinous = min(3.4 - x, 9 - abs(dz + 4 + 0.15 * y), y - 10, 33 - y)
        let facet = 7 - ((x - 16) * (x - 16) + (y - 4) * (y - 4) + 0.3 * (abs(dz) - 14) * (abs(dz) - 14)).squareRoot()
        return max(max(ring, transverse), max(spinous, facet)) - inset
    }
    var bounds: Box { Box(low: SIMD3(canal.x - 36, canal.y - 24, -1e6), high: SIMD3(canal.x + 36, canal.y + 36, 1e6)) }
}

enum Spine {
    static let spacing = 34.0
    /// The distance along z from the middle of the nearest vertebra.
    @inline(__always) static func offsetFromVertebra(_ z: Double) -> Double { z - (z / spacing).rounded() * spacing }
}

/// The ribs: bars along the chest wall that slope down towards the front.
struct Ribs: ImplicitShape {
    var wall: Trunk
    var inset = 0.0
    static let spacing = 27.0

    func value(at point: SIMD3<Double>) -> Double {
        let depth = wall.value(at: point)
        guard abs(depth) < 60 else { return -abs(depth) }
        // Down by 0.55 mm per millimetre towards the front.
        let level = point.z - 0.55 * (point.y - 60) - 12
        let number = (level / Self.spacing).rounded()
        let dz = (level - number * Self.spacing) * 0.87
        let section = ((depth / 4.2) * (depth / 4.2) + (dz / 7.2) * (dz / 7.2)).squareRoot()
        let bar = (1 - section) * 4.2
        // The two lowest are short; the others end in cartilage in front.
        let front = point.y + (number < 1 ? -40 : number < 2 ? -5 : 75)
        let lowest = point.z - (number < 0 ? 1e3 : -60)
        return min(bar, front, lowest, abs(point.x) - 22) - inset
    }
    var bounds: Box {
        Box(low: SIMD3(wall.bounds.low.x - 8, wall.bounds.low.y - 8, -70), high: SIMD3(wall.bounds.high.x + 8, wall.bounds.high.y + 8, 1e6))
    }
}
