"""The real scans: reading, resampling, and the noise that belongs to each."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter, zoom

from grid import Grid


@dataclass(frozen=True)
class RealScan:
    """Values in HU or signal units, [slice, row, column]."""

    values: np.ndarray
    grid: Grid
    modality: str
    noise: "Noise"

    def smooth(self, box):
        """The tissue without its noise, edges kept: an in-plane median of 5 × 5."""
        low, high = box
        around = [slice(max(low[a] - 3, 0), high[a] + 3) for a in (2, 1, 0)]
        inner = tuple(slice(low[a] - max(low[a] - 3, 0), high[a] - max(low[a] - 3, 0)) for a in (2, 1, 0))
        image = sitk.GetImageFromArray(self.values[tuple(around)].astype(np.float32))
        return sitk.GetArrayFromImage(sitk.Median(image, [2, 2, 0]))[inner]


class Noise:
    """Noise with the strength and grain of a homogeneous region of the scan."""

    def __init__(self, patch, coarsest_pixels=8):
        flat = patch - gaussian_filter(patch, (0, coarsest_pixels, coarsest_pixels))
        self.sigma = float(flat.std())
        spectrum = np.mean(np.abs(np.fft.fft2(flat)) ** 2, axis=0)
        self.amplitude = np.fft.fftshift(np.sqrt(gaussian_filter(spectrum, 1, mode="wrap")))

    def sample(self, shape, rng, sigma=None):
        rows, columns = shape[1:]
        factor = (rows / self.amplitude.shape[0], columns / self.amplitude.shape[1])
        filtered = np.fft.ifftshift(zoom(self.amplitude, factor, order=1, mode="nearest", grid_mode=True))
        out = np.empty(shape, np.float32)
        for k in range(shape[0]):
            out[k] = np.fft.ifft2(np.fft.fft2(rng.normal(size=(rows, columns))) * filtered).real
        return out * ((self.sigma if sigma is None else sigma) / out.std())


def read(folder, quiet):
    """The series in `folder`; `quiet` is a homogeneous region ((columns), (rows), (slices)) of it."""
    datasets = [pydicom.dcmread(path) for path in Path(folder).iterdir() if path.is_file()]
    row, column = np.array(datasets[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(row, column)
    datasets.sort(key=lambda d: normal @ np.array(d.ImagePositionPatient, float))
    values = np.stack([d.pixel_array * float(getattr(d, "RescaleSlope", 1)) + float(getattr(d, "RescaleIntercept", 0)) for d in datasets])
    first, last = (np.array(datasets[n].ImagePositionPatient, float) for n in (0, -1))
    step = (last - first) @ normal / (len(datasets) - 1)
    height, width = (float(x) for x in datasets[0].PixelSpacing)
    modality = datasets[0].Modality
    values = np.maximum(values, -1024 if modality == "CT" else 0).astype(np.float32)
    axes, spacing = np.stack([row, column, normal], 1), np.array([width, height, step])
    grid = Grid(values.shape[::-1], spacing, first, axes, float(datasets[0].SliceThickness))
    i, j, k = (slice(*r) for r in quiet)
    # MR has vessels and a bias field everywhere: only its finest grain is noise.
    return RealScan(values, grid, modality, Noise(values[k, j, i], 8 if modality == "CT" else 1))


def cropped(scan, centre, reach_mm):
    """The slices within `reach_mm` of a point; whole slices, so that streaks and entries stay as they are."""
    k = scan.grid.indices(centre)[2]
    reach = reach_mm / scan.grid.spacing[2]
    low, high = max(int(k - reach), 0), min(int(k + reach) + 1, scan.grid.size[2])
    values = scan.values[low:high]
    origin = scan.grid.points(np.array([0, 0, low]))
    return replace(scan, values=values, grid=replace(scan.grid, size=values.shape[::-1], origin=origin))


def resampled(scan, centre, size, spacing):
    """The scan on another grid about a point, shifted to lie in the scan where it can; air or no signal outside."""
    spacing, size = np.asarray(spacing, float), np.asarray(size)
    extent, field = size * spacing, np.array(scan.grid.size) * scan.grid.spacing
    at = scan.grid.indices(centre) * scan.grid.spacing
    low = np.where(extent < field, np.clip(at - extent / 2, 0, np.maximum(field - extent, 0)), (field - extent) / 2)
    origin = scan.grid.origin + scan.grid.axes @ low
    grid = Grid(tuple(int(n) for n in size), spacing, origin, scan.grid.axes, float(spacing[2]))
    target = sitk.Image([int(n) for n in size], sitk.sitkFloat32)
    target.SetSpacing(spacing.tolist())
    target.SetOrigin(origin.tolist())
    target.SetDirection(scan.grid.axes.flatten().tolist())
    outside = -1024.0 if scan.modality == "CT" else 0.0
    values = sitk.GetArrayFromImage(sitk.Resample(scan.grid.image(scan.values), target, sitk.Transform(), sitk.sitkBSpline, outside))
    return replace(scan, values=np.maximum(values, outside), grid=grid)
