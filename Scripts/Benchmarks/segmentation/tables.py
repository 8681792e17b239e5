"""The tables that the comparison prints, and the targets that ours is held to."""

import math
import statistics
from dataclasses import dataclass

OURS = "icemargin"
LIMIT_S = 1.5
TIP_MM, ANGLE_DEGREES = 1.5, 1.0


@dataclass(frozen=True)
class Row:
    """One method on one object of one study."""

    kind: str
    case: str
    site: str
    modality: str
    object: str
    contrast: str
    study: str
    method: str
    dice: float
    mean_mm: float
    percentile95_mm: float
    seconds: float
    cpu_seconds: float
    note: str = ""
    edge_uncertainty_mm: float = float("nan")
    rms_mm: float = float("nan")
    bias_mm: float = float("nan")


def targets(row):
    """What our method is held to: smallest Dice, largest mean and 95th percentile of the distance (mm)."""
    if row.object == "tumour":
        return (0.85 if row.contrast == "20 HU" else 0.90), None, None
    if row.object == "ice":
        return (0.95 if row.modality == "CT" else 0.92), 0.6, 2.0
    return None, None, None


def number(value):
    return f"{value:.2f}" if value < 1e6 else "–"


def signed(value):
    return "–" if math.isnan(value) or abs(value) > 1e6 else f"{value:+.2f}"


def missed(row, group):
    """By how much the medians of a group of ours miss the targets."""
    dice, mean, high = targets(row)
    found = [(median(group, "dice"), dice, 1), (median(group, "mean_mm"), mean, -1), (median(group, "percentile95_mm"), high, -1)]
    texts = [f"{label} {target}: missed by {abs(value - target):.2f}" if value < 1e6 else f"{label} {target}: nothing found"
             for (value, target, sense), label in zip(found, ("Dice ≥", "mean ≤", "95 % ≤")) if target and sense * (value - target) < 0]
    seconds = median(group, "seconds")
    if seconds > LIMIT_S:
        texts.append(f"≤ {LIMIT_S} s: missed by {seconds - LIMIT_S:.1f}")
    if not texts and dice:
        return "met"
    return "; ".join(texts)


def median(group, key):
    return statistics.median(getattr(row, key) for row in group)


LINE = "{:<10}{:<20}{:<14}{:<13}{:>3}  {:<21}{:>6}{:>7}{:>9}{:>9}{:>9}{:>7}{:>7}  {:>5}  {}"


def print_table(table):
    print("\nMedians (Dice also the worst; nothing found counts as 0). Seconds: ours the whole command with reading and writing, peers the "
          "method alone on a crop. Bias: how far the found surface lies outside of the true one.\nMet: studies that reach every target. "
          "Peers are told more (surely inside and outside), and nothing of an earlier scan.")
    print_groups("Each kind of case", table, lambda row: (row.kind, f"{row.case} {row.modality}", row.object, row.contrast))
    print_groups("Each site", table, lambda row: (row.kind, f"{row.site} {row.modality}", row.object, row.contrast))
    print_groups("All sites", table, lambda row: (row.kind, f"all {row.modality}", row.object, row.contrast))
    for row in table:
        if row.note:
            print(f"{row.study}, {row.object} {row.contrast}: {row.note}")
    print_uncertainty(table)


def print_groups(title, table, key):
    print(f"\n{title}")
    heads = ("", "", "object", "contrast", "n", "method", "Dice", "worst", "mean mm", "95 % mm", "bias mm", "s", "CPU s", "met", "targets")
    print(LINE.format(*heads))
    groups = {}
    for row in table:
        groups.setdefault(key(row), {}).setdefault(row.method, []).append(row)
    for labels, methods in sorted(groups.items()):
        for method, group in methods.items():
            print_line(labels, method, group)


def print_line(labels, method, group):
    dice, worst = median(group, "dice"), min(row.dice for row in group)
    mean, high = (number(median(group, key)) for key in ("mean_mm", "percentile95_mm"))
    verdict = missed(group[0], group) if method == OURS else ""
    wall, cpu = (f"{median(group, key):.2f}" for key in ("seconds", "cpu_seconds"))
    met = f"{sum(meets(row) for row in group)}/{len(group)}" if targets(group[0])[0] else ""
    bias = signed(median(group, "bias_mm"))
    print(LINE.format(*labels, len(group), method, f"{dice:.3f}", f"{worst:.3f}", mean, high, bias, wall, cpu, met, verdict))


def meets(row):
    dice, mean, high = targets(row)
    return row.dice >= dice and (mean is None or row.mean_mm <= mean) and (high is None or row.percentile95_mm <= high)


def print_uncertainty(table):
    """The edge uncertainty that ours states, in units of the root mean square distance that it truly has: 1 is right, less too sure."""
    ratios = {}
    for row in table:
        if row.method == OURS and row.rms_mm < 1e6:
            ratios.setdefault((row.kind, row.modality, row.object, row.contrast), []).append(row.edge_uncertainty_mm / row.rms_mm)
    print("\nStated edge uncertainty over the true root mean square error: median, and the share of studies where it is less than half")
    for labels, values in sorted(ratios.items()):
        few = sum(v < 0.5 for v in values)
        print(f"{' '.join(labels):<50}{statistics.median(values):6.2f}  {few}/{len(values)}")


PROBE_LINE = "{:<10}{:<34}{:<28}{:<24}{:>6}{:>9}{:>7}{:>7}  {}"


def print_probes(table):
    print("\n" + PROBE_LINE.format("probes", "study", f"tip errors mm (≤ {TIP_MM})", f"angles ° (≤ {ANGLE_DEGREES:g})", "missed", "spurious", "s", "CPU s", ""))
    for row in table:
        tips, angles = (" ".join(f"{v:.2f}" for v in row[key]) for key in ("tip_mm", "angle_degrees"))
        wall, cpu = f"{row['seconds']:.2f}", f"{row['cpu_seconds']:.2f}"
        print(PROBE_LINE.format(row["kind"], row["study"], tips, angles, row["missed"], row["spurious"], wall, cpu, row["note"]))
    tips, angles = ([v for row in table for v in row[key]] for key in ("tip_mm", "angle_degrees"))
    if not tips:
        return
    print(f"{len(tips)} found: median tip {statistics.median(tips):.2f} mm, worst {max(tips):.2f}, {sum(v > TIP_MM for v in tips)} over {TIP_MM}; "
          f"median angle {statistics.median(angles):.2f}°, worst {max(angles):.2f}, {sum(v > ANGLE_DEGREES for v in angles)} over {ANGLE_DEGREES:g}; "
          f"{sum(row['missed'] for row in table)} missed, {sum(row['spurious'] for row in table)} spurious")
