import ImagingCore
import Testing
@testable import ImageSegmentation

/// Elements by their rank, against sorting.
@Suite struct OrderStatisticTests {
    @Test(arguments: [1, 2, 3, 8, 101, 1000], [2, 7, 100_000])
    func elementIsThatOfTheSorted(count: Int, differentValues: Int) {
        var random = SeededGenerator(seed: UInt64(count + differentValues))
        let values = (0..<count).map { _ in Float(Int.random(in: 0..<differentValues, using: &random)) }
        for (values, sorted) in [(values, values.sorted()), (values.sorted(), values.sorted()), (values.sorted(by: >), values.sorted())] {
            #expect((0..<count).allSatisfy { values.element(ofRank: $0) == sorted[$0] })
        }
    }
}
