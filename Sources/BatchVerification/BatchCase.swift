import Crypto
import Foundation

/// One case of a batch: what `icemargin verify` is run on, and the name of the folder that takes its results.
public struct BatchCase: Codable, Hashable, Sendable {
    /// The name of the folder of results; unique in an output folder, and the same in every batch.
    public var key: String
    /// Where the case comes from: the path of its case file, the row of a table, the two studies that were paired.
    public var source: String
    /// The path of the case file.
    public var description: String
    /// What a table says about the case beside its inputs, for example the operator.
    public var columns: [String: String]

    public init(key: String, source: String, description: String, columns: [String: String] = [:]) {
        (self.key, self.source, self.description, self.columns) = (key, source, description, columns)
    }
}

/// Gives cases the names of their folders of results.
///
/// A case keeps the name that it had in an earlier batch. A new one gets its own `id`; where that is taken, or where several cases share
/// it, some digits follow that depend on where the case comes from alone: neither the order of cases nor how far an earlier batch came
/// matters.
struct CaseKeys {
    private var bySource: [String: String]
    private var taken: Set<String>

    init(earlier: [String: String] = [:]) {
        bySource = earlier
        taken = Set(earlier.values)
    }

    /// - Parameter cases: the `id` of each case and where it comes from.
    /// - Returns: their keys in the same order.
    mutating func assign(_ cases: [(id: String, source: String)]) -> [String] {
        let counts = Dictionary(cases.map { ($0.id, 1) }, uniquingKeysWith: +)
        for (id, source) in cases where bySource[source] == nil {
            let digits = Self.digits(of: source)
            let key =
                counts[id] == 1 && !taken.contains(id)
                ? id
                : (6...digits.count).lazy.map { "\(id)-\(digits.prefix($0))" }.first { !taken.contains($0) }!
            taken.insert(key)
            bySource[source] = key
        }
        return cases.map { bySource[$0.source]! }
    }

    static func digits(of source: String) -> String {
        SHA256.hash(data: Data(source.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
