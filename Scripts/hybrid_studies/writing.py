"""DICOM series, NIfTI truth and truth.json of a hybrid study."""

import json

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from grid import voxel_average


def uid(*parts):
    return generate_uid(entropy_srcs=["hybrid", *map(str, parts)])


def series(folder, scan, case, role, number):
    """One file per slice; a fresh header, so that nothing of the real patient's is kept but the pixels. Gives the truth's entry."""
    folder.mkdir(parents=True, exist_ok=True)
    grid, ct = scan.grid, scan.modality == "CT"
    study, own, frame = uid(case, "study"), uid(case, role), uid(case, "frame")
    stored = np.round(scan.values).astype(np.int16)
    if ct:
        stored += 1024
    for k, pixels in enumerate(stored):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage if ct else MRImageStorage
        meta.MediaStorageSOPInstanceUID = uid(case, role, k)
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        d = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        d.SOPClassUID, d.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = study, own, frame
        d.PatientName, d.PatientID, d.PatientBirthDate, d.PatientSex = "Hybrid^Study", case, "", ""
        d.StudyDate, d.StudyTime, d.StudyID, d.AccessionNumber, d.ReferringPhysicianName = "20260101", "120000", "1", "", ""
        d.Modality, d.Manufacturer, d.SeriesDescription, d.PositionReferenceIndicator = scan.modality, "", role, ""
        d.PatientPosition = "HFS"
        d.SeriesNumber, d.InstanceNumber = number, k + 1
        d.ImageType = ["DERIVED", "PRIMARY", "AXIAL"] if ct else ["DERIVED", "PRIMARY", "OTHER"]
        d.ImagePositionPatient = [f"{v:.5f}" for v in grid.points(np.array([0, 0, k]))]
        d.ImageOrientationPatient = [f"{v:.9f}"[:16] for v in [*grid.axes[:, 0], *grid.axes[:, 1]]]
        d.PixelSpacing, d.SliceThickness = [f"{grid.spacing[1]:.7f}", f"{grid.spacing[0]:.7f}"], f"{grid.thickness:.4f}"
        d.Rows, d.Columns, d.SamplesPerPixel = pixels.shape[0], pixels.shape[1], 1
        d.PhotometricInterpretation = "MONOCHROME2"
        d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 16, 15, 1
        if ct:
            d.RescaleIntercept, d.RescaleSlope, d.RescaleType, d.KVP = -1024, 1, "HU", "120"
        d.PixelData = np.ascontiguousarray(pixels).tobytes()
        d.save_as(folder / f"{k:04d}.dcm", enforce_file_format=True)
    return {
        "role": role, "folder": folder.name, "modality": scan.modality, "seriesInstanceUID": own, "frameOfReferenceUID": frame,
        "size": list(map(int, grid.size)), "spacingMM": grid.spacing.tolist(), "sliceThicknessMM": grid.thickness,
        "originLPS": grid.origin.tolist(), "axes": grid.axes.tolist()}


def truth(folder, name, shape, grid):
    """A mask of the voxels that lie at least half inside, and the signed distance (mm, positive inside) on a fine grid of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(grid.size[::-1], np.uint8)
    box = grid.box(shape.vertices, 2)
    low, high = box
    share = voxel_average(grid, box, lambda p: shape.at(p) > 0, grid.spacing[2], (3, 3, 7))
    mask[low[2]:high[2], low[1]:high[1], low[0]:high[0]] = share >= 0.5
    sitk.WriteImage(grid.image(mask), str(folder / f"{name}.nii.gz"), True)
    distance = sitk.GetImageFromArray(shape.field)
    distance.SetSpacing([shape.step] * 3)
    distance.SetOrigin(shape.origin.tolist())
    sitk.WriteImage(distance, str(folder / f"{name}-distance.nii.gz"), True)
    return {"mask": f"{folder.name}/{name}.nii.gz", "signedDistance": f"{folder.name}/{name}-distance.nii.gz"}


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [rounded(entry) for entry in value]
    return round(float(value), 4) if isinstance(value, (float, np.floating)) else value


def document(path, content):
    path.write_text(json.dumps(rounded(content), indent=2) + "\n")
