import Foundation

/// Writes report documents as JSON that is the same, byte for byte, whenever the values are the same.
///
/// - Keys stand in the order in which the types declare them; keys of dictionaries are sorted.
/// - An absent optional is written as `null`, never left out.
/// - Numbers are rounded to what they can mean (`decimals(of:)`), printed with the fewest digits that read back as the same
///   number, and never as −0. NaN and infinities become `null`: a value that can be either is an optional in the types.
/// - UTF-8 with two spaces of indentation; an array of plain values stands on one line.
public struct ReportEncoder: Sendable {
    public init() {}

    public func encode(_ value: some Encodable) throws -> Data {
        let element = Element()
        try element.set(value, path: [])
        var text = ""
        element.write(to: &text, indentation: 0)
        text += "\n"
        return Data(text.utf8)
    }

    /// The number of decimals to which a number under `path` is rounded: 0.1 µm, 0.1 µL, 1 ms; a millionth of anything else.
    /// `nil` leaves the number as it is.
    static func decimals(of path: [any CodingKey]) -> Int? {
        let keys = path.map(\.stringValue)
        guard let key = keys.last else { return nil }
        if keys.contains("parameters") || key == "matrix" { return nil }
        if keys.contains("timingsS") { return 3 }
        if key == "spacingMM" { return 7 }
        return ["MM", "LPS", "ML"].contains(where: key.hasSuffix) ? 4 : 6
    }

    /// `number` as JSON.
    static func text(of number: Double, decimals: Int?) -> String {
        guard number.isFinite else { return "null" }
        var rounded = number
        if let decimals, abs(number) < 1e11 {
            let scale = pow(10, Double(decimals))
            rounded = (number * scale).rounded(.toNearestOrEven) / scale
        }
        let text = (rounded + 0).description  // −0 + 0 is 0
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// `string` as JSON. `<` is escaped too, so that the document can stand inside a script element.
    static func text(of string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case "<", "\u{2028}", "\u{2029}", "\u{7f}", "\u{0}"..."\u{1f}": text += "\\u" + String(format: "%04x", scalar.value)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

/// A node of the document while it is being built; encoding containers share it.
private final class Element {
    enum Content {
        case scalar(String)
        case array([Element])
        case object([(key: String, value: Element)])
    }
    var content = Content.scalar("null")

    func set(_ value: some Encodable, path: [any CodingKey]) throws {
        switch value {
        case let value as Bool: content = .scalar(value ? "true" : "false")
        case let value as String: content = .scalar(ReportEncoder.text(of: value))
        case let value as Double: content = .scalar(ReportEncoder.text(of: value, decimals: ReportEncoder.decimals(of: path)))
        case let value as Float: content = .scalar(ReportEncoder.text(of: Double(value), decimals: ReportEncoder.decimals(of: path)))
        case let value as any FixedWidthInteger: content = .scalar(value.description)
        case let value as [String: any Encodable]:
            content = .object([])
            for (key, value) in value.sorted(by: { $0.key < $1.key }) { try append(key).set(value, path: path + [DictionaryKey(key)]) }
        default: try value.encode(to: ElementEncoder(element: self, codingPath: path))
        }
    }

    func append(_ key: String) -> Element {
        let element = Element()
        guard case .object(var members) = content else { preconditionFailure("a key outside an object") }
        members.append((key, element))
        content = .object(members)
        return element
    }

    func append() -> Element {
        let element = Element()
        guard case .array(var items) = content else { preconditionFailure("an item outside an array") }
        items.append(element)
        content = .array(items)
        return element
    }

    func write(to text: inout String, indentation: Int) {
        switch content {
        case .scalar(let scalar): text += scalar
        case .array(let items) where items.allSatisfy(\.isScalar):
            text += "["
            for (index, item) in items.enumerated() {
                if index > 0 { text += ", " }
                item.write(to: &text, indentation: 0)
            }
            text += "]"
        case .array(let items): write(items.map { ("", $0) }, in: ("[", "]"), to: &text, indentation: indentation)
        case .object(let members):
            write(members.map { (ReportEncoder.text(of: $0.key) + ": ", $0.value) }, in: ("{", "}"), to: &text, indentation: indentation)
        }
    }

    private func write(
        _ members: [(prefix: String, value: Element)], in brackets: (String, String), to text: inout String, indentation: Int
    ) {
        guard !members.isEmpty else { return text += brackets.0 + brackets.1 }
        text += brackets.0 + "\n"
        for (index, member) in members.enumerated() {
            text += String(repeating: " ", count: indentation + 2) + member.prefix
            member.value.write(to: &text, indentation: indentation + 2)
            text += index + 1 < members.count ? ",\n" : "\n"
        }
        text += String(repeating: " ", count: indentation) + brackets.1
    }

    private var isScalar: Bool { if case .scalar = content { true } else { false } }
}

private struct DictionaryKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ stringValue: String) { self.stringValue = stringValue }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}

private struct ElementEncoder: Encoder {
    let element: Element
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object = element.content {} else { element.content = .object([]) }
        return KeyedEncodingContainer(Keyed(element: element, codingPath: codingPath))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .array = element.content {} else { element.content = .array([]) }
        return Unkeyed(element: element, codingPath: codingPath)
    }
    func singleValueContainer() -> any SingleValueEncodingContainer { Single(element: element, codingPath: codingPath) }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let element: Element
        let codingPath: [any CodingKey]

        private func encoder(_ key: String) -> ElementEncoder {
            ElementEncoder(element: element.append(key), codingPath: codingPath + [DictionaryKey(key)])
        }
        func encodeNil(forKey key: Key) throws { _ = element.append(key.stringValue) }
        func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            try element.append(key.stringValue).set(value, path: codingPath + [key])
        }
        // What makes an absent optional a null: the standard implementations leave the key out. There is one of them for each
        // basic type, and one for all others, so that each needs a counterpart.
        func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: String?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try encodeOrNull(value, key) }
        func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try encodeOrNull(value, key) }
        private func encodeOrNull(_ value: (some Encodable)?, _ key: Key) throws {
            if let value { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
        }
        func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
            encoder(key.stringValue).container(keyedBy: type)
        }
        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder(key.stringValue).unkeyedContainer() }
        func superEncoder() -> any Encoder { encoder("super") }
        func superEncoder(forKey key: Key) -> any Encoder { encoder(key.stringValue) }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        let element: Element
        let codingPath: [any CodingKey]
        var count: Int { if case .array(let items) = element.content { items.count } else { 0 } }

        private func encoder() -> ElementEncoder { ElementEncoder(element: element.append(), codingPath: codingPath) }
        func encodeNil() throws { _ = element.append() }
        func encode<T: Encodable>(_ value: T) throws { try element.append().set(value, path: codingPath) }
        func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
            encoder().container(keyedBy: type)
        }
        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder().unkeyedContainer() }
        func superEncoder() -> any Encoder { encoder() }
    }

    struct Single: SingleValueEncodingContainer {
        let element: Element
        let codingPath: [any CodingKey]

        func encodeNil() throws { element.content = .scalar("null") }
        func encode<T: Encodable>(_ value: T) throws { try element.set(value, path: codingPath) }
    }
}
