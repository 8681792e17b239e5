import FigureRendering
import Foundation
import ImageFilters
import ImagingCore

/// A scene as the page carries it: a description in JSON, and packed data that it refers to by number.
struct PackedScene {
    let description: SceneDescription
    /// Base64 text each.
    let blobs: [String]

    /// What images may take up together, in bytes before Base64.
    static let imageBytes = 3_300_000
    /// The range of CT values that pictures need, HU.
    private static let rangeHU = -1024.0...3071.0
    /// Other modalities have no scale of their own: so many steps from darkest to brightest.
    private static let steps = 4095.0

    /// - Parameter share: of the page's room that this scene may take.
    init(_ scene: ReportScene, share: Double = 1) {
        var data: [Data] = []
        func keep(_ blob: Data) -> Int {
            data.append(blob)
            return data.count - 1
        }
        let grid = scene.grid
        let room = Int(Double(Self.imageBytes) * share) / scene.images.count
        let packed = mapSlabs(of: scene.images.count, slab: 1) { Self.packed(scene.images[$0.lowerBound], room: room) }
        let images = zip(scene.images, packed).map { image, volume in
            SceneDescription.Image(
                name: image.name, note: image.note, modality: image.modality.rawValue, unit: image.modality == .ct ? "HU" : "",
                blob: keep(volume.data),
                offset: volume.offset, step: volume.step, window: Self.window(of: image, scene))
        }
        let objects = scene.objects.compactMap { object -> SceneDescription.Object? in
            guard let part = Self.part(of: object, in: grid) else { return nil }
            return .init(
                name: object.name, label: object.label, kind: object.kind.rawValue, blob: keep(part.volume.data), first: part.first,
                size: part.size, step: part.volume.step)
        }
        let surface = scene.margins.first.map { first in
            let map = SurfaceMap(surface: first.result.map.surface, marginsMM: first.result.map.marginsMM)
            return SceneDescription.Surface(
                triangles: keep(deflated(Self.bytes(map.surface.triangles.flatMap { [$0.x, $0.y, $0.z] }))),
                vertices: keep(deflated(Self.bytes(map.surface.vertices.flatMap { [Float($0.lps.x), Float($0.lps.y), Float($0.lps.z)] }))))
        }
        let margins = scene.margins.map { margin in
            SceneDescription.Margin(
                zone: margin.result.zone.rawValue, zoneName: margin.result.zone.phrase, decides: margin.decides,
                blob: keep(deflated(Self.bytes(margin.result.map.marginsMM.map { Float($0) }))), worstPointLPS: margin.result.worstPoint,
                nearestZonePointLPS: margin.result.nearestZonePoint, text: FigureMark.text(ofMarginMM: margin.result.minimumMarginMM))
        }
        let colours = scene.colours
        description = SceneDescription(
            tumour: scene.tumour, size: [grid.size.i, grid.size.j, grid.size.k],
            spacingMM: [grid.spacing.x, grid.spacing.y, grid.spacing.z], originLPS: grid.origin,
            focusLPS: scene.margins.first?.result.worstPoint ?? scene.focus, images: images, objects: objects,
            probes: scene.probes.map { .init(id: $0.id, tipLPS: $0.tip, tailLPS: $0.tail) }, surface: surface, margins: margins,
            colours: .init(
                requiredMM: colours.requiredMM, lowMM: colours.rangeMM.lowerBound, highMM: colours.rangeMM.upperBound,
                ticksMM: colours.ticksMM,
                below: MarginColours.below.map(\.hexadecimal), above: MarginColours.above.map(\.hexadecimal)))
        blobs = data.map { $0.base64EncodedString() }
    }

    /// Noise is what takes room: where it takes too much, values are told apart less finely.
    private static func packed(_ image: ReportScene.Image, room: Int) -> PackedVolume {
        let range = image.modality == .ct ? rangeHU : values(image)
        var step = image.modality == .ct ? 1 : (range.upperBound - range.lowerBound) / steps
        while true {
            let packed = PackedVolume(image: image.volume, range: range, step: step)
            if packed.data.count <= room || step > range.upperBound - range.lowerBound { return packed }
            step *= 2
        }
    }

    private static func values(_ image: ReportScene.Image) -> ClosedRange<Double> {
        let range = image.volume.valueRange()
        guard range.lowerBound.isFinite, range.upperBound.isFinite, range.lowerBound < range.upperBound else { return 0...1 }
        return Double(range.lowerBound)...Double(range.upperBound)
    }

    private static func window(of image: ReportScene.Image, _ scene: ReportScene) -> SceneDescription.Window {
        let window =
            image.modality == .ct ? scene.siteWindow : DisplayWindow.suited(to: .float32(image.volume), modality: image.modality, site: "")
        return .init(level: window.level, width: window.width)
    }

    /// The part of the scene's grid that holds the object's surface, and the object in it.
    private static func part(of object: ReportScene.Object, in grid: GridGeometry) -> (volume: PackedVolume, first: [Int], size: [Int])? {
        let own = object.levelSet.geometry
        guard let box = object.levelSet.mask.boundingBox,
            let (i, j, k) = grid.indexRanges(
                around: own.cropped(box.i, box.j, box.k).cornerPoints, marginMM: 1.5 * max(own.spacing.max(), grid.spacing.max()))
        else { return nil }
        let field = object.levelSet.resampled(onto: grid.cropped(i, j, k)).field
        return (
            PackedVolume(surface: field, reachMM: 2 * grid.spacing.max()), [i.lowerBound, j.lowerBound, k.lowerBound],
            [i.count, j.count, k.count]
        )
    }

    private static func bytes(_ values: [some BitwiseCopyable]) -> [UInt8] { values.withUnsafeBytes(Array.init) }
}

/// The description of a scene for the page's scripts; the names are theirs.
struct SceneDescription: Encodable {
    struct Window: Encodable { var level, width: Double }
    struct Image: Encodable {
        var name, note, modality, unit: String
        var blob: Int
        /// The value of a code is `offset + code · step`; code 0 is beyond the scan.
        var offset, step: Double
        var window: Window
    }
    struct Object: Encodable {
        var name, label, kind: String
        var blob: Int
        /// The first voxel of the scene's grid that the object's part holds, and how many it holds.
        var first, size: [Int]
        /// Millimetres of signed distance to a step of the code; code 128 is the surface.
        var step: Double
    }
    struct Probe: Encodable {
        var id: String
        var tipLPS, tailLPS: PatientPoint
    }
    struct Surface: Encodable { var triangles, vertices: Int }
    struct Margin: Encodable {
        var zone, zoneName: String
        var decides: Bool
        var blob: Int
        var worstPointLPS, nearestZonePointLPS: PatientPoint
        /// The smallest margin as it stands in pictures.
        var text: String
    }
    struct Colours: Encodable {
        var requiredMM, lowMM, highMM: Double
        var ticksMM: [Double]
        var below, above: [String]
    }
    var tumour: String?
    var size: [Int]
    var spacingMM: [Double]
    var originLPS, focusLPS: PatientPoint
    var images: [Image]
    var objects: [Object]
    var probes: [Probe]
    var surface: Surface?
    var margins: [Margin]
    var colours: Colours
}
