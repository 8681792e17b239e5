import ImagingCore

extension LevelSet {
    /// The smooth sub-voxel surface that a binary mask was most likely sampled from.
    ///
    /// The surface bends as little as it can while it passes between each voxel centre inside and its neighbours outside, about half way
    /// where nothing else is known, and the mask's volume is kept, so that it does not shrink. Voxel centres keep their side to within the
    /// reconstruction's grid. Thick slices are filled in between, and beyond the last slice, by the same rule. For masks made of voxel
    /// centres inside the object, or of voxels at least half filled.
    ///
    /// The result has a grid of its own: cropped to the object and some voxels around it, with voxels subdivided along axes on which
    /// they are coarse; voxel centres of the mask within it are voxel centres of the result. Where the object touches
    /// the edge of the mask's grid so does the result (`touchesGridEdge`). An empty mask gives a field that is negative everywhere.
    /// Deterministic; independent of the number of threads.
    public init(reconstructing mask: Mask) {
        guard let window = ReconstructionWindow(of: mask) else {
            self.init(field: Volume(geometry: mask.geometry, repeating: -.greatestFiniteMagnitude))
            return
        }
        var field = SurfaceFit(to: mask, window).solved()
        window.close(&field)
        self.init(field: field)
    }

    /// How far from the surface of shares the field is a distance.
    private static let reachMM: Float = 4

    /// The surface of an object given as the share of each voxel that it fills, or as a probability, from 0 to 1: where that is one half.
    ///
    /// A volume of zeros and ones is reconstructed as a binary mask. The grid of the result is as for masks.
    public init(reconstructing fraction: Volume<Float>) {
        let mask = Mask(fraction) { $0 >= 0.5 }
        let isBinary = fraction.withUnsafeVoxels { voxels in voxels.allSatisfy { $0 == 0 || $0 == 1 } }
        guard !isBinary, let window = ReconstructionWindow(of: mask) else {
            self.init(reconstructing: mask)
            return
        }
        // Twice the spacing turns the share at the edge, which falls from 1 to 0 over about a voxel, into about millimetres.
        let scale = Float(2 * fraction.geometry.spacing.min())
        let centred = fraction.mapped { scale * (min(1, max(0, $0)) - 0.5) }
        let interpolated = centred.resampled(onto: window.grid, interpolation: .cubic, outside: -scale / 2)
        let roughBand = Mask(interpolated) { $0 >= 0 }.signedDistance()
        self.init(field: SurfaceFit.distance(
            toSurfaceOf: interpolated, near: roughBand, reachMM: Self.reachMM))
    }
}

/// Where a surface is reconstructed: the part of the mask's grid around the object, and the grid of the result.
struct ReconstructionWindow {
    /// Voxels are subdivided to about this size, or to the finest spacing that the mask has.
    static let wantedSpacingMM = 0.9
    /// How far from the surface, in units of the thickest voxel, the field may still be moved.
    static let reachInVoxels = 2.0
    /// Beyond that the field is held: it must end within the grid.
    private static let heldVoxels = 2.0

    /// The mask's voxel at the first voxel of `grid`; may lie outside the mask's grid.
    let low: VoxelIndex
    /// Into how many voxels of `grid` a voxel of the mask is divided along each axis.
    let divisions: SIMD3<Int>
    let grid: GridGeometry
    /// Per axis, whether the object goes on beyond the first and the last voxel of `grid`.
    private let cuts: [(first: Bool, last: Bool)]
    var isCut: Bool { cuts.contains { $0.first || $0.last } }
    /// Depth outside, millimetres, at which a closed side is held at least.
    private static let closedMM: Float = 0.05

    /// `nil` when the mask is empty.
    init?(of mask: Mask) {
        guard let box = mask.boundingBox else { return nil }
        let geometry = mask.geometry, spacing = geometry.spacing, size = geometry.size
        // Beyond the grid's edge nothing is known: padding there would close the object smoothly and hide that it is cut.
        func padded(_ range: Range<Int>, _ count: Int, _ spacing: Double, _ fine: Double) -> Range<Int> {
            // The surface may lie almost a voxel beyond the last centre inside.
            let padding = Int(((Self.reachInVoxels * max(thickest, 1) + Self.heldVoxels * fine) / spacing + 1).rounded(.up))
            return (range.lowerBound == 0 ? 0 : range.lowerBound - padding)
                ..< (range.upperBound == count ? count : range.upperBound + padding)
        }
        let wanted = max(Self.wantedSpacingMM, spacing.min()), thickest = spacing.max()
        let parts = pointwiseMax((spacing / wanted).rounded(.toNearestOrAwayFromZero), SIMD3(repeating: 1)), fine = spacing / parts
        let i = padded(box.i, size.i, spacing.x, fine.x), j = padded(box.j, size.j, spacing.y, fine.y)
        let k = padded(box.k, size.k, spacing.z, fine.z)
        cuts = [(box.i, size.i), (box.j, size.j), (box.k, size.k)].map { ($0.lowerBound == 0, $0.upperBound == $1) }
        divisions = SIMD3<Int>(parts)
        low = VoxelIndex(i.lowerBound, j.lowerBound, k.lowerBound)
        grid = geometry.refined(
            size: GridSize((i.count - 1) * divisions.x + 1, (j.count - 1) * divisions.y + 1, (k.count - 1) * divisions.z + 1),
            spacing: fine, origin: geometry.point(ContinuousIndex(low)))
    }

    /// Keeps the surface of an object that ends within the mask's grid within `grid`: between thick slices a jagged outline may bulge
    /// farther than the padding.
    func close(_ field: inout Volume<Float>) {
        let size = grid.size, counts = [size.i, size.j, size.k], strides = [1, size.i, size.i * size.j]
        field.withUnsafeMutableVoxels { field in
            for axis in 0..<3 {
                let (u, v) = ((axis + 1) % 3, (axis + 2) % 3)
                for (isOpen, place) in [(cuts[axis].first, 0), (cuts[axis].last, counts[axis] - 1)] where !isOpen {
                    for b in 0..<counts[v] { for a in 0..<counts[u] {
                        let offset = place * strides[axis] + a * strides[u] + b * strides[v]
                        field[offset] = min(field[offset], -Self.closedMM)
                    } }
                }
            }
        }
    }
}

extension GridGeometry {
    /// A grid with the same axes; its values must make a valid grid.
    func refined(size: GridSize, spacing: SIMD3<Double>, origin: PatientPoint) -> GridGeometry {
        do {
            return try GridGeometry(size: size, spacing: spacing, origin: origin, axes: axes, frameOfReferenceUID: frameOfReferenceUID)
        } catch {
            preconditionFailure("not a valid grid: \(error)")
        }
    }
    /// Every `step`-th voxel along each axis.
    func thinned(by step: Int) -> GridGeometry {
        refined(
            size: GridSize((size.i - 1) / step + 1, (size.j - 1) / step + 1, (size.k - 1) / step + 1), spacing: Double(step) * spacing,
            origin: origin)
    }
}
