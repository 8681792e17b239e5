import Foundation
import ImagingCore

/// An RT Structure Set: regions of interest drawn as closed contours in patient space.
///
/// Contours need not refer to images: what places them is their frame of reference. Source: PS3.3 A.19, C.8.8.5, C.8.8.6.
public struct StructureSet: Sendable {
    /// A region of interest. Contours of one plane combine by exclusive or, so that an inner contour is a hole; a hole may also be
    /// joined to its outer contour by a channel of no width (keyhole).
    public struct Region: Sendable {
        public var number: Int
        public var name: String
        public var frameOfReferenceUID: String?
        /// The closed planar contours, LPS millimetres.
        public var contours: [[PatientPoint]]
        /// Contour Slab Thickness in millimetres, where the contours give one.
        public var slabThicknessMM: Double?
        public var findings: [Finding]
    }

    public let url: URL
    /// In the order of the file.
    public let regions: [Region]
    public let studyInstanceUID: String?

    private static let storage = "1.2.840.10008.5.1.4.1.1.481.3"

    /// Reads a Structure Set; throws a `DICOMError` when it is not one or its contours are broken.
    public static func read(_ url: URL) throws(DICOMError) -> StructureSet {
        try StructureSet(DICOMDataset(contentsOf: url))
    }

    init(_ dataset: DICOMDataset) throws(DICOMError) {
        url = dataset.url
        let sopClass = dataset.string(.sopClassUID) ?? ""
        guard sopClass == Self.storage || dataset.string(.modality) == "RTSTRUCT" else {
            throw .segmentation(url, "not-a-structure-set", "is not an RT Structure Set (it is \(dataset.string(.modality) ?? "no modality"), SOP class \(sopClass)).",
                                remedy: "Give a file of modality RTSTRUCT.")
        }
        studyInstanceUID = dataset.string(.studyInstanceUID)
        let frames = Set(dataset.items(.referencedFrameOfReferenceSequence).compactMap { $0.string(.frameOfReferenceUID) })
        let onlyFrame = frames.count == 1 ? frames.first : frames.isEmpty ? dataset.string(.frameOfReferenceUID) : nil
        let contourItems = dataset.items(.roiContourSequence)
        var regions: [Region] = []
        for item in dataset.items(.structureSetROISequence) {
            guard let number = item.integer(.roiNumber) else { continue }
            let name = item.string(.roiName) ?? ""
            var region = Region(
                number: number, name: name, frameOfReferenceUID: item.string(.referencedFrameOfReferenceUID) ?? onlyFrame, contours: [],
                findings: [])
            for contours in contourItems where contours.integer(.referencedROINumber) == number {
                try region.add(contours.items(.contourSequence), of: url)
            }
            regions.append(region)
        }
        guard !regions.isEmpty else {
            throw .segmentation(url, "structure-set-empty", "has no region of interest.", remedy: "Export the structures again.")
        }
        self.regions = regions
    }

    /// The region of that name (case and blanks around it do not matter); throws an error that lists the names when there is none or more
    /// than one.
    public func region(named name: String) throws(DICOMError) -> Region {
        var matches = regions.filter { $0.name.matchesName(name) }
        if matches.count > 1 { matches = matches.filter { !$0.contours.isEmpty } }
        if matches.count == 1 { return matches[0] }
        let list = regions.prefix(50).map { "“\($0.name)”" }.joined(separator: ", ")
        throw .segmentation(
            url, "roi-unclear", "has \(matches.isEmpty ? "no" : "more than one") region of interest “\(name)”; it has \(list).",
            remedy: "Name one of them as it is written there.")
    }
}

extension StructureSet.Region {
    fileprivate mutating func add(_ items: [DICOMDataset], of url: URL) throws(DICOMError) {
        var passedOver: [String: Int] = [:]
        for (index, item) in items.enumerated() {
            let type = item.string(.contourGeometricType)?.uppercased() ?? ""
            guard ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR", ""].contains(type) else {
                passedOver[type, default: 0] += 1
                continue
            }
            let numbers = try item.numbers(.contourData)
            guard numbers.count % 3 == 0, numbers.allSatisfy({ abs($0) < 1e5 }) else {
                throw .segmentation(
                    url, "contour-broken", "has broken points in contour \(index + 1) of “\(name)”.",
                    remedy: "Export the structures again.")
            }
            guard numbers.count >= 9 else {
                passedOver["fewer than three points", default: 0] += 1
                continue
            }
            contours.append(stride(from: 0, to: numbers.count, by: 3).map { PatientPoint(numbers[$0], numbers[$0 + 1], numbers[$0 + 2]) })
            if let thickness = item.number(.contourSlabThickness), thickness > 0 { slabThicknessMM = thickness }
        }
        for (what, count) in passedOver.sorted(by: { $0.key < $1.key }) {
            findings.append(Finding(
                .warning, "contours-passed-over",
                "Contours of “\(name)” in \(url.lastPathComponent) that enclose nothing are passed over: \(count) (\(what)).",
                remedy: "Check that the region is complete."))
        }
    }
}
