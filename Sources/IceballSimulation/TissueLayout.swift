import ImagingCore

/// Which tissue each cell is of, row by row as runs of one tissue.
struct TissueLayout: Sendable {
    struct Run: Sendable, BitwiseCopyable {
        /// Cells of the row.
        let start, end: Int
        let tissue: Int
    }

    let tissues: [Tissue]
    /// Per cell, i fastest; `nil` when all are of the first tissue.
    let labels: [UInt8]?
    private let size: GridSize
    let runs: RowList<Run>

    init(size: GridSize, tissues: [Tissue], labels: [UInt8]?) {
        precondition(!tissues.isEmpty && tissues.count <= 256 && (labels == nil || labels!.count == size.voxelCount))
        (self.size, self.tissues, self.labels) = (size, tissues, labels)
        var found: [(row: Int, run: Run)] = []
        for row in 0..<size.j * size.k {
            guard let labels else {
                found.append((row, Run(start: 0, end: size.i, tissue: 0)))
                continue
            }
            var start = 0
            for i in 1...size.i where i == size.i || labels[row * size.i + i] != labels[row * size.i + start] {
                found.append((row, Run(start: start, end: i, tissue: Int(labels[row * size.i + start]))))
                start = i
            }
        }
        var index = 0
        runs = RowList(found.map(\.run), rowCount: size.j * size.k) { _ in
            index += 1
            return found[index - 1].row
        }
    }

    func runs(inRow row: Int) -> UnsafeBufferPointer<Run> { runs.kernelView[row] }

    func tissue(_ i: Int, _ j: Int, _ k: Int) -> Int { labels.map { Int($0[i + size.i * (j + size.j * k)]) } ?? 0 }
}

/// A tissue's constants as the kernels read them.
struct KernelTissue: BitwiseCopyable {
    let liquidSlope, mushSlope, mushRelease, solidusEnthalpy, inverseFrozenHeatCapacity, frozenConductivity, halfRise: Float
    /// Heat from blood and metabolism at the liquidus, W/m³, and how it falls with enthalpy, 1/s.
    let heating, heatingSlope: Float
    /// Parts of the freezing range after the first.
    let furtherStretches: UnsafePointer<Stretch>
    let furtherStretchCount: Int
    /// θ at the solidus, summed in the order in which kernels do.
    let solidusKirchhoff: Float

    /// H at its warm end, what is released down to its cold end, dθ/dH.
    struct Stretch: BitwiseCopyable {
        let enthalpy, release, slope: Float
    }

    /// Whether there is any heat from blood or metabolism.
    let isHeated: Bool

    /// `stretches` must live as long as this.
    fileprivate init(_ tissue: Tissue, bloodTemperatureC: Double, stretches: UnsafePointer<Stretch>) {
        let table = tissue.table, first = table.stretches[0]
        liquidSlope = Float(table.liquidConductivity / table.liquidHeatCapacity)
        (mushSlope, mushRelease) = (Float(first.kirchhoffPerEnthalpy), Float(first.release))
        solidusEnthalpy = Float(table.solidusEnthalpy)
        inverseFrozenHeatCapacity = Float(1 / table.frozenHeatCapacity)
        (frozenConductivity, halfRise) = (Float(table.frozenConductivity), Float(table.frozenConductivityRise / 2))
        heating = Float(tissue.perfusionConductance * (bloodTemperatureC - table.liquidusC) + tissue.metabolicHeat)
        heatingSlope = Float(tissue.perfusionConductance / table.liquidHeatCapacity)
        isHeated = heating != 0 || heatingSlope != 0
        (furtherStretches, furtherStretchCount) = (stretches, table.stretches.count - 1)
        solidusKirchhoff = (0..<furtherStretchCount).reduce(-mushRelease * mushSlope) { $0 - stretches[$1].release * stretches[$1].slope }
    }
}

/// The constants of all tissues of a model, and the memory that they point to.
struct KernelTissues: Sendable {
    let buffer: FixedBuffer<KernelTissue>
    private let stretches: FixedBuffer<KernelTissue.Stretch>

    init(_ tissues: [Tissue], bloodTemperatureC: Double) {
        let further = tissues.map { $0.table.stretches.dropFirst() }
        stretches = FixedBuffer(
            further.flatMap { $0 }.map {
                KernelTissue.Stretch(enthalpy: Float($0.enthalpy), release: Float($0.release), slope: Float($0.kirchhoffPerEnthalpy))
            })
        var first = 0, constants: [KernelTissue] = []
        for (tissue, own) in zip(tissues, further) {
            constants.append(KernelTissue(tissue, bloodTemperatureC: bloodTemperatureC, stretches: UnsafePointer(stretches.values + first)))
            first += own.count
        }
        buffer = FixedBuffer(constants)
    }
}
