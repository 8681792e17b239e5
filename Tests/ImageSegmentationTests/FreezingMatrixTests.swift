import Testing
@testable import ImageSegmentation

/// What a freezing law makes of a histogram, against the sum over its tissues.
@Suite struct FreezingMatrixTests {
    @Test func densitiesAreSumsOverTissues() {
        let law = FreezingLaw.ct(dropHU: 85, fatDropHU: nil, lungIce: nil, bonePresent: true, noise: 9), count = LevelScale.count
        // Some tissues are common, some rare, some not there at all.
        var shares = [Float](repeating: 0, count: count)
        for tissue in 0..<count where tissue % 3 != 0 { shares[tissue] = 0.003 * Float(1 + tissue * 7 % 11) }
        var ice = [Float](repeating: -1, count: count)
        FreezingMatrix(law).apply(to: shares, into: &ice)
        for level in 0..<count {
            let sum = (0..<count).reduce(0.0) { $0 + Double(shares[$1]) * Double(law.frozen[$1 * count + level]) }
            #expect(abs(Double(ice[level]) - sum) < 1e-6 * max(1, sum))
        }
        #expect(ice.contains { $0 > 1e-3 })
    }

    @Test func tracesOfTissueDoNotCount() {
        let law = FreezingLaw.ct(dropHU: 85, fatDropHU: nil, lungIce: nil, bonePresent: true, noise: 9), count = LevelScale.count
        var ice = [Float](repeating: -1, count: count)
        FreezingMatrix(law).apply(to: [Float](repeating: 0.00009, count: count), into: &ice)
        #expect(ice == [Float](repeating: 0, count: count))
    }
}
