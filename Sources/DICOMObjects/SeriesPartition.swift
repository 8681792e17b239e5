import ImagingCore

/// A part of a series that can be one volume, and what was found on the way to it.
struct SeriesPart: Sendable {
    var slices: [Slice]
    /// How this part differs from the other parts of its series, e.g. "echo time 81.7"; empty when it is the whole series.
    var distinction: [String] = []
    var findings: [Finding] = []
    /// Several different images lie at one position and nothing tells them apart.
    var isAmbiguous = false
}

/// Tells apart the volumes that share one Series Instance UID.
struct SeriesPartition {
    let files: [ImageFile]

    func parts(of slices: [Slice]) -> [SeriesPart] {
        var parts = [SeriesPart(slices: slices)]
        for criterion in Self.alwaysApart { parts = parts.flatMap { split($0, by: criterion) } }
        return parts.flatMap(separateRepeatedPositions).flatMap(separateInterleaved)
    }

    // MARK: What is never mixed

    /// Groups of slices that no volume may mix.
    private struct Criterion: Sendable {
        let name: String
        let severity: Finding.Severity
        let remedy: String
        let belongsTogether: @Sendable (ImageFile, Slice, ImageFile, Slice) -> Bool
        let value: @Sendable (ImageFile, Slice) -> String
    }

    private static let alwaysApart: [Criterion] = [
        Criterion(
            name: "patient", severity: .error, remedy: "Find out whose images these are before using any of them.",
            belongsTogether: { a, _, b, _ in a.patient.conflicts(with: b.patient).isEmpty }, value: { _, _ in "" }),
        Criterion(
            name: "study", severity: .warning, remedy: "Check that the right one is used.",
            belongsTogether: { a, _, b, _ in a.studyInstanceUID == b.studyInstanceUID },
            value: { file, _ in "study \(file.studyInstanceUID)" }),
        Criterion(
            name: "modality", severity: .warning, remedy: "Check that the right one is used.",
            belongsTogether: { a, _, b, _ in a.imageModality == b.imageModality },
            value: { file, _ in file.imageModality?.rawValue ?? "" }),
        Criterion(
            name: "frame of reference", severity: .warning, remedy: "The parts do not share coordinates: register them before comparing.",
            belongsTogether: { a, _, b, _ in a.frameOfReferenceUID == b.frameOfReferenceUID },
            value: { file, _ in "frame of reference \(file.frameOfReferenceUID ?? "missing")" }),
        Criterion(
            name: "matrix size", severity: .warning, remedy: "",
            belongsTogether: { a, _, b, _ in
                a.pixelFormat?.rows == b.pixelFormat?.rows && a.pixelFormat?.columns == b.pixelFormat?.columns
            },
            value: { file, _ in "\(file.pixelFormat?.columns ?? 0) × \(file.pixelFormat?.rows ?? 0) pixels" }),
        Criterion(
            name: "orientation", severity: .warning, remedy: "",
            belongsTogether: { _, a, _, b in
                func angle(_ a: PatientVector, _ b: PatientVector) -> Double { (a - b).length }
                return max(angle(a.plane.row, b.plane.row), angle(a.plane.column, b.plane.column)) < SliceTolerance.orientationRadians
            },
            value: { _, slice in slice.plane.orientationName }),
        Criterion(
            name: "pixel spacing", severity: .warning, remedy: "",
            belongsTogether: { _, a, _, b in
                abs(a.plane.rowSpacing / b.plane.rowSpacing - 1) < SliceTolerance.pixelSpacing
                    && abs(a.plane.columnSpacing / b.plane.columnSpacing - 1) < SliceTolerance.pixelSpacing
            },
            value: { _, slice in "pixels of \(rounded(slice.plane.columnSpacing)) × \(rounded(slice.plane.rowSpacing)) mm" }),
        Criterion(
            name: "localizer", severity: .info, remedy: "",
            belongsTogether: { _, a, _, b in a.frame.isLocalizer == b.frame.isLocalizer },
            value: { _, slice in slice.frame.isLocalizer ? "localizer" : "images" }),
        Criterion(
            name: "stack", severity: .info, remedy: "",
            belongsTogether: { _, a, _, b in a.frame.stackID == b.frame.stackID },
            value: { _, slice in "stack \(slice.frame.stackID ?? "unnamed")" }),
    ]

    private func split(_ part: SeriesPart, by criterion: Criterion) -> [SeriesPart] {
        var groups: [[Slice]] = []
        for slice in part.slices {
            let file = files[slice.file]
            if let index = groups.firstIndex(where: { criterion.belongsTogether(files[$0[0].file], $0[0], file, slice) }) {
                groups[index].append(slice)
            } else {
                groups.append([slice])
            }
        }
        guard groups.count > 1 else { return [part] }
        if criterion.name == "patient" { return groups.map { differentPatients(part, $0, count: groups.count) } }
        return groups.map { group in
            subpart(of: part, group, by: criterion.name, value: criterion.value(files[group[0].file], group[0]), count: groups.count,
                    severity: criterion.severity, remedy: criterion.remedy)
        }
    }

    private func differentPatients(_ part: SeriesPart, _ group: [Slice], count: Int) -> SeriesPart {
        let others = part.slices.map { files[$0.file].patient }
        let differing = others.lazy.map { $0.conflicts(with: files[group[0].file].patient) }.first { !$0.isEmpty } ?? []
        var result = part
        result.slices = group
        result.isAmbiguous = true
        result.findings.append(
            Finding(.error, "different-patients", "Images of \(count) patients carry one Series Instance UID (\(differing.map(\.title).joined(separator: ", ")) differ).",
                    remedy: "Find out whose images these are before using any of them."))
        return result
    }

    private func subpart(
        of part: SeriesPart, _ slices: [Slice], by name: String, value: String, count: Int, severity: Finding.Severity = .warning,
        remedy: String = ""
    ) -> SeriesPart {
        var result = part
        result.slices = slices
        result.distinction.append(value)
        result.findings.append(
            Finding(severity, "series-split", "The series holds \(count) sets of images that differ in \(name); this is the one with \(value) (\(slices.count) images).",
                    remedy: remedy))
        return result
    }

    // MARK: Several images at one position

    private func separateRepeatedPositions(_ part: SeriesPart) -> [SeriesPart] {
        guard !part.isAmbiguous else { return [part] }
        var part = part
        var positions = part.slices.atEachPosition()
        guard positions.contains(where: { $0.count > 1 }) else { return [part] }
        let copies = dropCopies(&positions) { $0.sopInstanceUID == $1.sopInstanceUID && $0.frame.index == $1.frame.index }
        part.slices = positions.flatMap { $0 }
        if positions.count > 1, let (attributes, groups) = separation(positions) {
            noteCopies(copies, &part)
            return groups.map { value, slices in
                subpart(of: part, slices, by: attributes.map(\.name).joined(separator: " and "), value: value, count: groups.count,
                        remedy: "Choose the one that is meant.")
            }
        }
        noteCopies(copies + dropCopies(&positions) { _, _ in true }, &part)
        part.slices = positions.flatMap { $0 }
        let repeats = positions.map(\.count).max()!
        guard repeats > 1 else { return [part] }
        if positions.count > 1, positions.allSatisfy({ $0.count == repeats }) {
            return (0..<repeats).map { turn in
                var result = subpart(of: part, positions.map { $0[turn] }, by: "instance number only", value: "set \(turn + 1) of \(repeats) by instance number",
                                     count: repeats, remedy: "Find out what the sets are (phases, b-values, …) before using one.")
                result.distinction = part.distinction + ["set \(turn + 1)"]
                return result
            }
        }
        part.isAmbiguous = true
        let first = positions.first { $0.count > 1 }!
        part.findings.append(
            Finding(.error, "duplicate-positions",
                    "\(positions.filter { $0.count > 1 }.count) of \(positions.count) positions hold several different images (\(first.count) at \(first[0].plane.position.text)), and nothing tells them apart.",
                    remedy: "Export the series again, or give a folder that holds one set of images."))
        return [part]
    }

    /// Drops images that repeat another at the same position (`mayBeCopies`, and the same pixels), and returns how many.
    private func dropCopies(_ positions: inout [[Slice]], _ mayBeCopies: (Slice, Slice) -> Bool) -> Int {
        var dropped = 0
        for index in positions.indices where positions[index].count > 1 {
            var kept: [(slice: Slice, values: [Double]?)] = []
            for slice in positions[index] {
                let candidates = kept.indices.filter { mayBeCopies(kept[$0].slice, slice) }
                guard !candidates.isEmpty else {
                    kept.append((slice, nil))
                    continue
                }
                let values = FrameReader.realValues(of: slice, in: files)
                let isCopy = values != nil && candidates.contains { candidate in
                    if kept[candidate].values == nil {
                        kept[candidate].values = FrameReader.realValues(of: kept[candidate].slice, in: files)
                    }
                    return kept[candidate].values == values
                }
                if isCopy { dropped += 1 } else { kept.append((slice, values)) }
            }
            positions[index] = kept.map(\.slice)
        }
        return dropped
    }

    private func noteCopies(_ dropped: Int, _ part: inout SeriesPart) {
        guard dropped > 0 else { return }
        part.findings.append(
            Finding(.warning, "duplicate-slices", "\(dropped) image\(dropped == 1 ? " repeats another" : "s repeat others") at the same position with the same pixels; each is used once.",
                    remedy: "Nothing to do, unless files were copied by mistake."))
    }

    /// The fewest attributes whose values leave one image at each position, and the groups that they make.
    private func separation(_ positions: [[Slice]]) -> (attributes: [SeparatingAttribute], groups: [(value: String, slices: [Slice])])? {
        let slices = positions.flatMap { $0 }
        let repeats = positions.map(\.count).max()!
        let varying = SeparatingAttribute.allCases.filter { attribute in
            (2...2 * repeats).contains(Set(slices.map { $0.separatingValue(attribute) }).count)
        }
        var best: (attributes: [SeparatingAttribute], groups: [(value: String, slices: [Slice])])?
        for attributes in varying.combinations(upTo: 3) {
            if let best, best.attributes.count < attributes.count { break }
            let groups = grouped(slices, by: attributes)
            guard groups.count >= repeats, groups.count <= 2 * repeats, groups.count < best?.groups.count ?? .max,
                groups.allSatisfy({ group in group.slices.atEachPosition().allSatisfy { $0.count == 1 } })
            else { continue }
            best = (attributes, groups)
        }
        return best
    }

    private func grouped(_ slices: [Slice], by attributes: [SeparatingAttribute]) -> [(value: String, slices: [Slice])] {
        var order: [[String?]] = []
        var groups: [[String?]: [Slice]] = [:]
        for slice in slices {
            let key = attributes.map(slice.separatingValue)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(slice)
        }
        return order.sorted { a, b in
            for (x, y) in zip(a, b) where x != y {
                return (Double(x ?? "") ?? .infinity, x ?? "") < (Double(y ?? "") ?? .infinity, y ?? "")
            }
            return false
        }.map { key in
            (zip(attributes, key).map { "\($0.name) \($1 ?? "missing")" }.joined(separator: ", "), groups[key]!)
        }
    }

    // MARK: Interleaved volumes

    /// Volumes whose slices lie between each other's: together irregular, each regular by itself over the same extent.
    private func separateInterleaved(_ part: SeriesPart) -> [SeriesPart] {
        guard !part.isAmbiguous, part.slices.count >= 6 else { return [part] }
        if SliceStack(part.slices).arrangement == .regular { return [part] }
        for attribute in SeparatingAttribute.allCases {
            let groups = grouped(part.slices, by: [attribute])
            guard (2...8).contains(groups.count), groups.allSatisfy({ $0.slices.count >= 3 }) else { continue }
            let stacks = groups.map { SliceStack($0.slices) }
            guard stacks.allSatisfy({ $0.arrangement == .regular }) else { continue }
            let normal = part.slices[0].plane.normal
            let extents = stacks.map { stack in
                (low: normal.lps.dot(stack.slices[0].plane.position.lps), high: normal.lps.dot(stack.slices.last!.plane.position.lps))
            }
            guard extents.map(\.low).max()! < extents.map(\.high).min()! else { continue }
            return groups.map {
                subpart(
                    of: part, $0.slices, by: attribute.name, value: $0.value, count: groups.count, remedy: "Choose the one that is meant.")
            }
        }
        return [part]
    }
}

extension Array {
    /// Every choice of 1, then 2, … up to `limit` elements, in order.
    func combinations(upTo limit: Int) -> [[Element]] {
        func choose(_ count: Int, from start: Int) -> [[Element]] {
            guard count > 0 else { return [[]] }
            return (start..<Swift.max(start, self.count)).flatMap { index in choose(count - 1, from: index + 1).map { [self[index]] + $0 } }
        }
        return isEmpty ? [] : (1...Swift.min(limit, count)).flatMap { choose($0, from: 0) }
    }
}

/// A length for people: three decimals at most, no trailing zeros.
func rounded(_ value: Double) -> String {
    let thousandths = (value * 1000).rounded() / 1000
    return thousandths == thousandths.rounded() && abs(thousandths) < 1e15 ? String(Int(thousandths)) : String(thousandths)
}

extension PatientPoint {
    /// "(−12.5, 30, 411.25) mm".
    var text: String { "(\(rounded(lps.x)), \(rounded(lps.y)), \(rounded(lps.z))) mm" }
}

extension ImagePlane {
    /// The anatomical plane that is nearest: axial, coronal or sagittal, oblique when more than 5° off.
    var orientationName: String {
        let normal = normal.lps
        let parts = [(abs(normal.x), "sagittal"), (abs(normal.y), "coronal"), (abs(normal.z), "axial")]
        let nearest = parts.max { $0.0 < $1.0 }!
        let position = "normal (\(rounded(normal.x)), \(rounded(normal.y)), \(rounded(normal.z)))"
        return nearest.0 > 0.9962 ? "\(nearest.1) slices" : "oblique \(nearest.1) slices (\(position))"
    }
}
