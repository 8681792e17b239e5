import Foundation
import ImagingCore
import Testing
@testable import ImageSegmentation

/// The 0 °C front against the contour of half the change, in scans with skin and a known ramp below the front.
@Suite struct FreezingFrontTests {
    static let ice = ellipsoid(SIMD3(1.3, -2.2, 0.6), SIMD3(14, 15, 15))
    static let seed = PatientPoint(1, -2, 0)

    static func scan(_ modality: Modality, rampMM: Double, blurMM: Double = 0.7) throws -> ScanVolume {
        let grid = try AnalyticScan.grid(120, 116, 26)
        return AnalyticScan.make(grid, blurMM: blurMM, noise: 10, seed: 21) { (p: SIMD3<Double>) -> Double in
            let depth = Self.ice(p), frozen = rampMM > 0 ? max(0, min(1, depth / rampMM)) : depth > 0 ? 1 : 0
            let isBody = (p.x * p.x) / (41 * 41) + (p.y * p.y) / (39 * 39) < 1
            return modality == .ct ? (isBody ? 58 - 85 * frozen : -1000) : (isBody ? 320 * (1 - 0.96 * frozen) : 0)
        }
    }

    @Test(arguments: [(.ct, 0.0), (.ct, 0.9), (.ct, 1.75), (.mr, 0.0), (.mr, 0.9), (.mr, 1.75)] as [(Modality, Double)])
    func frontIsFoundWhateverTheWidthOfTheRamp(modality: Modality, rampMM: Double) throws {
        let scan = try Self.scan(modality, rampMM: rampMM)
        let result = try IceSegmentation.segment(scan: scan, modality: modality, probes: [], seeds: [Self.seed])
        let comparison = SurfaceComparison(result.levelSet, on: try AnalyticScan.grid(120, 116, 26), trueDistance: Self.ice)
        // Edges of no width are taken for some that have one: a ramp of 0.6 mm widens the edge under this blur by less than can be read.
        #expect(abs(comparison.meanSigned) < (rampMM > 0 ? 0.15 : 0.4))
        #expect(comparison.dice > (rampMM > 0 ? 0.975 : 0.955))
        #expect(result.edgeUncertaintyMM > 0.8 * abs(comparison.meanSigned))
    }

    @Test(arguments: [0.5, 0.7, 0.9])
    func blurIsReadAtTheSkin(blurMM: Double) throws {
        let scan = try Self.scan(.ct, rampMM: 1, blurMM: blurMM)
        let nowhere = Volume<Float>(geometry: scan.geometry, repeating: -1)
        let sharpness = try #require(ScanSharpness(scan, slices: 0..<26, excluding: nowhere, leastContrast: 400))
        // A voxel and reading between voxels widen the edge by a quarter of the square of the spacing.
        #expect(abs(sharpness.halfRiseMM - (blurMM * blurMM + 0.8 * 0.8 / 4).squareRoot()) < 0.05)
    }

    /// Fat lies behind skin: what is highest is the skin, and the edge is its own.
    @Test func blurIsReadAtSkinOverFat() throws {
        let grid = try AnalyticScan.grid(120, 116, 26)
        let scan = AnalyticScan.make(grid, blurMM: 0.7, noise: 10, seed: 23) { (p: SIMD3<Double>) -> Double in
            let depth = 40 - (p.x * p.x + p.y * p.y).squareRoot()
            return depth < 0 ? -1000 : depth < 2 ? 20 : -105
        }
        let nowhere = Volume<Float>(geometry: scan.geometry, repeating: -1)
        let sharpness = try #require(ScanSharpness(scan, slices: 0..<26, excluding: nowhere, leastContrast: 400))
        #expect(abs(sharpness.halfRiseMM - (0.7 * 0.7 + 0.8 * 0.8 / 4).squareRoot()) < 0.05)
    }

    @Test(arguments: [(1..<12, 1.2), (14..<26, 0.7)])
    func blurIsReadInTheSlicesAskedFor(slices: Range<Int>, blurMM: Double) throws {
        let grid = try AnalyticScan.grid(120, 116, 26)
        let scan = AnalyticScan.make(grid, blurMM: 0, noise: 5, seed: 25) { (p: SIMD3<Double>) -> Double in
            let depth = 40 - (p.x * p.x + p.y * p.y).squareRoot(), blur = grid.continuousIndex(PatientPoint(p)).ijk.z < 13 ? 1.2 : 0.7
            return -1000 + 1060 * 0.5 * erfc(-depth / (blur * 2.0.squareRoot()))
        }
        let nowhere = Volume<Float>(geometry: scan.geometry, repeating: -1)
        let sharpness = try #require(ScanSharpness(scan, slices: slices, excluding: nowhere, leastContrast: 400))
        #expect(abs(sharpness.halfRiseMM - (blurMM * blurMM + 0.8 * 0.8 / 4).squareRoot()) < 0.08)
    }

    /// A surface that waves about the edge does not make the edge wider, nor do vessels beside it.
    @Test(arguments: [0.0, 1.75])
    func widthOfTheFrontIsReadThoughTheSurfaceIsOff(rampMM: Double) throws {
        let grid = try AnalyticScan.grid(80, 76, 18)
        let scan = AnalyticScan.make(grid, blurMM: 0.7, noise: 10, seed: 24) { (p: SIMD3<Double>) -> Double in
            let depth = Self.ice(p), frozen = rampMM > 0 ? max(0, min(1, depth / rampMM)) : depth > 0 ? 1 : 0
            let isVessel = (p.x - 15) * (p.x - 15) + (p.y - 9) * (p.y - 9) < 16
            return (isVessel ? 150 : 58) - 85 * frozen
        }
        let size = scan.geometry.size, image = scan.floats(in: 0..<size.i, 0..<size.j, 0..<size.k)
        let waving = Volume<Float>(geometry: image.geometry) { target in
            for offset in 0..<target.count {
                let p = image.geometry.point(size.index(atOffset: offset)).lps
                target[offset] = Float(Self.ice(p) - rampMM / 2 + 0.7 * sin(p.x / 3.5) * cos(p.y / 4))
            }
        }
        let usable = Volume<Float>(geometry: image.geometry, repeating: 1)
        let rise = try #require(FrontRise(of: image, across: waving, usable: usable, leastContrast: 30))
        let blur = (0.7 * 0.7 + 0.8 * 0.8 / 4).squareRoot()
        #expect(abs(rise.halfRiseMM - EdgeProfile.halfRise(ofRampMM: rampMM, blurMM: blur)) < 0.07)
        #expect((0.005...0.08).contains(rise.deviationMM))
    }

    /// Muscle between fat: on most sides the ice meets something else, which widens the edge on the others, too.
    @Test(arguments: [(variation: 15.0, isRead: true), (variation: 100.0, isRead: false)])
    func widthIsNotReadWhereEverySideIsAnother(variation: Double, isRead: Bool) throws {
        let grid = try AnalyticScan.grid(80, 76, 18)
        let scan = AnalyticScan.make(grid, blurMM: 0.7, noise: 10, seed: 25) { (p: SIMD3<Double>) -> Double in
            Self.ice(p) > 0 ? -30 : 140 + variation * sin(2 * atan2(p.y, p.x))
        }
        let size = scan.geometry.size, image = scan.floats(in: 0..<size.i, 0..<size.j, 0..<size.k)
        let surface = Volume<Float>(geometry: image.geometry) { target in
            for offset in 0..<target.count { target[offset] = Float(Self.ice(image.geometry.point(size.index(atOffset: offset)).lps)) }
        }
        let usable = Volume<Float>(geometry: image.geometry, repeating: 1)
        #expect((FrontRise(of: image, across: surface, usable: usable, leastContrast: 30) != nil) == isRead)
    }

    /// Half of what is strong is soft by itself, as a moving or slanting wall is: it says nothing of the scanner.
    @Test func blurIsReadWhereEdgesAreSharpest() throws {
        let grid = try AnalyticScan.grid(120, 116, 26)
        let scan = AnalyticScan.make(grid, blurMM: 0.7, noise: 5, seed: 22) { (p: SIMD3<Double>) -> Double in
            let away = (p.y * p.y + (abs(p.x) - 23) * (abs(p.x) - 23)).squareRoot() - 18
            let share = p.x < 0 ? (away < 0 ? 1 : 0) : 0.5 * erfc(away / 1.2)
            return -1000 + 1060 * share
        }
        let nowhere = Volume<Float>(geometry: scan.geometry, repeating: -1)
        let sharpness = try #require(ScanSharpness(scan, slices: 0..<26, excluding: nowhere, leastContrast: 400))
        #expect(abs(sharpness.halfRiseMM - (0.7 * 0.7 + 0.8 * 0.8 / 4).squareRoot()) < 0.08)
    }

    @Test func whatCannotBeReadIsTakenAsPhysicsExpectsAndSaid() {
        let unknown = FreezingFront(iceRise: nil, sharpness: nil, voxelMM: 0.8, ramp: FreezingRamp(radiusMM: 13), residualMM: 0.4)
        // 7 °C at 4 °C/mm are a ramp of 1.75 mm, half of which is 0.9 mm; water alone would change at once.
        #expect((0.5...0.9).contains(unknown.shiftMM))
        #expect((0.3...0.55).contains(unknown.deviationMM))
        // A scan that is sharp where the ice is not shows that there is a ramp, and one as sharp as the ice that there is hardly any.
        func read(_ ice: Double) -> Double {
            FreezingFront(
                iceRise: FrontRise(halfRiseMM: ice, deviationMM: 0.02), sharpness: nil, voxelMM: 0.4, ramp: FreezingRamp(radiusMM: 13),
                residualMM: 0.4
            ).shiftMM
        }
        #expect(read(0.5) < unknown.shiftMM - 0.2)
        #expect(read(1.0) > unknown.shiftMM + 0.1)
    }

    /// A ramp of 1.75 mm read on an even edge, 5 mm from the nearest probe, where half of that is likelier; where single
    /// edges disagree the same reading says less.
    @Test func clearReadingIsBelievedAgainstWhatIsUsual() {
        let rise = FrontRise(halfRiseMM: EdgeProfile.halfRise(ofRampMM: 1.75, blurMM: 0.7), deviationMM: 0.015)
        func front(residualMM: Double) -> FreezingFront {
            FreezingFront(
                iceRise: rise, sharpness: ScanSharpness(halfRiseMM: 0.7, deviationMM: 0.025), voxelMM: 0.4,
                ramp: FreezingRamp(radiusMM: 5), residualMM: residualMM)
        }
        let even = front(residualMM: 0.1), uneven = front(residualMM: 0.7)
        #expect(abs(even.shiftMM - 1.75 / 2) < 0.16)
        #expect(uneven.shiftMM < even.shiftMM - 0.1)
    }

    /// A small ball of ice in lung, of which a third of the circumference shows: three stretches are enough where they agree.
    @Test func widthIsReadOnAFewStretches() throws {
        let grid = try AnalyticScan.grid(50, 50, 12, spacing: SIMD3(1.3, 1.3, 4)), ball = ellipsoid(.zero, SIMD3(repeating: 11))
        let scan = AnalyticScan.make(grid, blurMM: 0.7, noise: 12, seed: 26) { (p: SIMD3<Double>) -> Double in
            -850 + 740 * max(0, min(1, ball(p) / 1.75))
        }
        let size = scan.geometry.size, image = scan.floats(in: 0..<size.i, 0..<size.j, 0..<size.k)
        func field(_ value: (SIMD3<Double>) -> Double) -> Volume<Float> {
            Volume<Float>(geometry: image.geometry) { target in
                for offset in target.indices { target[offset] = Float(value(image.geometry.point(size.index(atOffset: offset)).lps)) }
            }
        }
        let usable = field { p in abs(atan2(p.y, p.x)) < .pi / 3 ? 1 : 0 }
        let rise = try #require(FrontRise(of: image, across: field { ball($0) - 0.9 }, usable: usable, leastContrast: 300))
        let blur = (0.7 * 0.7 + 1.3 * 1.3 / 4).squareRoot()
        #expect(abs(rise.halfRiseMM - EdgeProfile.halfRise(ofRampMM: 1.75, blurMM: blur)) < 0.07)
    }

    /// A rim of ground glass, 3 mm thick, lies between ice and lung: the edge that is read is that of the ice against the rim.
    @Test(arguments: [0.0, 1.75])
    func widthIsReadBesideGroundGlass(rampMM: Double) throws {
        let grid = try AnalyticScan.grid(80, 76, 18)
        let scan = AnalyticScan.make(grid, blurMM: 0.7, noise: 10, seed: 27) { (p: SIMD3<Double>) -> Double in
            let depth = Self.ice(p), frozen = rampMM > 0 ? max(0, min(1, depth / rampMM)) : depth > 0 ? 1 : 0
            let unfrozen = depth > -3 ? -580.0 : -850
            return unfrozen + frozen * (-90 - unfrozen)
        }
        let size = scan.geometry.size, image = scan.floats(in: 0..<size.i, 0..<size.j, 0..<size.k)
        let surface = Volume<Float>(geometry: image.geometry) { target in
            for offset in target.indices {
                target[offset] = Float(Self.ice(image.geometry.point(size.index(atOffset: offset)).lps) - rampMM / 2)
            }
        }
        let usable = Volume<Float>(geometry: image.geometry, repeating: 1)
        func halfRise(beyondMM: Float) throws -> Double {
            try #require(FrontRise(of: image, across: surface, usable: usable, leastContrast: 100, beyondMM: beyondMM)).halfRiseMM
        }
        let own = EdgeProfile.halfRise(ofRampMM: rampMM, blurMM: (0.7 * 0.7 + 0.8 * 0.8 / 4).squareRoot())
        #expect(abs(try halfRise(beyondMM: FrontRise.beforeOtherTissueMM) - own) < 0.12)
        #expect(try halfRise(beyondMM: FrontRise.reachMM) > own + 0.2)
    }

    /// Against exact solutions: the line sink of 400 W/m after 600 s with freezing between −1 and −8 °C, and perfused cylinders in the
    /// steady state at −140 °C, in which θ is linear in ln r. Each gives the radii of the two ends of the range.
    @Test(arguments: [(11.46, 9.58), (18.12, 15.15), (13.05, 11.90), (22.62, 20.26)])
    func rampIsAboutAsWideAsConductionMakesIt(liquidusMM: Double, solidusMM: Double) {
        let ramp = FreezingRamp(radiusMM: liquidusMM)
        #expect(abs(log(ramp.typicalMM / (liquidusMM - solidusMM))) < 0.4)
    }

    /// Ice of 8 mm around a probe conducts 8 K/mm at its edge in the steady state, and around several needles in gel 4 K/mm were measured.
    @Test func rampOfSmallIceLiesBetweenConductionAndWhatWasMeasured() {
        let radius = 8.0, conducted = 200 / (1.25 * radius * log(radius / 0.735))
        #expect((7 / conducted * 1.15...1.75 / 1.15).contains(FreezingRamp(radiusMM: radius).typicalMM))
    }

    /// A tumour behind a thin rim of frozen liver is darker than the rim; the edge is the rim's.
    @Test func stepLargerThanFreezingMakesIsNotBelieved() {
        let step = ExpectedStep.freezing(byHU: 85)
        #expect(abs(step.believed(85, outside: -60) - 85) < 0.1)
        #expect((85...106).contains(step.believed(115, outside: -60)))
        // Fat behind a thin rim is another matter.
        #expect(step.believed(145, outside: -60) == 145)
        #expect(step.believed(60, outside: -60) == 60)
        // Fat and bone around the ice change in other ways.
        #expect(step.believed(115, outside: 100) == 115)
        #expect(step.believed(115, outside: -300) == 115)
    }

    @Test(arguments: [0.0, 0.6, 1.2, 1.8])
    func halfRiseOfARampIsThatOfItsConvolution(rampMM: Double) {
        let blur = 0.7, step = 0.002, places = stride(from: -6.0, through: 6, by: step)
        // The share of the rise by summing the Gaussian over the ramp, without its closed form.
        func share(_ t: Double) -> Double {
            places.reduce(0) { sum, x in
                let ramp = rampMM > 0 ? max(0, min(1, (t - x) / rampMM + 0.5)) : t > x ? 1 : 0
                return sum + ramp * exp(-0.5 * x * x / (blur * blur)) * step / (blur * (2 * .pi).squareRoot())
            }
        }
        let half = EdgeProfile.halfRise(ofRampMM: rampMM, blurMM: blur)
        #expect(abs(share(half) - 0.84) < 0.002)
    }

    /// Where most of the lung beside the probe froze little, what froze more is not cut off: half of its change would lie too far out.
    @Test func changeOfLungIsNotCutOff() {
        let change = FreezingChange(softDropHU: 85, noiseHU: 10, frozen: (0..<100).map { _ in (tissue: Float(-850), value: Float(-550)) })
        #expect(abs(change.iceness(-50, tissue: -850).0 - 800 / 300) < 0.01)
    }

    /// Ice in lung may have any level until the scan shows which; a vessel's level is then no longer that of ice.
    @Test func levelOfLungIceTellsItFromVessels() {
        func share(of vesselHU: Float, against iceHU: Float, lungIce: (level: Float, spread: Float)?) -> Float {
            let law = FreezingLaw.ct(dropHU: 85, fatDropHU: nil, lungIce: lungIce, bonePresent: false, noise: 10)
            let lung = law.scale.bin(of: -850) * LevelScale.count
            return law.frozen[lung + law.scale.bin(of: vesselHU)] / law.frozen[lung + law.scale.bin(of: iceHU)]
        }
        #expect(share(of: 20, against: -100, lungIce: nil) > 0.5)
        #expect(share(of: 20, against: -100, lungIce: (-100, 45)) < 0.15)
    }
}
