import Foundation
import FoundationXML
import ImagingCore
import Testing

@testable import FigureRendering

/// A ball of 10 mm as seen from outside.
private func ball() -> TriangleMesh {
    let (rings, sectors) = (24, 48)
    var mesh = TriangleMesh()
    for ring in 0...rings {
        for sector in 0..<sectors {
            let (a, b) = (Double.pi * Double(ring) / Double(rings), 2 * Double.pi * Double(sector) / Double(sectors))
            mesh.vertices.append(PatientPoint(5 + 10 * sin(a) * cos(b), 6 + 10 * sin(a) * sin(b), 7 + 10 * cos(a)))
        }
    }
    for ring in 0..<rings {
        for sector in 0..<sectors {
            let (p, q) = (Int32(ring * sectors + sector), Int32(ring * sectors + (sector + 1) % sectors)), down = Int32(sectors)
            mesh.triangles += [SIMD3(p, p + down, q), SIMD3(q, p + down, q + down)]
        }
    }
    return mesh
}

@Suite struct MarginMapTests {
    @Test func eachSideShowsItsOwnMargins() {
        // A margin that is 10 at the front, −10 at the back.
        let mesh = ball(), map = SurfaceMap(surface: mesh, marginsMM: mesh.vertices.map { 6 - $0.lps.y })
        for (view, expected) in [(SurfaceView.anterior, 10.0), (.posterior, -10), (.left, 0), (.right, 0), (.superior, 0), (.inferior, 0)] {
            let raster = SurfaceRaster(map, view, side: 101)
            #expect(abs(raster.marginsMM[50 * 101 + 50] - expected) < 0.1, "\(view)")
            #expect(raster.facing[50 * 101 + 50] > 0.98 && raster.marginsMM[0].isNaN)
        }
        // From the left the front is at the left edge, from the right at the right edge.
        #expect(
            SurfaceRaster(map, .left, side: 101).marginsMM[50 * 101 + 10] > 7
                && SurfaceRaster(map, .right, side: 101).marginsMM[50 * 101 + 90] > 7)
    }

    @Test func theWorstPointIsRingedWhereItIsSeen() {
        let mesh = ball(), map = SurfaceMap(surface: mesh, marginsMM: mesh.vertices.map { _ in 8 })
        let image = MarginMapFigure(colours: MarginColours(requiredMM: 5)).image(
            map, worst: PatientPoint(5, -4, 7), caption: FigureCaption(title: ""))
        func marked(_ column: Int, _ row: Int) -> Int {
            (0..<340).reduce(0) { sum, y in sum + (0..<340).count { image[$0 + 346 * column, y + 34 + 346 * row] == FigureColour.mark } }
        }
        // Views from the front, from the left …; from the back …
        #expect(marked(0, 0) > 20 && marked(0, 1) == 0)
    }

    @Test func requiredMarginsPartBlueFromOrangeAndGetDarkerAway() {
        let colours = MarginColours(requiredMM: 5)
        func light(_ colour: RGBColour) -> Double {
            0.2126 * Double(colour.red) + 0.7152 * Double(colour.green) + 0.0722 * Double(colour.blue)
        }
        for step in 0..<100 {
            let (below, above) = (colours.colour(4.99 - Double(step) / 10), colours.colour(5 + Double(step) / 10))
            #expect(below.red > below.blue && above.blue > above.red)
            let (further, beyond) = (colours.colour(4.89 - Double(step) / 10), colours.colour(5.1 + Double(step) / 10))
            #expect(light(further) <= light(below) + 1 && light(beyond) <= light(above) + 1)
        }
        #expect(colours.colour(-40) == colours.colour(-5) && colours.ticksMM == [-5, 0, 5, 10, 15])
    }

    @Test func plotsAreWellFormedAndToScale() throws {
        var plot = SVGPlot(x: .init("a < b & \"c\"", -5...5), y: .init("y", 0...100), title: "<t>", description: "d")
        plot.addBar(0...1, height: 50, colour: "#123456")
        plot.addVerticalLine(at: 5, "x > y", .init(SVGPlot.ink))
        plot.addLine([(-5, 0), (5, 100)], .init("red", dash: "2 2"))
        final class Reader: NSObject, XMLParserDelegate {
            var rectangles: [[String: String]] = []
            var texts: [String] = []
            func parser(
                _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
                attributes: [String: String]
            ) {
                if name == "rect" { rectangles.append(attributes) }
            }
            func parser(_ parser: XMLParser, foundCharacters text: String) { texts.append(text) }
        }
        let parser = XMLParser(data: Data(plot.svg.utf8)), reader = Reader()
        parser.delegate = reader
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(reader.texts.joined().contains("a < b & \"c\""))
        let bar = try #require(reader.rectangles.first)
        let height = try #require(bar["height"].flatMap(Double.init)), whole = plot.vertical(0) - plot.vertical(100)
        #expect(abs(height / whole - 0.5) < 1e-3)
    }
}
