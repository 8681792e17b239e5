"""Scores our segmentation and its peers in the same run on the same scans, and prints a table per site, object and contrast."""

import argparse
import csv
import json
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import SimpleITK as sitk

import icemargin_command
import probe_scores
import prompts
import studies
from peers import PEERS
from surface_scores import NOTHING_FOUND, Surface, Truth

OURS = "icemargin"


@dataclass(frozen=True)
class Row:
    """One method on one object of one study."""

    kind: str
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
    note: str = ""


def targets(row):
    """What our method is held to: smallest Dice, largest mean and 95th percentile of the distance (mm)."""
    if row.object == "tumour":
        return (0.85 if row.contrast == "20 HU" else 0.90), None, None
    if row.object == "ice":
        return (0.95 if row.modality == "CT" else 0.92), 0.6, 2.0
    return None, None, None


LIMIT_S = 1.5


def contrast(study, name):
    if name != "tumour":
        return ""
    value = study.contrast()
    if study.modality == "MR":
        return "brighter" if value > 0 else "darker"
    return "20 HU" if abs(value) <= 25 else "35 HU" if abs(value) <= 50 else "> 50 HU"


def rows(icemargin, study, output, without_peers):
    for name in study.objects:
        role, mask_file, surface_file = study.objects[name]
        truth = Truth(mask_file, surface_file)
        facts = (study.kind, study.site, study.modality, name, contrast(study, name), study.folder.name)
        answer = icemargin_command.segment(icemargin, study, name, output)
        score = NOTHING_FOUND if answer.error or not answer.mask.any() else truth.score(answer.mask, answer.surface)
        yield Row(*facts, OURS, score.dice, score.mean_mm, score.percentile95_mm, answer.seconds, answer.error)
        if without_peers:
            continue
        scan = study.scan(role)
        prompt = prompt_for(study, name, scan, truth)
        for method, run in PEERS.items():
            start = time.perf_counter()
            mask, field = run(prompt)
            seconds = time.perf_counter() - start
            whole = prompt.placed(mask, scan)
            score = truth.score(whole, Surface(field, prompt.image) if field is not None and mask.any() else None)
            yield Row(*facts, method, score.dice, score.mean_mm, score.percentile95_mm, seconds)


def prompt_for(study, name, scan, truth):
    if name == "ice":
        return prompts.along_probes(scan, study.probes)
    return prompts.around_point(scan, study.truth["tumours"][0]["seedLPS"], truth.longest_diameter)


def probe_row(icemargin, study, output):
    answer = icemargin_command.segment(icemargin, study, "probes", output)
    return {"kind": study.kind, "site": study.site, "study": study.folder.name, "seconds": answer.seconds, "note": answer.error,
            **asdict(probe_scores.score(answer.probes, study.probes))}


def number(value, width, digits):
    return f"{value:>{width}.{digits}f}" if value < 1e6 else f"{'–':>{width}}"


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


def print_table(table):
    print(f"\n{'':<8} {'site':<12}{'object':<14}{'contrast':<9}{'n':>3}  {'method':<21}{'Dice':>6}{'worst':>7}{'mean mm':>9}{'95 % mm':>9}{'s':>7}  targets")
    groups = {}
    for row in table:
        groups.setdefault((row.kind, f"{row.site} {row.modality}", row.object, row.contrast), {}).setdefault(row.method, []).append(row)
    for (kind, site, name, what), methods in sorted(groups.items()):
        for method, group in methods.items():
            print_line(kind, site, name, what, method, group)
    print("\nMedians over everything")
    for kind in ("phantom", "hybrid"):
        for name in ("tumour", "ice", "ablation-zone"):
            for modality in ("CT", "MR"):
                for method in [OURS, *PEERS]:
                    group = [r for r in table if (r.kind, r.object, r.modality, r.method) == (kind, name, modality, method)]
                    if group:
                        print_line(kind, f"all {modality}", name, "", method, group)
    for row in table:
        if row.note:
            print(f"{row.study}, {row.object}: {row.note}")


def print_line(kind, site, name, what, method, group):
    print(f"{kind:<8} {site:<12}{name:<14}{what:<9}{len(group):>3}  {method:<21}{median(group, 'dice'):>6.3f}{min(r.dice for r in group):>7.3f}"
          f"{number(median(group, 'mean_mm'), 9, 2)}{number(median(group, 'percentile95_mm'), 9, 2)}{median(group, 'seconds'):>7.2f}"
          f"  {missed(group[0], group) if method == OURS else ''}", flush=True)


def print_probes(table):
    print(f"\n{'probes':<9}{'study':<34}{'tip errors mm (≤ 1.5)':<28}{'angles ° (≤ 1)':<24}{'missed':>6}{'spurious':>9}{'s':>7}")
    for row in table:
        tips, angles = (" ".join(f"{v:.2f}" for v in row[key]) for key in ("tip_mm", "angle_degrees"))
        print(f"{row['kind']:<9}{row['study']:<34}{tips:<28}{angles:<24}{row['missed']:>6}{row['spurious']:>9}{row['seconds']:>7.2f}  {row['note']}")
    tips, angles = ([v for row in table for v in row[key]] for key in ("tip_mm", "angle_degrees"))
    if tips:
        print(f"{'all':<9}{len(tips)} found: median tip {statistics.median(tips):.2f} mm, worst {max(tips):.2f}; median angle {statistics.median(angles):.2f}°, "
              f"worst {max(angles):.2f}; {sum(v > 1.5 for v in tips)} tips over 1.5 mm, {sum(v > 1 for v in angles)} angles over 1°; "
              f"{sum(r['missed'] for r in table)} missed, {sum(r['spurious'] for r in table)} spurious")


def main():
    parser = argparse.ArgumentParser(prog="run --only segmentation", description=__doc__)
    parser.add_argument("--icemargin", type=Path, required=True, help="the release build")
    parser.add_argument("--hybrids", type=Path, required=True, help="the script that makes hybrids")
    parser.add_argument("--real-data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--quick", action="store_true", help="a few of the studies, not the full-size one")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    parser.add_argument("--studies", type=Path, help="keep the studies here, and use those that are there")
    parser.add_argument("--json", type=Path, help="write every row here")
    parser.add_argument("--csv", type=Path, help="write the rows of tumour, ice and ablation zone here")
    args = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)
    with tempfile.TemporaryDirectory() as scratch:
        table, probes = run(args, args.studies or Path(scratch) / "studies", Path(scratch) / "result")
    print_table(table)
    print_probes(probes)
    if args.json:
        args.json.write_text(json.dumps({"segmentation": [asdict(row) for row in table], "probes": probes}, indent=1) + "\n")
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(asdict(table[0])))
            writer.writeheader()
            writer.writerows(asdict(row) for row in table)


def run(args, root, output):
    table, probes = [], []
    for study in all_studies(args, root):
        table += rows(args.icemargin, study, output, args.no_peers)
        if study.modality == "CT":
            probes.append(probe_row(args.icemargin, study, output))
    return table, probes


def all_studies(args, root):
    yield from studies.phantoms(args.icemargin, root, args.seeds, args.quick)
    if not args.real_data.is_dir():
        print(f"No real scans in {args.real_data}: hybrids are left out.")
        return
    yield from studies.hybrids(args.hybrids, root, args.seeds, args.quick)
    if not args.quick:
        yield studies.full_size(args.hybrids, root, args.seeds[0])


if __name__ == "__main__":
    main()
