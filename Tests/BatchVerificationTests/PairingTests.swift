import Testing

@testable import BatchVerification
@testable import StudyArchive

@Suite struct PairingTests {
    static func series(_ uid: String, _ modality: String, study: String, _ date: String, _ description: String) -> HeaderIndex.Series {
        HeaderIndex.Series(
            id: 0, seriesInstanceUID: uid, studyInstanceUID: study, sopClassUID: "", modality: modality, seriesDescription: description,
            studyDescription: "",
            bodyPart: "", date: date, time: "", patient: "p", frameCount: 1)
    }
    static let planning = series("plan", "CT", study: "1", "20250101", "portal venous")

    /// The scans of a patient after the planning scan, and the one that shows the ice.
    @Test(
        arguments: [
            (
                name: "the next study's last",
                later: [series("a", "CT", study: "2", "20250201", ""), series("b", "CT", study: "2", "20250202", "")], ice: "b"
            ),
            (
                name: "not a later study",
                later: [series("a", "CT", study: "2", "20250201", ""), series("c", "CT", study: "3", "20250301", "")], ice: "a"
            ),
            (
                name: "what is called so",
                later: [series("a", "CT", study: "2", "20250201", ""), series("c", "CT", study: "3", "20250301", "cryo 10 min")], ice: "c"
            ),
            (name: "in the same study", later: [series("a", "CT", study: "1", "20250102", "ICEBALL")], ice: "a"),
            (
                name: "not before ice",
                later: [series("a", "CT", study: "2", "20250201", "pre ice"), series("b", "CT", study: "2", "20250202", "x")], ice: "b"
            ),
            (
                name: "no word within a word",
                later: [series("a", "CT", study: "2", "20250201", "x"), series("b", "CT", study: "2", "20250131", "slices")], ice: "a"
            ),
            (
                name: "its own modality",
                later: [series("m", "MR", study: "2", "20250201", ""), series("c", "CT", study: "2", "20250201", "")], ice: "c"
            ),
            (name: "none of another modality", later: [series("m", "MR", study: "2", "20250201", "")], ice: nil),
            (name: "another modality that is called so", later: [series("m", "MR", study: "2", "20250201", "freeze 2")], ice: "m"),
            (name: "nothing", later: [], ice: nil),
        ] as [(name: String, later: [HeaderIndex.Series], ice: String?)])
    func theScanWithIceIs(name: String, later: [HeaderIndex.Series], ice: String?) {
        #expect(CasePairing.treated(after: Self.planning, among: later)?.0.seriesInstanceUID == ice, "\(name)")
    }
}
