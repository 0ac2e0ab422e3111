# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An archive that runs from any folder: what `meson install` brings, with all that it needs of this Debian, and programs that set every path.

    bin/                    each program, a script of sh that starts what is in libexec
    libexec/                the programs themselves, Python, GStreamer's tools, and the linker that PoCL calls
    lib/loader              libc with its loader, for systems with an older one
    lib/runtime             the libraries of the compiler, for systems with older ones
    lib/x86_64-linux-gnu    libraries, plugins, typelibs; lib/python3...: modules
    share, etc              PoCL's own, pages of tomo-web, fonts, manual pages, examples
    licences                of each package that a file comes from
"""

import os
import pathlib
import re
import shutil
import subprocess

from support import Failure, Release, checked_build, commit_of, day_of, run, say

MULTIARCH = "x86_64-linux-gnu"
SYSTEM = pathlib.Path("/usr/lib") / MULTIARCH
HERE = pathlib.Path(__file__).resolve().parent / "portable_files"

PLUGINS = ("coreelements", "coretracers", "app", "audiotestsrc", "videotestsrc", "videoconvertscale", "videorate", "rawparse", "tcp", "png", "jpeg",
           "debugutilsbad", "debug", "multifile", "typefindfunctions", "gdp", "autodetect", "playback", "video4linux2", "udp", "rtp", "rtpmanager")
TYPELIBS = ("GLib-2.0", "GObject-2.0", "Gio-2.0", "GModule-2.0", "Gst-1.0", "GstBase-1.0", "GstVideo-1.0", "GstApp-1.0", "GstController-1.0")
# Modules of Debian's Python, with those that they depend on.
PYTHON = ("python3-gi", "python3-gst-1.0", "python3-numpy", "python3-h5py", "python3-tifffile", "python3-fastapi", "python3-uvicorn",
          "python3-websockets", "python3-tango", "python3-zmq")
NEEDED = (*PYTHON, "gstreamer1.0-tools", "gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad",
          "gir1.2-gst-plugins-base-1.0", "pocl-opencl-icd", "libfftw3-single3", "libjs-bootstrap5", "fonts-dejavu-core", "binutils", "xz-utils")
# Which these depend on, and no program of ours loads.
WITHOUT = {"python3-setuptools", "python3-pkg-resources", "python3-distutils", "python3-lib2to3", "python3-pip", "python3-wheel", "python3-minimal",
           "python3", "python3-imagecodecs", "python3-matplotlib", "python3-pil", "python3-mpi4py"}
# In Debian's Python 3.11, and of no use here.
STANDARD_WITHOUT = ("test", "idlelib", "lib2to3", "turtledemo", "tkinter", "ensurepip", "config-3.11-x86_64-linux-gnu", "pydoc_data", "__pycache__")
LOADER = ("ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libmvec.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libresolv.so.2",
          "libutil.so.1", "libanl.so.1", "libnss_dns.so.2", "libnss_files.so.2", "libBrokenLocale.so.1")
RUNTIME = ("libstdc++.so.6", "libgcc_s.so.1")
# Of the system's driver, or of nobody.
NOT_OURS = re.compile(r"lib(nvidia|cuda|GL|GLX|EGL|vulkan)[-.]")
FFTW = re.compile(r"libfftw3|libgsttomofftw")


class Files:
    """The folder of the archive, and the packages that its files come from."""

    def __init__(self, folder):
        self.folder = folder
        self.sources = set()

    def add(self, source, place):
        """A file, or a folder with all that is in it, as it is; links become what they lead to."""
        source, target = pathlib.Path(source), self.folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", *STANDARD_WITHOUT))
        elif not target.exists():
            shutil.copy2(source, target)
        self.sources.add(source)

    def programs_and_libraries(self):
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                with open(path, "rb") as file:
                    if file.read(4) == b"\x7fELF":
                        yield path


def installed(folder, build_folder, jobs, root, output):
    """What `meson install` brings, below folder/usr."""
    if build_folder:
        build_folder = checked_build(build_folder)
    else:
        build_folder = output / "portable-build"
        if not (build_folder / "build.ninja").exists():
            say(f"configures {build_folder}")
            run("meson", "setup", build_folder, root, "--prefix=/usr", "--buildtype=release", "-Dtests=disabled", "-Dfftw=enabled", "-Dvkfft=enabled")
        say(f"compiles in {build_folder}, which takes some minutes the first time")
        run("ninja", "-C", build_folder, f"-j{jobs}", log=output / "portable-build.log")
    run("meson", "install", "--no-rebuild", "-C", build_folder, "--destdir", folder)


def status_of(package):
    """The state of a package, and what it depends on."""
    return subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Depends}", package], text=True, capture_output=True, check=False).stdout


def needed_modules(packages):
    """Names of packages of Python that these depend on, and themselves."""
    found, waiting = set(), list(packages)
    while waiting:
        package = waiting.pop()
        if package in found or package in WITHOUT:
            continue
        status = status_of(package)
        if not status.startswith("installed"):
            continue  # virtual, or one of several that would do
        found.add(package)
        waiting += [name for name in re.findall(r"(?:^installed |, |\| )([a-z0-9.+-]+)", status) if name.startswith("python3-")]
    return sorted(found)


def add_python(files):
    files.add("/usr/bin/python3.11", "libexec/python3.11")
    files.add("/usr/lib/python3.11", "lib/python3.11")
    for package in needed_modules(PYTHON):
        for line in subprocess.run(["dpkg-query", "-L", package], text=True, capture_output=True, check=True).stdout.splitlines():
            path = pathlib.Path(line)
            place = line.removeprefix("/usr/")
            if not line.startswith("/usr/lib/python3/dist-packages/") or not path.is_file():
                continue
            is_test = any(part in ("tests", "test") for part in path.parts) and "h5py" not in line  # which loads them
            if is_test or "__pycache__" in path.parts or path.suffix in (".pyi", ".h", ".a") or (".cpython-3" in line and ".cpython-311" not in line):
                continue
            files.add(path, place)


def add_libraries(files):
    """All that programs, plugins and modules are linked with, and what they load by name."""
    libraries = pathlib.PurePath("lib") / MULTIARCH
    missing = set()
    # Those without threads of their own, and small; an alternative of the system may be another.
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{files.folder / libraries}:{SYSTEM}/blas:{SYSTEM}/lapack"}
    for path in list(files.programs_and_libraries()):
        done = subprocess.run(["ldd", str(path)], text=True, capture_output=True, env=environment, check=False)
        for line in done.stdout.splitlines():
            if found := re.match(r"\s*(\S+) => (/\S+)", line):
                name, source = found[1], pathlib.Path(found[2])
                if name in LOADER or name in RUNTIME or NOT_OURS.match(name) or source.is_relative_to(files.folder):
                    continue
                files.add(source, (pathlib.PurePath("fftw") / libraries if FFTW.match(name) else libraries) / name)
            elif "not found" in line and not any(files.folder.rglob(line.split()[0])):  # or it is loaded before, as PoCL does
                missing.add(f"{line.split()[0]} of {path.name}")
    if missing:
        raise Failure(f"libraries are not found: {', '.join(sorted(missing))}")
    for name in LOADER:
        files.add(SYSTEM / name, f"lib/loader/{name}")
    for name in RUNTIME:
        files.add(SYSTEM / name, f"lib/runtime/{name}")


def add_licences(files):
    """Of the packages that files come from, and a list of these with their versions."""
    names = sorted({str(source) for source in files.sources if source.is_relative_to("/usr") or source.is_relative_to("/lib") or source.is_relative_to("/etc")})
    # A library is a link, and /lib another name of /usr/lib.
    tried = [variant for name in names for variant in {name, os.path.realpath(name), name.replace("/lib/", "/usr/lib/", 1) if name.startswith("/lib/") else name}]
    done = subprocess.run(["dpkg-query", "-S", *tried], text=True, capture_output=True, check=False)
    packages = sorted({package.strip() for line in done.stdout.splitlines() for package in line.split(": /")[0].split(",") if "diversion" not in package})
    table = []
    for package in packages:
        name = package.split(":")[0]
        version = subprocess.run(["dpkg-query", "-W", "-f", "${source:Package} ${source:Version}", package], text=True, capture_output=True, check=True).stdout
        copyright_file = pathlib.Path("/usr/share/doc") / name / "copyright"
        if not copyright_file.exists():
            raise Failure(f"{copyright_file} is missing; a file that leaves out /usr/share/doc may be in /etc/dpkg/dpkg.cfg.d")
        (files.folder / "licences").mkdir(exist_ok=True)
        shutil.copy2(copyright_file, files.folder / "licences" / name)
        table.append(f"{name:32} {version}")
    (files.folder / "licences" / "PACKAGES").write_text(
        "Files of this archive come from these packages of Debian 12; their source packages are named with their versions, and are at\n"
        "https://snapshot.debian.org. Texts of common licences are in common-licenses.\n\n" + "\n".join(table) + "\n")
    shutil.copytree("/usr/share/common-licenses", files.folder / "licences" / "common-licenses")


def make(root, output, build_folder, jobs):
    """The archive, and that of FFTW."""
    if os.uname().machine != "x86_64":
        raise Failure(f"the archive is for x86_64, and this is {os.uname().machine}")
    release, (moment, commit) = Release(root), commit_of(root)
    version = release.version if release.is_released else f"{release.version}-{day_of(moment):%Y%m%d}{f'-g{commit}' if commit else ''}"
    missing = [package for package in NEEDED if not status_of(package).startswith("installed")]
    if missing:
        raise Failure(f"packages of the archive are not installed here: apt-get install --no-install-recommends {' '.join(missing)}")
    work = output / "portable"
    if work.exists():
        shutil.rmtree(work)
    name = f"gst-tomo-{version}-x86_64"
    files = Files(work / name)
    files.folder.mkdir(parents=True)
    installed(work / "installed", build_folder, jobs, root, output)
    say("collects what it needs of this system")
    usr = work / "installed" / "usr"
    shutil.copytree(usr / "bin", files.folder / "libexec", ignore=shutil.ignore_patterns("tomo-gui"))  # which wants Qt
    libraries = files.folder / "lib" / MULTIARCH
    shutil.copytree(usr / "lib" / MULTIARCH, libraries, symlinks=False, ignore=shutil.ignore_patterns("*.a", "pkgconfig", "libgsttomofftw.so", "gst-tomo"))
    (libraries / "libgsttomo-1.0.so").unlink()
    for library in libraries.glob("libgsttomo-1.0.so.0.*"):
        library.unlink()
    fftw = files.folder / "fftw" / "lib" / MULTIARCH / "gst-tomo"
    fftw.mkdir(parents=True)
    shutil.copy2(usr / "lib" / MULTIARCH / "gst-tomo" / "libgsttomofftw.so", fftw)
    modules = next((usr / "lib").glob("python3*"))
    shutil.copytree(modules / "dist-packages", files.folder / "lib/python3/dist-packages", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(usr / "share", files.folder / "share", ignore=shutil.ignore_patterns("gui", "applications", "icons", "metainfo", "gir-1.0", "tomo-gui*", "_tomo-gui"))
    for place in ("README.md", "NEWS", "LICENSE"):
        shutil.copy2(root / place, files.folder / place)
    shutil.copytree(root / "examples", files.folder / "examples", ignore=shutil.ignore_patterns("__pycache__", "plugin"))
    shutil.copytree(root / "docs", files.folder / "docs", ignore=shutil.ignore_patterns("make-*"))

    for tool in ("gst-launch-1.0", "gst-inspect-1.0"):
        files.add(f"/usr/bin/{tool}", f"libexec/{tool}")
    files.add(SYSTEM / "gstreamer1.0/gstreamer-1.0/gst-plugin-scanner", "libexec/gst-plugin-scanner")
    for plugin in PLUGINS:
        if (SYSTEM / f"gstreamer-1.0/libgst{plugin}.so").exists():
            files.add(SYSTEM / f"gstreamer-1.0/libgst{plugin}.so", f"lib/{MULTIARCH}/gstreamer-1.0/libgst{plugin}.so")
    for typelib in TYPELIBS:
        files.add(SYSTEM / f"girepository-1.0/{typelib}.typelib", f"lib/{MULTIARCH}/girepository-1.0/{typelib}.typelib")
    add_python(files)
    # PoCL finds its own files from where it lies, and calls a linker.
    files.add(SYSTEM / "libpocl.so.2", f"lib/{MULTIARCH}/libpocl.so.2")
    files.add(SYSTEM / "pocl", f"lib/{MULTIARCH}/pocl")
    files.add("/usr/share/pocl", "share/pocl")
    files.add("/usr/bin/ld.bfd", "libexec/ld.bfd")
    files.add("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "share/fonts/DejaVuSans.ttf")
    files.add("/usr/share/javascript/bootstrap5", "share/javascript/bootstrap5")
    add_libraries(files)
    add_licences(files)

    (files.folder / "etc" / "OpenCL").mkdir(parents=True)
    (files.folder / "etc" / "OpenCL" / "pocl.icd").write_text("libpocl.so.2\n")
    programs = sorted(path.name for path in (files.folder / "libexec").glob("tomo-*"))
    scripts = [f"bin/{program}" for program in (*programs, "gst-launch-1.0", "gst-inspect-1.0", "tomo-python")]
    for source, places in {"run": [*scripts, "libexec/path/gst-plugin-scanner"], "linker": ["libexec/path/ld"], "fonts.conf": ["etc/fonts.conf"],
                           "README": ["README"]}.items():
        for place in places:
            (files.folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HERE / source, files.folder / place)
    strip(files)
    return archives(work, name, output, moment)


def strip(files):
    for path in files.programs_and_libraries():
        if path.parent.name != "loader":  # debuggers and profilers know libc by its symbols
            subprocess.run(["strip", "--strip-unneeded", str(path)], stderr=subprocess.DEVNULL, check=False)


def archives(work, name, output, moment):
    """Of the folder, and of what is below fftw in it, which goes into the same folder."""
    fftw = work / "fftw" / name
    fftw.parent.mkdir()
    (work / name / "fftw").rename(fftw)
    licences = fftw / "licences"
    licences.mkdir()
    shutil.copy2("/usr/share/doc/libfftw3-single3/copyright", licences / "libfftw3-single3")
    made = []
    for folder, archive in ((work, f"{name}.tar.xz"), (work / "fftw", f"{name}-fftw.tar.xz")):
        file = output / archive
        say(f"packs {file.name}")
        # Everybody reads what root unpacks, also where the umask here is a strict one.
        run("tar", "-C", folder, "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=a+rX,u+w,go-w", f"--mtime=@{moment}", "-I", "xz -T0 -6", "-cf", file, name)
        made.append(file)
    return made
