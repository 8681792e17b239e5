import Foundation
import ImagingCore

/// Writes segments of a series as one binary Segmentation object (PS3.3 A.51) in the series' study and frame of reference.
///
/// Frames have the size of the images, lie where these lie and name them; a segment has frames only where it has voxels. Segments may
/// overlap.
public struct SegmentationWriter {
    /// One object that was segmented.
    public struct Segment: Sendable {
        /// How its voxels were found.
        public enum Algorithm: Sendable, Hashable {
            case automatic(String)
            case semiautomatic(String)

            fileprivate var name: String { switch self { case .automatic(let name), .semiautomatic(let name): name } }
            fileprivate var type: String { switch self { case .automatic: "AUTOMATIC"; case .semiautomatic: "SEMIAUTOMATIC" } }
        }

        /// At most 64 characters.
        public var label: String
        public var category, type: CodedConcept
        /// What sets it apart from others of its type.
        public var typeModifier: CodedConcept?
        public var anatomicRegion: CodedConcept?
        public var algorithm: Algorithm
        /// What kind of algorithm of the writing program it was (CID 7162); `nil` for voxels that were given to it.
        public var algorithmFamily: CodedConcept?
        public var colour: CIELabColour
        /// What this is an outline of, for people and across objects.
        public var trackingID, trackingUID: String
        /// On the grid of the series or on a part of it that `GridGeometry.cropped` makes; not empty.
        public var mask: Mask

        public init(
            label: String, category: CodedConcept, type: CodedConcept, typeModifier: CodedConcept? = nil,
            anatomicRegion: CodedConcept? = nil,
            algorithm: Algorithm, algorithmFamily: CodedConcept? = nil, colour: CIELabColour, trackingID: String, trackingUID: String,
            mask: Mask
        ) {
            (self.label, self.category, self.type, self.typeModifier, self.anatomicRegion) = (
                String(label.replacing("\\", with: "/").prefix(64)), category, type, typeModifier, anatomicRegion
            )
            (self.algorithm, self.algorithmFamily, self.colour, self.mask) = (algorithm, algorithmFamily, colour, mask)
            (self.trackingID, self.trackingUID) = (trackingID, trackingUID)
        }
    }

    static let sopClassUID = "1.2.840.10008.5.1.4.1.1.66.4"

    public let source: SourceSeries
    let header: ResultHeader
    let segments: [Segment]
    private let frames: SegmentFrames

    /// - Parameter segments: at least one; their numbers are 1, 2, … in this order.
    public init(_ segments: [Segment], of source: SourceSeries, header: ResultHeader) {
        (self.segments, self.source, self.header) = (segments, source, header)
        frames = SegmentFrames(segments.map(\.mask), on: source.geometry)
    }

    /// The images that some segment has voxels on.
    var referencedImages: [ScanInstance] {
        var seen: Set<ScanInstance> = []
        return frames.slices.flatMap(source.images).filter { seen.insert($0).inserted }
    }

    /// The same, as other objects refer to them.
    public var imageReferences: [ImageReference] { referencedImages.map { ImageReference($0, of: source) } }

    /// How other objects refer to the segment with a tracking UID; `nil` where there is none.
    public func reference(toTrackingUID uid: String) -> ImageReference? {
        segments.firstIndex { $0.trackingUID == uid }.map { index in
            ImageReference(
                sopClassUID: Self.sopClassUID, sopInstanceUID: header.sopInstanceUID, seriesInstanceUID: header.seriesInstanceUID,
                studyInstanceUID: source.studyInstanceUID, segment: index + 1)
        }
    }

    /// Writes the file, reads it again and compares every voxel. Throws a `DICOMError` when it cannot be written or does not read the same.
    public func write(to file: URL) throws(DICOMError) {
        let composition = try DICOMComposition(
            header, sopClassUID: Self.sopClassUID, modality: "SEG", in: source, ownText: segments.flatMap { [$0.label, $0.trackingID] })
        let root = composition.root
        source.copyFrameOfReference(to: root)
        source.copyCompressionHistory(to: root)
        setImage(root)
        for (index, segment) in segments.enumerated() { append(segment, number: index + 1, to: root) }
        setDimensions(root)
        setGroups(root)
        appendReferences(root)
        root.set(.pixelData, bytes: frames.packedBits())
        try composition.save(to: file)
        try frames.requireSame(in: DICOMSegmentation.read(file), position: source.position(ofSlice: frames.slices[0]))
    }

    private func setImage(_ root: DICOMItem) {
        root.set(.imageType, "DERIVED\\PRIMARY")
        root.set(.samplesPerPixel, 1)
        root.set(.photometricInterpretation, "MONOCHROME2")
        root.set(.numberOfFrames, frames.all.count)
        root.set(.rows, source.geometry.size.j)
        root.set(.columns, source.geometry.size.i)
        root.set(.bitsAllocated, 1)
        root.set(.bitsStored, 1)
        root.set(.highBit, 0)
        root.set(.pixelRepresentation, 0)
        root.set(.segmentationType, "BINARY")
        root.set(.segmentsOverlap, frames.overlap ? "YES" : "NO")
        root.set(.contentLabel, "SEGMENTATION")
        root.set(.contentDescription, header.seriesDescription)
        root.setEmpty(.contentCreatorName)
    }

    private func append(_ segment: Segment, number: Int, to root: DICOMItem) {
        let item = root.append(to: .segmentSequence)
        item.set(.segmentNumber, number)
        item.set(.segmentLabel, segment.label)
        item.set(.segmentAlgorithmType, segment.algorithm.type)
        item.set(.segmentAlgorithmName, segment.algorithm.name)
        if let family = segment.algorithmFamily {
            let identification = item.append(to: .segmentationAlgorithmIdentificationSequence)
            identification.set(.algorithmFamilyCodeSequence, family)
            identification.set(.algorithmName, segment.algorithm.name)
            identification.set(.algorithmVersion, header.software.version)
            identification.set(.algorithmSource, header.software.name)
        }
        item.set(.segmentedPropertyCategoryCodeSequence, segment.category)
        let type = item.set(.segmentedPropertyTypeCodeSequence, segment.type)
        if let modifier = segment.typeModifier { type.set(.segmentedPropertyTypeModifierCodeSequence, modifier) }
        if let region = segment.anatomicRegion { item.set(.anatomicRegionSequence, region) }
        item.set(.recommendedDisplayCIELabValue, segment.colour.encoded.map(String.init).joined(separator: "\\"))
        item.set(.trackingID, segment.trackingID)
        item.set(.trackingUID, segment.trackingUID)
    }

    /// Frames are counted by segment, then by position.
    private func setDimensions(_ root: DICOMItem) {
        let uid = DerivedUID.make(from: "dimensions", header.sopInstanceUID)
        root.append(to: .dimensionOrganizationSequence).set(.dimensionOrganizationUID, uid)
        let dimensions: [(DICOMTag, DICOMTag, String)] = [
            (.referencedSegmentNumber, .segmentIdentificationSequence, "Segment Number"),
            (.imagePositionPatient, .planePositionSequence, "Image Position"),
        ]
        for (pointer, group, label) in dimensions {
            let item = root.append(to: .dimensionIndexSequence)
            item.set(.dimensionOrganizationUID, uid)
            item.set(.dimensionIndexPointer, pointer.description)
            item.set(.functionalGroupPointer, group.description)
            item.set(.dimensionDescriptionLabel, label)
        }
    }

    private func setGroups(_ root: DICOMItem) {
        let geometry = source.geometry, axes = geometry.axes
        let shared = root.append(to: .sharedFunctionalGroupsSequence)
        shared.append(to: .planeOrientationSequence).set(
            .imageOrientationPatient, decimals: [axes.i.lps.x, axes.i.lps.y, axes.i.lps.z, axes.j.lps.x, axes.j.lps.y, axes.j.lps.z])
        let measures = shared.append(to: .pixelMeasuresSequence)
        measures.set(.pixelSpacing, decimals: [geometry.spacing.y, geometry.spacing.x])
        measures.set(.sliceThickness, decimals: [geometry.spacing.z])
        measures.set(.spacingBetweenSlices, decimals: [geometry.spacing.z])
        let rank = Dictionary(uniqueKeysWithValues: frames.slices.enumerated().map { ($1, $0 + 1) })
        for frame in frames.all {
            let item = root.append(to: .perFrameFunctionalGroupsSequence), position = source.position(ofSlice: frame.slice).lps
            item.append(to: .frameContentSequence).set(.dimensionIndexValues, frame.segment + 1, rank[frame.slice]!)
            item.append(to: .planePositionSequence).set(.imagePositionPatient, decimals: [position.x, position.y, position.z])
            item.append(to: .segmentIdentificationSequence).set(.referencedSegmentNumber, frame.segment + 1)
            let derivation = item.append(to: .derivationImageSequence)
            derivation.set(.derivationCodeSequence, CodedConcept("113076", "DCM", "Segmentation"))
            for image in source.images(ofSlice: frame.slice) {
                let reference = derivation.append(image, to: .sourceImageSequence)
                reference.set(.purposeOfReferenceCodeSequence, CodedConcept("121322", "DCM", "Source Image for Image Processing Operation"))
                reference.set(.spatialLocationsPreserved, source.isResampled ? "NO" : "YES")
            }
        }
    }

    private func appendReferences(_ root: DICOMItem) {
        let series = root.append(to: .referencedSeriesSequence)
        series.set(.seriesInstanceUID, source.seriesInstanceUID)
        var seen: Set<String> = []
        for image in referencedImages where seen.insert(image.sopInstanceUID).inserted {
            _ = series.appendReference(
                to: .referencedInstanceSequence, sopClassUID: image.sopClassUID, sopInstanceUID: image.sopInstanceUID)
        }
    }
}

extension DICOMItem {
    /// Names an image, and its frame where it is one of several.
    @discardableResult
    func append(_ image: ScanInstance, to sequence: DICOMTag) -> DICOMItem {
        let item = appendReference(to: sequence, sopClassUID: image.sopClassUID, sopInstanceUID: image.sopInstanceUID)
        if let frame = image.frameNumber { item.set(.referencedFrameNumber, frame) }
        return item
    }
}
