import ImageFilters
import ImagingCore

/// A scan around a zone's seeds.
struct ZoneScan {
    /// As it is, and in larger, smoothed voxels.
    private(set) var image, work: Volume<Float>
    /// Millimetres from the nearest seed, on `work`'s grid.
    let distance: Volume<Float>
    /// Along each axis, whether the scan goes on beyond.
    let isCut: [(low: Bool, high: Bool)]
    private let block: SIMD3<Int>

    /// - Parameter seeds: points, of which at least one lies in the scan.
    init(_ scan: ScanVolume, seeds: [PatientPoint], diameterMM: Double) {
        let box = scan.geometry.indexRanges(around: seeds, marginMM: 1.1 * diameterMM + 6)!
        image = scan.floats(in: box.i, box.j, box.k)
        let size = scan.geometry.size
        isCut = [(box.i, size.i), (box.j, size.j), (box.k, size.k)].map { ($0.0.lowerBound > 0, $0.0.upperBound < $0.1) }
        let target = min(max(diameterMM / 20, 0.8), 1.6)
        block = SIMD3<Int>(pointwiseMax(SIMD3(repeating: 1), (target / image.geometry.spacing).rounded(.toNearestOrAwayFromZero)))
        work = Self.smoothed(image, block)
        var distance = SeedField(grid: work.geometry, seed: seeds[0]).distances
        for seed in seeds.dropFirst() {
            distance = distance.combined(with: SeedField(grid: work.geometry, seed: seed).distances) { min($0, $1) }
        }
        self.distance = distance
    }

    private static func smoothed(_ image: Volume<Float>, _ block: SIMD3<Int>) -> Volume<Float> {
        image.blockMeans(block).gaussianSmoothed(sigmaMM: 1.2)
    }

    /// Without what lies in the zone's middle and is brighter than the rest of it.
    func painted(_ core: ZoneCore) -> ZoneScan {
        var painted = self
        painted.image = core.paintedOver(image)
        painted.work = Self.smoothed(painted.image, block)
        return painted
    }
}
