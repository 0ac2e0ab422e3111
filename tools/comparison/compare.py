# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the files of two folders."""
import pathlib

import h5py
import numpy as np
import tifffile

ROUNDING = 5e-6  # relative L2 of two float32 results of the same formula


def _arrays(path):
    """name: array of all that a file holds."""
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            pages = [page.asarray() for page in file.pages]
        same = all(page.shape == pages[0].shape for page in pages)
        return {path.name: np.stack(pages)} if same else {f"{path.name} {i}": p for i, p in enumerate(pages)}
    if path.suffix == ".h5":
        found = {}
        with h5py.File(path) as file:
            file.visititems(lambda name, item: found.update({f"{path.name}:/{name}": item[()]})
                            if isinstance(item, h5py.Dataset) else None)
        return found
    data = path.read_bytes()
    return {path.name: np.frombuffer(data, np.float32 if path.suffix == ".raw" else np.uint8)}


def _files(folder, known):
    return {str(path.relative_to(folder)): path for path in sorted(pathlib.Path(folder).rglob("*"))
            if path.is_file() and str(path.relative_to(folder)) not in known}


def _difference(ours, theirs):
    """None: identical; a number: relative L2; a text: something else."""
    if ours.shape != theirs.shape:
        return f"shape {' x '.join(map(str, ours.shape))}, UFO's {' x '.join(map(str, theirs.shape))}"
    if ours.dtype != theirs.dtype:
        return f"type {ours.dtype}, UFO's {theirs.dtype}"
    if np.array_equal(ours, theirs, equal_nan=ours.dtype.kind in "fc"):
        return None
    if not np.array_equal(np.isfinite(ours), np.isfinite(theirs)):
        return f"not finite in {(~np.isfinite(ours)).sum()} pixels, UFO's in {(~np.isfinite(theirs)).sum()}"
    finite = np.isfinite(ours)
    ours, theirs = ours[finite].astype(np.float64), theirs[finite].astype(np.float64)
    return float(np.linalg.norm(ours - theirs) / (np.linalg.norm(theirs) or 1))


def folders(ours, theirs, known):
    """What differs, in words, and whether that is no more than rounding."""
    mine, others = _files(ours, known), _files(theirs, known)
    if not others and mine:
        return "UFO writes nothing", False
    if mine.keys() != others.keys():
        return f"files {', '.join(mine) or 'none'}, UFO's {', '.join(others)}", False
    worst = None
    for name in mine:
        left, right = _arrays(mine[name]), _arrays(others[name])
        if left.keys() != right.keys():
            return f"{name} holds {', '.join(left) or 'nothing'}, UFO's {', '.join(right) or 'nothing'}", False
        for key in left:
            difference = _difference(left[key], right[key])
            if isinstance(difference, str):
                return difference, False
            if difference is not None:
                worst = max(worst or 0, difference)
    if worst is None:
        return "identical", True
    return f"{worst:.1e}", worst <= ROUNDING
