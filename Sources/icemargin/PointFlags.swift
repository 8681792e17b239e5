import ArgumentParser
import Foundation
import ImageRegistration
import ImageSegmentation
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

    /// Two points, `L,P,S:L,P,S`.
    fileprivate static func pair(_ text: String) throws -> (PatientPoint, PatientPoint) {
        let ends = text.split(separator: ":", omittingEmptySubsequences: false)
        guard ends.count == 2 else { throw ValidationError("Give two points as L,P,S:L,P,S in millimetres, not “\(text)”.") }
        return (try flag(String(ends[0])), try flag(String(ends[1])))
    }

    /// The same, more than 1 mm apart.
    fileprivate static func line(_ text: String) throws -> (PatientPoint, PatientPoint) {
        let (first, second) = try pair(text)
        guard first.distance(to: second) > 1 else { throw ValidationError("The two points of “\(text)” must lie more than 1 mm apart.") }
        return (first, second)
    }
}

extension TumourPrompt.LongestAxis {
    /// The two ends of an axis, `L,P,S:L,P,S`.
    @Sendable static func flag(_ text: String) throws -> Self {
        let (first, second) = try PatientPoint.line(text)
        return .init(first, second)
    }
}

extension Probe {
    /// A probe's tip and tail, `L,P,S:L,P,S`.
    @Sendable static func flag(_ text: String) throws -> Probe {
        let (tip, tail) = try PatientPoint.line(text)
        return Probe(tip: tip, tail: tail, source: .given)
    }
}

extension LandmarkPair {
    /// A place in the moving (planning) scan and in the fixed one, `L,P,S:L,P,S`.
    @Sendable static func flag(_ text: String) throws -> LandmarkPair {
        let (moving, fixed) = try PatientPoint.pair(text)
        return LandmarkPair(fixed: fixed, moving: moving)
    }
}

extension TumourPrompt {
    /// From flags: `axis`, or `seed` with `diameterMM`.
    ///
    /// - Parameter flagPrefix: what stands before `seed`, `diameter` and `axis` in the flags' names.
    init(
        seed: PatientPoint?, diameterMM: Double?, axis: LongestAxis?, include: [PatientPoint], exclude: [PatientPoint], flagPrefix: String
    ) throws {
        if let axis {
            guard seed == nil, diameterMM == nil else {
                throw ValidationError("Give \(flagPrefix)axis, or \(flagPrefix)seed and \(flagPrefix)diameter, not both.")
            }
            self.init(axis: axis, include: include, exclude: exclude)
            return
        }
        guard let seed else { throw ValidationError("Give \(flagPrefix)seed and \(flagPrefix)diameter, or \(flagPrefix)axis.") }
        guard let diameterMM, diameterMM > 0, diameterMM.isFinite else {
            throw ValidationError("\(flagPrefix)seed needs \(flagPrefix)diameter, in millimetres and greater than 0.")
        }
        self.init(seed: seed, diameterMM: diameterMM, include: include, exclude: exclude)
    }
}
