import Foundation

/// Numbers as VR DS writes them (PS3.5 6.2).
enum DecimalString {
    /// A decimal string of at most 16 characters, exact where that is long enough.
    static func text(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int(value))" }
        let shortest = "\(value)"
        if shortest.count <= 16 { return shortest }
        for digits in stride(from: 14, through: 8, by: -1) {
            let text = String(format: "%.\(digits)g", value)
            if text.count <= 16 { return text }
        }
        return String(format: "%.7e", value)
    }
}
