"""Overlap and surface distances between a found object and the truth: area-weighted, sub-voxel on both sides, the same for every method."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import distance_transform_edt, map_coordinates
from scipy.spatial import ConvexHull, cKDTree
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes


@dataclass(frozen=True)
class Score:
    dice: float
    mean_mm: float
    percentile95_mm: float
    rms_mm: float = float("inf")
    bias_mm: float = float("nan")


MOST_SAMPLES = 10_000
NOTHING_FOUND = Score(0.0, float("inf"), float("inf"))


class Surface:
    """Triangles in LPS millimetres of the zero set of a field that is positive inside."""

    def __init__(self, field, image):
        padded = np.pad(field.astype(np.float32), 1, constant_values=min(float(field.min()), -1e-3))
        corners, faces, _, _ = marching_cubes(padded, 0)
        matrix = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
        vertices = (corners[:, ::-1] - 1) @ matrix.T + image.GetOrigin()
        triangles = vertices[faces]
        areas = triangle_areas(triangles)
        self.triangles = triangles[areas > 1e-9]

    def pieces(self, longest_mm=1.5):
        """The triangles, cut into quarters until none has a longer edge (three times at most; a leak's very many stay whole)."""
        triangles = self.triangles
        for _ in range(3):
            large = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=2).max(1) > longest_mm
            if not large.any() or len(triangles) > 10 * MOST_SAMPLES:
                break
            a, b, c = (triangles[large, n] for n in range(3))
            ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
            quarters = [np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
            triangles = np.concatenate([triangles[~large], *quarters])
        return triangles

    def samples(self):
        """Points and the area that each stands for; every so manieth where there are very many."""
        pieces = self.pieces()
        pieces = pieces[:: max(len(pieces) // MOST_SAMPLES, 1)]
        return pieces.mean(1), triangle_areas(pieces)

    def distance(self, points, candidates=4):
        """Distance from points to the surface: exact to the pieces whose centroids are nearest."""
        pieces = self.pieces()
        _, nearest = cKDTree(pieces.mean(1)).query(points, k=min(candidates, len(pieces)), workers=2)
        nearest = nearest.reshape(len(points), -1)
        return np.min([point_triangle_distance(points, pieces[nearest[:, n]]) for n in range(nearest.shape[1])], axis=0)


def triangle_areas(t):
    return np.linalg.norm(np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0]), axis=1) / 2


def point_triangle_distance(p, t):
    """Distance of each point to its triangle: to its plane where the foot lies inside, else to the nearest edge."""
    a, b, c = t[:, 0], t[:, 1], t[:, 2]
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    plane = np.abs(np.sum((p - a) * normal, axis=1))
    inside = np.ones(len(p), bool)
    edges = np.full(len(p), np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        along = end - start
        inside &= np.sum(np.cross(along, p - start) * normal, axis=1) >= 0
        s = np.clip(np.sum((p - start) * along, 1) / (np.sum(along * along, 1) + 1e-12), 0, 1)
        edges = np.minimum(edges, np.linalg.norm(p - start - s[:, None] * along, axis=1))
    return np.where(inside, plane, edges)


def field_of_mask(mask, image):
    """A mask's signed distance, zero half way between the last voxel inside and the first outside."""
    spacing = image.GetSpacing()[::-1]
    padded = np.pad(mask.astype(bool), 1)
    field = distance_transform_edt(padded, sampling=spacing) - distance_transform_edt(~padded, sampling=spacing)
    return field[1:-1, 1:-1, 1:-1]


def surface_of_file(path):
    image = sitk.ReadImage(str(path), sitk.sitkFloat32)
    return Surface(sitk.GetArrayFromImage(image), image)


def dice(a, b):
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else 1.0


def percentile(values, weights, fraction):
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(share, fraction)])


class Truth:
    """What an object truly is: a mask on the scan's grid and a surface from a finer signed distance (from the mask without one)."""

    def __init__(self, mask_file, distance_file=None):
        self.image = sitk.ReadImage(str(mask_file))
        self.mask = sitk.GetArrayFromImage(self.image) > 0
        self.field = sitk.ReadImage(str(distance_file), sitk.sitkFloat32) if distance_file else None
        self.surface = Surface(sitk.GetArrayFromImage(self.field), self.field) if self.field else self.surface_of(self.mask)
        self.points, self.areas = self.surface.samples()

    @property
    def longest_diameter(self):
        corners = self.surface.triangles.reshape(-1, 3)
        return float(pdist(corners[ConvexHull(corners).vertices]).max())

    def score(self, mask, surface=None):
        """`mask` is on the scan's grid; `surface` places the edge between voxels, without it the mask's own distance does."""
        if not mask.any():
            return NOTHING_FOUND
        found = surface or self.surface_of(mask)
        points, areas = found.samples()
        values = np.concatenate([self.surface.distance(points), found.distance(self.points)])
        weights = np.concatenate([areas / areas.sum(), self.areas / self.areas.sum()])
        rms = float(values**2 @ weights / 2) ** 0.5
        return Score(dice(mask, self.mask), float(values @ weights / 2), percentile(values, weights, 0.95), rms, self.bias(points, areas))

    def bias(self, points, areas):
        """How far a found surface lies outside of the true one on the whole; negative where it is too small. Needs a true distance."""
        if not self.field:
            return float("nan")
        matrix = np.array(self.field.GetDirection()).reshape(3, 3) * self.field.GetSpacing()
        index = (points - self.field.GetOrigin()) @ np.linalg.inv(matrix).T
        inside = map_coordinates(sitk.GetArrayFromImage(self.field), index[:, ::-1].T, order=1, mode="nearest")
        return -float(inside @ areas / areas.sum())

    def surface_of(self, mask):
        box = tuple(slice(max(int(n.min()) - 2, 0), int(n.max()) + 3) for n in np.nonzero(mask))
        image = self.image[tuple(box[a] for a in (2, 1, 0))]
        return Surface(field_of_mask(mask[box], image), image)
