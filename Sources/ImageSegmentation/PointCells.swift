/// Points sorted into cubic cells, to find those near a place without looking at all.
struct PointCells {
    private let edgeMM: Double
    private let low: SIMD3<Int>, counts: SIMD3<Int>
    /// The points of cell n are `members[starts[n]..<starts[n + 1]]`, in ascending order.
    private let starts: [Int], members: [Int]

    /// - Parameter positions: millimetres along any orthogonal axes, within some metres of each other.
    init(_ positions: [SIMD3<Double>], edgeMM: Double) {
        let cells = positions.map { SIMD3<Int>(($0 / edgeMM).rounded(.down)) }
        let low = cells.reduce(cells.first ?? .zero) { pointwiseMin($0, $1) }, high = cells.reduce(low) { pointwiseMax($0, $1) }
        let counts = high &- low &+ 1
        func number(_ cell: SIMD3<Int>) -> Int {
            let place = cell &- low
            return place.x + counts.x * (place.y + counts.y * place.z)
        }
        var starts = [Int](repeating: 0, count: counts.x * counts.y * counts.z + 1)
        for cell in cells { starts[number(cell) + 1] += 1 }
        for cell in 1..<starts.count { starts[cell] += starts[cell - 1] }
        var free = starts, members = [Int](repeating: 0, count: positions.count)
        for (point, cell) in cells.enumerated() {
            members[free[number(cell)]] = point
            free[number(cell)] += 1
        }
        (self.edgeMM, self.low, self.counts, self.starts, self.members) = (edgeMM, low, counts, starts, members)
    }

    /// Which cells were visited.
    struct Visited {
        fileprivate var bits: [UInt64]
    }
    var noneVisited: Visited { Visited(bits: Array(repeating: 0, count: starts.count / 64 + 1)) }

    /// Hands on the points in the cells that a cube around a place touches, leaving out cells visited before.
    @inline(__always)
    func forEachPoint(around place: SIMD3<Double>, reachMM: Double, visited: inout Visited, _ body: (Int) -> Void) {
        let from = pointwiseMax(SIMD3<Int>(((place - reachMM) / edgeMM).rounded(.down)) &- low, .zero)
        let to = pointwiseMin(SIMD3<Int>(((place + reachMM) / edgeMM).rounded(.down)) &- low, counts &- 1)
        guard all(from .<= to) else { return }
        for z in from.z...to.z {
            for y in from.y...to.y {
                for x in from.x...to.x {
                    let cell = x &+ counts.x &* (y &+ counts.y &* z)
                    guard visited.bits[cell >> 6] & 1 << UInt64(cell & 63) == 0 else { continue }
                    visited.bits[cell >> 6] |= 1 << UInt64(cell & 63)
                    for member in starts[cell]..<starts[cell &+ 1] { body(members[member]) }
                }
            }
        }
    }
}
