import ArgumentParser
import BatchVerification

/// What changes the results of a case and is said for one run, or for a whole batch, rather than in the case file.
struct ResultFlags: ParsableArguments {
    @Flag(help: "Do not simulate the ice: isotherms are then taken at fixed set-backs from the visible edge, some seconds sooner.")
    var noSimulation = false

    @Flag(name: .customLong("no-dicom"), help: "Write no DICOM objects.")
    var noDICOM = false

    @Flag(help: "Say in report.json and report.html who the patient is and when the study was made.")
    var identified = false

    @Option(help: ArgumentHelp(
        "Also say how the margins grow over so many minutes (at most 60) if all probes go on freezing, and when the required one is reached.",
        valueName: "min"))
    var forecast: Double?

    func validate() throws {
        if noSimulation, forecast != nil { throw ValidationError("--forecast needs the simulation; leave out --no-simulation.") }
        if let forecast, !(forecast > 0 && forecast <= 60) { throw ValidationError("--forecast must lie between 0 and 60 minutes.") }
    }

    var options: CaseOptions {
        var options = CaseOptions()
        (options.simulates, options.writesDICOM, options.isIdentified) = (!noSimulation, !noDICOM, identified)
        options.forecastMinutes = forecast
        return options
    }
}
