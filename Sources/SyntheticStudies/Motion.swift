import Foundation
import ImagingCore

/// How the patient lies in a later scan: planning space → that scan's space, in LPS millimetres.
///
/// A smooth displacement (breathing and settling of organs) followed by a rigid motion. The way back is a closed form, which is
/// what images are made with; the way forth is found by iteration, to 1e-9 mm.
public struct PatientMotion: SpatialTransform {
    struct Swell: Sendable {
        var center, displacement: SIMD3<Double>
        var sigmaMM: Double
    }

    /// The rigid part, planning → later scan.
    public let rigid: ImagingCore.AffineTransform
    private let rigidInverse: ImagingCore.AffineTransform
    let swells: [Swell]
    /// Towards the spine, behind this y, nothing is displaced.
    let fixedBehindY: Double

    public static let none = PatientMotion(rigid: .identity, swells: [], fixedBehindY: 0)

    public let isIdentity: Bool
    public let isRigid: Bool

    init(rigid: ImagingCore.AffineTransform, swells: [Swell], fixedBehindY: Double) {
        self.rigid = rigid
        self.rigidInverse = rigid.inverse!
        self.swells = swells
        self.fixedBehindY = fixedBehindY
        isIdentity = rigid == .identity && swells.isEmpty
        isRigid = swells.isEmpty
    }

    /// Planning → later scan.
    public func callAsFunction(_ point: PatientPoint) -> PatientPoint {
        // Solve w + v(w) = point; v changes by far less than 1 mm per mm, so the iteration contracts.
        var w = point.lps
        for _ in 0..<60 where !swells.isEmpty {
            let next = point.lps - displacement(at: w)
            let step = length(next - w)
            w = next
            if step < 1e-10 { break }
        }
        return rigid(PatientPoint(w))
    }
    /// Later scan → planning.
    public func inverse(_ point: PatientPoint) -> PatientPoint { PatientPoint(planningPoint(of: point.lps)) }

    func planningPoint(of point: SIMD3<Double>) -> SIMD3<Double> {
        if isIdentity { return point }
        let w = rigidInverse.matrix * point + rigidInverse.translation.lps
        return isRigid ? w : w + displacement(at: w)
    }

    /// By how much planning space is displaced at `w` (the rigid part undone), in millimetres.
    private func displacement(at w: SIMD3<Double>) -> SIMD3<Double> {
        var sum = SIMD3<Double>.zero
        for index in swells.indices {
            let swell = swells[index], d = w - swell.center
            sum += exp(-dot(d, d) / (2 * swell.sigmaMM * swell.sigmaMM)) * swell.displacement
        }
        return sum / (1 + exp((w.y - fixedBehindY) / 9))
    }
}
