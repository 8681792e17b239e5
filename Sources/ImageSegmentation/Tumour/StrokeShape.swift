import Foundation
import ImagingCore

/// What a person's points do to a surface that was found, whatever the scan shows: an include point lies inside, an exclude point outside.
struct StrokeShape {
    let prompt: TumourPrompt
    private static let leastReachMM = 0.8, mostReachMM = 3.0

    /// - Parameter levels: positive inside, in mm near the surface.
    func applied(to levels: Volume<Float>) -> Volume<Float> {
        guard !prompt.include.isEmpty || !prompt.exclude.isEmpty else { return levels }
        let balls = prompt.include.map { (place: $0, reach: reach($0, from: prompt.exclude), inside: true) }
            + prompt.exclude.map { (place: $0, reach: reach($0, from: [prompt.seed] + prompt.include), inside: false) }
        return balls.reduce(levels) { result, ball in
            let distances = SeedField(grid: levels.geometry, seed: ball.place).distances, reach = Float(ball.reach)
            return result.combined(with: distances) { level, distance in
                ball.inside ? max(level, reach - distance) : min(level, distance - reach)
            }
        }
    }

    /// Half way to the nearest point of the opposite meaning, at most.
    private func reach(_ point: PatientPoint, from others: [PatientPoint]) -> Double {
        let nearest = others.map { $0.distance(to: point) }.min() ?? .infinity
        return max(Self.leastReachMM, min(Self.mostReachMM, 0.45 * nearest))
    }
}
