"""Real scans that are moved by motions which are known: turned and shifted, bent smoothly, frozen in one place, and made noisy anew."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

TUMOUR_MM, ICE_MM = 12.0, 18.0  # Radii.


@dataclass
class Motion:
    """Points of the fixed frame → the moving frame, LPS millimetres: a rigid motion, then smooth bumps that leave a ball rigid."""

    target: np.ndarray  # The tumour's middle in the moving frame.
    turn: np.ndarray
    shift: np.ndarray
    bumps: list  # Of middle, displacement and width.

    def __post_init__(self):
        self.middle = self.target.copy()
        for _ in range(50):
            self.middle -= self.middle + self.bumped(self.middle) - self.target
        # Within the tumour the rigid motion that is nearest to the bumps.
        h = 0.5
        slopes = np.array([(self.bumped(self.middle + h * e) - self.bumped(self.middle - h * e)) / (2 * h) for e in np.eye(3)]).T
        u, _, v = np.linalg.svd(np.eye(3) + slopes)
        self.local_turn, self.local_shift = u @ v, self.bumped(self.middle)

    def bumped(self, points):
        return sum(np.exp(-((points - c) ** 2).sum(-1, keepdims=True) / (2 * w * w)) * d for c, d, w in self.bumps) if self.bumps else 0 * points

    def __call__(self, points):
        still = (points - self.target - self.shift) @ self.turn + self.target
        distance = np.linalg.norm(still - self.middle, axis=-1, keepdims=True)
        blend = np.clip((distance - TUMOUR_MM - 2) / 16, 0, 1)
        blend = blend * blend * (3 - 2 * blend)
        rigid = self.local_shift + (still - self.middle) @ (self.local_turn - np.eye(3)).T
        return still + blend * self.bumped(still) + (1 - blend) * rigid

    @property
    def tumour(self):
        """The tumour's middle in the fixed frame."""
        return (self.middle - self.target) @ self.turn.T + self.target + self.shift


def random_motion(random, target, degrees, shift_mm, bend_mm, scale=1.0):
    """Breathing towards the head, and smaller bumps any way; `bend_mm` 0 is a rigid motion."""
    axis = random.normal(size=3) * [0.35, 0.35, 0] + [0, 0, 1]
    axis /= np.linalg.norm(axis)
    angle = np.deg2rad(degrees) * random.choice([-1, 1]) * random.uniform(0.7, 1)
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    direction = random.normal(size=3)
    shift = direction / np.linalg.norm(direction) * shift_mm * random.uniform(0.7, 1)
    bumps = [
        (target + random.normal(size=3) * 25 * scale, bend_mm * random.uniform(0.7, 1) * np.array([0.15 * random.normal(), 0.25, 1]), 60 * scale),
        (target + random.normal(size=3) * 35 * scale, 0.3 * bend_mm * random.normal(size=3), 35 * scale),
        (target + random.normal(size=3) * 60 * scale, 0.3 * bend_mm * random.normal(size=3), 45 * scale),
    ] if bend_mm else []
    return Motion(np.asarray(target, float), turn, shift, bumps)


def soft_tissue(scan, random, margin_mm=(60, 60, 40)):
    """A random place well inside the scan, in the midst of soft tissue (CT)."""
    smooth = sitk.GetArrayFromImage(sitk.DiscreteGaussian(scan, [16.0] * 3, maximumKernelWidth=32))
    spacing, size = np.array(scan.GetSpacing()), np.array(scan.GetSize())
    while True:
        index = np.array([random.integers(0, n) for n in size])
        if (index * spacing < margin_mm).any() or ((size - 1 - index) * spacing < margin_mm).any():
            continue
        i, j, k = index
        part = smooth[max(0, k - 3):k + 4, max(0, j - 10):j + 11, max(0, i - 10):i + 11]
        if part.min() > 5 and part.max() < 90:
            return np.array(scan.TransformIndexToPhysicalPoint(index.tolist()))


def moved(scan, motion, random, is_ct, field_mm, spacing_mm, noise):
    """The scan as the motion makes it, on a grid of its own around the tumour, with ice; and a mask of the ice."""
    size = [int(f / s) for f, s in zip(field_mm, spacing_mm)]
    grid = sitk.Image(size, sitk.sitkInt16)
    grid.SetSpacing(spacing_mm)
    origin = motion.tumour - (np.array(size) - 1) / 2 * spacing_mm + random.uniform(-8, 8, 3)
    grid.SetOrigin(origin.tolist())
    x, y, z = (origin[a] + np.arange(size[a]) * spacing_mm[a] for a in range(3))
    vectors = np.empty((*size[::-1], 3))
    for k in range(size[2]):
        points = np.stack(np.broadcast_arrays(x[None, :], y[:, None], z[k]), -1)
        vectors[k] = motion(points) - points
    field = sitk.GetImageFromArray(vectors, isVector=True)
    field.CopyInformation(grid)
    warped = sitk.Resample(scan, grid, sitk.DisplacementFieldTransform(field), sitk.sitkLinear, -1024.0 if is_ct else 0.0, sitk.sitkFloat32)
    values = sitk.GetArrayFromImage(warped)
    ice = motion.tumour + random.normal(size=3) * 3
    distance = np.sqrt((x[None, None, :] - ice[0]) ** 2 + (y[None, :, None] - ice[1]) ** 2 + (z[:, None, None] - ice[2]) ** 2)
    frozen = np.clip((ICE_MM - distance) / 2, 0, 1)
    values = values - 85 * frozen * (values > -300) if is_ct else values * (1 - 0.9 * frozen)
    values = np.clip(values + random.normal(size=values.shape) * noise, -1024, 3000)
    results = [sitk.GetImageFromArray(array) for array in (values.astype(np.int16), (distance < ICE_MM).astype(np.uint8))]
    for result in results:
        result.CopyInformation(grid)
    return results


def tumour_surface(motion, random, count=200):
    """Points of the fixed frame on the tumour's surface."""
    directions = random.normal(size=(count, 3))
    return motion.tumour + TUMOUR_MM * directions / np.linalg.norm(directions, axis=1, keepdims=True)
