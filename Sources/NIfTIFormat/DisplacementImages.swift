import Foundation
import ImagingCore

extension NIfTIFile {
    /// Writes displacements as a five-dimensional vector image (intent 1006, DISPVECT), which ITK reads as a displacement field.
    ///
    /// - Parameter vectors: one for each voxel of `grid`, columns first: LPS millimetres in its first three components. The file holds
    ///   them towards right, anterior and superior, as NIfTI counts.
    public static func write(displacements vectors: [SIMD4<Float>], on grid: GridGeometry, to url: URL) throws(NIfTIError) {
        precondition(vectors.count == grid.size.voxelCount)
        var header = try NIfTIHeader(describing: grid, datatype: .float32, url: url)
        header.dimensionCount = 5
        header.dimensions[4] = 3
        header.intentCode = 1006
        let file = try ByteWriter(url)
        try file.write(header.encoded())
        for (component, sign) in [Float(-1), -1, 1].enumerated() {
            try file.write(vectors.map { sign * $0[component] }.withUnsafeBytes { Array($0) })
        }
        try file.finish()
    }
}

extension NIfTIFile {
    /// Reads displacements as `write(displacements:on:to:)` and ITK write them: LPS millimetres in the first three components of each
    /// vector.
    public static func readDisplacements(_ url: URL) throws(NIfTIError) -> (vectors: [SIMD4<Float>], grid: GridGeometry) {
        let file = try ByteReader(url)
        let bytes = try file.bytes(NIfTIHeader.byteCount)
        guard bytes.count == NIfTIHeader.byteCount else {
            throw .truncated(url, expectedBytes: NIfTIHeader.byteCount, foundBytes: bytes.count)
        }
        var header = try NIfTIHeader(parsing: bytes, of: url)
        guard header.dimensionCount == 5, header.dimensions[3] == 1, header.dimensions[4] == 3, vectorIntents.contains(header.intentCode) else {
            throw .notDisplacements(url)
        }
        guard let datatype = NIfTIDatatype(rawValue: header.datatypeCode), [.float32, .float64].contains(datatype), header.layout == .singleFile else {
            throw .unsupportedDatatype(url, code: Int(header.datatypeCode))
        }
        header.dimensionCount = 3
        let (grid, _) = try header.gridGeometry(size: try header.gridSize(of: url), of: url)
        try file.skip(to: try header.voxelOffset(of: url))
        let decoder = VoxelDecoder(
            datatype: datatype, isByteSwapped: header.isByteSwapped, slope: header.slope == 0 ? 1 : Double(header.slope),
            intercept: Double(header.intercept))
        var vectors = [SIMD4<Float>](repeating: .zero, count: grid.size.voxelCount)
        for (component, sign) in [Float(-1), -1, 1].enumerated() {
            let values = try Volume<Float>(geometry: grid) { (voxels) throws(NIfTIError) in
                guard try decoder.decode(file, of: url, into: voxels) == 0 else { throw .notDisplacements(url) }
            }
            values.withUnsafeVoxels { values in for n in vectors.indices { vectors[n][component] = sign * values[n] } }
        }
        return (vectors, grid)
    }

    /// DISPVECT, and VECTOR, which ITK writes.
    private static let vectorIntents: [Int16] = [1006, 1007]
}
