import Foundation
import ImagingCore

/// Numbers as the page shows them: rounded for reading, in full in the `value` of a `data` element.
enum HTMLNumber {
    static let missing = "<span title=\"not evaluable\">–</span>"

    static func margin(_ value: Double?) -> String { element(value, exact: 4) { text($0, decimals: 1, signed: true) + " mm" } }
    static func distance(_ value: Double?) -> String { element(value, exact: 4) { text($0, decimals: 1) + " mm" } }
    static func temperature(_ value: Double?) -> String { element(value, exact: 6) { text($0, decimals: 0) + " °C" } }
    static func seconds(_ value: Double?) -> String { element(value, exact: 3) { text($0, decimals: 2) } }
    static func plain(_ value: Double?) -> String { element(value, exact: 6) { text($0, decimals: 2) } }

    static func volume(_ value: Double?) -> String {
        element(value, exact: 4) { $0 > 0 && $0 < 0.005 ? "&lt; 0.01 mL" : text($0, decimals: $0 < 10 ? 2 : 1) + " mL" }
    }

    /// Of square millimetres, in square centimetres.
    static func area(_ value: Double?) -> String { element(value, exact: 2) { text($0 / 100, decimals: 1) + " cm²" } }

    /// In per cent. What is not quite all, or not quite nothing, is never shown as if it were.
    static func fraction(_ value: Double?) -> String {
        element(value, exact: 6) { value in
            if value < 1, value >= 0.9995 { return "&gt; 99.9 %" }
            if value > 0, value < 0.0005 { return "&lt; 0.1 %" }
            return text(100 * value, decimals: 1) + " %"
        }
    }

    static func interval(_ interval: CaseReport.Interval, signed: Bool) -> String {
        func end(_ value: Double?) -> String {
            value == nil ? "unknown" : element(value, exact: 4) { text($0, decimals: 1, signed: signed) }
        }
        return "\(end(interval.low)) to \(end(interval.high)) mm"
    }

    static func fractions(_ interval: CaseReport.Interval) -> String { "\(fraction(interval.low)) to \(fraction(interval.high))" }

    static func point(_ point: PatientPoint) -> String {
        [point.lps.x, point.lps.y, point.lps.z].map { element($0, exact: 4) { text($0, decimals: 1) } }.joined(separator: ", ")
    }

    static func text(_ value: Double, decimals: Int, signed: Bool = false) -> String {
        let scale = pow(10, Double(decimals)), rounded = (value * scale).rounded() / scale
        let sign = rounded < 0 ? "−" : signed && rounded > 0 ? "+" : ""
        return sign + String(format: "%.\(decimals)f", abs(rounded))
    }

    private static func element(_ value: Double?, exact decimals: Int, _ shown: (Double) -> String) -> String {
        guard let value, value.isFinite else { return missing }
        return "<data value=\"\(ReportEncoder.text(of: value, decimals: decimals))\">\(shown(value))</data>"
    }
}
