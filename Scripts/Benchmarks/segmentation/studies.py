"""The studies that are scored: phantoms of each site, and real scans with synthetic lesions and ice where the real data is present."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

PHANTOMS = [  # site, modality, further options
    ("liver", "ct", ["--contrast", "-35", "--noise", "15"]),
    ("liver", "ct", ["--contrast", "-20", "--noise", "15"]),
    ("liver", "ct", ["--contrast", "35", "--noise", "15", "--cracks"]),
    ("kidney", "ct", ["--contrast", "-35", "--noise", "15"]),
    ("kidney", "ct", ["--contrast", "-20", "--noise", "15"]),
    ("lung", "ct", []),
    ("spine", "ct", []),
    ("liver", "mr", []),
    ("kidney", "mr", []),
]
FULL_SIZE = ["--size", "512", "512", "120", "--spacing", "0.7", "0.7", "2.5", "--noise", "15"]


@dataclass(frozen=True)
class Study:
    """A folder with series, truth.json and truth files."""

    folder: Path
    kind: str
    truth: dict
    objects: dict

    @property
    def site(self):
        return self.truth["case"]["site"]

    @property
    def case(self):
        """What kind of case it is: a hybrid's recipe, a phantom's site."""
        return self.truth["case"].get("recipe", self.site)

    @property
    def earlier_role(self):
        """The scan before freezing that lies as the one with ice does; phantoms are planned in another position."""
        return "planning" if self.kind != "phantom" else "prefreeze"

    @property
    def modality(self):
        return self.truth["scans"][0]["modality"]

    @property
    def probes(self):
        return [(np.array(p["tipLPS"]), np.array(p["tailLPS"])) for p in self.truth["probes"]]

    def contrast(self):
        return self.truth["tumours"][0]["planningContrast"]

    def scan(self, role):
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(self.folder / role)))
        return sitk.Cast(reader.Execute(), sitk.sitkFloat32)


def made(folder, command):
    """Runs `command` unless the folder is complete from before."""
    if not (folder / "truth.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        print(f"making {folder.name}", file=sys.stderr)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return json.loads((folder / "truth.json").read_text())


def phantoms(icemargin, root, seeds, quick):
    for site, modality, options in PHANTOMS[::3] if quick else PHANTOMS:
        for seed in seeds:
            folder = root / "-".join(["phantom", site, modality, str(seed), *(o for o in options if not o.startswith("--"))])
            what = ["--site", site, "--modality", modality, "--seed", str(seed), *options]
            command = [icemargin, "phantom", *what, "--masks", "--follow-up", "--prefreeze", "--output", str(folder)]
            truth = made(folder, command)
            yield Study(folder, "phantom", truth, phantom_objects(folder / "masks"))


def phantom_objects(masks):
    """Those that the phantom wrote; its exact surfaces where it wrote them too."""
    files = {"tumour": ("planning", "tumour-planning"), "ice": ("intraprocedural", "ice"), "ablation-zone": ("followup", "ablation-zone")}
    paths = {name: (role, masks / f"{file}.nii.gz", masks / f"{file}-surface.nii.gz") for name, (role, file) in files.items()}
    return {name: (role, mask, surface if surface.exists() else None) for name, (role, mask, surface) in paths.items() if mask.exists()}


def hybrids(script, root, seeds, quick, cases=None):
    names = subprocess.run([script, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for name in cases or (names[::5] if quick else names):
        for seed in seeds:
            yield hybrid(script, root / f"{name}-{seed}", name, seed)


def full_size(script, root, seed):
    return hybrid(script, root / "full-size" / f"liver-dark-{seed}", "liver-dark", seed, "full size", FULL_SIZE)


def hybrid(script, folder, name, seed, kind="hybrid", options=()):
    truth = made(folder, [script, str(folder.parent), "--case", name, "--seed", str(seed), *options])
    objects = {name: (o["scan"], folder / o["mask"], folder / o["signedDistance"]) for name, o in truth["objects"].items()}
    return Study(folder, kind, truth, objects)
