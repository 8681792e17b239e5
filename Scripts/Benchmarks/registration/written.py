"""Whether another toolkit reads what `icemargin register` writes as it is meant."""

import json

import numpy as np
import SimpleITK as sitk


def disagreements(results, moving, fixed):
    """What SimpleITK understands otherwise, in words; empty when it agrees. `results` is the folder that register wrote for these images."""
    found = []
    rigid = sitk.ReadTransform(str(results / "rigid.tfm"))
    forth = np.array(json.loads((results / "register.json").read_text())["rigid"]["matrix"])
    size = np.array(fixed.GetSize())
    corners = [fixed.TransformContinuousIndexToPhysicalPoint((np.array(np.unravel_index(n, (2, 2, 2))) * (size - 1)).tolist()) for n in range(8)]
    miss = max(np.linalg.norm(forth @ [*rigid.TransformPoint(c), 1] - [*c, 1]) for c in corners)
    if miss > 0.01:
        found.append(f"rigid.tfm and register.json differ by {miss:.3f} mm")

    resampled = sitk.ReadImage(str(results / "resampled.nii.gz"))
    if resampled.GetSize() != fixed.GetSize() or not np.allclose(resampled.GetOrigin(), fixed.GetOrigin(), atol=1e-3):
        found.append("resampled.nii.gz does not lie on the fixed scan's grid")
    field = sitk.DisplacementFieldTransform(sitk.Cast(sitk.ReadImage(str(results / "displacement.nii.gz")), sitk.sitkVectorFloat64))
    outside = -32768
    own = sitk.GetArrayFromImage(sitk.Resample(sitk.Cast(moving, sitk.sitkFloat32), fixed, field, sitk.sitkLinear, outside))
    ours = sitk.GetArrayFromImage(resampled).astype(np.float32)
    # Beyond the outermost voxel centres toolkits differ in what they still call inside.
    difference = np.abs(own - ours)[own != outside]
    if difference.size == 0 or (difference > 1).mean() > 1e-3:
        found.append(f"resampled.nii.gz differs: by {np.percentile(difference, 99.9) if difference.size else np.nan:.1f} at 99.9 %")
    return found
