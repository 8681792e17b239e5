import Foundation

/// What an object that is made here is called, apart from what it holds.
public struct ResultHeader: Sendable {
    /// The program that makes it.
    public struct Software: Sendable, Hashable {
        /// Also its manufacturer and model name.
        public var name, version: String

        public init(name: String, version: String) { (self.name, self.version) = (name, version) }
    }

    public var seriesInstanceUID, sopInstanceUID: String
    public var seriesNumber: Int
    public var instanceNumber: Int
    public var seriesDescription: String
    public var created: Date
    public var software: Software

    public init(
        seriesInstanceUID: String, sopInstanceUID: String, seriesNumber: Int, instanceNumber: Int = 1, seriesDescription: String,
        created: Date, software: Software
    ) {
        (self.seriesInstanceUID, self.sopInstanceUID, self.seriesNumber) = (seriesInstanceUID, sopInstanceUID, seriesNumber)
        (self.instanceNumber, self.seriesDescription, self.created, self.software) = (instanceNumber, seriesDescription, created, software)
    }
}

extension DICOMComposition {
    /// Begins an object in the study of `source`: SOP common, patient, study, series and equipment modules, content date and time.
    ///
    /// Patient and study stay as they are in the source, byte for byte and in its character set. Only where `ownText` needs more than
    /// ASCII, all text becomes UTF-8.
    convenience init(_ header: ResultHeader, sopClassUID: String, modality: String, in source: SourceSeries, ownText: [String] = [])
        throws(DICOMError)
    {
        try self.init()
        source.copyPatientAndStudy(to: root)
        if ownText.contains(where: { !$0.utf8.allSatisfy { $0 < 0x80 } }) { try convertToUTF8() }

        root.set(.sopClassUID, sopClassUID)
        root.set(.sopInstanceUID, header.sopInstanceUID)
        root.set(.modality, modality)
        root.set(.seriesInstanceUID, header.seriesInstanceUID)
        root.set(.seriesNumber, header.seriesNumber)
        root.set(.instanceNumber, header.instanceNumber)
        root.set(.seriesDescription, header.seriesDescription)
        root.set(.manufacturer, header.software.name)
        root.set(.manufacturerModelName, header.software.name)
        root.set(.deviceSerialNumber, header.software.version)
        root.set(.softwareVersions, header.software.version)
        let (date, time) = Self.dateAndTime(header.created, in: source.timeZone)
        for tag in [DICOMTag.instanceCreationDate, .seriesDate, .contentDate] { root.set(tag, date) }
        for tag in [DICOMTag.instanceCreationTime, .seriesTime, .contentTime] { root.set(tag, time) }
    }

    private static func dateAndTime(_ instant: Date, in zone: TimeZone) -> (date: String, time: String) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: instant)
        return (
            String(format: "%04d%02d%02d", parts.year!, parts.month!, parts.day!),
            String(format: "%02d%02d%02d", parts.hour!, parts.minute!, parts.second!)
        )
    }
}
