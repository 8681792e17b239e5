"""What a peer is told about an object: a crop of the scan, voxels surely inside, voxels surely outside. More than our command is told."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk


@dataclass(frozen=True)
class Prompt:
    """`inside` and `outside` are masks on `image`, which is a crop of the scan that begins at `start` (column, row, slice)."""

    image: sitk.Image
    start: tuple
    inside: np.ndarray
    outside: np.ndarray
    inner: float
    outer: float

    @property
    def threshold(self):
        """The window half way to the surroundings on one side, as far again on the other."""
        return sorted((self.inner - 1.0 * (self.outer - self.inner), (self.inner + self.outer) / 2))

    def placed(self, mask, whole):
        result = np.zeros(whole.GetSize()[::-1], bool)
        i, j, k = self.start
        result[k:k + mask.shape[0], j:j + mask.shape[1], i:i + mask.shape[2]] = mask
        return result


def around_point(scan, seed, diameter):
    """A tumour or ablation zone: surely inside is the middle third of its diameter, surely outside what is farther than 0.8 of it."""
    image, start, points = crop(scan, [seed], 1.2 * diameter + 8)
    distance = np.linalg.norm(points - seed, axis=-1)
    return prompt(image, start, distance < max(diameter / 6, 2.5), distance > 0.7 * diameter)


def along_probes(scan, probes):
    """Ice: surely inside is a sleeve around each shaft without the metal, surely outside what is farther than 32 mm from all of them."""
    sleeves = [(tip + 6 * unit(tail - tip), tip + 22 * unit(tail - tip)) for tip, tail in probes]
    image, start, points = crop(scan, [p for s in sleeves for p in s], 45)
    distance = np.min([segment_distance(points, *s) for s in sleeves], axis=0)
    inside = (distance > 2.5) & (distance < 5.5)
    return prompt(image, start, inside, distance > 30, metal=distance < 2.5)


def prompt(image, start, inside, outside, metal=None):
    """On CT, bone, metal and (but in lung) gas would drown every statistic: they are cut off, and known metal is given the inner level."""
    values = sitk.GetArrayFromImage(image)
    inner, shell = float(np.median(values[inside])), values[outside]
    if values.min() < -200:
        lowest = -1024 if np.median(shell) < -300 else -200
        shell = shell[(shell > lowest) & (shell < 250)]
        values = np.clip(values, lowest, 250)
        if metal is not None:
            values[metal] = inner
        cut = sitk.GetImageFromArray(values)
        cut.CopyInformation(image)
        image = cut
        if metal is None and lowest == -200:
            # The edge of a tumour to the tissue most like it is the one to find, but in lung the edge to lung.
            alike = shell[np.abs(shell - inner) < 100]
            shell = alike if len(alike) > 0.05 * len(shell) else shell
    return Prompt(image, start, inside, outside, inner, float(np.median(shell)))


def crop(scan, points, margin):
    matrix = np.array(scan.GetDirection()).reshape(3, 3) * scan.GetSpacing()
    index = (np.array(points) - scan.GetOrigin()) @ np.linalg.inv(matrix).T
    reach = margin / np.array(scan.GetSpacing())
    low = np.maximum(np.floor(index.min(0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(index.max(0) + reach) + 1, scan.GetSize()).astype(int)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high))
    image = scan[i, j, k]
    grid = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low[::-1], high[::-1])), indexing="ij")[::-1], -1)
    return image, tuple(int(n) for n in low), grid @ matrix.T + scan.GetOrigin()


def unit(v):
    return v / np.linalg.norm(v)


def segment_distance(points, start, end):
    along = end - start
    t = np.clip((points - start) @ along / (along @ along), 0, 1)
    return np.linalg.norm(points - start - t[..., None] * along, axis=-1)
