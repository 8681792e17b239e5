import Foundation
import ImagingCore
import Testing

@testable import FigureRendering

private func sphere(center: PatientPoint, radiusMM: Double, on geometry: GridGeometry) -> LevelSet {
    LevelSet(field: Volume(geometry: geometry) { voxels in
        for offset in voxels.indices {
            voxels[offset] = Float(radiusMM - geometry.point(geometry.size.index(atOffset: offset)).distance(to: center))
        }
    })
}

private func distance(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Double { ((a - b) * (a - b)).sum().squareRoot() }

@Suite struct FigureTests {
    let geometry: GridGeometry
    let center = PatientPoint(3.3, -7.9, 41.2)

    init() throws {
        geometry = try GridGeometry(
            size: GridSize(70, 64, 40), spacing: SIMD3(0.9, 1.0, 1.6), origin: PatientPoint(-28, -40, 9), frameOfReferenceUID: "1.2.3")
    }

    @Test(arguments: ViewOrientation.allCases)
    func outlinesLieOnTheSurfaceToAFractionOfAVoxel(_ orientation: ViewOrientation) throws {
        let overlay = FigureOverlay(sphere(center: center, radiusMM: 14, on: geometry), colour: FigureColour.ice, name: "ice")
        let plane = ViewPlane(orientation, center: center + 5 * orientation.normal, pixelSizeMM: 0.25, width: 200, height: 180)
        let contours = overlay.contours(in: plane)
        try #require(contours.count == 1)
        #expect(contours[0].first == contours[0].last)
        // A plane 5 mm off the middle cuts a sphere of 14 mm in a circle of √(14² − 5²) mm.
        let radii = contours[0].map { distance($0, plane.pixel(center)) * 0.25 }
        #expect(radii.allSatisfy { abs($0 - 171.0.squareRoot()) < 0.08 })
        let length = zip(contours[0], contours[0].dropFirst()).map(distance).reduce(0, +) * 0.25
        #expect(abs(length - 2 * .pi * 171.0.squareRoot()) < 0.4)
    }

    @Test func planesBesideAnObjectShowNoOutline() {
        let overlay = FigureOverlay(sphere(center: center, radiusMM: 14, on: geometry), colour: FigureColour.ice, name: "ice")
        let plane = ViewPlane(.axial, center: center + PatientVector(0, 0, 14.5), pixelSizeMM: 0.25, width: 200, height: 180)
        #expect(overlay.contours(in: plane).isEmpty)
    }

    @Test func outlinesCloseAlongTheEdgeOfTheirGrid() throws {
        let edge = geometry.point(ContinuousIndex(0, 32, 20))
        let overlay = FigureOverlay(sphere(center: edge, radiusMM: 9, on: geometry), colour: FigureColour.ice, name: "ice")
        let plane = ViewPlane(.axial, center: edge, pixelSizeMM: 0.25, width: 200, height: 180)
        let contours = overlay.contours(in: plane)
        try #require(contours.count == 1)
        #expect(contours[0].first == contours[0].last)
    }

    @Test func saddlesJoinOrPartByTheirMean() {
        let values: [Float] = [
            -1, -1, -1, -1,
            -1, 1, -1, -1,
            -1, -1, 1, -1,
            -1, -1, -1, -1,
        ]
        let lines = zeroContours(values, width: 4, height: 4)
        // The mean at the saddle is 0, which counts as inside: one ring round both.
        #expect(lines.count == 1)
        #expect(lines.allSatisfy { $0.first == $0.last })
        #expect(Set(lines.joined().map { "\($0)" }).count == 8)
        let apart = values.map { $0 < 0 ? -2 : $0 }
        #expect(zeroContours(apart, width: 4, height: 4).count == 2)
    }

    @Test func theArrowOfTheWorstMarginEndsOnTheZone() throws {
        let ice = sphere(center: center, radiusMM: 14, on: geometry)
        for direction in [PatientVector(1, 0, 0), PatientVector(-0.6, 0, 0.8)] {
            for depth in [-2.1, 4.0] {
                let mark = FigureMark.worstMargin(depth, at: center + (14 - depth) * direction, in: ice)
                let target = try #require(mark.target)
                #expect(target.distance(to: center + 14 * direction) < 0.15)
            }
        }
        #expect(FigureMark.text(ofMarginMM: -2.1) == "−2.1 mm")
        #expect(FigureMark.text(ofMarginMM: 0.04) == "0.0 mm")
        #expect(FigureMark.text(ofMarginMM: 4.96) == "+5.0 mm")
    }

    @Test func threePlanesShowTheMarkWhereItIs() throws {
        let tumour = sphere(center: center, radiusMM: 9, on: geometry), worst = center + PatientVector(9, 0, 0)
        let scan = ScanVolume.float32(Volume(geometry: geometry, repeating: -1000))
        var renderer = FigureRenderer(window: .softTissue)
        renderer.panelSize = 300
        let image = try renderer.orthogonalPlanes(
            scan: scan, overlays: [FigureOverlay(tumour, colour: FigureColour.tumour, name: "tumour")], at: worst,
            mark: FigureMark(point: worst, target: nil, text: ""), caption: FigureCaption(title: "T1"))
        #expect(image.width == 3 * 300 + 2 * 6 && image.height == 300 + 2 * 34)

        let box = renderer.region(of: [FigureOverlay(tumour, colour: .white, name: "")], around: worst, in: geometry)
        let place = (worst - box.center).lps / (box.sideMM / 300) + 149.5
        var (sum, count) = (SIMD2(0.0, 0.0), 0.0)
        for y in 34..<334 {
            for x in 0..<300 where image[x, y] == FigureColour.mark {
                sum += SIMD2(Double(x), Double(y))
                count += 1
            }
        }
        try #require(count > 5)
        // The ring is centred on the point; its leader pulls the mean a little to one side.
        #expect(distance(sum / count, SIMD2(place.x, place.y + 34)) < 22)
        #expect(image[Int((place.x - 8).rounded()), Int((place.y + 34).rounded())] != .black)
    }

    @Test func picturesAreFramedByTumourAndIceAndStayInTheScan() throws {
        let tumour = FigureOverlay(sphere(center: center, radiusMM: 9, on: geometry), colour: .white, name: "tumour")
        let far = FigureOverlay(
            sphere(center: geometry.point(ContinuousIndex(68, 60, 20)), radiusMM: 6, on: geometry), colour: .white, name: "colon",
            framesPicture: false)
        var renderer = FigureRenderer(window: .softTissue)
        renderer.surroundingsMM = 10
        let alone = renderer.region(of: [tumour], around: center, in: geometry)
        let beside = renderer.region(of: [tumour, far], around: center, in: geometry)
        #expect(alone.sideMM == beside.sideMM && alone.center == beside.center)
        // The scan reaches from −28 to 34.1 along L and the picture is 60 mm wide, so its middle is moved to 2 … 4.1.
        let atEdge = renderer.region(of: [FigureOverlay(
            sphere(center: PatientPoint(-20, -8, 41), radiusMM: 5, on: geometry), colour: .white, name: "")],
            around: PatientPoint(-20, -8, 41), in: geometry)
        #expect(atEdge.sideMM == 60 && abs(atEdge.center.lps.x - 2) < 1e-9)
    }

    @Test func theMontageMarksTheWorstPointEvenBeyondItsFirstPlane() throws {
        let tumour = sphere(center: center, radiusMM: 9, on: geometry)
        let image = try FigureRenderer(window: .softTissue).montage(
            scan: .float32(Volume(geometry: geometry, repeating: -1000)),
            overlays: [FigureOverlay(tumour, colour: FigureColour.tumour, name: "")],
            columns: 2, rows: 1, tileSize: 200, mark: FigureMark(point: center + PatientVector(0, 0, 9), target: nil, text: "x"),
            caption: FigureCaption(title: ""))
        let marked = (0..<2).map { tile in
            (34..<234).reduce(0) { sum, y in sum + (0..<200).count { image[$0 + 206 * tile, y] == FigureColour.mark } }
        }
        #expect(marked[0] > 5 && marked[1] == 0)
    }

    @Test func overlaysOfAnotherFrameOfReferenceAreRefused() {
        let scan = ScanVolume.float32(Volume(geometry: geometry, repeating: 0))
        let other = sphere(center: center, radiusMM: 9, on: geometry.with(frameOfReferenceUID: "9.9"))
        #expect(throws: GeometryError.framesOfReferenceDiffer("1.2.3", "9.9")) {
            try FigureRenderer(window: .softTissue).montage(
                scan: scan, overlays: [FigureOverlay(other, colour: .white, name: "x")], caption: FigureCaption(title: ""))
        }
    }

    @Test func montagesHaveTheirTilesAndOneLookPerScanOrientation() throws {
        let scan = ScanVolume.float32(Volume(geometry: geometry, repeating: 0))
        let overlay = FigureOverlay(sphere(center: center, radiusMM: 9, on: geometry), colour: FigureColour.tumour, name: "tumour")
        let image = try FigureRenderer(window: .softTissue).montage(
            scan: scan, overlays: [overlay], columns: 3, rows: 2, tileSize: 120, caption: FigureCaption(title: ""))
        #expect(image.width == 3 * 120 + 2 * 6 && image.height == 2 * 120 + 6 + 2 * 34)
        let coronal = try PatientAxes(rowDirection: PatientVector(1, 0, 0), columnDirection: PatientVector(0, 0, -1))
        let grid = try GridGeometry(size: GridSize(9, 9, 9), spacing: SIMD3(1, 1, 4), origin: PatientPoint(0, 0, 0), axes: coronal)
        #expect(ViewOrientation.nearest(to: grid) == .coronal && ViewOrientation.nearest(to: geometry) == .axial)
    }

    @Test(arguments: [(widthMM: 60.0, barMM: 10.0), (90, 20), (400, 100), (35, 5)])
    func scaleBarsHaveARoundLength(_ widthMM: Double, _ barMM: Double) { #expect(Panel.scaleBarMM(pictureWidthMM: widthMM) == barMM) }
}
