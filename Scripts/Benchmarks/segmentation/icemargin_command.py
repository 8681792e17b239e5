"""Our command on a study, as a user calls it."""

import json
import resource
import subprocess
import time
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from surface_scores import surface_of_file


@dataclass(frozen=True)
class Answer:
    """`error` instead of the rest where the command refused."""

    mask: np.ndarray | None = None
    surface: object = None
    probes: tuple = ()
    seconds: float = float("nan")
    cpu_seconds: float = float("nan")
    error: str = ""
    edge_uncertainty_mm: float = float("nan")


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def point(p):
    return ",".join(f"{v:.2f}" for v in p)


def segment(icemargin, study, name, output, reference=None):
    """Finds one object; ice also against a scan before freezing.

    `seconds` is the whole command: reading DICOM, finding, writing files and pictures.
    """
    role = study.objects[name][0] if name != "probes" else "intraprocedural"
    command = [str(icemargin), "segment", str(study.folder / role), f"--{name}", "--output", str(output), "--overwrite"]
    tumour = study.truth["tumours"][0]
    if name == "tumour":
        command += ["--seed", point(tumour["seedLPS"]), "--diameter", f"{tumour['longestDiameterMM']:.0f}"]
        if study.site == "spine":
            command.append("--in-bone")
    if name == "ablation-zone":
        command += ["--seed", point(tumour["seedLPS"])]
    if reference:
        command += ["--reference", str(reference)]
    if name == "ice" and study.modality == "MR":
        command += [word for tip, tail in study.probes for word in ("--probe", f"{point(tip)}:{point(tail)}")]
    start, used = time.perf_counter(), cpu_seconds()
    run = subprocess.run(command, capture_output=True, text=True)
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - used
    if run.returncode:
        return Answer(seconds=seconds, cpu_seconds=cpu, error=(run.stderr.strip().splitlines() or ["no message"])[0])
    document = json.loads((output / "segment.json").read_text())
    probes = tuple((np.array(p["tipLPS"]), np.array(p["tailLPS"])) for p in document["probes"])
    if name == "probes":
        return Answer(probes=probes, seconds=seconds, cpu_seconds=cpu)
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(output / f"{name}.nii.gz"))) > 0
    surface = surface_of_file(output / f"{name}-level-set.nii.gz") if mask.any() else None
    return Answer(mask, surface, probes, seconds, cpu, edge_uncertainty_mm=document["edgeUncertaintyMM"])
