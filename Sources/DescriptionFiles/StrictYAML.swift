import Foundation
import ImagingCore
import Yams

/// Why a description file (a case, a profile, a simulation, a table of tissues) cannot be used. Lines count from 1.
public enum DescriptionError: ReportableError {
    case unreadable(file: String, reason: String)
    case syntax(file: String, line: Int, problem: String)
    case unknownKey(file: String, line: Int, key: String, place: String, known: [String])
    case duplicateKey(file: String, line: Int, key: String, place: String)
    case missingKey(file: String, line: Int, key: String, place: String)
    case wrongValue(file: String, line: Int, key: String, expected: String)

    public var category: FailureCategory {
        if case .unreadable = self { .inputMissing } else { .badData }
    }

    public var finding: Finding {
        switch self {
        case .unreadable(let file, let reason):
            Finding(.error, "description-unreadable", "\(file): \(reason)", remedy: "Check the path.")
        case .syntax(let file, let line, let problem):
            Finding(.error, "description-syntax", "\(file), line \(line): not valid YAML: \(problem).", remedy: "Correct that line.")
        case .unknownKey(let file, let line, let key, let place, let known):
            Finding(.error, "unknown-key", "\(file), line \(line): unknown key “\(key)” in \(place).",
                    remedy: "Known here: \(known.joined(separator: ", ")).")
        case .duplicateKey(let file, let line, let key, let place):
            Finding(.error, "duplicate-key", "\(file), line \(line): key “\(key)” stands twice in \(place).", remedy: "Keep one of them.")
        case .missingKey(let file, let line, let key, let place):
            Finding(.error, "missing-key", "\(file), line \(line): \(place) lacks “\(key)”.", remedy: "Add it.")
        case .wrongValue(let file, let line, let key, let expected):
            Finding(.error, "wrong-value", "\(file), line \(line): “\(key)” must be \(expected).", remedy: "Correct that value.")
        }
    }
}

/// A YAML mapping of which every key must be known: typed look-ups, and errors that name the file and the line.
public struct StrictYAML {
    public let file: String
    /// How an error names this mapping, e.g. "tumours[1]".
    public let place: String
    private let line: Int
    private let values: [String: Node]
    private let lines: [String: Int]

    /// The text of a file, which a message calls `what` when it cannot be read.
    public static func text(of file: URL, what: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: file.path), let text = String(data: data, encoding: .utf8) else {
            throw DescriptionError.unreadable(file: file.path, reason: "\(what) cannot be read.")
        }
        return text
    }

    /// Parses a whole document, which must be a mapping with no key other than `known`.
    public static func document(_ text: String, file: String, known: [String]) throws -> StrictYAML {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw DescriptionError.syntax(file: file, line: 1, problem: "the file is empty")
            }
            return try StrictYAML(node, file: file, place: "the file", line: 1, known: known)
        } catch let error as YamlError {
            throw Self.syntaxError(error, file: file)
        }
    }

    private static func syntaxError(_ error: YamlError, file: String) -> DescriptionError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            return .syntax(file: file, line: mark.line, problem: problem)
        case .duplicatedKeysInMapping(let duplicates, _):
            return .duplicateKey(file: file, line: 1, key: duplicates.map { "\($0)" }.sorted().joined(separator: ", "), place: "the file")
        default:
            return .syntax(file: file, line: 1, problem: "\(error)")
        }
    }

    private init(_ node: Node, file: String, place: String, line: Int, known: [String]) throws {
        self.file = file
        self.place = place
        self.line = node.mark?.line ?? line
        guard case .mapping(let mapping) = node else {
            throw DescriptionError.wrongValue(file: file, line: self.line, key: place, expected: "a mapping with keys \(known.joined(separator: ", "))")
        }
        var values: [String: Node] = [:], lines: [String: Int] = [:]
        for (keyNode, value) in mapping {
            let line = keyNode.mark?.line ?? self.line
            guard let key = keyNode.string, known.contains(key) else {
                throw DescriptionError.unknownKey(file: file, line: line, key: keyNode.string ?? "?", place: place, known: known)
            }
            guard values[key] == nil else { throw DescriptionError.duplicateKey(file: file, line: line, key: key, place: place) }
            values[key] = value
            lines[key] = value.mark?.line ?? line
        }
        (self.values, self.lines) = (values, lines)
    }

    public func wrongValue(_ key: String, expected: String) -> DescriptionError {
        .wrongValue(file: file, line: lines[key] ?? line, key: key, expected: expected)
    }
    public func missing(_ key: String) -> DescriptionError { .missingKey(file: file, line: line, key: key, place: place) }

    public func has(_ key: String) -> Bool { node(key) != nil }

    private func node(_ key: String) -> Node? {
        guard let node = values[key], node.null == nil else { return nil }
        return node
    }

    public func string(_ key: String) throws -> String? {
        guard let node = node(key) else { return nil }
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty else { throw wrongValue(key, expected: "a text") }
        return scalar.string
    }
    public func requiredString(_ key: String) throws -> String {
        guard let value = try string(key) else { throw missing(key) }
        return value
    }

    public func number(_ key: String) throws -> Double? {
        guard let node = node(key) else { return nil }
        guard let value = node.float, value.isFinite else { throw wrongValue(key, expected: "a number") }
        return value
    }
    /// A number that must be greater than zero.
    public func positive(_ key: String) throws -> Double? {
        guard let value = try number(key) else { return nil }
        guard value > 0 else { throw wrongValue(key, expected: "greater than 0, not \(value)") }
        return value
    }
    public func zeroOrMore(_ key: String) throws -> Double? {
        guard let value = try number(key) else { return nil }
        guard value >= 0 else { throw wrongValue(key, expected: "0 or more, not \(value)") }
        return value
    }
    public func wholeNumber(_ key: String) throws -> Int? {
        guard let node = node(key) else { return nil }
        guard let value = node.int else { throw wrongValue(key, expected: "a whole number") }
        return value
    }

    public func flag(_ key: String) throws -> Bool? {
        guard let node = node(key) else { return nil }
        guard let value = node.bool else { throw wrongValue(key, expected: "true or false") }
        return value
    }

    /// Three numbers: LPS millimetres.
    public func point(_ key: String) throws -> PatientPoint? {
        guard let node = node(key) else { return nil }
        guard let point = Self.point(node) else { throw wrongValue(key, expected: "three numbers [L, P, S] in millimetres") }
        return point
    }
    /// A list of such points; empty when the key is missing.
    public func points(_ key: String) throws -> [PatientPoint] {
        guard let node = node(key) else { return [] }
        let points = node.sequence?.map(Self.point) ?? [nil]
        guard points.allSatisfy({ $0 != nil }) else { throw wrongValue(key, expected: "a list of points, [[L, P, S], …] in millimetres") }
        return points.compactMap { $0 }
    }
    private static func point(_ node: Node) -> PatientPoint? {
        guard let values = node.sequence?.map(\.float), values.count == 3, let x = values[0], let y = values[1], let z = values[2],
            (x + y + z).isFinite
        else { return nil }
        return PatientPoint(x, y, z)
    }

    /// A list of numbers; `nil` when the key is missing.
    public func numbers(_ key: String) throws -> [Double]? {
        guard let node = node(key) else { return nil }
        guard let values = node.sequence?.map(\.float), !values.isEmpty, values.allSatisfy({ $0?.isFinite == true }) else {
            throw wrongValue(key, expected: "a list of numbers")
        }
        return values.compactMap { $0 }
    }
    /// A list of lists of numbers; empty when the key is missing.
    public func numberLists(_ key: String) throws -> [[Double]] {
        guard let node = node(key) else { return [] }
        let rows = node.sequence?.map { $0.sequence?.map(\.float) } ?? [nil]
        guard rows.allSatisfy({ $0?.allSatisfy { $0?.isFinite == true } == true }) else {
            throw wrongValue(key, expected: "a list of lists of numbers")
        }
        return rows.map { $0!.compactMap { $0 } }
    }
    /// The texts of a list, or the one text that stands instead of a list; empty when the key is missing.
    public func strings(_ key: String) throws -> [String] {
        guard let node = node(key) else { return [] }
        let texts = node.sequence?.map(\.scalar?.string) ?? [node.scalar?.string]
        guard texts.allSatisfy({ $0?.isEmpty == false }) else { throw wrongValue(key, expected: "a text or a list of texts") }
        return texts.compactMap { $0 }
    }

    public func mapping(_ key: String, known: [String]) throws -> StrictYAML? {
        guard let node = node(key) else { return nil }
        return try StrictYAML(node, file: file, place: key, line: line, known: known)
    }
    public func mappings(_ key: String, known: [String]) throws -> [StrictYAML] {
        guard let node = node(key) else { return [] }
        guard let sequence = node.sequence else { throw wrongValue(key, expected: "a list") }
        return try sequence.enumerated().map { try StrictYAML($1, file: file, place: "\(key)[\($0)]", line: lines[key] ?? line, known: known) }
    }
}
