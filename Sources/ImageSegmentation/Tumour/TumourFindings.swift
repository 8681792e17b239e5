import Foundation
import ImagingCore

/// What a person should know about a tumour that was found.
struct TumourFindings {
    let fit: RadialTumourFit
    let modality: Modality
    let alike: AlikeNeighbours

    /// The least share of the surface with an edge for anything to be called found.
    static let leastVisibleShare = 0.6
    /// Longest diameters, as shares of the stated one, that bear it out.
    private static let sharesAsStated = 0.75...1.4

    /// How far all of a surface may lie off that is not as large as was stated, in mm; 0 where it is.
    ///
    /// Either the stated size is wrong or the outline is that of something else: twice this takes the surface from one size to the other.
    static func sizeDoubtMM(foundMM: Double, statedMM: Double) -> Double {
        sharesAsStated.contains(foundMM / statedMM) ? 0 : abs(foundMM - statedMM) / 4
    }

    /// No iceball covers more: five probes side by side reach about 8 cm.
    private static let largestTreatedMM = 100.0

    static let reachesScanEdge = Finding(
        .warning, "tumour-reaches-scan-edge", "The tumour reaches the edge of the scan: how far it goes beyond is not known.",
        remedy: "Use a scan that shows the whole tumour.")

    private var prompt: TumourPrompt { fit.expectation.prompt }

    func findings(longestDiameterMM: Double) -> [Finding] {
        var list: [Finding] = []
        let stated = prompt.diameterMM, ratio = longestDiameterMM / stated
        if ratio > Self.sharesAsStated.upperBound {
            list.append(Finding(
                .warning, "tumour-larger-than-stated",
                "The tumour found at the seed is \(millimetres(longestDiameterMM)) mm long, \(millimetres(stated)) mm were stated.",
                remedy: "Look whether the outline runs into a neighbour; if so put an exclude point there, else correct the diameter."))
        } else if ratio < Self.sharesAsStated.lowerBound {
            list.append(Finding(
                .warning, "tumour-smaller-than-stated",
                "The tumour found at the seed is \(millimetres(longestDiameterMM)) mm long, \(millimetres(stated)) mm were stated.",
                remedy: "Look whether all of the tumour is inside the outline; if not put an include point into the rest, else correct the diameter."))
        }
        if longestDiameterMM > Self.largestTreatedMM {
            list.append(Finding(
                .warning, "tumour-as-large-as-organ",
                "What was found at the seed is \(millimetres(longestDiameterMM)) mm long, as an organ is, and more than ice can cover.",
                remedy: "Look at the outline; if it is the organ and not the tumour in it, correct the diameter."))
        }
        if fit.runsThrough {
            list.append(Finding(
                .warning, "seed-on-vessel",
                "What lies at the seed \(text(prompt.seed)) runs on at two opposite sides, as a vessel does and a tumour does not.",
                remedy: "Look whether the seed lies on the tumour; put it there, or give a mask."))
        }
        let leak = fit.leakingDirections
        if let place = Place(directions: leak, of: fit) {
            let point = fit.center + PatientVector(Double(1.15 * fit.visibleRadius) * SIMD3<Double>(place.direction))
            list.append(Finding(
                .warning, "tumour-leaks",
                "Towards \(place.side) the outline runs on without an edge\(neighbour(at: place)).",
                remedy: "Put an exclude point into the neighbour, for example at \(text(point)), or give a mask."))
        } else if fit.visibleShare < 0.93, let place = Place(directions: fit.visibility.map { $0 < 0.6 }, of: fit) {
            let share = Int((100 * (1 - fit.visibleShare)).rounded())
            list.append(Finding(
                .warning, "tumour-edge-partly-invisible",
                "\(share) % of the tumour's surface, mostly towards \(place.side), shows no edge\(neighbour(at: place)); there it goes on as the rest suggests.",
                remedy: "Look at the outline there; correct it with include and exclude points, choose another phase, or give a mask."))
        } else if alike.areMany, let place = Place(directions: alike.shares.map { $0 > 0.3 }, of: fit) {
            list.append(Finding(
                .warning, "tumour-beside-alike",
                "Beside the outline, mostly towards \(place.side), lies what looks like the tumour, as a vessel or a duct may: the outline "
                    + "may take in some of it.",
                remedy: "Look at the outline there; if it takes in a neighbour put an exclude point into that, or give a mask."))
        }
        return list
    }

    /// What lies beyond, in words; empty where it cannot be told.
    private func neighbour(at place: Place) -> String {
        guard modality == .ct, let level = place.greyLevelBeyond else { return "" }
        let name = switch level {
        case ..<(-600): "lung or air"
        case -150 ..< -30: "fat"
        case -30..<25: "fluid or muscle"
        case 25..<130: "soft tissue"
        case 130..<230: "an enhanced vessel or organ"
        case 230...: "bone"
        default: "tissue"
        }
        return " against \(name) (\(Int(level.rounded())) HU)"
    }

    private func millimetres(_ value: Double) -> String { String(Int(value.rounded())) }
    private func text(_ point: PatientPoint) -> String {
        [point.lps.x, point.lps.y, point.lps.z].map { String(($0 * 10).rounded() / 10) }.joined(separator: ",")
    }

    /// A part of the surface, by the mean of its directions.
    private struct Place {
        let direction: SIMD3<Float>
        let greyLevelBeyond: Float?

        init?(directions chosen: [Bool], of fit: RadialTumourFit) {
            var sum = SIMD3<Float>.zero, beyond: [Float] = []
            let count = fit.samples.radii.count
            for n in chosen.indices where chosen[n] {
                sum += fit.sphere.solidAngles[n] * fit.radii[n] * fit.radii[n] * fit.sphere.directions[n]
                for s in 0..<count where fit.samples.radii[s] > fit.radii[n] + 1.5 && fit.samples.radii[s] < fit.radii[n] + 5 {
                    let value = fit.samples.values[n * count + s]
                    if !value.isNaN { beyond.append(value) }
                }
            }
            let length = (sum * sum).sum().squareRoot()
            guard length > 0 else { return nil }
            direction = sum / length
            greyLevelBeyond = beyond.median
        }

        /// As a person would say it: the one or two sides that the direction points to most.
        var side: String {
            let parts: [(Float, String)] = [
                (direction.x, direction.x > 0 ? "the left" : "the right"), (direction.y, direction.y > 0 ? "the back" : "the front"),
                (direction.z, direction.z > 0 ? "the head" : "the feet"),
            ].map { (abs($0.0), $0.1) }.sorted { $0.0 > $1.0 }
            return parts[1].0 > 0.5 ? "\(parts[0].1) and \(parts[1].1)" : parts[0].1
        }
    }
}

extension RadialTumourFit {
    /// The median radius where an edge shows; of all directions where none does.
    var visibleRadius: Float {
        let seen = radii.indices.filter { visibility[$0] > 0.6 }.map { radii[$0] }
        return seen.median ?? radii.median ?? 0
    }

    /// Directions in which the surface lies far out and shows no edge.
    var leakingDirections: [Bool] {
        let usual = visibleRadius, stated = expectation.radius
        let shift = SIMD3<Float>((center - expectation.prompt.seed).lps)
        let far = radii.indices.map { n -> Bool in
            let place = shift + radii[n] * sphere.directions[n]
            let fromSeed = (place * place).sum().squareRoot()
            return visibility[n] < 0.5 && radii[n] > 1.3 * usual && fromSeed > 1.25 * stated
        }
        // A few single directions are noise.
        let area = far.indices.reduce(Float(0)) { $0 + (far[$1] ? sphere.solidAngles[$1] : 0) }
        return area > 0.02 * 4 * .pi ? far : far.map { _ in false }
    }

    /// Whether grey levels of the object go on beyond its surface in two opposite directions.
    ///
    /// A vessel through the seed does so; a tumour with a vessel at one side, or vessels beside it, does not.
    var runsThrough: Bool {
        let count = samples.radii.count
        var beyond = radii.indices.map { n -> Float in
            var sum: Float = 0, weight: Float = 0
            for s in 0..<count where samples.radii[s] > 1.1 * radii[n] + 1 && samples.radii[s] < 1.1 * radii[n] + 9 {
                let value = samples.values[n * count + s]
                guard !value.isNaN else { break }
                // Glass and the small vessels of lung are no part of a vessel that a seed lies on.
                let thin = expectation.lung != nil && value < LungBackground.solidHU
                sum += samples.radii[s] * (thin ? -2 : max(-2, min(2, odds.logOdds(value, direction: n))))
                weight += samples.radii[s]
            }
            return weight > 0 ? sum / weight : -2
        }
        beyond = sphere.averaged(beyond)
        // Tubes came to 1.0 and more, tumours and plain tissue to 0.3 and less.
        let certain: Float = 0.7
        let onwards = radii.indices.filter { beyond[$0] > certain }
        return onwards.contains { n in onwards.contains { (sphere.directions[$0] * sphere.directions[n]).sum() < -0.99 } }
    }
}
