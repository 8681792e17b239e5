extension HTMLReportView {
    /// The tables of a plan.
    mutating func addPlan(_ plan: CaseReport.Plan) {
        func reached(_ minutes: Double?) -> String {
            minutes.map { "\(HTMLNumber.text($0, decimals: 1)) min" } ?? "not within the protocol"
        }
        let margins = plan.margins.map { margin -> [String: Any] in
            let last = margin.steps.last
            var entry: [String: Any] = [
                "tumour": margin.tumour, "zone": VerdictSummary.zoneName(margin.zone), "minimum": HTMLNumber.margin(last?.plannedMarginMM),
                "coverage": HTMLNumber.fraction(last?.plannedCoverage), "required": HTMLNumber.distance(margin.requiredMM),
            ]
            if let interval = last?.plannedMarginIntervalMM { entry["interval"] = HTMLNumber.interval(interval, signed: true) }
            if margin.requiredMM != nil {
                entry["reached"] = reached(margin.reachedAfterMinutes)
                entry["surely"] = reached(margin.reachedAfterIntervalMinutes?.high)
            }
            return entry
        }
        let structures = plan.structures.map { structure -> [String: Any] in
            var entry: [String: Any] = [
                "name": structure.name, "zone": VerdictSummary.zoneName(structure.zone),
                "minimum": HTMLNumber.distance(structure.plannedDistanceMM),
                "limit": HTMLNumber.distance(structure.limitMM), "temperature": HTMLNumber.temperature(structure.plannedLowestTemperatureC),
            ]
            if let interval = structure.plannedDistanceIntervalMM { entry["interval"] = HTMLNumber.interval(interval, signed: false) }
            return entry
        }
        set(
            "plan",
            [
                "minutes": HTMLNumber.text(plan.minutes, decimals: 1), "margins": margins, "structures": structures,
                "hasStructures": !structures.isEmpty,
            ] as [String: Any])
    }
}
