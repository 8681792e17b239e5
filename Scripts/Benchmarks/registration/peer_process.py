"""Runs one toolkit in a process of its own, so that one that crashes or hangs takes nothing else with it: NAME FOLDER

Reads the pair in FOLDER and the points of its queries.npy, writes where they are brought to into answers.npy, prints the seconds of the registration.
"""

import sys
import time
from pathlib import Path

import numpy as np
import peers
import SimpleITK as sitk

name, folder = sys.argv[1], Path(sys.argv[2])
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(peers.THREADS)
pair = peers.read_pair(folder)
start = time.perf_counter()
transform = peers.PEERS[name](pair)
seconds = getattr(transform, "seconds", time.perf_counter() - start)
np.save(folder / "answers.npy", transform(np.load(folder / "queries.npy")))
print("seconds", seconds)
