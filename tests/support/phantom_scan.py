# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small measurement whose slices are known, as a file of each kind."""

import os

import h5py
import numpy as np
import scan_files
import tomoref

WIDTH, ROWS, VIEWS, AXIS = 90, 12, 121, 47.3
DARK, BEAM = 100.0, 40000.0


def attenuation(angles, axis=AXIS, width=WIDTH):
    """Of discs whose radius and place change from row to row: rows x views x columns."""
    rows = []
    for row in range(ROWS):
        discs = [tomoref.disc(0, 0, 38, 0.01), tomoref.disc(12 - row, 9, 5 + row / 2, 0.03), tomoref.disc(-15, row - 9, 6, -0.008)]
        rows.append(tomoref.line_integrals(discs, angles, width, axis))
    return np.array(rows)


class Scan:
    """A measurement: projections, darks and flats in counts, and its angles in radians.

    `strength`: attenuation in each view over that of the phantom, for samples that change.
    """

    def __init__(self, views=VIEWS, turn=np.pi, axis=AXIS, repeats=False, angles=None, strength=1.0):
        steps = views - 1 if repeats else views
        self.angles = np.arange(views) * turn / steps if angles is None else np.asarray(angles, float)
        y, x = np.mgrid[:ROWS, :WIDTH]
        self.dark = np.rint(DARK + 5 * np.sin(x))
        self.flat = np.rint(BEAM * (1 + 0.1 * np.sin(x / 9 + y)))
        self.attenuation = attenuation(self.angles, axis) * np.broadcast_to(strength, len(self.angles))[:, None]
        counts = self.dark + (self.flat - self.dark) * np.exp(-self.attenuation.transpose(1, 0, 2))
        self.projections = np.rint(counts).astype(np.uint16)
        self.darks = np.repeat(self.dark[None], 2, 0).astype(np.uint16)
        self.flats = np.repeat(self.flat[None], 3, 0).astype(np.uint16)

    def repeated(self, rows, columns=1):
        """Itself with so many times the rows and columns, which are those of the phantom again and again."""
        for name in ("projections", "darks", "flats"):
            setattr(self, name, np.tile(getattr(self, name), (1, rows, columns)))
        return self

    def nxtomo(self, path, angles=True, axis=None, flats=True, darks=True, flats_at_end=False):
        kinds = [(self.darks, 2)] * darks
        kinds += [(self.flats, 1)] * (flats and not flats_at_end) + [(self.projections, 0)] + [(self.flats, 1)] * (flats and flats_at_end)
        keys = np.concatenate([np.full(len(images), key) for images, key in kinds])
        all_angles = np.zeros(len(keys))
        all_angles[keys == 0] = np.rad2deg(self.angles)
        facts = {} if axis is None else {"instrument__detector__x_rotation_axis_pixel_position": (axis - 0.5, None)}
        with h5py.File(path, "w") as file:
            scan_files.nxtomo(file, np.concatenate([images for images, _ in kinds]), keys, all_angles if angles else None, **facts)

    def data_exchange(self, path):
        scan_files.data_exchange(path, self.projections, self.flats, self.darks, np.rad2deg(self.angles), "degrees")

    def folder(self, path):
        scan_files.series(path, self.projections, "tomo_%05d.tif")
        scan_files.series(os.path.join(path, "darks"), self.darks, "dark_%05d.tif")
        scan_files.series(os.path.join(path, "flats"), self.flats, "flat_%05d.tif")
