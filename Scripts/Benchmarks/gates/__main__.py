"""The simulation against exact solutions, fine axisymmetric references and published gels, all through `icemargin simulate`.

Every row is printed with what was measured, what was expected and its tolerance; ends with 1 when one of them fails.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rows

DIRECTIONS = [(1, 0, 0), (0.6, 0.8, 0), (-0.7071, 0.7071, 0), (0, -1, 0)]


def simulate(command, text):
    """What simulation.json says of a description."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.yaml"
        path.write_text(text)
        run = subprocess.run(
            [command, "simulate", path, "--output", Path(folder) / "out", "--json"], capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"{text}\n{run.stderr}")
    return json.loads(run.stdout)


class Score:
    def __init__(self):
        self.passed = self.count = 0

    def row(self, name, measured, expected, tolerance):
        """One row; `measured` may be several numbers, of which the one that is farthest off counts. Without a tolerance it is only shown."""
        values = measured if isinstance(measured, list) else [measured]
        worst = max(values, key=lambda value: float("inf") if value is None else abs(value - expected))
        error = float("inf") if worst is None else worst - expected
        judged = ""
        if tolerance is not None:
            self.count += 1
            self.passed += abs(error) <= tolerance
            judged = f"±{tolerance:.3g}  {'pass' if abs(error) <= tolerance else 'FAIL'}"
        shown = "none" if worst is None else f"{worst:.3f}"
        print(f"{name:64s} {shown:>9s}  expected {expected:8.3f}  {error:+7.3f}  {judged}", flush=True)


def rays(at, directions):
    return "".join(f"  - {{name: r{n}, from: {list(at)}, direction: {list(d)}}}\n" for n, d in enumerate(directions))


def radii(document, seconds, isotherm, key="isotherms"):
    at = next(t for t in document["times"] if abs(t["seconds"] - seconds) < 1)
    entry = next(i for i in at[key] if abs(i["temperatureC"] - isotherm) < 1e-6)
    return [ray["radiusMM"] for ray in entry["rays"]]


def exact(command, score):
    """Similarity solutions: radii of isotherms, outside 3 mm from a source, at 1 mm cells."""
    for case in rows.SIMILARITY:
        table = {(seconds, isotherm): radius for seconds, isotherms in case["radii"].items() for isotherm, radius in isotherms.items()}
        table |= {(600, temperature): radius for radius, temperature in case.get("profile", {}).items()}
        isotherms = sorted({isotherm for _, isotherm in table})
        document = simulate(command, rows.similarity(case, isotherms, DIRECTIONS if case["source"] != "plane" else [(1, 0, 0)], rays))
        for (seconds, isotherm), radius in sorted(table.items()):
            tolerance = None if radius < 3 else 0.25 if seconds < 300 else 0.15
            score.row(f"{case['name']}, {seconds} s, radius of {isotherm:g} °C, mm", radii(document, seconds, isotherm), radius, tolerance)


def steady(command, score):
    """Steady ice in perfused tissue."""
    for case in rows.STEADY:
        document = simulate(command, rows.steady(case, DIRECTIONS, rays))
        seconds = document["times"][-1]["seconds"]
        for isotherm, radius in case["radii"].items():
            score.row(f"steady {case['name']}, radius of {isotherm} °C, mm", radii(document, seconds, isotherm), radius, None if radius < 3 else 0.25)


def needles(command, score):
    """Width, and how far isotherms go beyond the part that freezes."""
    for case in rows.NEEDLES:
        document = simulate(command, rows.needle(case))
        for seconds, kind, sizes in case["sizes"]:
            at = next(t for t in document["times"] if abs(t["seconds"] - seconds) < 1)
            for isotherm, (width, tip, tail) in sizes.items():
                size = next(i for i in at[kind] if abs(i["temperatureC"] - isotherm) < 1e-6)["probes"][0]
                name = f"{case['name']}, {seconds} s{', lowest' if kind == 'lowestIsotherms' else ''}, {isotherm} °C"
                score.row(f"{name}: width / 2, mm", size["widthMM"] and size["widthMM"] / 2, width / 2, 0.25)
                score.row(f"{name}: beyond the tip, mm", size["tipBeyondMM"], tip, 0.35)
                score.row(f"{name}: beyond the tail, mm", size["tailBeyondMM"], tail, 0.35)


def robustness(command, score):
    """Halved cells, halved steps, turned needles, and what tissue lost against what the probe took."""
    case = next(c for c in rows.SIMILARITY if c["name"] == "line M")
    isotherms = [0, -20, -40]
    base = simulate(command, rows.similarity(case, isotherms, DIRECTIONS[:1], rays))
    for name, change in [("cells of 0.5 mm", {"spacing": 0.5}), ("steps of at most 5 s", {"timeStep": 5})]:
        other = simulate(command, rows.similarity(case, isotherms, DIRECTIONS[:1], rays, **change))
        for isotherm in isotherms:
            score.row(f"{name} instead, {isotherm} °C at 600 s, mm", radii(other, 600, isotherm), radii(base, 600, isotherm)[0], 0.2)
    case = next(c for c in rows.NEEDLES if c["perfusion"] == 0.0155)
    found = [simulate(command, rows.needle(case, direction)) for direction in rows.POSES]
    for isotherm in (0, -20, -40):
        widths = [
            next(i for i in document["times"][0]["isotherms"] if i["temperatureC"] == isotherm)["probes"][0]["widthMM"] / 2 for document in found]
        score.row(f"spread of half the width over {len(widths)} poses, {isotherm} °C, mm", max(widths) - min(widths), 0, 0.25)

    case = next(c for c in rows.NEEDLES if c["perfusion"] == 0)
    for at in simulate(command, rows.needle(case))["times"]:
        score.row(
            f"{case['name']}, {at['seconds']:g} s: heat lost by tissue / taken by the probe", at["heatLostByTissueJ"] / sum(at["heatTakenJ"]), 1, 1e-3)


def littrup(command, score):
    """Several probes in gel (Littrup 2009): scored, not judged. The probe was fitted to the row of the single one."""
    for count, diameter, share in rows.LITTRUP:
        document = simulate(command, rows.littrup(count, rays))
        ice, lethal = radii(document, 900, 0), radii(document, 900, -30)
        area = [sum(r * r for r in found) / len(found) for found in (ice, lethal)]
        fitted = " (fitted)" if count == 1 else ""
        score.row(f"{count} probe(s) in gel{fitted}: diameter of −30 °C, mm", 2 * area[1] ** 0.5, diameter, None)
        score.row(f"{count} probe(s) in gel{fitted}: its share of the ice, %", 100 * area[1] / area[0], share, None)


def main():
    parser = argparse.ArgumentParser(prog="run --only gates")
    parser.add_argument("--icemargin", required=True)
    parts = {"exact": exact, "steady": steady, "needles": needles, "robustness": robustness, "littrup": littrup}
    parser.add_argument("--part", choices=parts, action="append", help="only this part; may be repeated")
    arguments = parser.parse_args()
    total = Score()
    for name in arguments.part or parts:
        score, start = Score(), time.perf_counter()
        print(f"-- {name}: {parts[name].__doc__.splitlines()[0]}")
        parts[name](arguments.icemargin, score)
        print(f"-- {name}: {score.passed} of {score.count} rows pass, {time.perf_counter() - start:.0f} s\n", flush=True)
        total.passed += score.passed
        total.count += score.count
    print(f"{total.passed} of {total.count} rows pass")
    return total.passed != total.count


sys.exit(main())
