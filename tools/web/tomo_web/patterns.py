# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Patterns of names within a folder, and what lies there."""

import os
import re

from .folders import FORBIDDEN

DEEPEST = 64
MOST = 200_000  # entries of a tree


class TooMuch(Exception):
    """The tree has more entries than anybody wants to look at again and again."""


class Pattern:
    """Of relative names: * and ? are within one name, ** is any folders, {a,b} is one of both. One that ends with / is of folders. Raises
    ValueError for what is none."""

    def __init__(self, text):
        parts = text.rstrip("/").split("/")
        if not text.strip("/") or text.startswith("/") or any(part in ("", ".", "..") for part in parts) or FORBIDDEN.search(text):
            raise ValueError("wanted a pattern of names below the folder, such as **/*.nxs, without empty parts, . and ..")
        if any("**" in part and part != "**" for part in parts) or parts[-1] == "**":
            raise ValueError("** stands alone between two /, and not at the end")
        self.text, self.of_folders = text, text.endswith("/")
        self.deep = "**" in parts
        self.depth = DEEPEST if self.deep else len(parts) - 1
        self._expression = re.compile("".join(_of_part(part, at == len(parts) - 1) for at, part in enumerate(parts)), re.DOTALL)

    def fits(self, name):
        """Whether a relative name does. Patterns without / fit the last part of it as well."""
        return bool(self._expression.fullmatch(name))

    def fits_end(self, name):
        """Whether the name does, or its end behind some folder."""
        parts = name.split("/")
        return any(self.fits("/".join(parts[at:])) for at in range(len(parts)))

    def __eq__(self, other):
        return isinstance(other, Pattern) and self.text == other.text

    def __hash__(self):
        return hash(self.text)


def _of_part(part, is_last):
    if part == "**":
        return r"(?:[^/]+/)*"
    expression, at = "", 0
    while at < len(part):
        letter = part[at]
        if letter == "{":
            end = part.find("}", at)
            if end < 0:
                raise ValueError("a { has no }")
            expression += "(?:" + "|".join(map(re.escape, part[at + 1:end].split(","))) + ")"
            at = end
        else:
            expression += "[^/]*" if letter == "*" else "[^/]" if letter == "?" else re.escape(letter)
        at += 1
    return expression + ("" if is_last else "/")


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
