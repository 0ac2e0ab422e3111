# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Projections in any arrangement of source, object and detector, step by step in float64.

A geometry is a dict of the names of tomogeneralbackproject's properties to numbers; names that are missing are 0, but
for the source at minus infinity. docs/geometry.md draws the axes.
"""

import numpy as np

PARTS = tuple(f"{body}-{axis}" for body, axes in (
    ("axis-angle", "xyz"), ("volume-angle", "xyz"), ("detector-angle", "xyz"), ("detector-position", "xyz"),
    ("source-position", "xyz"), ("center-position", "xz")) for axis in axes)


def numbers(geometry, view):
    """The numbers of one view."""
    of_view = {name: (-np.inf if name == "source-position-y" else 0.0) for name in PARTS}
    for name, value in geometry.items():
        value = np.atleast_1d(value)
        of_view[name] = float(value[0] if value.size == 1 else value[view])
    return of_view


def turn(points, axis, angle):
    """Points (3, ...) turned about an axis, from the next one towards the one after that."""
    a, b = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    result = np.array(points, float)
    result[a] = points[a] * np.cos(angle) - points[b] * np.sin(angle)
    result[b] = points[a] * np.sin(angle) + points[b] * np.cos(angle)
    return result


def turn_all(points, g, body):
    for axis in "zyx":
        points = turn(points, axis, g[f"{body}-{axis}"])
    return points


def vector(g, body):
    return np.array([g[f"{body}-{axis}"] for axis in "xyz"])


def scale(g):
    """Length in the volume that a pixel shows at the axis."""
    s = g["source-position-y"]
    return 1.0 if np.isinf(s) else -s / (g["detector-position-y"] - s)


def placed(points, g):
    """Points of the volume where source and detector see them."""
    return turn_all(turn_all(scale(g) * points, g, "volume-angle"), g, "axis-angle")


def see(points, g):
    """Columns and rows, in edge coordinates, and the weight of the distance."""
    shape = (3,) + (1,) * (points.ndim - 1)
    p = placed(points, g)
    detector, source = vector(g, "detector-position").reshape(shape), vector(g, "source-position").reshape(shape)
    normal = turn_all(np.array([0.0, -1.0, 0.0]), g, "detector-angle").reshape(shape)
    if np.isinf(source[1]):
        weight = np.ones(points.shape[1:])
        start, ray = p, np.array([0.0, 1.0, 0.0]).reshape(shape)
    else:
        weight = ((source[1] - detector[1]) / (source[1] - p[1])) ** 2
        start, ray = source, p - source
    hit = start + ((detector - start) * normal).sum(0) / (ray * normal).sum(0) * ray - detector
    for axis in "xyz":
        hit = turn(hit, axis, -g[f"detector-angle-{axis}"])
    return hit[0] + g["center-position-x"], hit[2] + g["center-position-z"], weight


PAD = {"none": "constant", "clamp": "constant", "clamp_to_edge": "edge", "repeat": "wrap", "mirrored_repeat": "symmetric"}


def sample(projection, columns, rows, addressing="clamp"):
    """Between the middles of pixels, linearly."""
    height, width = projection.shape
    x, y = columns - 0.5, rows - 0.5
    i, j = np.floor(x).astype(int), np.floor(y).astype(int)
    f, g = x - i, y - j

    def pixel(j, i):
        if PAD[addressing] == "edge":
            return projection[np.clip(j, 0, height - 1), np.clip(i, 0, width - 1)]
        if PAD[addressing] == "wrap":
            return projection[j % height, i % width]
        if PAD[addressing] == "symmetric":
            j, i = j % (2 * height), i % (2 * width)
            return projection[np.where(j < height, j, 2 * height - 1 - j), np.where(i < width, i, 2 * width - 1 - i)]
        inside = (j >= 0) & (j < height) & (i >= 0) & (i < width)
        return np.where(inside, projection[np.clip(j, 0, height - 1), np.clip(i, 0, width - 1)], 0.0)

    return ((1 - g) * ((1 - f) * pixel(j, i) + f * pixel(j, i + 1)) +
            g * ((1 - f) * pixel(j + 1, i) + f * pixel(j + 1, i + 1)))


def backproject(projections, geometry, x, y, z, weights, addressing="clamp", sweep=None):
    """Slices at heights z; or one for each value of `sweep`, a pair of a name and its values, at the height z."""
    name, values = sweep if sweep else (None, z)
    slices = []
    for value in values:
        height = z if sweep else value
        points = np.stack(np.broadcast_arrays(x[None, :], y[:, None], float(height)))
        total = np.zeros(points.shape[1:])
        for view, (projection, weight) in enumerate(zip(projections, weights)):
            g = numbers(geometry, view)
            if name == "axis-angle-z":
                g[name] += value
            elif name:
                g[name] = value
            columns, rows, distance = see(points, g)
            total += weight * distance * sample(projection.astype(float), columns, rows, addressing)
        slices.append(total)
    return np.array(slices)


def rays(g, shape):
    """Where rays through the middles of pixels begin, and their directions of length 1, as (3, height, width)."""
    height, width = shape
    i, j = np.meshgrid(np.arange(width) + 0.5 - g["center-position-x"], np.arange(height) + 0.5 - g["center-position-z"])
    pixels = turn_all(np.stack([i, np.zeros_like(i), j]), g, "detector-angle")
    pixels = pixels + vector(g, "detector-position").reshape(3, 1, 1)
    if np.isinf(g["source-position-y"]):
        return pixels, np.broadcast_to(np.array([0.0, 1.0, 0.0]).reshape(3, 1, 1), pixels.shape)
    source = vector(g, "source-position").reshape(3, 1, 1)
    ray = pixels - source
    return np.broadcast_to(source, ray.shape), ray / np.sqrt((ray**2).sum(0))


def project(spheres, geometry, shape, views):
    """Exact line integrals of spheres (x, y, z, radius, value), in the unit of the volume, at the middles of pixels."""
    projections = np.zeros((views, *shape))
    for view in range(views):
        g = numbers(geometry, view)
        start, ray = rays(g, shape)
        for *middle, radius, value in spheres:
            to_middle = placed(np.array(middle, float), g).reshape(3, 1, 1) - start
            beside = (to_middle**2).sum(0) - (to_middle * ray).sum(0) ** 2
            radius_there = radius * scale(g)
            projections[view] += 2 * value * np.sqrt(np.maximum(radius_there**2 - beside, 0.0)) / scale(g)
    return projections


def matrix(geometry, shape, views, x, y, z):
    """Joseph's projection as (views * rows * columns, voxels). x, y and z are the first number, the step and the count of
    voxels along an axis. A ray is followed along the axis that it is closest to in voxels, the first of y, x, z where they
    are equal."""
    first, step = (np.array([axis[i] for axis in (x, y, z)], float).reshape(3, 1, 1) for i in (0, 1))
    counts = [axis[2] for axis in (x, y, z)]
    result = np.zeros((views, *shape, counts[2], counts[1], counts[0]))
    row, column = np.indices(shape)
    for view in range(views):
        g = numbers(geometry, view)
        start, ray = rays(g, shape)

        def in_volume(vectors):  # back from where source and detector see them
            for body in "axis-angle", "volume-angle":
                for axis in "xyz":
                    vectors = turn(vectors, axis, -g[f"{body}-{axis}"])
            return vectors / scale(g)

        start, ray = in_volume(start), in_volume(ray)
        length = np.sqrt((ray**2).sum(0))
        start, ray = (start - first) / step, ray / step
        along = np.abs(ray)
        # As close to x and y: one that a quarter of a turn takes to the other.
        even = (along[0] <= along[1] * 1.0001) & (along[1] <= along[0] * 1.0001)
        driving = np.where(even, ray[0] * ray[1] > 0, along[1] > along[0]).astype(int)
        driving = np.where(along[2] > np.maximum(along[0], along[1]) * 1.0001, 2, driving)
        for axis in range(3):
            u, v = [a for a in range(3) if a != axis]
            own = driving == axis
            for n in range(counts[axis]):
                t = (n - start[axis][own]) / ray[axis][own]
                at_u, at_v = start[u][own] + t * ray[u][own], start[v][own] + t * ray[v][own]
                for du in 0, 1:
                    for dv in 0, 1:
                        i, j = np.floor(at_u) + du, np.floor(at_v) + dv
                        weight = (1 - np.abs(at_u - i)) * (1 - np.abs(at_v - j)) * length[own] / along[axis][own]
                        inside = (i >= 0) & (i < counts[u]) & (j >= 0) & (j < counts[v])
                        voxel = {axis: np.full(inside.sum(), n), u: i[inside].astype(int), v: j[inside].astype(int)}
                        result[view, row[own][inside], column[own][inside], voxel[2], voxel[1], voxel[0]] += weight[inside]
    return result.reshape(views * shape[0] * shape[1], -1)
