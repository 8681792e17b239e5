/// A shape whose kind is not known when compiling.
///
/// A class, because a call through an existential value copies the shape's box, and its reference count, per voxel.
class ShapeReference: @unchecked Sendable {
    let bounds: Box

    fileprivate init(bounds: Box) { self.bounds = bounds }

    func value(at point: SIMD3<Double>) -> Double { preconditionFailure("abstract") }

    static func holding<Shape: ImplicitShape>(_ shape: Shape) -> ShapeReference { Holder(shape) }

    private final class Holder<Shape: ImplicitShape>: ShapeReference, @unchecked Sendable {
        let shape: Shape
        init(_ shape: Shape) {
            self.shape = shape
            super.init(bounds: shape.bounds)
        }
        override func value(at point: SIMD3<Double>) -> Double { shape.value(at: point) }
    }
}

/// A shape whose kind is not known when compiling, as a part of others.
struct DynamicShape: ImplicitShape {
    private let reference: ShapeReference

    init(_ base: some ImplicitShape) { reference = .holding(base) }

    func value(at point: SIMD3<Double>) -> Double { reference.value(at: point) }
    var bounds: Box { reference.bounds }
}
