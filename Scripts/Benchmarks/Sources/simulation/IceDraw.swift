import Foundation
import IceballSimulation
import ImagingCore

/// What differs between the ice of a case and what a fit is told, in units of one standard deviation each.
struct IceDraw {
    var frozenConductivity = 0.0, liquidConductivity = 0.0, latentHeat = 0.0, perfusion = 0.0, coolant = 0.0
    /// One standard deviation of the probes' power.
    private var coolantK = spreads.coolantK
    /// Of everything (breathing), and of each probe along its line.
    var breathing = SIMD3<Double>.zero
    var depths: [Double]

    /// Standard deviations: logarithms of constants and blood flow, K, mm.
    static let spreads = (frozenConductivity: 0.12, liquidConductivity: 0.10, latentHeat: 0.08, perfusion: 0.7, coolantK: 15.0)
    static let breathingMM = SIMD3(1.0, 1.0, 1.5), depthMM = 1.5

    init(probeCount: Int) { depths = Array(repeating: 0, count: probeCount) }

    init(_ told: [PlacedProbe], _ differing: IceCase.Probes, _ random: inout NormalNumbers) {
        (frozenConductivity, liquidConductivity, latentHeat) = (random.next(), random.next(), random.next())
        perfusion = max(-2, min(2, random.next()))
        coolant = random.next()
        breathing = SIMD3(random.next(), random.next(), random.next())
        depths = told.map { _ in random.next() }
        coolantK = Self.coolantK(told, differing)
        if differing == .own { coolant = 0 }
        if differing != .unknown { (breathing, depths) = (.zero, depths.map { _ in 0 }) }
    }

    /// As a case takes it from its probes' table.
    static func coolantK(_ told: [PlacedProbe], _ differing: IceCase.Probes) -> Double {
        differing == .unknown ? spreads.coolantK : told.compactMap(\.model.coolantUncertaintyK).max() ?? spreads.coolantK
    }

    var count: Int { 8 + depths.count }
    /// One number moved by one standard deviation.
    mutating func move(_ index: Int) {
        switch index {
        case 0: frozenConductivity += 1
        case 1: liquidConductivity += 1
        case 2: latentHeat += 1
        case 3: perfusion += 1
        case 4: coolant += 1
        case 5..<8: breathing[index - 5] += 1
        default: depths[index - 8] += 1
        }
    }

    func world(_ nominal: ThermalModel) -> ThermalModel {
        var world = nominal
        world.tissues[0].table = world.tissues[0].table.scaled(
            frozenConductivity: exp(Self.spreads.frozenConductivity * frozenConductivity),
            liquidConductivity: exp(Self.spreads.liquidConductivity * liquidConductivity),
            latentHeat: exp(Self.spreads.latentHeat * latentHeat))
        world.tissues[0].perfusion *= exp(Self.spreads.perfusion * perfusion)
        return world
    }

    func probes(_ told: [PlacedProbe]) -> [PlacedProbe] {
        told.enumerated().map { index, probe in
            var real = probe
            real.model.coolantC! += coolantK * coolant
            real.tip = real.tip + Self.depthMM * depths[index] * real.direction + PatientVector(Self.breathingMM * breathing)
            return real
        }
    }
}
