extension PatientVector {
    /// Towards which sides of the patient the vector points, the strongest first: of left and right, anterior and posterior, superior and
    /// inferior those along which it goes for more than `share` of its length. Empty for a vector of length 0.
    ///
    /// With the default, half-way between two axes both are named, and within 22° of an axis that one alone.
    public func anatomicalSides(share: Double = 0.38) -> [String] {
        guard let unit = normalized?.lps else { return [] }
        let names = [("left", "right"), ("posterior", "anterior"), ("superior", "inferior")]
        return (0..<3).filter { abs(unit[$0]) > share }.sorted { abs(unit[$0]) > abs(unit[$1]) }.map {
            unit[$0] > 0 ? names[$0].0 : names[$0].1
        }
    }

    /// Such as `posterior-inferior`; empty for a vector of length 0.
    public var anatomicalName: String { anatomicalSides().joined(separator: "-") }
}
