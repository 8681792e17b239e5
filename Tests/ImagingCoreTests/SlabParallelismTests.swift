import Testing

@testable import ImagingCore

@Suite struct SlabParallelismTests {
    @Test(arguments: [(10, 3, [0..<3, 3..<6, 6..<9, 9..<10]), (4, 8, [0..<4]), (0, 3, [])])
    func rangesCoverTheWholeOnceAndInOrder(count: Int, slab: Int, expected: [Range<Int>]) {
        #expect(mapSlabs(of: count, slab: slab) { $0 } == expected)
    }

    @Test func sumsDoNotDependOnThreads() {
        func sum() -> Float { mapSlabs(of: 1_000_003, slab: 1000) { $0.reduce(Float(0)) { $0 + 1 / Float($1 + 1) } }.reduce(0, +) }
        let alone = KernelThreads.with(1) { sum() }
        #expect(KernelThreads.with(7) { sum() } == alone)
    }
}
