import Foundation
import ImagingCore
import Testing

@testable import Reporting

@Test func theDocumentHasExactlyTheKeysOfItsSchemaInOrder() throws {
    let text = String(decoding: try exampleReport().jsonData(), as: UTF8.self)
    #expect(text == exampleDocument)
}

@Test func readingAndWritingADocumentChangesNothing() throws {
    let data = try exampleReport().jsonData()
    let report = try CaseReport(jsonData: data)
    #expect(try report.jsonData() == data)
    #expect(report.margins[1].minimumMarginMM == nil && report.margins[0].minimumMarginIntervalMM == .init(low: -3.4, high: nil))
}

@Test func otherSchemasAreRefused() {
    #expect(throws: ReportError.unknownSchema("icemargin.report/2")) { try CaseReport(jsonData: Data(#"{"schema": "icemargin.report/2"}"#.utf8)) }
    #expect(throws: ReportError.unknownSchema(nil)) { try CaseReport(jsonData: Data("not json".utf8)) }
}

@Test(arguments: [
    (number: 0.1 + 0.2, decimals: 4, text: "0.3"), (-0.00001, 4, "0"), (2.00005, 4, "2"), (1e-7, 4, "0"), (123456.78912, 4, "123456.7891"),
    (.nan, 4, "null"), (-.infinity, 4, "null"), (1e300, 4, "1e+300"), (5, 0, "5"),
])
func numbersAreRoundedAndPrintedShort(_ number: Double, _ decimals: Int, _ text: String) {
    #expect(ReportEncoder.text(of: number, decimals: decimals) == text)
}

@Test(arguments: ["plain", "a\"b\\c", "line\nbreak\ttab\r", "\u{0}\u{1f}\u{7f}", "</script>", "日本語 – Ж – é – 🧊", "\u{2028}"])
func stringsSurviveJSON(_ string: String) throws {
    let data = try ReportEncoder().encode(["key": string])
    #expect(try JSONDecoder().decode([String: String].self, from: data) == ["key": string])
}

@Test func theFormatIsValidForAnotherReader() throws {
    let object = try JSONSerialization.jsonObject(with: try exampleReport().jsonData()) as? [String: Any]
    #expect(object?.count == 17)
}
