import ImagingCore

/// Straight lines among points: a line starts where the points around one of them lie along a direction, and grows at both ends.
struct StraightLineSearch {
    private let points: [MetalPoint]
    private let sliceSpacingMM: Double
    private var isLeft: [Bool]
    private let cells: PointCells
    private static let cellMM = 8.0
    /// How far from its axis a shaft's points lie; across slices half of a slice more.
    private static let tubeMM = 1.7
    private static let gapMM = 6.0, bridgedGapMM = 18.0
    private static let shortestMM = 20.0

    init(_ points: [MetalPoint], sliceSpacingMM: Double) {
        (self.points, self.sliceSpacingMM) = (points, sliceSpacingMM)
        isLeft = Array(repeating: true, count: points.count)
        cells = PointCells(points.map(\.position), edgeMM: Self.cellMM)
    }

    /// Goes through every line, the most line-like beginnings first; the points of a line are used up whatever is made of it.
    ///
    /// Hardly any comes to something: some are looked at together, and the next are grown meanwhile, as though those came to nothing.
    ///
    /// - Parameters:
    ///   - look: called on several threads.
    ///   - decide: called for one line after another, with what `look` made of it; returns the stretch whose points are used up where the
    ///     line comes to something. What was found of those after it is then forgotten, and looked for anew.
    mutating func forEachLine<Outcome>(
        look: (LineStretch) -> Outcome?, decide: (LineStretch, Outcome?) -> LineStretch?
    ) {
        // A shaft in the midst of others begins to look like a line once their points are used up.
        var known: [Int: Beginning] = [:]
        for _ in 0..<2 {
            let seeds = seeds(&known)
            var company = company(of: seeds, from: 0, count: Self.fewestLines)
            while !company.lines.isEmpty {
                isLeft = company.isLeft
                let lines = company.lines, next = company.nextSeed, count = min(2 * lines.count, Self.mostLines)
                let parts = mapSlabs(of: 1 + lines.count, slab: 1) { [self] part -> (next: Company?, outcome: Outcome?) in
                    let number = part.lowerBound
                    return number == 0
                        ? (self.company(of: seeds, from: next, count: count), nil) : (nil, look(lines[number - 1].line))
                }
                company = parts[0].next!
                for (line, part) in zip(lines, parts.dropFirst()) {
                    guard let stretch = decide(line.line, part.outcome) else { continue }
                    isLeft = line.before
                    useUp(stretch, from: seeds[line.seed])
                    company = self.company(of: seeds, from: line.seed + 1, count: Self.fewestLines)
                    break
                }
            }
        }
    }

    /// A few lines, each grown as though those before it came to nothing, and what was left before it.
    private struct Company {
        var lines: [(line: LineStretch, seed: Int, before: [Bool])] = []
        /// After all of them.
        var isLeft: [Bool]
        var nextSeed: Int
    }

    private func company(of seeds: [Seed], from first: Int, count: Int) -> Company {
        var search = self, company = Company(isLeft: isLeft, nextSeed: first)
        while company.lines.count < count, company.nextSeed < seeds.count {
            let seed = seeds[company.nextSeed]
            if company.isLeft[seed.point], let line = search.grown(from: seed) {
                company.lines.append((line, company.nextSeed, company.isLeft))
                search.useUp(line, from: seed)
                company.isLeft = search.isLeft
            }
            company.nextSeed += 1
        }
        return company
    }

    /// How many lines are looked at together: the more, the busier threads are kept, and the more is vain where one comes to something.
    private static let fewestLines = 2, mostLines = 8

    private mutating func useUp(_ stretch: LineStretch, from seed: Seed) {
        for index in near(stretch, within: stretch.range.lowerBound - 3...stretch.range.upperBound + 3, widening: 1.5) {
            isLeft[index] = false
        }
        isLeft[seed.point] = false
    }

    private struct Seed {
        var point: Int
        var middle, direction: SIMD3<Double>
        var score: Double
    }

    /// What was found around a point, and how many points that was found among.
    private struct Beginning {
        var pointsAround: Int
        var seed: Seed?
    }

    /// The heaviest point of every few millimetres, where its neighbours lie along a line.
    ///
    /// - Parameter known: what was found before, which holds where no point was used up since.
    private func seeds(_ known: inout [Int: Beginning]) -> [Seed] {
        let places = Dictionary(grouping: points.indices.filter { isLeft[$0] }) { SIMD3<Int32>((points[$0].position / 4).rounded(.down)) }
        let heaviest = places.values.map { place in place.max { (points[$0].weight, $1) < (points[$1].weight, $0) }! }.sorted()
        let found = mapSlabs(of: heaviest.count, slab: 64) { [known] range in
            range.map { beginning(at: heaviest[$0], known: known[heaviest[$0]]) }
        }.flatMap { $0 }
        known = Dictionary(uniqueKeysWithValues: zip(heaviest, found))
        return found.compactMap(\.seed).sorted { ($0.score, $1.point) > ($1.score, $0.point) }
    }

    private func beginning(at index: Int, known: Beginning?) -> Beginning {
        let here = points[index].position, reach = 7 + 0.5 * sliceSpacingMM
        var around: [Int] = [], visited = cells.noneVisited
        cells.forEachPoint(around: here, reachMM: reach, visited: &visited) { other in
            if isLeft[other], (points[other].position - here).length <= reach { around.append(other) }
        }
        if let known, known.pointsAround == around.count { return known }
        return Beginning(pointsAround: around.count, seed: seed(at: index, among: around))
    }

    private func seed(at index: Int, among around: [Int]) -> Seed? {
        let near = linked(around, from: index)
        guard near.count >= 5 else { return nil }
        let total = near.reduce(0) { $0 + points[$1].weight }
        let mean = near.reduce(SIMD3<Double>.zero) { $0 + points[$1].weight * points[$1].position } / total
        var covariance = (SIMD3<Double>.zero, SIMD3<Double>.zero, SIMD3<Double>.zero)
        for other in near {
            let offset = points[other].position - mean, weight = points[other].weight / total
            covariance.0 += weight * offset.x * offset
            covariance.1 += weight * offset.y * offset
            covariance.2 += weight * offset.z * offset
        }
        let (direction, largest) = Self.principal(covariance)
        let rest = covariance.0.x + covariance.1.y + covariance.2.z - largest
        guard largest > 6, rest < 0.4 * largest else { return nil }
        return Seed(point: index, middle: mean, direction: direction, score: (1 - rest / largest) * total.squareRoot())
    }

    /// In one slice or the next, and this near in the slice's plane, two points may be of one shaft; parallel probes lie 8 mm apart or
    /// more.
    private static let linkMM = 3.0

    /// Those of `members` that a chain of short steps joins to a point.
    private func linked(_ members: [Int], from start: Int) -> [Int] {
        var rest = members.filter { $0 != start }.map { (at: points[$0].position, point: $0) }
        var chain = [(at: points[start].position, point: start)], next = 0
        let farthestZ = 1.5 * sliceSpacingMM
        rest.withUnsafeMutableBufferPointer { rest in
            var count = rest.count
            while next < chain.count, count > 0 {
                let here = chain[next].at
                var left = 0
                for index in 0..<count {
                    let other = rest[index], x = other.at.x - here.x, y = other.at.y - here.y
                    if x * x + y * y <= Self.linkMM * Self.linkMM, abs(other.at.z - here.z) < farthestZ {
                        chain.append(other)
                    } else {
                        rest[left] = other
                        left += 1
                    }
                }
                (count, next) = (left, next + 1)
            }
        }
        return chain.map(\.point)
    }

    /// The largest eigenvalue of a symmetric matrix and its vector, by squaring.
    private static func principal(_ rows: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)) -> (SIMD3<Double>, Double) {
        var vector = [rows.0, rows.1, rows.2].max { $0.length < $1.length }!
        for _ in 0..<40 {
            let next = SIMD3((rows.0 * vector).sum(), (rows.1 * vector).sum(), (rows.2 * vector).sum())
            guard next.length > 0 else { break }
            vector = next / next.length
        }
        return (vector, SIMD3((rows.0 * vector).sum(), (rows.1 * vector).sum(), (rows.2 * vector).sum()).length)
    }

    /// The points not yet used whose feet on the line lie in `range`, in the tube around it.
    private func near(_ line: LineStretch, within range: ClosedRange<Double>, widening: Double = 0) -> [Int] {
        var result: [Int] = [], visited = cells.noneVisited
        let (u, v) = line.across, origin = line.origin, direction = line.direction
        let halfU = Self.tubeMM + widening, halfV = Self.tubeMM + widening + 0.6 * abs(v.z) * sliceSpacingMM
        for step in 0...Int((range.upperBound - range.lowerBound) / Self.cellMM + 1) {
            let foot = line.point(at: min(range.lowerBound + Double(step) * Self.cellMM, range.upperBound))
            cells.forEachPoint(around: foot, reachMM: Self.cellMM, visited: &visited) { index in
                guard isLeft[index] else { return }
                let offset = points[index].position - origin
                // Most are too far away already to one side.
                let a = (offset * u).sum() / halfU
                guard abs(a) <= 1 else { return }
                let b = (offset * v).sum() / halfV
                if a * a + b * b <= 1, range.contains((offset * direction).sum()) { result.append(index) }
            }
        }
        return result
    }

    private func grown(from seed: Seed) -> LineStretch? {
        var line = LineStretch(origin: seed.middle, direction: seed.direction, range: -10...10)
        for pass in 0..<14 {
            let window = line.range.lowerBound - 12...line.range.upperBound + 12
            let members = near(line, within: window, widening: pass < 2 ? 0.8 : 0)
            guard members.count >= 6, let run = unbrokenRun(of: members, on: line) else { return nil }
            let before = line.length
            let kept = members.filter { run.contains(line.position(of: points[$0].position)) }
            guard kept.count >= 6 else { return nil }
            line = regression(kept, along: line)
            if pass >= 3, abs(line.length - before) < 1 { break }
        }
        guard line.length >= Self.shortestMM, isStraight(line) else { return nil }
        return line
    }

    /// The part of the line around its middle that has points without large gaps; a longer gap (a shadow, a slice that held too little)
    /// is bridged when enough follows.
    private func unbrokenRun(of members: [Int], on line: LineStretch) -> ClosedRange<Double>? {
        let bin = max(2, 1.05 * sliceSpacingMM * abs(line.direction.z))
        let positions = members.map { line.position(of: points[$0].position) }
        let lowest = positions.min()!, count = Int((positions.max()! - lowest) / bin) + 1
        var held = [Bool](repeating: false, count: count)
        for position in positions { held[Int((position - lowest) / bin)] = true }
        let middle = (line.range.lowerBound + line.range.upperBound) / 2
        guard let start = held.indices.filter({ held[$0] }).min(
            by: { abs(lowest + (Double($0) + 0.5) * bin - middle) < abs(lowest + (Double($1) + 0.5) * bin - middle) })
        else { return nil }
        func end(_ step: Int) -> Int {
            var at = start
            while true {
                let next = stride(from: at + step, to: step > 0 ? count : -1, by: step).first { held[$0] }
                guard let next else { return at }
                let gap = Double(abs(next - at) - 1) * bin
                if gap > Self.gapMM {
                    guard gap <= Self.bridgedGapMM else { return at }
                    let following = (0..<Int((10 / bin).rounded(.up))).map { next + step * $0 }
                    guard following.allSatisfy({ held.indices.contains($0) && held[$0] }) else { return at }
                }
                at = next
            }
        }
        let low = end(-1), high = end(1)
        guard 4 * held[low...high].count(where: { $0 }) >= 3 * (high - low + 1) else { return nil }
        return lowest + Double(low) * bin - 1e-6...lowest + Double(high + 1) * bin
    }

    /// The weighted least-squares line through points, and how far they reach along it.
    private func regression(_ members: [Int], along line: LineStretch) -> LineStretch {
        func fitted(_ members: [Int]) -> LineStretch {
            let total = members.reduce(0) { $0 + points[$1].weight }
            let mean = members.reduce(SIMD3<Double>.zero) { $0 + points[$1].weight * points[$1].position } / total
            var moment = SIMD3<Double>.zero, variance = 0.0
            for index in members {
                let offset = points[index].position - mean, along = (offset * line.direction).sum()
                moment += points[index].weight * along * offset
                variance += points[index].weight * along * along
            }
            let direction = moment / max(variance, 1e-9)
            return LineStretch(origin: mean, direction: direction / direction.length, range: 0...0)
        }
        var result = fitted(members)
        let (u, v) = result.across, scaleV = 1 / (1 + 0.5 * abs(v.z) * sliceSpacingMM)
        func offAxis(_ index: Int) -> Double {
            let offset = points[index].position - result.origin
            return SIMD3((offset * u).sum(), scaleV * (offset * v).sum(), 0).length
        }
        let distances = members.map(offAxis), limit = max(0.7, 2.5 * distances.element(ofRank: distances.count / 2))
        let kept = zip(members, distances).filter { $0.1 <= limit }.map { $0.0 }
        if kept.count >= 6 { result = fitted(kept) }
        let positions = members.map { result.position(of: points[$0].position) }
        let middle = (positions.min()! + positions.max()!) / 2
        result = LineStretch(
            origin: result.point(at: middle), direction: result.direction, range: positions.min()! - middle...positions.max()! - middle)
        return result
    }

    /// Needles bend by a millimetre or two over their length; leads and catheters bend more.
    private static let smallestBendRadiusMM = 350.0

    private func isStraight(_ line: LineStretch) -> Bool {
        let members = near(line, within: line.range)
        let (u, v) = line.across, half = line.length / 2
        // Across thick slices a shaft goes up in steps.
        let depthCounts = abs(v.z) * sliceSpacingMM < 1.5 ? 1.0 : 0
        // Least squares of the offset on the second Legendre polynomial: what a line cannot take up.
        var moment = (0.0, 0.0), norm = 0.0
        for index in members {
            let offset = points[index].position - line.origin, x = line.position(of: points[index].position) / half
            let p = 1.5 * x * x - 0.5, weight = points[index].weight
            moment.0 += weight * p * (offset * u).sum()
            moment.1 += weight * p * (offset * v).sum() * depthCounts
            norm += weight * p * p
        }
        let sagitta = 1.5 * (moment.0 * moment.0 + moment.1 * moment.1).squareRoot() / max(norm, 1e-9)
        return sagitta < 0.4 || half * half / (2 * sagitta) > Self.smallestBendRadiusMM
    }
}
