import Foundation
import ImagingCore
import Testing

@testable import FigureRendering

@Test(arguments: [RGBImage.Compression.fast, .small])
func pngGivesBackEveryPixel(_ compression: RGBImage.Compression) throws {
    var image = RGBImage(width: 37, height: 23, filledWith: RGBColour(10, 200, 90))
    for offset in image.pixels.indices { image.pixels[offset] = UInt8(truncatingIfNeeded: offset &* 73 &+ offset / 7) }
    #expect(RGBImage(png: image.pngData(compression)) == image)
}

@Test func picturesWithoutColourAreStoredAsGreyAndReadBackAlike() throws {
    let window = DisplayWindow(level: 50, width: 100)
    let image = RGBImage(width: 3, height: 1, values: [0, 50, 100], window: window)
    let png = image.pngData()
    // Byte 25 of a PNG is the colour type: 0 is grey.
    #expect(png[25] == 0)
    #expect(try #require(RGBImage(png: png)) == image)
}

@Test func pngCarriesNoMetadata() {
    let png = RGBImage(width: 4, height: 4, filledWith: RGBColour(1, 2, 3)).pngData()
    var names: [String] = [], offset = 8
    while offset + 8 <= png.count {
        let length = png[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
        names.append(String(decoding: png[offset + 4..<offset + 8], as: UTF8.self))
        offset += 12 + length
    }
    #expect(Set(names) == ["IHDR", "IDAT", "IEND"])
}

@Test func whatIsNoPNGIsRefused() { #expect(RGBImage(png: Data("no picture".utf8)) == nil) }

@Test(arguments: [(value: Float(-160), grey: UInt8(0)), (-500, 0), (240, 255), (3000, 255), (40, 128), (-60, 64), (.nan, 0)])
func windowsMapValuesToGrey(_ value: Float, _ grey: UInt8) { #expect(DisplayWindow.softTissue.grey(value) == grey) }

@Test func percentileWindowsIgnoreOutliersAndBackground() {
    let values = (1...1000).map { Float($0) } + [Float](repeating: 0, count: 5000) + [100_000]
    let window = DisplayWindow.percentiles(of: values)
    #expect(abs(window.level - window.width / 2 - 11) < 2 && abs(window.level + window.width / 2 - 996) < 2)
}

@Test func aLineCoversItsWidth() {
    var canvas = Canvas(RGBImage(width: 21, height: 21))
    canvas.draw([[SIMD2(-5, 10.25), SIMD2(30, 10.25)]], colour: .white, thickness: 3)
    // The sum of a column is the line's thickness; its centre of mass is the line's place.
    let column = (0..<21).map { Double(canvas.image[10, $0].red) / 255 }
    #expect(abs(column.reduce(0, +) - 3) < 0.02)
    let centre = zip(column, 0...).map { $0 * Double($1) }.reduce(0, +) / column.reduce(0, +)
    #expect(abs(centre - 10.25) < 0.02)
}

@Test func everyDigitAndLetterHasItsOwnGlyph() {
    let letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,:-+±=/()%°<>≤≥[]_!?"
    let glyphs = letters.map { StrokeFont.layout(String($0)).paths }
    #expect(Set(glyphs.map { "\($0)" }).count == letters.count)
    #expect(StrokeFont.layout("é").paths == StrokeFont.layout("e").paths)
}

@Test(arguments: [("bile duct", true), ("Ductus hépatique Ä", true), ("総胆管", false), ("жёлчный проток", false)])
func namesThatTheFontCannotWriteAreKnown(name: String, canBeWritten: Bool) { #expect(FigureOverlay.canWrite(name) == canBeWritten) }
