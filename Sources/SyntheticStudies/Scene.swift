import ImagingCore

/// Everything that one scan sees: the patient where the motion has brought it, probes, and ice.
struct Scene: Sendable {
    /// A fissure in the ice: a thin disc that holds gas and looks dark.
    struct Crack: Sendable {
        var center, normal: SIMD3<Double>
        var radiusMM, widthMM: Double
    }

    /// From the bottom layer to the top one.
    var layers: [Layer]
    var motion: PatientMotion
    var ice: IceShape?
    var cracks: [Crack] = []
    var textureSeed: UInt64
}

/// Turns a scene into voxel values.
///
/// A voxel is the mean over its cell (in plane its spacing, across the slice thickness) wherever an edge is near: partial volume
/// and slice averaging come from the geometry. Regions in which nothing changes are found by halving boxes, and filled at once.
struct SceneRasterizer {
    let scene: Scene
    let geometry: GridGeometry
    let appearance: Appearance

    private let offsets: [SIMD3<Double>]
    private let planningOffsets: [SIMD3<Double>]
    private let cellRadius: Double
    private let stretch: Double
    private let stepI, stepJ, stepK, origin: SIMD3<Double>
    private let coarse, fine: ValueNoise

    /// Samples per voxel near an edge.
    private static let sampleCount = 18
    /// The ice's function may be this steep, next to a vessel.
    private static let steepestIceSlope = 2.4

    init(scene: Scene, geometry: GridGeometry, sliceThicknessMM: Double, appearance: Appearance) {
        (self.scene, self.geometry, self.appearance) = (scene, geometry, appearance)
        let axes = geometry.axes
        stepI = geometry.spacing.x * axes.i.lps
        stepJ = geometry.spacing.y * axes.j.lps
        stepK = geometry.spacing.z * axes.k.lps
        origin = geometry.origin.lps
        let cell = SIMD3(geometry.spacing.x, geometry.spacing.y, sliceThicknessMM)
        cellRadius = length(cell) / 2
        // The R3 sequence (Roberts 2018), centred: even over the cell, without rows that would beat with a flat edge.
        let offsets = (0..<Self.sampleCount).map { n in
            let r = SIMD3(0.8191725133961645, 0.6710436067037893, 0.5497004779019703) * Double(n) + 0.5
            return axes.vector((r - r.rounded(.down) - 0.5) * cell).lps
        }
        let mean = offsets.reduce(SIMD3<Double>.zero, +) / Double(offsets.count)
        self.offsets = offsets.map { $0 - mean }
        let toPlanning = scene.motion.rigid.matrix.transposed
        planningOffsets = self.offsets.map { toPlanning * $0 }
        stretch = scene.motion.isRigid ? 1 : 1.4
        coarse = ValueNoise(seed: scene.textureSeed, cell: 6.5)
        fine = ValueNoise(seed: scene.textureSeed &+ 1, cell: 2.4)
    }

    func render() -> Volume<Float> {
        let size = geometry.size
        return Volume<Float>(geometry: geometry) { voxels in
            nonisolated(unsafe) let voxels = voxels  // Slabs write to separate slices.
            let unretained = scene.layers.map { LayerView($0) }
            unretained.withUnsafeBufferPointer { layers in
                nonisolated(unsafe) let layers = layers
                let all = Array(layers.indices)
                forEachSlab(of: size.k, slab: 4) { slices in
                    for j in stride(from: 0, to: size.j, by: 64) {
                        for i in stride(from: 0, to: size.i, by: 64) {
                            fill(
                                Region(i: i..<min(i + 64, size.i), j: j..<min(j + 64, size.j), k: slices), base: .air, mixed: all,
                                ice: scene.ice == nil ? .absent : .mixed, layers: layers, voxels: voxels)
                        }
                    }
                }
            }
        }
    }

    /// A layer of the scene without a reference count; the scene outlives it.
    private struct LayerView {
        let shape: Unmanaged<ShapeReference>
        let tissue: Tissue
        let bounds: Box
        let isAnatomy: Bool

        init(_ layer: Layer) {
            (shape, tissue, bounds, isAnatomy) = (.passUnretained(layer.shape), layer.tissue, layer.bounds, layer.space == .planning)
        }
        @inline(__always) func value(at point: SIMD3<Double>) -> Double { shape._withUnsafeGuaranteedRef { $0.value(at: point) } }
    }

    private struct Region { var i, j, k: Range<Int> }
    private enum IceState { case absent, mixed, whole }

    private func fill(
        _ region: Region, base: Tissue, mixed: [Int], ice: IceState, layers: UnsafeBufferPointer<LayerView>,
        voxels: UnsafeMutableBufferPointer<Float>
    ) {
        let low = SIMD3(Double(region.i.lowerBound), Double(region.j.lowerBound), Double(region.k.lowerBound))
        let high = SIMD3(Double(region.i.upperBound - 1), Double(region.j.upperBound - 1), Double(region.k.upperBound - 1))
        let middle = (low + high) / 2
        let center = origin + middle.x * stepI + middle.y * stepJ + middle.z * stepK
        let radius = length((high - low) / 2 * geometry.spacing) + cellRadius
        let planningCenter = scene.motion.planningPoint(of: center), planningRadius = radius * stretch

        var base = base
        var edges: [Int] = []
        for index in mixed {
            let isAnatomy = layers[index].isAnatomy
            let point = isAnatomy ? planningCenter : center, reach = isAnatomy ? planningRadius : radius
            guard layers[index].bounds.contains(point, within: reach) else { continue }
            let value = layers[index].value(at: point)
            if value > steepestSlope * reach {
                base = layers[index].tissue
                edges.removeAll(keepingCapacity: true)
            } else if value > -steepestSlope * reach {
                edges.append(index)
            }
        }
        var iceState = ice
        if ice == .mixed {
            let value = scene.ice!.value(at: center)
            if value < -Self.steepestIceSlope * radius {
                iceState = .absent
            } else if value > appearance.edgeBandMM + Self.steepestIceSlope * radius, scene.cracks.isEmpty {
                iceState = .whole
            }
        }

        if edges.isEmpty, iceState != .mixed {
            fillEvenly(region, base, frozen: iceState == .whole, voxels)
        } else if max(region.i.count, region.j.count) <= 8 {
            fillVoxels(region, base: base, edges: edges, ice: iceState, layers: layers, voxels: voxels)
        } else {
            let i = region.i.lowerBound + (region.i.count + 1) / 2, j = region.j.lowerBound + (region.j.count + 1) / 2
            for rows in [region.j.lowerBound..<j, j..<region.j.upperBound] where !rows.isEmpty {
                for columns in [region.i.lowerBound..<i, i..<region.i.upperBound] where !columns.isEmpty {
                    fill(Region(i: columns, j: rows, k: region.k), base: base, mixed: edges, ice: iceState, layers: layers, voxels: voxels)
                }
            }
        }
    }

    private func fillEvenly(_ region: Region, _ tissue: Tissue, frozen: Bool, _ voxels: UnsafeMutableBufferPointer<Float>) {
        let value = (frozen ? appearance.frozen : appearance.unfrozen)[tissue.rawValue]
        let texture = appearance.texture[tissue.rawValue]
        for k in region.k {
            for j in region.j {
                let row = geometry.size.offset(VoxelIndex(0, j, k))
                for i in region.i {
                    voxels[row &+ i] = Float(texture > 0 ? value + texture * pattern(planningPoint(i, j, k)) : value)
                }
            }
        }
    }

    private func fillVoxels(
        _ region: Region, base: Tissue, edges: [Int], ice: IceState, layers: UnsafeBufferPointer<LayerView>,
        voxels: UnsafeMutableBufferPointer<Float>
    ) {
        let nearEdge = cellRadius * 1.2
        edges.withUnsafeBufferPointer { edges in
            for k in region.k {
                for j in region.j {
                    let row = geometry.size.offset(VoxelIndex(0, j, k))
                    for i in region.i {
                        let point = scanPoint(i, j, k), planning = scene.motion.planningPoint(of: point)
                        var nearest = Double.infinity
                        let tissue = topTissue(point, planning, base, edges, layers, nearest: &nearest)
                        var isPartial = nearest < nearEdge
                        var frozen = ice == .whole ? 1.0 : 0
                        if ice == .mixed {
                            let depth = scene.ice!.value(at: point)
                            frozen = min(max(depth / appearance.edgeBandMM, 0), 1)
                            isPartial = isPartial || (depth > -nearEdge && depth < appearance.edgeBandMM + nearEdge)
                        }
                        var value = blended(tissue, frozen)
                        if isPartial {
                            var sum = 0.0
                            for sample in 0..<Self.sampleCount {
                                let point = point + offsets[sample], planning = planning + planningOffsets[sample]
                                var ignored = Double.infinity
                                let tissue = topTissue(point, planning, base, edges, layers, nearest: &ignored)
                                if ice == .mixed { frozen = min(max(scene.ice!.value(at: point) / appearance.edgeBandMM, 0), 1) }
                                sum += blended(tissue, frozen)
                            }
                            value = sum / Double(Self.sampleCount)
                        }
                        let texture = appearance.texture[tissue.rawValue]
                        if texture > 0 { value += texture * pattern(planning) }
                        if frozen > 0.5 { value -= crackDepth(at: point) }
                        voxels[row &+ i] = Float(value)
                    }
                }
            }
        }
    }

    @inline(__always) private func topTissue(
        _ point: SIMD3<Double>, _ planning: SIMD3<Double>, _ base: Tissue, _ edges: UnsafeBufferPointer<Int>,
        _ layers: UnsafeBufferPointer<LayerView>,
        nearest: inout Double
    ) -> Tissue {
        var position = edges.count
        while position > 0 {
            position &-= 1
            let index = edges[position]
            let value = layers[index].value(at: layers[index].isAnatomy ? planning : point)
            nearest = min(nearest, abs(value))
            if value >= 0 { return layers[index].tissue }
        }
        return base
    }

    @inline(__always) private func blended(_ tissue: Tissue, _ frozen: Double) -> Double {
        let value = appearance.unfrozen[tissue.rawValue]
        return value + frozen * (appearance.frozen[tissue.rawValue] - value)
    }
    @inline(__always) private func scanPoint(_ i: Int, _ j: Int, _ k: Int) -> SIMD3<Double> {
        origin + Double(i) * stepI + Double(j) * stepJ + Double(k) * stepK
    }
    private func planningPoint(_ i: Int, _ j: Int, _ k: Int) -> SIMD3<Double> { scene.motion.planningPoint(of: scanPoint(i, j, k)) }
    /// The texture of tissue, with a standard deviation of about 0.3.
    @inline(__always) private func pattern(_ planning: SIMD3<Double>) -> Double { 0.65 * coarse(planning) + 0.5 * fine(planning) }

    private func crackDepth(at point: SIMD3<Double>) -> Double {
        var depth = 0.0
        for crack in scene.cracks {
            let d = point - crack.center, across = abs(dot(d, crack.normal))
            guard across < crack.widthMM + geometry.spacing.x, length(d) < crack.radiusMM else { continue }
            depth = max(depth, 70 * (1 - across / (crack.widthMM + geometry.spacing.x)))
        }
        return depth
    }
}
