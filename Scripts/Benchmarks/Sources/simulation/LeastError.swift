import Foundation
import IceballSimulation
import ImagingCore

/// The least error that anything could reach that knows how cases are drawn and sees their edges: the spread that is left of linear changes
/// of the ice, where both they and the errors of the edge are normally distributed, as they are here. Without vessels, about which it knows
/// nothing.
struct LeastError {
    static func run() throws {
        print(
            "least possible rms of edge, −20 °C, −40 °C without vessels: before → with the edge, known probes | power and places unknown, too")
        for count in 1...3 {
            let told = try IceCase.probes(count), nominal = IceDraw(probeCount: count), base = try radii(nominal, told)
            let slopes = try (0..<nominal.count).map { index in
                var moved = nominal
                moved.move(index)
                return zip(try radii(moved, told), base).map { zip($0, $1).map { $0 - $1 } }
            }
            let known = [0, 1, 2, 3], all = Array(0..<nominal.count)
            print("\(count) probe\(count == 1 ? " " : "s"): " + [known, all].map { kept in
                let left = posterior(kept.map { slopes[$0][0] })
                return (0..<3).map { number -> String in
                    let columns = kept.map { slopes[$0][number + 1] },
                        before = rms(columns, kept.indices.map { a in kept.indices.map { a == $0 ? 1 : 0 } })
                    return String(format: "%5.2f →%5.2f mm", before, rms(columns, left))
                }.joined(separator: "  ")
            }.joined(separator: "  |  "))
        }
    }

    /// Along the edge's directions, then along those where errors are taken: of the edge, −20 and −40 °C.
    private static func radii(_ draw: IceDraw, _ told: [PlacedProbe]) throws -> [[Double]] {
        let truth = try IceCase.truth(draw.world(try IceCase.medium(spacingMM: 1.5)), draw.probes(told))
        let judged = IceCase.directions(80).filter { abs($0.lps.z) < 0.8 }
        func along(_ directions: [PatientVector], _ isothermC: Double) -> [Double] {
            directions.map { truth.radiusMM(of: isothermC, from: IceCase.center, along: $0) ?? 0 }
        }
        return [along(IceCase.edgeDirections, IceCase.edgeTemperatureC)] + [IceCase.edgeTemperatureC, -20, -40].map { along(judged, $0) }
    }

    /// The covariance of the numbers that were drawn, once the edge is seen. Errors of regions, and of the whole, are unknowns as well.
    private static func posterior(_ columns: [[Double]]) -> [[Double]] {
        let error = IceCase.edgeErrorMM
        let regions = (0..<IceCase.regionCount).map { region in
            IceCase.edgeDirections.map { IceCase.region($0) == region ? error.region : 0 }
        }
        let unknowns = columns + regions + [IceCase.edgeDirections.map { _ in error.whole }], count = unknowns.count
        var work = unknowns.indices.map { a in
            unknowns.indices.map { b in
                (a == b ? 1 : 0) + zip(unknowns[a], unknowns[b]).reduce(0) { $0 + $1.0 * $1.1 } / (error.own * error.own)
            }
                + unknowns.indices.map { a == $0 ? 1.0 : 0 }
        }
        for pivot in 0..<count {
            let scale = work[pivot][pivot]
            for column in 0..<2 * count { work[pivot][column] /= scale }
            for row in 0..<count where row != pivot {
                let factor = work[row][pivot]
                for column in 0..<2 * count { work[row][column] -= factor * work[pivot][column] }
            }
        }
        return columns.indices.map { row in columns.indices.map { work[row][count + $0] } }
    }

    private static func rms(_ columns: [[Double]], _ covariance: [[Double]]) -> Double {
        let points = columns[0].indices
        let sum = points.reduce(0.0) { sum, point in
            sum + columns.indices.reduce(0) { partial, a in
                partial + columns[a][point] * columns.indices.reduce(0) { $0 + covariance[a][$1] * columns[$1][point] }
            }
        }
        return (sum / Double(points.count)).squareRoot()
    }
}
