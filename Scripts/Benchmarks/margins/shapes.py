"""Tumours and zones whose margins are known: the truth is read from the shapes' formulas, never from voxels."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree


def sphere_directions(count):
    """Nearly even directions (a Fibonacci lattice)."""
    n = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * n / count), np.pi * (1 + 5**0.5) * n
    return np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], 1)


@dataclass(frozen=True)
class Tumour:
    """An irregular body about `center`: its radius goes up and down with the direction."""

    center: np.ndarray
    radius_mm: float
    waves: tuple  # of (direction, share of the radius, waves per turn)

    def radius(self, directions):
        change = sum(share * np.cos(count * np.arccos(np.clip(directions @ axis, -1, 1))) for axis, share, count in self.waves)
        return self.radius_mm * (1 + change)

    def is_inside(self, points):
        offset = points - self.center
        distance = np.linalg.norm(offset, axis=-1)
        return distance <= self.radius(offset / np.maximum(distance, 1e-9)[..., None])

    def depth(self, points, reach_mm=5.0):
        """Signed distance to the surface, positive inside, as far as `reach_mm`: to within 0.01 mm."""
        distance = cKDTree(self.surface()[0]).query(points, distance_upper_bound=reach_mm, workers=2)[0]
        return np.where(self.is_inside(points), 1, -1) * np.minimum(distance, reach_mm)

    def surface(self, count=400_000):
        """Points of the surface and the area that each stands for."""
        directions = sphere_directions(count)
        radius = self.radius(directions)
        step = 1e-4
        # The area grows by the slope of the radius against the direction.
        slope = np.zeros(count)
        for tangent in tangents(directions):
            turned = directions + step * tangent
            turned /= np.linalg.norm(turned, axis=1)[:, None]
            slope += ((self.radius(turned) - radius) / step) ** 2
        return self.center + radius[:, None] * directions, radius * np.sqrt(radius**2 + slope)


def tangents(directions):
    helper = np.where(np.abs(directions[:, :1]) < 0.9, [[1.0, 0, 0]], [[0, 1.0, 0]])
    first = np.cross(directions, helper)
    first /= np.linalg.norm(first, axis=1)[:, None]
    return first, np.cross(directions, first)


@dataclass(frozen=True)
class Zone:
    """All points within `radius_mm` of a segment: ice along a probe."""

    start: np.ndarray
    end: np.ndarray
    radius_mm: float

    def depth(self, points):
        """Signed distance to the surface, positive inside: exact."""
        axis = self.end - self.start
        along = np.clip((points - self.start) @ axis / (axis @ axis), 0, 1)
        return self.radius_mm - np.linalg.norm(points - self.start - along[..., None] * axis, axis=-1)


@dataclass(frozen=True)
class Case:
    tumour: Tumour
    zone: Zone

    def truth(self):
        """The smallest margin, and the shares of the surface's area below 0, 0 to 5, from 5 mm."""
        points, areas = self.tumour.surface()
        margins = self.zone.depth(points)
        below = [areas[margins < limit].sum() / areas.sum() for limit in (0, 5)]
        return margins.min(), np.array([below[0], below[1] - below[0], 1 - below[1]])

    def coverage(self, count=400_000):
        """The share of the tumour's volume inside the zone."""
        random = np.random.default_rng(0)
        directions = random.normal(size=(count, 3))
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        # Even over the ball: directions are weighted by the cube of their radius.
        radius = self.tumour.radius(directions)
        points = self.tumour.center + (radius * random.random(count) ** (1 / 3))[:, None] * directions
        return np.average(self.zone.depth(points) >= 0, weights=radius**3)


def random_case(random, wanted_mm):
    """A tumour of 7 to 13 mm radius in ice along a probe, its smallest margin `wanted_mm`, at a random place between voxels."""
    center, radius = random.uniform(-2, 2, 3), random.uniform(7, 13)
    axes = random.normal(size=(3, 3))
    axes /= np.linalg.norm(axes, axis=1)[:, None]
    tumour = Tumour(center, radius, tuple((axis, random.uniform(0.02, 0.06), int(random.integers(2, 4))) for axis in axes))
    direction = random.normal(size=3)
    direction /= np.linalg.norm(direction)
    middle = center + random.uniform(-3, 3, 3)
    half = random.uniform(3, 8)
    zone = Zone(middle - half * direction, middle + half * direction, radius + 8)
    smallest = zone.depth(tumour.surface(60_000)[0]).min()
    return Case(tumour, Zone(zone.start, zone.end, zone.radius_mm + wanted_mm - smallest))
