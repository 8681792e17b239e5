import ImagingCore

/// A place that was given in patient coordinates and lies outside the scan, and what may be wrong with it.
public struct PlaceOutsideScan: Hashable, Sendable {
    public let point: PatientPoint
    public let scan: GridGeometry

    public init(_ point: PatientPoint, scan: GridGeometry) { (self.point, self.scan) = (point, scan) }

    /// - Parameter what: what to give instead, such as “the seed”.
    func remedy(giving what: String) -> String {
        let wanted = "Give \(what) in LPS millimetres of this scan's frame of reference; the scan spans \(scan.extentText)."
        // NIfTI viewers and many others show coordinates along right, anterior and superior.
        let mirrored = PatientPoint(-point.lps.x, -point.lps.y, point.lps.z)
        guard scan.contains(mirrored) else { return wanted }
        return wanted + " \(mirrored.text) would lie inside: programs that show RAS coordinates give the first two with the other sign."
    }
}
