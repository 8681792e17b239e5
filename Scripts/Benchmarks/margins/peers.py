"""What users measure margins with today, each from the same two masks: smallest margin, shares of the surface below 0, 0 to 5, from 5 mm."""

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import binary_erosion, distance_transform_edt


def shares(margins, weights):
    below = [weights[margins < limit].sum() / weights.sum() for limit in (0, 5)]
    return margins.min(), np.array([below[0], below[1] - below[0], 1 - below[1]])


def border_voxels(tumour, zone, spacing):
    """Distances between border voxels, as in tools that read masks by voxels (Quantitative Ablation Margin among them)."""
    inside, outside = distance_transform_edt(zone, sampling=spacing), distance_transform_edt(~zone, sampling=spacing)
    border = zone & ~binary_erosion(zone)
    distance = distance_transform_edt(~border, sampling=spacing)
    signed = np.where(inside > 0, distance, -np.where(outside > 0, distance, 0))
    margins = signed[tumour & ~binary_erosion(tumour)]
    return shares(margins, np.ones(len(margins)))


def signed_maurer(tumour, zone, spacing):
    """SimpleITK: SignedMaurerDistanceMap read at the tumour's LabelContour."""
    def image(mask):
        result = sitk.GetImageFromArray(mask.astype(np.uint8))
        result.SetSpacing([float(s) for s in spacing[::-1]])
        return result

    distance = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(image(zone), insideIsPositive=True, squaredDistance=False, useImageSpacing=True))
    margins = distance[sitk.GetArrayFromImage(sitk.LabelContour(image(tumour))) > 0]
    return shares(margins, np.ones(len(margins)))


def surface_distance(tumour, zone, spacing):
    """DeepMind's surface-distance: area-weighted, without a sign."""
    import surface_distance as peer

    found = peer.compute_surface_distances(tumour, zone, spacing)
    return shares(np.asarray(found["distances_gt_to_pred"]), np.asarray(found["surfel_areas_gt"]))


def vtk_mesh(tumour, zone, spacing):
    """VTK: marching cubes of both masks, vtkImplicitPolyDataDistance at the tumour's vertices, weighted by area."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

    def mesh(mask):
        image = vtk.vtkImageData()
        image.SetDimensions(*mask.shape[::-1])
        image.SetSpacing(*[float(s) for s in spacing[::-1]])
        image.GetPointData().SetScalars(numpy_to_vtk(mask.astype(np.float32).ravel(), deep=True))
        contour = vtk.vtkMarchingCubes()
        contour.SetInputData(image)
        contour.SetValue(0, 0.5)
        contour.Update()
        return contour.GetOutput()

    surface, distance = mesh(tumour), vtk.vtkImplicitPolyDataDistance()
    distance.SetInput(mesh(zone))
    points = vtk_to_numpy(surface.GetPoints().GetData())
    triangles = points[vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)]
    margins = -np.array([distance.EvaluateFunction(point) for point in points])
    corners = np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1) / 6
    weights = np.zeros(len(points))
    np.add.at(weights, vtk_to_numpy(surface.GetPolys().GetConnectivityArray()), np.repeat(corners, 3))
    return shares(margins, weights)


ALL = {"border voxels": border_voxels, "SimpleITK signed Maurer": signed_maurer, "surface-distance": surface_distance, "VTK mesh": vtk_mesh}
