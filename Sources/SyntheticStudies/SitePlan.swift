import Foundation
import ImagingCore

/// Where a site's tumour sits, what surrounds it and how the probes come in; planning space.
struct SitePlan {
    /// A tube whose distance from the ice is part of the truth.
    struct Structure: Sendable {
        var name: String
        var tube: Tube
        var limitMM: Double
    }

    var tumour: TumourShape
    var surrounding: Tissue
    /// HU of the tumour: planning, and without contrast medium; and its MR signal.
    var planningHU, plainHU, signal: Double
    /// From the tumour towards the skin.
    var entry: SIMD3<Double>
    var structures: [Structure]
    var heatSink: Capsule?
    /// Layers that belong to the tumour's surroundings: the vessel that warms, a rim of dense bone.
    var furtherLayers: [Layer] = []
    var isProne: Bool
    var hasContrast: Bool
    var bodyPart: String

    init(_ options: StudyOptions, torso: Torso) {
        var generator = SeededGenerator(seed: options.seed, purpose: "tumour")
        func jitter(_ mm: Double) -> SIMD3<Double> {
            SIMD3(generator.uniform(-mm...mm), generator.uniform(-mm...mm), generator.uniform(-mm...mm))
        }
        func shape(_ center: SIMD3<Double>, _ range: ClosedRange<Double>, _ generator: inout SeededGenerator) -> TumourShape {
            let diameter = options.tumourDiameterMM ?? generator.uniform(range)
            return TumourShape(
                center: center, diameter: diameter, elongation: generator.uniform(1.05...1.3), irregularity: options.irregularity,
                generator: &generator)
        }
        let abdomen = AbdominalOrgans(torso: torso)
        let contrastAround: Double, defaultContrast: Double
        switch options.site {
        case .liver:
            tumour = shape(SIMD3(-88, -14, 34) + jitter(9), 18...28, &generator)
            (surrounding, entry, isProne, hasContrast, bodyPart) = (.liver, SIMD3(-1, -0.12, -0.2), false, true, "LIVER")
            (contrastAround, defaultContrast, plainHU, signal) = (Tissue.liver.properties.contrastHU, -35, 47, 345)
            structures = [Structure(name: "bile duct", tube: abdomen.bileDuct, limitMM: 5)]
        case .kidney:
            let kidney = torso.rightKidney
            let outward = normalize(-0.9 * kidney.x + 0.45 * kidney.y)
            let surface = kidney.center + outward / length(SIMD3(dot(outward, kidney.x), dot(outward, kidney.y), 0) / kidney.semiAxes)
            tumour = shape(surface - 1.5 * outward + SIMD3(0, 0, generator.uniform(-8...8)) + jitter(1.5), 18...27, &generator)
            (surrounding, entry, isProne, hasContrast, bodyPart) = (.kidneyCortex, SIMD3(-0.5, 1, 0.05), true, true, "KIDNEY")
            (contrastAround, defaultContrast, plainHU, signal) = (Tissue.kidneyCortex.properties.contrastHU, -70, 38, 270)
            structures = [
                Structure(name: "ureter", tube: abdomen.rightUreter, limitMM: 10),
                Structure(name: "ascending colon", tube: abdomen.ascendingColon, limitMM: 10),
            ]
        case .lung:
            tumour = shape(SIMD3(-98, 4, 150) + jitter(8), 11...17, &generator)
            (surrounding, entry, isProne, hasContrast, bodyPart) = (.lung, SIMD3(-1, -0.3, 0.06), false, true, "CHEST")
            (contrastAround, defaultContrast, plainHU, signal) = (Tissue.lung.properties.contrastHU, 890, 36, 330)
            structures = [Structure(name: "oesophagus", tube: ThoracicOrgans(torso: torso).esophagus, limitMM: 10)]
        case .spine:
            tumour = shape(SIMD3(generator.uniform(-8 ... -4), 39, 0) + jitter(1.5), 15...20, &generator)
            (surrounding, entry, isProne, hasContrast, bodyPart) = (.trabecularBone, SIMD3(-0.85, 0.8, 0.03), true, false, "SPINE")
            (contrastAround, defaultContrast, plainHU, signal) = (Tissue.trabecularBone.properties.plainHU, -125, 58, 240)
            structures = [Structure(name: "spinal cord", tube: torso.cord, limitMM: 8)]
        }
        entry = normalize(entry)
        let contrast = options.contrast ?? (options.modality == .ct ? defaultContrast : signal - surrounding.properties.signal)
        planningHU = contrastAround + contrast
        if !hasContrast { plainHU = planningHU }
        if options.modality == .mr { signal = max(surrounding.properties.signal + contrast, 5) }

        if options.site == .liver || options.site == .kidney {
            addHeatSink(radius: options.site == .liver ? 3.4 : 2.2, &generator)
        }
    }

    /// A vessel that runs past the tumour, a few millimetres from its surface.
    private mutating func addHeatSink(radius: Double, _ generator: inout SeededGenerator) {
        // On the side that looks away from the skin, where the large vessels are.
        let (u, v) = perpendiculars(to: entry)
        let angle = generator.uniform(0...2 * .pi)
        let side = normalize(-entry + 1.4 * (cos(angle) * u + sin(angle) * v))
        let gap = generator.uniform(2.5...5)
        let nearest = tumour.center + (tumour.radius(along: side) + gap + radius) * side
        let along = normalize(cross(side, SIMD3(0.3, 0.2, 0.9)))
        let vessel = Capsule(
            start: nearest - 26 * along - 5 * entry, end: nearest + 24 * along - 3 * entry, startRadius: radius * 1.1,
            endRadius: radius * 0.85)
        heatSink = vessel
        furtherLayers.append(Layer(vessel, .blood))
    }
}
