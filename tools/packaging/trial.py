# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages and the archive in bare systems, as a new user has them. As root, and in file systems of their own: nothing stays mounted."""

import os
import shutil
import time

from support import Failure, run, say

SUITE = "bookworm"
# An older libc than that of the archive, the same, and a newer one.
SUITES = ("bullseye", SUITE, "trixie")

# All paths of the packages have "tomo" in them.
IN_ROOT = """
set -eu
export HOME=/home/trial DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
mkdir -p $HOME
list() { find / -xdev -not -path '/proc*' -not -path '/sys*' -not -path '/dev*' -not -path '/packages*' | sort; }
list >/packages/before
apt-get -q -y update
apt-get -q -y install --no-install-recommends /packages/*.deb pocl-opencl-icd gstreamer1.0-tools man-db

cd /tmp
echo "== elements"
gst-inspect-1.0 tomo | tail -3
gst-inspect-1.0 tomobackproject >/dev/null
tomo-query --devices
echo "== a bundled scan"
began=$(date +%s)
tomo-reconstruct /usr/share/doc/tomo-tools/examples/data/savu24737.nxs --axis 86.35 --flat-scale 0.68 --output slices.h5 --progress none
echo "in $(($(date +%s) - began)) s"
python3 - <<'PYTHON'
import h5py, numpy
with h5py.File("slices.h5") as file:
    slices = file["entry/data/data"][()]
assert slices.shape == (135, 160, 160) and numpy.isfinite(slices).all(), slices.shape
assert slices.std() > 1e-4, slices.std()
print("slices", slices.shape, "mean", slices.mean(), "standard deviation", slices.std())
PYTHON
echo "== Python"
python3 -c 'import numpy, gsttomo; print(gsttomo.Rescale(factor=2)(numpy.ones((4, 6), "f4")).__class__.__name__, gsttomo.__file__)'
echo "== jobs"
tomo-jobs --queue /tmp/queue submit scan=/usr/share/doc/tomo-tools/examples/data/savu24737.nxs axis=86.35 output=/tmp/job.h5 height=8 y=60
tomo-jobs --queue /tmp/queue serve --until-idle 1
tomo-jobs --queue /tmp/queue list | grep done
echo "== desktop"
QT_QPA_PLATFORM=offscreen timeout -s TERM 20 tomo-gui /usr/share/doc/tomo-tools/examples/data/savu24737.nxs 2>gui.log || test $? = 124
cat gui.log; if grep -q Traceback gui.log; then exit 1; fi
echo "== web"
tomo-web --port 18080 /usr/share/doc/tomo-tools/examples/data >web.log 2>&1 & web=$!
python3 - <<'PYTHON'
import time, urllib.request
for _ in range(60):
    try:
        page = urllib.request.urlopen("http://127.0.0.1:18080/ui/").read()
        urllib.request.urlopen("http://127.0.0.1:18080/ui/bootstrap/css/bootstrap.min.css")
        break
    except OSError:
        time.sleep(0.5)
else:
    raise SystemExit(open("web.log").read())
assert b"gst-tomo" in page, page[:300]
print("page of", len(page), "bytes")
PYTHON
kill $web
echo "== Tango"
tomo-tango --help | head -3
tomo-tango trial -nodb -dlist tomo/rec/1 -ORBendPoint giop:tcp:127.0.0.1:18081 >tango.log 2>&1 & server=$!
python3 - <<'PYTHON'
import time, tango
for attempt in range(60):
    try:
        print("the device is", tango.DeviceProxy("tango://127.0.0.1:18081/tomo/rec/1#dbase=no").state())
        break
    except tango.DevFailed:
        time.sleep(1)
else:
    raise SystemExit(open("tango.log").read())
PYTHON
kill $server
echo "== manual"
for program in /usr/bin/tomo-*; do man -w "${program##*/}" >/dev/null; test -e "/usr/share/bash-completion/completions/${program##*/}"; done

echo "== gone"
apt-get -q -y purge $(cd /packages && ls *.deb | sed 's/_.*//') >/dev/null
apt-get -q -y autoremove --purge >/dev/null
rm -rf $HOME /tmp/*
list >/packages/after
"""


def bare_root(output, name, mirror, suite=SUITE):
    """A new Debian with nothing in it."""
    if os.geteuid():
        raise Failure("--test makes new systems, and only root can")
    root, cache = output / name, output / "debootstrap-cache"
    if root.exists():
        shutil.rmtree(root)
    cache.mkdir(exist_ok=True)
    say(f"makes a new Debian ({suite}) in {root}")
    run("debootstrap", "--variant=minbase", f"--cache-dir={cache}", suite, root, mirror, log=output / f"{name}.log")
    (root / "etc" / "hosts").write_text(f"127.0.0.1 localhost {os.uname().nodename}\n")
    return root


def inside(root, script, log, user="0:0"):
    """Runs a script of sh in a root, with mounts that nobody else sees; returns all that it wrote."""
    if log.exists():
        log.unlink()
    # PoCL ends a process that sees no /sys.
    outside = ('mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys" && '
               'exec chroot --userspec="$1" "$0" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c "$2"')
    return run("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", outside, root, user, script, log=log)


def try_packages(_root, output, packages, mirror):
    started = time.monotonic()
    root = bare_root(output, "trial-packages", mirror)
    security = mirror.rsplit("/", 1)[0] + "/debian-security"
    (root / "etc/apt/sources.list").write_text(f"deb {mirror} {SUITE} main\ndeb {security} {SUITE}-security main\n")
    (root / "packages").mkdir()
    for package in packages:
        shutil.copy(package, root / "packages")
    log = output / "trial-packages.txt"
    say(f"installs the packages there, runs the programs, and takes them away again; {log} has its course")
    inside(root, IN_ROOT, log)
    before, after = (set((root / "packages" / name).read_text().splitlines()) for name in ("before", "after"))
    left = sorted(path for path in after - before if "tomo" in path.lower())
    if left:
        raise Failure("packages leave traces:\n    " + "\n    ".join(left[:20]))
    shutil.rmtree(root)
    say(f"the packages work in a new Debian, and leave no traces, in {time.monotonic() - started:.0f} s")


# In any system, as a person without rights, from a folder whose name has a space, which nobody may write to.
BY_ARCHIVE = """
set -eu
here=$1 work=$2
cd "$work"
"$here/bin/tomo-query" --devices
"$here/bin/gst-inspect-1.0" tomo | tail -2
"$here/bin/tomo-reconstruct" "$here/examples/data/savu24737.nxs" --axis 86.35 --flat-scale 0.68 --output slices.h5 --overwrite --progress none
"$here/bin/tomo-python" - <<'PYTHON'
import h5py, numpy, gsttomo
with h5py.File("slices.h5") as file:
    slices = file["entry/data/data"][()]
assert slices.shape == (135, 160, 160) and numpy.isfinite(slices).all() and slices.std() > 1e-4, slices.shape
rescaled = gsttomo.Rescale(factor=0.5)(numpy.ones((1, 4, 6), "f4"))
print("slices", slices.shape, "mean", slices.mean(), "libc", open("/proc/self/maps").read().count("/lib/loader/") > 0 and "of the archive" or "of the system")
PYTHON
test -s slices.h5.png -a -s slices.h5.html
"$here/bin/gst-launch-1.0" -q videotestsrc num-buffers=2 ! video/x-raw,format=GRAY8,width=32,height=16 ! tomoconvert ! tomofft ! tomoifft ! tomowrite filename=fft.tif
"$here/bin/tomo-jobs" --queue queue submit scan="$here/examples/data/savu24737.nxs" axis=86.35 output=job.h5 height=8 y=60
"$here/bin/tomo-jobs" --queue queue serve --until-idle 1
"$here/bin/tomo-jobs" --queue queue list | grep done
"$here/bin/tomo-tango" --help >/dev/null
ln -sf "$here/bin/tomo-launch" launch
./launch --version
"$here/bin/tomo-web" --port 18090 --state state --queue web-queue "$here/examples/data" >web.log 2>&1 & web=$!
"$here/bin/tomo-python" - <<'PYTHON'
import time, urllib.request
for _ in range(360):
    try:
        assert b"gst-tomo" in urllib.request.urlopen("http://127.0.0.1:18090/ui/").read()
        urllib.request.urlopen("http://127.0.0.1:18090/ui/bootstrap/css/bootstrap.min.css")
        break
    except OSError:
        time.sleep(0.5)
else:
    raise SystemExit(open("web.log").read())
PYTHON
kill $web
echo all of it works
"""


def unpacked(archives, folder):
    for archive in archives:
        run("tar", "-C", folder, "-xf", archive)
    found = [path for path in folder.iterdir() if path.name.startswith("gst-tomo-")]
    run("chmod", "-R", "a-w,a+rX", *found)
    return found[0]


def try_in(name, root, archives, output):
    """The archive in a root, as nobody."""
    place = root / "opt" / "with space"
    place.mkdir(parents=True)
    folder = unpacked(archives, place)
    for work in ("work", "tmp"):
        (root / work).mkdir(exist_ok=True)
        (root / work).chmod(0o1777)
    (root / "trial").write_text(BY_ARCHIVE)
    log = output / f"trial-{name}.txt"
    say(f"tries the archive in {name}; {log} has its course")
    told = inside(root, f'exec sh /trial "{folder_in(folder, root)}" /work', log, user="65534:65534")
    if "all of it works" not in told:
        raise Failure(f"{log} does not end well")
    say(next(line for line in told.splitlines() if line.startswith("slices ")))
    run("chmod", "-R", "u+w", place)
    shutil.rmtree(root)


def folder_in(folder, root):
    return "/" + str(folder.relative_to(root))


def try_archive(_root, output, archives, mirror):
    started = time.monotonic()
    # Here, without a single variable.
    place = output / "trial-here"
    shutil.rmtree(place, ignore_errors=True)
    (place / "work").mkdir(parents=True)
    folder = unpacked(archives, place)
    (place / "trial").write_text(BY_ARCHIVE)
    say("tries the archive here in an empty environment")
    told = run("env", "-i", "sh", place / "trial", folder, place / "work", log=place / "log")
    if "all of it works" not in told:
        raise Failure(f"{place / 'log'} does not end well")
    run("chmod", "-R", "u+w", place)
    shutil.rmtree(place)
    for suite in SUITES:
        try_in(suite, bare_root(output, f"trial-{suite}", mirror, suite), archives, output)
    try_in("no-libc", root_without_libc(output), archives, output)
    say(f"the archive works in an empty environment, in {', '.join(SUITES)} and in a system without a libc, in {time.monotonic() - started:.0f} s")


def root_without_libc(output):
    """A system of one static program, busybox: no libc, no loader, no Python, no GStreamer."""
    root = output / "trial-no-libc"
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "proc", "dev", "sys", "etc"):
        (root / folder).mkdir(parents=True)
    packed = output / "busybox"
    shutil.rmtree(packed, ignore_errors=True)
    packed.mkdir()
    run("apt-get", "download", "busybox-static", cwd=packed)
    run("dpkg-deb", "-x", next(packed.glob("*.deb")), packed)
    shutil.copy2(packed / "bin" / "busybox", root / "bin" / "busybox")
    for applet in run(root / "bin" / "busybox", "--list").split():
        if not (root / "bin" / applet).exists():
            (root / "bin" / applet).symlink_to("busybox")
    (root / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    return root
