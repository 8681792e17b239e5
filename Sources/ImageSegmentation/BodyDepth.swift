import ImageFilters
import ImagingCore

/// How deep a point lies in the body: the distance to what surrounds the patient. Lungs and bowel gas count as body, the table does not.
struct BodyDepth {
    /// Tissue is denser than this, lung and table lighter.
    private static let tissueHU: Float = -250
    /// What is left where nothing was scanned lies below this.
    private static let unscannedHU: Float = -1100

    private let inside: Volume<Float>
    private let scan: GridGeometry
    let isEmpty: Bool

    /// Reads a CT scan in cells of about 4 mm. `isTissue` tells other scans' tissue by its mean in a cell.
    init(of scan: ScanVolume, isTissue: (Float) -> Bool = { $0 > Self.tissueHU }) {
        self.scan = scan.geometry
        let step = SIMD3<Int>(pointwiseMax(SIMD3(repeating: 1), (4 / scan.geometry.spacing).rounded(.down)))
        let means = switch scan {
        case .int16(let volume): Self.cellMeans(volume, step) { Float($0) }
        case .float32(let volume): Self.cellMeans(volume, step) { $0 }
        }
        let tissue = Mask(means, where: isTissue).opened(byMM: 5).largestComponent(.six)
        isEmpty = tissue.isEmpty
        let body = tissue.isEmpty ? tissue : Self.filled(tissue)
        // Distances to the outside; a body that fills the scan is deep everywhere.
        inside = Mask(body.voxels.mapped { (v: UInt8) -> UInt8 in v == 0 ? 1 : 0 }) { $0 != 0 }.distanceToInside()
    }

    /// Means over cells of `step` voxels, read from every voxel of a cell in the slice.
    @inline(__always)
    private static func cellMeans<V>(_ volume: Volume<V>, _ step: SIMD3<Int>, _ value: (V) -> Float) -> Volume<Float> {
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
                    var columns = [Float](repeating: 0, count: full.i)
                    columns.withUnsafeMutableBufferPointer { columns in
                        for k in range {
                            for j in 0..<size.j {
                                columns.update(repeating: 0)
                                for row in j &* step.y..<j &* step.y &+ height {
                                    let start = voxels.baseAddress! + full.offset(VoxelIndex(0, row, k &* step.z))
                                    for i in 0..<full.i { columns[i] += value(start[i]) }
                                }
                                for i in 0..<size.i {
                                    var sum: Float = 0
                                    for column in i &* step.x..<i &* step.x &+ width { sum += columns[column] }
                                    target[i &+ size.i &* (j &+ size.j &* k)] = sum / Float(width &* height)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Cells from which at least five of eight directions in the slice meet tissue belong to the body: lungs do, also where the image's
    /// side cuts them open; air beside the body and the table under it do not.
    private static func filled(_ tissue: Mask) -> Mask {
        let size = tissue.size, geometry = tissue.geometry
        let directions = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
        return tissue.withUnsafeVoxels { tissue in
            Mask(geometry: geometry) { target in
                forEachSlab(of: size.k, slab: 1) { range in
                    for k in range {
                        let slice = k * size.i * size.j
                        var met = [UInt8](repeating: 0, count: size.i * size.j)
                        for (dx, dy) in directions {
                            var seen = [Bool](repeating: false, count: size.i * size.j)
                            for jj in 0..<size.j {
                                let j = dy > 0 ? size.j - 1 - jj : jj
                                for ii in 0..<size.i {
                                    let i = dx > 0 ? size.i - 1 - ii : ii
                                    let (x, y) = (i + dx, j + dy)
                                    guard x >= 0, y >= 0, x < size.i, y < size.j else { continue }
                                    if tissue[slice + x + size.i * y] != 0 || seen[x + size.i * y] {
                                        seen[i + size.i * j] = true
                                        met[i + size.i * j] += 1
                                    }
                                }
                            }
                        }
                        for offset in 0..<size.i * size.j {
                            target[slice + offset] = tissue[slice + offset] != 0 || met[offset] >= 5 ? 1 : 0
                        }
                    }
                }
            }
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
