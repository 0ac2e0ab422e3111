# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs that are compared. Each is a small adapter: it turns steps into a command.

A chain is a tuple of steps:
    read          sinograms from the scan's files        read-hdf5   images of an HDF5 dataset
    read-lz4      read-hdf5 with bitshuffle and LZ4
    fft-filter    fft, ramp filter, ifft; not padded     ramp-filter the same in one element
    padded-filter fft-filter over twice the width
    backproject   to a square slice
    dfi           the same, filter included, by a Fourier transform
    rings-METHOD  removes stripes as Vo, Atwood and Drakopoulos (2018) do: sorting, filtering, fitting, large, dead, all
    null          waits for each result on the host      finish      waits for it on the device
    write         each image to a file of its own        raw         the same without any format
    write-hdf5    all into one dataset                   write-deflate  the same, compressed: shuffle, deflate level 1
    write-counts  write-deflate as uint16, minimum and maximum of each image becoming 0 and 65535
    stdout        samples to standard output
    and the elements of RING_METHODS

To add a peer, derive from Program, give `name`, `missing` and `command`, and enter it in PEERS.
"""
import importlib.metadata
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time


# Tasks that remove rings, from sinograms or from slices.
RING_METHODS = ("double-flat-field", "remove-rings", "remove-stripes-normalization", "remove-stripes-titarenko",
                "remove-stripes-wavelet")


class Failed(Exception):
    """A command that did not end well; its message is one line for people."""


class Unsupported(Exception):
    """This program has no such step; its message is one line for people."""


class Outcome:
    """seconds from start to end; first: seconds until `first_bytes` bytes came; peak: bytes of memory of the host."""

    def __init__(self, seconds, first, peak, errors):
        self.seconds, self.first, self.peak, self.errors = seconds, first, peak, errors


def _high_water_mark(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def execute(command, env=None, first_bytes=0, watch_memory=False, timeout=1800):
    """Runs a command to its end; raises Failed with the first line that tells why."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "LC_ALL": "C", **(env or {})}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    errors, peak, first = [], 0, None

    def collect():
        for line in process.stderr:
            errors.append(line.decode(errors="replace").rstrip())

    collector = threading.Thread(target=collect, daemon=True)
    collector.start()
    killer = threading.Timer(timeout, process.kill)
    killer.start()
    try:
        if watch_memory:
            # The kernel's own mark only grows, so that looking at it now and then is enough. What wait4() tells would
            # begin with this program's memory, from which the command was forked.
            process.stdout.close()
            while process.poll() is None:
                peak = max(peak, _high_water_mark(process.pid))
                time.sleep(0.005)
        else:
            came = 0
            while (data := process.stdout.read1(1 << 20)):
                came += len(data)
                if first is None and came >= first_bytes > 0:
                    first = time.perf_counter() - started
        process.wait()
    finally:
        killer.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
    seconds = time.perf_counter() - started
    collector.join()
    # Some programs end with 0 after an error.
    told = [line for line in errors if line.startswith(("ERROR", "Error", "Bail out!")) or "CRITICAL" in line]
    if process.returncode != 0 or any(line.startswith(("ERROR", "Error")) for line in told):
        reason = (told or [line for line in errors if line] or ["no message"])[0]
        raise Failed(f"{os.path.basename(command[0])} ended with status {process.returncode}: {reason}")
    if first_bytes and first is None:
        raise Failed(f"{os.path.basename(command[0])} ended without {first_bytes} bytes of output")
    return Outcome(seconds, first, peak, errors)


class Program:
    name = "?"
    is_peer = True
    scale_is_free = True  # its numbers may differ by a factor
    axis_from_middle = 0.0  # where it sees the rotation axis of our files, in pixels
    most_slices = None  # a slow one computes no more than these, and the time is extrapolated
    env = {}

    def missing(self):
        """Why it can't be run here, or None."""
        raise NotImplementedError

    def command(self, chain, scan, number, output=None, source=None):
        """The command for the first `number` sinograms of a scan, or of the folder or dataset `source`.

        output: a pattern with %05i for the steps write and raw, or file.h5:/dataset. Raises Unsupported.
        """
        raise NotImplementedError

    def volume_commands(self, raw, folder):
        """Of a raw scan (scan_file.RawScan): (name, command, its first output), for each kind of volume in `folder`."""
        raise Unsupported("it does not go from a scan to a volume by itself")

    def run(self, chain, scan, number, output=None, source=None, env=None, **options):
        return execute(self.command(chain, scan, number, output, source), env={**self.env, **(env or {})}, **options)


class GstTomo(Program):
    name = "gst-tomo"
    is_peer = False
    scale_is_free = False

    def __init__(self, queue, on_cpu, variant="", backproject=""):
        self.queue, self.on_cpu, self.backproject = queue, on_cpu, backproject
        if variant:
            self.name = f"gst-tomo {variant}"
        self.known = {}

    def missing(self):
        for program in ("gst-launch-1.0", "gst-inspect-1.0"):
            if not shutil.which(program):
                return f"{program} is not in PATH"
        if not self.has("tomobackproject"):
            return "GStreamer does not find the plugin tomo: run inside `meson devenv -C build`, or set GST_PLUGIN_PATH"
        return None

    def has(self, feature):
        if feature not in self.known:
            # Not with --exists, which also wants the version of GStreamer itself.
            self.known[feature] = subprocess.run(["gst-inspect-1.0", feature], check=False, stdout=subprocess.DEVNULL,
                                                 stderr=subprocess.DEVNULL).returncode == 0
        return self.known[feature]

    def traced(self, chain, scan, number, path):
        """What the tracer counts: {"device_memory_peak_bytes", "elements": [...]}; the trace is written to `path`."""
        return self.traced_command(self.command(chain, scan, number), path)

    def traced_command(self, command, path):
        execute(command, env={**self.env, "GST_TRACERS": f'tomotrace(file="{path}")'})
        try:
            with open(path, encoding="utf-8") as file:
                return json.load(file)["tomo"]
        except FileNotFoundError:
            raise Unsupported("its tracer is not there") from None

    def command(self, chain, scan, number, output=None, source=None):
        computes = any("filter" in step or step in ("backproject", "dfi", *RING_METHODS) for step in chain)
        elements = []
        for step in chain:
            if step in ("read", "read-hdf5", "read-lz4"):
                # Samples as they are stored, as h5py gives them.
                as_stored = "" if step == "read" else " convert=false"
                elements.append(f"tomoread path={source or scan.folder} number={number}{as_stored}")
                if computes or any(step.startswith("write") for step in chain):
                    elements.append(self.queue)
            elif step == "fft-filter":
                elements += ["tomofft", "tomofilter", "tomoifft"]
            elif step == "padded-filter":
                elements += [f"tomofft size-x={2 * scan.size}", "tomofilter", f"tomoifft crop-width={scan.size}"]
            elif step == "ramp-filter":
                if not self.has("tomorampfilter"):
                    raise Unsupported("there is no element tomorampfilter")
                elements.append(f"tomorampfilter pad-width={scan.size}")
            elif step in RING_METHODS:
                if not self.has("tomo" + step.replace("-", "")):
                    raise Unsupported(f"there is no task {step}")
                elements.append("tomo" + step.replace("-", ""))
            elif step == "backproject":
                elements.append(f"tomobackproject {self.backproject}")
            elif step == "dfi":
                elements.append("tomodfi tolerance=1e-4")
            elif step.startswith("rings-"):
                elements.append(f"tomoremovestripes{step.removeprefix('rings-')}")
            else:
                sink = {"null": "tomonull download=true", "finish": "tomonull finish=true",
                        "write": f"tomowrite filename={output}", "raw": f"tomowrite filename={output}",
                        "write-hdf5": f"tomowrite filename={output}",
                        "write-deflate": f"tomowrite filename={output} hdf5-deflate=1",
                        "write-counts": f"tomowrite filename={output} hdf5-deflate=1 bits=16 range-per-image=true",
                        "stdout": "tomodownload ! fdsink fd=1"}[step]
                elements += [self.queue, sink] if computes else [sink]
        return ["gst-launch-1.0", "-q", *shlex.split(" ! ".join(elements))]


    def volume_commands(self, raw, folder):
        if not shutil.which("tomo-reconstruct"):
            raise Unsupported("tomo-reconstruct is not in PATH")
        parts = ["--output-parts", "8"]
        integers = ["--output-bitdepth", "16", "--output-minimum", "-0.01", "--output-maximum", "0.02"]
        kinds = {"": [], ", 8 files": parts, ", TIFF files": [], ", uint16, 8 files": [*parts, *integers]}
        if not self.on_cpu:
            kinds |= {", half, 8 files": [*parts, "--precision", "half"],
                      ", half, uint16, 8 files": [*parts, *integers, "--precision", "half"]}
        dfi = ["--method", "dfi"]
        kinds |= {", dfi, 8 files": [*parts, *dfi], ", dfi, uint16, 8 files": [*parts, *integers, *dfi],
                  ", middle slice": ["--slice", "middle"]}
        for kind, options in kinds.items():
            name = "slice-%05i.tif" if "TIFF" in kind else "volume.h5"
            output = os.path.join(folder, name)
            yield (self.name + kind, ["tomo-reconstruct", raw.path, "--axis", str(raw.axis), "--output", output, *options],
                   output.replace("%05i", "00000"))


class Ufo(Program):
    name = "ufo"

    def __init__(self, command, on_cpu):
        self.launch = shlex.split(command)
        self.on_cpu = on_cpu
        if on_cpu:  # otherwise it takes GPUs only
            self.env = {"UFO_DEVICE_TYPE": "cpu"}

    def missing(self):
        return None if shutil.which(self.launch[0]) else f"{self.launch[0]} is not in PATH"

    def command(self, chain, scan, number, output=None, source=None):
        tasks = []
        for step in chain:
            if step in ("read", "read-hdf5"):
                tasks.append(f"read path={source or scan.folder} number={number}")
            elif step == "fft-filter":
                tasks.append("fft dimensions=1 ! filter ! ifft dimensions=1")
            elif step == "padded-filter":
                raise Unsupported("not every version pads to a given size")  # Debian's only to a power of two
            elif step == "backproject":
                # Its texture mode aborts on PoCL.
                tasks.append(f"backproject mode={'nearest' if self.on_cpu else 'texture'}")
            elif step.startswith("rings-"):
                raise Unsupported("it has none of the methods that remove stripes")
            elif step in ("null", "finish"):
                # It has no way to wait without a transfer.
                tasks.append("null download=true")
            elif step in ("write", "write-hdf5", "raw"):
                tasks.append(f"write filename={output}")
            else:
                raise Unsupported(f"no counterpart of the step {step}")
        return [*self.launch, "--quieter", *shlex.split(" ! ".join(tasks))]


    def volume_commands(self, raw, folder):
        output = os.path.join(folder, "volume.h5")
        source = [f"read path={raw.path}:/exchange/{name}" for name in ("data", "data_dark", "data_white")]
        mode = "nearest" if self.on_cpu else "texture"
        line = (f"[{source[0]}, {source[1]} ! average, {source[2]} ! average] ! flat-field-correct absorption-correct=1"
                f" fix-nan-and-inf=1 ! transpose-projections number={raw.projections} ! fft dimensions=1 ! filter !"
                f" ifft dimensions=1 ! backproject mode={mode} axis-pos={raw.axis} ! write filename={output}:/data")
        yield self.name, [*self.launch, "--quieter", *shlex.split(line)], output


class ScikitImage(Program):
    """skimage.transform.iradon, which filters (padded to at least twice the width) and backprojects."""

    name = "scikit-image"
    most_slices = 1
    axis_from_middle = 0.5  # the axis is the centre of pixel N / 2
    env = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def missing(self):
        try:
            import skimage.transform  # noqa: F401
        except ImportError:
            return "scikit-image is not importable (Debian: python3-skimage)"
        return None

    def command(self, chain, scan, number, output=None, source=None):
        if chain[:-1] != ("read", "padded-filter", "backproject") or chain[-1] not in ("null", "raw"):
            raise Unsupported("it has the padded filtered backprojection alone")
        return [sys.executable, os.path.join(os.path.dirname(__file__), "run_skimage.py"), scan.folder, str(scan.size),
                str(scan.projections), str(number), output or ""]


class PythonModule(Program):
    """A module that reads and writes files, in one thread."""

    scale_is_free = False
    env = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    chains = ()
    package = "?"

    def missing(self):
        if importlib.util.find_spec(self.name):
            return None
        return f"{self.name} is not importable (Debian: {self.package})"

    def command(self, chain, scan, number, output=None, source=None):
        if chain not in self.chains:
            raise Unsupported("it reads and writes its own files alone")
        return [sys.executable, os.path.join(os.path.dirname(__file__), "run_io.py"), self.name, str(number),
                source or scan.folder, str(scan.size), str(scan.projections), output or "",
                "1" if chain[-1] == "write-deflate" else "0"]


class Tifffile(PythonModule):
    name = "tifffile"
    package = "python3-tifffile"
    chains = (("read", "null"), ("read", "write"))


class H5py(PythonModule):
    name = "h5py"
    package = "python3-h5py"
    chains = (("read-hdf5", "null"), ("read-lz4", "null"), ("read", "write-hdf5"), ("read", "write-deflate"))

    def command(self, chain, scan, number, output=None, source=None):
        if chain[0] == "read-lz4" and not importlib.util.find_spec("hdf5plugin"):
            raise Unsupported("it needs hdf5plugin for bitshuffle and LZ4")
        return super().command(chain, scan, number, output, source)


class Algotom(Program):
    """The code of the authors of the methods that remove stripes, in one thread."""

    name = "algotom"
    version = "1.6.0"
    scale_is_free = False
    env = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def missing(self):
        try:
            found = importlib.metadata.version("algotom")
        except importlib.metadata.PackageNotFoundError:
            return f"it is not installed (PyPI: algotom=={self.version})"
        return None if found == self.version else f"it is version {found}; wanted {self.version}"

    def command(self, chain, scan, number, output=None, source=None):
        if chain[0] != "read" or not chain[1].startswith("rings-") or chain[2:] != ("raw",):
            raise Unsupported("it removes stripes alone")
        return [sys.executable, os.path.join(os.path.dirname(__file__), "run_algotom.py"), chain[1].removeprefix("rings-"),
                source or scan.folder, str(scan.size), str(scan.projections), str(number), output]


class TomoPy(Program):
    """Gridrec, in threads; only from a scan to a volume."""

    name = "tomopy"
    env = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def missing(self):
        for module in ("tomopy", "h5py"):
            if not importlib.util.find_spec(module):
                return f"{module} is not importable"
        return None

    def command(self, chain, scan, number, output=None, source=None):
        raise Unsupported("it goes from a scan to a volume alone")

    def volume_commands(self, raw, folder):
        output = os.path.join(folder, "volume.h5")
        script = os.path.join(os.path.dirname(__file__), "run_tomopy.py")
        for name, padding in ((self.name, "padded"), (f"{self.name}, unpadded", "unpadded")):
            yield name, [sys.executable, script, raw.path, str(raw.axis), padding, output], output


PEERS = ("ufo", "scikit-image", "h5py", "tifffile", "algotom", "tomopy")
