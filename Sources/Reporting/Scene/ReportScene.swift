import FigureRendering
import ImagingCore
import MarginAnalysis

/// What the page's viewer and margin map show: one tumour with its surroundings in the frame of reference of the scan that was treated.
public struct ReportScene: Sendable {
    /// A scan on the scene's grid.
    public struct Image: Sendable {
        /// For example `intraprocedural scan`.
        public var name: String
        public var modality: Modality
        /// On the scene's grid; NaN where the scan does not reach.
        public var volume: Volume<Float>
        /// How the scan comes to lie there, for example `registered`; empty for the treated scan.
        public var note: String

        public init(name: String, modality: Modality, volume: Volume<Float>, note: String = "") {
            (self.name, self.modality, self.volume, self.note) = (name, modality, volume, note)
        }
    }

    /// An object that is outlined.
    public struct Object: Sendable {
        public enum Kind: String, Sendable { case tumour, ice, isotherm20, isotherm40, structure }
        public var name: String
        /// What is written beside the outline.
        public var label: String
        public var kind: Kind
        public var levelSet: LevelSet

        public init(name: String, label: String, kind: Kind, levelSet: LevelSet) {
            (self.name, self.label, self.kind, self.levelSet) = (name, label, kind, levelSet)
        }
    }

    public struct Probe: Sendable {
        public var id: String
        public var tip, tail: PatientPoint

        public init(id: String, tip: PatientPoint, tail: PatientPoint) { (self.id, self.tip, self.tail) = (id, tip, tail) }
    }

    /// The margin of the tumour in one zone.
    public struct ZoneMargin: Sendable {
        public var result: MarginResult
        /// Whether the verdict rests on it.
        public var decides: Bool

        public init(_ result: MarginResult, decides: Bool) { (self.result, self.decides) = (result, decides) }
    }

    /// The tumour's id; `nil` when no tumour could be placed.
    public var tumour: String?
    /// The treated scan first.
    public var images: [Image]
    public var objects: [Object]
    public var probes: [Probe]
    /// The deciding one first.
    public var margins: [ZoneMargin]
    /// What the margin is held against, and how it is coloured.
    public var colours: MarginColours
    /// Where the viewer opens when there is no worst point.
    public var focus: PatientPoint
    /// The CT window that the site asks for.
    public var siteWindow: DisplayWindow

    public init(
        tumour: String?, images: [Image], objects: [Object], probes: [Probe], margins: [ZoneMargin], colours: MarginColours,
        focus: PatientPoint, siteWindow: DisplayWindow
    ) {
        precondition(!images.isEmpty && images.allSatisfy { $0.volume.size == images[0].volume.size }, "images on one grid")
        self.tumour = tumour
        self.images = images
        self.objects = objects
        self.probes = probes
        self.margins = margins
        self.colours = colours
        self.focus = focus
        self.siteWindow = siteWindow
    }

    public var grid: GridGeometry { images[0].volume.geometry }
}
