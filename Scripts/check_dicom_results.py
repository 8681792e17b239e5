"""Reads the DICOM results of one case with highdicom, pydicom, dcmqi, DCMTK's and David Clunie's tools, and compares them with the rest of the result.

Usage: check_dicom_results.py RESULT SOURCE …     SOURCE: folders that hold the case's scans.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import pydicom
from PIL import Image

PATIENT_AND_STUDY = [
    "SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName", "StudyDescription", "FrameOfReferenceUID",
]
SUMMARIES = ["Error - Dicom dataset contains invalid data values for Value Representations"]
failures = []


def check(passes, what):
    print(f"  {'ok  ' if passes else 'FAIL'} {what}")
    if not passes:
        failures.append(what)


def reader(name):
    return str(Path(sys.executable).parent / name)


def voxels_lps(array, affine):
    """The places of the voxels inside, LPS millimetres."""
    return np.argwhere(array > 0) @ affine[:3, :3].T + affine[:3, 3]


def is_mask(places, path):
    """Whether the voxels inside of a NIfTI file are those at `places`: as many, and each at one to within a twentieth of a voxel."""
    image = nib.load(path)
    array = np.asanyarray(image.dataobj)
    to_index = np.linalg.inv(np.diag([-1, -1, 1, 1]) @ image.affine)
    indices = places @ to_index[:3, :3].T + to_index[:3, 3]
    nearest = np.round(indices).astype(int)
    if len(places) != (array > 0).sum() or np.abs(indices - nearest).max() > 0.05:
        return False
    return bool((array[tuple(nearest.T)] > 0).all())


def mask_file(result, segment, planning):
    masks = result / "masks"
    if segment.tracking_id in ("visible-ice", "ablation-zone", "isotherm-20", "isotherm-40"):
        return masks / f"{segment.tracking_id.replace('visible-ice', 'ice')}.nii.gz"
    registered = masks / f"tumour-{segment.tracking_id}-registered.nii.gz"
    return masks / f"tumour-{segment.tracking_id}.nii.gz" if planning or not registered.exists() else registered


def position(image, sources):
    """Where an image that is referred to lies."""
    source = sources[image.ReferencedSOPInstanceUID]
    if "PerFrameFunctionalGroupsSequence" not in source:
        return np.array(source.ImagePositionPatient)
    return np.array(source.PerFrameFunctionalGroupsSequence[int(image.ReferencedFrameNumber) - 1].PlanePositionSequence[0].ImagePositionPatient)


def check_segmentation(path, result, sources):
    planning = "planning" in path.name
    seg = hd.seg.segread(path)
    check_segments_overlap(path, seg)
    volume = seg.get_volume(combine_segments=False)
    pixels = pydicom.dcmread(path).pixel_array
    check(int(pixels.sum()) == int(volume.array.sum()), f"{path.name}: pydicom and highdicom find {int(pixels.sum())} voxels")
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [reader("segimage2itkimage"), "--inputDICOM", path, "--outputDirectory", folder, "--outputType", "nifti"], capture_output=True, text=True)
        check(run.returncode == 0, f"{path.name}: dcmqi reads it")
        for number in seg.segment_numbers:
            segment = seg.get_segment_description(number)
            places = voxels_lps(volume.array[..., number - 1], volume.affine)
            check(is_mask(places, f"{folder}/{number}.nii.gz"), f"{path.name}: dcmqi and highdicom agree on {segment.segment_label}")
            file = mask_file(result, segment, planning)
            # What was given as a mask is kept on a grid of its own.
            if file.exists() and np.allclose(sorted(nib.load(file).header.get_zooms()), sorted(volume.spacing), rtol=1e-4):
                check(is_mask(places, file), f"{path.name}: {segment.segment_label} is {file.name}, {len(places)} voxels")
    for frame in seg.PerFrameFunctionalGroupsSequence:
        images = frame.DerivationImageSequence[0].SourceImageSequence
        distances = [position(image, sources) - np.array(frame.PlanePositionSequence[0].ImagePositionPatient) for image in images]
        # Where images had to be resampled onto the grid, frames lie between them.
        if images[0].SpatialLocationsPreserved == "YES" and not (len(images) == 1 and np.abs(distances[0]).max() < 1e-9):
            check(False, f"{path.name}: a frame lies off its image")
    check(True, f"{path.name}: frames lie on their images (spatial locations preserved: {images[0].SpatialLocationsPreserved})")


def check_segments_overlap(path, seg):
    stacked = seg.get_volume(combine_segments=False).array
    overlaps = bool((stacked.sum(axis=-1) > 1).any())
    check(seg.SegmentsOverlap == ("YES" if overlaps else "NO"), f"{path.name}: Segments Overlap is {seg.SegmentsOverlap}")
    for segment in seg.SegmentSequence:
        for algorithm in segment.get("SegmentationAlgorithmIdentificationSequence", []):
            check(algorithm.AlgorithmName == segment.SegmentAlgorithmName and bool(algorithm.AlgorithmVersion),
                  f"{path.name}: {segment.SegmentLabel} is of {algorithm.AlgorithmFamilyCodeSequence[0].CodeMeaning} {algorithm.AlgorithmVersion}")


def expected_numbers(report):
    """The numbers of report.json by tracking identifier, zone and private or public code."""
    numbers = {}
    volumes = {tumour["id"]: tumour["volumeML"] for tumour in report["tumours"]}
    for margin in report["margins"]:
        if margin["minimumMarginMM"] is None:
            continue
        percent = lambda value: None if value is None else round(100 * value, 4)
        numbers[margin["tumour"], margin["zone"]] = {
            "118565006": volumes[margin["tumour"]], "margin": margin["minimumMarginMM"], "interval-low": margin["minimumMarginIntervalMM"][0],
            "interval-high": margin["minimumMarginIntervalMM"][1], "coverage": percent(margin["tumourCoverage"]),
            "residual-volume": margin["residualVolumeML"], "probability-met": percent(margin["probabilityMet"]),
        }
    for structure in report["structures"]:
        numbers[structure["name"], structure["zone"]] = {
            "121206": structure["minimumDistanceMM"], "interval-low": structure["minimumDistanceIntervalMM"][0],
            "interval-high": structure["minimumDistanceIntervalMM"][1], "overlap-volume": structure["overlapVolumeML"], "limit": structure["limitMM"],
        }
    return numbers


def differences(expected, found):
    """Numbers that are not the same: exactly, but for shares that report.json rounds as fractions and the report as per cent."""
    return [
        (key, code) for key, numbers in expected.items() for code, number in numbers.items()
        if number is not None and abs(found.get(key, {}).get(code, np.inf) - number) > (1e-4 if code in ("coverage", "probability-met") else 0)
    ]


def check_measurements(path, report):
    expected = expected_numbers(report)
    content = hd.sr.srread(path).content
    groups = content.get_volumetric_roi_measurement_groups() + content.get_image_measurement_groups()
    found = {}
    for group in groups:
        zones = [evaluation.value.value for evaluation in group.get_qualitative_evaluations() if evaluation.name.value == "zone"]
        if zones:
            found[str(group.tracking_identifier), zones[0]] = {m.name.value: m.value for m in group.get_measurements()}
    wrong = differences(expected, found)
    check(not wrong, f"{path.name}: highdicom reads {sum(map(len, found.values()))} numbers as in report.json {wrong or ''}")

    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        run = subprocess.run([reader("tid1500reader"), "--inputDICOM", path, "--outputMetadata", file.name], capture_output=True, text=True)
        check(run.returncode == 0, f"{path.name}: dcmqi reads it")
        read = json.load(open(file.name))
    found = {}
    for group in read["Measurements"]:
        zones = [e["conceptValue"]["CodeValue"] for e in group.get("qualitativeEvaluations", []) if e["conceptCode"]["CodeValue"] == "zone"]
        if zones:
            found[group["TrackingIdentifier"], zones[0]] = {item["quantity"]["CodeValue"]: float(item["value"]) for item in group["measurementItems"]}
    wrong = differences(expected, found)
    check(not wrong, f"{path.name}: dcmqi reads {sum(map(len, found.values()))} numbers as in report.json {wrong or ''}")


def source_of(path, report, sources):
    """The header of an image of the scan that an object is about."""
    planning = path.stem == "segmentation-planning"
    series = next(entry["seriesInstanceUID"] for entry in report["inputs"] if (entry["role"] == "planning") == planning)
    return next(source for source in sources.values() if source.SeriesInstanceUID == series)


def check_object(path, report, sources):
    """What holds for every object: patient and study as in the source, and no complaint of standard checkers."""
    raw = pydicom.dcmread(path, stop_before_pixels=True)
    source = source_of(path, report, sources)
    for keyword in PATIENT_AND_STUDY:
        if keyword in source and (keyword != "FrameOfReferenceUID" or raw.Modality == "SEG"):
            # Where the program's own words need it, all text becomes UTF-8.
            if keyword == "SpecificCharacterSet" and raw.get(keyword) == "ISO_IR 192":
                continue
            if (raw.get(keyword) or "") != (source.get(keyword) or ""):
                check(False, f"{path.name}: {keyword} is {raw.get(keyword)!r}, not {source.get(keyword)!r}")
    for tool, arguments in [("dcmdump", ["-q"]), ("dciodvfy", [])] + ([("dsrdump", [])] if raw.Modality == "SR" else []):
        if shutil.which(tool) is None:
            print(f"  --   {tool} is not installed")
            continue
        status, complaints = run_checker(tool, arguments, path)
        # Patient and study are the source's, with their mistakes.
        inherited = set(run_checker(tool, arguments, source.filename)[1]) if complaints else set()
        own = [line for line in complaints if line not in inherited and not (inherited and line in SUMMARIES)]
        check(not own and (status == 0 or complaints), f"{path.name}: {tool} {own or 'has nothing to say against it'}"
              + (f" that it has not against the source ({len(complaints)})" if complaints else ""))


def run_checker(tool, arguments, path):
    run = subprocess.run([tool, *arguments, path], capture_output=True, text=True, errors="replace")
    return run.returncode, [line for line in (run.stdout + run.stderr).splitlines() if line.startswith(("Error", "E:", "F:"))]


def check_picture(path, result):
    picture = pydicom.dcmread(path)
    with Image.open(result / f"{path.stem}.png") as png:
        check(np.array_equal(picture.pixel_array, np.asarray(png.convert("RGB"))), f"{path.name}: pixels of {path.stem}.png, {picture.BurnedInAnnotation=!s}")
    if shutil.which("dcmj2pnm"):
        with tempfile.NamedTemporaryFile(suffix=".ppm") as file:
            run = subprocess.run(["dcmj2pnm", path, file.name], capture_output=True)
            check(run.returncode == 0 and np.array_equal(np.asarray(Image.open(file.name)), picture.pixel_array), f"{path.name}: DCMTK renders the same pixels")


def main():
    result, folders = Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]]
    print(f"{folders[0]}:")
    sources = {}
    for file in (file for folder in folders for file in folder.rglob("*")):
        if file.is_file() and pydicom.misc.is_dicom(file):
            header = pydicom.dcmread(file, stop_before_pixels=True)
            if "SOPInstanceUID" in header:
                sources[header.SOPInstanceUID] = header
    report = json.loads((result / "report.json").read_text())
    objects = sorted((result / "dicom").glob("*.dcm"))
    check(len(objects) > 0, f"{len(objects)} objects")
    for path in objects:
        check_object(path, report, sources)
        if path.name.startswith("segmentation"):
            check_segmentation(path, result, sources)
        elif path.name == "measurements.dcm":
            check_measurements(path, report)
        else:
            check_picture(path, result)
    sys.exit(1 if failures else 0)


main()
