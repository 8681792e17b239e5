import ImagingCore

/// A voxel of a scan as it rests in memory. What a kernel asks of it is known where the kernel is compiled, unlike what a closure does.
protocol ScanVoxel: VoxelValue, Comparable {
    /// Holds the sum of some hundred of them.
    associatedtype Sum: Numeric
    var asSum: Sum { get }
    static func float(_ sum: Sum) -> Float
}

extension ScanVoxel {
    @inline(__always) var float: Float { Self.float(asSum) }
}

extension Int16: ScanVoxel {
    @inline(__always) var asSum: Int32 { Int32(self) }
    @inline(__always) static func float(_ sum: Int32) -> Float { Float(sum) }
}

extension Float: ScanVoxel {
    @inline(__always) var asSum: Float { self }
    @inline(__always) static func float(_ sum: Float) -> Float { sum }
}
