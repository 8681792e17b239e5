"""Found probes against true ones: paired by the distance of their tips and the angle between them."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True)
class ProbeScore:
    tip_mm: list
    angle_degrees: list
    missed: int
    spurious: int


def score(found, true, farthest_mm=20.0):
    """Each probe is (tip, tail). A pair whose tips lie farther apart, as where ends are swapped, is one missed and one spurious."""
    cost = np.array([[np.linalg.norm(np.subtract(f[0], t[0])) for t in true] for f in found]).reshape(len(found), len(true))
    pairs = [(i, j) for i, j in zip(*linear_sum_assignment(cost)) if cost[i, j] <= farthest_mm]
    tips, angles = [float(cost[i, j]) for i, j in pairs], [angle(found[i], true[j]) for i, j in pairs]
    return ProbeScore(tips, angles, len(true) - len(pairs), len(found) - len(pairs))


def angle(a, b):
    u, v = (np.subtract(p[1], p[0]) / np.linalg.norm(np.subtract(p[1], p[0])) for p in (a, b))
    return float(np.degrees(np.arccos(np.clip(u @ v, -1, 1))))
