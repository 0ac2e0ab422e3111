# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A raw scan in one file of HDF5, in the layout of Data Exchange: counts of a phantom that changes from row to row, with
flats and darks. Written without h5py, by tomowrite, so that a host needs numpy alone."""
import concurrent.futures
import os
import subprocess

import numpy as np
import tomoref

DARK, BEAM = 100.0, 30000.0  # counts


class RawScan:
    """path: the file. axis: of rotation, an edge coordinate 1 % off the middle."""

    def __init__(self, base, size, projections, rows, seed, references=20):
        self.size, self.projections, self.rows, self.references = size, projections, rows, references
        self.bytes = 2 * size * rows * (projections + 2 * references)
        self.axis = size / 2.0 + 0.01 * size
        self.path = os.path.join(base, f"raw-{size}x{rows}x{projections}.h5")
        self.folder = os.path.join(base, "raw")
        os.mkdir(self.folder)
        random = np.random.default_rng(seed)
        angles = tomoref.angles_of_scan(projections)
        head = tomoref.line_integrals(tomoref.shepp_logan(0.45 * size, 0.01), angles, size, self.axis)
        head *= 2.0 / head.max()  # the beam becomes weaker by a factor of e^2 at most
        self.sinogram = head
        # Rows of the detector differ by the density of the phantom and their gain.
        density = 0.5 + 0.5 * np.cos(np.linspace(-1.2, 1.2, rows))[:, None]
        gain = 1.0 + 0.05 * random.standard_normal((rows, size))
        noise = 150.0 * random.standard_normal((rows, size))
        counts = np.lib.format.open_memmap(os.path.join(self.folder, "data.npy"), "w+", "<u2", (projections, rows, size))

        def project(i):
            counts[i] = np.clip(DARK + gain * BEAM * np.exp(-density * head[i]) + np.roll(noise, 31 * i, 1), 0, 65535)

        with concurrent.futures.ThreadPoolExecutor(min(os.cpu_count(), 16)) as pool:
            list(pool.map(project, range(projections)))
        for name, level in (("data_dark", np.full_like(gain, DARK)), ("data_white", DARK + gain * BEAM)):
            images = level + 10.0 * random.standard_normal((references, rows, size), dtype=np.float32)
            np.save(os.path.join(self.folder, f"{name}.npy"), images.clip(0, 65535).astype("<u2"))
        np.save(os.path.join(self.folder, "theta.npy"), np.degrees(angles).reshape(1, -1))
        for name in ("data", "data_dark", "data_white", "theta"):
            source = os.path.join(self.folder, f"{name}.npy")
            subprocess.run(["gst-launch-1.0", "-q", "tomoread", f"path={source}", "convert=false", "!", "tomowrite",
                            "fsync=false", f"filename={self.path}:/exchange/{name}"], check=True)
            os.remove(source)
        os.rmdir(self.folder)

    def remove(self):
        os.remove(self.path)
