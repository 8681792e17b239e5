import Foundation

/// A picture that is being drawn on.
///
/// Coordinates are continuous pixels: the centre of the top left pixel is (0, 0).
struct Canvas {
    enum TextAnchor { case leading, center, trailing }

    var image: RGBImage
    private var layer: StrokeLayer

    init(_ image: RGBImage) {
        self.image = image
        layer = StrokeLayer(width: image.width, height: image.height)
    }

    /// Draws each of `paths` as one line.
    ///
    /// - Parameter border: the width in pixels of a dark seam on both sides, which keeps the line visible on bright tissue.
    mutating func draw(
        _ paths: [[SIMD2<Double>]], colour: RGBColour, thickness: Double, dash: (on: Double, off: Double)? = nil, border: Double = 0,
        opacity: Float = 1
    ) {
        if border > 0 {
            for path in paths { layer.add(path, thickness: thickness + 2 * border, dash: dash) }
            layer.composite(onto: &image, colour: .black, opacity: 0.55 * opacity)
        }
        for path in paths { layer.add(path, thickness: thickness, dash: dash) }
        layer.composite(onto: &image, colour: colour, opacity: opacity)
    }

    static func circle(center: SIMD2<Double>, radius: Double) -> [SIMD2<Double>] {
        let corners = max(12, Int(radius * 2))
        return (0...corners).map { corner in
            let angle = 2 * Double.pi * Double(corner) / Double(corners)
            return center + radius * SIMD2(cos(angle), sin(angle))
        }
    }

    /// The width in pixels of `text` with capitals of `height` pixels.
    static func width(of text: String, height: Double) -> Double { StrokeFont.layout(text).width * height / StrokeFont.capitalHeight }

    /// Draws one line of text whose capitals reach from `position.y` down to `position.y + height`.
    ///
    /// - Parameter halo: whether a dark seam sets it off from the picture.
    mutating func draw(
        _ text: String, at position: SIMD2<Double>, height: Double, colour: RGBColour = .white, anchor: TextAnchor = .leading,
        halo: Bool = true
    ) {
        let (paths, width) = StrokeFont.layout(text)
        let scale = height / StrokeFont.capitalHeight
        let shift: Double = switch anchor {
        case .leading: 0
        case .center: -width * scale / 2
        case .trailing: -width * scale
        }
        // Whole pixels for the text's corner: half-covered stems would blur small letters.
        let origin = SIMD2((position.x + shift).rounded(), position.y.rounded())
        draw(paths.map { $0.map { origin + scale * $0 } }, colour: colour, thickness: max(1.2, height * 0.12), border: halo ? 1.6 : 0)
    }
}
