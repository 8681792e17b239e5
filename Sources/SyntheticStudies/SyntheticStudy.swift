import DICOMObjects
import Foundation
import ImagingCore

/// One treatment as synthetic scans, with everything that is true of it known.
///
/// The same options give the same study, voxel for voxel, on any number of threads.
public struct SyntheticStudy: Sendable {
    /// One series of the study.
    public struct Scan: Sendable {
        public let role: String
        public let volume: ScanVolume
        public let sliceThicknessMM: Double
        public let header: ImageSeriesHeader
        /// Planning space → this scan's space.
        public let motion: PatientMotion
    }

    public let options: StudyOptions
    public let scans: [Scan]
    public let truth: StudyTruth
    let tumour: TumourShape
    let ice: IceShape?
    /// What a follow-up scan shows as dead, in planning space.
    let zone: CarriedIce
    let structures: [SitePlan.Structure]

    /// Builds the geometry, computes its truth and takes the scans. Throws `StudyOptionError`.
    public init(_ options: StudyOptions) throws { try self.init(options, truthLevel: 6) }

    /// `truthLevel` is the fineness of the spheres and meshes that the truth is computed with: 6 for what its documentation promises.
    init(_ options: StudyOptions, truthLevel: Int) throws {
        try options.validate()
        self.options = options
        let isProne = options.site == .kidney || options.site == .spine
        let torso = Torso(seed: options.seed, isProne: isProne)
        let site = SitePlan(options, torso: torso)
        let motion = Self.motion(options, purpose: "motion", about: site.tumour.center)
        let followUpMotion = Self.motion(options, purpose: "follow-up motion", about: site.tumour.center)
        let target = motion(PatientPoint(site.tumour.center)).lps

        var placement = ProbePlacement(
            target: target, entry: motion.rigid.matrix * site.entry, tumourRadius: site.tumour.meanRadius, count: options.probeCount,
            torso: torso,
            motion: motion, site: options.site, seed: options.seed)
        if let vessel = site.heatSink {
            let moved = Capsule(
                start: motion(PatientPoint(vessel.start)).lps, end: motion(PatientPoint(vessel.end)).lps, startRadius: vessel.startRadius,
                endRadius: vessel.endRadius)
            placement.ice.heatSinks = [IceShape.HeatSink(vessel: moved, depthMM: 2.8, reachMM: 4)]
        }
        let inScan: @Sendable (SIMD3<Double>) -> Double = { site.tumour.value(at: motion.planningPoint(of: $0)) }
        let reach = 1.6 * site.tumour.largestRadius
        if let margin = options.marginMM { placement.ice.grow(toMargin: margin, tumour: inScan, center: target, reachMM: reach) }

        tumour = site.tumour
        ice = options.hasIce ? placement.ice : nil
        zone = CarriedIce(ice: placement.ice.shrunk(), motion: motion)
        structures = site.structures

        let uids = StudyIdentity(options)
        let plans = try Self.scanPlans(
            options, isProne: isProne, target: target, center: site.tumour.center, motion: motion, followUpMotion: followUpMotion,
            uids: uids)
        let scanner = Scanner(options: options, site: site, torso: torso, placement: placement, procedureMotion: motion)
        scans = plans.map { plan in
            Scan(
                role: plan.role.rawValue, volume: scanner.scan(plan), sliceThicknessMM: plan.sliceThicknessMM,
                header: uids.header(plan, site: site, isProne: isProne), motion: plan.motion)
        }
        truth = StudyTruth(
            options: options, site: site, placement: placement, motion: motion, followUpMotion: followUpMotion, plans: plans, uids: uids,
            inScan: inScan, reachMM: reach, level: truthLevel)
    }

    private static func scanPlans(
        _ options: StudyOptions, isProne: Bool, target: SIMD3<Double>, center: SIMD3<Double>, motion: PatientMotion,
        followUpMotion: PatientMotion,
        uids: StudyIdentity
    ) throws(GeometryError) -> [ScanPlan] {
        func plan(_ role: ScanPlan.Role, _ motion: PatientMotion, _ center: SIMD3<Double>) throws(GeometryError) -> ScanPlan {
            try ScanPlan(
                role, options: options, isProne: isProne, tumourCenter: center, motion: motion,
                frameOfReferenceUID: uids.frameOfReferenceUID(role))
        }
        var plans = [try plan(.planning, .none, center)]
        if options.hasPrefreezeScan { plans.append(try plan(.prefreeze, motion, target)) }
        plans.append(try plan(.intraprocedural, motion, target))
        if options.hasFollowUpScan { plans.append(try plan(.followup, followUpMotion, followUpMotion(PatientPoint(center)).lps)) }
        return plans
    }

    private static func motion(_ options: StudyOptions, purpose: String, about center: SIMD3<Double>) -> PatientMotion {
        guard options.motion != .none else { return .none }
        var generator = SeededGenerator(seed: options.seed, purpose: purpose)
        // Mostly about the long axis, as people lie differently.
        let axis = PatientVector(normalize(SIMD3(0.35 * generator.normal(), 0.35 * generator.normal(), 1)))
        let sign = generator.unit() < 0.5 ? -1.0 : 1
        let angle = sign * options.motionDegrees * generator.uniform(0.7...1) * .pi / 180
        let shift = options.motionMM * generator.uniform(0.7...1) * generator.direction()
        let rigid = ImagingCore.AffineTransform(
            rotation: .rotation(about: axis, radians: angle), about: PatientPoint(0, 0, center.z), translation: PatientVector(shift))
        guard options.motion == .smooth else { return PatientMotion(rigid: rigid, swells: [], fixedBehindY: 0) }
        let breath = options.breathingMM * generator.uniform(0.8...1)
        let direction = normalize(SIMD3(0.15 * generator.normal(), 0.25, 1))
        return PatientMotion(
            rigid: rigid,
            swells: [
                .init(
                    center: center + SIMD3(generator.uniform(10...30), -25, generator.uniform(-20...20)), displacement: breath * direction,
                    sigmaMM: 75),
                .init(center: center + 45 * generator.direction(), displacement: 0.35 * breath * generator.direction(), sigmaMM: 38),
                .init(center: SIMD3(60, -30, center.z), displacement: 0.5 * breath * direction, sigmaMM: 60),
            ], fixedBehindY: 46)
    }
}

/// Takes the scans of one study.
private struct Scanner {
    let options: StudyOptions
    let site: SitePlan
    let torso: Torso
    let placement: ProbePlacement
    let procedureMotion: PatientMotion

    func scan(_ plan: ScanPlan) -> ScanVolume {
        let isProcedure = plan.role == .prefreeze || plan.role == .intraprocedural
        var layers = torso.layers() + site.furtherLayers
        layers.append(Layer(site.tumour, .tumour))
        if plan.role == .followup {
            let zone = CarriedIce(ice: placement.ice.shrunk(), motion: procedureMotion)
            // A rim that enhances lies outside of what died; without contrast medium it looks like what surrounds it.
            if options.modality == .mr || site.hasContrast {
                layers.append(Layer(Inset(base: zone, mm: -CarriedIce.scale * 1.6), .ablationRim))
            }
            layers.append(Layer(zone, .ablated))
        }
        let probes = isProcedure ? placement.probes : []
        for probe in probes {
            if options.modality == .mr {
                layers.append(Layer(
                    Cylinder(start: probe.tip, end: probe.tail, radius: probe.diameterMM / 2 + MRAcquisition.susceptibilityMM), .metal,
                    space: .scan))
            } else {
                layers.append(Layer(probe.shaft, .metal, space: .scan))
            }
        }
        var scene = Scene(layers: layers, motion: plan.motion, ice: nil, textureSeed: options.seed &+ 900)
        if plan.role == .intraprocedural, options.hasIce {
            scene.ice = placement.ice
            if options.hasCracks { scene.cracks = cracks() }
        }
        let seed = SeededGenerator.mix(options.seed &+ UInt64(plan.role.rawValue.utf8.reduce(0) { $0 &* 31 &+ Int($1) } & 0xFFFF))
        switch options.modality {
        case .ct:
            let hasContrast = !isProcedure && site.hasContrast
            let scanner = CTAcquisition(
                hasContrast: hasContrast, noiseHU: options.noiseLevel, edgeBandMM: options.iceEdgeBandMM,
                tumourHU: hasContrast ? site.planningHU : site.plainHU, streakStrength: options.streaks)
            return .int16(scanner.scan(scene, probes: probes, geometry: plan.geometry, sliceThicknessMM: plan.sliceThicknessMM, seed: seed))
        case .mr:
            let scanner = MRAcquisition(noise: options.noiseLevel, edgeBandMM: options.iceEdgeBandMM, tumourSignal: site.signal)
            return .int16(scanner.scan(scene, geometry: plan.geometry, sliceThicknessMM: plan.sliceThicknessMM, seed: seed))
        }
    }

    private func cracks() -> [Scene.Crack] {
        var generator = SeededGenerator(seed: options.seed, purpose: "cracks")
        return (0..<3).map { _ in
            let drop = placement.ice.drops[Int(generator.next() % UInt64(placement.ice.drops.count))]
            let (u, v) = perpendiculars(to: drop.axis), angle = generator.uniform(0...2 * .pi)
            return Scene.Crack(
                center: drop.center + generator.uniform(-5...5) * drop.axis, normal: cos(angle) * u + sin(angle) * v,
                radiusMM: generator.uniform(8...15), widthMM: generator.uniform(0.3...0.8))
        }
    }
}

/// A zone that was frozen in the procedure's space, where it lies in planning space.
struct CarriedIce: ImplicitShape {
    /// Keeps the function's slope below `steepestSlope`.
    static let scale = 0.55

    var ice: IceShape
    var motion: PatientMotion

    func value(at point: SIMD3<Double>) -> Double { Self.scale * ice.value(at: motion(PatientPoint(point)).lps) }
    var bounds: Box {
        let box = ice.bounds
        let center = motion.planningPoint(of: (box.low + box.high) / 2), reach = length(box.high - box.low) / 2 * 1.2
        return Box(low: center - reach, high: center + reach)
    }
}

extension IceShape {
    /// What remains to be seen weeks later: a little smaller all round.
    func shrunk() -> IceShape {
        var copy = self
        copy.growthMM -= 1.5
        return copy
    }

    /// Sets `growthMM` so that the smallest distance from the tumour's surface to the ice's is `marginMM`, to about 0.01 mm.
    mutating func grow(
        toMargin marginMM: Double, tumour: @escaping @Sendable (SIMD3<Double>) -> Double, center: SIMD3<Double>, reachMM: Double
    ) {
        func margin(_ growth: Double) -> Double {
            var copy = self
            copy.growthMM = growth
            return MarginTruth(tumourCenter: center, reachMM: reachMM, tumour: tumour, zone: copy, stepMM: 1, level: 4).minimum().marginMM
        }
        var (a, b) = (0.0, 0.0)
        var (fa, fb) = (margin(0) - marginMM, 0.0)
        b = -fa
        fb = margin(b) - marginMM
        for _ in 0..<8 where abs(fb) > 0.004 && abs(fb - fa) > 1e-9 {
            let next = b - fb * (b - a) / (fb - fa)
            (a, fa) = (b, fb)
            b = min(max(next, b - 8), b + 8)
            fb = margin(b) - marginMM
        }
        growthMM = b
    }
}
