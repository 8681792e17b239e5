/// Whose images these are: kept to compare series with one another, never to be logged or shown.
public struct PatientIdentity: Hashable, Sendable {
    /// What tells patients apart.
    public enum Attribute: String, Hashable, Sendable, CaseIterable {
        case patientID, birthDate, sex, name

        /// As DICOM calls it.
        public var title: String {
            switch self {
            case .patientID: "Patient ID"
            case .birthDate: "Patient's Birth Date"
            case .sex: "Patient's Sex"
            case .name: "Patient's Name"
            }
        }
    }

    public var id: String?
    /// As in DICOM: YYYYMMDD.
    public var birthDate: String?
    public var sex: String?
    /// Only for comparing.
    var name: String?

    public init(id: String? = nil, birthDate: String? = nil, sex: String? = nil) {
        (self.id, self.birthDate, self.sex) = (id, birthDate, sex)
    }

    init(_ dataset: DICOMDataset) {
        self.init(id: dataset.string(.patientID), birthDate: dataset.string(.patientBirthDate), sex: dataset.string(.patientSex))
        name = dataset.string(.patientName)?.lowercased().split { $0 == "^" || $0 == " " || $0 == "=" }.joined(separator: " ")
    }

    /// The attributes that both have and that differ, without their values; empty when this may be one person.
    ///
    /// A name alone never tells two people apart: spelling differs between systems.
    public func conflicts(with other: PatientIdentity) -> [Attribute] {
        func differ(_ a: String?, _ b: String?) -> Bool { a != nil && b != nil && a != b }
        var conflicts: [Attribute] = []
        if differ(id, other.id) { conflicts.append(.patientID) }
        if differ(birthDate, other.birthDate) { conflicts.append(.birthDate) }
        if differ(sex, other.sex) { conflicts.append(.sex) }
        if id == nil || other.id == nil, differ(name, other.name) { conflicts.append(.name) }
        return conflicts
    }
}
