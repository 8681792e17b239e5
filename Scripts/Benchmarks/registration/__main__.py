"""Registers phantoms whose motion is known by our command and by its peers in the same run; prints the error at the tumour and the seconds."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

import peers
import written

# Site, turn in degrees, shift and smooth deformation in millimetres; seeds count up from --seed.
PHANTOMS = [("liver", 10, 40, 8), ("kidney", 12, 50, 10), ("lung", 6, 12, 15), ("liver", 15, 60, 12), ("liver", 8, 25, 15)]
OURS = ("icemargin, its rigid part", "icemargin")


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
    """Seconds without reading and writing, as for the peers: the rigid motion alone, and rigid and smooth motion with their quality."""
    tumour = truth["tumours"][0]
    subprocess.run(
        [icemargin, "register", "--moving", str(folder / "planning"), "--fixed", str(folder / "intraprocedural"), "--output", str(output),
         "--exclude-mask", str(folder / "masks/ice.nii.gz"), "--overwrite", "--seed=" + ",".join(map(str, tumour["seedLPS"])),
         "--diameter", f"{tumour['longestDiameterMM']:.1f}"],
        check=True, capture_output=True)
    document = json.loads((output / "register.json").read_text())
    seconds, quality = document["timingsS"], document["quality"]
    print(f"{folder.name}: icemargin expects {quality['expectedErrorMM']:.2f} mm, {quality['status']}", file=sys.stderr)
    return {
        OURS[0]: (peers.through(sitk.ReadTransform(str(output / "rigid.tfm"))), seconds),
        OURS[1]: (peers.of_field(output / "displacement.nii.gz"), seconds["register"]),
    }


def folds(transform, landmarks):
    """Whether a small cube turns inside out anywhere within 60 mm of the tumour."""
    middle, h = landmarks.mean(0), 0.5
    steps = np.arange(-60, 61, 6.0)
    grid = middle + np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    columns = [(transform(grid + h * e) - transform(grid - h * e)) / (2 * h) for e in np.eye(3)]
    return bool((np.linalg.det(np.stack(columns, -1)) <= 0).any())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--icemargin", required=True)
    parser.add_argument("--studies", type=Path, help="where phantoms are kept between runs")
    parser.add_argument("--size", default="full", choices=["full", "small"])
    parser.add_argument("--count", type=int, default=len(PHANTOMS), help="how many phantoms")
    parser.add_argument("--seed", type=int, default=201, help="what the first phantom follows from")
    parser.add_argument("--peers", nargs="*", choices=list(peers.PEERS), default=list(peers.PEERS))
    options = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(peers.THREADS)
    results, misread = {}, []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        for seed, (site, *motion) in enumerate(PHANTOMS[: options.count], options.seed):
            folder = (options.studies or scratch) / f"{options.size}-{site}-{seed}"
            folder.parent.mkdir(parents=True, exist_ok=True)
            make(options.icemargin, folder, options.size, site, seed, *motion)
            truth = json.loads((folder / "truth.json").read_text())
            marks = truth["registration"]["tumourSurface"]
            q, p = (np.array([m[key] for m in marks]) for key in ("intraproceduralLPS", "planningLPS"))
            found = ours(options.icemargin, folder, truth, scratch / "ours")
            moving, fixed = series(folder / "planning"), series(folder / "intraprocedural")
            misread += [f"{folder.name}: {what}" for what in written.disagreements(scratch / "ours", moving, fixed)]
            pair = peers.make_pair(moving, fixed, sitk.ReadImage(str(folder / "masks/ice.nii.gz")), scratch)
            for name in options.peers:
                start = time.perf_counter()
                try:
                    transform = peers.PEERS[name](pair)
                except Exception as error:  # A peer that gives up on a pair is a result, too.
                    print(f"{name}: {error}", file=sys.stderr)
                    continue
                found[name] = (transform, getattr(transform, "seconds", time.perf_counter() - start))
            for name, (transform, seconds) in found.items():
                error = np.linalg.norm(transform(q) - p, axis=1).mean()
                results.setdefault(name, []).append((error, seconds, folds(transform, q)))
                print(f"{folder.name}: {name} {error:.2f} mm, {seconds:.1f} s", file=sys.stderr)
    print(f"{'':26}{'median mm':>10}{'worst mm':>10}{'median s':>10}{'folds':>7}")
    for name, rows in results.items():
        errors, seconds, folded = zip(*rows)
        print(f"{name:26}{statistics.median(errors):10.2f}{max(errors):10.2f}{statistics.median(seconds):10.1f}{sum(folded):>4}/{len(rows)}")
    print("SimpleITK reads the written motion and image otherwise: " + "; ".join(misread) if misread else "SimpleITK reads the written motion and image alike.")
    return 1 if misread else 0


if __name__ == "__main__":
    sys.exit(main())
