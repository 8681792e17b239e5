"""One hybrid study: a recipe, a real scan and a seed become scans with a lesion, probes, ice and an ablation zone, and their truth."""

import zlib
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

import metal
import real_scan
import shapes
import tissue
import writing
from positions import POSITIONS, SCANS


@dataclass(frozen=True)
class Options:
    """What a study is made with; None leaves a choice to the recipe and the seed."""

    contrast: float | None = None
    diameter: float | None = None
    probes: int | None = None
    band_mm: float = 1.75
    irregularity: float = 1.0
    streaks: float = 1.0
    prefreeze: bool = False
    follow_up: bool = True
    size: tuple | None = None
    spacing: tuple | None = None
    noise: float | None = None


@dataclass(frozen=True)
class Recipe:
    """A kind of case. `contrasts` are HU (or a factor on MR) against the surrounding tissue; lung and bone state the lesion's own HU."""

    positions: str
    contrasts: tuple
    probes: tuple = (2, 3)
    vessel: bool = False
    part_solid: bool = False
    second_ball: bool = False
    clips: int = 0
    stent: bool = False


RECIPES = {
    "liver-dark": Recipe("liver-right", (-45, -30), (2, 3)),
    "liver-faint": Recipe("liver-right", (-22, -18), (1, 2)),
    "liver-bright": Recipe("liver-left", (30, 45), (1, 2), clips=3),
    "liver-vessel": Recipe("liver-right", (-40, -30), (2, 3), vessel=True, stent=True),
    "liver-capsule": Recipe("liver-capsule", (-40, -28), (2, 3)),
    "liver-dome": Recipe("liver-dome", (-40, -28), (2, 2)),
    "liver-two-balls": Recipe("liver-right", (-40, -30), (2, 2), second_ball=True),
    "kidney": Recipe("kidney", (25, 40), (2, 3)),
    "kidney-dark": Recipe("kidney", (-34, -24), (1, 2)),
    "muscle": Recipe("muscle", (-40, -22), (2, 2)),
    "vertebra": Recipe("vertebra", (30, 55), (1, 2)),
    "lung-solid": Recipe("lung-solid", (20, 45), (1, 2)),
    "lung-part-solid": Recipe("lung-part-solid", (10, 40), (1, 2), part_solid=True),
    "lung-pleura": Recipe("lung-pleura", (20, 45), (1, 2)),
    "lung-vessel": Recipe("lung-vessel", (20, 45), (1, 1), vessel=True),
    "mr-liver-bright": Recipe("liver-mr", (1.6, 2.2), (2, 3)),
    "mr-liver-dark": Recipe("liver-mr", (0.5, 0.65), (2, 3)),
    "mr-muscle": Recipe("muscle-mr", (1.5, 2.0), (1, 2)),
}


@lru_cache(maxsize=2)
def scan_of(data, name):
    folder, quiet = SCANS[name]
    return real_scan.read(data / folder, quiet)


class Study:
    """Everything is decided in LPS first, then put into one copy of the scan after the other."""

    def __init__(self, data, name, seed, options):
        self.name, self.seed, self.options, self.recipe = name, seed, options, RECIPES[name]
        self.rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
        places = POSITIONS[self.recipe.positions]
        self.place = places[seed % len(places)]
        # Intact bone hides both ice and necrosis; only a scan with the ice is made of it.
        self.has_follow_up = options.follow_up and self.place.site != "spine"
        scan = scan_of(data, self.place.scan)
        self.centre = scan.grid.points(np.array(self.place.at, float)) + self.rng.uniform(-1, 1, 3) * self.place.jitter_mm
        if options.size:
            self.scan = real_scan.resampled(scan, self.centre, options.size, options.spacing)
        else:
            self.scan = real_scan.cropped(scan, self.centre, 100)
        self.body = metal.body(self.scan.values) if scan.modality == "CT" else None
        self.contrast = options.contrast if options.contrast is not None else self.rng.uniform(*self.recipe.contrasts)
        self.diameter = options.diameter or self.rng.uniform(*self.place.diameters)
        self.tumour = shapes.lesion(self.centre, self.diameter, options.irregularity, self.rng)
        self.vessels = [self.vessel()] if self.recipe.vessel else []
        self.probes = self.placed_probes(self.centre, self.recipe.probes)
        self.point_mm = np.random.default_rng([zlib.crc32(name.encode()), seed, 11]).uniform(0, metal.LONGEST_POINT_MM)
        self.balls = [self.ball(self.probes)]
        if self.recipe.second_ball:
            self.add_second_ball()
        self.ice = shapes.united(self.balls)
        self.zone = shapes.shrunk(self.balls[0], self.rng.uniform(2.0, 4.0), self.rng)

    def vessel(self):
        """A vessel that touches the lesion."""
        way = np.array(self.place.way) / np.linalg.norm(self.place.way)
        first, second = shapes.across(way)
        run = first * self.rng.uniform(0.3, 1) + second * self.rng.uniform(0.3, 1)
        run /= np.linalg.norm(run)
        lung = self.place.site == "lung"
        radius = self.rng.uniform(1.6, 2.4) if lung else self.rng.uniform(3, 5)
        # In lung it ends in the lesion and comes from the hilum; elsewhere it passes by on the far side of the probes.
        near = self.centre - way * (0 if lung else self.diameter / 2 + radius - 1.5)
        return (near, near - way * 28 + run * 14, radius) if lung else (near - run * 30, near + run * 30, radius)

    def placed_probes(self, centre, count_range):
        """Nearly parallel rods through the lesion, from outside the skin."""
        count = self.options.probes or int(self.rng.integers(count_range[0], count_range[1] + 1))
        way = np.array(self.place.way, float) / np.linalg.norm(self.place.way)
        way += 0.06 * self.rng.normal(size=3)
        way /= np.linalg.norm(way)
        first, second = shapes.across(way)
        gap = max(0.3 * self.diameter, 5.0)
        turn = self.rng.uniform(0, 2 * np.pi)
        placed = []
        for n in range(count):
            angle = turn + 2 * np.pi * n / count
            aside = 0 if count == 1 else gap
            lean = way + 0.03 * self.rng.normal(size=3)
            lean /= np.linalg.norm(lean)
            tip = centre + aside * (np.cos(angle) * first + np.sin(angle) * second) - lean * (self.diameter / 2 + self.rng.uniform(0, 4))
            placed.append((tip, lean, self.rod_length(tip, lean)))
        return placed

    def rod_length(self, tip, direction):
        """To 45 mm beyond the skin; 175 mm where the scan shows no skin."""
        if self.body is None:
            return 150.0
        s = np.arange(0, 260, 1.0)
        index = np.round(self.scan.grid.indices(tip + s[:, None] * direction)).astype(int)
        inside = np.all((index >= 0) & (index < self.scan.grid.size), axis=1)
        index = np.clip(index, 0, np.array(self.scan.grid.size) - 1)
        last = np.nonzero(inside & self.body[index[:, 2], index[:, 1], index[:, 0]])[0]
        return float(last[-1] + 45) if len(last) else 175.0

    def ball(self, probes):
        lung = self.place.site == "lung"
        radii = [self.diameter / 2 * (0.75 if len(probes) > 1 else 1) + self.rng.uniform(4, 8) * (0.8 if lung else 1) for _ in probes]
        lengths = [max(self.diameter + self.rng.uniform(12, 20), 2 * r + 4) for r in radii]
        # Lung vessels end in the lesion; they do not warm it from the side.
        return shapes.iceball([(tip, way) for tip, way, _ in probes], radii, lengths, [] if lung else self.vessels, self.rng)

    def add_second_ball(self):
        """A small one of its own probe, well apart, in the tissue most like the lesion's."""
        first, second = shapes.across(np.array(self.place.way) / np.linalg.norm(self.place.way))
        level = tissue.surroundings(self.scan, self.centre)
        angles = np.arange(24) * np.pi / 12
        centres = [self.centre + (self.diameter + 34) * (np.cos(a) * first + np.sin(a) * second) for a in angles]
        centre = max(centres, key=lambda c: tissue.share_alike(self.scan, c, level) if self.scan.grid.contains(c[None], -6)[0] else 0)
        probe = self.placed_probes(centre, (1, 1))[:1]
        tip = centre - probe[0][1] * 12
        probe = [(tip, probe[0][1], self.rod_length(tip, probe[0][1]))]
        self.balls.append(shapes.iceball([probe[0][:2]], [self.rng.uniform(9, 13)], [34], [], self.rng))
        self.probes += probe

    def fresh(self):
        return replace(self.scan, values=self.scan.values.copy())

    def with_lesion(self, visibility=1.0):
        """The real scan with a lesion and, where the recipe has one, a vessel; `visibility` is the share of the lesion's contrast."""
        scan, ct = self.fresh(), self.scan.modality == "CT"
        absolute = self.place.site in ("lung", "spine")
        around = tissue.AIR_HU if self.place.site == "lung" else tissue.surroundings(scan, self.centre)
        rng = np.random.default_rng([self.seed, 1])
        for start, end, radius in self.vessels:
            tissue.add_lesion(scan, shapes.tube(start, end, radius), 40 if self.place.site == "lung" else around - 20, rng)
        target = self.contrast if absolute else around + self.contrast if ct else around * self.contrast
        self.shown_contrast = target - around
        if not absolute:
            target = around + visibility * (target - around)
        solid = self.tumour
        if self.recipe.part_solid:
            # The ground glass belongs to the tumour; its solid part lies within.
            tissue.add_lesion(scan, self.tumour, -520, rng, unevenness=35, fade_mm=1)
            solid = shapes.shrunk(self.tumour, 0.2 * self.diameter, rng)
        tissue.add_lesion(scan, solid, target, rng, unevenness=4 if ct else 0.06 * around)
        return scan

    def bystanders(self):
        """Metal that is no probe."""
        rng = np.random.default_rng([self.seed, 2])
        way = np.array(self.place.way) / np.linalg.norm(self.place.way)
        first, second = shapes.across(way)
        parts = []
        if self.recipe.clips:
            parts += metal.clips(self.centre + first * (self.diameter + 12) - way * 8, self.recipe.clips, rng)
        if self.recipe.stent:
            start = self.centre - way * (self.diameter / 2 + 34) + second * 16
            parts += metal.stent(start - second * 24 + first * 8, start + second * 24 - first * 8)
        return parts

    def noisy(self, scan, key, sigma):
        if sigma:
            rng = np.random.default_rng([self.seed, key])
            scan.values[...] += scan.noise.sample(scan.values.shape, rng, sigma)
        low, high = (-1024, metal.HIGHEST_HU) if scan.modality == "CT" else (0, 32000)
        np.clip(scan.values, low, high, out=scan.values)
        return scan

    def scans(self):
        """Role and scan, in the order of a case. Scans after planning get some noise of their own: no two are alike."""
        ct = self.scan.modality == "CT"
        extra = self.options.noise if self.options.noise is not None else 0
        later = self.options.noise if self.options.noise is not None else 0.5 * self.scan.noise.sigma
        planning = self.with_lesion()
        bystanders = self.bystanders() if ct else []
        rng = np.random.default_rng([self.seed, 3])
        if bystanders:
            metal.insert(planning, bystanders, 0.5 * self.options.streaks, rng)
        base = planning.values.copy()
        yield "planning", self.noisy(planning, 4, extra)
        if self.options.prefreeze:
            yield "prefreeze", self.noisy(self.with_probes(base), 5, later)
        frozen = replace(self.scan, values=base.copy())
        freeze = tissue.freeze_ct if ct else tissue.freeze_mr
        for ball in self.balls:
            freeze(frozen, ball, self.options.band_mm, rng)
        yield "intraprocedural", self.noisy(self.with_probes(frozen.values), 6, later)
        if self.has_follow_up:
            # A month later the treated tumour hardly shows in its zone.
            after = self.with_lesion(0.3)
            if ct:
                tissue.enhance(after, 40)
            enhancement, rim = 40 + self.rng.uniform(-5, 10), self.rng.uniform(15, 35)
            tissue.add_ablation_zone(after, self.zone, np.random.default_rng([self.seed, 7]), enhancement, rim)
            yield "followup", self.noisy(after, 8, later)

    def with_probes(self, values):
        scan = replace(self.scan, values=values.copy())
        rods = [metal.rod(tip, tip + way * length, point_mm=self.point_mm) for tip, way, length in self.probes]
        rng = np.random.default_rng([self.seed, 9])
        if scan.modality == "CT":
            metal.insert(scan, rods, self.options.streaks, rng)
        else:
            for tip, way, length in self.probes:
                void = shapes.tube(tip, tip + way * min(length, 150), 1.8)
                tissue.freeze_mr(scan, void, 0.5, rng)
        return scan

    def write(self, folder):
        case = f"{self.name}-{self.seed}"
        entries = [writing.series(folder / role, scan, case, role, number + 1) for number, (role, scan) in enumerate(self.scans())]
        grid = self.scan.grid
        files = {"tumour": {"scan": "planning", **writing.truth(folder / "truth", "tumour", self.tumour, grid)},
                 "ice": {"scan": "intraprocedural", **writing.truth(folder / "truth", "ice", self.ice, grid)}}
        if self.has_follow_up:
            files["ablation-zone"] = {"scan": "followup", **writing.truth(folder / "truth", "ablation-zone", self.zone, grid)}
        rng = np.random.default_rng([self.seed, 10])
        probes = [
            {"id": f"P{n + 1}", "tipLPS": tip, "tailLPS": self.visible_tail(tip, way, length), "diameterMM": metal.PROBE_DIAMETER_MM,
             "pointMM": self.point_mm}
            for n, (tip, way, length) in enumerate(self.probes)]
        writing.document(folder / "truth.json", {
            "schema": "icemargin.hybrid-truth/1",
            "case": {"id": case, "site": self.place.site, "recipe": self.name, "seed": self.seed, "realScan": self.place.scan},
            "scans": entries,
            "objects": files,
            "tumours": [{"id": "T1", "seedLPS": self.tumour.point_inside(rng), "longestDiameterMM": self.tumour.longest_diameter,
                         "volumeML": self.tumour.volume_ml, "planningContrast": self.shown_contrast}],
            "probes": probes,
            "ice": {"volumeML": self.ice.volume_ml, "balls": len(self.balls), "edgeBandMM": self.options.band_mm,
                    "front": "0 °C; the image changes evenly over edgeBandMM below it: 85 HU less in water, 12 % of that in fat"},
            "ablationZone": {"volumeML": self.zone.volume_ml} if self.has_follow_up else None,
            "noiseHU": self.scan.noise.sigma})

    def visible_tail(self, tip, way, length):
        """The farthest point of a rod that the scan still holds."""
        s = np.arange(0, length, 0.5)
        kept = self.scan.grid.contains(tip + s[:, None] * way)
        return tip + way * (s[kept][-1] if kept.any() else length)
