import ImagingCore
import Testing
@testable import ImageSegmentation

/// Lines among points that lie every millimetre along some stretches.
@Suite struct StraightLineSearchTests {
    private static func points(_ stretches: [(from: SIMD3<Double>, to: SIMD3<Double>)]) -> [MetalPoint] {
        stretches.flatMap { from, to in
            let length = (to - from).length
            return stride(from: 0, through: length, by: 1).map { MetalPoint(position: from + $0 / length * (to - from), weight: 100) }
        }
    }

    private static let straight = [
        (from: SIMD3(0.0, 0, 0), to: SIMD3(40.0, 0, 0)), (from: SIMD3(0.0, 30, 0), to: SIMD3(50.0, 45, 5)),
        (from: SIMD3(20.0, -40, 2), to: SIMD3(20.0, -40, 62)), (from: SIMD3(70.0, 0, 0), to: SIMD3(105.0, 0, 0)),
    ]

    /// The lines gone through, in their order; those that `accepts` takes use up what it says.
    private static func lines(_ accepts: (LineStretch) -> LineStretch?) -> [LineStretch] {
        var search = StraightLineSearch(points(straight), sliceSpacingMM: 1), lines: [LineStretch] = []
        search.forEachLine { accepts($0) } decide: { line, stretch in
            lines.append(line)
            return stretch
        }
        return lines
    }

    @Test func everyLineIsGoneThroughWhateverIsMadeOfIt() {
        for accepts in [{ _ in nil }, { $0 }] as [(LineStretch) -> LineStretch?] {
            let lines = Self.lines(accepts)
            #expect(lines.count == Self.straight.count)
            for (from, to) in Self.straight {
                #expect(lines.count { $0.offAxis(from) < 0.1 && $0.offAxis(to) < 0.1 && abs($0.length - (to - from).length) < 1.5 } == 1)
            }
        }
    }

    /// Two of them lie on one line, with a gap that nothing bridges: where a rod is found to be both, what was grown of the other is
    /// forgotten.
    @Test func whatAnAcceptedStretchUsesUpDoesNotComeAgain() {
        func isOnFirst(_ line: LineStretch) -> Bool { line.offAxis(.zero) < 1 && line.offAxis(SIMD3(105, 0, 0)) < 1 }
        let lines = Self.lines { isOnFirst($0) ? LineStretch(origin: .zero, direction: SIMD3(1, 0, 0), range: 0...105) : nil }
        #expect(lines.count == 3 && lines.count(where: isOnFirst) == 1)
    }

    @Test func linesDoNotDependOnThreads() {
        func lengths() -> [Double] { Self.lines { $0.length > 45 ? $0 : nil }.map(\.length) }
        #expect(KernelThreads.with(1, lengths) == lengths())
    }
}
