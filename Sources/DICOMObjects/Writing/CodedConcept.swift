/// A concept by its code (PS3.3 8.8): what a machine reads, and what it means in words.
public struct CodedConcept: Hashable, Sendable {
    /// At most 16 characters.
    public var value: String
    /// The Coding Scheme Designator, for example `SCT` or `DCM`; private schemes begin with `99`.
    public var scheme: String
    /// At most 64 characters.
    public var meaning: String

    public init(_ value: String, _ scheme: String, _ meaning: String) {
        precondition(
            value.count <= 16 && scheme.count <= 16 && meaning.count <= 64, "\(value), \(scheme), \(meaning) is too long for a code")
        (self.value, self.scheme, self.meaning) = (value, scheme, meaning)
    }
}
