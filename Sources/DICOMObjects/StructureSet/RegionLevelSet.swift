import Foundation
import ImagingCore

extension StructureSet {
    /// The surface of a region at sub-voxel accuracy.
    ///
    /// On a contour's plane the surface is the contour itself. Between planes the signed distances to the contours are interpolated
    /// (Raya & Udupa 1990; cubic: Herman, Zheng & Bucholtz 1992); beyond the first and the last plane the region goes on for half the
    /// distance between planes. The grid is made for the region: axes along its planes, about `resolutionMM` (coarser for very large
    /// regions), with an edge all round. Throws when there are no closed contours, or not on parallel planes.
    public func levelSet(of region: Region, resolutionMM: Double = 0.5) throws(DICOMError) -> (levelSet: LevelSet, findings: [Finding]) {
        let planes = try ContourPlanes(region, of: url)
        let stack = try ContourStack(planes, resolutionMM: resolutionMM, frameOfReferenceUID: region.frameOfReferenceUID, of: url)
        return (LevelSet(field: stack.field().dividedByGradient()), region.findings + planes.findings)
    }
}

/// Signed distance maps of contour planes, and what lies between them.
private struct ContourStack {
    private static let maximumVoxelCount = 24_000_000.0
    private static let maximumExtentMM = 3000.0
    private static let edgeSteps = 4.0

    let planes: ContourPlanes
    let grid: PlanarGrid
    let geometry: GridGeometry
    let distances: [[Float]]

    init(_ planes: ContourPlanes, resolutionMM: Double, frameOfReferenceUID: String?, of url: URL) throws(DICOMError) {
        self.planes = planes
        let points = planes.planes.flatMap { $0.region.polygons.joined() }
        let low = points.reduce(points[0], pointwiseMin), high = points.reduce(points[0], pointwiseMax)
        let first = planes.planes[0].offsetMM - planes.spacingMM
        let depth = planes.planes.last!.offsetMM + planes.spacingMM - first
        guard max((high - low).max(), depth) <= Self.maximumExtentMM, planes.spacingMM > 1e-3 else {
            throw .segmentation(url, "region-extent", String(
                format: "has a region that spans %.0f mm, which no patient does.", max((high - low).max(), depth)),
                                remedy: "Export the structures again.")
        }
        // Contour planes coincide with planes of the grid where they are evenly spaced. An odd number of steps between them, and
        // half a step to the outermost contour, keep flat faces from falling on voxel centres, which would count double.
        var step = resolutionMM, parts = 1.0
        var extent = SIMD2<Double>.zero
        while true {
            parts = 2 * (planes.spacingMM / (4 * step)).rounded(.up) - 1
            extent = ((high - low) / step).rounded(.up) + 2 * Self.edgeSteps + 2
            let slices = depth / planes.spacingMM * parts + 2
            if extent.x * extent.y * slices <= Self.maximumVoxelCount || step > 8 { break }
            step *= 1.25
        }
        let sliceSpacing = planes.spacingMM / parts
        let slices = (depth / sliceSpacing - 1e-6).rounded(.up) + 1
        guard extent.x * extent.y * slices <= 8 * Self.maximumVoxelCount else {
            throw .segmentation(
                url, "region-extent", "has a region with more planes than can be meant.", remedy: "Export the structures again.")
        }
        let origin = low - (Self.edgeSteps + 0.5) * step
        grid = PlanarGrid(origin: origin, spacingMM: step, columns: Int(extent.x), rows: Int(extent.y))
        do {
            geometry = try GridGeometry(
                size: GridSize(grid.columns, grid.rows, Int(slices)), spacing: SIMD3(step, step, sliceSpacing),
                origin: PatientPoint(0, 0, 0) + planes.axes.vector(SIMD3(origin.x, origin.y, first)), axes: planes.axes,
                frameOfReferenceUID: frameOfReferenceUID)
        } catch {
            throw .segmentation(
                url, "region-extent", "has a region on no usable grid: \(error.finding.message)", remedy: "Export the structures again.")
        }
        let grid = grid
        distances = mapSlabs(of: planes.planes.count, slab: 1) { planes.planes[$0.lowerBound].region.signedDistance(on: grid) }
    }

    func field() -> Volume<Float> {
        let perSlice = geometry.size.sliceVoxelCount
        let first = planes.planes[0].offsetMM - planes.spacingMM
        return Volume(geometry: geometry) { voxels in
            forEachSlab(of: geometry.size.k, slab: 1) { slices in
                for slice in slices {
                    let row = UnsafeMutableBufferPointer(rebasing: voxels[slice * perSlice..<(slice + 1) * perSlice])
                    fill(row, at: first + Double(slice) * geometry.spacing.z)
                }
            }
        }
    }

    private func fill(_ voxels: UnsafeMutableBufferPointer<Float>, at offset: Double) {
        let above = planes.planes.firstIndex { $0.offsetMM >= offset - 1e-6 }
        let below = (above ?? planes.planes.count) - 1
        guard let above else { return cap(voxels, plane: below, awayMM: offset - planes.planes[below].offsetMM) }
        guard below >= 0 else { return cap(voxels, plane: above, awayMM: planes.planes[above].offsetMM - offset) }
        let fromBelow = offset - planes.planes[below].offsetMM, toAbove = planes.planes[above].offsetMM - offset
        if fromBelow + toAbove > ContourPlanes.bridgedGaps * planes.spacingMM {
            cap(voxels, plane: below, awayMM: fromBelow)
            cap(voxels, plane: above, awayMM: toAbove, joining: true)
            return
        }
        interpolate(voxels, below: below, share: fromBelow / (fromBelow + toAbove))
    }

    /// Between plane `below` and the next: a cubic through the signed distances of four planes (Catmull & Rom 1974, uneven knots),
    /// held between the two inner ones. Linear interpolation would make round shapes flat between planes: 0.3 mm at 5 mm.
    private func interpolate(_ voxels: UnsafeMutableBufferPointer<Float>, below: Int, share t: Double) {
        let above = below + 1
        let gap = planes.planes[above].offsetMM - planes.planes[below].offsetMM
        func neighbour(_ plane: Int, of inner: Int) -> Int? {
            guard planes.planes.indices.contains(plane) else { return nil }
            return abs(planes.planes[plane].offsetMM - planes.planes[inner].offsetMM) <= ContourPlanes.bridgedGaps * planes.spacingMM
                ? plane : nil
        }
        let outerBelow = neighbour(below - 1, of: below) ?? below, outerAbove = neighbour(above + 1, of: above) ?? above
        // Hermite's polynomials, with the slopes across each inner plane's neighbours.
        let slopeBelow = (t * t * t - 2 * t * t + t) * gap / (planes.planes[above].offsetMM - planes.planes[outerBelow].offsetMM)
        let slopeAbove = (t * t * t - t * t) * gap / (planes.planes[outerAbove].offsetMM - planes.planes[below].offsetMM)
        let valueAbove = 3 * t * t - 2 * t * t * t
        let weights = SIMD4<Float>(SIMD4(-slopeBelow, 1 - valueAbove - slopeAbove, valueAbove + slopeBelow, slopeAbove))
        let (a, b, c, d) = (distances[outerBelow], distances[below], distances[above], distances[outerAbove])
        for offset in voxels.indices {
            let cubic = weights.x * a[offset] + weights.y * b[offset] + weights.z * c[offset] + weights.w * d[offset]
            voxels[offset] = max(min(b[offset], c[offset]), min(max(b[offset], c[offset]), cubic))
        }
    }

    /// Beyond a last plane: the contour's shape for half a plane distance, then outside.
    private func cap(_ voxels: UnsafeMutableBufferPointer<Float>, plane: Int, awayMM: Double, joining: Bool = false) {
        let factor = Float(max(-1, 1 - 2 * max(0, awayMM) / planes.spacingMM))
        let distance = distances[plane]
        for offset in voxels.indices {
            let value = distance[offset] > 0 ? factor * distance[offset] : distance[offset]
            voxels[offset] = joining ? max(voxels[offset], value) : value
        }
    }
}

extension Volume<Float> {
    /// The field over the length of its gradient: the same zero surface, and millimetres of distance near it.
    ///
    /// Deep inside, where the nearest surface changes, the gradient is short without meaning anything; there it only shortens.
    fileprivate func dividedByGradient() -> Volume<Float> {
        let size = size
        let spacing = SIMD3<Float>(geometry.spacing)
        return withUnsafeVoxels { source in
            Volume(geometry: geometry) { target in
                /// Along one axis; one-sided at the edge of the grid.
                func slope(_ offset: Int, _ index: Int, _ count: Int, _ stride: Int, _ spacing: Float) -> Float {
                    let low = index > 0 ? offset &- stride : offset, high = index < count &- 1 ? offset &+ stride : offset
                    return low == high ? 0 : (source[high] - source[low]) / (Float((high &- low) / stride) * spacing)
                }
                forEachSlab(of: size.k, slab: 1) { slices in
                    for k in slices {
                        for j in 0..<size.j {
                            let start = size.offset(VoxelIndex(0, j, k))
                            for i in 0..<size.i {
                                let offset = start &+ i
                                let x = slope(offset, i, size.i, 1, spacing.x), y = slope(offset, j, size.j, size.i, spacing.y)
                                let z = slope(offset, k, size.k, size.i &* size.j, spacing.z)
                                let length = (x * x + y * y + z * z).squareRoot()
                                target[offset] = source[offset] / max(length, abs(source[offset]) < 2 ? 1e-3 : 1)
                            }
                        }
                    }
                }
            }
        }
    }
}
