# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures and raw values as files, written beside and renamed, so that nobody sees half of one."""

import contextlib
import os
import tempfile

import numpy as np


@contextlib.contextmanager
def beside(path):
    """A name in the same folder for the file to write; it becomes `path` where the block ends well."""
    path = os.path.abspath(path)
    handle, name = tempfile.mkstemp(prefix="." + os.path.basename(path) + ".", suffix=os.path.splitext(path)[1], dir=os.path.dirname(path))
    os.close(handle)
    try:
        yield name
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # as a file that open() makes
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def write_picture(path, picture):
    """A QImage as PNG. Raises OSError."""
    with beside(path) as name:
        if not picture.save(name, "PNG"):
            raise OSError(f"{path}: the picture could not be written")


def write_tiff(path, array, pixel_size=None):
    """Raw values as a TIFF file, with the pixel size as its resolution. Raises OSError."""
    import tifffile
    array = np.ascontiguousarray(array)
    options = {}
    if pixel_size:
        per_cm = 0.01 / pixel_size
        options = {"resolution": (per_cm, per_cm, "CENTIMETER")}
    with beside(path) as name:
        tifffile.imwrite(name, array, photometric="minisblack", metadata=None, software="gst-tomo", **options)
