extension Array where Element: Comparable {
    /// The element that would stand at `rank` if all were sorted (Hoare 1961).
    ///
    /// Complexity: O(count) on average.
    func element(ofRank rank: Int) -> Element {
        precondition(indices.contains(rank))
        var elements = self
        return elements.withUnsafeMutableBufferPointer { values in
            var low = 0, high = values.count - 1
            while low < high {
                let pivot = values[low + (high - low) / 2]
                var i = low, j = high
                while i <= j {
                    while values[i] < pivot { i += 1 }
                    while pivot < values[j] { j -= 1 }
                    guard i <= j else { break }
                    values.swapAt(i, j)
                    i += 1
                    j -= 1
                }
                // Between j and i all are as the pivot.
                if rank <= j { high = j } else if rank >= i { low = i } else { break }
            }
            return values[rank]
        }
    }
}
