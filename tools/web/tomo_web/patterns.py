# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Patterns of names within a folder, and what lies there."""

import fnmatch
import os
import re

from .folders import FORBIDDEN

DEEPEST = 64
MOST = 200_000  # entries of a tree
MOST_ALTERNATIVES = 64


class TooMuch(Exception):
    """The tree has more entries than anybody wants to look at again and again."""


class Pattern:
    """Of relative names: * and ? are within one name, ** is any folders, {a,b} is one of both. One that ends with / is of folders. No name
    takes long to compare, whatever the pattern. Raises ValueError for what is none."""

    def __init__(self, text):
        parts = text.rstrip("/").split("/")
        if not text.strip("/") or text.startswith("/") or any(part in ("", ".", "..") for part in parts) or FORBIDDEN.search(text):
            raise ValueError("wanted a pattern of names below the folder, such as **/*.nxs, without empty parts, . and ..")
        if any("**" in part and part != "**" for part in parts) or parts[-1] == "**":
            raise ValueError("** stands alone between two /, and not at the end")
        self.text, self.of_folders = text, text.endswith("/")
        self.depth = DEEPEST if "**" in parts else len(parts) - 1
        self._parts = [None if part == "**" else [re.compile(fnmatch.translate(one)) for one in _alternatives(part)] for part in parts]

    def fits(self, name):
        """Whether a relative name does."""
        return self._begin(name.split("/"))[0]

    def fits_end(self, name):
        """Whether the name does, or its end behind some folder."""
        return any(self._begin(name.split("/")))

    def _begin(self, names):
        """Whether the pattern fits the names behind the first n, for each n."""
        fitting = [False] * len(names) + [True]  # by the parts of the pattern behind the one that is looked at
        for part in reversed(self._parts):
            if part is None:
                for at in reversed(range(len(names))):
                    fitting[at] = fitting[at] or fitting[at + 1]
            else:
                fitting = [fitting[at + 1] and any(one.match(name) for one in part) for at, name in enumerate(names)] + [False]
        return fitting

    def __eq__(self, other):
        return isinstance(other, Pattern) and self.text == other.text

    def __hash__(self):
        return hash(self.text)


def _alternatives(part):
    """Patterns as fnmatch has them, without {}."""
    found = [""]
    for piece in re.split(r"(\{[^{}]*\})", part):
        choices = piece[1:-1].split(",") if piece[:1] == "{" and piece[-1:] == "}" else [piece]
        if any("{" in one or "}" in one for one in choices):
            raise ValueError("{ and } come in pairs, and not within each other")
        found = [before + one.replace("[", "[[]") for before in found for one in choices]
        if len(found) > MOST_ALTERNATIVES:
            raise ValueError(f"the pattern has more than {MOST_ALTERNATIVES} alternatives within one name")
    return found


def found_below(root, pattern):
    """Names below a folder that fit, and all folders that can have some, the folder itself as "". Hidden names are left out, links to
    folders are not followed. Raises OSError where the folder is not there, TooMuch."""
    found, folders, waiting, count = [], [""], [("", 0)], 0
    while waiting:
        folder, depth = waiting.pop()
        try:
            entries = list(os.scandir(os.path.join(root, folder)))
        except OSError:
            if not folder:
                raise
            continue  # gone meanwhile, or not for this user
        count += len(entries)
        if count > MOST:
            raise TooMuch(f"the folder has more than {MOST} entries")
        for entry in entries:
            if entry.name.startswith(".") or FORBIDDEN.search(entry.name):
                continue
            name = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder == pattern.of_folders and (is_folder or entry.is_file()) and pattern.fits(name):
                found.append(name)
            elif is_folder and depth < pattern.depth:
                folders.append(name)
                waiting.append((name, depth + 1))
    return sorted(found), folders


def stamp_of(path):
    """Of size and time of a file, or of all files in a folder, "" where nothing is there. Changes with them."""
    try:
        about = os.stat(path)
        if not os.path.isdir(path):
            return f"{about.st_size:x}-{about.st_mtime_ns:x}"
        count = size = newest = 0
        for folder, folders, files in os.walk(path):
            folders.sort()
            for file in files:
                one = os.stat(os.path.join(folder, file))
                count, size, newest = count + 1, size + one.st_size, max(newest, one.st_mtime_ns)
        return f"{count:x}-{size:x}-{newest:x}"
    except OSError:
        return ""
