"""Runs our kernels and their peers in turns on the same data and prints medians, ratios and whether targets are met."""

import argparse
import io
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cc3d
import edt
import numpy as np
import pydicom
import SimpleITK as sitk
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from scipy import ndimage

SIZE = (200, 512, 512)
SPACING = (1.5, 0.8, 0.8)


class Server:
    """A process that answers each line of input with seconds and a check value."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline().strip() == "ready"

    def time(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            raise SystemExit(f"{name}: no such kernel")
        return float(answer[0]), float(answer[1])


def timed(function):
    start = time.perf_counter()
    check = function()
    return time.perf_counter() - start, check


def write_series(folder, scan):
    """A CT series as a scanner sends it: one file per slice, explicit little endian, 16 bits."""
    folder.mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for k, pixels in enumerate(scan):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        d = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        d.SOPClassUID, d.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = study, series, frame
        d.PatientName, d.PatientID, d.Modality = "Benchmark", "B1", "CT"
        d.SeriesNumber, d.InstanceNumber = 1, k + 1
        d.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        d.ImagePositionPatient = [-204, -204, k * SPACING[0]]
        d.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        d.PixelSpacing, d.SliceThickness = [SPACING[1], SPACING[2]], SPACING[0]
        d.Rows, d.Columns, d.SamplesPerPixel = pixels.shape[0], pixels.shape[1], 1
        d.PhotometricInterpretation = "MONOCHROME2"
        d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 16, 15, 1
        d.RescaleIntercept, d.RescaleSlope = 0, 1
        d.PixelData = pixels.tobytes()
        d.save_as(folder / f"{k:04d}.dcm", enforce_file_format=True)


def load_pydicom(folder):
    slices = sorted((pydicom.dcmread(p) for p in folder.iterdir()), key=lambda d: d.ImagePositionPatient[2])
    volume = np.empty(SIZE, np.int16)
    for k, d in enumerate(slices):
        volume[k] = d.pixel_array * int(d.RescaleSlope) + int(d.RescaleIntercept)
    return float(volume[100, 200, 300])


def load_simpleitk(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return float(reader.Execute()[300, 200, 100])


def read_bytes(folder):
    with ThreadPoolExecutor(2) as pool:
        sum(pool.map(lambda p: len(p.read_bytes()), sorted(folder.iterdir())))
    return None


def overlays_pillow(scan, mask):
    """Grey values in a window of 400 about 40, the mask's edge in colour, one PNG a slice at level 1."""
    total = 0
    for pixels, inside in zip(scan, mask):
        grey = np.clip((pixels.astype(np.float32) + 160) * (255 / 400), 0, 255).astype(np.uint8)
        edge = inside.copy()
        edge[1:-1, 1:-1] &= ~(inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:])
        image = np.repeat(grey[..., None], 3, axis=2)
        image[edge.view(bool)] = (86, 180, 233)
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG", compress_level=1)
        total += buffer.tell()
    return None


def rows(args, scan, mask):
    """Name, what it is, target ratio of ours to the fastest peer (the peers it holds for), peers."""
    outside = mask == 0
    image = sitk.GetImageFromArray(mask)
    image.SetSpacing(SPACING[::-1])
    floats = scan.astype(np.float32)
    float_image = sitk.GetImageFromArray(floats)
    float_image.SetSpacing(SPACING[::-1])
    float_image.SetOrigin((-204, -204, 0))
    axis = np.array([1, 2, 3]) / np.sqrt(14)
    rigid = sitk.VersorRigid3DTransform(axis.tolist(), 0.1)
    rigid.SetCenter([-204 + 511 * 0.4, -204 + 511 * 0.4, 199 * 0.75])
    rigid.SetTranslation([3, -2, 5])
    series = args.data / "series"

    def at_middle(volume):
        return float(volume[100, 200, 300])

    def maurer():
        return float(sitk.SignedMaurerDistanceMap(image, False, False, True)[300, 200, 100])

    def resample(interpolator):
        return lambda: float(sitk.Resample(float_image, float_image, rigid, interpolator, 0.0)[300, 200, 100])

    def gaussian():
        return float(sitk.DiscreteGaussian(float_image, [1.6**2] * 3, 32, 0.001, True)[300, 200, 100])

    def encoded():
        return overlays_pillow(scan, mask)

    dcmtk = Server([str(args.dcmtk), str(series)])
    load_peers = {
        "pydicom": lambda: load_pydicom(series), "SimpleITK": lambda: load_simpleitk(series), "DCMTK, 2 threads": lambda: dcmtk.time("load"),
        "bytes alone": lambda: read_bytes(series)}
    return [
        ("load", "series load", (1.2, ["DCMTK, 2 threads"]), load_peers),
        ("distance", "distance to a mask", (0.5, None), {
            "edt": lambda: at_middle(edt.edt(outside, anisotropy=SPACING, black_border=False, parallel=2)),
            "SciPy": lambda: at_middle(ndimage.distance_transform_edt(outside, sampling=SPACING))}),
        ("signed-distance", "signed distance", (0.5, None), {"SimpleITK Maurer": maurer}),
        ("components-26", "components, 26", (1.5, None), {"cc3d": lambda: float(cc3d.connected_components(mask, connectivity=26).max())}),
        ("overlays", "200 overlay PNGs", (0.5, None), {"Pillow": encoded}),
        ("gaussian", "Gaussian, 1.6 mm", None, {
            "SimpleITK": gaussian,
            "SciPy": lambda: at_middle(ndimage.gaussian_filter(floats, [1.6 / s for s in SPACING], mode="nearest"))}),
        ("resample-linear", "rigid, linear", None, {"SimpleITK": resample(sitk.sitkLinear)}),
        ("resample-cubic", "rigid, cubic", None, {"SimpleITK B-spline": resample(sitk.sitkBSpline)}),
        ("median", "median 3 × 3 × 3", None, {"SimpleITK": lambda: float(sitk.Median(float_image, [1, 1, 1])[300, 200, 100])}),
        ("gradient", "gradient magnitude", None, {"SimpleITK": lambda: float(sitk.GradientMagnitude(float_image)[300, 200, 100])}),
    ]


# Peers that take many seconds a run, and those that compute something else on purpose (other kernels, other splines).
SLOW = {"SciPy", "SimpleITK B-spline"}
INCOMPARABLE = {("gaussian", "SimpleITK"), ("resample-cubic", "SimpleITK B-spline"), ("signed-distance", "SimpleITK Maurer")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ours", type=Path, required=True)
    parser.add_argument("--dcmtk", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--quick", action="store_true", help="leave out the slowest peers")
    args = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)

    mask = np.fromfile(args.data / "mask.raw", np.uint8).reshape(SIZE)
    scan = np.fromfile(args.data / "scan.raw", "<i2").reshape(SIZE)
    write_series(args.data / "series", scan)
    ours = Server([str(args.ours), "serve", str(args.data)])

    print(f"{'512 × 512 × 200, 2 threads':<27}{'ours':>9}  {'peer':<19}{'peer':>9}{'ratio':>8}  target")
    for name, title, target, peers in rows(args, scan, mask):
        if args.only and name not in args.only:
            continue
        times, checks = {}, {}
        for turn in range(args.rounds):
            for who, run in {"ours": lambda: ours.time(name), **peers}.items():
                if who in SLOW and (args.quick or turn > 0):
                    continue
                result = timed(run)
                # Another process has timed itself and answers with seconds and check.
                seconds, check = result[1] if isinstance(result[1], tuple) else result
                times.setdefault(who, []).append(seconds)
                checks[who] = check
        medians = {who: statistics.median(values) for who, values in times.items()}
        for who in peers:
            if who not in medians:
                continue
            ratio = medians["ours"] / medians[who]
            verdict = ""
            if target and (target[1] is None or who in target[1]):
                verdict = f"≤ {target[0]} {'met' if ratio <= target[0] else 'NOT MET'}"
            a, b = checks["ours"], checks[who]
            if None not in (a, b) and (name, who) not in INCOMPARABLE and abs(a - b) > 1e-3 * max(1, abs(a)):
                verdict += f"  RESULTS DIFFER: {a} against {b}"
            print(f"{title:<27}{medians['ours']:>8.3f}s  {who:<19}{medians[who]:>8.3f}s{ratio:>8.2f}  {verdict}", flush=True)


if __name__ == "__main__":
    main()
