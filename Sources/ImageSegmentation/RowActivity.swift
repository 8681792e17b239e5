/// Which rows of a grid can change in an iteration of `TotalVariationCut`.
///
/// Where `u` is 0 in a row and those after it the dual has no gradient to follow; where neither the dual in a row nor in those before it
/// moved, a row of zeros stays as it is.
struct RowActivity {
    private let rows: Int, slices: Int
    private var isEmpty: [Bool], isSettled: [Bool], hasMoved: [Bool]

    init(rows: Int, slices: Int) {
        (self.rows, self.slices) = (rows, slices)
        isEmpty = [Bool](repeating: false, count: rows * slices)
        (isSettled, hasMoved) = (isEmpty, isEmpty)
    }

    /// Calls `body` with the rows; several threads may each look after some of the slices.
    mutating func withRows(_ body: (Rows) -> Void) {
        let (rows, slices) = (rows, slices)
        isEmpty.withUnsafeMutableBufferPointer { isEmpty in
            isSettled.withUnsafeMutableBufferPointer { isSettled in
                hasMoved.withUnsafeMutableBufferPointer { hasMoved in
                    body(Rows(rows: rows, slices: slices, isEmpty: isEmpty, isSettled: isSettled, hasMoved: hasMoved))
                }
            }
        }
    }

    struct Rows {
        fileprivate let rows: Int, slices: Int
        fileprivate let isEmpty: UnsafeMutableBufferPointer<Bool>, isSettled: UnsafeMutableBufferPointer<Bool>
        fileprivate let hasMoved: UnsafeMutableBufferPointer<Bool>

        /// Whether `u` is 0 in a row and in the next ones along j and k.
        func isFlat(_ j: Int, _ k: Int) -> Bool {
            let row = j + k * rows
            return isEmpty[row] && (j + 1 == rows || isEmpty[row + 1]) && (k + 1 == slices || isEmpty[row + rows])
        }

        /// Whether the dual of a row may move in this iteration; noted for `primalMayMove`.
        func dualMayMove(_ j: Int, _ k: Int, isFlat: Bool) -> Bool {
            let row = j + k * rows, moves = !(isFlat && isSettled[row])
            hasMoved[row] = moves
            return moves
        }

        /// Notes whether the dual of a row stays as it is while the row is flat.
        func settle(_ j: Int, _ k: Int, _ settled: Bool) { isSettled[j + k * rows] = settled }

        /// Whether `u` may change in a row in this iteration.
        func primalMayMove(_ j: Int, _ k: Int) -> Bool {
            let row = j + k * rows
            return !isEmpty[row] || hasMoved[row] || (j > 0 && hasMoved[row - 1]) || (k > 0 && hasMoved[row - rows])
        }

        /// Notes whether `u` was and is 0 in a row.
        func empty(_ j: Int, _ k: Int, _ empty: Bool) { isEmpty[j + k * rows] = empty }
    }
}
