"""What lesions, ice and ablation zones do to the voxels of a real scan. Everything is added to the real texture."""

import numpy as np
from scipy.ndimage import gaussian_filter

from grid import slices, voxel_average
from shapes import waves

# Frozen water is 85 HU below unfrozen; fat changes little (FIELD: phantoms, no dependence on the starting value).
ICE_DROP_HU = 85.0
FAT_SHARE = 0.12
BONE_SHARE = 0.5
# Frozen lung fills with fluid and blood: denser than air, darker than tissue.
FROZEN_LUNG_HU = -110.0
CONSOLIDATED_HU = 15.0
AIR_HU = -850.0
IN_PLANE_BLUR_MM = 0.6


def presence(grid, shape, depth_mm=0.0, margin=3.0):
    """Box and share (0 to 1) of each voxel that a shape takes as the scanner sees it; it fades in over `depth_mm` below the surface."""
    box = grid.box(shape.vertices, margin)
    ramp = max(depth_mm, 1e-3)
    samples = (3, 3, max(3, int(np.ceil(grid.thickness / 0.8))))
    share = voxel_average(grid, box, lambda p: np.clip(shape.at(p) / ramp, 0, 1), grid.thickness, samples)
    return box, gaussian_filter(share, (0, IN_PLANE_BLUR_MM / grid.spacing[1], IN_PLANE_BLUR_MM / grid.spacing[0]))


def water_share(hu):
    """How much of a tissue's drop on freezing it shows, from its unfrozen HU: fat little, soft tissue all, bone some."""
    return np.interp(hu, [-100, 0, 150, 400], [FAT_SHARE, 1, 1, BONE_SHARE])


def texture(scan, box, smooth, rng):
    """The scan's own grain: what its soft tissue shows about its smooth values; the same kind of noise in lung and bone."""
    grain = np.clip(scan.values[slices(box)] - smooth, -2.5 * scan.noise.sigma, 2.5 * scan.noise.sigma)
    if scan.modality != "CT":
        return grain
    soft = gaussian_filter(((smooth > -150) & (smooth < 150)).astype(np.float32), (0, 1, 1))
    low, high = box
    made = scan.noise.sample((high[2] - low[2], *scan.values.shape[1:]), rng)[:, low[1]:high[1], low[0]:high[0]]
    return soft * grain + np.sqrt(1 - np.clip(soft, 0, 1)) * made


def surroundings(scan, centre, reach_mm=12.0):
    """The commonest value of soft tissue (CT) or signal (MR) about a point: the median of the half that lies closest together."""
    box = scan.grid.box(np.asarray(centre)[None], reach_mm)
    values = np.sort(scan.smooth(box).ravel())
    if scan.modality == "CT":
        values = values[(values > -40) & (values < 150)]
    if len(values) < 20:
        return AIR_HU
    half = len(values) // 2
    start = int(np.argmin(values[half:] - values[: len(values) - half]))
    return float(np.median(values[start:start + half]))


def share_alike(scan, centre, level, reach_mm=22.0, within=30.0):
    """How much of the tissue about a point is like `level`."""
    box = scan.grid.box(np.asarray(centre)[None], reach_mm)
    return float(np.mean(np.abs(scan.smooth(box) - level) < within))


def add_lesion(scan, shape, target, rng, unevenness=4.0, fade_mm=0.0):
    """Replaces the tissue's smooth value by `target` inside the shape; the grain stays."""
    box, share = presence(scan.grid, shape, fade_mm)
    smooth = scan.smooth(box)
    wave = waves(rng, 14)
    level = target + unevenness * voxel_average(scan.grid, box, wave, 0, (1, 1, 1))
    inside = level + texture(scan, box, smooth, rng)
    here = scan.values[slices(box)]
    here += share * (inside - here)


def freeze_ct(scan, shape, band_mm, rng):
    """Lowers water-rich tissue, hardly fat; fills lung; over `band_mm` below the 0 °C front."""
    box, share = presence(scan.grid, shape, band_mm)
    smooth = scan.smooth(box)
    wave = voxel_average(scan.grid, box, waves(rng, 18), 0, (1, 1, 1))
    here = scan.values[slices(box)]
    grain = texture(scan, box, smooth, rng)
    drop = here - (ICE_DROP_HU + 5 * wave) * water_share(smooth)
    lung = FROZEN_LUNG_HU + 20 * wave + grain + 0.08 * (smooth + 850)
    airy = np.interp(smooth, [-220, -140], [1, 0])
    here += share * (airy * lung + (1 - airy) * drop - here)


def freeze_mr(scan, shape, band_mm, rng):
    """Frozen tissue gives no signal; what is left is the noise floor."""
    box, share = presence(scan.grid, shape, band_mm)
    here = scan.values[slices(box)]
    floor = scan.noise.sigma * 0.4 * rng.rayleigh(size=here.shape)
    here[...] = np.sqrt((here * (1 - 0.97 * share)) ** 2 + (share * floor) ** 2)


def enhance(scan, amount):
    """Contrast medium: soft tissue rises by `amount`, fat, air and bone hardly."""
    low = gaussian_filter(scan.values, (0, 1.2, 1.2))
    scan.values[...] += amount * np.interp(low, [-60, 10, 130, 250], [0, 1, 1, 0.2]).astype(np.float32)


def add_ablation_zone(scan, zone, rng, enhancement, rim):
    """Tissue that does not take up contrast medium, and an enhancing rim of about 2 mm outside it; lung is consolidated."""
    box, share = presence(scan.grid, zone, margin=8.0)
    smooth = scan.smooth(box)
    outer = voxel_average(scan.grid, box, lambda p: np.clip(1 - np.abs(zone.at(p) + 1.2) / 1.4, 0, 1), scan.grid.thickness)
    soft = np.interp(smooth, [-60, 10], [0, 1])
    wave = voxel_average(scan.grid, box, waves(rng, 15), 0, (1, 1, 1))
    here = scan.values[slices(box)]
    if scan.modality == "CT":
        here += soft * (rim * outer * (1 - share) - share * (enhancement + 4 * wave))
        here += (1 - soft) * (smooth < -140) * share * (CONSOLIDATED_HU + 15 * wave + texture(scan, box, smooth, rng) - here)
    else:
        here *= 1 + 0.35 * outer * (1 - share) - 0.5 * share
