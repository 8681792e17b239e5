import FigureRendering
import Foundation
import ImagingCore
import Testing

@testable import Reporting

/// What the page does in a browser. `Scripts/test` installs Chromium; without it these tests are left out.
@Suite(.serialized, .enabled(if: Chromium.path != nil, "Chromium is not installed"))
struct BrowserTests {
    private static let browser = Result { try Chromium() }
    private static let scene = Result { try SceneExample.scene() }

    private func open(_ change: (inout CaseReport) -> Void = { _ in }, scene: ReportScene? = nil, width: Int = 1280, dark: Bool = false)
        throws -> BrowserPage
    {
        var report = try exampleReport()
        change(&report)
        let html = try HTMLReport.render(report, figures: [], scenes: [try scene ?? Self.scene.get()])
        return try BrowserPage(Self.browser.get(), html: html, width: width, dark: dark)
    }

    @Test func opensWithoutAnErrorAndWithoutANetwork() throws {
        let page = try open()
        try page.settle()
        #expect(page.complaints() == [])
        #expect(try page.text("#viewer-message") == "")
    }

    @Test func showsTheScansOwnValuesWhereTheCrosshairIs() throws {
        let page = try open()
        try page.settle()
        func readout(_ index: VoxelIndex) throws -> String {
            for (plane, value) in [("sagittal", index.i), ("coronal", index.j), ("axial", index.k)] {
                _ = try page.value(
                    "(() => { const s = document.querySelector('[data-slice=\(plane)]'); s.value = \(value); s.dispatchEvent(new Event('input')); return true; })()",
                    as: Bool.self)
            }
            return try page.text("#viewer .readout")
        }
        for index in [VoxelIndex(25, 24, 13), VoxelIndex(49, 0, 25), VoxelIndex(3, 3, 0), VoxelIndex(12, 47, 7)] {
            let point = SceneExample.grid.point(index).lps, held = min(max(SceneExample.value(index), -1024), 3071)
            let text = try readout(index).replacing("−", with: "-")
            #expect(
                text.hasPrefix(
                    String(format: "LPS %.1f, %.1f, %.1f mm · ice scan %.0f HU · planning scan ", point.x, point.y, point.z, held)),
                "\(text)")
            let planning = try #require(text.firstMatch(of: /planning scan (-?[0-9.]+)/).flatMap { Float($0.1) })
            // An image without a scale of its own is stored in 4095 steps.
            #expect(abs(planning - SceneExample.planning(index)) < 0.03)
        }
        #expect(try readout(VoxelIndex(1, 1, 5)).contains("ice scan not there"))
        #expect(try readout(VoxelIndex(25, 24, 13)).hasSuffix("in tumour T1, visible ice, −40 °C isotherm"))
        #expect(try readout(VoxelIndex(25, 32, 13)).hasSuffix("in tumour T1, visible ice"))
        #expect(try readout(VoxelIndex(25, 44, 13)).hasSuffix("outside every outlined object"))
    }

    @Test func followsTheKeyboard() throws {
        let page = try open()
        try page.settle()
        func slice(_ plane: String) throws -> Int {
            try Int(page.value("document.querySelector('[data-slice=\(plane)]').value", as: String.self))!
        }
        func isChecked(_ control: String) throws -> Bool { try page.value("document.querySelector('[data-control=\(control)]').checked") }
        func focus(_ selector: String) throws { _ = try page.value("(document.querySelector('\(selector)').focus(), true)", as: Bool.self) }
        let worst = (try slice("axial"), try slice("coronal"), try slice("sagittal"))
        // The lower pole, 9 mm below the centre.
        #expect(worst == (8, 24, 25) || worst == (9, 24, 25))

        try focus("canvas[data-plane=axial]")
        try page.press("ArrowUp")
        #expect(try slice("axial") == worst.0 + 1)
        try page.press("2")
        #expect(try page.value("document.activeElement.dataset.plane") == "coronal")
        for _ in 0..<3 { try page.press("ArrowDown") }
        #expect(try slice("coronal") == 21)
        try page.press("ArrowRight", shift: true)
        try page.press("ArrowDown", shift: true)
        #expect(try (slice("sagittal"), slice("axial")) == (26, worst.0))
        try page.press("w")
        #expect(try (slice("axial"), slice("coronal"), slice("sagittal")) == worst)

        try page.press("o")
        #expect(try !isChecked("outlines"))
        try page.press("b")
        #expect(try isChecked("beside"))
        #expect(try page.value("document.querySelector('canvas[data-beside]').getClientRects().length") == 1)
        try page.press("f")
        #expect(try page.value("document.querySelector('[data-control=fade]').value") == "50")
        try page.press("n")
        #expect(try page.value("document.querySelector('[data-control=width]').value") == "1800")
        try page.press("h")
        #expect(try page.value("!document.querySelector('.keys').hidden"))
        // Where numbers are typed letters are letters.
        try focus("[data-control=level]")
        try page.press("o")
        #expect(try !isChecked("outlines"))
        // At the end of the scan there is no further slice.
        try focus("canvas[data-plane=axial]")
        try page.press("PageUp")
        #expect(try slice("axial") == worst.0 + 1)
        for _ in 0..<30 { try page.press("PageUp") }
        #expect(try slice("axial") == SceneExample.grid.size.k - 1)
        #expect(page.complaints() == [])
    }

    /// By the pixels of the tumour's colour on the coronal canvas, without image and crosshair.
    @Test func outlinesLieWhereTheSurfacesAre() throws {
        let page = try open()
        try page.settle()
        let script = """
            (async () => {
              const set = (name, value) => { const c = document.querySelector(`[data-control=${name}]`); if (c.type === 'checkbox') c.checked = value; else c.value = value; c.dispatchEvent(new Event('input')); };
              set('crosshair', false); set('window', 'own'); set('width', 1); set('level', 9000);
              for (const box of document.querySelectorAll('[data-object]')) { box.checked = box.dataset.object === '0'; box.dispatchEvent(new Event('change')); }
              const slider = document.querySelector('[data-slice=coronal]'); slider.value = 24; slider.dispatchEvent(new Event('input'));
              await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
              const canvas = document.querySelector('canvas[data-plane=coronal]'), side = canvas.width, data = canvas.getContext('2d').getImageData(0, 0, side, side).data;
              const scale = side / 52, radii = [];
              for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) {
                const p = 4 * (y * side + x);
                if (data[p] > 200 && data[p + 1] > 130 && data[p + 1] < 180 && data[p + 2] < 40)
                  radii.push(Math.hypot((x + 0.5 - side / 2) / scale - 0.5, (y + 0.5 - side / 2) / scale + 1));
              }
              radii.sort((a, b) => a - b);
              return [radii.length, radii[Math.floor(radii.length / 10)], radii[Math.floor(radii.length / 2)]];
            })()
            """
        let found = try page.value(script, as: [Double].self)
        #expect(found[0] > 300)
        #expect(abs(found[1] - SceneExample.tumourMM) < 0.3 && abs(found[2] - SceneExample.tumourMM) < 0.2, "\(found)")
    }

    @Test func theSurfaceShowsItsMargins() throws {
        let page = try open()
        try page.settle()
        #expect(try page.text("#margin-map .readout") == "visible ice: smallest margin +3.0 mm, ringed")
        func margin(at x: Double, _ y: Double) throws -> Double {
            let box = try page.value(
                "(() => { const c = document.querySelector('#margin-map canvas'); c.scrollIntoView(); const b = c.getBoundingClientRect(); return [b.left, b.top, b.width]; })()",
                as: [Double].self)
            try page.send("Input.dispatchMouseEvent", ["type": "mouseMoved", "x": box[0] + x * box[2], "y": box[1] + y * box[2]])
            let text = try page.text("#margin-map .readout").replacing("−", with: "-")
            return try #require(text.firstMatch(of: /margin \+?(-?[0-9.]+) mm/).flatMap { Double($0.1) }, "\(text)")
        }
        // From the front, head up: the middle lies level with the tumour's centre, 2 mm below the ice's.
        _ = try page.value("(document.querySelector('[data-view=A]').click(), true)", as: Bool.self)
        try page.settle()
        #expect(try abs(margin(at: 0.5, 0.5) - (14 - (81.0 + 4).squareRoot())) < 0.15)
        #expect(try margin(at: 0.5, 0.08) > 6.5)
        #expect(try margin(at: 0.5, 0.92) < 3.5)
        // What is in the middle lies on the side that one looks from.
        for (letter, side) in [
            ("A", SIMD3(0.0, -1, 0)), ("P", SIMD3(0, 1, 0)), ("L", SIMD3(1, 0, 0)), ("R", SIMD3(-1, 0, 0)), ("H", SIMD3(0, 0, 1)),
        ] {
            _ = try page.value("(document.querySelector('[data-view=\(letter)]').click(), true)", as: Bool.self)
            try page.settle()
            _ = try margin(at: 0.5, 0.5)
            let text = try page.text("#margin-map .readout").replacing("−", with: "-"),
                place = try #require(text.firstMatch(of: /LPS (.*) mm/)).1
            let found = place.split(separator: ", ").compactMap { Double($0) },
                expected = SceneExample.center.lps + SceneExample.tumourMM * side
            #expect(zip(found, [expected.x, expected.y, expected.z]).allSatisfy { abs($0 - $1) < 0.2 }, "\(letter): \(text)")
        }
        _ = try page.value("(document.querySelector('[data-view=F]').click(), true)", as: Bool.self)
        try page.settle()
        #expect(try abs(margin(at: 0.5, 0.5) - SceneExample.smallestMM) < 0.1)
        #expect(page.complaints() == [])
    }

    @Test func everyNumberOfThePageIsOneOfTheDocument() throws {
        let page = try open()
        let shown = try page.value("[...document.querySelectorAll('data')].map((element) => element.value)", as: [String].self)
        let document = String(decoding: try exampleReport().jsonData(), as: UTF8.self)
        let numbers = Set(document.matches(of: /-?[0-9][0-9.e+-]*/).map { String($0.0) })
        #expect(shown.count > 25 && shown.allSatisfy(numbers.contains))
        // What is written is that number, rounded.
        let written = try page.value("[...document.querySelectorAll('data')].map((element) => element.textContent)", as: [String].self)
        for (value, text) in zip(shown, written) where !text.contains("%") && !text.contains("cm²") && !text.contains("<") {
            let number = try #require(text.replacing("−", with: "-").firstMatch(of: /[+-]?[0-9.]+/).flatMap { Double($0.0) }, "\(text)")
            #expect(abs(number - Double(value)!) <= 0.5, "\(value) is written as \(text)")
        }
    }

    @Test(arguments: ["<script>document.title = 'x'</script>", "肝臓・腫瘍 </script><img src=x onerror=alert(1)>", "\"'`&amp;\u{202e}"])
    func textFromOutsideIsNeverMarkup(_ text: String) throws {
        let page = try open(
            {
                $0.case.id = text
                $0.tumours[0].id = text
                $0.structures[0].name = text
            }, scene: try SceneExample.scene(tumour: text, structure: text))
        try page.settle()
        #expect(try page.text("header strong + *, header div:nth-child(2) strong") == text)
        #expect(
            try page.value("[...document.querySelectorAll('.objects label')].map((l) => l.textContent)", as: [String].self).contains(text))
        #expect(try page.value("document.querySelectorAll('main img').length") == 0)
        #expect(page.complaints() == [])
    }

    @Test func isLightOrDarkAsTheSystemOrThePersonLikes() throws {
        for dark in [false, true] {
            let page = try open(dark: dark)
            try page.settle()
            func isDark() throws -> Bool {
                try page.value("Number(getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0]) < 128")
            }
            #expect(try isDark() == dark)
            _ = try page.value("(document.getElementById('theme').click(), true)", as: Bool.self)
            #expect(try isDark() != dark)
        }
    }

    @Test func canBeUsedWithAScreenReader() throws {
        let page = try open()
        try page.settle()
        let nodes = try #require(try page.send("Accessibility.getFullAXTree")["nodes"] as? [[String: Any]])
        func text(_ node: [String: Any], _ key: String) -> String { ((node[key] as? [String: Any])?["value"] as? String) ?? "" }
        let named = nodes.filter {
            ["button", "slider", "checkbox", "combobox", "spinbutton", "image", "img", "region", "main", "table"].contains(text($0, "role"))
                && $0["ignored"] as? Bool != true
        }
        #expect(named.count > 30)
        for node in named where !["main", "table"].contains(text(node, "role")) {
            #expect(!text(node, "name").isEmpty, "\(text(node, "role")) without a name")
        }
        #expect(try page.value("document.querySelectorAll('th:not([scope])').length") == 0)
        let levels = try page.value("[...document.querySelectorAll('h1,h2,h3')].map((h) => Number(h.tagName[1]))", as: [Int].self)
        #expect(levels.first == 1 && zip(levels, levels.dropFirst()).allSatisfy { $1 <= $0 + 1 })
        _ = try page.value("(document.querySelector('canvas[data-plane=axial]').focus(), true)", as: Bool.self)
        try page.press("ArrowUp")
        try page.wait(until: "document.querySelector('#viewer [aria-live]').textContent.startsWith('LPS')")
    }

    @Test func severalTumoursAreShownOneAtATime() throws {
        let html = try HTMLReport.render(
            try exampleReport(), figures: [], scenes: [Self.scene.get(), try SceneExample.scene(tumour: "T2")])
        let page = try BrowserPage(Self.browser.get(), html: html)
        try page.settle()
        let shown =
            "[...document.querySelectorAll('[data-scene]')].filter((part) => part.getClientRects().length).map((part) => part.dataset.scene)"
        #expect(try Set(page.value(shown, as: [String].self)) == ["0"])
        _ = try page.value(
            "(() => { const c = document.getElementById('scene-choice'); c.value = 1; c.dispatchEvent(new Event('input')); return true; })()",
            as: Bool.self)
        try page.wait(until: "document.querySelector('.objects').textContent.includes('tumour T2')")
        #expect(try Set(page.value(shown, as: [String].self)) == ["1"])
        #expect(page.complaints() == [])
    }

    @Test func staysWithinANarrowScreen() throws {
        let page = try open(width: 400)
        try page.settle()
        #expect(try page.value("document.documentElement.scrollWidth") == 400)
    }

    @Test func printsOnTwoPages() throws {
        var report = try exampleReport()
        report.margins += report.margins
        report.structures = Array(repeating: report.structures[0], count: 6)
        report.findings = Array(
            repeating: Finding(.warning, "x", String(repeating: "Something to be known. ", count: 8), remedy: "Look at it again."), count: 7
        )
        let picture = { (width: Int, height: Int) in RGBImage(width: width, height: height).pngData() }
        let figures = [
            Figure(name: "planes", caption: "Three planes.", altText: "Planes", png: picture(1512, 568), place: .key),
            Figure(name: "map", caption: "Map.", altText: "Map", png: picture(1032, 786), place: .surface),
            Figure(name: "more", caption: "More.", altText: "More", png: picture(1512, 568)),
        ]
        let page = try BrowserPage(Self.browser.get(), html: try HTMLReport.render(report, figures: figures, scenes: [Self.scene.get()]))
        try page.settle()
        for theme in ["light", "dark"] {
            _ = try page.value("(document.documentElement.dataset.theme = '\(theme)', true)", as: Bool.self)
            let pdf = try #require(try page.send("Page.printToPDF", ["preferCSSPageSize": true])["data"] as? String).data(using: .utf8)
                .flatMap { Data(base64Encoded: $0) }
            let text = String(decoding: try #require(pdf), as: Unicode.ASCII.self)
            #expect(text.matches(of: /\/Type \/Page\b/).count == 2)
        }
    }
}
