"""Metal in a CT scan: rods, clips and stents, each a cloud of points with a volume, with blooming and streaks."""

import numpy as np
from scipy.ndimage import binary_fill_holes, binary_opening, gaussian_filter

from shapes import across

PROBE_DIAMETER_MM = 1.47
# From blunt to the sharpest trocars and cones.
LONGEST_POINT_MM = 5.0
STEEL_HU = 16000.0
BLOOM_MM = 0.75
HIGHEST_HU = 3071
WATER_PER_MM, STEEL_PER_MM = 0.019, 0.45


def rod(tip, tail, diameter=PROBE_DIAMETER_MM, point_mm=1.5):
    """Points and the volume (mm³) of each for a rod whose tip is ground to a point so long; none is blunt."""
    axis = tail - tip
    length = np.linalg.norm(axis)
    axis = axis / length
    first, second = across(axis)
    s = np.arange(0.1, length, 0.2)
    rings = np.array([(0, 0)] + [(np.cos(a), np.sin(a)) for a in np.arange(6) * np.pi / 3]) * np.array([0.29 * diameter])
    ring = rings[:, :1] * first + rings[:, 1:] * second
    width = np.clip(s / max(point_mm, 0.1), 0.2, 1)
    points = tip + s[:, None, None] * axis + width[:, None, None] * ring
    volume = np.pi * (diameter / 2) ** 2 * 0.2 / len(rings) * width**2
    return points.reshape(-1, 3), np.repeat(volume, len(rings))


def clips(centre, count, rng):
    parts = []
    for _ in range(count):
        start = centre + rng.normal(size=3) * 6
        direction = rng.normal(size=3)
        parts.append(rod(start, start + direction / np.linalg.norm(direction) * rng.uniform(4, 6), 0.9))
    return parts


def stent(start, end, radius=4.0, wires=8, wire_mm=0.22):
    """A braided tube."""
    axis = end - start
    length = np.linalg.norm(axis)
    axis = axis / length
    first, second = across(axis)
    s = np.arange(0, length, 0.15)
    parts = []
    for sense in (-1, 1):
        for n in range(wires):
            angle = 2 * np.pi * n / wires + sense * s / 9
            points = start + s[:, None] * axis + radius * (np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second)
            parts.append((points, np.full(len(s), np.pi * (wire_mm / 2) ** 2 * 0.15 * 1.3)))
    return parts


def body(values):
    """The patient without the table, lungs filled."""
    soft = binary_opening(values > -350, iterations=2)
    return np.stack([binary_fill_holes(plane) for plane in soft])


def insert(scan, parts, strength, rng):
    """Puts metal into the scan with what reconstruction makes of it; `strength` scales the streaks."""
    points = np.concatenate([p for p, _ in parts])
    volume = np.concatenate([v for _, v in parts])
    grid = scan.grid
    index = grid.indices(points)
    half = grid.thickness / grid.spacing[2] / 2
    blur = (BLOOM_MM / grid.spacing[1], BLOOM_MM / grid.spacing[0])
    for k in range(max(int(index[:, 2].min() - half), 0), min(int(index[:, 2].max() + half) + 2, grid.size[2])):
        here = (np.abs(index[:, 2] - k) <= half) & np.all(index[:, :2] > 1, 1) & np.all(index[:, :2] < np.array(grid.size[:2]) - 2, 1)
        if not here.any():
            continue
        share = deposited(index[here, :2], volume[here] / (grid.spacing[0] * grid.spacing[1] * grid.thickness), grid.size[1::-1])
        plane = scan.values[k]
        if strength > 0:
            area = volume[here] / grid.thickness
            plane += strength * streaks(index[here, :2], area, plane, grid.spacing[:2], rng)
        metal = gaussian_filter(share, blur)
        plane += STEEL_HU * metal
        np.clip(plane, -1024, HIGHEST_HU, out=plane)


def deposited(position, weight, shape):
    image = np.zeros(shape[0] * shape[1])
    low = np.floor(position).astype(int)
    part = position - low
    for di in (0, 1):
        for dj in (0, 1):
            share = np.abs(1 - di - part[:, 0]) * np.abs(1 - dj - part[:, 1])
            image += np.bincount((low[:, 1] + dj) * shape[1] + low[:, 0] + di, weight * share, image.size)
    return image.reshape(shape)


def streaks(position, area, plane, spacing, rng, angles=300, bin_mm=0.8):
    """HU that filtered back projection adds when rays through metal are hardened and starved of photons."""
    rows, columns = np.nonzero(plane > -350)
    if len(rows) < 500:
        return np.zeros_like(plane)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    metal = (position - middle) * spacing
    coarse = np.argwhere(plane[top:bottom:4, left:right:4] > -350)[:, ::-1] * 4 + [left, top]
    tissue = (coarse - middle) * spacing
    x = ((np.arange(left, right) - middle[0]) * spacing[0]).astype(np.float32)
    y = ((np.arange(top, bottom) - middle[1]) * spacing[1]).astype(np.float32)
    bins = int(2 * np.hypot(x[-1], y[-1]) / bin_mm) + 80
    frequency = np.fft.rfftfreq(bins, bin_mm)
    ramp = frequency * np.cos(np.pi * frequency / frequency[-1] / 2) ** 2
    result = np.zeros((len(y), len(x)), np.float32)
    for theta in np.arange(angles) * np.pi / angles:
        c, s = np.cos(theta), np.sin(theta)

        def projected(points, weight):
            at = points @ [c, s] / bin_mm + bins / 2
            inside = np.clip(at.astype(int), 0, bins - 1)
            return np.bincount(inside, weight, bins) / bin_mm

        steel = STEEL_PER_MM * gaussian_filter(projected(metal, area), 0.8)
        water = WATER_PER_MM * gaussian_filter(projected(tissue, np.full(len(tissue), 16 * spacing[0] * spacing[1])), 3)
        seen = 3.2 * (1 - np.exp(-steel / 3.2))
        lost = (seen - steel) * 0.2 - 0.05 * seen * water
        starved = np.minimum(np.exp((seen + water) / 2) - np.exp(water / 2), 25)
        lost += gaussian_filter(rng.normal(size=bins), 0.8) * 0.02 * starved * (steel > 0.02)
        filtered = np.fft.irfft(np.fft.rfft(lost) * ramp, bins).astype(np.float32)
        t = (x[None] * np.float32(c) + y[:, None] * np.float32(s)) / np.float32(bin_mm) + np.float32(bins / 2)
        low = t.astype(np.int32)
        part = t - low
        result += filtered[low] * (1 - part) + filtered[low + 1] * part
    image = np.zeros_like(plane)
    image[top:bottom, left:right] = np.clip(result * (np.pi / angles / WATER_PER_MM * 1000), -700, 700)
    return image
