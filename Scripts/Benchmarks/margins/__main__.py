"""Margins of bodies with known truth, ours beside its peers: error of the smallest margin and of the surface's shares, coverage, seconds."""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np
import peers
from shapes import random_case

# Millimetres along k, j, i.
GRIDS = {"1 mm": (1, 1, 1), "0.7 × 0.7 × 2.5 mm": (2.5, 0.7, 0.7), "0.8 × 0.8 × 5 mm": (5, 0.8, 0.8)}
REACH_MM = 42


def sample(case, spacing):
    """Tumour and zone as masks, and as signed distances."""
    axes = [np.arange(-REACH_MM, REACH_MM + step / 2, step) for step in spacing]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    points = np.stack([i, j, k], -1)
    depths = case.tumour.depth(points), case.zone.depth(points)
    return tuple(depth >= 0 for depth in depths), depths


def write(values, spacing, path):
    # Arrays are k, j, i; NIfTI counts i first, in a space turned by half a turn about the body's axis.
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
    affine[:3, 3] = [REACH_MM, REACH_MM, -REACH_MM]
    kind = np.uint8 if values.dtype == bool else np.float32
    nibabel.save(nibabel.Nifti1Image(values.transpose(2, 1, 0).astype(kind), affine), path)


def ours(command, tumour, zone, spacing, folder):
    write(tumour, spacing, folder / "tumour.nii")
    write(zone, spacing, folder / "zone.nii")
    start = time.perf_counter()
    run = subprocess.run(
        [command, "margin", "--tumour", folder / "tumour.nii", "--zone", folder / "zone.nii", "--json"], capture_output=True, check=True)
    seconds = time.perf_counter() - start
    entry = json.loads(run.stdout)
    share = entry["surfaceFraction"]
    bands = np.array([share["below0"], share["from0to5"], share["from5to10"] + share["atLeast10"]])
    return entry["minimumMarginMM"], bands, seconds, entry["minimumMarginIntervalMM"], entry["tumourCoverage"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--icemargin", required=True)
    parser.add_argument("--count", type=int, default=12, help="cases per grid")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("Error of the smallest margin (mm: mean of its size, mean, worst), worst error of the shares below 0, 0-5, from 5 mm (points, mean over")
    print("cases) and of the tumour's coverage (points), seconds (median; ours is the whole command, peers are timed from masks in memory).\n")
    print(f"{'grid':20} {'method':26} {'|error|':>8} {'bias':>7} {'worst':>7} {'shares':>7} {'covered':>8} {'seconds':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, spacing in GRIDS.items():
            rows, intervals = {}, {}
            random = np.random.default_rng(options.seed)
            for number in range(options.count):
                case = random_case(random, wanted_mm=[4.0, -1.0, -3.1, 1.5][number % 4])
                truth, bands = case.truth()
                coverage = case.coverage()
                masks, depths = sample(case, spacing)
                for method, shapes in {"icemargin, masks": masks, "icemargin, level sets": depths}.items():
                    found, found_bands, seconds, interval, covered = ours(options.icemargin, *shapes, spacing, Path(folder))
                    intervals.setdefault(method, []).append((interval[0] <= truth <= interval[1], interval[1] - interval[0]))
                    rows.setdefault(method, []).append(
                        (found - truth, 100 * np.abs(found_bands - bands).max(), 100 * abs(covered - coverage), seconds))
                for peer, measure in peers.ALL.items():
                    start = time.perf_counter()
                    found, found_bands = measure(*masks, spacing)
                    seconds = time.perf_counter() - start
                    rows.setdefault(peer, []).append((found - truth, 100 * np.abs(found_bands - bands).max(), np.nan, seconds))
            for method, values in rows.items():
                errors, shares, covered, seconds = np.array(values).T
                worst = errors[np.abs(errors).argmax()]
                coverage = f"{covered.max():8.2f}" if np.isfinite(covered).all() else f"{'-':>8}"
                print(f"{name:20} {method:26} {np.abs(errors).mean():8.2f} {errors.mean():+7.2f} {worst:+7.2f} {shares.mean():7.1f} {coverage}"
                      f" {np.median(seconds):8.3f}")
            for method, values in intervals.items():
                held, widths = np.array(values).T
                print(f"{'':20} {method}: the 95 % interval holds the truth in {held.sum():.0f} of {options.count}, mean width {widths.mean():.2f} mm")
            print(flush=True)


main()
