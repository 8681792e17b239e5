import Foundation

/// What the template shows of scenes.
struct ScenesView {
    let content: [String: Any]

    init(_ scenes: [ReportScene]) throws {
        let packed = scenes.map { PackedScene($0, share: 1 / Double(scenes.count)) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let json = String(decoding: try encoder.encode(packed.map(\.description)), as: UTF8.self)
        content = [
            "hasScenes": !scenes.isEmpty,
            "hasMaps": scenes.contains { !$0.margins.isEmpty },
            "maps": scenes.enumerated().filter { !$1.margins.isEmpty }.enumerated().map { index, element in
                let (number, scene) = element, plots = MarginPlots(scene: scene)
                return [
                    "isFirst": index == 0, "number": number, "name": "Tumour \(scene.tumour ?? "")", "legend": plots.legend,
                    "histogram": plots.histogram ?? "",
                    "cumulative": plots.cumulative ?? "", "shells": plots.shells ?? "",
                ] as [String: Any]
            },
            "hasSeveralScenes": scenes.count > 1,
            "sceneChoices": scenes.enumerated().map { ["number": $0, "name": $1.tumour ?? "no tumour"] },
            // Nothing in it may end the script element that it stands in.
            "sceneDescriptions": json.replacing("<", with: "\\u003c"),
            "blobs": packed.enumerated().flatMap { scene, packed in
                packed.blobs.enumerated().map { ["id": "scene-\(scene)-\($0)", "text": $1] }
            },
        ]
    }
}
