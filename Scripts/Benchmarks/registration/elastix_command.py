"""B-splines of the `elastix` command (Debian), as the Python package's end in a crash. Parameters are elastix' own defaults for them, but the grid."""

import os
import subprocess
import time

COMMON = """(FixedInternalImagePixelType "float")
(MovingInternalImagePixelType "float")
(FixedImagePyramid "FixedSmoothingImagePyramid")
(MovingImagePyramid "MovingSmoothingImagePyramid")
(Interpolator "LinearInterpolator")
(ResampleInterpolator "FinalBSplineInterpolator")
(Resampler "DefaultResampler")
(Optimizer "AdaptiveStochasticGradientDescent")
(ImageSampler "RandomCoordinate")
(NumberOfSpatialSamples 2048)
(NewSamplesEveryIteration "true")
(CheckNumberOfSamples "true")
(MaximumNumberOfSamplingAttempts 8)
(NumberOfHistogramBins 32)
(NumberOfResolutions 4)
(MaximumNumberOfIterations 256)
(HowToCombineTransforms "Compose")
(WriteResultImage "false")
(ResultImageFormat "mha")
"""
RIGID = COMMON + """(Registration "MultiResolutionRegistration")
(Transform "EulerTransform")
(Metric "AdvancedMattesMutualInformation")
(AutomaticScalesEstimation "true")
(AutomaticTransformInitialization "true")
"""
BSPLINE = COMMON + """(Registration "MultiMetricMultiResolutionRegistration")
(Transform "BSplineTransform")
(Metric "AdvancedMattesMutualInformation" "TransformBendingEnergyPenalty")
(Metric0Weight 1.0)
(Metric1Weight 1.0)
(FinalGridSpacingInPhysicalUnits GRID_MM)
(GridSpacingSchedule 2.803221 1.988100 1.410000 1.000000)
"""


DEFAULT_GRID_MM = 10


def run(command, environment):
    """Runs a command; raises RuntimeError with the last that it said when it fails."""
    answer = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    if answer.returncode:
        said = (answer.stderr or answer.stdout).strip().splitlines() or ["nothing said"]
        raise RuntimeError(f"{command[0]} ended with status {answer.returncode}: {said[-1]}")


def register(folder, threads, grid_mm):
    """The seconds that it took; the displacements stand in deformationField.mha then."""
    for name, text in (("rigid", RIGID), ("bspline", BSPLINE.replace("GRID_MM", str(grid_mm)))):
        (folder / f"{name}.txt").write_text(text)
    environment = {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": str(threads)}
    start = time.perf_counter()
    run(["elastix", "-f", folder / "fixed.nii", "-m", folder / "moving.nii", "-fMask", folder / "fixed_mask.nii", "-p", folder / "rigid.txt",
         "-p", folder / "bspline.txt", "-out", folder, "-threads", str(threads)], environment)
    seconds = time.perf_counter() - start
    run(["transformix", "-def", "all", "-tp", folder / "TransformParameters.1.txt", "-out", folder, "-threads", str(threads)], environment)
    return seconds
