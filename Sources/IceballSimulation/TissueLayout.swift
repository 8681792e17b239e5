import ImagingCore

/// Which tissue each cell is of, row by row as runs of one tissue.
struct TissueLayout: Sendable {
    struct Run: Sendable {
        /// Cells of the row.
        let start, end: Int
        let tissue: Int
    }

    let tissues: [Tissue]
    /// Per cell, i fastest; `nil` when all are of the first tissue.
    let labels: [UInt8]?
    private let size: GridSize
    private let runs: [Run]
    private let firstRun: [Int]

    init(size: GridSize, tissues: [Tissue], labels: [UInt8]?) {
        precondition(!tissues.isEmpty && tissues.count <= 256 && (labels == nil || labels!.count == size.voxelCount))
        (self.size, self.tissues, self.labels) = (size, tissues, labels)
        guard let labels else {
            (runs, firstRun) = ([Run(start: 0, end: size.i, tissue: 0)], [])
            return
        }
        var runs: [Run] = [], firstRun: [Int] = []
        for row in 0..<size.j * size.k {
            firstRun.append(runs.count)
            var start = 0
            for i in 1...size.i where i == size.i || labels[row * size.i + i] != labels[row * size.i + start] {
                runs.append(Run(start: start, end: i, tissue: Int(labels[row * size.i + start])))
                start = i
            }
        }
        (self.runs, self.firstRun) = (runs, firstRun + [runs.count])
    }

    func runs(inRow row: Int) -> ArraySlice<Run> { labels == nil ? runs[...] : runs[firstRun[row]..<firstRun[row + 1]] }

    func tissue(_ i: Int, _ j: Int, _ k: Int) -> Int { labels.map { Int($0[i + size.i * (j + size.j * k)]) } ?? 0 }
}

/// A tissue's constants as the kernels read them.
struct KernelTissue {
    let liquidSlope, mushSlope, mushRelease, solidusEnthalpy, inverseFrozenHeatCapacity, frozenConductivity, halfRise: Float
    /// Heat from blood and metabolism at the liquidus, W/m³, and how it falls with enthalpy, 1/s.
    let heating, heatingSlope: Float
    /// Parts of the freezing range after the first: warm end, release, slope.
    let furtherStretches: [(enthalpy: Float, release: Float, slope: Float)]

    var isHeated: Bool { heating != 0 || heatingSlope != 0 }

    init(_ tissue: Tissue, bloodTemperatureC: Double) {
        let table = tissue.table, first = table.stretches[0]
        liquidSlope = Float(table.liquidConductivity / table.liquidHeatCapacity)
        (mushSlope, mushRelease) = (Float(first.kirchhoffPerEnthalpy), Float(first.release))
        solidusEnthalpy = Float(table.solidusEnthalpy)
        inverseFrozenHeatCapacity = Float(1 / table.frozenHeatCapacity)
        (frozenConductivity, halfRise) = (Float(table.frozenConductivity), Float(table.frozenConductivityRise / 2))
        heating = Float(tissue.perfusionConductance * (bloodTemperatureC - table.liquidusC) + tissue.metabolicHeat)
        heatingSlope = Float(tissue.perfusionConductance / table.liquidHeatCapacity)
        furtherStretches = table.stretches.dropFirst().map { (Float($0.enthalpy), Float($0.release), Float($0.kirchhoffPerEnthalpy)) }
    }
}
