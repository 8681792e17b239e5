import ImagingCore

/// What closed polygons in a plane enclose by the even–odd rule, millimetres.
struct PlanarRegion {
    var polygons: [[SIMD2<Double>]]

    struct Edge {
        var start: SIMD2<Double>
        var end: SIMD2<Double>

        @inline(__always)
        func squaredDistance(to point: SIMD2<Double>) -> Double {
            let along = end - start, offset = point - start
            let squaredLength = (along * along).sum()
            let t = squaredLength > 0 ? max(0, min(1, (offset * along).sum() / squaredLength)) : 0
            let gap = offset - t * along
            return (gap * gap).sum()
        }
    }

    var edges: [Edge] {
        polygons.flatMap { polygon in polygon.indices.map { Edge(start: polygon[$0], end: polygon[($0 + 1) % polygon.count]) } }
    }

    func holdsCopy(of polygon: [SIMD2<Double>]) -> Bool {
        func sorted(_ points: [SIMD2<Double>]) -> [SIMD2<Double>] { points.sorted { ($0.x, $0.y) < ($1.x, $1.y) } }
        let other = sorted(polygon)
        return polygons.contains { $0.count == other.count && sorted($0) == other }
    }

    /// The pieces of edges that part inside from outside.
    ///
    /// The channel of a keyhole and a border that two contours share have the same on both sides; they are left out, so that
    /// nothing lies near a border that is none.
    func boundary() -> [Edge] {
        let edges = edges
        return edges.flatMap { edge -> [Edge] in
            let along = edge.end - edge.start
            let length = (along * along).sum().squareRoot()
            guard length > 0 else { return [] }
            let count = max(1, (length / Self.pieceMM).rounded(.up))
            let across = Self.sideStepMM / length * SIMD2(-along.y, along.x)
            return (0..<Int(count)).compactMap { piece in
                let start = edge.start + Double(piece) / count * along, end = edge.start + Double(piece + 1) / count * along
                let middle = 0.5 * (start + end)
                return Self.contains(middle + across, edges) != Self.contains(middle - across, edges) ? Edge(start: start, end: end) : nil
            }
        }
    }
    private static let farOffMM: Float = -1000
    private static let pieceMM = 1.0
    /// Narrower gaps between edges than twice this do not count.
    private static let sideStepMM = 0.01

    private static func contains(_ point: SIMD2<Double>, _ edges: [Edge]) -> Bool {
        var inside = false
        for edge in edges where (edge.start.y > point.y) != (edge.end.y > point.y) {
            let x = edge.start.x + (point.y - edge.start.y) / (edge.end.y - edge.start.y) * (edge.end.x - edge.start.x)
            if x > point.x { inside.toggle() }
        }
        return inside
    }
}

/// A raster in a plane.
struct PlanarGrid {
    var origin: SIMD2<Double>
    var spacingMM: Double
    var columns: Int
    var rows: Int

    func point(_ column: Int, _ row: Int) -> SIMD2<Double> { origin + spacingMM * SIMD2(Double(column), Double(row)) }
}

extension PlanarRegion {
    /// The signed distance in millimetres from each raster point to the boundary, positive inside.
    ///
    /// Near the boundary exact; further off the nearest piece of boundary is handed from raster point to raster point, which is
    /// exact but for rare points by a few hundredths of a raster step. A region without boundary is far off everywhere.
    func signedDistance(on grid: PlanarGrid) -> [Float] {
        let boundary = boundary()
        let count = grid.columns * grid.rows
        guard !boundary.isEmpty else { return [Float](repeating: Self.farOffMM, count: count) }
        var nearest = [Int32](repeating: -1, count: count)
        var squared = [Double](repeating: .infinity, count: count)
        nearest.withUnsafeMutableBufferPointer { nearest in
            squared.withUnsafeMutableBufferPointer { squared in
                Self.seed(boundary, grid, nearest, squared)
                for _ in 0..<2 {
                    for (stepX, stepY) in [(1, 1), (-1, 1), (1, -1), (-1, -1)] {
                        Self.sweep(boundary, grid, stepX, stepY, nearest, squared)
                    }
                }
            }
        }
        var distance = squared.map { Float(-$0.squareRoot()) }
        for row in 0..<grid.rows { flipInside(&distance, row: row, grid) }
        return distance
    }

    private static func seed(
        _ boundary: [Edge], _ grid: PlanarGrid, _ nearest: UnsafeMutableBufferPointer<Int32>, _ squared: UnsafeMutableBufferPointer<Double>
    ) {
        for (index, edge) in boundary.enumerated() {
            let low = (pointwiseMin(edge.start, edge.end) - grid.origin) / grid.spacingMM - 1
            let high = (pointwiseMax(edge.start, edge.end) - grid.origin) / grid.spacingMM + 1
            for row in max(0, Int(low.y))...min(grid.rows - 1, Int(high.y.rounded(.up))) {
                for column in max(0, Int(low.x))...min(grid.columns - 1, Int(high.x.rounded(.up))) {
                    let distance = edge.squaredDistance(to: grid.point(column, row))
                    let offset = column &+ row &* grid.columns
                    if distance < squared[offset] { (squared[offset], nearest[offset]) = (distance, Int32(index)) }
                }
            }
        }
    }

    private static func sweep(
        _ boundary: [Edge], _ grid: PlanarGrid, _ stepX: Int, _ stepY: Int,
        _ nearest: UnsafeMutableBufferPointer<Int32>, _ squared: UnsafeMutableBufferPointer<Double>
    ) {
        boundary.withUnsafeBufferPointer { boundary in
            for lineNumber in 0..<grid.rows {
                let row = stepY > 0 ? lineNumber : grid.rows - 1 - lineNumber
                for cellNumber in 0..<grid.columns {
                    let column = stepX > 0 ? cellNumber : grid.columns - 1 - cellNumber
                    let offset = column &+ row &* grid.columns
                    let point = grid.point(column, row)
                    @inline(__always) func take(_ neighbour: Int) {
                        let candidate = nearest[neighbour]
                        guard candidate >= 0, candidate != nearest[offset] else { return }
                        let distance = boundary[Int(candidate)].squaredDistance(to: point)
                        if distance < squared[offset] { (squared[offset], nearest[offset]) = (distance, candidate) }
                    }
                    if cellNumber > 0 { take(offset &- stepX) }
                    if lineNumber > 0 { take(offset &- stepY &* grid.columns) }
                    if cellNumber > 0, lineNumber > 0 { take(offset &- stepX &- stepY &* grid.columns) }
                }
            }
        }
    }

    /// Makes the distances of the points of a row that lie inside positive.
    private func flipInside(_ distance: inout [Float], row: Int, _ grid: PlanarGrid) {
        let y = grid.point(0, row).y
        var crossings: [Double] = []
        for edge in edges where (edge.start.y > y) != (edge.end.y > y) {
            crossings.append(edge.start.x + (y - edge.start.y) / (edge.end.y - edge.start.y) * (edge.end.x - edge.start.x))
        }
        crossings.sort()
        for pair in stride(from: 0, to: crossings.count - crossings.count % 2, by: 2) {
            let first = max(0, Int(((crossings[pair] - grid.origin.x) / grid.spacingMM).rounded(.up)))
            let last = min(grid.columns - 1, Int(((crossings[pair + 1] - grid.origin.x) / grid.spacingMM).rounded(.down)))
            guard first <= last else { continue }
            for column in first...last { distance[column + row * grid.columns] = abs(distance[column + row * grid.columns]) }
        }
    }
}
