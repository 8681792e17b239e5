"""Series load by pydicom, by SimpleITK, and the bytes alone: medians in seconds.

    pip install pydicom SimpleITK numpy
    python3 series_load.py FOLDER [runs = 5]
"""
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pydicom
import SimpleITK as sitk


def paths_in(folder):
    return sorted(os.path.join(root, name) for root, _, names in os.walk(folder) for name in names)


def with_pydicom(folder):
    images = sorted((pydicom.dcmread(path) for path in paths_in(folder)), key=lambda image: float(image.ImagePositionPatient[2]))
    volume = np.empty((len(images), images[0].Rows, images[0].Columns), np.int16)
    for slice_, image in zip(volume, images):
        np.add(np.frombuffer(image.PixelData, "<i2").reshape(slice_.shape) * int(image.RescaleSlope), int(image.RescaleIntercept), out=slice_)
    return volume


def with_simpleitk(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(folder))
    return sitk.GetArrayViewFromImage(reader.Execute())


def bytes_alone(folder):
    with ThreadPoolExecutor(2) as threads:
        return sum(threads.map(lambda path: len(open(path, "rb").read()), paths_in(folder)))


def median_seconds(load, folder, runs):
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        load(folder)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    folder, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for name, load in [("pydicom", with_pydicom), ("SimpleITK", with_simpleitk), ("bytes alone", bytes_alone)]:
        print(f"{name}: {median_seconds(load, folder, runs):.4f} s")
