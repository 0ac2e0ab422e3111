# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program: references.py FILE ROOT... tells whether an HDF5 file leads out of the roots: by external links, virtual datasets, or raw data in
other files, also by way of the files that it names. It is a process of its own, as a damaged file may crash the library."""

import json
import os
import re
import sys

os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"  # somebody may still write it
for prefix in ("HDF5_EXT_PREFIX", "HDF5_VDS_PREFIX", "HDF5_EXTFILE_PREFIX"):
    os.environ.pop(prefix, None)

import h5py  # noqa: E402

MOST_LINKS = 300_000
MOST_FILES = 1000


class Out(Exception):
    """The name that leads out."""


class Walk:
    def __init__(self, roots):
        self._roots, self._seen, self._links = [os.path.realpath(root) for root in roots], set(), 0

    def check(self, path):
        waiting = [os.path.realpath(path)]
        while waiting:
            path = waiting.pop()
            if path in self._seen:
                continue
            self._seen.add(path)
            if len(self._seen) > MOST_FILES:
                raise Out(f"more than {MOST_FILES} other files")
            waiting += self._files_of(path)

    def _files_of(self, path):
        """Other files that a file is made of, all of which are within the roots."""
        try:
            opened = h5py.File(path, "r")
        except OSError:
            return []  # no HDF5: nothing in it is followed
        with opened as file:
            names = set()

            def visit(name, info):  # what it returns ends the walk; what it raises would be lost
                try:
                    names.update(self._names_of(file, name, info))
                except Exception as e:  # noqa: B902
                    return e
            if problem := file.id.links.visit(visit, info=True):
                raise problem
        return [one for name in names if name not in ("", ".") for one in self._within(os.path.dirname(path), name)]

    def _names_of(self, file, name, info):
        """Names of the files that a link leads to."""
        self._links += 1
        if self._links > MOST_LINKS:
            raise Out(f"more than {MOST_LINKS} links")
        if info.type == h5py.h5l.TYPE_EXTERNAL:
            yield os.fsdecode(file.id.links.get_val(name)[0])
        elif info.type == h5py.h5l.TYPE_HARD:
            yield from self._names_of_samples(h5py.h5o.open(file.id, name))
        elif info.type != h5py.h5l.TYPE_SOFT:
            raise Out("a link of an unknown kind")

    def _names_of_samples(self, opened):
        if not isinstance(opened, h5py.h5d.DatasetID):
            return
        plan = opened.get_create_plist()
        for at in range(plan.get_external_count()):
            name = os.fsdecode(plan.get_external(at)[0])
            if not os.path.isabs(name) or not self._is_inside(name):
                raise Out(name)  # the library looks for others in whatever folder a process runs in
        if plan.get_layout() == h5py.h5d.VIRTUAL:
            for at in range(plan.get_virtual_count()):
                yield plan.get_virtual_filename(at)

    def _within(self, folder, name):
        wanted = os.path.join(folder, name)
        if "%" in name:
            return self._pattern(wanted)
        if not os.path.lexists(wanted):
            # Not there, as is usual for copies, is no harm, unless another folder would be tried.
            if not os.path.isabs(name) and (".." in name.split("/") or os.path.lexists(name)):
                raise Out(name)
            beside = os.path.join(folder, os.path.basename(name))  # where the library looks next
            return self._within(folder, os.path.basename(name)) if beside != wanted and os.path.lexists(beside) else []
        if not self._is_inside(wanted):
            raise Out(name)
        return [os.path.realpath(wanted)]

    def _pattern(self, wanted):
        """Of a name with %b for the number of a block."""
        folder, name = os.path.split(wanted)
        if "%" in folder or not self._is_inside(folder):
            raise Out(wanted)
        like = re.compile(re.escape(name).replace("%b", "[0-9]+").replace("%%", "%"))
        try:
            found = [os.path.join(folder, one) for one in os.listdir(folder) if like.fullmatch(one)]
        except OSError:
            return []
        for one in found:
            if not self._is_inside(one):
                raise Out(one)
        return [os.path.realpath(one) for one in found]

    def _is_inside(self, name):
        real = os.path.realpath(name)
        return any(real == root or real.startswith(root.rstrip("/") + "/") for root in self._roots)


def main(words):
    try:
        Walk(words[1:]).check(words[0])
        print(json.dumps({"out": None}))
    except Out as e:
        print(json.dumps({"out": str(e)}))


if __name__ == "__main__":
    main(sys.argv[1:])
