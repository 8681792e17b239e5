"""Other people's methods on the same arrays. Each takes a Prompt and gives a mask on its crop, and a field where it has one."""

import maxflow
import numpy as np
import SimpleITK as sitk
from scipy.ndimage import binary_fill_holes, label
from skimage.segmentation import random_walker


def seeds(prompt):
    return [tuple(int(n) for n in v[::-1]) for v in np.argwhere(prompt.inside)]


def flattened(prompt):
    return sitk.CurvatureFlow(prompt.image, timeStep=0.0625, numberOfIterations=20)


def connected_threshold(prompt):
    """SimpleITK: curvature flow, then the region connected to the seeds between thresholds at half contrast."""
    low, high = prompt.threshold
    return filled(sitk.GetArrayFromImage(sitk.ConnectedThreshold(flattened(prompt), seeds(prompt), low, high)) > 0), None


def confidence_connected(prompt):
    """SimpleITK: curvature flow, then mean ± 2.5 standard deviations, refined three times."""
    found = sitk.ConfidenceConnected(flattened(prompt), seeds(prompt), numberOfIterations=3, multiplier=2.5, initialNeighborhoodRadius=1)
    return filled(sitk.GetArrayFromImage(found) > 0), None


def walker(prompt):
    """scikit-image: curvature flow, then the random walker between the sure voxels; the surface is where both are equally likely."""
    reach = abs(prompt.outer - prompt.inner)
    low, high = sorted((prompt.inner, prompt.outer))
    values = np.clip(sitk.GetArrayFromImage(flattened(prompt)), low - reach / 2, high + reach / 2)
    labels = np.where(prompt.inside, 1, np.where(prompt.outside, 2, 0))
    spacing = np.array(prompt.image.GetSpacing()[::-1])
    probability = random_walker(values, labels, beta=130, mode="cg_j", tol=1e-3, return_full_prob=True, spacing=spacing / spacing.min())[0]
    probability = np.nan_to_num(probability)
    return touching(probability > 0.5, prompt.inside), probability - 0.5


def graph_cut(prompt):
    """PyMaxflow: Gaussian likelihoods inside and outside, boundaries cheap where neighbours differ, the sure voxels fixed."""
    values = sitk.GetArrayFromImage(prompt.image).astype(float)
    spread = np.std(values[prompt.inside]) + 1e-6
    spread_outside = 1.4826 * np.median(np.abs(values[prompt.outside] - prompt.outer)) + 1e-6
    cost_inside = np.minimum((values - prompt.inner) ** 2 / (2 * spread**2) + np.log(spread), 25)
    cost_outside = np.minimum((values - prompt.outer) ** 2 / (2 * spread_outside**2) + np.log(spread_outside), 25)
    graph = maxflow.GraphFloat()
    nodes = graph.add_grid_nodes(values.shape)
    spacing = np.array(prompt.image.GetSpacing()[::-1])
    for axis in range(3):
        difference = np.diff(values, axis=axis, append=np.take(values, [-1], axis))
        weights = 3.0 * np.exp(-(difference**2) / (2 * spread**2)) * spacing.min() / spacing[axis]
        structure = np.zeros((3, 3, 3))
        structure[tuple(2 if a == axis else 1 for a in range(3))] = 1
        graph.add_grid_edges(nodes, weights, structure, symmetric=True)
    sure = 1e9
    graph.add_grid_tedges(
        nodes, np.where(prompt.inside, sure, np.where(prompt.outside, 0, cost_outside - np.minimum(cost_inside, cost_outside))),
        np.where(prompt.outside, sure, np.where(prompt.inside, 0, cost_inside - np.minimum(cost_inside, cost_outside))))
    graph.maxflow()
    return touching(~graph.get_grid_segments(nodes), prompt.inside), None


def touching(mask, inside):
    labels, _ = label(mask)
    return filled(np.isin(labels, np.unique(labels[inside & mask])) & mask)


def filled(mask):
    return binary_fill_holes(mask)


PEERS = {
    "connected threshold": connected_threshold,
    "confidence connected": confidence_connected,
    "random walker": walker,
    "graph cut": graph_cut,
}
