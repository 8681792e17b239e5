import FigureRendering
import Foundation
import ImagingCore
import Testing

@testable import Reporting

private func page(_ change: (inout CaseReport) -> Void = { _ in }, figures: [Figure] = []) throws -> String {
    var report = try exampleReport()
    change(&report)
    return try HTMLReport.render(report, figures: figures)
}

@Test func numbersOfThePageAreThoseOfTheDocument() throws {
    let text = try page()
    for value in ["-2.1", "-3.4", "0.99974", "0.25", "0.333333", "26.02", "7.25", "400.1234", "0.3", "1.235"] {
        #expect(text.contains("<data value=\"\(value)\">"), "\(value) is missing")
    }
    #expect(text.contains("−2.1 mm</data>") && text.contains("−3.4</data> to unknown mm") && text.contains("&gt; 99.9 %</data>"))
}

@Test func verdictStandsBeforeEverythingElse() throws {
    let text = try page(figures: [Figure(name: "planes", caption: "c", altText: "a", png: RGBImage(width: 2, height: 2).pngData())])
    let order = [
        "Margin not met", "5.0 mm is required", "<figure", "id=\"margins\"", "id=\"findings\"", "id=\"inputs\"", "id=\"provenance\"",
    ]
    let places = try order.map { try #require(text.range(of: $0, range: text.range(of: "<main>")!.upperBound..<text.endIndex)).lowerBound }
    #expect(places == places.sorted())
    #expect(text.contains("Research use only, not a medical device"))
}

@Test(arguments: [
    "<script>alert(1)</script>", "\" onerror=\"alert(1)", "\"\u{301} onmouseover=alert(1) x=\"", "{{{content}}}", "{{#margins}}",
    "<\u{338}img src=x>", "' & <b>",
])
func textFromOutsideStaysText(_ text: String) throws {
    let figure = Figure(name: text, caption: text, altText: text, png: RGBImage(width: 2, height: 2).pngData())
    let html = try page(
        {
            $0.case.id = text
            $0.case.site = text
            $0.patient = .init(name: text, id: text, birthDate: text, sex: text, studyDate: text)
            $0.tumours[0].id = text
            $0.margins[0].tumour = text
            $0.structures[0].name = text
            $0.ice.source = text
            $0.verdict.reasons = [text]
            $0.findings = [Finding(.error, text, text, remedy: text)]
            $0.inputs[0].role = text
            $0.inputs[0].findings = []
            $0.provenance.parameters = .object([text: .string(text)])
            $0.provenance.inputSHA256 = [text: text]
            $0.timingsS = [text: 1]
        }, figures: [figure])
    // What the page's own elements look like with harmless text in the same places.
    let plain = try page(
        {
            $0.case.id = "x"
            $0.patient = .init(name: "x", id: "x", birthDate: "x", sex: "x", studyDate: "x")
            $0.verdict.reasons = ["x"]
            $0.findings = [Finding(.error, "x", "x", remedy: "x")]
            $0.inputs[0].role = "x"
            $0.inputs[0].findings = []
            $0.provenance.inputSHA256 = ["x": "x"]
            $0.timingsS = ["x": 1]
        }, figures: [Figure(name: "x", caption: "x", altText: "x", png: figure.png)])
    func count(_ scalar: Unicode.Scalar, in text: String) -> Int { text.unicodeScalars.count { $0 == scalar } }
    for scalar in ["<", ">", "\""] as [Unicode.Scalar] { #expect(count(scalar, in: html) == count(scalar, in: plain), "\(scalar)") }
    #expect(html.contains(HTMLEscaping().escapeText(text)))
}

@Test func thePageNeedsNothingFromOutside() throws {
    let png = RGBImage(width: 5, height: 3).pngData()
    let text = try page(figures: [Figure(name: "planes", caption: "Three planes", altText: "Tumour and ice", png: png)])
    #expect(
        !text.contains("http:") && !text.contains("https:") && !text.contains("<script") && !text.contains("@import")
            && !text.contains("<link"))
    #expect(text.contains("src=\"data:image/png;base64,\(png.base64EncodedString())\" alt=\"Tumour and ice\" width=\"5\" height=\"3\""))
    #expect(!text.contains("{{"))
}

@Test func emptyPartsSaySo() throws {
    let text = try page {
        $0.margins = []
        $0.structures = []
        $0.findings = []
        $0.inputs = []
        $0.probes = []
    }
    for sentence in ["No margin was measured.", "The case names none.", "Nothing to report."] { #expect(text.contains(sentence)) }
    #expect(!text.contains("Probes"))
}

@Test func aStructureWithoutALimitIsNotJudged() throws {
    let text = try page {
        $0.structures[0].limitMM = nil
        $0.structures[0].status = nil
    }
    let row = try #require(text.firstMatch(of: /<tr><th scope="row">bile duct.*<\/tr>/)).0
    #expect(!row.contains("badge") && row.contains("<td>–</td>"))
}

@Test(arguments: [
    (share: 1.0, text: "100.0 %"), (0.99974, "&gt; 99.9 %"), (0.9994, "99.9 %"), (0, "0.0 %"), (0.0004, "&lt; 0.1 %"), (0.5, "50.0 %"),
])
func notQuiteAllIsNeverShownAsAll(_ share: Double, _ text: String) { #expect(HTMLNumber.fraction(share).contains(">\(text)<")) }

@Test func thePatientIsNamedOnlyWhereTheDocumentDoes() throws {
    #expect(try !page().contains("Patient <strong>"))
    let text = try page { $0.patient = .init(name: "山田^太郎", id: "4711", birthDate: "19500321", sex: nil, studyDate: "") }
    #expect(
        text.contains("Patient <strong>山田 太郎</strong>") && text.contains("ID <strong>4711</strong>")
            && text.contains("born <strong>1950-03-21</strong>"))
    #expect(!text.contains("sex <strong>") && !text.contains("studied <strong>"))
}
