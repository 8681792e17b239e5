import Foundation
import Mustache

/// A picture of the report's page.
public struct Figure: Sendable {
    /// A short name for links, for example `planes-T1`.
    public var name: String
    public var caption: String
    /// What the picture shows, for people who cannot see it.
    public var altText: String
    public var png: Data

    public init(name: String, caption: String, altText: String, png: Data) {
        (self.name, self.caption, self.altText, self.png) = (name, caption, altText, png)
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
/// One file that needs nothing else: no network, no script, pictures inside. Every text is escaped. Numbers are shown
/// rounded; each stands in full, exactly as in `report.json`, in the `value` of its `data` element.
public enum HTMLReport {
    /// The page as UTF-8 text.
    /// - Throws: `ReportError.template`.
    public static func render(_ report: CaseReport, figures: [Figure]) throws -> String {
        try template.get().render(HTMLReportView(report, figures: figures).content)
    }

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
