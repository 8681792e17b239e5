import ImageFilters
import ImagingCore

/// The bodies of ice around groups of active ends, one for each separate iceball.
struct IceBodies {
    let bodies: [IceBodyFit]
    /// Millimetres inside (positive) or outside the nearest body's surface along the ray from its centre, its standard deviation and
    /// whether an edge is seen there (0 … 1), on the coarse grid.
    let depth: Volume<Float>, deviation: Volume<Float>, visibility: Volume<Float>

    /// - Parameters:
    ///   - evidence: −1 … 1.
    ///   - groups: the active ends of each body.
    init?(_ evidence: Volume<Float>, groups: [IceGroup]) {
        guard !groups.isEmpty else { return nil }
        bodies = groups.map { group in
            let first = IceBodyFit(evidence, centre: group.centre, ends: group.ends)
            // Once more from the middle, from which the whole surface is seen at the least slant.
            return (first.centroid - group.centre).length > 2 ? IceBodyFit(evidence, centre: first.centroid, ends: group.ends) : first
        }
        let grid = evidence.geometry
        func fields(_ body: IceBodyFit) -> [Volume<Float>] {
            DirectionField([body.radii, body.deviations, body.visibility], at: body.directions).map(grid, centre: body.centre)
        }
        let result = Self.merged(bodies.map(fields))
        (depth, deviation, visibility) = (result[0], result[1], result[2])
    }

    /// The fields of several bodies, the first of which is the depth: at each voxel those of the body in which it lies deepest.
    static func merged(_ bodies: [[Volume<Float>]]) -> [Volume<Float>] {
        bodies.dropFirst().reduce(bodies[0]) { result, next in
            let deeper = next[0].combined(with: result[0]) { $0 > $1 ? 1 : 0 }
            return zip(result, next).map { old, new in old.combined(with: new, deeper) { $2 > 0 ? $1 : $0 } }
        }
    }

    /// What the shape alone says for ice at each voxel, −1.4 … 1.4: a little near the surface, much far from it.
    var prior: Volume<Float> {
        depth.combined(with: deviation) { depth, deviation in
            let near = max(-1, min(1, depth / (2 * deviation + 1)))
            let far = max(0, min(1, (abs(depth) - 3 * deviation - 3) / 6))
            return 0.4 * near + (depth > 0 ? far : -far)
        }
    }

    /// Towards which sides of the patient the surface shows no edge, most hidden first; empty where it is hidden on all sides alike.
    var hiddenSides: [String] {
        var sum = SIMD3<Double>.zero, area = 0.0
        for body in bodies {
            for ray in body.radii.indices {
                let weight = body.radii[ray] * body.radii[ray] * (1 - body.visibility[ray])
                sum += weight * body.directions[ray]
                area += weight
            }
        }
        let mean = sum / max(area, 1e-9)
        let names = [("left", "right"), ("back", "front"), ("head", "feet")]
        return (0..<3).filter { abs(mean[$0]) > 0.2 }.sorted { abs(mean[$0]) > abs(mean[$1]) }.map {
            mean[$0] > 0 ? names[$0].0 : names[$0].1
        }
    }

    private static let saidOfVisible = 0.6

    /// That much of the surface follows from the shape of the rest; `nil` where most of it shows an edge.
    func hiddenEdgeFinding(hasReference: Bool) -> Finding? {
        let visible = visibleShare
        guard visible < Self.saidOfVisible else { return nil }
        let sides = hiddenSides, place = sides.isEmpty ? "" : " mostly towards the patient's \(sides.joined(separator: " and ")),"
        return Finding(
            .warning, "ice-edge-partly-invisible",
            "\(Int((100 * (1 - visible)).rounded())) % of the ice's surface shows no edge,\(place) where fat, bone, streaks or gas hide it.",
            remedy: "Look at the outline there: it follows the shape of the visible rest. "
                + (hasReference
                    ? "Check that the scan taken before freezing lies on this one there, or draw the ice."
                    : "Compare with a scan taken before freezing."))
    }

    var visibleShare: Double {
        let areas = bodies.map { $0.radii.reduce(0) { $0 + $1 * $1 } }
        return zip(bodies, areas).reduce(0) { $0 + $1.0.visibleShare * $1.1 } / areas.reduce(0, +)
    }
}

extension IceBodyFit {
    /// The centroid of the body's volume.
    var centroid: SIMD3<Double> {
        var moment = SIMD3<Double>.zero, volume = 0.0
        for (u, r) in zip(directions, radii) {
            moment += 0.75 * r * r * r * r * u
            volume += r * r * r
        }
        return centre + moment / volume
    }
}
