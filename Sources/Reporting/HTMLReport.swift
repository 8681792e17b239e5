import Crypto
import Foundation
import Mustache

/// A picture of the report's page.
public struct Figure: Sendable {
    /// Where a picture stands on the page.
    public enum Place: Sendable {
        /// Right after the verdict, in print and where the viewer cannot run.
        case key
        /// Beside the plots of the surface, in print and where the viewer cannot run.
        case surface
        /// Folded away.
        case more
        /// Only as a file.
        case file
    }

    /// A short name for links, for example `planes-T1`.
    public var name: String
    public var caption: String
    /// What the picture shows, for people who cannot see it.
    public var altText: String
    public var png: Data
    public var place: Place

    public init(name: String, caption: String, altText: String, png: Data, place: Place = .more) {
        (self.name, self.caption, self.altText, self.png, self.place) = (name, caption, altText, png, place)
    }

    /// Width and height in pixels, from the PNG's header; `nil` when `png` is none.
    var size: (width: Int, height: Int)? {
        let bytes = Array(png.prefix(24))
        guard bytes.count == 24, bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) else { return nil }
        func number(at offset: Int) -> Int { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
        return (number(at: 16), number(at: 20))
    }
}

/// The page `report.html`: verdict first, then the pictures that let a person believe or doubt it, then numbers, findings,
/// inputs, timings and provenance.
///
/// One file that needs nothing else: no network, pictures, scans and scripts inside. Every text is escaped, and a policy lets no other
/// script run. Numbers are shown rounded; each stands in full, exactly as in `report.json`, in the `value` of its `data` element.
public enum HTMLReport {
    /// The page as UTF-8 text.
    /// - Throws: `ReportError.template`.
    public static func render(
        _ report: CaseReport, figures: [Figure], charts: [ReportChart] = [], scenes: [ReportScene] = []
    ) throws -> String {
        var content = HTMLReportView(report, figures: figures).content
        content["charts"] = charts.map { ["title": $0.title, "caption": $0.caption, "svg": $0.plot.svg] }
        content["hasCharts"] = !charts.isEmpty
        content["style"] = text(PackageResources.report_css) + text(PackageResources.print_css)
        content["script"] = script
        content["scriptHash"] = "sha256-" + Data(SHA256.hash(data: Data(script.utf8))).base64EncodedString()
        content.merge(try ScenesView(scenes).content) { $1 }
        return try template.get().render(content)
    }

    /// The page's scripts as one, with names of their own.
    private static let script =
        "(() => {\n\"use strict\";\n"
        + [
            PackageResources.scene_js, PackageResources.outlines_js, PackageResources.pane_js, PackageResources.viewer_js,
            PackageResources.margin_map_js, PackageResources.page_js,
        ]
        .map(text).joined(separator: "\n") + "})();\n"

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static let template: Result<MustacheTemplate, ReportError> = {
        MustacheContentTypes.register(HTMLEscaping(), named: "HTML-BY-SCALAR")
        do {
            return .success(try MustacheTemplate(string: String(decoding: PackageResources.report_html_mustache, as: UTF8.self)))
        } catch {
            return .failure(.template("\(error)"))
        }
    }()
}

/// Escapes text for HTML by Unicode scalars. The template engine's own escaping goes by characters and lets a quote pass
/// that carries a combining accent, which browsers then read as a quote.
struct HTMLEscaping: MustacheContentType {
    func escapeText(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
            case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
            case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
            case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
            case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
            case "\t", "\n": escaped.append(scalar)
            case "\0"..."\u{1f}", "\u{7f}"..."\u{9f}": escaped.append("\u{fffd}")
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
