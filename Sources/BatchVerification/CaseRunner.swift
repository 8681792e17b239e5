import Foundation
import StudyArchive

/// Runs one case, apart from what becomes of its results.
public protocol CaseRunner: Sendable {
    var options: CaseOptions { get }

    /// Verifies the case and writes its results to `folder`, which does not exist yet.
    ///
    /// - Parameters:
    ///   - messages: takes what the run says.
    ///   - progress: gets the name of each stage as it begins.
    func run(_ description: URL, into folder: URL, messages: URL, progress: @escaping @Sendable (String) -> Void) async -> CaseEnding
}

/// How the run of a case ended.
public struct CaseEnding: Sendable, Hashable {
    /// `nil` when the results are in their folder.
    public var failure: RunRecord.Failure?
    public var peakMemoryMB: Double?

    public init(failure: RunRecord.Failure? = nil, peakMemoryMB: Double? = nil) {
        (self.failure, self.peakMemoryMB) = (failure, peakMemoryMB)
    }
}
