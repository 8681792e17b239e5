import Foundation

/// The letters of burned-in labels, as strokes, so that text needs no font file and stays sharp at any size.
///
/// A glyph is a list of paths, a path a list of points of two characters: column and row in units of a twelfth of the
/// height of a capital, counted from the top left in base 36. Capitals reach from row 0 to row `c` (the baseline), small
/// letters from row 4, descenders end in row `g`.
enum StrokeFont {
    static let capitalHeight = 12.0
    /// The gap between two glyphs, and the width of a space.
    static let (gap, space) = (4.0, 5.0)

    private static let source: [Character: String] = [
        "0": "20 50 72 7a 5c 2c 0a 02 20", "1": "13 40 4c|1c 7c", "2": "02 20 50 72 74 0c 7c", "3": "02 20 50 72 74 56 36|56 78 7a 5c 2c 0a",
        "4": "5c 50 08 78", "5": "70 00 05 55 77 7a 5c 2c 0a", "6": "62 50 20 02 0a 2c 5c 7a 77 55 25 07", "7": "00 70 3c",
        "8": "26 04 02 20 50 72 74 56 26 08 0a 2c 5c 7a 78 56", "9": "1a 2c 5c 7a 72 50 20 02 05 27 57 75",
        "A": "0c 40 8c|18 78", "B": "0c 00 50 72 74 56 06|56 88 8a 6c 0c", "C": "82 60 20 02 0a 2c 6c 8a", "D": "0c 00 50 83 89 5c 0c",
        "E": "70 00 0c 7c|06 56", "F": "70 00 0c|06 56", "G": "82 60 20 02 0a 2c 6c 8a 87 57", "H": "00 0c|80 8c|06 86", "I": "00 40|20 2c|0c 4c",
        "J": "60 6a 4c 2c 0a", "K": "00 0c|80 07|35 8c", "L": "00 0c 7c", "M": "0c 00 58 a0 ac", "N": "0c 00 8c 80",
        "O": "20 60 82 8a 6c 2c 0a 02 20", "P": "0c 00 60 82 85 67 07", "Q": "20 60 82 8a 6c 2c 0a 02 20|58 8d", "R": "0c 00 60 82 85 67 07|47 8c",
        "S": "82 60 20 02 04 26 66 88 8a 6c 2c 0a", "T": "00 80|40 4c", "U": "00 0a 2c 6c 8a 80", "V": "00 4c 80", "W": "00 3c 53 7c a0",
        "X": "00 8c|80 0c", "Y": "00 46 80|46 4c", "Z": "00 80 0c 8c",
        "a": "05 14 44 66 6c|67 27 09 0a 2c 4c 6a", "b": "00 0c|06 24 44 66 6a 4c 2c 0a", "c": "65 44 24 06 0a 2c 4c 6b",
        "d": "60 6c|66 44 24 06 0a 2c 4c 6a", "e": "08 68 66 44 24 06 0a 2c 4c 6b", "f": "50 40 22 2c|04 54", "g": "64 6e 4g 2g 0f|66 44 24 06 0a 2c 4c 6a",
        "h": "00 0c|06 24 44 66 6c", "i": "04 0c|00 01", "j": "34 3e 1g 0g|30 31", "k": "00 0c|64 09|37 6c", "l": "00 0a 2c",
        "m": "04 0c|06 24 34 56 5c|56 74 84 a6 ac", "n": "04 0c|06 24 44 66 6c", "o": "24 44 66 6a 4c 2c 0a 06 24", "p": "04 0g|06 24 44 66 6a 4c 2c 0a",
        "q": "64 6g|66 44 24 06 0a 2c 4c 6a", "r": "04 0c|07 34 54", "s": "65 54 14 05 06 17 58 6a 6b 5c 1c 0b", "t": "20 2a 4c 5c|04 54",
        "u": "04 0a 2c 4c 6a|64 6c", "v": "04 3c 64", "w": "04 2c 46 6c 84", "x": "04 6c|64 0c", "y": "04 3c|64 2f 0g", "z": "04 64 0c 6c",
        ".": "0b 0c", ",": "1b 0e", ":": "05 06|0b 0c", ";": "15 16|1b 0e", "-": "08 48", "−": "08 68", "–": "08 68", "+": "08 68|35 3b", "±": "07 67|34 3a|0c 6c",
        "=": "06 66|0a 6a", "/": "0c 60", "(": "30 03 09 3c", ")": "00 33 39 0c", "%": "00 20 22 02 00|6a 8a 8c 6c 6a|80 0c",
        "°": "10 20 31 32 23 13 02 01 10", "<": "63 07 6b", ">": "03 67 0b", "≤": "62 06 6a|0c 6c", "≥": "02 66 0a|0c 6c", "[": "30 00 0c 3c", "]": "00 30 3c 0c",
        "_": "0e 8e", "'": "00 02", "\"": "00 02|30 32", "!": "00 08|0b 0c", "?": "02 20 40 62 64 37 38|3b 3c", "*": "35 3b|06 6a|66 0a", "#": "30 1c|70 5c|14 84|08 78",
        "·": "08 09", "×": "05 6b|65 0b", "|": "00 0g", "→": "08 88|55 88 5b", "²": "01 10 20 31 05 35", "³": "00 30 22 33 24 04", "µ": "04 0g|0a 2c 4c 6a|64 6c",
    ]

    private static func coordinate(_ character: Character) -> Double { Double(Int(String(character), radix: 36)!) }

    private static let glyphs: [Character: (paths: [[SIMD2<Double>]], width: Double)] = source.mapValues { text in
        let paths = text.split(separator: "|").map { path in
            path.split(separator: " ").map { SIMD2(coordinate($0.first!), coordinate($0.last!)) }
        }
        return (paths, paths.joined().map(\.x).max()!)
    }
    private static let unknown = (paths: [[SIMD2(0.0, 0), SIMD2(6, 0), SIMD2(6, 12), SIMD2(0, 12), SIMD2(0, 0)]], width: 6.0)

    /// Whether every letter of `text` is in the font, accents aside.
    static func canWrite(_ text: String) -> Bool { text.allSatisfy { $0 == " " || glyph(of: $0) != nil } }

    private static func glyph(of character: Character) -> (paths: [[SIMD2<Double>]], width: Double)? {
        glyphs[character] ?? String(character).folding(options: .diacriticInsensitive, locale: nil).first.flatMap { glyphs[$0] }
    }

    /// The paths of `text` and its width, for capitals of height 12 whose top left corner is (0, 0). Accents are left off;
    /// a letter that is not in the font is an empty box.
    static func layout(_ text: String) -> (paths: [[SIMD2<Double>]], width: Double) {
        var paths: [[SIMD2<Double>]] = [], x = 0.0
        for character in text {
            if character == " " {
                x += space + gap
                continue
            }
            let glyph = glyph(of: character) ?? unknown
            paths += glyph.paths.map { $0.map { $0 + SIMD2(x, 0) } }
            x += glyph.width + gap
        }
        return (paths, max(0, x - gap))
    }
}
