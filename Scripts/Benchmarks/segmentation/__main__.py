"""Scores our segmentation and its peers in the same run on the same scans, and prints a table per site, object and contrast."""

import argparse
import csv
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import SimpleITK as sitk

import icemargin_command
import probe_scores
import prompts
import studies
from peers import PEERS
from surface_scores import NOTHING_FOUND, Surface, Truth
from tables import OURS, Row, print_probes, print_table


def contrast(study, name):
    """Tumours by how much they differ from their surroundings: up to 25 HU are held to the target at 20 HU, more to that at 35 HU."""
    if name == "ice":
        return "alone"
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
        facts = (study.kind, study.case, study.site, study.modality, name, contrast(study, name), study.folder.name)
        yield our_row(icemargin, study, name, output, truth, facts)
        if name == "ice":
            facts_compared = (*facts[:-2], "earlier scan", facts[-1])
            yield our_row(icemargin, study, name, output, truth, facts_compared, reference=study.folder / study.earlier_role)
        if without_peers:
            continue
        scan = study.scan(role)
        prompt = prompt_for(study, name, scan, truth)
        for method, run in PEERS.items():
            start, used = time.perf_counter(), time.process_time()
            mask, field = run(prompt)
            seconds, cpu = time.perf_counter() - start, time.process_time() - used
            whole = prompt.placed(mask, scan)
            score = truth.score(whole, Surface(field, prompt.image) if field is not None and mask.any() and (field > 0).any() else None)
            yield Row(*facts, method, score.dice, score.mean_mm, score.percentile95_mm, seconds, cpu, bias_mm=score.bias_mm)


def our_row(icemargin, study, name, output, truth, facts, reference=None):
    answer = icemargin_command.segment(icemargin, study, name, output, reference)
    score = NOTHING_FOUND if answer.error or not answer.mask.any() else truth.score(answer.mask, answer.surface)
    return Row(*facts, OURS, score.dice, score.mean_mm, score.percentile95_mm, answer.seconds, answer.cpu_seconds, answer.error,
               answer.edge_uncertainty_mm, score.rms_mm, score.bias_mm)


def prompt_for(study, name, scan, truth):
    if name == "ice":
        return prompts.along_probes(scan, study.probes)
    return prompts.around_point(scan, study.truth["tumours"][0]["seedLPS"], truth.longest_diameter)


def probe_row(icemargin, study, output):
    answer = icemargin_command.segment(icemargin, study, "probes", output)
    return {"kind": study.kind, "site": study.site, "study": study.folder.name, "seconds": answer.seconds,
            "cpu_seconds": answer.cpu_seconds, "note": answer.error, **asdict(probe_scores.score(answer.probes, study.probes))}


def absolute(path):
    return Path(path).resolve()


def main():
    parser = argparse.ArgumentParser(prog="run --only segmentation", description=__doc__)
    parser.add_argument("--icemargin", type=absolute, required=True, help="the release build")
    parser.add_argument("--hybrids", type=absolute, required=True, help="the script that makes hybrids")
    parser.add_argument("--real-data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--quick", action="store_true", help="a few of the studies, not the full-size one")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    parser.add_argument("--cases", nargs="+", help="these kinds of hybrids alone")
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
        print(study.folder.name, file=sys.stderr)
        table += rows(args.icemargin, study, output, args.no_peers)
        if study.modality == "CT":
            probes.append(probe_row(args.icemargin, study, output))
    return table, probes


def all_studies(args, root):
    if not args.cases:
        yield from studies.phantoms(args.icemargin, root, args.seeds, args.quick)
    if not args.real_data.is_dir():
        print(f"No real scans in {args.real_data}: hybrids are left out.")
        return
    yield from studies.hybrids(args.hybrids, root, args.seeds, args.quick, args.cases)
    if not args.quick and not args.cases:
        yield studies.full_size(args.hybrids, root, args.seeds[0])


if __name__ == "__main__":
    main()
