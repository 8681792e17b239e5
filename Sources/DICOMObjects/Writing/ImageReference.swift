/// An image, or a segment of a segmentation, as other objects refer to it.
public struct ImageReference: Hashable, Sendable {
    public var sopClassUID, sopInstanceUID, seriesInstanceUID, studyInstanceUID: String
    public var segment: Int?
    public var frame: Int?

    public init(
        sopClassUID: String, sopInstanceUID: String, seriesInstanceUID: String, studyInstanceUID: String, segment: Int? = nil,
        frame: Int? = nil
    ) {
        (self.sopClassUID, self.sopInstanceUID) = (sopClassUID, sopInstanceUID)
        (self.seriesInstanceUID, self.studyInstanceUID) = (seriesInstanceUID, studyInstanceUID)
        (self.segment, self.frame) = (segment, frame)
    }

    init(_ image: ScanInstance, of source: SourceSeries) {
        self.init(
            sopClassUID: image.sopClassUID, sopInstanceUID: image.sopInstanceUID, seriesInstanceUID: source.seriesInstanceUID,
            studyInstanceUID: source.studyInstanceUID, frame: image.frameNumber)
    }
}
