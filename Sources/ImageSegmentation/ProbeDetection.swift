import Foundation
import ImageFilters
import ImagingCore

/// Cryoprobes on CT: thin, straight shafts of metal that reach into the body.
///
/// Voxels of metal density are taken apart into straight lines; a line is a probe when it is long, unbroken, thin, and ends in the
/// body. Bone and calcium of that density are neither thin nor straight over such a length; clips and stents are too short.
public enum ProbeDetection {
    /// Voxels below this are not metal, even where a slice holds the shaft only in part.
    static let metalHU: Float = 900
    /// A shaft's typical brightest voxel is at least this.
    static let shaftHU: Float = 1100
    static let shortestMM = 30.0
    static let largestCount = 20

    /// The probes in a CT scan, longest first, tips deep in the body. On MR metal does not show as such: the list is empty.
    public static func probes(in scan: ScanVolume, modality: Modality) -> [Probe] {
        guard modality == .ct else { return [] }
        var points = metalPoints(in: scan)
        guard points.count >= 8 else { return [] }
        var shafts: [Shaft] = []
        for _ in 0..<3 * largestCount where shafts.count < largestCount {
            guard let line = StraightLineSearch.best(in: points) else { break }
            points.removeAll { line.distance(to: $0.position) < 3 && line.range.contains(line.position(of: $0.position), within: 4) }
            if let shaft = Shaft(line, in: scan) { shafts.append(shaft) }
        }
        let depth = BodyDepth(of: scan)
        return joined(shafts).compactMap { probe($0, depth: depth, scan: scan) }.sorted { $0.lengthMM > $1.lengthMM }
    }

    private static func metalPoints(in scan: ScanVolume) -> [MetalPoint] {
        func collect<V>(_ volume: Volume<V>, _ value: @escaping (V) -> Float) -> [MetalPoint] {
            let size = volume.size, geometry = volume.geometry
            return volume.withUnsafeVoxels { voxels in
                mapSlabs(of: size.k, slab: 1) { slices in
                    var found: [MetalPoint] = []
                    for offset in slices.lowerBound * size.i * size.j..<slices.upperBound * size.i * size.j where value(voxels[offset]) >= metalHU {
                        found.append(MetalPoint(position: geometry.point(size.index(atOffset: offset)).lps, value: value(voxels[offset])))
                    }
                    return found
                }.flatMap { $0 }
            }
        }
        let points = switch scan {
        case .int16(let volume): collect(volume) { Float($0) }
        case .float32(let volume): collect(volume) { $0 }
        }
        // Implants and dense bone can hold far more such voxels than any set of probes; an even selection keeps their lines.
        let step = points.count / 30_000 + 1
        return step == 1 ? points : points.enumerated().filter { $0.offset % step == 0 }.map(\.element)
    }

    /// Pieces of one shaft, broken where a slice held too little of it, put together.
    private static func joined(_ shafts: [Shaft]) -> [Shaft] {
        var result: [Shaft] = []
        for shaft in shafts.sorted(by: { $0.length > $1.length }) {
            if let index = result.firstIndex(where: { $0.continues(in: shaft) }) {
                result[index] = result[index].extended(by: shaft)
            } else {
                result.append(shaft)
            }
        }
        return result.filter { $0.length >= shortestMM }
    }

    private static func probe(_ shaft: Shaft, depth: BodyDepth, scan: ScanVolume) -> Probe? {
        let (a, b) = (PatientPoint(shaft.start), PatientPoint(shaft.end))
        let depths = (depth.millimetres(at: a), depth.millimetres(at: b))
        let middle = PatientPoint((shaft.start + shaft.end) / 2)
        guard max(depths.0, depths.1, depth.millimetres(at: middle)) > 5 else { return nil }
        let borders = (depth.millimetresToBorder(a), depth.millimetresToBorder(b)), leaves = (borders.0 < 4, borders.1 < 4)
        // A shaft leaves the scan at its tail; where neither end does, or both do, the tip is the deeper end.
        let tipIsFirst = leaves.0 != leaves.1 ? leaves.1 : depths.0 != depths.1 ? depths.0 > depths.1 : borders.0 >= borders.1
        return tipIsFirst ? Probe(tip: a, tail: b, source: .detected) : Probe(tip: b, tail: a, source: .detected)
    }
}

/// A voxel of metal density.
struct MetalPoint {
    let position: SIMD3<Double>
    let value: Float
}

extension ClosedRange<Double> {
    func contains(_ value: Double, within tolerance: Double) -> Bool { value >= lowerBound - tolerance && value <= upperBound + tolerance }
}
