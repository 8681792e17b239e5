import ImageFilters
import ImagingCore

/// How deep a point lies in the body: the distance to what surrounds the patient. Lungs and bowel gas count as body, the table does not.
struct BodyDepth {
    /// Tissue is denser than this, lung and table lighter.
    private static let tissueHU: Float = -250
    /// Air around the patient and the foam that patients lie on are lighter, lung and all in it denser.
    private static let airHU: Float = -950
    /// Half of what a lung measures at the least where a side of the image cuts it; tables, covers and streaks of metal are thinner.
    private static let thickMM = 12.0

    private let inside: Volume<Float>
    private let scan: GridGeometry
    let isEmpty: Bool

    /// Reads a CT scan in cells of about 4 mm.
    init(of scan: ScanVolume) {
        self.init(of: scan, isTissue: { $0 > Self.tissueHU }, isDenserThanAir: { $0 > Self.airHU })
    }

    /// Reads a scan in cells of about 4 mm, whose means tell tissue.
    init(of scan: ScanVolume, isTissue: (Float) -> Bool) { self.init(of: scan, isTissue: isTissue, isDenserThanAir: { _ in false }) }

    private init(of scan: ScanVolume, isTissue: (Float) -> Bool, isDenserThanAir: (Float) -> Bool) {
        self.scan = scan.geometry
        let step = SIMD3<Int>(pointwiseMax(SIMD3(repeating: 1), (4 / scan.geometry.spacing).rounded(.down)))
        let means = switch scan {
        case .int16(let volume): Self.cellMeans(volume, step)
        case .float32(let volume): Self.cellMeans(volume, step)
        }
        let tissue = Mask(means, where: isTissue).opened(byMM: 5).largestComponent(.six)
        isEmpty = tissue.isEmpty
        let body = tissue.isEmpty ? tissue : Self.filled(tissue, lung: Mask(means, where: isDenserThanAir).opened(byMM: Self.thickMM))
        // Distances to the outside; a body that fills the scan is deep everywhere.
        inside = Mask(body.voxels.mapped { (v: UInt8) -> UInt8 in v == 0 ? 1 : 0 }) { $0 != 0 }.distanceToInside()
    }

    /// Means over cells of `step` voxels, read from every voxel of a cell in the slice.
    private static func cellMeans<V: ScanVoxel>(_ volume: Volume<V>, _ step: SIMD3<Int>) -> Volume<Float> {
        let full = volume.size
        let size = GridSize(max(1, full.i / step.x), max(1, full.j / step.y), (full.k - 1) / step.z + 1)
        let spacing = volume.geometry.spacing
        let origin = volume.geometry.point(ContinuousIndex(Double(min(step.x, full.i) - 1) / 2, Double(min(step.y, full.j) - 1) / 2, 0))
        // Cells of a valid grid make a valid grid.
        let grid = try! GridGeometry(size: size, spacing: spacing * SIMD3<Double>(step), origin: origin, axes: volume.geometry.axes)
        let (width, height) = (min(step.x, full.i), min(step.y, full.j))
        return volume.withUnsafeVoxels { voxels in
            Volume<Float>(geometry: grid) { target in
                forEachSlab(of: size.k, slab: 1) { range in
                    var columns = [V.Sum](repeating: 0, count: full.i)
                    columns.withUnsafeMutableBufferPointer { columns in
                        for k in range {
                            for j in 0..<size.j {
                                columns.update(repeating: 0)
                                for row in j &* step.y..<j &* step.y &+ height {
                                    let start = voxels.baseAddress! + full.offset(VoxelIndex(0, row, k &* step.z))
                                    for i in 0..<full.i { columns[i] += start[i].asSum }
                                }
                                for i in 0..<size.i {
                                    var sum: V.Sum = 0
                                    for column in i &* step.x..<i &* step.x &+ width { sum += columns[column] }
                                    target[i &+ size.i &* (j &+ size.j &* k)] = V.float(sum) / Float(width &* height)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Cells from which at least five of eight directions in the slice meet tissue belong to the body: lungs do; air beside the body and the
    /// table under it do not. Where the image's side cuts a lung open, a direction that leaves the image through nothing but lung counts.
    private static func filled(_ tissue: Mask, lung: Mask) -> Mask {
        let size = tissue.size, geometry = tissue.geometry
        let directions = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
        return tissue.withUnsafeVoxels { tissue in
            lung.withUnsafeVoxels { lung in
                Mask(geometry: geometry) { target in
                    forEachSlab(of: size.k, slab: 1) { range in
                        for k in range {
                            let count = size.i * size.j, slice = k * count, filled = target.baseAddress! + slice
                            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * count) { buffer in
                                let met = buffer.baseAddress!, seen = met + count
                                met.update(repeating: 0, count: count)
                                for (dx, dy) in directions {
                                    look(dx, dy, size, tissue.baseAddress! + slice, lung.baseAddress! + slice, seen, met)
                                }
                                for offset in 0..<count { filled[offset] = tissue[slice + offset] != 0 || met[offset] >= 5 ? 1 : 0 }
                            }
                        }
                    }
                }
            }
        }
    }

    /// What a cell sees in a direction.
    private static let seesNothing: UInt8 = 0, seesTissue: UInt8 = 1, seesSide: UInt8 = 2

    /// Counts the cells of a slice that see tissue in a direction, or the image's side through nothing but lung.
    private static func look(
        _ dx: Int, _ dy: Int, _ size: GridSize, _ tissue: UnsafePointer<UInt8>, _ lung: UnsafePointer<UInt8>,
        _ seen: UnsafeMutablePointer<UInt8>, _ met: UnsafeMutablePointer<UInt8>
    ) {
        for jj in 0..<size.j {
            // Whoever is looked at has looked before.
            let j = dy > 0 ? size.j - 1 - jj : jj, row = j * size.i, next = row + dy * size.i + dx
            func see(_ i: Int) {
                let here = row &+ i, isInside = 0..<size.j ~= j + dy && 0..<size.i ~= i + dx
                let beyond = isInside ? (tissue[next &+ i] != 0 ? Self.seesTissue : seen[next &+ i]) : Self.seesSide
                seen[here] = beyond == Self.seesSide && lung[here] == 0 ? Self.seesNothing : beyond
                met[here] &+= seen[here] == Self.seesNothing ? 0 : 1
            }
            // Forwards: along the row each looks at the one before it.
            if dx > 0 { for i in (0..<size.i).reversed() { see(i) } } else { for i in 0..<size.i { see(i) } }
        }
    }

    /// Millimetres, to within a few; 0 outside the body; very large where the scan shows nothing around the body.
    func millimetres(at point: PatientPoint) -> Double {
        let size = inside.size, nearest = inside.geometry.continuousIndex(point).nearest
        let voxel = VoxelIndex(min(max(nearest.i, 0), size.i - 1), min(max(nearest.j, 0), size.j - 1), min(max(nearest.k, 0), size.k - 1))
        return Double(min(inside[voxel], 1e6))
    }

    /// How far one has to go from a point in a direction to leave the body; `nil` when the scan ends first.
    func millimetresToSkin(from point: PatientPoint, along direction: PatientVector) -> Double? {
        var way = 0.0
        while way < 600 {
            let here = point + way * direction
            guard scan.contains(here) else { return nil }
            if millimetres(at: here) == 0 { return way }
            way += 2
        }
        return nil
    }
}
