import DICOMObjects
import Foundation
import ImageRegistration
import ImageSegmentation
import ImagingCore
import MarginAnalysis

/// What a case consists of: its scans, tumours, structures, probes and site. Read from `case.yaml` or made from flags.
public struct CaseDescription: Sendable, Hashable {
    public static let schema = "icemargin.case/1"

    /// One series in a folder of DICOM files.
    public struct Series: Sendable, Hashable {
        public var folder: URL
        /// Picks one of several series; `nil` when the folder has one that can be used.
        public var seriesUID: String?
        /// A part of the description that picks one of several volumes (phases, echoes) of a series; compared without case.
        public var description: String?

        public init(folder: URL, seriesUID: String? = nil, description: String? = nil) {
            (self.folder, self.seriesUID, self.description) = (folder, seriesUID, description)
        }
    }

    /// The scan whose frame a mask lies in.
    public enum Frame: String, Sendable, Hashable, CaseIterable { case planning, intraprocedural, followup }

    /// A mask and the scan whose frame it lies in.
    public struct FramedMask: Sendable, Hashable {
        public var source: MaskSource
        public var frame: Frame

        public init(source: MaskSource, frame: Frame) { (self.source, self.frame) = (source, frame) }
    }

    /// A tumour, by points and its size or by a mask.
    public struct Tumour: Sendable, Hashable {
        public enum Source: Sendable, Hashable {
            /// Where the tumour lies on the planning scan, to be found there.
            case prompt(TumourPrompt)
            case mask(FramedMask)
        }
        public var id: String
        public var source: Source

        public init(id: String, source: Source) { (self.id, self.source) = (id, source) }
    }

    /// Something that must not freeze.
    public struct Structure: Sendable, Hashable {
        public var name: String
        public var mask: FramedMask
        /// The distance that the ice should keep; the profile's where `nil`.
        public var limitMM: Double?

        public init(name: String, mask: FramedMask, limitMM: Double?) { (self.name, self.mask, self.limitMM) = (name, mask, limitMM) }
    }

    /// A probe whose position the case gives, LPS millimetres on the treated scan; `tip` is the end inside the patient.
    public struct GivenProbe: Sendable, Hashable {
        public var tip: PatientPoint
        public var tail: PatientPoint
        public var model: String?

        public init(tip: PatientPoint, tail: PatientPoint, model: String?) { (self.tip, self.tail, self.model) = (tip, tail, model) }
    }
    /// Whether probes are looked for on the scan or given.
    public enum Probes: Sendable, Hashable {
        case automatic
        case given([GivenProbe])
    }

    /// Minutes of the first freeze, the thaw and the second freeze.
    public struct FreezeProtocol: Sendable, Hashable {
        public var freezeMinutes: Double
        public var thawMinutes: Double
        public var refreezeMinutes: Double

        public init(freezeMinutes: Double, thawMinutes: Double, refreezeMinutes: Double) {
            (self.freezeMinutes, self.thawMinutes, self.refreezeMinutes) = (freezeMinutes, thawMinutes, refreezeMinutes)
        }
    }

    /// How the planning scan is brought onto the treated one.
    public struct RegistrationChoice: Sendable, Hashable {
        /// Whether scans are registered that share a frame of reference, too.
        public var isAlways = false
        /// Whether only a rigid motion is looked for; as the profile says where `nil`.
        public var isRigid: Bool?
        /// An ITK transform file, treated → planning frame, to start from.
        public var initialTransform: URL?
        /// The motion itself, treated → planning frame: a rigid one (ITK transform file), or displacements (NIfTI).
        public var transform, displacement: URL?
        /// Places that a reader has pointed out in both scans.
        public var landmarks: [LandmarkPair] = []

        public init() {}
    }

    public var id: String
    /// The name of a built-in profile, or the path of a profile file.
    public var site: String
    /// What the treatment is for.
    public var intent = TreatmentIntent.curative
    /// Differences between the scans' patients that the case's author knows of and accepts.
    public var acceptedIdentityDifferences: Set<PatientIdentity.Attribute> = []
    public var planning: Series
    public var prefreeze: Series?
    /// The scan that shows the ice, or for an audit the scan that shows the ablation zone.
    public var treated: Series
    public var isFollowup: Bool
    /// Whether there is no scan of any ice: what probes and protocol would freeze is planned on the planning scan, which stands for the
    /// treated one.
    public var isPlan = false
    public var tumours: [Tumour]
    public var structures: [Structure] = []
    public var organ: FramedMask?
    /// The ice, or for an audit the ablation zone, where it is given rather than to be segmented.
    public var zone: FramedMask?
    /// What earlier ablations of the same tumours destroyed: counted with the zone.
    public var earlierZones: [FramedMask] = []
    public var probes: Probes = .automatic
    /// The model of probes that name none of their own.
    public var probeModel: String?
    /// Tables of probe models (`icemargin.probes/1`) beside the built-in one.
    public var probeModels: [URL] = []
    public var registration = RegistrationChoice()
    public var freezeProtocol: FreezeProtocol?
    /// Minutes into the protocol when the ice scan was taken; 0 for one from before freezing.
    public var elapsedMinutes: Double?
    /// Whether the treated scan is said not to show ice yet.
    var isBeforeFreezing: Bool { isPlan || elapsedMinutes == 0 }

    public init(
        id: String, site: String, planning: Series, prefreeze: Series? = nil, treated: Series, isFollowup: Bool = false, tumours: [Tumour]
    ) {
        self.id = id
        self.site = site
        self.planning = planning
        self.prefreeze = prefreeze
        self.treated = treated
        self.isFollowup = isFollowup
        self.tumours = tumours
    }
}
