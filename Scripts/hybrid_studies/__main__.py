"""Puts synthetic lesions, iceballs and probes into real scans and writes DICOM series and truth."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from study import RECIPES, Options, Study


def main():
    parser = argparse.ArgumentParser(prog="hybrids", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print the kinds of cases")
    parser.add_argument("output", type=Path, nargs="?", help="the folder in which each study gets one of its own")
    parser.add_argument("--real-data", type=Path, required=True, help="the folder of the real scans (or ICEMARGIN_REAL_DATA)")
    parser.add_argument("--case", action="append", choices=RECIPES, help="which kind; all of them when not given")
    parser.add_argument("--seed", type=int, action="append", help="what everything random follows from (default 1)")
    parser.add_argument("--contrast", type=float, help="HU against the tissue around; the lesion's own HU in lung and bone; a factor on MR")
    parser.add_argument("--diameter", type=float, help="mean diameter of the lesion in mm")
    parser.add_argument("--probes", type=int, help="number of probes")
    parser.add_argument("--irregularity", type=float, default=1.0, help="0 for an ellipsoid, 1 for a lobulated lesion")
    parser.add_argument("--edge-band-mm", type=float, default=1.75, help="depth over which ice fades in (1.75: 7 K at 4 K/mm; 0: sharp)")
    parser.add_argument("--streaks", type=float, default=1.0, help="strength of metal streaks on CT")
    parser.add_argument("--prefreeze", action="store_true", help="add a scan with probes and without ice")
    parser.add_argument("--no-follow-up", action="store_true", help="leave out the scan of the ablation zone")
    parser.add_argument("--size", type=int, nargs=3, metavar=("COLUMNS", "ROWS", "SLICES"), help="resample to this size, with --spacing")
    parser.add_argument("--spacing", type=float, nargs=3, metavar="MM", help="… and these voxels")
    parser.add_argument("--noise", type=float, help="standard deviation of noise added to every scan")
    args = parser.parse_args()
    if args.list:
        return print("\n".join(RECIPES))
    if not args.output:
        parser.error("Give the folder to write into.")
    if bool(args.size) != bool(args.spacing):
        parser.error("--size and --spacing go together.")
    if not args.real_data.is_dir():
        sys.exit(f"There are no real scans in {args.real_data}. Name their folder with ICEMARGIN_REAL_DATA.")
    options = Options(
        contrast=args.contrast, diameter=args.diameter, probes=args.probes, band_mm=args.edge_band_mm, irregularity=args.irregularity,
        streaks=args.streaks, prefreeze=args.prefreeze, follow_up=not args.no_follow_up,
        size=tuple(args.size) if args.size else None, spacing=tuple(args.spacing) if args.spacing else None, noise=args.noise)
    for name in args.case or RECIPES:
        for seed in args.seed or [1]:
            start = time.perf_counter()
            folder = args.output / f"{name}-{seed}"
            shutil.rmtree(folder, ignore_errors=True)
            Study(args.real_data, name, seed, options).write(folder)
            print(f"{folder}  {time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
