# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that people may see. A browser names them by places, "FOLDER/PATH/WITHIN", where FOLDER is a name that the administrator gave.
No place leads out of its folder, neither by .. nor by a link."""

import os
import pathlib
import re

from .errors import Invalid, Unknown

FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")  # the last ones: bytes of names that are no UTF-8, which no answer can tell
LONGEST = 4096  # characters of a place


class Folders:
    def __init__(self, folders):
        self._roots = {name: pathlib.Path(path).resolve(strict=True) for name, path in folders.items()}

    @property
    def names(self):
        return tuple(self._roots)

    @property
    def roots(self):
        """Their paths."""
        return tuple(self._roots.values())

    def path(self, place):
        """The file or folder that a place names. Raises Invalid for what is no place, Unknown where nothing is there."""
        folder, parts = self._split(place)
        path = self._roots[folder].joinpath(*parts)
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: links that lead in a circle
            raise Unknown(f"{place} is not there") from None
        if not real.is_relative_to(self._roots[folder]):
            raise Unknown(f"{place} is not there")  # nobody learns what is outside
        return real

    def check(self, place):
        """Raises Invalid for what is no place, Unknown for a folder that nobody named. Nothing need be there."""
        self._split(place)

    def place(self, path):
        """The place of a file, or None if it is in no folder."""
        real = pathlib.Path(os.path.realpath(path))
        for name, root in self._roots.items():
            if real.is_relative_to(root):
                return "/".join((name, *real.relative_to(root).parts))
        return None

    def told(self, text):
        """A program's words with places in the stead of paths: nobody learns where folders are."""
        for name, root in sorted(self._roots.items(), key=lambda pair: len(str(pair[1])), reverse=True):
            if root != root.parent:
                text = re.sub(rf"(?<![\w/.-]){re.escape(str(root))}(?![\w.-])", lambda _: name, text)
        return text

    def _split(self, place):
        if not isinstance(place, str) or not place or len(place) > LONGEST or FORBIDDEN.search(place):
            raise Invalid("a place is FOLDER/PATH/WITHIN", "place")
        folder, *parts = place.split("/")
        if any(part in ("", ".", "..") for part in parts):
            raise Invalid("a place is FOLDER/PATH/WITHIN, without empty parts, . and ..", "place")
        if folder not in self._roots:
            raise Unknown(f"there is no folder {folder}")
        return folder, parts


def told_values(value, told):
    """A value of JSON with places in the stead of paths, in all of its texts. told: Folders.told"""
    if isinstance(value, dict):
        return {name: told_values(one, told) for name, one in value.items()}
    if isinstance(value, list):
        return [told_values(one, told) for one in value]
    return told(value) if isinstance(value, str) else value
