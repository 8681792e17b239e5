/// A node of a structured report's tree (PS3.3 C.17.3).
public struct ContentItem: Sendable {
    public enum Relationship: String, Sendable {
        case contains = "CONTAINS"
        case hasObservationContext = "HAS OBS CONTEXT"
        case hasConceptModifier = "HAS CONCEPT MOD"
        case hasProperties = "HAS PROPERTIES"
    }

    public enum Value: Sendable {
        /// With the identifier of the DCMR template that its content follows, where it begins one.
        case container(template: String?)
        case text(String)
        case code(CodedConcept)
        /// A decimal string of at most 16 characters.
        case number(String, unit: CodedConcept)
        case uid(String)
        case image(ImageReference)
    }

    /// To its parent; without meaning for a root.
    public var relationship: Relationship
    public var name: CodedConcept
    public var value: Value
    public var children: [ContentItem]

    public init(_ relationship: Relationship, _ name: CodedConcept, _ value: Value, _ children: [ContentItem] = []) {
        (self.relationship, self.name, self.value, self.children) = (relationship, name, value, children)
    }

    /// The node and all below it.
    var all: [ContentItem] { [self] + children.flatMap(\.all) }
}

extension ContentItem {
    /// The images that the tree refers to, each once.
    var images: [ImageReference] {
        var seen: Set<ImageReference> = []
        return all.compactMap { node in
            guard case .image(let image) = node.value, seen.insert(image).inserted else { return nil }
            return image
        }
    }

    /// What the object's character set must be able to hold.
    var texts: [String] {
        all.flatMap { node -> [String] in
            switch node.value {
            case .text(let text): [text, node.name.meaning]
            case .code(let concept): [concept.meaning, node.name.meaning]
            default: [node.name.meaning]
            }
        }
    }

    /// The private coding schemes of its concepts.
    var privateSchemes: Set<String> {
        Set(
            all.flatMap { node -> [String] in
                switch node.value {
                case .code(let concept): [node.name.scheme, concept.scheme]
                case .number(_, let unit): [node.name.scheme, unit.scheme]
                default: [node.name.scheme]
                }
            }.filter { $0.hasPrefix("99") })
    }
}
