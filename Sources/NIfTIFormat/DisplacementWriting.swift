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
