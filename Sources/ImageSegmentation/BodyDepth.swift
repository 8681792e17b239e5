import ImageFilters
import ImagingCore

/// How deep a point lies in the body: the distance to the air around the patient. The lungs count as body.
struct BodyDepth {
    /// Below this is air; aerated lung lies above, which a small field of view may cut open at its sides.
    private static let airHU: Float = -930

    private let distances: Volume<Float>
    private let scan: GridGeometry

    /// Reads every few voxels of a CT scan (about 4 mm apart). Air that reaches the image's sides is outside; air that reaches only
    /// the first or last slice may be lung.
    init(of scan: ScanVolume) {
        self.scan = scan.geometry
        let step = SIMD3<Int>(pointwiseMax(SIMD3(repeating: 1), (4 / scan.geometry.spacing).rounded(.down)))
        let full = scan.geometry.size
        let size = GridSize((full.i - 1) / step.x + 1, (full.j - 1) / step.y + 1, (full.k - 1) / step.z + 1)
        // Every n-th voxel of a valid grid is a valid grid.
        let grid = try! GridGeometry(
            size: size, spacing: scan.geometry.spacing * SIMD3<Double>(step), origin: scan.geometry.origin, axes: scan.geometry.axes)
        func air<V>(_ volume: Volume<V>, _ isAir: (V) -> Bool) -> Mask {
            volume.withUnsafeVoxels { voxels in
                Mask(geometry: grid) { target in
                    for k in 0..<size.k {
                        for j in 0..<size.j {
                            for i in 0..<size.i {
                                let (x, y) = (i * step.x, j * step.y)
                                var airy = 0, all = 0
                                for row in max(0, y - 1)...min(full.j - 1, y + 1) {
                                    let start = full.offset(VoxelIndex(0, row, k * step.z))
                                    for column in max(0, x - 1)...min(full.i - 1, x + 1) {
                                        airy += isAir(voxels[start + column]) ? 1 : 0
                                        all += 1
                                    }
                                }
                                target[i + size.i * (j + size.j * k)] = 2 * airy > all ? 1 : 0
                            }
                        }
                    }
                }
            }
        }
        let gas = switch scan {
        case .int16(let volume): air(volume) { $0 < Int16(Self.airHU) }
        case .float32(let volume): air(volume) { $0 < Self.airHU }
        }
        var sides: [VoxelIndex] = []
        for k in 0..<size.k {
            for i in 0..<size.i { sides += [VoxelIndex(i, 0, k), VoxelIndex(i, size.j - 1, k)] }
            for j in 0..<size.j { sides += [VoxelIndex(0, j, k), VoxelIndex(size.i - 1, j, k)] }
        }
        distances = gas.joined(to: sides).distanceToInside()
    }

    /// Millimetres, to within a few; 0 outside the body; very large where the scan shows no air around the body.
    func millimetres(at point: PatientPoint) -> Double {
        let size = distances.size, nearest = distances.geometry.continuousIndex(point).nearest
        let voxel = VoxelIndex(min(max(nearest.i, 0), size.i - 1), min(max(nearest.j, 0), size.j - 1), min(max(nearest.k, 0), size.k - 1))
        return Double(min(distances[voxel], 1e6))
    }

    /// Millimetres from a point to the nearest face of the scan; negative beyond it.
    func millimetresToBorder(_ point: PatientPoint) -> Double {
        let index = scan.continuousIndex(point).ijk
        let last = SIMD3(Double(scan.size.i - 1), Double(scan.size.j - 1), Double(scan.size.k - 1))
        return min((index * scan.spacing).min(), ((last - index) * scan.spacing).min())
    }
}
