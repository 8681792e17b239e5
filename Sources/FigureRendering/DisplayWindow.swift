import ImagingCore

/// Which values are shown from black to white.
public struct DisplayWindow: Hashable, Sendable {
    public let level: Double
    /// Positive.
    public let width: Double
    private let black, scale: Float

    public init(level: Double, width: Double) {
        precondition(width > 0 && width.isFinite && level.isFinite, "a window needs a width")
        (self.level, self.width) = (level, width)
        (black, scale) = (Float(level - width / 2), Float(255 / width))
    }

    /// Hounsfield units. Ice differs from the tissue around it by about 85 HU, which a wider window would hide.
    public static let softTissue = DisplayWindow(level: 40, width: 400)
    /// Hounsfield units. Narrower than the usual lung window, so that ice, haemorrhage and tumour can be told apart.
    public static let lung = DisplayWindow(level: -350, width: 1300)

    /// The window for CT at an anatomical site. Bone has the soft-tissue window too: ice is invisible in a bone window.
    public static func ct(site: String) -> DisplayWindow { ["lung", "pleura", "chest"].contains(site.lowercased()) ? .lung : .softTissue }

    /// From the 1st to the 99.5th percentile of the values above `background`, for scans without a fixed scale of values.
    public static func percentiles(of values: some Sequence<Float>, above background: Float = 0) -> DisplayWindow {
        let sorted = values.filter { $0 > background && $0.isFinite }.sorted()
        guard sorted.count > 1 else { return DisplayWindow(level: 0.5, width: 1) }
        let low = Double(sorted[sorted.count / 100]), high = Double(sorted[sorted.count - 1 - sorted.count / 200])
        return DisplayWindow(level: (low + high) / 2, width: max(high - low, 1e-6 * max(abs(high), 1)))
    }

    /// The usual window for a scan: by site for CT, by percentiles of the voxels inside `region` (all by default) otherwise.
    public static func suited(to scan: ScanVolume, modality: Modality, site: String) -> DisplayWindow {
        guard modality == .mr else { return ct(site: site) }
        let size = scan.geometry.size
        // Every voxel of a large scan would only cost time: percentiles of about a hundred thousand are as good.
        let step = max(1, Int((Double(size.voxelCount) / 100_000).squareRoot().squareRoot()))
        var values: [Float] = []
        for k in stride(from: 0, to: size.k, by: step) {
            for j in stride(from: 0, to: size.j, by: step) {
                for i in stride(from: 0, to: size.i, by: step) { values.append(scan.value(at: VoxelIndex(i, j, k))) }
            }
        }
        return percentiles(of: values)
    }

    /// 0 (black) to 255 (white); NaN is black.
    @inline(__always) func grey(_ value: Float) -> UInt8 {
        let share = (value - black) * scale
        let clamped: Float = share > 0 ? (share < 255 ? share : 255) : 0
        // Adding 2²³ rounds to the nearest whole number and leaves it in the low bits, where a checked conversion would be slow.
        return UInt8(truncatingIfNeeded: (clamped + 8_388_608).bitPattern)
    }

    /// As scanners print it.
    var label: String {
        func text(_ value: Double) -> String {
            let text = width >= 10 ? "\(Int(value.rounded()))" : "\((value * 100).rounded() / 100)"
            return text.replacing("-", with: "−")
        }
        return "W \(text(width))  L \(text(level))"
    }
}
