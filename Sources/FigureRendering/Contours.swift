import ImagingCore

/// How an outline is broken up.
public enum OutlineDash: Sendable {
    case none, dashed, dotted, long

    /// Pixels drawn and left out by turns.
    var pixels: (on: Double, off: Double)? {
        switch self {
        case .none: nil
        case .dashed: (7, 4)
        case .dotted: (2, 3)
        case .long: (14, 5)
        }
    }
}

/// An object as it is outlined in pictures.
public struct FigureOverlay: Sendable {
    public let levelSet: LevelSet
    public var colour: RGBColour
    public var name: String
    /// Tells the object from others without colour.
    public var dash: OutlineDash
    /// Of the line, in pixels.
    public var thickness: Double
    /// Whether pictures are cut so as to show it. Structures far away would make tumour and ice small.
    public var framesPicture: Bool
    /// The object's extent, eight corners; empty for an empty object.
    let corners: [PatientPoint]

    public init(
        _ levelSet: LevelSet, colour: RGBColour, name: String, dash: OutlineDash = .none, thickness: Double = 1.7,
        framesPicture: Bool = true
    ) {
        self.levelSet = levelSet
        self.colour = colour
        self.name = name
        self.dash = dash
        self.thickness = thickness
        self.framesPicture = framesPicture
        corners = levelSet.mask.boundingBox.map { levelSet.geometry.cropped($0.i, $0.j, $0.k).cornerPoints } ?? []
    }

    /// Whether pictures can show `name` as it is, accents aside; a letter that their font lacks becomes an empty box.
    public static func canWrite(_ name: String) -> Bool { StrokeFont.canWrite(name) }

    /// Where the object's surface meets `plane`: lines in pixel coordinates, closed ones ending where they began.
    ///
    /// Exact for the level set as interpolated linearly, but for the chords of one pixel that make up a line.
    public func contours(in plane: ViewPlane) -> [[SIMD2<Double>]] {
        guard let first = corners.first else { return [] }
        // The surface lies within one voxel of the voxels inside; pixels further away need no look.
        let margin = levelSet.geometry.spacing.max() / plane.pixelSizeMM * 1.75 + 2
        var (low, high) = (plane.pixel(first), plane.pixel(first))
        for corner in corners {
            low = pointwiseMin(low, plane.pixel(corner))
            high = pointwiseMax(high, plane.pixel(corner))
        }
        low = pointwiseMax(low - margin, .zero)
        high = pointwiseMin(high + margin, SIMD2(Double(plane.width - 1), Double(plane.height - 1)))
        guard low.x < high.x, low.y < high.y else { return [] }
        let depths = corners.map(plane.depthMM)
        let reach = 1.75 * levelSet.geometry.spacing.max()
        guard depths.min()! <= reach, depths.max()! >= -reach else { return [] }

        let columns = Int(low.x)..<Int(high.x.rounded(.up)) + 1, rows = Int(low.y)..<Int(high.y.rounded(.up)) + 1
        let values = reslice(levelSet.field, plane, columns: columns, rows: rows)
        let offset = SIMD2(Double(columns.lowerBound), Double(rows.lowerBound))
        return zeroContours(values, width: columns.count, height: rows.count).map { $0.map { $0 + offset } }
    }
}

/// The lines along which a field on a grid of `width` × `height` points passes zero (marching squares, linear along edges;
/// saddles are resolved by the mean of the four corners). NaN counts as outside: a line closes along the border of the known field.
func zeroContours(_ values: [Float], width: Int, height: Int) -> [[SIMD2<Double>]] {
    precondition(values.count == width * height)
    // Edges are numbered: 2 · point runs to the right of a point, 2 · point + 1 runs down from it.
    var neighbours: [Int: (Int, Int)] = [:]
    func connect(_ a: Int, _ b: Int) {
        neighbours[a] = neighbours[a].map { ($0.0, b) } ?? (b, -1)
        neighbours[b] = neighbours[b].map { ($0.0, a) } ?? (a, -1)
    }
    func value(_ point: Int) -> Float { values[point].isNaN ? -0.5 : values[point] }

    for y in 0..<max(0, height - 1) {
        for x in 0..<max(0, width - 1) {
            let point = x &+ y &* width
            let (a, b, c, d) = (values[point] >= 0, values[point &+ 1] >= 0, values[point &+ width &+ 1] >= 0, values[point &+ width] >= 0)
            let code = (a ? 1 : 0) | (b ? 2 : 0) | (c ? 4 : 0) | (d ? 8 : 0)
            if code == 0 || code == 15 { continue }
            let top = 2 * point, left = top + 1, bottom = 2 * (point + width), right = 2 * (point + 1) + 1
            switch code {
            case 1, 14: connect(left, top)
            case 2, 13: connect(top, right)
            case 3, 12: connect(left, right)
            case 4, 11: connect(right, bottom)
            case 6, 9: connect(top, bottom)
            case 7, 8: connect(left, bottom)
            default:
                let middle = value(point) + value(point + 1) + value(point + width) + value(point + width + 1)
                if (code == 5) == (middle >= 0) {
                    connect(top, right)
                    connect(left, bottom)
                } else {
                    connect(left, top)
                    connect(right, bottom)
                }
            }
        }
    }

    func position(_ edge: Int) -> SIMD2<Double> {
        let point = edge / 2, other = edge % 2 == 0 ? point + 1 : point + width
        let (a, b) = (Double(value(point)), Double(value(other)))
        let start = SIMD2(Double(point % width), Double(point / width)), end = SIMD2(Double(other % width), Double(other / width))
        return start + a / (a - b) * (end - start)
    }
    var lines: [[SIMD2<Double>]] = []
    // Open lines first, from their ends; what is left are rings. Sorted, so that dashes fall the same way in every run.
    let edges = neighbours.keys.sorted()
    for start in edges.filter({ neighbours[$0]!.1 < 0 }) + edges {
        guard let (first, _) = neighbours[start] else { continue }
        var line = [position(start)], previous = start, current = first
        let isRing = neighbours[start]!.1 >= 0
        neighbours[start] = nil
        while let (one, two) = neighbours[current] {
            line.append(position(current))
            neighbours[current] = nil
            let next = one == previous ? two : one
            (previous, current) = (current, next)
        }
        if isRing { line.append(line[0]) }
        lines.append(line)
    }
    return lines
}
