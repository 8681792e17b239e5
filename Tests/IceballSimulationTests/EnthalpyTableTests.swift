import DescriptionFiles
import Testing

@testable import IceballSimulation

@Suite struct EnthalpyTableTests {
    /// Sums by hand for medium M: 3.78 MJ/(m³ K) above −1 °C, 250 MJ and 7 × 2.835 MJ between, 1.89 MJ/(m³ K) below −8 °C.
    @Test(arguments: [(37.0, 143.64e6), (-1, 0), (-4.5, -134.9225e6), (-8, -269.845e6), (-108, -458.845e6)])
    func storesHeat(temperature: Double, enthalpy: Double) {
        #expect(abs(ExactCases.mushy.enthalpy(atTemperature: temperature) - enthalpy) < 1)
        #expect(abs(ExactCases.mushy.temperature(atEnthalpy: enthalpy) - temperature) < 1e-9)
    }

    /// ∫ k dT by hand, the frozen conductivity being 2 (1 + 0.0057 (−8 − T)): 7 × 1.25 + 2 (100 + 0.0057 × 100² / 2) below.
    @Test func integratesConductivity() {
        let table = EnthalpyTable(
            liquidHeatCapacity: 3.78e6, liquidConductivity: 0.5, frozenHeatCapacity: 1.89e6, frozenConductivity: 2,
            frozenConductivityRise: 0.0057,
            latentHeat: 250e6, freezingCurve: [(-1, 0), (-8, 1)], mushHeatCapacity: 2.835e6, mushConductivity: 1.25)
        #expect(abs(table.kirchhoff(atTemperature: 37) - 19) < 1e-9)
        #expect(abs(table.kirchhoff(atTemperature: -108) + 265.75) < 1e-9)
        for temperature in [-150.0, -108, -20, -8, -3, -1, 12] {
            #expect(abs(table.temperature(atKirchhoff: table.kirchhoff(atTemperature: temperature)) - temperature) < 1e-9)
        }
    }

    @Test func builtInTissuesAreComplete() throws {
        let library = try TissueLibrary.builtIn()
        #expect(library.names.contains("liver") && library.names.contains("agar-gel"))
        let liver = try library.tissue("liver")
        #expect(liver.perfusion == 0.0155 && liver.table.liquidusC == -0.5)
        #expect(try ProbeLibrary.builtIn().model("ice-seed").activeLengthMM == 20)
        #expect(throws: SimulationError.self) { try library.tissue("jelly") }
    }

    @Test(arguments: [
        ("density: 3", "with its source"), ("density: [3, nobody]", "with its source"), ("density: [-3, x]", "greater than 0"),
        ("density: [3, x]", "specificHeat"),
    ])
    func numbersNeedTheirSource(line: String, complaint: String) {
        let text = "schema: icemargin.tissues/1\nsources: [{id: x, text: a book}]\ntissues:\n  - name: jelly\n    \(line)\n"
        do {
            _ = try TissueLibrary(text, file: "site.yaml")
            Issue.record("accepted")
        } catch let error as DescriptionError {
            #expect(error.description.contains(complaint) && error.description.contains("line"), "\(error)")
        } catch { Issue.record("\(error)") }
    }
}
