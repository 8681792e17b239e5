import CLanes

/// Four cells' values, which kernels work on at once.
struct Lanes: BitwiseCopyable {
    var values: lanes_values

    @_transparent static var scalarCount: Int { 4 }
    @_transparent init(_ values: lanes_values) { self.values = values }
    @_transparent init(repeating value: Float) { values = lanes_repeating(value) }

    @_transparent static func + (a: Lanes, b: Lanes) -> Lanes { Lanes(lanes_sum(a.values, b.values)) }
    @_transparent static func - (a: Lanes, b: Lanes) -> Lanes { Lanes(lanes_difference(a.values, b.values)) }
    @_transparent static func * (a: Lanes, b: Lanes) -> Lanes { Lanes(lanes_product(a.values, b.values)) }
    @_transparent static func / (a: Lanes, b: Lanes) -> Lanes { Lanes(lanes_quotient(a.values, b.values)) }
    @_transparent static func + (a: Float, b: Lanes) -> Lanes { Lanes(repeating: a) + b }
    @_transparent static func - (a: Lanes, b: Float) -> Lanes { a - Lanes(repeating: b) }
    @_transparent static func * (a: Lanes, b: Float) -> Lanes { a * Lanes(repeating: b) }
    @_transparent static func / (a: Lanes, b: Float) -> Lanes { a / Lanes(repeating: b) }
    @_transparent static func += (a: inout Lanes, b: Lanes) { a = a + b }
    @_transparent static func -= (a: inout Lanes, b: Lanes) { a = a - b }
    @_transparent static func *= (a: inout Lanes, b: Float) { a = a * b }

    /// What is positive of each, else 0.
    @_transparent var positive: Lanes { Lanes(lanes_positive(values)) }
    @_transparent func atMost(_ limit: Lanes) -> Lanes { Lanes(lanes_lesser(values, limit.values)) }
    @_transparent func atLeast(_ limit: Lanes) -> Lanes { Lanes(lanes_greater(values, limit.values)) }
    @_transparent var magnitude: Lanes { Lanes(lanes_magnitude(values)) }
    /// Whether each is below 0.
    @_transparent var areAllNegative: Bool { lanes_all_negative(values) }
    @_transparent var isAnyNegative: Bool { lanes_any_negative(values) }

    @_transparent static func load(_ row: UnsafePointer<Float>, _ i: Int) -> Lanes {
        Lanes(UnsafeRawPointer(row + i).loadUnaligned(as: lanes_values.self))
    }
    @_transparent static func load(_ row: UnsafeMutablePointer<Float>, _ i: Int) -> Lanes { load(UnsafePointer(row), i) }
    /// Writes as many of the lanes as `left` allows.
    @_transparent func write(to row: UnsafeMutablePointer<Float>, _ i: Int, _ left: Int) {
        if left >= Lanes.scalarCount {
            UnsafeMutableRawPointer(row + i).storeBytes(of: values, as: lanes_values.self)
        } else {
            for lane in 0..<left { row[i &+ lane] = values[lane] }
        }
    }
}
