import ArgumentParser
import VerificationPipeline

struct IceMargin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "icemargin",
        abstract: "Does the iceball cover the tumour with the margin it needs, and how sure is that?",
        discussion: """
            Results go to standard output, everything else to standard error.

            Exit codes: 0 done; 1 the criterion is not met or cannot be decided (with --fail-on-insufficient-margin); 2 a batch failed in part; 64 usage; 65 bad data; \
            66 input missing; 69 peer unreachable; 70 internal error; 73 cannot write.

            Research use only; not a medical device.
            """,
        version: iceMarginVersion,
        subcommands: [
            VerifyCommand.self,
            InspectCommand.self,
            BatchCommand.self,
            CollectCommand.self,
            GroupReportCommand.self,
            MarginCommand.self,
            SegmentCommand.self,
            RegisterCommand.self,
            SimulateCommand.self,
            PhantomCommand.self,
            SelfTestCommand.self,
        ])
}
