import ImagingCore

/// Voxel types that pictures can be made of.
protocol Displayable: VoxelValue { var float: Float { get } }
extension Int16: Displayable { var float: Float { Float(self) } }
extension Float: Displayable { var float: Float { self } }

/// A plane as it runs through the voxels of a grid.
private struct IndexPlane {
    let start, alongX, alongY: SIMD3<Double>

    init(_ plane: ViewPlane, in geometry: GridGeometry) {
        start = geometry.continuousIndex(plane.point(.zero)).ijk
        alongX = geometry.continuousIndex(plane.point(SIMD2(1, 0))).ijk - start
        alongY = geometry.continuousIndex(plane.point(SIMD2(0, 1))).ijk - start
    }
}

/// The values of `volume`, interpolated linearly, at the pixels of `plane` inside `columns` × `rows`, row by row. A pixel
/// outside the grid's cells is NaN; within half a voxel of the edge the outermost voxel counts.
func reslice<Voxel: Displayable>(_ volume: Volume<Voxel>, _ plane: ViewPlane, columns: Range<Int>, rows: Range<Int>) -> [Float] {
    let path = IndexPlane(plane, in: volume.geometry)
    // Along a row of voxels the column positions are the same in every row.
    let followsRows = path.alongX.y.magnitude < 1e-9 && path.alongX.z.magnitude < 1e-9
    let lookup = followsRows ? columns.map { AxisPosition(path.start.x + Double($0) * path.alongX.x, count: volume.size.i) } : []
    let count = columns.count * rows.count
    return volume.withUnsafeVoxels { voxels in
        [Float](unsafeUninitializedCapacity: count) { values, initialized in
            for row in 0..<rows.count {
                let rowStart = path.start + Double(row + rows.lowerBound) * path.alongY + Double(columns.lowerBound) * path.alongX
                let target = UnsafeMutableBufferPointer(rebasing: values[row * columns.count..<(row + 1) * columns.count])
                if followsRows {
                    resliceRow(
                        voxels, volume.size, AxisPosition(rowStart.y, count: volume.size.j), AxisPosition(rowStart.z, count: volume.size.k),
                        lookup, target)
                } else {
                    resliceLine(voxels, volume.size, from: rowStart, step: path.alongX, target)
                }
            }
            initialized = count
        }
    }
}

/// A position along one axis of a grid as a share between two voxels.
private struct AxisPosition {
    /// The lower voxel, or −1 outside the grid's cells.
    let index: Int
    /// The next voxel's share; 0 at the last voxel, where there is none.
    let share: Float

    init(_ position: Double, count: Int) {
        // Rounding must not push a plane that lies on the edge of the grid out of it.
        let tolerance = 1e-9 * Double(count), last = Double(count - 1)
        guard position >= -0.5 - tolerance, position <= last + 0.5 + tolerance else {
            (index, share) = (-1, 0)
            return
        }
        let clamped = min(max(position, 0), last), whole = clamped.rounded()
        // A plane through voxel centres is one to within rounding.
        let isCentre = abs(clamped - whole) < tolerance
        index = isCentre ? Int(whole) : Int(clamped)
        share = isCentre ? 0 : Float(clamped - Double(index))
    }
}

/// Pixels that run along a row of voxels.
private func resliceRow<Voxel: Displayable>(
    _ voxels: UnsafeBufferPointer<Voxel>, _ size: GridSize, _ j: AxisPosition, _ k: AxisPosition, _ columns: [AxisPosition],
    _ values: UnsafeMutableBufferPointer<Float>
) {
    guard j.index >= 0, k.index >= 0 else { return values.update(repeating: .nan) }
    let a = voxels.baseAddress! + size.offset(VoxelIndex(0, j.index, k.index))
    let dj = j.share > 0 ? size.i : 0, dk = k.share > 0 ? size.sliceVoxelCount : 0
    @inline(__always) func value(_ i: Int) -> Float {
        var near = a[i].float
        if dj > 0 { near += j.share * (a[i &+ dj].float - near) }
        guard dk > 0 else { return near }
        var far = a[i &+ dk].float
        if dj > 0 { far += j.share * (a[i &+ dj &+ dk].float - far) }
        return near + k.share * (far - near)
    }
    columns.withUnsafeBufferPointer { columns in
        for x in 0..<values.count {
            let position = columns[x]
            guard position.index >= 0 else {
                values[x] = .nan
                continue
            }
            let near = value(position.index)
            values[x] = position.share > 0 ? near + position.share * (value(position.index &+ 1) - near) : near
        }
    }
}

/// Pixels that run through the voxels in any direction.
private func resliceLine<Voxel: Displayable>(
    _ voxels: UnsafeBufferPointer<Voxel>, _ size: GridSize, from start: SIMD3<Double>, step: SIMD3<Double>,
    _ values: UnsafeMutableBufferPointer<Float>
) {
    let last = SIMD3(Double(size.i - 1), Double(size.j - 1), Double(size.k - 1)), (lineStep, sliceStep) = (size.i, size.sliceVoxelCount)
    let tolerance = 1e-9 * (1 + last.max())
    for x in 0..<values.count {
        let position = start + Double(x) * step
        guard all(position .>= -0.5 - tolerance), all(position .<= last + 0.5 + tolerance) else {
            values[x] = .nan
            continue
        }
        let clamped = pointwiseMin(pointwiseMax(position, .zero), last), floor = clamped.rounded(.down)
        let f = SIMD3<Float>(clamped - floor)
        let offset = Int(floor.x) &+ Int(floor.y) &* lineStep &+ Int(floor.z) &* sliceStep
        let dx = f.x > 0 ? 1 : 0, dy = f.y > 0 ? lineStep : 0, dz = f.z > 0 ? sliceStep : 0
        @inline(__always) func line(_ offset: Int) -> Float {
            let a = voxels[offset].float
            return a + f.x * (voxels[offset &+ dx].float - a)
        }
        @inline(__always) func slice(_ offset: Int) -> Float {
            let a = line(offset)
            return dy == 0 ? a : a + f.y * (line(offset &+ dy) - a)
        }
        let a = slice(offset)
        values[x] = dz == 0 ? a : a + f.z * (slice(offset &+ dz) - a)
    }
}

extension ScanVolume {
    /// The scan in `plane` as a grey picture; black outside the scan.
    func picture(_ plane: ViewPlane, window: DisplayWindow) -> RGBImage {
        let values = switch self {
        case .int16(let volume): reslice(volume, plane, columns: 0..<plane.width, rows: 0..<plane.height)
        case .float32(let volume): reslice(volume, plane, columns: 0..<plane.width, rows: 0..<plane.height)
        }
        return RGBImage(width: plane.width, height: plane.height, values: values, window: window)
    }
}
