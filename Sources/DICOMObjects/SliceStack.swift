import Foundation
import ImagingCore

/// Slices of one orientation, one at each position, and the regular grid that they make up.
struct SliceStack: Sendable {
    /// In the order of rising position along rows × columns.
    let slices: [Slice]
    /// Millimetres along the normal from the first slice.
    let positionsMM: [Double]
    /// How far each slice is shifted against the first, in millimetres along rows and columns.
    let shiftsMM: [SIMD2<Double>]
    /// How the slices lie along the normal.
    let arrangement: Arrangement

    enum Arrangement: Sendable, Equatable {
        case single
        case regular
        /// Regular but for slices that are not there: the gaps' indices (between slice n and n + 1).
        case missingSlices(afterSlices: [Int])
        case variableSpacing
        /// A gap too wide to bridge, after slice n.
        case tooWideGap(afterSlice: Int)
    }

    /// Expects at least one slice, all of one orientation, matrix and pixel spacing, no two at one position.
    init(_ unsorted: [Slice]) {
        let slices = unsorted.sortedAlongNormal()
        let plane = slices[0].plane
        self.slices = slices
        let offsets = slices.map { $0.plane.position - plane.position }
        positionsMM = offsets.map { $0.dot(plane.normal) }
        shiftsMM = offsets.map { SIMD2($0.dot(plane.row), $0.dot(plane.column)) }
        arrangement = Self.arrangement(positionsMM)
    }

    var gapsMM: [Double] { zip(positionsMM.dropFirst(), positionsMM).map { $0 - $1 } }
    var medianGapMM: Double { gapsMM.sorted()[(gapsMM.count - 1) / 2] }
    var extentMM: Double { positionsMM.last! }

    /// Whether slices are shifted in their plane against one another: a tilted gantry, or a table that moved.
    var isSheared: Bool {
        let limit = SIMD2(slices[0].plane.columnSpacing, slices[0].plane.rowSpacing) * SliceTolerance.inPlanePixels
        return shiftsMM.contains { abs($0.x) > limit.x || abs($0.y) > limit.y }
    }

    /// The angle between the line through the slices' origins and their normal, in degrees; `nil` when they are not on a line.
    var tiltDegrees: Double? {
        guard slices.count > 1, extentMM > 0 else { return nil }
        let slope = shiftsMM.last! / extentMM
        let limit = SIMD2(slices[0].plane.columnSpacing, slices[0].plane.rowSpacing)
        for (position, shift) in zip(positionsMM, shiftsMM) {
            let off = shift - slope * position
            guard abs(off.x) <= limit.x, abs(off.y) <= limit.y else { return nil }
        }
        return atan((slope * slope).sum().squareRoot()) * 180 / .pi
    }

    var isRegular: Bool { arrangement == .regular && !isSheared }

    /// A gap this many times as wide as the median is never bridged, wherever it lies.
    private static let widestGap = 4.5
    /// A lone gap is one that is so much wider than its neighbours.
    private static let loneGap = 1.5
    /// A lone gap of up to so many median gaps lacks one slice.
    private static let oneMissing = 2.25
    /// No more than this share of slices may be missing.
    private static let missingShare = 0.1

    private static func arrangement(_ positions: [Double]) -> Arrangement {
        guard positions.count > 1 else { return .single }
        if isRegular(positions) { return .regular }
        let gaps = zip(positions.dropFirst(), positions).map { $0 - $1 }
        let median = gaps.sorted()[(gaps.count - 1) / 2]
        func isLone(_ n: Int) -> Bool {
            let neighbours = [n - 1, n + 1].filter(gaps.indices.contains).map { gaps[$0] }
            return gaps[n] > loneGap * neighbours.max()!
        }
        let wide = gaps.indices.filter { gaps[$0] > loneGap * median }
        if let tooWide = wide.first(where: { gaps[$0] > widestGap * median || (isLone($0) && gaps[$0] > oneMissing * median) }) {
            return .tooWideGap(afterSlice: tooWide)
        }
        let missing = wide.filter { isLone($0) && gaps[$0] > (4 - oneMissing) * median }
        guard !missing.isEmpty, missing.count == wide.count else { return .variableSpacing }
        guard missing.count <= max(1, Int(missingShare * Double(positions.count))) else { return .tooWideGap(afterSlice: missing[0]) }
        // With the missing slices put in, the rest must be regular.
        var filled = positions
        for n in missing.reversed() { filled.insert((positions[n] + positions[n + 1]) / 2, at: n + 1) }
        return isRegular(filled) ? .missingSlices(afterSlices: missing) : .variableSpacing
    }

    /// Whether every position is where equal steps from the first to the last would put it.
    static func isRegular(_ positions: [Double]) -> Bool {
        guard positions.count > 2 else { return true }
        let step = (positions.last! - positions[0]) / Double(positions.count - 1)
        let tolerance = min(SliceTolerance.placeMM, SliceTolerance.placeShare * step)
        return positions.indices.allSatisfy { abs(positions[$0] - positions[0] - Double($0) * step) <= tolerance }
    }
}

extension SliceStack {
    /// The grid of the loaded volume. Slices that do not lie on one are resampled onto a grid that has right angles, spans
    /// exactly from the first slice to the last and covers every slice in its plane.
    ///
    /// Its slice spacing is the slices' own; where that varies, the smallest that occurs more than once, so that one
    /// overlapping pair does not multiply the volume, and not less than a quarter of the median.
    func grid(size: (columns: Int, rows: Int), frameOfReferenceUID: String?) throws(GeometryError) -> GridGeometry {
        let plane = slices[0].plane
        let axes = try PatientAxes(rowDirection: plane.row, columnDirection: plane.column)
        let (low, high) = inPlaneMargin
        let count = regularSliceCount
        let spacing = count > 1 ? extentMM / Double(count - 1) : 1
        return try GridGeometry(
            size: GridSize(size.columns + high.x - low.x, size.rows + high.y - low.y, count),
            spacing: SIMD3(plane.columnSpacing, plane.rowSpacing, spacing),
            origin: plane.position + axes.vector(SIMD3(Double(low.x) * plane.columnSpacing, Double(low.y) * plane.rowSpacing, 0)),
            axes: axes, frameOfReferenceUID: frameOfReferenceUID)
    }

    /// Whole pixels that the grid reaches beyond the first slice: below its first column and row, and above its last.
    var inPlaneMargin: (low: SIMD2<Int>, high: SIMD2<Int>) {
        guard isSheared else { return (.zero, .zero) }
        let pixels = shiftsMM.map { $0 / SIMD2(slices[0].plane.columnSpacing, slices[0].plane.rowSpacing) }
        func whole(_ values: [Double], _ pick: ([Double]) -> Double, _ rule: FloatingPointRoundingRule) -> Int {
            Int(pick(values).rounded(rule))
        }
        let x = pixels.map(\.x), y = pixels.map(\.y)
        return (
            SIMD2(whole(x, { $0.min()! }, .down), whole(y, { $0.min()! }, .down)),
            SIMD2(whole(x, { $0.max()! }, .up), whole(y, { $0.max()! }, .up)))
    }

    private var regularSliceCount: Int {
        switch arrangement {
        case .single, .regular: slices.count
        case .missingSlices(let gaps): slices.count + gaps.count
        case .variableSpacing, .tooWideGap: Int((extentMM / max(smallestUsualGapMM, medianGapMM / 4)).rounded()) + 1
        }
    }

    private var smallestUsualGapMM: Double {
        let gaps = gapsMM.sorted()
        let repeated = gaps.indices.dropFirst().first { gaps[$0] - gaps[$0 - 1] <= SliceTolerance.placeShare * gaps[$0] }
        return repeated.map { gaps[$0] } ?? gaps[0]
    }
}
