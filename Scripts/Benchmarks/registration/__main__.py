"""Registers phantoms whose motion is known by our command and by its peers in the same run; prints the error at the tumour and the seconds."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk

import peers
import written

# Site, turn in degrees, shift and smooth deformation in millimetres; seeds count up from --seed.
PHANTOMS = [("liver", 10, 40, 8), ("kidney", 12, 50, 10), ("lung", 6, 12, 15), ("liver", 15, 60, 12), ("liver", 8, 25, 15)]
OURS = ("icemargin rigid", "icemargin", "icemargin with its quality")
# A peer that takes longer has failed.
LIMIT_S = 300


def series(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def make(icemargin, folder, size, site, seed, degrees, shift, breathing):
    if not (folder / "truth.json").exists():
        print(f"making {folder.name}", file=sys.stderr)
        subprocess.run(
            [icemargin, "phantom", "--site", site, "--seed", str(seed), "--size", size, "--motion", "smooth", "--noise", "15", "--masks",
             "--motion-degrees", str(degrees), "--motion-mm", str(shift), "--breathing-mm", str(breathing), "--output", str(folder)],
            check=True, capture_output=True)


def ours(icemargin, folder, truth, output):
    """Transforms and seconds without reading and writing, as for the peers; and the document that tells the expected error."""
    tumour = truth["tumours"][0]
    answer = subprocess.run(
        [icemargin, "register", "--moving", str(folder / "planning"), "--fixed", str(folder / "intraprocedural"), "--output", str(output),
         "--exclude-mask", str(folder / "masks/ice.nii.gz"), "--overwrite", "--seed=" + ",".join(map(str, tumour["seedLPS"])),
         "--diameter", f"{tumour['longestDiameterMM']:.1f}"],
        capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError(answer.stderr.strip())
    document = json.loads((output / "register.json").read_text())
    seconds, smooth = document["timingsS"], peers.of_field(output / "displacement.nii.gz")
    return document["quality"], {
        OURS[0]: (peers.through(sitk.ReadTransform(str(output / "rigid.tfm"))), seconds["rigid"]),
        OURS[1]: (smooth, seconds["rigid"] + seconds["deformable"]),
        OURS[2]: (smooth, seconds["register"]),
    }


def by_peer(name, folder, points):
    """Where a peer brings points, and its seconds."""
    np.save(folder / "queries.npy", points)
    (folder / "answers.npy").unlink(missing_ok=True)
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("peer_process.py")), name, str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    if answer.returncode:
        raise RuntimeError((answer.stderr.strip().splitlines() or [f"it ended with status {answer.returncode}"])[-1])
    return np.load(folder / "answers.npy"), float(answer.stdout.split()[-1])


STEP_MM = 0.5


def cubes(landmarks):
    """The faces' middles of small cubes everywhere within 60 mm of the tumour."""
    steps = np.arange(-60, 61, 6.0)
    grid = landmarks.mean(0) + np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    return np.concatenate([grid + sign * STEP_MM * axis for axis in np.eye(3) for sign in (1, -1)])


def folds(moved):
    """Whether one of `cubes` turns inside out."""
    sides = moved.reshape(3, 2, -1, 3)
    columns = (sides[:, 0] - sides[:, 1]) / (2 * STEP_MM)
    return bool((np.linalg.det(np.moveaxis(columns, 0, -1)) <= 0).any())


def print_table(results, failures, count):
    print(f"{'':28}{'median mm':>10}{'worst mm':>10}{'median s':>10}{'worst s':>9}{'folds':>7}{'failed':>8}")
    for name in (*OURS, *peers.PEERS):
        rows, failed = results.get(name, []), len(failures.get(name, []))
        if not rows and not failed:
            continue
        numbers = f"{'':10}{'':10}{'':10}{'':9}{'':7}"
        if rows:
            errors, seconds, folded = zip(*rows)
            numbers = f"{statistics.median(errors):10.2f}{max(errors):10.2f}{statistics.median(seconds):10.1f}{max(seconds):9.1f}"
            numbers += f"{sum(folded):>5}/{len(rows)}"
        print(f"{name:28}{numbers}{failed:>6}/{count}")
    for name, (command, _) in peers.COMMANDS.items():
        if name not in peers.PEERS:
            print(f"{name}: not run, as the command {command} is not installed")
    for name, messages in failures.items():
        for message in messages:
            print(f"{name} failed on {message}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--icemargin", required=True)
    parser.add_argument("--studies", type=Path, help="where phantoms are kept between runs")
    parser.add_argument("--size", default="full", choices=["full", "small"])
    parser.add_argument("--count", type=int, default=len(PHANTOMS), help="how many phantoms")
    parser.add_argument("--seed", type=int, default=301, help="what the first phantom follows from")
    parser.add_argument("--peers", nargs="*", choices=list(peers.PEERS), default=list(peers.PEERS))
    options = parser.parse_args()
    # All on the same cores.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: peers.THREADS])
    results, failures, misread, calibration = {}, {}, [], []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        for number in range(options.count):
            seed, (site, *motion) = options.seed + number, PHANTOMS[number % len(PHANTOMS)]
            folder = (options.studies or scratch) / f"{options.size}-{site}-{seed}"
            folder.parent.mkdir(parents=True, exist_ok=True)
            make(options.icemargin, folder, options.size, site, seed, *motion)
            truth = json.loads((folder / "truth.json").read_text())
            marks = truth["registration"]["tumourSurface"]
            q, p = (np.array([m[key] for m in marks]) for key in ("intraproceduralLPS", "planningLPS"))
            points = np.concatenate([q, cubes(q)])
            moving, fixed = series(folder / "planning"), series(folder / "intraprocedural")
            peers.make_pair(moving, fixed, sitk.ReadImage(str(folder / "masks/ice.nii.gz")), scratch)

            def take(name, moved, seconds):
                error = np.linalg.norm(moved[: len(q)] - p, axis=1).mean()
                results.setdefault(name, []).append((error, seconds, folds(moved[len(q):])))
                print(f"{folder.name}: {name} {error:.2f} mm, {seconds:.1f} s", file=sys.stderr)
                return error

            try:
                quality, found = ours(options.icemargin, folder, truth, scratch / "ours")
                error = [take(name, transform(points), seconds) for name, (transform, seconds) in found.items()][-1]
                calibration.append((error, quality["expectedErrorMM"]))
                print(f"{folder.name}: icemargin expects {quality['expectedErrorMM']} mm, {quality['status']}", file=sys.stderr)
                misread += [f"{folder.name}: {what}" for what in written.disagreements(scratch / "ours", moving, fixed)]
            except RuntimeError as error:
                failures.setdefault(OURS[-1], []).append(f"{folder.name}: {error}")
            for name in options.peers:
                # A peer that gives up on a pair is a result, too.
                try:
                    take(name, *by_peer(name, scratch, points))
                except (RuntimeError, subprocess.TimeoutExpired, OSError) as error:
                    failures.setdefault(name, []).append(f"{folder.name}: {error}")
                    print(f"{folder.name}: {name} failed: {error}", file=sys.stderr)
    print_table(results, failures, options.count)
    stated = [(error, expected) for error, expected in calibration if expected is not None]
    print(f"icemargin's expected error: of {len(calibration)} cases {len(stated)} state one; the true one is below 1.5 of it in "
          f"{sum(e < 1.5 * x for e, x in stated)}, it is at most 3 of the true one in {sum(x <= 3 * e for e, x in stated)}.")
    read = "SimpleITK reads the written motion and image "
    print(read + ("otherwise: " + "; ".join(misread) if misread else "alike."))
    return 1 if misread or OURS[-1] in failures else 0


if __name__ == "__main__":
    sys.exit(main())
