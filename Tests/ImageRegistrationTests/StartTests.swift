import ImagingCore
import Testing

@testable import ImageRegistration
@testable import SyntheticStudies

/// Registration from nothing: how far apart, how differently laid and how little of each other two scans may show.
@Suite struct StartTests {
    private static func kidney() throws -> StudyPair { try .moved(.kidney, .smooth, seed: 51) }

    /// What the header says of the planning scan is wrong by a motion: its voxels stay, its grid is moved.
    private static func moved(_ pair: StudyPair, by motion: AffineTransform) throws -> (scan: RegistrationScan, focus: RegistrationFocus) {
        let grid = pair.moving.volume.geometry
        func turned(_ vector: PatientVector) -> PatientVector { PatientVector(motion.matrix * vector.lps) }
        let target = try GridGeometry(
            size: grid.size, spacing: grid.spacing, origin: motion(grid.origin),
            axes: PatientAxes(i: turned(grid.axes.i), j: turned(grid.axes.j), k: turned(grid.axes.k)))
        guard case .int16(let volume) = pair.moving.volume else { preconditionFailure("studies hold whole numbers") }
        let copy = Volume<Int16>(geometry: target) { voxels in
            volume.withUnsafeVoxels { source in for offset in voxels.indices { voxels[offset] = source[offset] } }
        }
        return (
            RegistrationScan(.int16(copy), modality: pair.moving.modality),
            RegistrationFocus(center: motion(pair.focus.center), radiusMM: pair.focus.radiusMM))
    }

    /// 80 mm and 20° apart, prone, and on a side, on top of how the patient and the organs moved.
    @Test(arguments: [(
        PatientVector(0.4, -0.5, 1), 20.0, PatientVector(50, -40, 48)
    ), (PatientVector(0, 0, 1), 180.0, PatientVector(20, 10, 0)),
                      (PatientVector(0, 0, 1), -90.0, PatientVector(0, 0, 30))])
    func scansAreBroughtTogetherFromAnyPosition(axis: PatientVector, degrees: Double, shift: PatientVector) throws {
        let pair = try Self.kidney()
        let motion = AffineTransform(
            rotation: .rotation(about: axis, radians: degrees * .pi / 180), about: pair.focus.center, translation: shift)
        let (moving, focus) = try Self.moved(pair, by: motion)
        let rigid = try RigidRegistration(fixed: pair.fixed, moving: moving, focus: focus)
        #expect(pair.surfaceError(rigid.fixedToMoving.followed(by: motion.inverse!)) < 2.5)
    }

    /// The coarse search alone comes near to how the patient lies: on either side, over, and turned by as much as it looks for.
    @Test(arguments: [90.0, -90, 180, 20, -20], [Modality.ct, .mr])
    func theCoarseSearchComesNearEveryPosition(degrees: Double, modality: Modality) throws {
        let pair = try StudyPair.still(.kidney, seed: 51), moving = try StudyPair.still(.kidney, modality, seed: 51)
        let motion = AffineTransform(
            rotation: .rotation(about: PatientVector(0, 0, 1), radians: degrees * .pi / 180), about: pair.focus.center,
            translation: PatientVector(12, -8, 20))
        let scans = RegistrationPair(fixed: pair.fixed, moving: try Self.moved(moving, by: motion).scan)
        let candidates = PoseSearch(scans).candidates(RigidRegistration.candidates)
        // Within 6°.
        let likeness = candidates.map { ($0.transform.matrix.columns.0 * motion.matrix.columns.0).sum() }
        #expect(likeness.contains { $0 > 0.9945 }, "\(likeness)")
    }

    /// Each scan shows only a part of the other: the planning scan ends 30 mm above the tumour, the ice scan 30 mm below it.
    @Test func scansThatOverlapInPartAreBroughtTogether() throws {
        let pair = try StudyPair.moved(.liver, .smooth, seed: 52)
        // `above` and `below` in millimetres from the tumour's surface; `nil` keeps all.
        func kept(_ scan: RegistrationScan, around point: PatientPoint, above: Double?, below: Double?) -> RegistrationScan {
            let grid = scan.volume.geometry, k = grid.continuousIndex(point).ijk.z
            func slices(_ reachMM: Double) -> Double { (pair.focus.radiusMM + reachMM) / grid.spacing.z }
            let low = below.map { max(0, Int(k - slices($0))) } ?? 0,
                high = above.map { min(grid.size.k, Int(k + slices($0)) + 1) } ?? grid.size.k
            guard case .int16(let volume) = scan.volume else { preconditionFailure("studies hold whole numbers") }
            return RegistrationScan(
                .int16(volume.cropped(0..<grid.size.i, 0..<grid.size.j, low..<high)), modality: scan.modality, excluded: scan.excluded)
        }
        let there = pair.landmarks[0].intraproceduralLPS
        let found = try ScanRegistration(
            fixed: kept(pair.fixed, around: there, above: nil, below: 30),
            moving: kept(pair.moving, around: pair.focus.center, above: 30, below: nil),
            focus: pair.focus)
        let error = pair.surfaceError(found)
        #expect(error < 2 && error < 1.5 * found.quality.expectedErrorMM, "\(error), \(found.quality.expectedErrorMM)")
    }

    /// A small field of view lies somewhere within a large one, whichever of the two is fixed.
    @Test func aPartIsFoundInTheWhole() throws {
        let pair = try StudyPair.moved(.lung, .rigid, seed: 53)
        let grid = pair.fixed.volume.geometry, center = pair.landmarks[0].intraproceduralLPS
        let box = try #require(grid.indexRanges(around: [center], marginMM: 45))
        guard case .int16(let volume) = pair.fixed.volume else { preconditionFailure("studies hold whole numbers") }
        let part = RegistrationScan(.int16(volume.cropped(box.i, box.j, box.k)), modality: .ct, excluded: pair.fixed.excluded)
        let forth = try RigidRegistration(fixed: part, moving: pair.moving, focus: pair.focus)
        #expect(pair.surfaceError(forth.fixedToMoving) < 1)
        let back = try RigidRegistration(
            fixed: pair.moving, moving: part, focus: RegistrationFocus(center: center, radiusMM: pair.focus.radiusMM))
        #expect(pair.surfaceError(back.movingToFixed) < 1)
    }

    /// A corner of the body, whose middle lies far from that of the whole: across, and along.
    @Test(arguments: [(0.0...0.45, 0.6...1), (0.55...1, 0...0.4)])
    func aCornerIsFoundInTheWhole(across: ClosedRange<Double>, along: ClosedRange<Double>) throws {
        let pair = try StudyPair.moved(.lung, .rigid, seed: 53), size = pair.fixed.volume.geometry.size
        func part(_ share: ClosedRange<Double>, of count: Int) -> Range<Int> {
            Int(share.lowerBound * Double(count))..<Int(share.upperBound * Double(count))
        }
        guard case .int16(let volume) = pair.fixed.volume else { preconditionFailure("studies hold whole numbers") }
        let corner = volume.cropped(part(across, of: size.i), 0..<size.j, part(along, of: size.k))
        let found = try RigidRegistration(
            fixed: RegistrationScan(.int16(corner), modality: .ct, excluded: pair.fixed.excluded), moving: pair.moving)
        // The true motion, by which the whole scan is brought over exactly.
        let whole = try RigidRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus)
        #expect(pair.surfaceError(whole.fixedToMoving) < 0.6)
        let middle = corner.geometry.center
        #expect(found.fixedToMoving(middle).distance(to: whole.fixedToMoving(middle)) < 3)
    }

    /// Of different modalities no value says the other: MR for planning, CT for the ice.
    @Test func magneticResonanceIsBroughtOntoCT() throws {
        let ct = try Self.kidney(), mr = try StudyPair.moved(.kidney, .smooth, .mr, seed: 51)
        let found = try ScanRegistration(fixed: ct.fixed, moving: mr.moving, focus: mr.focus)
        let error = ct.surfaceError(found)
        #expect(error < 2.5 && error < 1.5 * found.quality.expectedErrorMM, "\(error), \(found.quality.expectedErrorMM)")
        #expect(found.quality.status != .fail, "\(found.quality.reasons)")
    }

    /// On the coarsest grid a lung of MR leads away from the right start, far to a side; on the next one it does not.
    @Test func aGoodStartOfAnotherModalityIsNotLost() throws {
        let (ct, mr) = try StudyPair.onBothModalities(.lung, seed: 4406, turnedDegrees: 8, movedMM: 58, breathingMM: 14)
        #expect(ct.surfaceError(try RigidRegistration(fixed: ct.fixed, moving: mr.moving, focus: mr.focus).fixedToMoving) < 3)
    }

    /// Lung on MR and CT: a chest shifted by a rib looks alike when compared coarsely, and cells that are partly lung must not shift its
    /// surface.
    @Test func magneticResonanceOfALungIsBroughtOntoCT() throws {
        let (ct, mr) = try StudyPair.onBothModalities(.lung, seed: 2307, turnedDegrees: 11, movedMM: 44, breathingMM: 12)
        let found = try ScanRegistration(fixed: ct.fixed, moving: mr.moving, focus: mr.focus)
        let error = ct.surfaceError(found)
        #expect(error < 2.2 && error < 1.5 * found.quality.expectedErrorMM, "\(error), \(found.quality.expectedErrorMM)")
        #expect(found.quality.status != .fail, "\(found.quality.reasons)")
    }

    /// Three landmarks, or a transform, lead the way where a search from nothing does not look: head to feet.
    @Test func hintsLeadWhereNoSearchLooks() throws {
        let pair = try Self.kidney()
        let motion = AffineTransform(
            rotation: .rotation(about: PatientVector(1, 0, 0), radians: 2.8), about: pair.focus.center,
            translation: PatientVector(40, 0, 0))
        let (moving, focus) = try Self.moved(pair, by: motion)
        func error(_ guidance: RegistrationGuidance) -> Double? {
            let found = try? ScanRegistration(fixed: pair.fixed, moving: moving, focus: focus, guidance: guidance)
            return found.map { found in
                pair.landmarks.map { motion.inverse!(found($0.intraproceduralLPS)).distance(to: $0.planningLPS) }.reduce(0, +) / Double(pair.landmarks.count)
            }
        }
        var landmarks = RegistrationGuidance(), initial = RegistrationGuidance()
        // A reader is 3 mm off.
        let off = [PatientVector(3, 0, 0), PatientVector(-2, 2, 0), PatientVector(0, -3, 1), PatientVector(0, 1, -3)]
        landmarks.landmarks = zip(
            [0, pair.landmarks.count / 3, 2 * pair.landmarks.count / 3, pair.landmarks.count - 1], off
        ).map { index, off in
            let place = pair.landmarks[index]
            return LandmarkPair(fixed: place.intraproceduralLPS + off, moving: motion(place.planningLPS))
        }
        initial.initial = AffineTransform(fittedTo: landmarks.landmarks)
        #expect((error(.init()) ?? .infinity) > 5)
        #expect((error(landmarks) ?? .infinity) < 2)
        #expect((error(initial) ?? .infinity) < 2)
    }
}
