import ImagingCore

/// Colours for margins: shades of orange below what is required, of blue above, darker the further away. People with any colour vision can
/// tell the two apart, and they differ in print without colour: only what is near the requirement is light.
public struct MarginColours: Sendable, Hashable {
    /// What is required; here orange turns to blue.
    public let requiredMM: Double
    /// What it is required for, as a word beside the number.
    public let requirement: String
    /// The margins beyond which nothing gets darker.
    public let rangeMM: ClosedRange<Double>
    /// From the lower end of the range to the requirement, and on to the upper end; the two in the middle are at the requirement.
    public static let below = [RGBColour(140, 45, 4), RGBColour(230, 85, 13), RGBColour(253, 190, 120)]
    public static let above = [RGBColour(189, 215, 238), RGBColour(74, 144, 200), RGBColour(12, 68, 140)]

    /// The range goes as far above what is required as below it.
    ///
    /// - Parameter requirement: `required`, or what the margin would be good for where nothing depends on it.
    public init(requiredMM: Double, requirement: String = "required") {
        (self.requiredMM, self.requirement) = (requiredMM, requirement)
        rangeMM = (requiredMM - 10)...(requiredMM + 10)
    }

    public func colour(_ marginMM: Double) -> RGBColour {
        marginMM < requiredMM
            ? Self.mix(Self.below, (marginMM - rangeMM.lowerBound) / (requiredMM - rangeMM.lowerBound))
            : Self.mix(Self.above, (marginMM - requiredMM) / (rangeMM.upperBound - requiredMM))
    }

    private static func mix(_ colours: [RGBColour], _ share: Double) -> RGBColour {
        let position = min(max(share, 0), 1) * Double(colours.count - 1), index = min(Int(position), colours.count - 2)
        let part = position - Double(index), (a, b) = (colours[index], colours[index + 1])
        func channel(_ a: UInt8, _ b: UInt8) -> UInt8 { UInt8((Double(a) + part * (Double(b) - Double(a))).rounded()) }
        return RGBColour(channel(a.red, b.red), channel(a.green, b.green), channel(a.blue, b.blue))
    }

    /// Whole millimetres for a legend: the ends, what is required, zero, and every five.
    public var ticksMM: [Double] {
        let round = stride(from: (rangeMM.lowerBound / 5).rounded(.up) * 5, through: rangeMM.upperBound, by: 5)
        let kept = round.filter { abs($0 - requiredMM) >= 2 }
        return (kept + [requiredMM]).sorted()
    }
}
