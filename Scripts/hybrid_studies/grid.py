"""Patient space: voxel grids in LPS millimetres. Arrays are [slice, row, column]; indices and spacings are (column, row, slice)."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk


@dataclass(frozen=True)
class Grid:
    """Voxel centres at origin + axes · (spacing × index); `thickness` is how much a slice averages along its normal."""

    size: tuple
    spacing: np.ndarray
    origin: np.ndarray
    axes: np.ndarray
    thickness: float

    @property
    def matrix(self):
        return self.axes * self.spacing

    def points(self, indices):
        """LPS points of (column, row, slice) indices in the last axis."""
        return indices @ self.matrix.T + self.origin

    def indices(self, points):
        return (np.asarray(points) - self.origin) @ np.linalg.inv(self.matrix).T

    def box(self, points, margin):
        """The index ranges (lowest, one past the highest) that hold the points and `margin` mm around, cut to the grid."""
        i = self.indices(points)
        reach = margin / self.spacing
        low = np.maximum(np.floor(i.min(0) - reach), 0).astype(int)
        high = np.minimum(np.ceil(i.max(0) + reach) + 1, self.size).astype(int)
        return low, np.maximum(high, low)

    def contains(self, points, margin=0.5):
        i = self.indices(points)
        return np.all((i > -margin) & (i < np.array(self.size) - 1 + margin), axis=-1)

    def image(self, array):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(self.spacing.tolist())
        image.SetOrigin(self.origin.tolist())
        image.SetDirection(self.axes.flatten().tolist())
        return image


def slices(box):
    low, high = box
    return tuple(slice(low[a], high[a]) for a in (2, 1, 0))


def voxel_average(grid, box, function, depth, samples=(3, 3, 5)):
    """The mean of `function` (of LPS points) over each voxel's pixel area and `depth` mm along the slice normal."""
    low, high = box
    axis = [np.arange(low[a], high[a]) for a in range(3)]
    k, j, i = np.meshgrid(axis[2], axis[1], axis[0], indexing="ij")
    centres = np.stack([i, j, k], -1).reshape(-1, 3).astype(np.float32)
    extent = np.array([1, 1, depth / grid.spacing[2]])
    offsets = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5 for n in samples], indexing="ij"), -1).reshape(-1, 3) * extent
    total = np.zeros(len(centres), np.float32)
    for offset in offsets:
        total += function(grid.points(centres + offset))
    return (total / len(offsets)).reshape(k.shape)
