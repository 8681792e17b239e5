import Foundation
import ImagingCore
import Testing
@testable import DICOMObjects

/// Several volumes under one Series Instance UID are told apart, never mixed.
@Suite struct SeriesPartitionTests {
    /// Two sets at the same six positions, told apart by `edit`, which is given the set's number.
    private func twoSets(
        modality: Modality = .ct, shift: Double = 0, stored: @escaping (Int) -> Int = { 50 + 100 * $0 },
        _ edit: @escaping (Int, inout [DICOMTag: DICOMBytes.Value]) -> Void
    ) throws -> [SeriesEntry] {
        let folder = TemporaryFolder()
        for set in 0..<2 {
            var series = SyntheticSeries(modality: modality, stored: { _ in stored(set) })
            series.origin.z += Double(set) * shift
            series.edit = { slice, attributes in
                attributes[.sopInstanceUID] = .text("UI", "1.2.3.\(set).\(slice + 1)")
                edit(set, &attributes)
            }
            for slice in series.positions.indices { folder.write(series.file(slice), "\(slice % 2)/\(set)-\(slice)") }
        }
        let entries = try SeriesCatalog.scan(folder.url).series
        for entry in entries where entry.usable {
            let values = Set(try entry.load().volume.values)
            #expect(values.count == 1, "a volume mixes sets")
        }
        return entries
    }

    static let separators: [(tag: DICOMTag, vr: String, values: [String], name: String)] = [
        (.acquisitionNumber, "IS", ["1", "2"], "acquisition number"), (.temporalPositionIdentifier, "IS", ["1", "2"], "temporal position"),
        (.echoTime, "DS", ["10", "80"], "echo time"), (.echoNumbers, "IS", ["1", "2"], "echo number"),
        (.triggerTime, "DS", ["0", "350.5"], "trigger time"),
        (.imageType, "CS", ["ORIGINAL\\PRIMARY\\M", "ORIGINAL\\PRIMARY\\P"], "image type"),
        (.contentTime, "TM", ["101500", "101730"], "content time"),
    ]

    @Test(arguments: Self.separators.indices)
    func phasesAreSeparatedByWhateverTellsThemApart(index: Int) throws {
        let separator = Self.separators[index]
        let entries = try twoSets { $1[separator.tag] = .text(separator.vr, separator.values[$0]) }
        #expect(entries.map(\.usable) == [true, true])
        #expect(entries.allSatisfy { $0.size == GridSize(7, 5, 6) })
        #expect(
            entries.allSatisfy { entry in entry.findings.contains { $0.code == "series-split" && $0.message.contains(separator.name) } })
    }

    @Test func interleavedAcquisitionsAreSeparated() throws {
        let entries = try twoSets(shift: 1) { $1[.acquisitionNumber] = .text("IS", "\($0)") }
        #expect(entries.map(\.usable) == [true, true] && entries.allSatisfy { $0.geometry?.spacing.z == 2.5 })
    }

    @Test func acquisitionsThatFollowEachOtherStayOneVolume() throws {
        let series = SyntheticSeries(edit: { $1[.acquisitionNumber] = .text("IS", "\($0 / 3)") })
        #expect(try series.scanned().catalog.series.map(\.size) == [GridSize(7, 5, 6)])
    }

    @Test func setsThatOnlyInstanceNumberTellsApartAreSeparatedWithAWarning() throws {
        let entries = try twoSets { set, attributes in
            guard case .text(_, let number) = attributes[.instanceNumber]! else { return }
            attributes[.instanceNumber] = .text("IS", "\(Int(number)! + 1000 * set)")
        }
        #expect(entries.map(\.usable) == [true, true])
        #expect(entries.allSatisfy { $0.findings.contains { $0.code == "series-split" && $0.severity == .warning } })
    }

    @Test func copiesOfAFileAreUsedOnce() throws {
        let folder = TemporaryFolder()
        let series = SyntheticSeries()
        series.write(to: folder)
        folder.write(series.file(2), "copy")
        folder.write(series.file(2), "again/copy")
        let entry = try SeriesCatalog.scan(folder.url).series[0]
        #expect(entry.usable && entry.size?.k == 6)
        #expect(entry.findings.contains { $0.code == "duplicate-slices" && $0.message.hasPrefix("2 images") })
    }

    @Test func differentImagesAtSomePositionsAreRefused() throws {
        let folder = TemporaryFolder()
        var series = SyntheticSeries()
        series.write(to: folder)
        series.stored = { _ in 5 }
        series.edit = { $1[.sopInstanceUID] = .text("UI", "1.2.9.\($0)") }
        folder.write(series.file(2), "other")
        let entry = try SeriesCatalog.scan(folder.url).series[0]
        #expect(!entry.usable && entry.findings.contains { $0.code == "duplicate-positions" && $0.severity == .error })
    }

    /// What must never share a volume, each made by changing the second half of a series.
    @Test(arguments: [
        (DICOMTag.frameOfReferenceUID, "UI", "1.2.826.0.1.99", true), (.studyInstanceUID, "UI", "1.2.826.0.1.98", true),
        (.imageOrientationPatient, "DS", "1\\0\\0\\0\\0\\-1", true), (.pixelSpacing, "DS", "0.8\\0.9", true),
        (.patientID, "LO", "P2", false),
    ] as [(DICOMTag, String, String, Bool)])
    func whatDoesNotBelongTogetherIsKeptApart(tag: DICOMTag, vr: String, value: String, usable: Bool) throws {
        let series = SyntheticSeries(positions: (0..<8).map { 2.5 * Double($0) }, edit: { slice, attributes in
            guard slice >= 4 else { return }
            attributes[tag] = .text(vr, value)
            // Stacked along the changed normal, so that each part is a volume.
            if tag == .imageOrientationPatient { attributes[.imagePositionPatient] = .text("DS", "0\\\(3 * slice)\\0") }
        })
        let entries = try series.scanned().catalog.series
        #expect(entries.map { $0.size?.k } == [4, 4])
        #expect(entries.map(\.usable) == [usable, usable])
        #expect(entries.allSatisfy { $0.codes.contains(usable ? "series-split" : "different-patients") })
    }

    @Test func patientsAreComparedByWhatBothName() {
        #expect(PatientIdentity(id: "1", birthDate: nil).conflicts(with: PatientIdentity(id: "1", birthDate: "19600101")) == [])
        #expect(PatientIdentity(id: "1", sex: "F").conflicts(with: PatientIdentity(id: "2", sex: "M")) == [.patientID, .sex])
    }
}
