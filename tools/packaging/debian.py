# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages for Debian, from the files in tools/packaging/debian; their changelog comes from NEWS."""

import datetime
import os
import shutil
import subprocess
import textwrap

from support import Failure, Release, checked_build, commit_of, copy_sources, day_of, need, run, say

# Who makes the packages, by the variables of Debian's other tools.
MAINTAINER = f"{os.environ.get('DEBFULLNAME', 'The gst-tomo authors')} <{os.environ.get('DEBEMAIL', 'gst-tomo@example.org')}>"


def version_of(release, moment, commit):
    """Of a release that is not out, each commit is older than it will be."""
    return f"{release.version}-1" if release.is_released else f"{release.version}~{day_of(moment):%Y%m%d.%H%M}{f'.g{commit}' if commit else ''}-1"


def changelog(release, moment, commit):
    entries = []
    for number, (version, day, sentence) in enumerate(release.all):
        full = version_of(release, moment, commit) if number == 0 else f"{version}-1"
        then = day_of(moment) if number == 0 else datetime.datetime.fromisoformat(day)
        when = f"{then:%a, %d %b %Y %H:%M:%S} +0000"
        text = textwrap.fill(f"{sentence} NEWS has all of it.", 76, initial_indent="  * ", subsequent_indent="    ")
        entries.append(f"gst-tomo ({full}) bookworm; urgency=medium\n\n{text}\n\n -- {MAINTAINER}  {when}\n")
    return "\n".join(entries)


def make(root, output, build_folder, jobs):
    """Files of packages in `output`."""
    need("dpkg-checkbuilddeps", "dpkg-buildpackage", "lintian")  # before minutes of compiling
    if build_folder:
        build_folder = checked_build(build_folder)
    release, (moment, commit) = Release(root), commit_of(root)
    version = version_of(release, moment, commit)
    source = output / "debian" / f"gst-tomo-{release.version}"
    say(f"copies the sources to {source}")
    copy_sources(root, source)
    shutil.copytree(root / "tools" / "packaging" / "debian", source / "debian")
    (source / "debian" / "changelog").write_text(changelog(release, moment, commit), encoding="utf-8")
    # Unmet, they are told with a command that installs them.
    done = subprocess.run(["dpkg-checkbuilddeps"], cwd=source, text=True, capture_output=True, check=False)
    if done.returncode:
        raise Failure(f"{done.stderr.strip()}\n    to install them: apt-get build-dep {source}")
    for suffix in ("deb", "changes", "buildinfo"):
        for old in source.parent.glob(f"*.{suffix}"):
            old.unlink()
    log = output / "debian" / "build.log"
    log.unlink(missing_ok=True)
    say(f"builds packages of version {version}{'' if build_folder else ', which takes some minutes'}; {log} has its course")
    options = ["nocheck", "noautodbgsym", f"parallel={jobs}", *os.environ.get("DEB_BUILD_OPTIONS", "").split()]
    environment = {**os.environ, "DEB_BUILD_OPTIONS": " ".join(options), "SOURCE_DATE_EPOCH": str(moment), "BUILD_FOLDER": str(build_folder or "")}
    run("dpkg-buildpackage", "--build=binary", "--unsigned-changes", "--unsigned-buildinfo", cwd=source, log=log, env=environment)
    check(source.parent)
    for old in output.glob("*.deb"):
        old.unlink()
    return [file.rename(output / file.name) for file in sorted(source.parent.glob("*.deb"))]


def check(folder):
    """Lintian's errors end it; its warnings are told."""
    changes = next(folder.glob("*.changes"))
    done = subprocess.run(["lintian", "--allow-root", "--tag-display-limit", "0", str(changes)], text=True, capture_output=True, check=False)
    lines = done.stdout.splitlines()
    (folder / "lintian.log").write_text(done.stdout + done.stderr)
    errors = [line for line in lines if line.startswith("E:")]
    say(f"lintian: {len(errors)} errors, {sum(line.startswith('W:') for line in lines)} warnings ({folder / 'lintian.log'})")
    if errors or done.returncode not in (0, 1, 2):
        raise Failure("\n".join(["lintian complains:", *errors[:20], done.stderr.strip()]))
