import ArgumentParser
import Foundation
import ImagingCore

extension PatientPoint {
    /// A point as flags give it: `L,P,S` in millimetres, three finite numbers.
    @Sendable static func flag(_ text: String) throws -> PatientPoint {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0.trimmingCharacters(in: .whitespaces)) }
        guard numbers.count == 3, let l = numbers[0], let p = numbers[1], let s = numbers[2], (l + p + s).isFinite else {
            throw ValidationError("Give a point as three numbers L,P,S in millimetres, not “\(text)”.")
        }
        return PatientPoint(l, p, s)
    }
}
