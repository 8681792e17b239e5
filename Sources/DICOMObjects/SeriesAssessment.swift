import Foundation
import ImagingCore

/// Judges whether slices make a volume, and grades what a careful reader should know about them.
struct SeriesAssessment {
    private(set) var size: GridSize?
    /// `nil` when no volume can be made.
    private(set) var geometry: GridGeometry?
    private(set) var stack: SliceStack?
    private(set) var findings: [Finding] = []

    private let files: [ImageFile]
    private let slices: [Slice]

    /// Fewer slices than this are no basis for measurements.
    private static let fewSlices = 3
    /// The largest accepted growth of the matrix by shear, in its own sizes.
    private static let largestShearGrowth = 1

    init(files: [ImageFile], slices: [Slice], isAmbiguous: Bool) {
        self.files = files
        self.slices = slices
        let format = files[0].pixelFormat!
        size = GridSize(format.columns, format.rows, slices.count)
        findings = files[0].findings
        guard !isAmbiguous else { return }
        if slices.allSatisfy(\.frame.isLocalizer) {
            add(
                .info, "localizer", "These are localizer images: an overview for planning, not a volume.",
                "Use the scan that was planned on it.")
            return
        }
        let stack = SliceStack(slices)
        self.stack = stack
        guard describePlacement(stack), isImageOfPatient(stack) else { return }
        describeValues()
        makeGeometry(stack)
    }

    private mutating func add(_ severity: Finding.Severity, _ code: String, _ message: String, _ remedy: String = "") {
        findings.append(Finding(severity, code, message, remedy: remedy))
    }

    // MARK: Placement

    /// False when the slices cannot make a volume.
    private mutating func describePlacement(_ stack: SliceStack) -> Bool {
        switch stack.arrangement {
        case .single:
            add(.error, "single-slice", "There is one slice only, which is no volume.", "Give the folder with all slices of the series.")
            return false
        case .regular: break
        case .missingSlices(let gaps):
            let places = gaps.map { place(stack, afterSlice: $0) }.joined(separator: "; ")
            add(.warning, "missing-slice",
                "\(gaps.count == 1 ? "A slice is" : "\(gaps.count) slices are") missing: \(places), where slices lie \(rounded(stack.medianGapMM)) mm apart. The gap was filled by interpolation.",
                "Export the series again with all slices; measure nothing that lies in the gap.")
        case .variableSpacing:
            add(.warning, "variable-spacing",
                "The distance between slices varies from \(rounded(stack.gapsMM.min()!)) to \(rounded(stack.gapsMM.max()!)) mm. They were resampled onto a regular grid.",
                "Prefer a reconstruction with equal slice distances.")
        case .tooWideGap(let gap):
            add(.error, "missing-slices",
                "Several slices are missing: \(place(stack, afterSlice: gap)), where slices lie \(rounded(stack.medianGapMM)) mm apart. The gap is too wide to bridge.",
                "Export the series again with all slices.")
            return false
        }
        if stack.slices.count < Self.fewSlices {
            add(
                .warning, "few-slices", "There are only \(stack.slices.count) slices, too few to measure a margin on.",
                "Give the folder with all slices of the series.")
        }
        if stack.isSheared { describeShear(stack) }
        describeThickness(stack)
        return true
    }

    private func place(_ stack: SliceStack, afterSlice n: Int) -> String {
        "\(rounded(stack.positionsMM[n + 1] - stack.positionsMM[n])) mm between the slices at \(stack.slices[n].plane.position.text) and \(stack.slices[n + 1].plane.position.text)"
    }

    private mutating func describeShear(_ stack: SliceStack) {
        if let tilt = stack.tiltDegrees {
            add(.warning, "gantry-tilt",
                "The slices are stacked at \((tilt * 10).rounded() / 10)° to their normal (a tilted gantry). They were resampled onto a grid with right angles; what was not scanned has the smallest value of the scan.",
                "Prefer a scan without tilt.")
        } else {
            add(.warning, "slice-shift", "Slices are shifted against one another within their plane. They were resampled onto a grid with right angles.",
                "Check that the table did not move during the scan.")
        }
    }

    private mutating func describeThickness(_ stack: SliceStack) {
        guard let thickness = stack.slices[0].frame.sliceThicknessMM, thickness > 0 else { return }
        let gap = stack.medianGapMM
        if thickness > gap * 1.02 {
            add(
                .info, "slices-overlap",
                "Slices are \(rounded(thickness)) mm thick and \(rounded(gap)) mm apart, so they overlap; the distance is used.")
        } else if thickness < gap * 0.98 {
            add(
                .info, "slices-gap",
                "Slices are \(rounded(thickness)) mm thick and \(rounded(gap)) mm apart: tissue between them was not imaged.")
        }
    }

    // MARK: Values

    private mutating func describeValues() {
        let rescales = slices.map { $0.frame.rescale }
        let isCT = files[0].imageModality == .ct
        if isCT && rescales.contains(where: { $0 == nil }) {
            add(.warning, "no-rescale", "Rescale Slope and Intercept are missing; stored values are taken for HU.",
                "Check that air reads about −1000 and water about 0.")
        } else if Set(rescales).count > 1 {
            add(.info, "rescale-varies", "Rescale Slope or Intercept differ between slices; each slice was rescaled by its own.")
        }
        if isCT, let type = files.lazy.compactMap({ $0.rescaleType }).first(where: { $0 != "HU" }) {
            add(.warning, "rescale-type", "Values are given as \(type), not as HU.", "Check that air reads about −1000 and water about 0.")
        }
        if let file = files.first(where: { $0.paddingValue != nil }), let padding = file.paddingValue {
            let rescale = file.frames[0].rescale ?? .identity
            add(.info, "pixel-padding", "Pixels outside the image are marked by \(rounded(rescale(padding))); they keep that value.")
        }
        if files.contains(where: { $0.isLossy }) {
            add(.info, "lossy-compression", "The images were compressed with loss; values differ somewhat from what was measured.")
        }
        if files[0].frameOfReferenceUID == nil {
            add(.warning, "no-frame-of-reference", "The Frame of Reference UID is missing, so it cannot be told which other images share these coordinates.",
                "Register the scan before comparing it with others.")
        }
    }

    /// How many slices are looked at, and how many different values a label map has at most.
    private static let probedSlices = 3
    private static let labelValues = 2...64

    /// False for what calls itself CT but holds labels instead of HU: few different small whole numbers, none negative, unscaled.
    /// (A CT without rescaling still has hundreds of values.)
    private mutating func isImageOfPatient(_ stack: SliceStack) -> Bool {
        guard files[0].imageModality == .ct, slices.allSatisfy({ ($0.frame.rescale ?? .identity) == .identity }) else { return true }
        var values: Set<Int32> = []
        let step = max(1, (slices.count - 1) / (Self.probedSlices - 1))
        for slice in stride(from: 0, to: slices.count, by: step).map({ stack.slices[$0] }) {
            guard let stored = try? FrameReader.storedValues(frame: slice.frame.index, of: files[slice.file]) else { return true }
            guard stored.allSatisfy({ (0...255).contains($0) }) else { return true }
            values.formUnion(stored)
        }
        guard Self.labelValues.contains(values.count) else { return true }
        add(.error, "label-map", "It calls itself CT, but its pixels have \(values.count) different values from \(values.min()!) to \(values.max()!): a label map, not HU.",
            "Give it as a mask, and use the original CT series.")
        return false
    }

    // MARK: Grid

    private mutating func makeGeometry(_ stack: SliceStack) {
        let format = files[0].pixelFormat!
        let (low, high) = stack.inPlaneMargin
        guard high.x - low.x <= Self.largestShearGrowth * format.columns, high.y - low.y <= Self.largestShearGrowth * format.rows else {
            add(.error, "slice-shift", "Slices are shifted within their plane by more than their own width.", "Export the series again.")
            return
        }
        do {
            let grid = try stack.grid(size: (format.columns, format.rows), frameOfReferenceUID: files[0].frameOfReferenceUID)
            geometry = grid
            size = grid.size
        } catch {
            findings.append(error.finding)
        }
    }
}
