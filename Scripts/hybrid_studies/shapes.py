"""Closed shapes as exact signed distances (positive inside, mm): lesions, iceballs, tubes."""

import numpy as np
from scipy.ndimage import distance_transform_edt, label, map_coordinates
from scipy.spatial import ConvexHull, cKDTree
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes


class Shape:
    """A signed distance on a fine, isotropic LPS grid of its own, made from any function that is positive inside and smooth."""

    def __init__(self, implicit, low, high, step=0.6, in_one_piece=False):
        self.step, self.origin = step, np.asarray(low, float)
        count = np.ceil((np.asarray(high) - self.origin) / step).astype(int) + 1
        axis = [self.origin[a] + step * np.arange(count[a]) for a in range(3)]
        z, y, x = np.meshgrid(axis[2], axis[1], axis[0], indexing="ij")
        values = implicit(np.stack([x, y, z], -1).reshape(-1, 3)).reshape(z.shape).astype(np.float32)
        if in_one_piece:
            parts = label(values > 0)[0]
            largest = np.argmax(np.bincount(parts.ravel())[1:]) + 1
            values[(parts > 0) & (parts != largest)] *= -1
        corners, self.faces, _, _ = marching_cubes(values, 0, spacing=(step,) * 3, gradient_direction="ascent")
        self.vertices = corners[:, ::-1] + self.origin
        self.field = self._distance(values)

    def _distance(self, values):
        """Exact near the surface: to the plane of the nearest surface sample; further off to the nearest sample, then to voxels."""
        inside = values > 0
        far = distance_transform_edt(inside, sampling=self.step) - distance_transform_edt(~inside, sampling=self.step)
        field = (far - 0.5 * self.step * np.sign(far)).astype(np.float32)
        near = np.abs(field) < 7
        triangles = self.vertices[self.faces]
        normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        length = np.linalg.norm(normal, axis=1)
        kept = length > 1e-9
        samples, normal = triangles[kept].mean(1), normal[kept] / length[kept, None]
        k, j, i = np.nonzero(near)
        points = np.stack([i, j, k], -1) * self.step + self.origin
        distance, nearest = cKDTree(samples).query(points, workers=2)
        plane = np.abs(np.sum((points - samples[nearest]) * normal[nearest], axis=1))
        field[near] = np.where(distance < 2, plane, distance) * np.where(inside[near], 1, -1)
        return field

    def at(self, points):
        """Signed distance at LPS points; far outside where the grid ends."""
        index = ((points - self.origin) / self.step)[:, ::-1].T
        return map_coordinates(self.field, index, order=1, mode="constant", cval=-99.0)

    @property
    def volume_ml(self):
        a, b, c = (self.vertices[self.faces[:, n]] - self.vertices.mean(0) for n in range(3))
        return abs(np.sum(a * np.cross(b, c))) / 6000

    @property
    def longest_diameter(self):
        return float(pdist(self.vertices[ConvexHull(self.vertices).vertices]).max())

    def point_inside(self, rng, spread=0.25):
        """A point as a reader clicks it: near the deepest place, off by up to `spread` of the depth there."""
        k, j, i = np.unravel_index(np.argmax(self.field), self.field.shape)
        deepest = np.array([i, j, k]) * self.step + self.origin
        return deepest + random_direction(rng) * rng.uniform(0, spread) * self.field.max()


def random_direction(rng):
    v = rng.normal(size=3)
    return v / np.linalg.norm(v)


def across(direction):
    """Two unit vectors that span the plane across a direction."""
    other = np.eye(3)[np.argmin(np.abs(direction))]
    first = np.cross(direction, other)
    first /= np.linalg.norm(first)
    return first, np.cross(direction, first)


def waves(rng, wavelength_mm, count=12):
    """A smooth random function of points, of about ± 1."""
    directions = np.array([random_direction(rng) for _ in range(count)]) * 2 * np.pi / (wavelength_mm * rng.uniform(0.8, 1.6, (count, 1)))
    phases = rng.uniform(0, 2 * np.pi, count)
    return lambda p: np.sin(p @ directions.T + phases).sum(1) * np.sqrt(2 / count) * 0.7


def smooth_union(a, b, blend):
    h = np.maximum(blend - np.abs(a - b), 0) / blend
    return np.maximum(a, b) + h * h * blend / 4


def segment_distance(points, start, end):
    """Distance to a segment and how far along it (0 to 1) the nearest point lies."""
    along = end - start
    t = np.clip((points - start) @ along / (along @ along), 0, 1)
    return np.linalg.norm(points - start - t[:, None] * along, axis=1), t


def lesion(centre, diameter, irregularity, rng):
    """A lobulated mass of about that mean diameter: an ellipsoid with a bud or two and a wavy surface."""
    centre, radius = np.asarray(centre, float), diameter / 2
    basis = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    radii = radius * np.array([1, rng.uniform(0.85, 1), rng.uniform(0.75, 0.95)]) * 1.05
    buds = [
        (centre + random_direction(rng) * radius * rng.uniform(0.5, 0.75), radius * rng.uniform(0.4, 0.6))
        for _ in range(rng.integers(1, 3))]
    wave = waves(rng, 1.1 * radius + 6)

    def implicit(p):
        q = (p - centre) @ basis / radii
        length = np.linalg.norm(q, axis=1)
        value = (1 - length) * radii.mean()
        if irregularity > 0:
            for middle, r in buds:
                value = smooth_union(value, irregularity * r + (1 - irregularity) * radius * 0.2 - np.linalg.norm(p - middle, axis=1), 3.0)
            value = value + irregularity * 0.12 * radius * wave(p)
        return value

    return Shape(implicit, centre - radius * 1.6 - 4, centre + radius * 1.6 + 4)


def iceball(probes, radii, lengths, vessels, rng, roughness=0.8):
    """Ice around probes (tip, unit vector towards the tail): drops that merge, dented where a vessel warms them."""
    wave = waves(rng, 16)

    def implicit(p):
        value = None
        for (tip, direction), radius, length in zip(probes, radii, lengths):
            start, end = tip + direction * (radius - 6), tip + direction * max(length - radius - 6, radius - 4)
            distance, t = segment_distance(p, start, end)
            drop = radius * (1 - 0.18 * t) - distance
            value = drop if value is None else smooth_union(value, drop, 6.0)
        value = value + roughness * wave(p)
        for start, end, radius in vessels:
            wall = segment_distance(p, start, end)[0] - radius - 1.5
            value = -smooth_union(-value, -wall, 4.0)
        return value

    tips = np.array([tip for tip, _ in probes])
    ends = np.array([tip + d * l for (tip, d), l in zip(probes, lengths)])
    both = np.concatenate([tips, ends])
    return Shape(implicit, both.min(0) - max(radii) - 8, both.max(0) + max(radii) + 8, in_one_piece=True)


def shrunk(shape, amount, rng):
    """The same, drawn in by about `amount` mm, unevenly."""
    wave = waves(rng, 22)
    high = shape.origin + shape.step * (np.array(shape.field.shape)[::-1] - 1)
    return Shape(lambda p: shape.at(p) - amount * (1 + 0.35 * wave(p)), shape.origin, high, in_one_piece=True)


def tube(start, end, radius):
    """A straight vessel."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    both = np.stack([start, end])
    return Shape(lambda p: radius - segment_distance(p, start, end)[0], both.min(0) - radius - 4, both.max(0) + radius + 4, 0.8)


def united(shapes):
    """One shape of several that may overlap or lie apart."""
    if len(shapes) == 1:
        return shapes[0]
    low = np.min([s.origin for s in shapes], axis=0)
    high = np.max([s.origin + s.step * (np.array(s.field.shape)[::-1] - 1) for s in shapes], axis=0)
    return Shape(lambda p: np.max([s.at(p) for s in shapes], axis=0), low, high)
