import ImagingCore

/// Morphology with balls of a radius in millimetres, measured between voxel centres; the ball includes its surface.
///
/// Beyond the grid there is nothing to measure to: objects are not eroded from the grid's edge. `closed` and `fillingHoles` take
/// what lies beyond the grid as background, so that they add nothing between an object and the edge.
extension Mask {
    /// Room for rounding in a radius that is meant to reach a voxel centre exactly.
    private static let radiusTolerance = 1e-5

    /// The voxels whose centres lie within `radiusMM` of a voxel inside.
    public func dilated(byMM radiusMM: Double) -> Mask {
        guard radiusMM > 0, let window = window(marginMM: radiusMM, withinGrid: true) else { return self }
        return window.pasted(window.part.grown(by: radiusMM), on: geometry)
    }

    /// The voxels inside that are farther than `radiusMM` from every voxel outside.
    public func eroded(byMM radiusMM: Double) -> Mask {
        guard radiusMM > 0, let window = window(marginMM: geometry.spacing.max(), withinGrid: true) else { return self }
        return window.pasted(window.part.complement.grown(by: radiusMM).complement, on: geometry)
    }

    /// Erosion, then dilation: what a ball of `radiusMM` can reach from within.
    public func opened(byMM radiusMM: Double) -> Mask { eroded(byMM: radiusMM).dilated(byMM: radiusMM) }

    /// Dilation, then erosion: fills what a ball of `radiusMM` cannot reach from outside.
    public func closed(byMM radiusMM: Double) -> Mask {
        guard radiusMM > 0, let window = window(marginMM: radiusMM + geometry.spacing.max(), withinGrid: false) else { return self }
        let dilated = window.part.grown(by: radiusMM)
        return window.pasted(dilated.complement.grown(by: radiusMM).complement, on: geometry)
    }

    /// The mask with every cavity filled: background that cannot be left, by steps across faces, towards the grid's edge.
    public func fillingHoles() -> Mask {
        guard let window = window(marginMM: geometry.spacing.max(), withinGrid: false) else { return self }
        let background = window.part.complement
        let outside = background.component(containing: VoxelIndex(0, 0, 0), .six)
        return window.pasted(outside.complement, on: geometry)
    }

    private func grown(by radiusMM: Double) -> Mask {
        let square = Float(radiusMM * radiusMM * (1 + 2 * Self.radiusTolerance))
        if let ball = VoxelBall(squareMM: Double(square), spacing: geometry.spacing) { return ball.dilated(self) }
        return Mask(squaredDistanceToInside()) { $0 <= square }
    }

    /// The part of the grid around the object, which may reach beyond the grid; `nil` when the mask is empty.
    private func window(marginMM: Double, withinGrid: Bool) -> MaskWindow? {
        guard let box = boundingBox else { return nil }
        let margin = (marginMM / geometry.spacing).rounded(.up) + 1
        func range(_ range: Range<Int>, _ margin: Double, _ count: Int) -> Range<Int> {
            let margin = Int(min(margin, Double(count + range.count)))
            return withinGrid
                ? max(range.lowerBound - margin, 0)..<min(range.upperBound + margin, count)
                : range.lowerBound - margin..<range.upperBound + margin
        }
        return MaskWindow(of: self, range(box.i, margin.x, size.i), range(box.j, margin.y, size.j), range(box.k, margin.z, size.k))
    }
}

/// A box of a mask's grid that may reach beyond it; outside voxels are not in the mask.
private struct MaskWindow {
    let part: Mask
    private let i, j, k: Range<Int>

    init(of mask: Mask, _ i: Range<Int>, _ j: Range<Int>, _ k: Range<Int>) {
        (self.i, self.j, self.k) = (i, j, k)
        let grid = mask.geometry
        let origin = grid.point(ContinuousIndex(Double(i.lowerBound), Double(j.lowerBound), Double(k.lowerBound)))
        guard let geometry = try? GridGeometry(
            size: GridSize(i.count, j.count, k.count), spacing: grid.spacing, origin: origin, axes: grid.axes,
            frameOfReferenceUID: grid.frameOfReferenceUID)
        else { preconditionFailure("window larger than the largest grid") }
        var part = Mask(empty: geometry)
        part.withUnsafeMutableVoxels { target in
            mask.withUnsafeVoxels { source in
                Self.forEachCommonRow(i, j, k, grid.size) { inWindow, inGrid, count in
                    (target.baseAddress! + inWindow).update(from: source.baseAddress! + inGrid, count: count)
                }
            }
        }
        self.part = part
    }

    /// The window's content on the whole grid, which is empty elsewhere.
    func pasted(_ content: Mask, on geometry: GridGeometry) -> Mask {
        var result = Mask(empty: geometry)
        result.withUnsafeMutableVoxels { target in
            content.withUnsafeVoxels { source in
                Self.forEachCommonRow(i, j, k, geometry.size) { inWindow, inGrid, count in
                    (target.baseAddress! + inGrid).update(from: source.baseAddress! + inWindow, count: count)
                }
            }
        }
        return result
    }

    private static func forEachCommonRow(
        _ i: Range<Int>, _ j: Range<Int>, _ k: Range<Int>, _ size: GridSize, _ body: (_ inWindow: Int, _ inGrid: Int, _ count: Int) -> Void
    ) {
        let common = i.clamped(to: 0..<size.i)
        for slice in k.clamped(to: 0..<size.k) {
            for row in j.clamped(to: 0..<size.j) {
                let inWindow = (common.lowerBound - i.lowerBound) + i.count * ((row - j.lowerBound) + j.count * (slice - k.lowerBound))
                body(inWindow, size.offset(VoxelIndex(common.lowerBound, row, slice)), common.count)
            }
        }
    }
}
