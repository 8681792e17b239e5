import Foundation
import ImagingCore

/// The exact relation of a tumour to a zone, from their functions alone.
///
/// Distances are right to about 0.01 mm, the minimum to about 0.001 mm; volumes to about 0.1 %.
struct MarginTruth: Sendable {
    private let tumour: RadialBody
    private let zone: any ImplicitShape
    private let zoneMesh: TriangleMesh
    private let zoneTree: TriangleTree
    private let distances: [Double]
    private let tumourFunction: @Sendable (SIMD3<Double>) -> Double

    /// Both bodies in the same space; the tumour is star-shaped about `center`, and lies within `reachMM` of it.
    init(
        tumourCenter center: SIMD3<Double>, reachMM: Double, tumour function: @escaping @Sendable (SIMD3<Double>) -> Double,
        zone: any ImplicitShape,
        stepMM: Double = 0.45, level: Int = 6
    ) {
        tumour = RadialBody(center: center, reachMM: reachMM, level: level, function: function)
        tumourFunction = function
        self.zone = zone
        zoneMesh = ImplicitSurfaceMesh.mesh(of: { zone.value(at: $0) }, in: zone.bounds.grown(by: 2), stepMM: stepMM)
        zoneTree = TriangleTree(zoneMesh)
        let vertices = tumour.surface.vertices, tree = zoneTree
        distances = mapSlabs(of: vertices.count, slab: 512) { range in
            range.map { index in
                let point = vertices[index].lps, distance = tree.nearest(to: point).distance
                return zone.value(at: point) >= 0 ? distance : -distance
            }
        }.flatMap { $0 }
    }

    var tumourBody: RadialBody { tumour }
    var zoneVolumeML: Double { zoneMesh.enclosedVolume / 1000 }
    var zoneBounds: Box {
        zoneMesh.vertices.reduce(Box(low: SIMD3(repeating: .infinity), high: SIMD3(repeating: -.infinity))) {
            Box(low: smaller($0.low, $1.lps), high: larger($0.high, $1.lps))
        }
    }

    /// The distance to the zone's surface in millimetres, positive inside the zone.
    func signedDistance(at point: SIMD3<Double>) -> Double {
        let distance = zoneTree.nearest(to: point).distance
        return zone.value(at: point) >= 0 ? distance : -distance
    }

    /// The same, with the nearest point sought on the function itself instead of the mesh.
    func exactSignedDistance(at point: SIMD3<Double>) -> Double {
        var best = onSurface(zoneTree.nearest(to: point).point), bestDistance = length(best - point)
        var step = 0.4
        while step > 1e-4 {
            let normal = normalize(gradient(at: best)), (u, v) = perpendiculars(to: normal)
            var isBetter = false
            for angle in stride(from: 0.0, to: 2 * .pi, by: .pi / 4) {
                let candidate = onSurface(best + step * (cos(angle) * u + sin(angle) * v)), distance = length(candidate - point)
                if distance < bestDistance { (best, bestDistance, isBetter) = (candidate, distance, true) }
            }
            if !isBetter { step /= 2 }
        }
        return zone.value(at: point) >= 0 ? bestDistance : -bestDistance
    }
    private func gradient(at point: SIMD3<Double>) -> SIMD3<Double> {
        let h = 1e-4
        func slope(_ d: SIMD3<Double>) -> Double { (zone.value(at: point + d) - zone.value(at: point - d)) / (2 * h) }
        return SIMD3(slope(SIMD3(h, 0, 0)), slope(SIMD3(0, h, 0)), slope(SIMD3(0, 0, h)))
    }
    private func onSurface(_ point: SIMD3<Double>) -> SIMD3<Double> {
        var point = point
        for _ in 0..<8 {
            let value = zone.value(at: point)
            if abs(value) < 1e-9 { break }
            let g = gradient(at: point)
            point -= value / max(dot(g, g), 1e-6) * g
        }
        return point
    }

    /// The minimum margin alone, for placing ice: millimetres, and where on the tumour's surface.
    func minimum() -> (marginMM: Double, point: SIMD3<Double>) {
        let start = distances.indices.min { distances[$0] < distances[$1] }!
        func surfacePoint(_ u: SIMD3<Double>) -> SIMD3<Double> {
            let far = 3 * tumour.radii[start]
            let r = ImplicitSurfaceMesh.root(
                { tumourFunction(tumour.center + $0 * u) }, 0, far, tumourFunction(tumour.center), tumourFunction(tumour.center + far * u),
                tolerance: 1e-8)
            return tumour.center + r * u
        }
        var direction = tumour.directions.vertices[start].lps
        var best = (marginMM: exactSignedDistance(at: surfacePoint(direction)), point: surfacePoint(direction))
        var step = 0.02
        while step > 2e-4 {
            let (u, v) = perpendiculars(to: direction)
            var isBetter = false
            for angle in stride(from: 0.0, to: 2 * .pi, by: .pi / 3) {
                let candidate = normalize(direction + step * (cos(angle) * u + sin(angle) * v))
                let point = surfacePoint(candidate), margin = exactSignedDistance(at: point)
                if margin < best.marginMM { (best, direction, isBetter) = ((margin, point), candidate, true) }
            }
            if !isBetter { step /= 2 }
        }
        return best
    }

    /// Everything that a margin report states.
    func margins(tumourID: String, zoneName: String) -> StudyTruth.Margins {
        let surface = tumour.surface, areas = surface.vertexAreas, total = areas.reduce(0, +)
        func share(_ isIn: (Double) -> Bool) -> Double { zip(distances, areas).reduce(0) { isIn($1.0) ? $0 + $1.1 : $0 } / total }
        let minimum = minimum()
        let none = [Double](repeating: 0, count: tumour.radii.count)
        let zone = zone, inZone: @Sendable (SIMD3<Double>) -> Double = { zone.value(at: $0) }
        let covered = tumour.volumeML(from: none, to: tumour.radii, where: inZone)
        return StudyTruth.Margins(
            tumour: tumourID, zone: zoneName, minimumMarginMM: minimum.marginMM, worstPointLPS: PatientPoint(minimum.point),
            surfaceFraction: .init(
                below0: share { $0 < 0 }, from0to5: share { $0 >= 0 && $0 < 5 }, from5to10: share { $0 >= 5 && $0 < 10 },
                atLeast10: share { $0 >= 10 }),
            tumourCoverage: covered / tumour.volumeML, residualVolumeML: max(tumour.volumeML - covered, 0),
            shellCoverage: shellCoverage(inZone))
    }

    /// The covered share of the shells from the tumour's surface to 1, 2, … 10 mm from it, without the tumour itself.
    private func shellCoverage(_ inZone: @escaping @Sendable (SIMD3<Double>) -> Double) -> [StudyTruth.ShellCoverage] {
        // A coarser sphere is fine enough for volumes.
        let shellLevel = self.tumour.radii.count > 10_242 ? 5 : 4
        let tumour = RadialBody(center: tumour.center, reachMM: 2.5 * tumour.radii.max()!, level: shellLevel, function: tumourFunction)
        let tree = TriangleTree(tumour.surface)
        // What lies within m of a star-shaped body is star-shaped too, so each direction leaves it once.
        let radii = mapSlabs(of: tumour.radii.count, slab: 128) { range in
            range.map { index -> [Double] in
                let u = tumour.directions.vertices[index].lps
                var inner = tumour.radii[index], distance = 0.0
                return (1...10).map { millimetres in
                    let target = Double(millimetres)
                    var outer = inner + 1.2 * (target - distance)
                    func excess(_ r: Double) -> Double { tree.nearest(to: tumour.center + r * u).distance - target }
                    var end = excess(outer)
                    while end < 0 { outer += 0.7; end = excess(outer) }
                    inner = ImplicitSurfaceMesh.root(excess, inner, outer, distance - target, end, tolerance: 1e-3)
                    distance = target
                    return inner
                }
            }
        }.flatMap { $0 }
        var covered = 0.0, whole = 0.0
        var inner = tumour.radii
        return (1...10).map { millimetres in
            let outer = radii.map { $0[millimetres - 1] }
            covered += tumour.volumeML(from: inner, to: outer, where: inZone)
            whole += tumour.volumeML(from: inner, to: outer, where: { _ in 1 })
            inner = outer
            return StudyTruth.ShellCoverage(marginMM: Double(millimetres), fraction: covered / whole)
        }
    }

    /// How near the zone comes to a tube that the motion carries along; negative where the tube lies inside the zone.
    func structure(_ structure: SitePlan.Structure, zoneName: String, motion: PatientMotion) -> StudyTruth.Structure {
        let tube = structure.tube, zoneBox = zoneBounds
        let sections: [(distance: Double, point: SIMD3<Double>)] = mapSlabs(of: tube.segments.count, slab: 1) { range in
            let segment = tube.segments[range.lowerBound], axis = segment.end - segment.start, along = length(axis)
            guard along > 1e-9 else { return (.infinity, .zero) }
            let (u, v) = perpendiculars(to: axis / along)
            var best = (distance: Double.infinity, point: SIMD3<Double>.zero)
            for position in stride(from: 0, through: along, by: 0.5) {
                let center = segment.start + position / along * axis
                let moved = motion(PatientPoint(center)).lps
                guard zoneBox.distance(to: moved) - 1.4 * tube.radius < best.distance else { continue }
                // Cheap bound first: the whole ring lies within a radius of its centre (and a little for the motion's stretch).
                guard -signedDistance(at: moved) - 1.4 * tube.radius < best.distance else { continue }
                for angle in stride(from: 0.0, to: 2 * .pi, by: .pi / 24) {
                    let point = motion(PatientPoint(center + tube.radius * (cos(angle) * u + sin(angle) * v))).lps
                    let distance = -signedDistance(at: point)
                    if distance < best.distance { best = (distance, point) }
                }
            }
            return best
        }
        let best = sections.min { $0.distance < $1.distance }!
        return StudyTruth.Structure(
            name: structure.name, zone: zoneName, minimumDistanceMM: best.distance, nearestPointLPS: PatientPoint(best.point),
            overlapVolumeML: best.distance < 0 ? overlapML(with: tube, motion: motion) : 0, limitMM: structure.limitMM)
    }

    private func overlapML(with tube: Tube, motion: PatientMotion) -> Double {
        let box = zoneBounds, step = 0.4
        let n = ((box.high - box.low) / step).rounded(.up)
        let counts = mapSlabs(of: Int(n.z), slab: 1) { range -> Int in
            var count = 0
            for y in 0..<Int(n.y) {
                for x in 0..<Int(n.x) {
                    let point = box.low + step * (SIMD3(Double(x), Double(y), Double(range.lowerBound)) + 0.5)
                    if tube.value(at: motion.planningPoint(of: point)) > 0, zone.value(at: point) > 0 { count += 1 }
                }
            }
            return count
        }
        return Double(counts.reduce(0, +)) * step * step * step / 1000
    }
}
