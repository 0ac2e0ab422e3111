# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files that the guide and the examples of elements read: a simulated scan of a vial with pebbles.

    projections/0000.tif ...   corrected projections (transmission), float32, 256 x 80, one per degree from 0 to 179
    radiographs/, flats/, darks/   the same and its flats and darks as measured, uint16, with specks and outliers
    sinograms/0000.tif ...     attenuation, one sinogram for each of 16 detector rows in the middle, 256 x 180
    projection.tif, sinogram.tif   one of each
    stripes.tif                sinogram.tif as a detector gives it that has some columns of wrong response
    slice.tif                  the slice of sinogram.tif, 256 x 256, in attenuation per pixel
    volume.h5:/volume          four slices, as planes
    scan.nxs                   the raw scan as NXtomo, with flats before and after, angles, axis and pixel size
    shifts.txt                 displacements of its sample, all 0: columns and rows of pixels
    half.h5:/sinograms         four sinograms over 360 degrees of a detector with 150 columns, for half acquisition
    turns.nxs                  a raw scan of eight rows in time: three half turns, between which attenuation grows
    examples                   a link to the examples of the repository

The rotation axis is at 131.0 in edge coordinates; in half.h5, too.
"""

import dataclasses
import os
import shutil

import h5py
import numpy as np
import tifffile

import tomoref

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SCAN = os.path.join(ROOT, "examples", "data", "savu24737.nxs")

WIDTH, ROWS, VIEWS, AXIS = 256, 80, 180, 131.0  # the axis in edge coordinates
HALF_WIDTH = 150                                # columns of half acquisition
SINOGRAM_ROWS = range(32, 48)                   # that are in sinograms/
ROW = 40                                        # of sinogram.tif and slice.tif
BEAM, OFFSET = 30000.0, 100.0                   # counts of the beam and of the dark image
RADIUS, WALL = 108.0, 5.0                       # of the vial, in pixels
PIXEL_SIZE = 2e-6                               # m


@dataclasses.dataclass
class Ellipsoid:
    """Upright, turned by `tilt` around the axis of rotation; `c` is half its height. Values add up where some overlap."""
    x: float
    y: float
    z: float
    a: float
    b: float
    c: float
    value: float
    tilt: float = 0.0


def vial():
    """A vial with a liquid, pebbles with pores in it, and a grain of metal."""
    rng = np.random.default_rng(7)
    wall, liquid = 0.004, 0.0012
    objects = [Ellipsoid(0, 0, 0, RADIUS, RADIUS, np.inf, wall),
               Ellipsoid(0, 0, 0, RADIUS - WALL, RADIUS - WALL, np.inf, liquid - wall)]
    pebbles = [(-48.0, -30.0, 20.0, 5.0)]  # x, y, z, radius; the first is the grain
    for radius in (40, 36, 32, 30, 28, 26, *[24] * 4, *[20] * 8, *[16] * 16, *[12] * 40, *[8] * 30):
        for _ in range(400):
            x, y = rng.uniform(-RADIUS, RADIUS, 2)
            z = rng.uniform(-20, ROWS + 20)
            apart = all((x - p) ** 2 + (y - q) ** 2 + (z - r) ** 2 > (radius + s) ** 2 for p, q, r, s in pebbles)
            if apart and np.hypot(x, y) + radius < RADIUS - WALL - 1:
                pebbles.append((x, y, z, radius))
                break
    x, y, z, radius = pebbles[0]
    objects.append(Ellipsoid(x, y, z, radius, radius, radius, 0.6))
    for x, y, z, radius in pebbles[1:]:
        a, b, c = radius * rng.uniform(0.8, 1.0, 3)
        value, tilt = rng.uniform(0.003, 0.010), rng.uniform(0, np.pi)
        objects.append(Ellipsoid(x, y, z, a, b, c, value, tilt))
        for _ in range(int(radius / 3)):
            size = rng.uniform(0.1, 0.22) * radius
            direction = rng.standard_normal(3)
            u, v, w = direction / np.linalg.norm(direction) * rng.uniform(0, 0.75) * min(a, b, c)
            objects.append(Ellipsoid(x + u, y + v, z + w, size, size, size, rng.choice([-0.6, 0.7]) * value))
    return objects


def cut(objects, row):
    """The ellipses in which the middle of a detector row cuts them."""
    ellipses = []
    for e in objects:
        height = 1 - ((row + 0.5 - e.z) / e.c) ** 2
        if height > 0:
            ellipses.append(tomoref.Ellipse(e.x, e.y, e.a * height ** 0.5, e.b * height ** 0.5, e.value, e.tilt))
    return ellipses


def reconstruct(sinogram):
    width = sinogram.shape[1]
    rows = tomoref.fft_filter(sinogram, size=2 * width, crop=width)
    return tomoref.backproject_linear(rows, axis=AXIS)


def flat_field(rng):
    """A beam with the bands of a multilayer, and a screen with specks."""
    y, x = np.mgrid[:ROWS, :WIDTH] + 0.5
    beam = np.exp(-((y - ROWS / 2) / ROWS) ** 2) * (1 + 0.06 * np.sin(y / 2.3 + 0.5 * np.sin(y / 7) + x / 160))
    for _ in range(25):
        distance = np.hypot(x - rng.uniform(0, WIDTH), y - rng.uniform(0, ROWS))
        beam *= 1 - rng.uniform(0.1, 0.3) * np.exp(-(distance / rng.uniform(0.7, 2.5)) ** 2)
    return BEAM * beam * rng.normal(1, 0.01, beam.shape)


def write_scan(path, darks, flats, flats_after, radiographs, angles):
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"], entry["definition"] = "NXentry", "NXtomo"
        detector = entry.create_group("instrument/detector")
        entry["instrument"].attrs["NX_class"], detector.attrs["NX_class"] = "NXinstrument", "NXdetector"
        detector["data"] = np.concatenate([darks, flats, radiographs, flats_after])
        kinds = ((darks, 2, angles[0]), (flats, 1, angles[0]), (radiographs, 0, None), (flats_after, 1, angles[-1]))
        detector["image_key"] = np.concatenate([np.full(len(images), key) for images, key, _ in kinds]).astype(np.int32)
        for name in ("x", "y"):
            detector[f"{name}_pixel_size"] = PIXEL_SIZE
            detector[f"{name}_pixel_size"].attrs["units"] = "m"
        detector["x_rotation_axis_pixel_position"] = AXIS - 0.5
        sample = entry.create_group("sample")
        sample.attrs["NX_class"], sample["name"] = "NXsample", "vial with pebbles (simulated)"
        sample["rotation_angle"] = np.rad2deg(np.concatenate(
            [angles if at is None else np.full(len(images), at) for images, _, at in kinds]))
        sample["rotation_angle"].attrs["units"] = "degree"


def make(folder, seed=1):
    """Writes them all into a folder; `seed` is that of the noise."""
    rng = np.random.default_rng(seed)
    objects, angles = vial(), tomoref.angles_of_scan(VIEWS)
    ellipses = [cut(objects, row) for row in range(ROWS)]
    integrals = np.stack([tomoref.line_integrals(e, angles, WIDTH, AXIS) for e in ellipses], axis=1)

    flat = flat_field(rng)
    dark = OFFSET + 400 * (rng.random(flat.shape) < 0.001)
    flats, flats_after = (rng.poisson(dark + np.repeat(flat[None], 10, axis=0)) for _ in range(2))
    darks = rng.poisson(np.repeat(dark[None], 10, axis=0))
    counts = rng.poisson(dark + flat * np.exp(-integrals))
    projections = ((counts - darks.mean(0)) / (flats.mean(0) - darks.mean(0))).astype(np.float32)
    hit = rng.random(counts.shape) < 0.0004  # by stray photons
    radiographs = np.where(hit, np.minimum(counts + rng.uniform(8000, 30000, counts.shape), 65535), counts)
    radiographs, flats, flats_after, darks = (a.astype(np.uint16) for a in (radiographs, flats, flats_after, darks))
    sinograms = -np.log(np.clip(projections, 1e-3, None)).transpose(1, 0, 2)

    def series(name, arrays):
        os.makedirs(os.path.join(folder, name))
        for i, array in enumerate(arrays):
            tifffile.imwrite(os.path.join(folder, name, f"{i:04d}.tif"), array)

    def image(name, array):
        tifffile.imwrite(os.path.join(folder, name), array.astype(np.float32))

    series("projections", projections)
    series("radiographs", radiographs)
    series("flats", flats)
    series("darks", darks)
    series("sinograms", sinograms[SINOGRAM_ROWS.start:SINOGRAM_ROWS.stop])
    image("projection.tif", projections[0])
    image("sinogram.tif", sinograms[ROW])
    stripes = np.zeros(WIDTH)
    stripes[rng.choice(np.arange(20, WIDTH - 20), 24, replace=False)] = rng.uniform(-0.12, 0.12, 24)
    image("stripes.tif", sinograms[ROW] + stripes)
    image("slice.tif", reconstruct(sinograms[ROW]))
    with h5py.File(os.path.join(folder, "volume.h5"), "w") as file:
        file["volume"] = np.array([reconstruct(s) for s in sinograms[ROW - 9:ROW + 10:6]], np.float32)
    write_scan(os.path.join(folder, "scan.nxs"), darks, flats, flats_after, radiographs, angles)
    np.savetxt(os.path.join(folder, "shifts.txt"), np.zeros((VIEWS, 2)), "%g")
    turn = np.concatenate([angles, angles + np.pi])
    with h5py.File(os.path.join(folder, "half.h5"), "w") as file:
        half = np.array([tomoref.line_integrals(e, turn, WIDTH, AXIS)[:, :HALF_WIDTH] for e in ellipses[ROW - 2:ROW + 2]])
        file["sinograms"] = (half + 0.005 * rng.standard_normal(half.shape)).astype(np.float32)
    rows = slice(ROW - 4, ROW + 4)
    in_time = np.arange(3 * VIEWS // 2) * 2 * np.pi / VIEWS
    strength = 1 + 0.25 * np.floor(in_time / np.pi + 1e-9)
    grown = np.stack([tomoref.line_integrals(e, in_time, WIDTH, AXIS) for e in ellipses[rows]], axis=1) * strength[:, None, None]
    counts = np.minimum(rng.poisson(dark[rows] + flat[rows] * np.exp(-grown)), 65535).astype(np.uint16)
    write_scan(os.path.join(folder, "turns.nxs"), darks[:, rows], flats[:, rows], flats_after[:, rows], counts, in_time)
    os.symlink(os.path.join(os.path.realpath(ROOT), "examples"), os.path.join(folder, "examples"))
