# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Line integrals and their transpose for solvers of scipy, in the geometry of TomoPy's slices."""

import numpy as np
from scipy.sparse.linalg import LinearOperator

from ._slices import angles_of, geometry_of, readable, recipe_of, together_of
from ._warm import Recipe, Scan, lines


class OpTomo(LinearOperator):
    """Line integrals of slices as a linear operator A of scipy: A @ slice.ravel() are the samples of its sinogram, and A.H or
    A.T is the exact transpose. Values are those of the slice times pixels; the interpolation is Joseph's.

    theta: radians of each view
    columns: of the detector
    center: rotation axis, an edge coordinate; None: the middle of the columns
    num_gridx, num_gridy: rows and columns of the slice; as many as columns of the detector where they are not given
    device: as the property of elements; None: the best one

    A @ X and A.H @ Y with matrices take one slice, and one sinogram, from each column, and compute them together."""

    def __init__(self, theta, columns, center=None, num_gridx=None, num_gridy=None, device=None):
        views = len(angles_of(theta))
        columns = int(columns)
        self._geometry = g = geometry_of(theta, views, center, 1, columns, (num_gridx, num_gridy), None)
        if g.first != (0, 0):
            raise ValueError(f"num_gridx={g.shape[0]} and num_gridy={g.shape[1]} came; wanted a square slice")
        self._devices = ("" if device is None else str(device),)
        self.sinogram_shape, self.slice_shape = (views, columns), g.shape
        super().__init__(np.float32, (views * columns, g.shape[0] * g.shape[1]))

    def project(self, slices):
        """Sinograms (..., views, columns) of slices (..., rows, columns)."""
        g = self._geometry
        task = ("forwardproject", (("angles", g.angles), ("slice-axis-pos", g.slice_axis), ("columns", self.sinogram_shape[1])))
        return self._run(slices, "slices", self.slice_shape, self.sinogram_shape, Scan((), g.centers[0]),
                         lambda *arrays: Recipe((task,), *arrays, ""))

    def backproject(self, sinograms):
        """Slices (..., rows, columns) by the transpose, from sinograms (..., views, columns)."""
        g = self._geometry
        task = ("backproject", (("mode", "joseph"),))
        return self._run(sinograms, "sinograms", self.sinogram_shape, self.slice_shape, Scan(g.angles, g.centers[0]),
                         lambda *arrays: recipe_of((task,), g, *arrays))

    def _run(self, given, name, shape, shape_out, scan, recipe):
        given = np.asanyarray(given)
        if given.shape[-2:] != shape:
            raise ValueError(f"{name} have the shape {given.shape}; wanted (..., {shape[0]}, {shape[1]})")
        arrays = readable(given.reshape(-1, *shape), name, f"(..., {shape[0]}, {shape[1]})")
        out = np.empty((len(arrays), *shape_out), np.float32)

        def take(number, view):
            out[number] = view

        count = len(arrays)
        lines.run(recipe(arrays.dtype, shape, together_of((0,) * count)), self._devices, arrays, [scan] * count, take, warn=0)
        return out.reshape(*given.shape[:-2], *shape_out)

    def _matvec(self, x):
        return self.project(np.reshape(x, self.slice_shape)).ravel()

    def _rmatvec(self, y):
        return self.backproject(np.reshape(y, self.sinogram_shape)).ravel()

    def _matmat(self, x):
        return self.project(np.ascontiguousarray(x.T).reshape(-1, *self.slice_shape)).reshape(x.shape[1], -1).T

    def _rmatmat(self, y):
        return self.backproject(np.ascontiguousarray(y.T).reshape(-1, *self.sinogram_shape)).reshape(y.shape[1], -1).T
