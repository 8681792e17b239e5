import ImagingCore

/// What a report rests on: its inputs, how they were brought together, and with what it was made.
extension CaseReport {
    /// A series or mask that went into the case.
    public struct Input: Hashable, Sendable, Codable {
        /// `planning`, `prefreeze`, `intraprocedural`, `followup`, or what a mask is for (`tumour T1`).
        public var role: String
        /// `null` for a file that is not DICOM.
        public var seriesInstanceUID: String?
        /// The DICOM Modality code; `null` for a file that is not DICOM.
        public var modality: String?
        /// Columns, rows, slices of the loaded volume.
        public var size: [Int]
        /// Millimetres between voxel centres along columns, rows and slices.
        public var spacingMM: [Double]
        /// SHA-256 over the input's files, in hexadecimal.
        public var sha256: String
        public var findings: [Finding]

        public init(
            role: String, seriesInstanceUID: String?, modality: String?, geometry: GridGeometry, sha256: String, findings: [Finding] = []
        ) {
            self.role = role
            self.seriesInstanceUID = seriesInstanceUID
            self.modality = modality
            size = [geometry.size.i, geometry.size.j, geometry.size.k]
            spacingMM = [geometry.spacing.x, geometry.spacing.y, geometry.spacing.z]
            self.sha256 = sha256
            self.findings = findings
        }
    }

    /// How planning coordinates map onto those of the scan that shows the ice.
    public struct Registration: Hashable, Sendable, Codable {
        public struct Rigid: Hashable, Sendable, Codable {
            /// 4 × 4 by rows, planning → intraprocedural, LPS millimetres; the last row is 0 0 0 1.
            public var matrix: [[Double]]

            public init(_ transform: AffineTransform) {
                let (r, t) = (transform.matrix.rows, transform.translation.lps)
                matrix = [
                    [r.0.x, r.0.y, r.0.z, t.x], [r.1.x, r.1.y, r.1.z, t.y], [r.2.x, r.2.y, r.2.z, t.z], [0, 0, 0, 1],
                ]
            }
        }
        public struct Deformable: Hashable, Sendable, Codable {
            public var method: String
            /// The displacement that the deformation adds to the rigid part.
            public var meanDisplacementMM: Double
            public var maximumDisplacementMM: Double

            public init(method: String, meanDisplacementMM: Double, maximumDisplacementMM: Double) {
                self.method = method
                self.meanDisplacementMM = meanDisplacementMM
                self.maximumDisplacementMM = maximumDisplacementMM
            }
        }
        public struct Quality: Hashable, Sendable, Codable {
            /// How the scans were brought together, for example `shared-frame-of-reference`.
            public var method: String
            /// Whether margins may rest on it.
            public var trusted: Bool
            /// `pass`, `doubtful` or `fail` of scans that were registered, and why not `pass`; `null` where they share a frame of
            /// reference.
            public var status: String?
            public var reasons: [String]
            /// The method's own measures by name; each name ends in its unit where it has one.
            public var measures: [String: Double]
            /// The expected error at the tumour, one standard deviation; `null` when unknown.
            public var expectedErrorMM: Double?

            public init(
                method: String, trusted: Bool, status: String? = nil, reasons: [String] = [], measures: [String: Double] = [:],
                expectedErrorMM: Double?
            ) {
                (self.method, self.trusted, self.status, self.reasons) = (method, trusted, status, reasons)
                self.measures = measures.filter { $0.value.isFinite }
                self.expectedErrorMM = expectedErrorMM?.finite
            }
        }
        public var rigid: Rigid
        /// `null` when the registration is rigid.
        public var deformable: Deformable?
        public var quality: Quality

        public init(rigid: Rigid, deformable: Deformable? = nil, quality: Quality) {
            (self.rigid, self.deformable, self.quality) = (rigid, deformable, quality)
        }
    }

    /// Who the patient is: only where a person asked for it.
    public struct Patient: Hashable, Sendable, Codable {
        /// As DICOM writes it, components parted by `^`.
        public var name: String?
        public var id: String?
        /// Dates as DICOM writes them: YYYYMMDD.
        public var birthDate: String?
        public var sex: String?
        /// Of the scan that was treated.
        public var studyDate: String?

        public init(name: String?, id: String?, birthDate: String?, sex: String?, studyDate: String?) {
            (self.name, self.id, self.birthDate, self.sex, self.studyDate) = (name, id, birthDate, sex, studyDate)
        }
    }

    /// With what, from what and when the report was made.
    public struct Provenance: Hashable, Sendable, Codable {
        /// The version of IceMargin.
        public var version: String
        /// The version of DCMTK.
        public var dcmtk: String
        /// The versions of the system's libraries, by name.
        public var libraries: [String: String]
        /// Differs between any two runs.
        public var runID: String
        /// When the run started, ISO 8601 in UTC.
        public var created: String
        /// Every parameter of the run as it was resolved from profile, case and flags.
        public var parameters: JSONValue
        /// SHA-256 in hexadecimal by input role.
        public var inputSHA256: [String: String]

        public init(
            version: String, dcmtk: String, libraries: [String: String] = [:], runID: String, created: String, parameters: JSONValue,
            inputSHA256: [String: String]
        ) {
            self.version = version
            self.dcmtk = dcmtk
            self.libraries = libraries
            self.runID = runID
            self.created = created
            self.parameters = parameters
            self.inputSHA256 = inputSHA256
        }
    }
}

extension Double {
    /// `nil` for NaN and infinities, which JSON cannot hold.
    var finite: Double? { isFinite ? self : nil }
}
