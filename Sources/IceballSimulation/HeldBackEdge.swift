import Foundation
import ImagingCore

/// What the rest of an observed edge says of each part of it.
///
/// A vessel that nobody drew dents the ice on one side. Parameters can bend to such a dent, a shift and more blood flow mostly, and then
/// the edge fits, and what lies inside is wrong everywhere. A part that is held back shows it: without it the rest asks for other
/// parameters, and with those the part lies far inside of where ice should be.
struct HeldBackEdge {
    /// A part of the edge, as the rest of it predicts it.
    struct Part {
        /// By how far each of its points lies inside of the predicted edge, mm.
        var depthsMM: [(index: Int, position: PatientPoint, mm: Double)]
        /// One standard deviation of their mean where nothing is wrong, mm.
        var deviationMM: Double

        var meanMM: Double { depthsMM.reduce(0) { $0 + $1.mm } / Double(depthsMM.count) }
        var deviations: Double { meanMM / deviationMM }

        /// How deep the part is pushed in and where, each of its points weighed with its own depth.
        var dent: EdgeFit.Dent {
            let inside = depthsMM.filter { $0.mm > 0 }, sum = inside.reduce(0) { $0 + $1.mm }
            let place = inside.reduce(SIMD3<Double>.zero) { $0 + $1.mm / sum * $1.position.lps }
            return EdgeFit.Dent(place: PatientPoint(place), depthMM: inside.reduce(0) { $0 + $1.mm * $1.mm } / sum, deviations: deviations)
        }
    }

    /// Parts reach so far from their middles: about as far as a vessel's dent. Nearer ones are told as one.
    private static let reachMM = 10.0, apartMM = 20.0
    private static let partCount = 24
    /// A part is doubtful that lies so many standard deviations, and so far on average, inside of where the rest expects it; one of 24
    /// independent parts of a sound model's edge does so in 3 of 100 fits.
    private static let doubtful = 3.0, doubtfulMM = 1.5

    let parts: [Part]

    init(_ edge: [EdgeFit.EdgePoint], errors: EdgeErrors, columns: [[Double]], distances: [Double], values: [Double]) {
        let centers = Self.spreadOut(edge)
        parts = mapSlabs(of: centers.count, slab: 1) { range -> Part in
            let center = edge[centers[range.lowerBound]].position
            let points = edge.indices.filter { edge[$0].position.distance(to: center) < Self.reachMM }
            let held = errors.heldBack(points, columns: columns, distances: distances, values: values)
            return Part(depthsMM: zip(points, held.distancesMM).map { ($0, edge[$0].position, $1) }, deviationMM: held.deviationMM)
        }
    }

    private var doubtful: [Part] { parts.filter { $0.deviations > Self.doubtful && $0.meanMM > Self.doubtfulMM } }

    /// Points where the ice is pushed in.
    var dented: Set<Int> { Set(doubtful.flatMap { part in part.depthsMM.filter { $0.mm > Self.doubtfulMM }.map(\.index) }) }

    /// Where the ice is pushed in, the surest first.
    var dents: [EdgeFit.Dent] {
        doubtful.sorted { $0.deviations > $1.deviations }.map(\.dent).reduce(into: []) { found, dent in
            if found.allSatisfy({ $0.place.distance(to: dent.place) > Self.apartMM }) { found.append(dent) }
        }
    }

    /// Points as far from each other as can be.
    private static func spreadOut(_ edge: [EdgeFit.EdgePoint]) -> [Int] {
        var chosen = [0], nearest = edge.map { $0.position.distance(to: edge[0].position) }
        while chosen.count < partCount, let next = nearest.indices.max(by: { nearest[$0] < nearest[$1] }), nearest[next] > 1 {
            chosen.append(next)
            for index in edge.indices { nearest[index] = min(nearest[index], edge[index].position.distance(to: edge[next].position)) }
        }
        return chosen
    }
}

extension EdgeFit {
    /// Where the visible ice ends farther in than the rest of its edge, and the model, say.
    public struct Dent: Hashable, Sendable {
        public var place: PatientPoint
        public var depthMM: Double
        /// Its mean depth in standard deviations of what a sound model leaves.
        public var deviations: Double
    }
}

extension EdgeFit.Result {
    /// Says where the edge contradicts the model, seen from the middle of the visible ice, or that it fits badly as a whole; `nil` where it
    /// does not.
    public func doubt(from middle: PatientPoint) -> Finding? {
        guard let worst = dents.first else { return doubtOfWhole }
        let others = dents.count > 1 ? ", and at \(dents.count - 1) other place\(dents.count == 2 ? "" : "s") likewise" : ""
        return Finding(
            .warning, "simulation-doubtful",
            String(
                format: "The model is doubtful: %@ the visible ice is pushed in by %.1f mm, which the rest of its edge does not explain%@. A vessel there? "
                    + "The simulated isotherms are less sure behind it.", (worst.place - middle).sideName, worst.depthMM, others),
            remedy: "Look at the scan there. \(Self.vesselRemedy)")
    }

    /// A shallow dent around much of the ice bends power, blood flow and shifts along with it, so that no part contradicts the rest; it
    /// leaves the edge farther off, though, than edges of ice that a model describes.
    private var doubtOfWhole: Finding? {
        guard after.rmsMM > usualRmsMM else { return nil }
        return Finding(
            .warning, "simulation-doubtful",
            String(
                format: "The model is doubtful: the visible ice lies %.1f mm from the simulated one (root mean square), and no more than %.1f mm is usual. "
                    + "The simulated isotherms are less sure than their intervals say.", after.rmsMM, usualRmsMM),
            remedy: "Compare both edges on the scan. \(Self.vesselRemedy)")
    }

    private static var vesselRemedy: String {
        "A vessel given as a structure of the case (its name says “vein”, “artery” or “vessel”) is simulated."
    }
}

extension PatientVector {
    /// The side of the patient it points to, as “towards the left and posterior”: the axes that it follows most, the first one first.
    var sideName: String {
        guard let unit = normalized else { return "in the middle" }
        let names = [("right", "left"), ("anterior", "posterior"), ("inferior", "superior")]
        let sides = (0..<3).filter { abs(unit.lps[$0]) > 0.4 }.sorted { abs(unit.lps[$0]) > abs(unit.lps[$1]) }
            .map { unit.lps[$0] > 0 ? names[$0].1 : names[$0].0 }
        return "towards the " + sides.joined(separator: " and ")
    }
}
