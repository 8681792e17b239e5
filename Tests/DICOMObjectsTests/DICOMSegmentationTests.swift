import Foundation
import ImagingCore
import Testing

@testable import DICOMObjects

@Suite struct DICOMSegmentationTests {
    let folder = TemporaryFolder()

    /// 3 rows of 5 columns are 15 bits: the second frame begins in the last bit of the second byte.
    @Test func bitsRunOnFromFrameToFrame() throws {
        let file = SegmentationBytes(
            frames: [.init(segment: 1, position: [0, 0, 0]), .init(segment: 1, position: [0, 0, 2])], pixels: [0x02, 0xC0, 0x00, 0x20])
        let mask = try file.read(in: folder).mask(of: .init(number: 1, label: "tumour"))
        #expect(inside(mask) == [VoxelIndex(1, 0, 0), VoxelIndex(4, 2, 0), VoxelIndex(0, 0, 1), VoxelIndex(4, 2, 1)])
    }

    @Test func framesOfOverlappingSegmentsComeInAnyOrder() throws {
        // Planes at z = 4, 0, 2; segment 2 lies on one of them only, over segment 1.
        let file = SegmentationBytes(
            rows: 1, columns: 8, segments: [(2, "duct"), (1, "tumour")],
            frames: [
                .init(segment: 1, position: [0, 0, 4]), .init(segment: 2, position: [0, 0, 2]), .init(segment: 1, position: [0, 0, 0]),
                .init(segment: 1, position: [0, 0, 2]),
            ], pixels: [0b0000_0001, 0b1100_0000, 0b0000_0100, 0b1111_0000])
        let segmentation = try file.read(in: folder)
        #expect(segmentation.geometry.size == GridSize(8, 1, 3))
        #expect(
            inside(segmentation.mask(
                of: try segmentation.segment(.number(1))
            )).map { [$0.i, $0.k] } == [[2, 0], [4, 1], [5, 1], [6, 1], [7, 1], [0, 2]])
        #expect(inside(segmentation.mask(of: try segmentation.segment(.label("duct")))).map { [$0.i, $0.k] } == [[6, 1], [7, 1]])
        #expect(segmentation.geometry.frameOfReferenceUID == "1.2.826.7")
    }

    @Test(arguments: [("PROBABILITY", DICOMSegmentation.Encoding.FractionalType.probability), ("OCCUPANCY", .occupancy)])
    func fractionsAreSharesOfTheMaximum(type: String, expected: DICOMSegmentation.Encoding.FractionalType) throws {
        let file = SegmentationBytes(
            type: "FRACTIONAL", rows: 1, columns: 5, bitsAllocated: 8, fractionalType: type, maximumFractionalValue: 200,
            pixels: [0, 50, 99, 100, 200])
        let segmentation = try file.read(in: folder)
        #expect(segmentation.encoding == .fractional(expected, maximum: 200))
        let segment = try segmentation.segment(.only)
        #expect(segmentation.fraction(of: segment).withUnsafeVoxels { Array($0) } == [0, 0.25, 0.495, 0.5, 1])
        #expect(segmentation.mask(of: segment).withUnsafeVoxels { Array($0) } == [0, 0, 0, 1, 1])
    }

    @Test func labelMapsHoldASegmentPerValue() throws {
        var file = SegmentationBytes(
            sopClass: "1.2.840.10008.5.1.4.1.1.66.7", type: "LABELMAP", rows: 1, columns: 4, bitsAllocated: 16,
            segments: [(0, "Background"), (7, "tumour"), (300, "duct")], frames: [.init(segment: nil, position: [0, 0, 0])])
        file.pixels = [7, 0, 0, 0, 0x2C, 1, 7, 0]
        let segmentation = try file.read(in: folder)
        #expect(inside(segmentation.mask(of: try segmentation.segment(.number(7)))).map(\.i) == [0, 3])
        #expect(inside(segmentation.mask(of: try segmentation.segment(.number(300)))).map(\.i) == [2])
    }

    /// Heights of frames, Spacing Between Slices, Slice Thickness → spacing and planes, by hand.
    @Test(arguments: [
        ([0, 4.25, 8.5], nil, 5, 4.25, [0, 1, 2]),  // Overlapping slices: the thickness is not the spacing.
        ([105.52, 103.02, 104.27], nil, 1.25, 1.25, [2, 0, 1]),
        ([-99.48, 103.02, 104.27], nil, 1.25, 1.25, [0, 162, 163]),
        ([0, 10], 2.5, 2.5, 2.5, [0, 4]),  // Two lesions, four slices apart.
        ([0, 10], nil, 2, 2, [0, 5]),
        ([0, 10], nil, 7, 10, [0, 1]),
        ([0, 2.5, 5], 4, nil, 2.5, [0, 1, 2]),  // Spacing Between Slices contradicts the positions.
        ([0, 2.501, 4.998], nil, nil, 2.499, [0, 1, 2]),
        ([7], nil, 3, 3, [0]),
        ([7], 2, 3, 2, [0]),
    ] as [([Double], Double?, Double?, Double, [Int])])
    func spacingComesFromPositions(heights: [Double], between: Double?, thickness: Double?, spacing: Double, slices: [Int]) throws {
        let file = SegmentationBytes(
            rows: 1, columns: 8, frames: heights.map { .init(segment: 1, position: [3, 4, $0]) }, spacingBetweenSlices: between,
            sliceThickness: thickness, pixels: heights.indices.map { UInt8(1 << $0) })
        let segmentation = try file.read(in: folder)
        #expect(abs(segmentation.geometry.spacing.z - spacing) < 1e-6)
        #expect(segmentation.geometry.spacing.x == 0.5 && segmentation.geometry.spacing.y == 1.5)
        #expect(segmentation.geometry.origin == PatientPoint(3, 4, heights.min()!))
        let mask = segmentation.mask(of: try segmentation.segment(.only))
        #expect(inside(mask).sorted { $0.i < $1.i }.map(\.k) == slices)
    }

    @Test(arguments: [
        ([0, 3, 7], nil, "segmentation-planes-uneven"), ([5], nil, "segmentation-one-plane"), ([0, 0.02, 900], nil, "segmentation-broken"),
    ] as [([Double], Double?, String)])
    func planesThatMakeNoGridAreRefused(heights: [Double], thickness: Double?, code: String) throws {
        let file = SegmentationBytes(
            rows: 1, columns: 8, frames: heights.map { .init(segment: 1, position: [0, 0, $0]) }, sliceThickness: thickness,
            pixels: heights.map { _ in 0 })
        let error = #expect(throws: DICOMError.self) { try file.read(in: folder) }
        #expect(error?.finding.code == code)
    }

    struct Placement: Sendable {
        var orientation: [Double]
        /// Of two frames; the second is the further along the normal when `secondIsUpper`.
        var positions: [[Double]]
        var secondIsUpper: Bool
        /// Where voxel (4, 2, 1) is, by hand: 4 · 0.5 mm along the rows, 2 · 1.5 mm along the columns of the upper frame.
        var point: PatientPoint
    }

    @Test(arguments: [
        Placement(orientation: [-1, 0, 0, 0, 1, 0], positions: [[0, 0, 0], [0, 0, 2]], secondIsUpper: false, point: PatientPoint(-2, 3, 0)),
        Placement(orientation: [0, 1, 0, 0, 0, -1], positions: [[5, 0, 0], [3, 0, 0]], secondIsUpper: true, point: PatientPoint(3, 2, -3)),
        Placement(
            orientation: [0.6, 0.8, 0, -0.8, 0.6, 0], positions: [[1, 1, 2], [1, 1, 4]], secondIsUpper: true,
            point: PatientPoint(-0.2, 4.4, 4)),
    ])
    func anyOrientationKeepsVoxelsInPlace(of place: Placement) throws {
        // Pixel (4, 2) of the upper frame: bit 14 of its 15.
        let pixels: [UInt8] = place.secondIsUpper ? [0, 0, 0, 0x20] : [0, 0x40, 0, 0]
        for perFrameGeometry in [false, true] {
            let file = SegmentationBytes(
                frames: place.positions.map { .init(segment: 1, position: $0) }, orientation: place.orientation,
                perFrameGeometry: perFrameGeometry,
                pixels: pixels)
            let segmentation = try file.read(in: folder)
            #expect(segmentation.geometry.axes.isRightHanded)
            #expect(inside(segmentation.mask(of: try segmentation.segment(.only))) == [VoxelIndex(4, 2, 1)])
            #expect(segmentation.geometry.point(VoxelIndex(4, 2, 1)).distance(to: place.point) < 1e-9)
        }
    }

    @Test(arguments: [
        (.number(2), 2), (.label("Bile Duct"), 2), (.label(" bile duct "), 2), (.number(9), nil), (.label("tumour"), nil),
        (.label("x"), nil), (.only, nil),
    ] as [(DICOMSegmentation.Selector, Int?)])
    func segmentsAreChosenByNumberOrLabel(selector: DICOMSegmentation.Selector, number: Int?) throws {
        let file = SegmentationBytes(
            segments: [(1, "tumour"), (2, "Bile Duct"), (3, "Tumour")], frames: [.init(segment: 1, position: [0, 0, 0])])
        let segmentation = try file.read(in: folder)
        if let number {
            #expect(try segmentation.segment(selector).number == number)
        } else {
            let error = #expect(throws: DICOMError.self) { try segmentation.segment(selector) }
            #expect(error?.finding.message.contains("1 “tumour”, 2 “Bile Duct”, 3 “Tumour”") == true)
        }
    }

    @Test func planesWithoutAnyFrameInsideASegmentAreReported() throws {
        let file = SegmentationBytes(
            rows: 1, columns: 8, frames: [0, 2, 8].map { .init(segment: 1, position: [0, 0, $0]) }, pixels: [1, 1, 1])
        let segmentation = try file.read(in: folder)
        #expect(segmentation.findings(for: try segmentation.segment(.only)).map(\.code) == ["segment-planes-missing"])
    }

    @Test(arguments: [
        (.rows, "segmentation-broken"), (.segmentSequence, "segmentation-broken"), (.pixelData, "segmentation-broken"),
        (.bitsAllocated, "segmentation-broken"), (.segmentationType, "segmentation-broken"), (.sopClassUID, "not-a-segmentation"),
        (.perFrameFunctionalGroupsSequence, "segmentation-broken"), (.sharedFunctionalGroupsSequence, "segmentation-geometry-missing"),
    ] as [(DICOMTag, String)])
    func missingAttributesAreNamed(tag: DICOMTag, code: String) throws {
        let error = #expect(throws: DICOMError.self) { try SegmentationBytes().read(in: folder, without: tag) }
        #expect(error?.finding.code == code)
        #expect(error?.finding.remedy.isEmpty == false)
    }

    @Test func contradictionsAreRefused() throws {
        var short = SegmentationBytes()
        short.rows = 300
        var tilted = SegmentationBytes(frames: [.init(segment: 1, position: [0, 0, 0]), .init(segment: 1, position: [0, 0.6, 2])])
        tilted.pixels = [0, 0, 0, 0]
        let frames = SegmentationBytes(frameCount: 9)
        let noSegment = SegmentationBytes(frames: [.init(segment: nil, position: [0, 0, 0])])
        let twice = SegmentationBytes(segments: [(1, "a"), (1, "b")])
        for (file, code) in [
            (short, "segmentation-broken"), (tilted, "segmentation-grid-irregular"), (frames, "segmentation-broken"),
            (noSegment, "segmentation-broken"),
            (twice, "segmentation-broken"),
        ] {
            let error = #expect(throws: DICOMError.self) { try file.read(in: folder) }
            #expect(error?.finding.code == code)
        }
    }

    /// One row of five cells, run-length encoded by hand (PS3.5 annex G): four equal cells (257 − 4 = 253) and one as it is.
    private func runLengthEncoded(firstSegmentOffset: UInt32) -> Data {
        var attributes = SegmentationBytes(
            type: "FRACTIONAL", rows: 1, columns: 5, bitsAllocated: 8, fractionalType: "OCCUPANCY", maximumFractionalValue: 100
        ).attributes
        attributes[.pixelData] = nil
        attributes[.samplesPerPixel] = .us([1])
        attributes[.photometricInterpretation] = .text("CS", "MONOCHROME2")
        attributes[.bitsStored] = .us([8])
        attributes[.highBit] = .us([7])
        attributes[.pixelRepresentation] = .us([0])
        var file = DICOMBytes.file(attributes)
        let syntax = file.range(of: Data("1.2.840.10008.1.2.1".utf8))!
        file[syntax.upperBound - 1] = UInt8(ascii: "5")
        func number(_ value: UInt32) -> Data { withUnsafeBytes(of: value.littleEndian) { Data($0) } }
        let segment = Data([253, 50, 0, 100])
        file += Data([0xE0, 0x7F, 0x10, 0, UInt8(ascii: "O"), UInt8(ascii: "B"), 0, 0, 0xFF, 0xFF, 0xFF, 0xFF])
        file += Data([0xFE, 0xFF, 0, 0xE0]) + number(0)
        file += Data([0xFE, 0xFF, 0, 0xE0]) + number(64 + UInt32(segment.count)) + number(1) + number(firstSegmentOffset) + Data(count: 56)
            + segment
        return file + Data([0xFE, 0xFF, 0xDD, 0xE0]) + number(0)
    }

    @Test func runLengthEncodedFractionsAreDecoded() throws {
        let segmentation = try DICOMSegmentation.read(folder.write(runLengthEncoded(firstSegmentOffset: 64), "rle.dcm"))
        #expect(segmentation.fraction(of: try segmentation.segment(.only)).withUnsafeVoxels { Array($0) } == [0.5, 0.5, 0.5, 0.5, 1])
    }

    @Test(arguments: [0, 63, 68, 1 << 24, 0xFF00_0040] as [UInt32])
    func aRunThatLiesOutsideItsFrameIsRefused(offset: UInt32) throws {
        let url = folder.write(runLengthEncoded(firstSegmentOffset: offset), "rle.dcm")
        let error = #expect(throws: DICOMError.self) { try DICOMSegmentation.read(url) }
        #expect(error?.finding.code == "broken-file")
    }

    @Test func cutAndFlippedFilesEndInASegmentationOrATypedError() throws {
        let file = SegmentationBytes(
            segments: [(1, "a"), (2, "b")], frames: [.init(segment: 1, position: [0, 0, 0]), .init(segment: 2, position: [0, 0, 2])],
            pixels: [1, 2, 3, 4])
        let bytes = DICOMBytes.file(file.attributes)
        func read(_ data: Data) throws {
            do throws(DICOMError) {
                let segmentation = try DICOMSegmentation.read(folder.write(data, "broken.dcm"))
                for segment in segmentation.segments { _ = segmentation.mask(of: segment) }
            } catch { #expect(!error.finding.message.isEmpty) }
        }
        for count in stride(from: 0, to: bytes.count, by: 5) { try read(bytes.prefix(count)) }
        for position in 132..<bytes.count {
            var broken = bytes
            broken[position] ^= 1 << UInt8(position % 8)
            try read(broken)
        }
    }

    /// Voxel counts that dcmqi and highdicom publish with the files (read with pydicom too).
    @Test(.enabled(if: RealData.isThere, Comment(rawValue: RealData.absence)), arguments: [
        ("ct-seg-liver/seg/liver.dcm", [107_098]), ("ct-seg-liver/seg/partial_overlaps.dcm", [9602, 11_888, 10_743, 6693, 4713]),
        ("ct-seg-small/seg/seg_image_ct_binary.dcm", [638]), ("ct-seg-small/seg/seg_image_ct_binary_overlap.dcm", [64, 16]),
        ("ct-seg-small/seg/seg_image_ct_binary_fractional.dcm", [638]), ("ct-seg-small/seg/seg_image_ct_binary_single_frame.dcm", [1832]),
    ] as [(String, [Int])])
    func realSegmentsHaveTheirVoxels(path: String, counts: [Int]) throws {
        let segmentation = try DICOMSegmentation.read(RealData.url(path))
        #expect(segmentation.segments.map { segmentation.mask(of: $0).count } == counts)
    }

    @Test(.enabled(if: RealData.isThere, Comment(rawValue: RealData.absence)))
    func realSegmentsLieWhereTheyShould() throws {
        let liver = try DICOMSegmentation.read(RealData.url("ct-seg-liver/seg/liver.dcm"))
        #expect(liver.geometry.size == GridSize(512, 512, 3))
        #expect(liver.geometry.origin.distance(to: PatientPoint(-235.2, -226.8, -128.69)) < 1e-6)
        #expect(abs(liver.mask(of: try liver.segment(.label("liver"))).volumeML - 70.36) < 0.005)
        let purple = try DICOMSegmentation.read(RealData.url("ct-seg-liver/seg/partial_overlaps.dcm"))
        #expect(Set(inside(purple.mask(of: try purple.segment(.label("GREEN")))).map(\.k)) == [1])
        let fractional = try DICOMSegmentation.read(RealData.url("ct-seg-small/seg/seg_image_ct_true_fractional.dcm"))
        let fraction = fractional.fraction(of: try fractional.segment(.only))
        #expect(Mask(fraction) { $0 > 0 }.count == 661)
    }

    private func inside(_ mask: Mask) -> [VoxelIndex] {
        mask.withUnsafeVoxels { voxels in voxels.indices.filter { voxels[$0] == 1 } }.map(mask.size.index(atOffset:))
    }
}
