import ImagingCore

/// What a cell has been through: its lowest temperature, and for how long it was colder than each threshold.
struct FreezeRecord {
    let thresholdsC: [Double]
    /// The least H so far.
    let lowestEnthalpy: CellField
    /// Per threshold, seconds.
    let secondsBelow: [CellField]
    private let layout: FieldLayout
    private let tissues: TissueLayout
    /// Per tissue and threshold, H.
    private let limits: [[Float]]
    private let isSolid: [Bool]

    init(_ solver: BioheatSolver, thresholdsC: [Double]) {
        (self.thresholdsC, layout, tissues) = (thresholdsC, solver.layout, solver.tissueLayout)
        lowestEnthalpy = CellField(layout)
        lowestEnthalpy.copy(from: solver.enthalpy)
        isSolid = tissues.tissues.map(\.isSolid)
        let layout = layout
        secondsBelow = thresholdsC.map { _ in CellField(layout) }
        limits = tissues.tissues.map { tissue in thresholdsC.map { Float(tissue.table.enthalpy(atTemperature: $0)) } }
    }

    /// Takes up a step that has just been made; within it, H is taken to run straight from its start to its end.
    func update(_ solver: BioheatSolver, seconds: Double) {
        let before = solver.previousEnthalpy.values, after = solver.enthalpy.values
        forEachSlab(of: layout.rowCount, slab: layout.slab) { rows in
            for row in rows {
                let start = layout.rowStart(row), lowest = lowestEnthalpy.values
                for run in tissues.runs(inRow: row) where isSolid[run.tissue] {
                    for offset in start &+ run.start..<start &+ run.end where after[offset] < lowest[offset] {
                        lowest[offset] = after[offset]
                    }
                    for threshold in secondsBelow.indices {
                        let limit = limits[run.tissue][threshold], field = secondsBelow[threshold].values
                        for offset in start &+ run.start..<start &+ run.end {
                            let from = before[offset], to = after[offset]
                            guard min(from, to) < limit else { continue }
                            let share = max(from, to) <= limit ? 1 : (limit - min(from, to)) / abs(to - from)
                            field[offset] += Float(seconds) * share
                        }
                    }
                }
            }
        }
    }
}
