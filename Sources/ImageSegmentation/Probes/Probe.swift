import ImagingCore

/// A cryoprobe as a straight line, in the frame of reference of the scan that it was found or placed in.
public struct Probe: Hashable, Sendable, Codable {
    public enum Source: String, Hashable, Sendable, Codable { case detected, given }

    /// The deep end, where the ice forms.
    public var tip: PatientPoint
    /// The end nearer the skin, or where the shaft leaves the scan.
    public var tail: PatientPoint
    public var source: Source
    /// One standard deviation of the tip's position in millimetres, along the shaft and, within a thick slice, in height; `nil` when nothing
    /// says how good it is.
    public var tipUncertaintyMM: Double?

    public init(tip: PatientPoint, tail: PatientPoint, source: Source, tipUncertaintyMM: Double? = nil) {
        (self.tip, self.tail, self.source, self.tipUncertaintyMM) = (tip, tail, source, tipUncertaintyMM)
    }

    /// The unit vector from tip to tail; `nil` when the two coincide.
    public var direction: PatientVector? { (tail - tip).normalized }
    public var lengthMM: Double { tip.distance(to: tail) }
    /// The point `depthMM` from the tip towards the tail; beyond the tail the line goes on.
    public func point(atDepthMM depthMM: Double) -> PatientPoint { direction.map { tip + depthMM * $0 } ?? tip }
}
