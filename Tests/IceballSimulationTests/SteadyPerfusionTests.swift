import ImagingCore
import Testing

@testable import IceballSimulation

/// Ice in perfused tissue that has stopped growing, against closed forms: θ is linear in ln r (1/r) within the ice, a Bessel function
/// (an exponential) outside.
@Suite struct SteadyPerfusionTests {
    private func expect(
        _ simulation: IceballSimulation, _ radii: [Double: Double], from origin: PatientPoint, along directions: [PatientVector]
    ) throws {
        let field = try #require(try simulation.run().snapshots.last).temperature
        for (temperature, radius) in radii where radius > 3 {
            for direction in directions {
                let measured = try #require(field.radiusMM(of: temperature, from: origin, along: direction))
                #expect(abs(measured - radius) <= 0.15, "\(temperature) °C along \(direction.lps)")
            }
        }
    }

    @Test(arguments: [
        (perfusion: 0.0155, radii: [-1: 8.33969, -20: 4.98578]), (perfusion: 0.0674, radii: [-1: 3.99932]),
    ])
    func aroundALine(perfusion: Double, radii: [Double: Double]) throws {
        let place = PatientPoint(0.3, 0.15, 1.5)
        let simulation = try ExactCases.line(
            ExactCases.mushy, wattsPerMetre: 400, through: (place.lps.x, place.lps.y), perfusion: perfusion, reachMM: 25,
            outputTimesS: [3600])
        try expect(simulation, radii, from: place, along: testDirections)
    }

    @Test func aroundAPoint() throws {
        let place = PatientPoint(-0.2, 0.45, 0.1)
        let simulation = try ExactCases.point(
            ExactCases.mushy, at: place, action: .power(10), perfusion: 0.0155, halfMM: 15, reachMM: 20, outputTimesS: [2400])
        try expect(simulation, [-1: 9.65406, -20: 6.90902, -40: 5.12811], from: place, along: spaceDirections)
    }

    /// A probe as long as the grid, whose surface has a temperature.
    @Test(arguments: [
        (perfusion: 0.0035, radius: 0.735, coldC: -140.0, radii: [-1: 22.6171, -20: 14.9882, -40: 9.06789]),
        (perfusion: 0.0155, radius: 0.735, coldC: -140.0, radii: [-1: 13.0512, -20: 9.23924, -40: 6.05915]),
        (perfusion: 0.0674, radius: 0.735, coldC: -140.0, radii: [-1: 7.77359, -20: 5.85634, -40: 4.14384]),
        (perfusion: 0.0155, radius: 1.2, coldC: -100.0, radii: [-1: 11.5726, -20: 7.87403, -40: 4.91975]),
    ])
    func aroundACylinder(perfusion: Double, radius: Double, coldC: Double, radii: [Double: Double]) throws {
        let place = PatientPoint(0.3, 0.15, 1.5)
        var simulation = try ExactCases.line(
            ExactCases.mushy, wattsPerMetre: 1, through: (place.lps.x, place.lps.y), perfusion: perfusion, reachMM: 40,
            outputTimesS: [perfusion < 0.01 ? 14400 : 5400])
        simulation.sinks[0].radiusMM = radius
        simulation.sinks[0].phases[0].action = .surface(coolantC: coldC, resistance: 0, largestPower: nil, duty: 1, rampS: 0)
        try expect(simulation, radii, from: place, along: testDirections)
    }
}
