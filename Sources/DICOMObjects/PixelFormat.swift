import ImagingCore

/// How a file's pixel data hold numbers (PS3.5 §8.1).
struct PixelFormat: Hashable, Sendable {
    let rows, columns: Int
    let samplesPerPixel: Int
    let photometricInterpretation: String
    let bitsAllocated, bitsStored, highBit: Int
    let isSigned: Bool

    /// `nil` when rows, columns or allocated bits are missing.
    init?(_ dataset: DICOMDataset) {
        guard let rows = dataset.integer(.rows), let columns = dataset.integer(.columns),
            let allocated = dataset.integer(.bitsAllocated)
        else { return nil }
        self.rows = rows
        self.columns = columns
        samplesPerPixel = dataset.integer(.samplesPerPixel) ?? 1
        photometricInterpretation = dataset.string(.photometricInterpretation) ?? "MONOCHROME2"
        bitsAllocated = allocated
        bitsStored = dataset.integer(.bitsStored) ?? allocated
        highBit = dataset.integer(.highBit) ?? bitsStored - 1
        isSigned = dataset.integer(.pixelRepresentation) == 1
    }

    var pixelsPerFrame: Int { rows * columns }
    var bytesPerCell: Int { bitsAllocated / 8 }
    var bytesPerFrame: Int { pixelsPerFrame * bytesPerCell }
    /// Whether the cells hold the numbers as they are, with no bits to mask or sign to extend.
    var isPlain: Bool { bitsStored == bitsAllocated }

    /// The largest accepted matrix side: no CT or MR scanner comes near it.
    static let largestSide = 16384

    /// Why pixels of this kind cannot be loaded as CT or MR values; `nil` when they can.
    var refusal: Finding? {
        guard (1...Self.largestSide).contains(rows), (1...Self.largestSide).contains(columns) else {
            return Finding(.error, "image-size", "The image is said to be \(columns) × \(rows) pixels, at most \(Self.largestSide) a side are accepted.",
                           remedy: "The header is damaged: export the series again.")
        }
        guard samplesPerPixel == 1, photometricInterpretation.hasPrefix("MONOCHROME") else {
            return Finding(.warning, "colour-image",
                           "The image is in colour (\(photometricInterpretation), \(samplesPerPixel) samples per pixel): colours are no HU or MR signal.",
                           remedy: "Use the original grey-value series; this is likely a screen capture or a colour map.")
        }
        guard [8, 16, 32].contains(bitsAllocated), (1...bitsAllocated).contains(bitsStored),
            highBit < bitsAllocated, highBit >= bitsStored - 1, !(bitsStored == 32 && !isSigned)
        else {
            return Finding(.error, "pixel-format",
                           "Pixels of \(bitsStored) bits in \(bitsAllocated), high bit \(highBit), \(isSigned ? "signed" : "unsigned"), are not CT or MR values.",
                           remedy: bitsAllocated == 1
                               ? "A one-bit image is a mask: give it as a segmentation." : "Export the series again.")
        }
        return nil
    }
}

/// The linear map from stored to real values: HU for CT.
struct Rescale: Hashable, Sendable {
    var slope, intercept: Double

    static let identity = Rescale(slope: 1, intercept: 0)

    /// Whether whole stored values stay whole.
    var keepsWholeNumbers: Bool {
        slope.rounded() == slope && intercept.rounded() == intercept && abs(slope) <= 16384 && abs(intercept) <= 1e8
    }
    var isUsable: Bool { slope != 0 && slope.isFinite && intercept.isFinite && abs(slope) < 1e9 && abs(intercept) < 1e12 }

    func callAsFunction(_ stored: Int) -> Double { Double(stored) * slope + intercept }
}
