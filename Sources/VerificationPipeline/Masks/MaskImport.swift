import DICOMObjects
import Foundation
import ImagingCore
import NIfTIFormat

extension ImportedMask {
    /// Reads a mask. Throws when the file cannot be read, holds no such part, is not a mask, or is empty.
    public static func read(_ source: MaskSource) throws -> ImportedMask {
        let mask =
            switch source {
            case .nifti(let url): try readNIfTI(url)
            case .segmentation(let url, let selector): try readSegmentation(url, selector)
            case .structureSet(let url, let roi): try readStructureSet(url, roi)
            }
        guard !mask.mask.isEmpty else { throw MaskError.empty(mask.name) }
        return mask
    }

    private static func readNIfTI(_ url: URL) throws -> ImportedMask {
        let image = try NIfTIFile.read(url)
        let name = url.lastPathComponent
        let values = MaskValues(image.volume)
        guard values.lowest >= -MaskValues.overshoot else {
            guard let distances = try SignedDistances(image.volume, name: name) else {
                throw MaskError.notAMask(name, lowest: values.lowest, highest: values.highest)
            }
            let findings = distances.areNegativeInside ? [MaskError.negativeInside(name)] : []
            return ImportedMask(shape: .levelSet(distances.levelSet), name: name, findings: image.findings + findings)
        }
        if values.highest == 0, values.lowest == 0 { throw MaskError.empty(name) }
        let shape: Shape
        if let labels = values.labels {
            guard labels.count == 1 else { throw MaskError.severalLabels(name, labels) }
            shape = .mask(Mask(image.volume) { $0 != 0 })
        } else {
            guard values.highest <= 1 + MaskValues.overshoot else {
                throw MaskError.notAMask(name, lowest: values.lowest, highest: values.highest)
            }
            shape = .fraction(image.volume.mapped { min(1, max(0, $0)) })
        }
        return ImportedMask(shape: shape, name: name, findings: image.findings)
    }

    private static func readSegmentation(_ url: URL, _ selector: SegmentSelector?) throws -> ImportedMask {
        let file = try DICOMSegmentation.read(url)
        let segment =
            switch selector {
            case .number(let number): try file.segment(.number(number))
            case .label(let label): try file.segment(.label(label))
            case nil: try file.segment(.only)
            }
        let shape: Shape =
            switch file.encoding {
            case .binary, .labelMap: .mask(file.mask(of: segment))
            case .fractional: .fraction(file.fraction(of: segment))
            }
        return ImportedMask(
            shape: shape, name: "\(url.lastPathComponent), segment \(segment.number) “\(segment.label)”", endsAtSlices: (true, true),
            findings: file.findings + file.findings(for: segment))
    }

    private static func readStructureSet(_ url: URL, _ roi: String) throws -> ImportedMask {
        let file = try StructureSet.read(url)
        let region = try file.region(named: roi)
        let (levelSet, findings) = try file.levelSet(of: region)
        return ImportedMask(shape: .levelSet(levelSet), name: "\(url.lastPathComponent), “\(region.name)”", findings: findings)
    }
}

/// What the values of a volume say about whether it is a mask.
private struct MaskValues {
    /// Interpolation in other programs takes fractions this far beyond 0 and 1.
    static let overshoot: Float = 0.2
    private static let labelLimit = 32

    let lowest: Float
    let highest: Float
    /// The values other than 0, when all are whole numbers and few; else `nil`.
    let labels: [Int]?

    init(_ volume: Volume<Float>) {
        let range = volume.valueRange()
        (lowest, highest) = (range.lowerBound, range.upperBound)
        labels = volume.withUnsafeVoxels { voxels in
            var found: Set<Int> = []
            var last: Float = 0
            for value in voxels where value != last {
                last = value
                guard value != 0 else { continue }
                guard value == value.rounded(), abs(value) < 1e6 else { return nil }
                found.insert(Int(value))
                if found.count > Self.labelLimit { return nil }
            }
            return found.sorted()
        }
    }
}
