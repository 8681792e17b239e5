import ImagingCore

/// A smooth displacement followed by a rigid motion.
public struct DeformableTransform: SpatialTransform {
    public let displacement: DisplacementField
    public let rigid: AffineTransform

    public init(displacement: DisplacementField, rigid: AffineTransform) { (self.displacement, self.rigid) = (displacement, rigid) }

    public func callAsFunction(_ point: PatientPoint) -> PatientPoint { rigid(displacement(point)) }

    /// The point that is brought to `target`, to 0.001 mm where the displacement changes by less than its distance, as it does.
    public func source(of target: PatientPoint) -> PatientPoint {
        let goal = rigid.inverse!(target)
        var point = goal
        for _ in 0..<50 {
            let miss = goal - displacement(point)
            point = point + miss
            if miss.length < 1e-3 { break }
        }
        return point
    }

    /// The displacement at each voxel of `grid`, along its axes and in its voxels.
    func displacements(inVoxelsOf grid: GridGeometry) -> [SIMD4<Float>] {
        let axes = grid.axes, perMM = 1 / grid.spacing
        return (0..<grid.size.voxelCount).map { offset in
            let d = displacement.displacement(at: grid.point(grid.size.index(atOffset: offset)))
            return SIMD4(SIMD3<Float>(axes.components(of: PatientVector(d)) * perMM), 0)
        }
    }

    /// A whole motion that is given as displacements, divided into the rigid motion nearest to it and what that leaves.
    public init(_ field: DisplacementField) {
        let grid = field.grid
        let points = (0..<grid.size.voxelCount).map { grid.point(grid.size.index(atOffset: $0)).lps }
        let moved = points.indices.map { n in
            points[n] + SIMD3(Double(field.vectors[n].x), Double(field.vectors[n].y), Double(field.vectors[n].z))
        }
        rigid = AffineTransform(rigidlyFrom: points, to: moved)
        let back = rigid.inverse!
        displacement = DisplacementField(grid: grid, vectors: points.indices.map { n in
            SIMD4(SIMD3<Float>(back(PatientPoint(moved[n])).lps - points[n]), 0)
        })
    }
    /// A rigid motion that is given.
    public init(_ rigid: AffineTransform) {
        // A field without displacement: its grid does not matter.
        let grid = try! GridGeometry(size: GridSize(1, 1, 1), spacing: SIMD3(1, 1, 1), origin: PatientPoint(0, 0, 0))
        self.init(displacement: DisplacementField(grid: grid, vectors: [.zero]), rigid: rigid)
    }
}

/// The smooth motion that brings one scan onto another: breathing and settling of organs on top of a rigid motion.
///
/// Where nothing may be compared (ice, metal) the displacement goes on as smoothly as it can. Around the focus it is a rigid motion,
/// so that a tumour keeps its shape and size.
public struct DeformableRegistration: Sendable {
    /// Fixed frame → moving frame, LPS millimetres.
    public let fixedToMoving: DeformableTransform
    /// The share of the fixed image's local contrast that the moving image explains, 0…1.
    public let similarity: Double
    /// The smallest ratio of a small volume after and before the displacement; it does not fold while this is positive.
    public let smallestJacobian: Double
    /// How far the displacement that the images ask for is from the rigid one that the focus gets, in the mean over its surface.
    public let bendingMM: Double

    /// One pass over the images.
    struct Stage {
        /// Which spacing of the pyramid.
        var level: Int
        var windowRadiusMM: Double
        var iterations: Int
    }
    static let stages = [Stage(level: 1, windowRadiusMM: 20, iterations: 12), Stage(level: 2, windowRadiusMM: 10, iterations: 10)]
    /// The distance of the spline's controls.
    static let controlSpacingMM = 28.0
    /// The weight of bending against the images, for one voxel per cubic millimetre.
    static let stiffness: Float = 3
    /// Below this the displacement is made again, stiffer.
    static let leastJacobian = 0.1
    static let stifferTries = 4

    /// Deforms from a rigid motion (fixed frame → moving frame). The same scans give the same digits on any number of threads.
    public init(
        fixed: RegistrationScan, moving: RegistrationScan, focus: RegistrationFocus? = nil, from rigid: AffineTransform
    ) throws(RegistrationError) {
        try self.init(RegistrationPair(fixed: fixed, moving: moving), focus: focus, from: rigid)
    }

    init(
        _ pair: RegistrationPair, focus: RegistrationFocus?, from rigid: AffineTransform, stiffness: Float = Self.stiffness
    ) throws(RegistrationError) {
        var stiffness = stiffness
        for attempt in 1...Self.stifferTries {
            guard let (smooth, cost) = Self.displacement(pair, from: rigid, stiffness: stiffness) else { throw .nothingInCommon }
            var field = smooth, bending = 0.0
            if let focus {
                let center = DeformableTransform(displacement: smooth, rigid: rigid).source(of: focus.center)
                field = smooth.madeRigid(around: center, radiusMM: focus.radiusMM)
                let surface = RegistrationFocus(center: center, radiusMM: focus.radiusMM).surfacePoints()
                bending = surface.map { smooth($0).distance(to: field($0)) }.reduce(0, +) / Double(surface.count)
            }
            let jacobian = field.smallestJacobian()
            if jacobian >= Self.leastJacobian || attempt == Self.stifferTries {
                fixedToMoving = DeformableTransform(displacement: field, rigid: rigid)
                (similarity, smallestJacobian, bendingMM) = (1 - cost, jacobian, bending)
                return
            }
            stiffness *= 8
        }
        preconditionFailure("the last attempt is taken")
    }

    private static func displacement(
        _ pair: RegistrationPair, from rigid: AffineTransform, stiffness: Float
    ) -> (DisplacementField, cost: Double)? {
        var controls: [SIMD4<Float>] = [], lattice: BSplineLattice?, cost = 1.0
        for stage in stages {
            guard var similarity = LocalCorrelation(
                fixed: pair.fixed[stage.level], moving: MovingImage(pair.moving[stage.level]),
                .init(windowRadiusMM: pair.scale * stage.windowRadiusMM))
            else { return nil }
            let next = BSplineLattice(grid: similarity.grid, controlSpacingMM: controlSpacingMM)
            controls = lattice.map { $0.carried(controls, to: next) } ?? [SIMD4<Float>](repeating: .zero, count: next.controlCount)
            let descent = DeformableDescent(stiffness: stiffness / Float(similarity.grid.voxelVolume), iterations: stage.iterations)
            cost = descent.refine(&controls, next, &similarity, from: rigid)
            lattice = next
        }
        return lattice.map { (DisplacementField($0, controls), cost) }
    }
}

extension DisplacementField {
    /// What `controls` (millimetres along the lattice's axes) make of each voxel.
    init(_ lattice: BSplineLattice, _ controls: [SIMD4<Float>]) {
        let axes = lattice.grid.axes
        let (i, j, k) = (SIMD4(SIMD3<Float>(axes.i.lps), 0), SIMD4(SIMD3<Float>(axes.j.lps), 0), SIMD4(SIMD3<Float>(axes.k.lps), 0))
        self.init(grid: lattice.grid, vectors: lattice.dense(controls.map { $0.x * i + $0.y * j + $0.z * k }))
    }
}
