import Foundation
import StudyArchive

/// How much memory cases may hold together.
///
/// What a case will need is judged by the size of its inputs: at first by a cautious ratio, then by the largest one that was seen.
struct MemoryBudget: Sendable {
    let totalMB: Double
    private var ratio = Self.cautiousRatio
    private var hasSeen = false
    private var reserved: [String: Double] = [:]

    /// Program, tables and what does not grow with the images.
    private static let baseMB = 200.0
    /// Megabytes held for each megabyte of input files; scans are held as `Float` with several fields beside them.
    private static let cautiousRatio = 15.0

    init(totalMB: Double) { self.totalMB = totalMB }

    /// Four fifths of what the machine, or the control group of this process, has left.
    static var available: MemoryBudget {
        MemoryBudget(totalMB: 0.8 * min(machineMB ?? .infinity, controlGroupMB ?? .infinity, 1e9))
    }

    private static var machineMB: Double? {
        text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
            .flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Double($0) }.map { $0 / 1024 }
    }

    private static var controlGroupMB: Double? {
        func bytes(_ file: String) -> Double? {
            text("/sys/fs/cgroup/\(file)").flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        guard let limit = bytes("memory.max") else { return nil }
        return (limit - (bytes("memory.current") ?? 0)) / 1_048_576
    }

    private static func text(_ file: String) -> String? {
        FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Learns from a run that ended.
    mutating func learn(from record: RunRecord) {
        let inputMB = Double(record.inputs.reduce(0) { $0 + $1.size }) / 1_048_576
        guard let peak = record.peakMemoryMB, record.state == .done, inputMB > 0 else { return }
        let seen = 1.2 * max(0, peak - Self.baseMB) / inputMB
        ratio = hasSeen ? max(ratio, seen) : seen
        hasSeen = true
    }

    /// Sets memory aside for a case, if there is enough. One case alone is always let in.
    mutating func reserve(_ key: String, inputBytes: Int64) -> Bool {
        let need = Self.baseMB + ratio * Double(inputBytes) / 1_048_576
        guard reserved.isEmpty || reserved.values.reduce(need, +) <= totalMB else { return false }
        reserved[key] = need
        return true
    }

    mutating func release(_ key: String) { reserved[key] = nil }
}
