import Dispatch
import Foundation
import Synchronization

/// How many threads a kernel may use; a kernel that runs inside `withKernelThreads` uses no more than that.
public enum KernelThreads {
    @TaskLocal static var limit: Int?

    /// Asked for once: the answer is read from files, and kernels are called thousands of times a second.
    private static let processorCount = ProcessInfo.processInfo.activeProcessorCount

    /// The number of threads that kernels called here use.
    public static var count: Int { max(1, limit ?? processorCount) }

    /// Runs `body` with kernels held to `count` threads; results do not depend on it.
    public static func with<R>(_ count: Int, _ body: () throws -> R) rethrows -> R {
        try $limit.withValue(count, operation: body)
    }
}

/// Calls `body` with consecutive ranges of at most `slab` that together make up 0 ..< `count`, on several threads.
///
/// The ranges depend on `count` and `slab` alone, never on the number of threads; they are begun in their order.
public func forEachSlab(of count: Int, slab: Int, _ body: (Range<Int>) -> Void) {
    precondition(slab > 0)
    let slabs = (count + slab - 1) / slab
    let threads = min(KernelThreads.count, slabs)
    guard threads > 1 else {
        for index in 0..<slabs { body(index * slab..<min(count, (index + 1) * slab)) }
        return
    }
    let next = Atomic<Int>(0)
    withoutActuallyEscaping(body) { body in
        nonisolated(unsafe) let body = body  // Each range is handed to one thread, and all are done before this returns.
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < slabs else { return }
                body(index * slab..<min(count, (index + 1) * slab))
            }
        }
    }
}

/// The results of `body` for the ranges of `forEachSlab`, in their order: sums over them are the same for any number of threads.
public func mapSlabs<Result>(of count: Int, slab: Int, _ body: (Range<Int>) -> Result) -> [Result] {
    let slabs = (count + slab - 1) / slab
    return [Result](unsafeUninitializedCapacity: slabs) { results, initialized in
        let first = results.baseAddress
        forEachSlab(of: count, slab: slab) { range in
            (first! + range.lowerBound / slab).initialize(to: body(range))
        }
        initialized = slabs
    }
}
