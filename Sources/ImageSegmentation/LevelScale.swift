/// Grey levels sorted into bins: fine where tissues lie close together, coarse elsewhere.
struct LevelScale {
    static let count = 100
    /// The bins' middle levels and widths.
    let centres: [Float], widths: [Float]
    private let breaks: (low: Float, high: Float), step: (low: Float, middle: Float, high: Float), bins: (low: Int, middle: Int)

    /// Hounsfield units: 10 HU wide from −240 to 380.
    static let hounsfield = LevelScale(from: -1024, breaks: (-240, 380), lowBins: 28, middleStep: 10, highStep: 60)
    /// MR signal as a share of the bright tissue around.
    static let signal = LevelScale(from: 0, breaks: (0.02, 1.6), lowBins: 1, middleStep: 0.02, highStep: 0.06)

    private init(from lowest: Float, breaks: (Float, Float), lowBins: Int, middleStep: Float, highStep: Float) {
        let middle = Int(((breaks.1 - breaks.0) / middleStep).rounded())
        self.breaks = (breaks.0, breaks.1)
        step = ((breaks.0 - lowest) / Float(lowBins), middleStep, highStep)
        bins = (lowBins, middle)
        let step = step
        let edges = (0...Self.count).map { n -> Float in
            n <= lowBins ? lowest + Float(n) * step.low
                : n <= lowBins + middle ? breaks.0 + Float(n - lowBins) * step.middle : breaks.1 + Float(n - lowBins - middle) * step.high
        }
        centres = (0..<Self.count).map { (edges[$0] + edges[$0 + 1]) / 2 }
        widths = (0..<Self.count).map { edges[$0 + 1] - edges[$0] }
    }

    /// Levels beyond the scale fall into its end bins.
    @inline(__always)
    func bin(of level: Float) -> Int {
        let position = level < breaks.low ? Float(bins.low) + (level - breaks.low) / step.low
            : level < breaks.high ? Float(bins.low) + (level - breaks.low) / step.middle
            : Float(bins.low + bins.middle) + (level - breaks.high) / step.high
        return max(0, min(Self.count - 1, Int(max(0, position))))
    }
}
