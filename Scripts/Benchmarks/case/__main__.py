"""One whole case, from DICOM folders to a margin: `icemargin verify` beside a chain of SimpleITK, elastix and VTK, on one phantom in one run.

The chain has what a script of an afternoon has: no probes, no simulation, no uncertainty, no pictures, no report. It is told where the
ice is (a point in it) and where the tumour is.
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "registration"))
import peers as registration_peers  # noqa: E402

specification = importlib.util.spec_from_file_location("margin_peers", HERE.parent / "margins/peers.py")
margin_peers = importlib.util.module_from_spec(specification)
specification.loader.exec_module(margin_peers)

CROP_MM = 70


def make(icemargin, folder, size, seed):
    """A liver of which planning and ice scan lie in different frames, with organs moved smoothly."""
    if not (folder / "truth.json").exists():
        subprocess.run(
            [icemargin, "phantom", "--site", "liver", "--seed", str(seed), "--size", size, "--motion", "smooth", "--motion-degrees", "10",
             "--motion-mm", "40", "--breathing-mm", "8", "--noise", "15", "--probes", "2", "--masks", "--output", str(folder)],
            check=True, capture_output=True)


def ours(icemargin, folder, output):
    start = time.perf_counter()
    run = subprocess.run([icemargin, "verify", folder / "case.yaml", "--output", output, "--overwrite"], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if run.returncode:
        sys.exit(run.stderr)
    # Of all children so far this one is the largest: it is the first.
    gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    report = json.loads((Path(output) / "report.json").read_text())
    return report, seconds, gigabytes


class Stages(dict):
    def measure(self, name, work):
        start = time.perf_counter()
        result = work()
        self[name] = time.perf_counter() - start
        return result


def series(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def cropped(image, point):
    index = np.array(image.TransformPhysicalPointToIndex([float(v) for v in point]))
    reach = (CROP_MM / np.array(image.GetSpacing())).astype(int)
    size = np.array(image.GetSize())
    low, high = np.maximum(index - reach, 0), np.minimum(index + reach, size)
    return sitk.RegionOfInterest(image, [int(v) for v in high - low], [int(v) for v in low])


def grown(image, point, below):
    """Connected threshold about the values at a point after curvature flow, holes filled."""
    part = cropped(sitk.Cast(image, sitk.sitkFloat32), point)
    smooth = sitk.CurvatureFlow(part, timeStep=0.0625, numberOfIterations=5)
    seed = part.TransformPhysicalPointToIndex([float(v) for v in point])
    near = sitk.GetArrayViewFromImage(smooth)[max(seed[2] - 1, 0):seed[2] + 2, seed[1] - 3:seed[1] + 4, seed[0] - 3:seed[0] + 4]
    level = float(np.median(near))
    region = sitk.ConnectedThreshold(smooth, [seed], level - (600 if below else 25), level + 25)
    return sitk.VotingBinaryHoleFilling(region, [2, 2, 1])


def chain(folder, truth, scratch):
    """The same steps by other people's tools: its stages' seconds and the smallest margin."""
    stages, tumour = Stages(), truth["tumours"][0]
    planning, treated = stages.measure("load", lambda: (series(folder / "planning"), series(folder / "intraprocedural")))
    iced = np.mean([probe["tipLPS"] for probe in truth["probes"]], axis=0)
    found = stages.measure("tumours", lambda: grown(planning, tumour["seedLPS"], below=False))
    ice = stages.measure("zone", lambda: grown(treated, iced, below=True))

    def register():
        whole = sitk.Resample(ice, treated, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
        pair = registration_peers.make_pair(planning, treated, whole, scratch)
        name = "elastix B-spline" if "elastix B-spline" in registration_peers.PEERS else "elastix rigid"
        registration_peers.PEERS[name](pair)
        field = scratch / ("deformationField.mha" if name == "elastix B-spline" else "field.mha")
        return name, sitk.DisplacementFieldTransform(sitk.ReadImage(str(field), sitk.sitkVectorFloat64))

    name, transform = stages.measure("registration", register)
    moved = sitk.Resample(found, ice, transform, sitk.sitkNearestNeighbor, 0)
    tumour_mask, ice_mask = (sitk.GetArrayFromImage(image) > 0 for image in (moved, ice))
    margin = stages.measure("margins", lambda: margin_peers.vtk_mesh(tumour_mask, ice_mask, ice.GetSpacing()[::-1])[0]) if tumour_mask.any() else None
    return name, stages, margin


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--icemargin", required=True)
    parser.add_argument("--size", default="full", choices=["full", "small"])
    parser.add_argument("--seed", type=int, default=201)
    parser.add_argument("--studies", type=Path, help="where the phantom is kept between runs")
    options = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(registration_peers.THREADS)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        folder = (options.studies or scratch) / f"case-{options.size}-{options.seed}"
        folder.parent.mkdir(parents=True, exist_ok=True)
        make(options.icemargin, folder, options.size, options.seed)
        truth = json.loads((folder / "truth.json").read_text())
        report, seconds, gigabytes = ours(options.icemargin, folder, scratch / "ours")
        name, stages, margin = chain(folder, truth, scratch)
    print(f"{'stage':28}{'icemargin':>10}{'chain':>10}   seconds ({name} registers in the chain)")
    for stage, value in report["timingsS"].items():
        other = stages.get(stage)
        print(f"{stage:28}{value:10.2f}{other and format(other, '10.2f') or '         –'}")
    print(f"{'whole':28}{seconds:10.2f}{sum(stages.values()):10.2f}   peak memory {gigabytes:.2f} GB")
    row, true = report["margins"][0], truth["margins"][0]["minimumMarginMM"]
    interval = row["minimumMarginIntervalMM"]
    print(f"smallest margin: true {true:.2f} mm, icemargin {row['minimumMarginMM']:.2f} ({interval[0]:.2f} to {interval[1]:.2f}), "
          f"chain {'none' if margin is None else format(margin, '.2f')} mm; {report['verdict']['status']}")


if __name__ == "__main__":
    main()
