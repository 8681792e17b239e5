import ImageFilters
import ImagingCore

/// The patient's outer surface, as a CT or MR scan shows it without a mask.
public enum BodySurface {
    /// Values beyond are not kept: only the surface matters.
    private static let clipMM: Float = 2
    /// Coarse cells tell the body from what surrounds it to within this.
    private static let cellMM = 6.0
    /// On MR the tracks of probes through the skin have no signal; a ball of this radius does not sink into them.
    private static let bridgingRadiusMM = 10.0
    /// Beyond the edge by more than partial volume shows.
    private static let edgeMM: Float = 0.6
    /// Lung, and what lies between it and a side of the image that cuts it open, is denser; where nothing was scanned values are lower.
    private static let airHU: ClosedRange<Float> = -1100 ... -950

    /// What surrounds the patient, as a level set that is positive outside the body, on the part of the scan around `points`.
    ///
    /// The surface is where the scan's values cross half-way between air and the tissue there; millimetres only close to it. Where the part
    /// ends the surface is closed, behind the skin as seen from the points. A table that the patient lies on counts as body where it
    /// touches within millimetres. On MR ice gives no more signal than air: where it reaches the skin, the surface is that of the ice.
    /// - Parameter marginMM: how far around the points to look; the surface is known out to there.
    /// - Returns: `nil` when the scan shows no body, or nothing but body there; and where the image's sides cut the body on MR, on which
    ///   lungs
    ///   cut open look like the air outside.
    public static func outside(
        of scan: ScanVolume, modality: Modality, around points: some Sequence<PatientPoint>, marginMM: Double
    ) -> LevelSet? {
        guard let box = scan.geometry.indexRanges(around: points, marginMM: marginMM) else { return nil }
        let values = scan.floats(in: box.i, box.j, box.k)
        let (depth, tissue) = switch modality {
        case .ct: (BodyDepth(of: scan), densities(values))
        case .mr: signals(values, of: scan)
        }
        guard !depth.isEmpty, modality == .ct || !isCutOpen(scan.geometry, box.k, depth) else { return nil }
        let near = Self.near(tissue, depth)
        let body = Mask(near) { $0 > 0 }.largestComponent(.six)
        var outside = Mask(body.voxels) { $0 == 0 }
        if modality == .ct { outside = air(in: values, outside) }
        guard !body.isEmpty, !outside.isEmpty else { return nil }
        // Dense things beside the body are no body, and lungs that the image's side cuts open are not outside.
        let field = near.combined(with: body.voxels.mapped { Float($0) }, outside.voxels.mapped { Float($0) }) { near, isBody, isOutside in
            isBody != 0 ? -near : isOutside == 0 ? -clipMM : near > 0 ? clipMM : -near
        }
        return LevelSet(field: modality == .ct ? field : bridged(field, body))
    }

    /// `field` without the tracks of probes. A voxel at the edge itself keeps what it shows of it.
    private static func bridged(_ field: Volume<Float>, _ body: Mask) -> Volume<Float> {
        let whole = body.closed(byMM: bridgingRadiusMM), spacing = field.geometry.spacing
        let deep = whole.eroded(byMM: max(spacing.x, spacing.y)).voxels.mapped { Float($0) }
        let filled = whole.subtracting(body).voxels.mapped { Float($0) }
        return field.combined(with: filled, deep) { value, isFilled, isDeep in
            isDeep != 0 ? min(value, -edgeMM) : isFilled != 0 && value > edgeMM ? -value : value
        }
    }

    /// Millimetres beyond the half-way value of CT; frozen tissue is far above it.
    private static func densities(_ values: Volume<Float>) -> Volume<Float> {
        // A sharp edge between air and tissue rises by about this much per millimetre.
        let edgeHU: Float = -500, slopeHUPerMM: Float = 500
        return values.mapped { (value: Float) -> Float in (value - edgeHU) / slopeHUPerMM }
    }

    /// The parts of `outside` that are mostly air.
    private static func air(in values: Volume<Float>, _ outside: Mask) -> Mask {
        let parts = outside.connectedComponents(.six)
        var air = [Int](repeating: 0, count: parts.components.count + 1)
        values.withUnsafeVoxels { values in
            parts.labels.withUnsafeVoxels { labels in
                for offset in labels.indices where labels[offset] != 0 && airHU.contains(values[offset]) { air[Int(labels[offset])] += 1 }
            }
        }
        // Labels count from 1, in the order of components.
        let isAir = [false] + parts.components.map { 2 * air[Int($0.label)] > $0.voxelCount }
        return Mask(parts.labels) { isAir[Int($0)] }
    }

    /// Whether sides of the image cut the body in these slices.
    private static func isCutOpen(_ grid: GridGeometry, _ slices: Range<Int>, _ depth: BodyDepth) -> Bool {
        let size = grid.size
        return slices.contains { k in
            let rows = [0, size.j - 1].flatMap { j in (0..<size.i).map { VoxelIndex($0, j, k) } }
            let columns = [0, size.i - 1].flatMap { i in (0..<size.j).map { VoxelIndex(i, $0, k) } }
            return (rows + columns).contains { depth.millimetres(at: grid.point($0)) > cellMM }
        }
    }

    /// Millimetres beyond half of the tissue's signal around, and the body as its signal shows it.
    private static func signals(_ values: Volume<Float>, of scan: ScanVolume) -> (BodyDepth, Volume<Float>) {
        let signal = TissueSignal(values)
        // A sharp edge of tissue rises to its signal within about this.
        let riseMM: Float = 2
        let tissue = values.combined(with: signal.level) { value, level in
            level > signal.floor ? (value / level - 0.5) * riseMM : -clipMM
        }
        return (BodyDepth(of: scan) { $0 > signal.floor }, tissue)
    }

    /// `tissue` where it may be the body's surface: deep in the body all is body, also gas and ice, and far from it nothing is.
    private static func near(_ tissue: Volume<Float>, _ depth: BodyDepth) -> Volume<Float> {
        let grid = tissue.geometry, size = grid.size
        let around = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)].map { grid.axes.vector(SIMD3(Double($0.0), Double($0.1), 0) * cellMM) }
        return Volume<Float>(geometry: grid) { target in
            tissue.withUnsafeVoxels { tissue in
                forEachSlab(of: size.k, slab: 1) { slices in
                    for offset in slices.lowerBound * size.sliceVoxelCount..<slices.upperBound * size.sliceVoxelCount {
                        let point = grid.point(size.index(atOffset: offset)), value = tissue[offset]
                        let isDeep = depth.millimetres(at: point) > Self.cellMM
                        let isNear = value <= 0 || around.contains { depth.millimetres(at: point + $0) > 0 }
                        target[offset] = isDeep ? clipMM : isNear ? max(-clipMM, min(clipMM, value)) : -clipMM
                    }
                }
            }
        }
    }
}
