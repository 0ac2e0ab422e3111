# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slabs as one volume: a virtual dataset, with the facts that a result has."""

import os
import re
import string

import h5py
import numpy as np

from ._errors import ClusterError

ATTEMPT = re.compile(r"attempt-[0-9a-f]{32}/")  # where a slab was written, before it got its place
OF_RUN = re.compile(r"\d{5,}\.h5|lines\.txt")  # names in a folder of slabs


def check(file, dataset):
    """Raises ClusterError where the file has other datasets, which a new one would take away."""
    if not os.path.exists(file):
        return
    entry = dataset.strip("/").split("/")[0]
    others = []
    try:
        with h5py.File(file, "r") as earlier:
            earlier.visititems(lambda name, item: others.append(name) if isinstance(item, h5py.Dataset) and
                               name.split("/")[0] != entry else None)
    except OSError as e:
        raise ClusterError(f"'{file}' is there, and no HDF5 file that can be read: {e}") from None
    if others:
        raise ClusterError(f"'{file}' has other datasets, such as /{others[0]}; the volume of a cluster wants a file of its own")


def join(file, dataset, slabs, dataset_of_slab, folder):
    """Makes the file. The folder of slabs gets its final name. Raises ClusterError, OSError."""
    check(file, dataset)
    final = next(name for name in (f"{file}.volume-{letter}" for letter in string.ascii_lowercase) if not os.path.exists(name))
    shapes, types = [], set()
    for slab in slabs:
        with h5py.File(slab, "r") as source:
            shapes.append(source[dataset_of_slab].shape)
            types.add(source[dataset_of_slab].dtype)
    if len(types) > 1 or len({shape[1:] for shape in shapes}) > 1:
        raise ClusterError(f"slabs in '{folder}' have images of several sizes or types: remove them, and begin anew")
    total = sum(shape[0] for shape in shapes)
    layout = h5py.VirtualLayout((total, *shapes[0][1:]), types.pop())
    first = 0
    for slab, shape in zip(slabs, shapes):
        place = os.path.join(os.path.basename(final), os.path.basename(slab))
        layout[first:first + shape[0]] = h5py.VirtualSource(place, dataset_of_slab, shape)
        first += shape[0]
    partial = file + ".partial"
    with h5py.File(partial, "w", libver=("earliest", "v110")) as target:
        with h5py.File(slabs[0], "r") as source:
            _copy_facts(source, target, dataset_of_slab, dataset)
            volume = target.create_virtual_dataset(dataset, layout)
            for name, value in source[dataset_of_slab].attrs.items():
                volume.attrs[name] = ATTEMPT.sub("", value) if isinstance(value, str) else value
        _complete(target, volume, slabs, dataset_of_slab)
    _sync(partial)
    os.rename(folder, final)
    os.replace(partial, file)
    _sync(os.path.dirname(file) or ".")
    _remove_earlier(file, final)


def _copy_facts(source, target, from_name, to_name):
    """All that stands beside a dataset, in its group and in those above."""
    from_group, to_group = source[from_name].parent, target.require_group(os.path.dirname(to_name))
    skipped = {from_name.rpartition("/")[2]}
    while True:
        for name, value in from_group.attrs.items():
            to_group.attrs[name] = value
        for name in from_group:
            if name not in skipped:
                source.copy(from_group[name], to_group, name)
        if from_group.name == "/" or to_group.name == "/":
            return
        skipped = {from_group.name.rpartition("/")[2]}
        from_group, to_group = from_group.parent, to_group.parent


def _complete(target, volume, slabs, dataset_of_slab):
    """The facts of the whole, in place of those of its first slab."""
    group = volume.parent
    if len(axes := group.attrs.get("axes", ())) == 3 and axes[0] in group:
        places, attributes = [], dict(group[axes[0]].attrs)
        for slab in slabs:
            with h5py.File(slab, "r") as source:
                places.append(source[dataset_of_slab].parent[axes[0]][()])
        del group[axes[0]]
        group[axes[0]] = np.concatenate(places)
        group[axes[0]].attrs.update(attributes)
    for process in (item for item in group.parent.values() if item.attrs.get("NX_class") == "NXprocess"):
        if "parameters/images" in process:
            process["parameters/images"][()] = volume.shape[0]
        if "pipeline" in process:
            text = process["pipeline"].asstr()[()]
            del process["pipeline"]
            process["pipeline"] = ATTEMPT.sub("", text)
        process.attrs["slabs"] = len(slabs)
        process.attrs["description"] = "The pipeline is that of the first slab; each of the files of the dataset has its own."


def _sync(path):
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _remove_earlier(file, final):
    """Slabs of results that this one has replaced."""
    for letter in string.ascii_lowercase:
        folder = f"{file}.volume-{letter}"
        if folder == final or not os.path.isdir(folder):
            continue
        for name in filter(OF_RUN.fullmatch, os.listdir(folder)):
            os.unlink(os.path.join(folder, name))
        try:
            os.rmdir(folder)
        except OSError:  # something else is in it
            pass
