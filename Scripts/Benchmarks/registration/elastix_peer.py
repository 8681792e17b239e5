"""Runs elastix by itself, as ITK's and SimpleITK's modules do not share a process: FOLDER THREADS MAP…

Reads fixed.nii, moving.nii and fixed_mask.nii, writes field.mha, prints the seconds.
"""

import sys
import time

import itk

folder, threads, maps = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
fixed, moving = itk.imread(f"{folder}/fixed.nii", itk.F), itk.imread(f"{folder}/moving.nii", itk.F)
mask = itk.imread(f"{folder}/fixed_mask.nii", itk.UC)
parameters = itk.ParameterObject.New()
for name in maps:
    one = itk.ParameterObject.GetDefaultParameterMap(name)
    one["AutomaticTransformInitialization"] = ["true"]
    parameters.AddParameterMap(one)
start = time.perf_counter()
_, result = itk.elastix_registration_method(
    fixed, moving, parameter_object=parameters, fixed_mask=mask, number_of_threads=threads, log_to_console=False)
seconds = time.perf_counter() - start
itk.imwrite(itk.transformix_deformation_field(moving, result), f"{folder}/field.mha")
print(seconds)
