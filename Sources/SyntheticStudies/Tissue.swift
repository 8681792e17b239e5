/// What a phantom is made of.
enum Tissue: Int, CaseIterable, Sendable {
    case air, tableShell, tableFoam, skin, fat, muscle, corticalBone, trabecularBone, disc, cartilage, spinalFluid, cord
    case lung, airway, heart, blood, vessel, liver, bile, spleen, kidneyCortex, kidneyMedulla, urine, pancreas
    case bowelWall, bowelContent, gas, tumour, ablated, ablationRim, metal

    struct Properties {
        /// Hounsfield units without contrast medium, and in the portal venous phase.
        var plainHU, contrastHU: Double
        /// The change on freezing: about −85 HU in any watery tissue (Sandison 1998), little in fat and bone; lung fills up.
        var freezingHU = -85.0
        /// Signal of a T1-weighted gradient echo, arbitrary units.
        var signal: Double
        /// Standard swing of the tissue's own texture, in HU; in MR as a share of the signal over 1000 HU.
        var textureHU = 0.0
    }

    var properties: Properties {
        switch self {
        case .air: Properties(plainHU: -1000, contrastHU: -1000, freezingHU: 0, signal: 0)
        case .tableShell: Properties(plainHU: -150, contrastHU: -150, freezingHU: 0, signal: 0)
        case .tableFoam: Properties(plainHU: -920, contrastHU: -920, freezingHU: 0, signal: 0)
        case .skin: Properties(plainHU: 10, contrastHU: 20, signal: 330)
        case .fat: Properties(plainHU: -103, contrastHU: -101, freezingHU: -14, signal: 820, textureHU: 9)
        case .muscle: Properties(plainHU: 52, contrastHU: 60, signal: 330, textureHU: 10)
        case .corticalBone: Properties(plainHU: 800, contrastHU: 800, freezingHU: -10, signal: 30, textureHU: 60)
        case .trabecularBone: Properties(plainHU: 185, contrastHU: 195, freezingHU: -35, signal: 480, textureHU: 45)
        case .disc: Properties(plainHU: 78, contrastHU: 80, signal: 260, textureHU: 5)
        case .cartilage: Properties(plainHU: 115, contrastHU: 120, signal: 240, textureHU: 10)
        case .spinalFluid: Properties(plainHU: 14, contrastHU: 15, freezingHU: -80, signal: 150)
        case .cord: Properties(plainHU: 38, contrastHU: 40, signal: 320)
        case .lung: Properties(plainHU: -855, contrastHU: -840, freezingHU: 470, signal: 22, textureHU: 28)
        case .airway: Properties(plainHU: -985, contrastHU: -985, freezingHU: 0, signal: 5)
        case .heart: Properties(plainHU: 42, contrastHU: 110, freezingHU: 0, signal: 300, textureHU: 4)
        case .blood: Properties(plainHU: 42, contrastHU: 160, freezingHU: 0, signal: 210)
        case .vessel: Properties(plainHU: 42, contrastHU: 158, signal: 215)
        case .liver: Properties(plainHU: 58, contrastHU: 110, signal: 520, textureHU: 6)
        case .bile: Properties(plainHU: 8, contrastHU: 9, freezingHU: -80, signal: 190)
        case .spleen: Properties(plainHU: 50, contrastHU: 120, signal: 330, textureHU: 5)
        case .kidneyCortex: Properties(plainHU: 33, contrastHU: 185, signal: 390, textureHU: 5)
        case .kidneyMedulla: Properties(plainHU: 31, contrastHU: 140, signal: 300, textureHU: 4)
        case .urine: Properties(plainHU: 5, contrastHU: 8, freezingHU: -80, signal: 150)
        case .pancreas: Properties(plainHU: 38, contrastHU: 95, signal: 540, textureHU: 22)
        case .bowelWall: Properties(plainHU: 42, contrastHU: 90, signal: 310, textureHU: 5)
        case .bowelContent: Properties(plainHU: 24, contrastHU: 26, signal: 280, textureHU: 22)
        case .gas: Properties(plainHU: -960, contrastHU: -960, freezingHU: 0, signal: 4)
        case .tumour: Properties(plainHU: 45, contrastHU: 75, signal: 330, textureHU: 6)
        case .ablated: Properties(plainHU: 44, contrastHU: 48, freezingHU: 0, signal: 420, textureHU: 5)
        case .ablationRim: Properties(plainHU: 48, contrastHU: 125, freezingHU: 0, signal: 380, textureHU: 5)
        case .metal: Properties(plainHU: 9000, contrastHU: 9000, freezingHU: 0, signal: 0)
        }
    }
}

/// How a scan shows each tissue: its value unfrozen and frozen, and its texture.
struct Appearance: Sendable {
    var unfrozen: [Double]
    var frozen: [Double]
    var texture: [Double]
    /// The depth below the 0 °C front, in millimetres, at which a tissue looks wholly frozen; in between it changes evenly.
    var edgeBandMM: Double

    init(edgeBandMM: Double, unfrozen: (Tissue) -> Double, frozen: (Tissue) -> Double, texture: (Tissue) -> Double) {
        self.edgeBandMM = edgeBandMM
        self.unfrozen = Tissue.allCases.map(unfrozen)
        self.frozen = Tissue.allCases.map(frozen)
        self.texture = Tissue.allCases.map(texture)
    }
}

/// A body of one tissue; later layers lie over earlier ones.
struct Layer: Sendable {
    /// Which space a shape is given in: the anatomy moves with the patient, probes belong to one scan.
    enum Space: Sendable { case planning, scan }

    var shape: ShapeReference
    var tissue: Tissue
    var bounds: Box
    var space: Space

    init(_ shape: some ImplicitShape, _ tissue: Tissue, space: Space = .planning) {
        (self.shape, self.tissue, bounds, self.space) = (ShapeReference.holding(shape), tissue, shape.bounds.grown(by: 1), space)
    }
}
