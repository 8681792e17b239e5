import DICOMObjects
import Foundation
import ImagingCore
import Testing
@testable import SyntheticStudies

struct SyntheticStudyTests {
    private func temporaryFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "phantom-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private func contents(of folder: URL) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: folder.appending(path: path).path, isDirectory: &isFolder)
            if !isFolder.boolValue { files[path] = try Data(contentsOf: folder.appending(path: path)) }
        }
        return files
    }

    @Test func sameOptionsGiveTheSameFilesOnAnyNumberOfThreads() throws {
        var options = StudyOptions(site: .liver, seed: 4)
        options.marginMM = 2
        let (first, second, other) = (try temporaryFolder(), try temporaryFolder(), try temporaryFolder())
        defer { for folder in [first, second, other] { try? FileManager.default.removeItem(at: folder) } }
        try SyntheticStudy(options, truthLevel: 4).write(to: first, transferSyntax: .jpegLS)
        try KernelThreads.with(1) { try SyntheticStudy(options, truthLevel: 4).write(to: second, transferSyntax: .jpegLS) }
        options.seed = 5
        try SyntheticStudy(options, truthLevel: 4).write(to: other, transferSyntax: .jpegLS)
        let files = try contents(of: first)
        #expect(files.count == 52 + 40 + 2)
        #expect(try contents(of: second) == files)
        let others = try contents(of: other)
        #expect(Set(others.values).isDisjoint(with: files.values))
    }

    /// What died does not enhance up to its edge; the rim that does lies outside.
    @Test func followUpShowsTheZoneWithinItsRim() throws {
        var options = StudyOptions(site: .liver, seed: 4)
        options.hasFollowUpScan = true
        let study = try SyntheticStudy(options, truthLevel: 4)
        let scan = try #require(study.scans.first { $0.role == "followup" }), image = scan.volume.floats(), size = image.size
        let mask = try #require(study.mask(of: .ablationZone, inScan: "followup"))
        #expect(study.mask(of: .ablationZone, inScan: "planning") == nil)
        let depths = (0..<size.voxelCount).map { offset in
            let point = image.geometry.point(size.index(atOffset: offset)).lps
            return study.zone.value(at: scan.motion.planningPoint(of: point)) / CarriedIce.scale
        }
        #expect(mask.count == depths.count { $0 >= 0 } && mask.count > 1000)
        func mean(_ range: ClosedRange<Double>) -> Double {
            let values = image.withUnsafeVoxels { voxels in
                depths.indices.filter { range.contains(depths[$0]) }.map { Double(voxels[$0]) }
            }
            return values.reduce(0, +) / Double(values.count)
        }
        // 48 HU inside, 125 HU in the rim of 1.6 mm, both drawn towards each other by blur and slices.
        #expect(mean(2...6) < 60 && mean(0.6...1.4) < 72 && mean(-1.6 ... -0.6) > 95, "\(mean(0.6...1.4)) \(mean(-1.6 ... -0.6))")
    }

    /// Without contrast medium nothing lies between what died and the bone around it: 44 HU, then 185.
    @Test func followUpWithoutContrastMediumShowsNoRim() throws {
        var options = StudyOptions(site: .spine, seed: 4)
        options.hasFollowUpScan = true
        let study = try SyntheticStudy(options, truthLevel: 4)
        let scan = try #require(study.scans.first { $0.role == "followup" }), image = scan.volume.floats(), size = image.size
        var inBone: [Double] = []
        for offset in 0..<size.voxelCount {
            let point = scan.motion.planningPoint(of: image.geometry.point(size.index(atOffset: offset)).lps)
            let depth = study.zone.value(at: point) / CarriedIce.scale
            if -1.5 ... -0.8 ~= depth { inBone.append(Double(image[size.index(atOffset: offset)])) }
        }
        #expect(inBone.sorted()[inBone.count / 2] > 120, "\(inBone.sorted()[inBone.count / 2])")
    }

    @Test(arguments: [(StudySite.spine, Modality.ct, WritableTransferSyntax.jpegLS), (.kidney, .mr, .rle), (.lung, .ct, .jpegLossless)])
    func seriesReadBackExactly(site: StudySite, modality: Modality, syntax: WritableTransferSyntax) throws {
        var options = StudyOptions(site: site, modality: modality, seed: 9)
        options.motion = .smooth
        let study = try SyntheticStudy(options, truthLevel: 4)
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try study.write(to: folder, transferSyntax: syntax)
        for scan in study.scans {
            let catalog = try SeriesCatalog.scan(folder.appending(path: scan.role))
            let entry = try #require(catalog.series.first)
            #expect(catalog.series.count == 1)
            let read = try entry.load()
            #expect(read.modality == modality)
            #expect(read.transferSyntaxes == [syntax.rawValue])
            #expect(read.findings.filter { $0.severity == .error }.isEmpty)
            try read.geometry.requireSameGrid(as: scan.volume.geometry)
            #expect(read.geometry.origin.distance(to: scan.volume.geometry.origin) < 1e-6)
            #expect(read.geometry.frameOfReferenceUID == scan.volume.geometry.frameOfReferenceUID)
            #expect(read.volume.floats().withUnsafeVoxels { Array($0) } == scan.volume.floats().withUnsafeVoxels { Array($0) })
        }
        // Different sessions, different frames of reference.
        #expect(Set(study.truth.scans.map(\.frameOfReferenceUID)).count == 2)
    }

    @Test func scansWithoutMotionShareAFrame() throws {
        let study = try SyntheticStudy(StudyOptions(site: .lung, seed: 2), truthLevel: 4)
        #expect(Set(study.truth.scans.map(\.frameOfReferenceUID)).count == 1)
        #expect(study.truth.registration.rigid.matrix == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        #expect(study.truth.scans[0].size != study.truth.scans[1].size)
    }

    /// Voxels carry what the tissues are said to have, and masks match the truth's volumes.
    @Test(arguments: [20.0, -35])
    func imageShowsTheContrastAskedFor(contrast: Double) throws {
        var options = StudyOptions(site: .liver, seed: 21)
        (options.noise, options.contrast, options.streaks, options.marginMM) = (0, contrast, 0, 5)
        let study = try SyntheticStudy(options, truthLevel: 4)
        let scan = study.scans[0], tumour = study.tumour, geometry = scan.volume.geometry
        func median(_ isIn: (Double) -> Bool) -> Double {
            var values: [Float] = []
            for offset in 0..<geometry.size.voxelCount {
                let index = geometry.size.index(atOffset: offset)
                if isIn(tumour.value(at: geometry.point(index).lps)) { values.append(scan.volume.value(at: index)) }
            }
            return Double(values.sorted()[values.count / 2])
        }
        #expect(abs(median { $0 > 3 } - (110 + contrast)) < 4)
        #expect(abs(median { $0 < -3 && $0 > -7 } - 110) < 4)
        #expect(abs(study.truth.tumours[0].planningContrast - contrast) < 1e-9)

        let mask = try #require(study.mask(of: .tumour, inScan: "planning"))
        #expect(abs(mask.volumeML / study.truth.tumours[0].volumeML - 1) < 0.03)
        let ice = try #require(study.mask(of: .ice, inScan: "intraprocedural"))
        #expect(abs(ice.volumeML / (study.truth.ice?.volumeML ?? 0) - 1) < 0.02)
    }

    /// With and without ice, nothing else changed: the difference is the drop, and its amount that of the ice.
    @Test func iceDarkensTissueBy85HUUpToItsEdge() throws {
        var options = StudyOptions(site: .liver, seed: 14)
        (options.noise, options.streaks, options.marginMM, options.edgeBandMM) = (0, 0, 4, 0.05)
        let frozen = try SyntheticStudy(options, truthLevel: 4)
        options.hasIce = false
        let unfrozen = try SyntheticStudy(options, truthLevel: 4)
        #expect(unfrozen.truth.margins.isEmpty && unfrozen.truth.ice == nil)
        let (with, without) = (frozen.scans[1].volume.floats(), unfrozen.scans[1].volume.floats())
        let ice = try #require(frozen.ice), geometry = with.geometry
        var sum = 0.0, deep: [Float] = []
        for offset in 0..<geometry.size.voxelCount {
            let index = geometry.size.index(atOffset: offset), depth = ice.value(at: geometry.point(index).lps)
            let before = without[index]
            // Metal is clipped, and vessels do not freeze.
            let drop = before > 30 && before < 75 ? before - with[index] : depth > 0 ? 85 : 0
            sum += Double(drop)
            if depth > 3, before < 75, before > 30 { deep.append(drop) }
            if depth < -4 { #expect(drop == 0) }
        }
        #expect(abs(deep.sorted()[deep.count / 2] - 85) <= 1)
        let volumeML = sum / 85 * geometry.voxelVolume / 1000
        #expect(abs(volumeML / (frozen.truth.ice?.volumeML ?? 0) - 1) < 0.03)
    }

    @Test func noiseHasTheDeviationAskedFor() {
        for spacing in [SIMD3(0.7, 0.7, 2), SIMD3(1.2, 0.9, 3)] {
            let noise = CorrelatedNoise(seed: 3, grainMM: 0.62, spacing: spacing).slice(4, width: 300, height: 280)
            let mean = noise.reduce(0) { $0 + Double($1) } / Double(noise.count)
            let deviation = (noise.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(noise.count)).squareRoot()
            #expect(abs(mean) < 0.02)
            #expect(abs(deviation - 1) < 0.02)
        }
    }

    @Test func valuesThatMakeNoStudyAreRefused() throws {
        var options = StudyOptions(site: .liver)
        options.probeCount = 0
        #expect(throws: StudyOptionError.self) { try SyntheticStudy(options, truthLevel: 4) }
        options.probeCount = 5
        let error = #expect(throws: StudyOptionError.self) { try options.validate() }
        #expect(error?.finding.remedy == "Give a value from 1.0 to 4.0.")
    }
}
