"""Registration toolkits beside ours. Each returns a function that takes points of the fixed scan to the moving one, LPS millimetres.

All get the same images at about `SPACING_MM`, and a mask that leaves out ice, metal and what lies outside the body; none is told the motion.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import elastix_command
import numpy as np
import SimpleITK as sitk
from picsl_greedy import Greedy3D


class Timed:
    """What a peer that runs by itself found, with the seconds that it measured."""

    def __init__(self, transform, seconds):
        self.transform, self.seconds = transform, seconds

    def __call__(self, points):
        return self.transform(points)


SPACING_MM = 2.8
THREADS = 2
IMAGES = ("fixed", "moving", "fixed_mask", "moving_mask")


@dataclass(frozen=True)
class Pair:
    fixed: sitk.Image
    moving: sitk.Image
    fixed_mask: sitk.Image
    moving_mask: sitk.Image
    folder: Path


def averaged(image):
    """Block means, which take noise away."""
    blocks = [max(1, round(SPACING_MM / s)) for s in image.GetSpacing()]
    return sitk.BinShrink(sitk.Cast(sitk.Clamp(image, lowerBound=-1000, upperBound=1000), sitk.sitkFloat32), blocks)


def body(image):
    opened = sitk.BinaryMorphologicalOpening(image > -350, [3, 3, 2])
    largest = sitk.RelabelComponent(sitk.ConnectedComponent(opened)) == 1
    return sitk.BinaryDilate(sitk.BinaryMorphologicalClosing(largest, [8, 8, 3]), [2, 2, 1])


def make_pair(moving, fixed, ice, folder):
    small = averaged(fixed)
    frozen = sitk.Resample(sitk.Cast(ice > 0, sitk.sitkFloat32), small, sitk.Transform(), sitk.sitkLinear, 0) > 0
    metal = sitk.Resample(sitk.Cast(fixed > 2200, sitk.sitkFloat32), small, sitk.Transform(), sitk.sitkLinear, 0) > 0
    barred = sitk.BinaryDilate(sitk.Or(frozen, metal), [2, 2, 2])
    small_moving = averaged(moving)
    pair = Pair(small, small_moving, sitk.And(body(small), sitk.Not(barred)), body(small_moving), folder)
    for name in IMAGES:
        sitk.WriteImage(getattr(pair, name), str(folder / f"{name}.nii"))
    return pair


def read_pair(folder):
    return Pair(*(sitk.ReadImage(str(folder / f"{name}.nii")) for name in IMAGES), folder)


def through(transform):
    return lambda points: np.array([transform.TransformPoint([float(v) for v in p]) for p in points])


def of_field(file_or_image):
    image = sitk.ReadImage(str(file_or_image)) if isinstance(file_or_image, (str, Path)) else file_or_image
    return through(sitk.DisplacementFieldTransform(sitk.Cast(image, sitk.sitkVectorFloat64)))


def centred(pair):
    centre = lambda mask: np.argwhere(sitk.GetArrayViewFromImage(mask) > 0).mean(0)[::-1]
    a = pair.fixed_mask.TransformContinuousIndexToPhysicalPoint([float(v) for v in centre(pair.fixed_mask)])
    b = pair.moving_mask.TransformContinuousIndexToPhysicalPoint([float(v) for v in centre(pair.moving_mask)])
    start = sitk.Euler3DTransform()
    start.SetCenter(a)
    start.SetTranslation([q - p for p, q in zip(a, b)])
    return start


def sitk_rigid(pair):
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.2)
    method.SetMetricFixedMask(pair.fixed_mask)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsGradientDescent(1.0, 150, estimateLearningRate=method.EachIteration)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([4, 2, 0])
    method.SetInitialTransform(centred(pair), inPlace=False)
    return through(method.Execute(pair.fixed, pair.moving))


def elastix_rigid(pair):
    command = [sys.executable, str(Path(__file__).with_name("elastix_peer.py")), str(pair.folder), str(THREADS), "rigid"]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=pair.folder)  # It leaves its field in the working folder too.
    if answer.returncode:
        raise RuntimeError((answer.stderr.strip().splitlines() or ["elastix gave up"])[-1])
    return Timed(of_field(pair.folder / "field.mha"), float(answer.stdout.split()[-1]))


def elastix_splines(grid_mm):
    def run(pair):
        seconds = elastix_command.register(pair.folder, THREADS, grid_mm)
        return Timed(of_field(pair.folder / "deformationField.mha"), seconds)
    return run


def greedy(deformable):
    def run(pair):
        g, f = Greedy3D(), pair.folder
        images = f"-i {f}/fixed.nii {f}/moving.nii -gm {f}/fixed_mask.nii -threads {THREADS} -V 0"
        # From the bodies' centres, in RAS as greedy counts.
        x, y, z = centred(pair).GetTranslation()
        np.savetxt(f / "start.mat", [[1, 0, 0, -x], [0, 1, 0, -y], [0, 0, 1, z], [0, 0, 0, 1]])
        g.execute(f"-d 3 -a -dof 6 -ia {f}/start.mat -m NCC 4x4x4 -n 100x60x20 {images} -o {f}/rigid.mat")
        transforms = f"{f}/rigid.mat"
        if deformable is not None:
            g.execute(f"-d 3 {deformable} {images} -it {f}/rigid.mat -o {f}/warp.nii.gz")
            transforms = f"{f}/warp.nii.gz {f}/rigid.mat"
        g.execute(f"-d 3 -rf {f}/fixed.nii -r {transforms} -rc {f}/composed.nii.gz -V 0")
        return of_field(f / "composed.nii.gz")
    return run


def plastimatch(pair):
    f = pair.folder
    sitk.WriteTransform(sitk.TranslationTransform(3, centred(pair).GetTranslation()), str(f / "start.tfm"))
    (f / "stages.txt").write_text(f"""[GLOBAL]
fixed={f}/fixed.nii
moving={f}/moving.nii
fixed_roi={f}/fixed_mask.nii
xform_in={f}/start.tfm
vf_out={f}/vf.nrrd
default_value=-1000
[STAGE]
xform=rigid
optim=versor
max_its=100
res=2 2 2
[STAGE]
xform=bspline
optim=lbfgsb
metric=mse
max_its=50
grid_spac=40 40 40
regularization_lambda=1
res=2 2 2
[STAGE]
max_its=50
grid_spac=25 25 25
res=1 1 1
""")
    elastix_command.run(["plastimatch", "register", f / "stages.txt"], {"OMP_NUM_THREADS": str(THREADS)})
    return of_field(f / "vf.nrrd")


PEERS = {
    "SimpleITK rigid": sitk_rigid,
    "elastix rigid": elastix_rigid,
    "greedy rigid": greedy(None),
    "greedy": greedy("-m NCC 2x2x2 -n 100x50x20"),
    "greedy, smoothed 6 mm": greedy("-m NCC 4x4x4 -s 6mm 1mm -n 100x60x30"),
}
# Debian's packages, and the command that each needs.
COMMANDS = {
    "plastimatch": ("plastimatch", plastimatch),
    "elastix B-spline": ("elastix", elastix_splines(elastix_command.DEFAULT_GRID_MM)),
    "elastix, 25 mm grid": ("elastix", elastix_splines(25)),
}
PEERS |= {name: peer for name, (command, peer) in COMMANDS.items() if shutil.which(command)}
