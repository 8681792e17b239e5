import Foundation
import ImagingCore

/// What a person should know where points and scan disagree.
struct StrokeFindings {
    let prompt: TumourPrompt
    let parts: [RadialTumourFit]
    /// Before and after the points had their way, positive inside.
    let found: Volume<Float>, surface: Volume<Float>

    /// Further than this from the surface an end of an axis was not placed with it in view.
    private static let leastMissMM = 3.0, missShare = 0.15
    /// Odds (as a logarithm) above which grey levels are the tumour's, and how near to it they then mean that no edge shows.
    private static let alike: Float = 0.5, besideMM = 1.5

    var findings: [Finding] { prompt.include.compactMap(include) + prompt.exclude.compactMap(exclude) + (axis.map { [$0] } ?? []) }

    /// An include point that no part that shows an edge holds.
    private func include(_ point: PatientPoint) -> Finding? {
        guard let level = level(found, at: point), level < 0 else { return nil }
        return Finding(
            .warning, "include-without-edge",
            "Around the include point \(point.text) the scan shows no part of a tumour; only the point itself was taken in.",
            remedy: "Move the point onto the tumour, put several into the part that is missing, or give a mask.")
    }

    private func exclude(_ point: PatientPoint) -> Finding? {
        let deepest = parts.map { part -> Float in
            let place = SIMD3<Float>((point - part.center).lps), n = part.sphere.nearest(to: place)
            return part.odds.logOdds(part.reading(at: place), direction: n)
        }.max() ?? 0
        let reach = 1.2 * Double(parts[0].meanRadius) + Self.besideMM
        guard deepest > Self.alike, parts[0].center.distance(to: point) < reach else { return nil }
        return Finding(
            .warning, "exclude-looks-like-tumour",
            "What lies at \(point.text), which is to be left out, looks like the tumour: the outline there follows the point, not an edge.",
            remedy: "Look at the outline there; add exclude points along the neighbour's border, or remove the point if it is tumour.")
    }

    private var axis: Finding? {
        guard let axis = prompt.axis else { return nil }
        let misses = [axis.first, axis.second].map { abs(Double(level(surface, at: $0) ?? -.infinity)) }
        let most = max(misses[0], misses[1])
        guard most > max(Self.leastMissMM, Self.missShare * axis.lengthMM) else { return nil }
        let far = most.isFinite ? "\(Int(most.rounded())) mm" : "far"
        return Finding(
            .warning, "axis-ends-off-edge", "An end of the axis lies \(far) off the edge that the scan shows.",
            remedy: "Look whether the outline is that of the tumour that was measured; correct the ends, or give a mask.")
    }

    private func level(_ field: Volume<Float>, at point: PatientPoint) -> Float? {
        let voxel = field.geometry.continuousIndex(point).nearest
        return field.size.contains(voxel) ? field[voxel] : nil
    }
}

extension RadialTumourFit {
    /// The image at a place relative to the centre, by the nearest direction and radius.
    func reading(at place: SIMD3<Float>) -> Float {
        let n = sphere.nearest(to: place), r = max((place * place).sum().squareRoot(), samples.radii[0]), count = samples.radii.count
        let s = min(count - 1, Int((log(r / samples.radii[0]) / samples.logStep).rounded()))
        let value = samples.values[n * count + s]
        return value.isNaN ? odds.insideMedian - 20 * odds.insideSpread : value
    }
}
