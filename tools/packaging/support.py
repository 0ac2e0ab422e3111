# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What packages and the archive are both made with."""

import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess


class Failure(Exception):
    """Told to the person as it is."""


def say(text):
    print(f"tools/package: {text}", flush=True)


def run(*command, log=None, **kwargs):
    """Raises Failure with the end of what the command wrote, which goes to a file where one is given."""
    words = [str(word) for word in command]
    try:
        if log:
            with open(log, "ab") as file:
                done = subprocess.run(words, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, **kwargs)
            output = pathlib.Path(log).read_text(errors="replace")
        else:
            done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, **kwargs)
            output = done.stdout
    except OSError as e:
        raise Failure(f"{words[0]} can't be run: {e.strerror}; where it is not installed: apt-get install {PACKAGES.get(words[0], words[0])}") from None
    if done.returncode:
        end = "\n".join(output.splitlines()[-25:])
        raise Failure(f"{' '.join(words[:6])}{' ...' if len(words) > 6 else ''} ended with status {done.returncode}{f'; all of it is in {log}' if log else ''}:\n{end}")
    return output


# Of programs whose name is not that of their package.
PACKAGES = {"dpkg-buildpackage": "dpkg-dev", "dpkg-checkbuilddeps": "dpkg-dev", "readelf": "binutils", "strip": "binutils", "xz": "xz-utils"}


def need(*programs):
    """Raises Failure with a line that installs those that are missing."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        packages = sorted({PACKAGES.get(program, program) for program in missing})
        raise Failure(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed: apt-get install {' '.join(packages)}")


class Release:
    """The version, of meson.build, and of NEWS its day and each release with its first sentence."""

    def __init__(self, root):
        self.version = re.search(r"version: '([^']+)'", (root / "meson.build").read_text())[1]
        news = (root / "NEWS").read_text()
        self.all = re.findall(r"(?m)^gst-tomo (\S+) \(([^)]*)\)\n=+\n(.+)$", news)
        if not self.all or self.all[0][0] != self.version:
            raise Failure(f"meson.build has version {self.version}, and NEWS begins with another one")

    @property
    def is_released(self):
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", self.all[0][1]))


def git(root, *words):
    """What git tells of a repository that begins here, in bytes; None of an archive without history, also in somebody else's repository.
    Raises Failure where it does not tell."""
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)
    except OSError as e:
        raise Failure(f"git can't be run: {e.strerror}; it lists the sources: apt-get install git") from None
    if done.returncode:
        raise Failure(f"git {words[0]} ended with status {done.returncode}: {os.fsdecode(done.stderr).strip()}")
    return done.stdout


def commit_of(root):
    """Its moment in seconds and its short name; of an archive without history, that of NEWS and nothing."""
    told = git(root, "log", "-1", "--format=%ct %h")
    if told is None:
        return int((root / "NEWS").stat().st_mtime), ""
    moment, name = told.decode().split()
    return int(moment), name


def day_of(moment):
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)


def copy_sources(root, folder):
    """As they are now, without what is ignored."""
    if folder.exists():
        shutil.rmtree(folder)
    files = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if files is None:
        shutil.copytree(root, folder, symlinks=True, ignore=shutil.ignore_patterns("build*", "__pycache__", ".git"))
        return
    for name in filter(None, files.split(b"\0")):
        name = os.fsdecode(name)
        if (root / name).is_file() and not (root / name).is_relative_to(folder.parent):  # or it is deleted, but not yet for git
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)


def checked_build(folder):
    """A folder that is configured for /usr and built. Raises Failure."""
    try:
        options = {one["name"]: one["value"] for one in json.loads((folder / "meson-info" / "intro-buildoptions.json").read_text())}
    except OSError:
        raise Failure(f"{folder} is no build folder of Meson") from None
    if options["prefix"] != "/usr":
        raise Failure(f"{folder} is configured with --prefix={options['prefix']}; packages want /usr: meson setup FOLDER --prefix=/usr, then meson compile -C FOLDER")
    if "no work to do" not in run("ninja", "-C", folder, "-n"):
        raise Failure(f"{folder} is older than the sources: meson compile -C {folder}")
    return folder.resolve()
