import Foundation
import ImagingCore

/// How wide the ramp is along which an image changes below the 0 °C front, as far as physics says before the image is looked at.
///
/// Ice conducts heat about as in a steady state: around a line sink the temperature falls at the front by θ / (k R ln(R/a)) per
/// millimetre, where θ is the integral of the conductivity from 0 °C to the probe's surface, k the conductivity of half-frozen tissue, R
/// the distance from the probe's axis and a the probe's radius (Carslaw & Jaeger 1959). Measured around several needles in gel it falls
/// evenly, −40 °C lying about 10 mm inside the edge, whatever the conduction around one of them would make of a small iceball; neither is
/// better than the other, and their geometric mean is taken. The change is complete some degrees below 0 °C (Sandison, Rewcastle & Hahn
/// 1998), and those degrees are the ramp. It is off at a vessel, where the fall is steeper, by no more than the spread that is allowed for.
struct FreezingRamp {
    /// The usual width.
    let typicalMM: Double
    /// The change may also be complete sooner, along a ramp of any width up to this.
    private let widestAbruptMM: Double

    /// θ, in W/m: frozen tissue conducts 2 W/(m K), 0.57 % more for each degree colder, and the isotherms that were measured around probes
    /// in gel (Littrup 2009) are those of surfaces at −76 … −93 °C.
    private static let conductivityIntegral = 200.0
    /// Of tissue between water and ice, in W/(m K).
    private static let halfFrozenConductivity = 1.25
    /// Half of 1.5 mm (17 gauge); that of 2.4 mm would make the ramp 15 % narrower.
    private static let probeRadiusMM = 0.735
    private static let degreesOfChange = 7.0
    /// Of the width's logarithm: the probe's power, the tissue's conductivity, several probes and the degrees together.
    private static let spread = 0.5
    /// Pure water freezes at 0 °C, and ice in equilibrium with its salts, 0.53/|T| of the water being left, would have changed by half at
    /// −1 °C: what so many degrees change evenly.
    private static let abruptShare = 0.35, abruptDegrees = 4.0
    /// From the edge to −40 °C around several needles.
    private static let measuredDegreesPerMM = 4.0

    /// - Parameter radiusMM: from the front to the nearest probe, where it freezes most, on average.
    init(radiusMM: Double) {
        let radius = max(radiusMM, 3 * Self.probeRadiusMM)
        let conducted = Self.conductivityIntegral / (Self.halfFrozenConductivity * radius * log(radius / Self.probeRadiusMM))
        let degreesPerMM = (conducted * Self.measuredDegreesPerMM).squareRoot()
        typicalMM = Self.degreesOfChange / degreesPerMM
        widestAbruptMM = Self.abruptDegrees / degreesPerMM
    }

    /// Widths beyond this are out of the question.
    var widestMM: Double { typicalMM * exp(2.5 * Self.spread) }

    /// Up to a factor.
    func density(ofWidthMM width: Double) -> Double {
        let abrupt = width < widestAbruptMM ? Self.abruptShare / widestAbruptMM : 0
        guard width > 0 else { return abrupt }
        let z = log(width / typicalMM) / Self.spread
        return abrupt + (1 - Self.abruptShare) * exp(-0.5 * z * z) / (width * Self.spread * (2 * Double.pi).squareRoot())
    }
}
