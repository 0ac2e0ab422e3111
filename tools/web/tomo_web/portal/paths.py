# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The portal's folders and ours: the administrator says which is which, and nothing that a portal says leads out of those."""

import os
import posixpath

from ..errors import Invalid, Unknown
from ..folders import FORBIDDEN, LONGEST


class Paths:
    """mapping: absolute folders of the portal, and the places that they have here"""

    def __init__(self, folders, mapping):
        self._folders = folders
        self._mapping = sorted(mapping.items(), key=lambda pair: len(pair[0]), reverse=True)  # the innermost first

    def place(self, folder, name=""):
        """Where a file of a data set's folder is here, whether it is there or not. Raises Invalid for what leads out."""
        for part in (folder, name):
            if not isinstance(part, str) or FORBIDDEN.search(part) or len(part) > LONGEST or ".." in part.split("/"):
                raise Invalid("the portal names a file that can't be: " + ascii(part)[:200])
        remote = posixpath.normpath(posixpath.join(folder, name))  # a name that is absolute stands for itself
        for outer, place in self._mapping:
            if remote == outer or remote.startswith(outer.rstrip("/") + "/"):
                inner = remote[len(outer.rstrip("/")):].strip("/")
                return f"{place}/{inner}" if inner else place
        raise Invalid(f"the portal's folder {folder} is in none of those that [portal.folders] names")

    def remote(self, path):
        """What the portal calls a file or folder of ours. Raises Invalid where it does not know it."""
        place = self._folders.place(path)
        for outer, inner in sorted(self._mapping, key=lambda pair: len(pair[1]), reverse=True):
            if place is not None and (place == inner or place.startswith(inner + "/")):
                return posixpath.join(outer, place[len(inner):].strip("/")).rstrip("/")
        raise Invalid(f"the portal has no name for the folder of {os.path.basename(path)}: [portal.folders] needs one")

    def scan(self, raw, files, pattern):
        """The place of the scan among the files of a Raw: the one that fits the pattern, or for a pattern of folders the folder that fits, else
        that of the data set. Raises Invalid where none or several do."""
        if pattern.of_folders:
            inner = {name.partition("/")[0] for name in (file.path for file in files) if "/" in name}
            found = [name for name in sorted(inner) if pattern.fits_end(name)] or [""]
        else:
            found = [file.path for file in files if pattern.fits_end(posixpath.normpath(file.path).lstrip("/"))]
        if len(found) != 1:
            told = f"{len(found)} of its files fit" if found else "none of its files fits"
            raise Invalid(f"{told} the pattern {pattern.text}: wanted one")
        return self.place(raw.folder, found[0])

    def missing(self, raw, files):
        """A sentence about files that are not here yet, or not whole, as the portal tells their sizes; None where all are."""
        for file in files:
            try:
                size = os.stat(self._folders.path(self.place(raw.folder, file.path))).st_size
            except (Unknown, OSError):
                return f"waits for {posixpath.basename(file.path)}, which is not here yet"
            if file.size and size != file.size:
                return f"waits for {posixpath.basename(file.path)}, which has {size} of {file.size} bytes"
        return None
