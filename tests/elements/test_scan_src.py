# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoscansrc against h5py and numpy, on scans as beamlines write them."""

import base64
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
import zlib

import h5py
import scan_files
import tifffile
from elementtest import ElementTestCase, Stream, frame_meta
from example_files import SCAN
from tomotest import *
import tomoref

UINT_MAX = 2**32 - 1


# Appends frames to a scan as a detector does, in a process of its own; `mode` is what is known beforehand.
WRITER = """
import sys, time
import h5py, numpy as np
target, source, mode = sys.argv[1:]
data, keys = np.load(source + ".npy"), np.load(source + ".keys.npy")
n = len(keys)
if mode in ("link", "virtual"): # the scan's file is complete before the one with the images is there
    with h5py.File(target, "w") as file:
        entry = file.create_group("entry")
        entry["definition"] = "NXtomo"
        detector = entry.create_group("instrument/detector")
        detector["image_key"], entry["sample/rotation_angle"] = keys, np.arange(n)
        entry["sample/rotation_angle"].attrs["units"] = "deg"
        if mode == "link":
            detector["data"] = h5py.ExternalLink("images.h5", "/entry/instrument/detector/data")
        else:
            layout = h5py.VirtualLayout(data.shape, data.dtype)
            for i, (first, end) in enumerate(((0, 7), (7, n))):
                source = h5py.VirtualSource(f"images{i}.h5", "/data", (end - first,) + data.shape[1:])
                layout[first:end] = source if i else source[:]
            detector.create_virtual_dataset("data", layout)
    time.sleep(0.5)
    target = target.rsplit("/", 1)[0] + "/images.h5"
if mode == "virtual":
    for i, (first, end) in enumerate(((0, 7), (7, n))):
        with h5py.File(target.replace(".h5", f"{i}.h5"), "w", libver="latest") as file:
            images = file.create_dataset("data", (0,) + data.shape[1:], data.dtype, maxshape=(None,) + data.shape[1:],
                                         chunks=(1,) + data.shape[1:])
            file.swmr_mode = True
            for image in data[first:end]:
                images.resize(len(images) + 1, 0)
                images[-1] = image
                images.flush()
                time.sleep(0.05)
    sys.exit()
with h5py.File(target, "w", libver="latest") as file:
    entry = file.create_group("entry")
    entry["definition"] = "NXtomo"
    detector = entry.create_group("instrument/detector")
    known = 0 if mode in ("nothing", "link", "dies") else n
    images = detector.create_dataset("data", (n if mode in ("all", "several") else 0,) + data.shape[1:], data.dtype,
                                     maxshape=(None,) + data.shape[1:], compression="gzip",
                                     chunks=(3 if mode == "several" else 1,) + data.shape[1:])
    key = detector.create_dataset("image_key", (known,), int, maxshape=(None,), chunks=(4,))
    angle = entry.create_dataset("sample/rotation_angle", (known,), float, maxshape=(None,), chunks=(4,))
    angle.attrs["units"] = "deg"
    if known:
        key[:], angle[:] = keys, np.arange(n)
    file.swmr_mode = True
    for i in range(n):
        if i == 9 and mode in ("stops", "dies"):
            time.sleep(60)
        if len(images) <= i:
            images.resize(i + 1, 0)
        images[i] = data[i]
        images.flush()
        if not known:
            key.resize(i + 1, 0)
            angle.resize(i + 1, 0)
            key[i], angle[i] = keys[i], i
            key.flush()
            angle.flush()
        time.sleep(0.05)
"""

def bytes_read():
    """By this process, of whatever file."""
    with open("/proc/self/io") as facts:
        return int(dict(line.split(": ") for line in facts)["rchar"])


class Collected:
    """What came out of one output: arrays, metas, the scan event's structure and caps."""

    def __init__(self):
        self.arrays, self.metas, self.scan, self.caps, self.ended = [], [], None, [], False


def collect(properties, outputs=("projections",), timeout=TIMEOUT, through=""):
    """Runs tomoscansrc with these outputs linked to sinks of the test, maybe through other elements."""
    line = f"tomoscansrc name=s {properties} " + " ".join(
        f"s.{name} ! {through} appsink name={name.replace('-', '_')} sync=false max-buffers=0" for name in outputs
    )
    pipeline = Gst.parse_launch(line)
    bus = pipeline.get_bus()
    results = {name: Collected() for name in outputs}
    warnings = []

    def listen():
        while message := bus.pop_filtered(Gst.MessageType.ERROR | Gst.MessageType.WARNING):
            if message.type == Gst.MessageType.ERROR:
                raise PipelineError(message)
            warnings.append(message.parse_warning()[0].message)

    pipeline.set_state(Gst.State.PLAYING)
    try:
        deadline = time.monotonic() + timeout
        while not all(r.ended for r in results.values()):
            listen()
            if time.monotonic() > deadline:
                raise TimeoutError(properties)
            for name, result in results.items():
                sink = pipeline.get_by_name(name.replace("-", "_"))
                sample = sink.try_pull_sample(5 * Gst.MSECOND)
                if sample is None:
                    result.ended = sink.is_eos()
                    continue
                result.arrays.append(to_array(sample))
                meta = frame_meta(sample.get_buffer())
                result.metas.append((meta.index, meta.angle, meta.source))
                result.caps.append(sample.get_caps())
                event = sink.get_static_pad("sink").get_sticky_event(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, 0)
                if event:
                    result.scan = event.get_structure()
        listen()
        results["warnings"] = warnings
        return results
    finally:
        pipeline.set_state(Gst.State.NULL)


def list_of(structure, name):
    array = structure.get_value(name) if structure.has_field(name) else None
    return [array[i] for i in range(len(array))] if array is not None else []


def angles_of(structure):
    return list_of(structure, "angles")


def number_of(structure, name):
    ok, value = structure.get_double(name)
    return value if ok else None


ALL = ("projections", "darks", "flats", "flats-after")


class ScanSrc(ElementTestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def fails(self, words, properties, outputs=("projections",)):
        with self.assertRaises(PipelineError) as caught:
            collect(properties, outputs)
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, str(caught.exception))

    def make(self, name="scan.nxs", shape=(13, 7, 11), dtype=np.uint16, keys=None, data=None, **facts):
        keys = [2, 1, 1, 0, 0, 3, 0, 0, 0, 1, 1, 1, 2][: shape[0]] if keys is None else keys
        data = random_array(dtype, shape) if data is None else data
        angles = np.cumsum(rng.uniform(0.5, 2, len(keys)))
        with h5py.File(self.path(name), "w") as file:
            scan_files.nxtomo(file, data, np.array(keys), angles, **facts)
        return data, np.array(keys), angles

    def assert_arrays(self, arrays, wanted):
        self.assertEqual(len(arrays), len(wanted))
        for i, (array, w) in enumerate(zip(arrays, wanted)):
            np.testing.assert_array_equal(array, w, f"array {i}, seed {SEED}")

    def test_properties(self):
        self.check_properties(
            "tomoscansrc",
            {
                "location": None,
                "entry": None,
                "darks": None,
                "flats": None,
                "shifts": None,
                "flat-sets": ("frames", {"frames", "means"}),
                "flats-after": None,
                "angles": None,
                "axis-pos": (-1.0, -1.0, 1e6),
                "detector": None,
                "sort": ("natural", {"natural", "name"}),
                "order": ("projections", {"projections", "sinograms"}),
                "stack": (0, 0, UINT_MAX),
                "max-memory": (0, 0, 2**64 - 1),
                "start": (0, 0, UINT_MAX),
                "step": (1, 1, UINT_MAX),
                "number": (UINT_MAX, 0, UINT_MAX),
                "x": (0, 0, UINT_MAX),
                "width": (0, 0, UINT_MAX),
                "y": (0, 0, UINT_MAX),
                "height": (0, 0, UINT_MAX),
                "y-step": (1, 1, UINT_MAX),
                "follow": False,
                "timeout": (60.0, 0.0, sys.float_info.max),
            },
        )

    def test_nxtomo(self):
        data, keys, angles = self.make(
            instrument__detector__x_rotation_axis_pixel_position=(4.25, "pixel"),
            instrument__detector__x_pixel_size=(2.5, "um"),
            instrument__detector__distance=(120.0, "mm"),
            instrument__beam__incident_energy=(25000.0, "eV"),
        )
        found = collect(f"location={self.path('scan.nxs')}", ALL)
        key = {"projections": 0, "darks": 2}
        for name, value in key.items():
            self.assert_arrays(found[name].arrays, data[keys == value])
        flats = np.flatnonzero(keys == 1)
        self.assert_arrays(found["flats"].arrays, data[flats[:2]])
        self.assert_arrays(found["flats-after"].arrays, data[flats[2:]])
        projections = found["projections"]
        numbers = np.flatnonzero(keys == 0)
        for (index, angle, source), number in zip(projections.metas, numbers, strict=True):
            self.assertEqual(index, number)
            self.assertAlmostEqual(angle, math.radians(angles[number]), 12)
            self.assertIn("scan.nxs:/entry/instrument/detector/data", source)
        for name in ALL:
            scan = found[name].scan
            self.assertAlmostEqual(number_of(scan, "axis-position"), 4.75)
            self.assertAlmostEqual(number_of(scan, "pixel-size"), 2.5e-6)
            self.assertAlmostEqual(number_of(scan, "energy"), 25)
            self.assertAlmostEqual(number_of(scan, "distance"), 0.12)
        scan = projections.scan
        np.testing.assert_allclose(angles_of(scan), np.radians(angles[numbers]))
        self.assertEqual(number_of(scan, "flats-frame"), 1.5)
        self.assertEqual(number_of(scan, "flats-after-frame"), 10)
        self.assertEqual(angles_of(found["flats"].scan), [])
        structure = projections.caps[0].get_structure(0)
        self.assertEqual(structure.get_string("format"), "uint16")
        self.assertEqual(structure.get_string("domain"), "projection")

    def test_facts_of_each_frame(self):
        """Where the sample stood in pixels, and the monitor of the beam; and flats of several sets."""
        keys = np.array([2, 1, 1, 0, 0, 1, 0, 0, 1, 1])
        data = rng.integers(0, 1000, (len(keys), 3, 5)).astype(np.uint16)
        x, y, beam = rng.uniform(-1, 1, len(keys)), rng.uniform(-1, 1, len(keys)), rng.uniform(1, 2, len(keys))
        facts = dict(sample__x_translation=(x, "mm"), sample__y_translation=(y, None), control__data=(beam, None),
                     instrument__detector__x_pixel_size=(2.0, "um"), instrument__detector__y_pixel_size=(4.0, "um"))
        with h5py.File(self.path("facts.nxs"), "w") as file:
            scan_files.nxtomo(file, data, keys, np.arange(len(keys)), **facts)
        for part, views in (("", [3, 4, 6, 7]), ("start=1 step=2", [4, 7])):
            found = collect(f"location={self.path('facts.nxs')} flat-sets=means {part}", ALL)
            scan = found["projections"].scan
            np.testing.assert_allclose(list_of(scan, "shifts-x"), (x[views] - x[3]) * 1e-3 / 2e-6)
            np.testing.assert_allclose(list_of(scan, "shifts-y"), -(y[views] - y[3]) / 4e-6)
            np.testing.assert_array_equal(list_of(scan, "beam"), beam[views])
            np.testing.assert_allclose(list_of(scan, "flats-beam"), [beam[1:3].mean(), beam[5]])
            np.testing.assert_allclose(number_of(scan, "flats-after-beam"), beam[8:].mean())
            self.assertEqual(list_of(scan, "flat-set-frames"), [1.5, 5])
            sets = np.array([data[1:3].mean(0), data[5]])
            self.assert_close(found["flats"].arrays[0], sets, 1e-7)
            self.assertEqual(len(found["flats-after"].arrays), 2)
        found = collect(f"location={self.path('facts.nxs')} flat-sets=means order=sinograms stack=2 x=1", ("projections", "flats"))
        self.assert_close(np.concatenate([a if a.ndim == 3 else a[None] for a in found["flats"].arrays]), sets[:, :, 1:].transpose(1, 0, 2), 1e-7)
        plain = collect(f"location={self.path('facts.nxs')}", ("projections", "flats"))
        self.assert_arrays(plain["flats"].arrays, data[[1, 2, 5]])
        self.assertEqual(list_of(plain["projections"].scan, "flat-set-frames"), [])
        np.testing.assert_allclose(list_of(plain["projections"].scan, "flats-beam"), [beam[[1, 2, 5]].mean()])

    def test_mean_has_no_angle(self):
        """That tomoaverage makes no groups is said where the scan's angles are left out."""
        self.make()
        for number, warnings in ((1, 0), (2, 1)):
            found = collect(f"location={self.path('scan.nxs')}", outputs=["projections"],
                            through=f"tomoaverage number={number} !")
            self.assertEqual(angles_of(found["projections"].scan), [])
            self.assertEqual(["not the means of groups" in w for w in found["warnings"]], warnings * [True])

    def test_unknown_axis(self):
        """NaN says that nobody knows; a position off the detector is not believed."""
        for position, warnings in ((math.nan, 0), (-30.5, 1), (11.0, 1)):
            self.make(instrument__detector__x_rotation_axis_pixel_position=(position, None))
            found = collect(f"location={self.path('scan.nxs')}")
            self.assertTrue(math.isnan(number_of(found["projections"].scan, "axis-position")))
            self.assertEqual(len(found["warnings"]), warnings)

    def test_regions(self):
        data, keys, angles = self.make()
        projections = np.flatnonzero(keys == 0)
        for properties, rows, columns, frames in (
            ("y=2", slice(2, None), slice(None), slice(None)),
            ("y=1 height=5 y-step=2", slice(1, 6, 2), slice(None), slice(None)),
            ("x=3 width=4", slice(None), slice(3, 7), slice(None)),
            ("x=10 y=6", slice(6, None), slice(10, None), slice(None)),
            ("start=1 step=2 number=2 x=2", slice(None), slice(2, None), slice(1, 4, 2)),
        ):
            with self.subTest(properties):
                found = collect(f"location={self.path('scan.nxs')} {properties}", ("projections", "darks"))
                self.assert_arrays(found["projections"].arrays, data[projections[frames], rows, columns])
                self.assert_arrays(found["darks"].arrays, data[keys == 2, rows, columns])
                np.testing.assert_allclose(
                    angles_of(found["projections"].scan), np.radians(angles[projections[frames]])
                )
        for properties, words in (
            ("y=7", ["7", "7 rows"]),
            ("y=3 height=5", ["rows 3 to 7"]),
            ("x=11", ["columns", "11"]),
            ("x=4 width=8", ["columns", "8"]),
            ("start=5", ["start is 5", "5 projections"]),
        ):
            with self.subTest(properties):
                self.fails(words, f"location={self.path('scan.nxs')} {properties}")

    def test_part_without_angles(self):
        """The event tells which of how many projections come, so that nobody takes them for half a turn."""
        n = int(rng.integers(12, 30))
        data = random_array(np.float32, (n, 3, 5))
        with h5py.File(self.path("plain.h5"), "w") as file:
            file["data"] = data
        whole = np.arange(n)
        flip = "tomotransposeprojections ! tomocrop y=1 height=3 ! tomoflip direction=vertical !"
        for properties, through, wanted in (
            ("", "", whole),
            ("number=7", "", whole[:7]),
            ("start=2 step=3 number=3", "", whole[2:11:3]),
            ("start=2 number=7 order=sinograms", "", whole[2:9]),
            ("start=1 step=2", "tomotransposeprojections !", whole[1::2]),
            ("start=1 number=5", flip, whole[4:1:-1]),
        ):
            with self.subTest(properties=properties, through=through):
                scan = collect(f"location={self.path('plain.h5')}:/data {properties}", through=through)["projections"].scan
                self.assertEqual(list_of(scan, "projection-numbers"), list(wanted))
                self.assertEqual(number_of(scan, "total-projections"), n)
                self.assertEqual(angles_of(scan), [])
        _, keys, _ = self.make()
        found = collect(f"location={self.path('scan.nxs')} number=2", ("projections", "darks"))
        self.assertEqual(number_of(found["projections"].scan, "total-projections"), np.count_nonzero(keys == 0))
        self.assertEqual(list_of(found["projections"].scan, "projection-numbers"), [])  # it has angles
        self.assertIsNone(number_of(found["darks"].scan, "total-projections"))

    def test_place_of_regions(self):
        """Columns and rows are found again in the images of the scan, through elements that lay them out anew."""
        data = random_array(np.float32, (3, 24, 40))
        with h5py.File(self.path("plain.h5"), "w") as file:
            file["data"] = data
        for properties, through, x, y in (
            ("", "", (0, 1), (0, 1)),
            ("x=3 y=5 height=9", "", (3, 1), (5, 1)),
            ("y=4 y-step=2", "", (0, 1), (3.5, 2)),
            ("y=4", "tomocrop x=6 y=3 width=20 height=10 !", (6, 1), (7, 1)),
            ("x=2 y=4", "tomobin size=2 !", (2, 2), (4, 2)),
            ("x=2 width=20", "tomoflip direction=horizontal !", (22, -1), (0, 1)),
            ("x=2 y=4 height=6", "tomoflip direction=vertical ! tomocrop y=1 !", (2, 1), (9, -1)),
            ("y=4 x=2", "tomotransposeprojections ! tomocrop x=4 y=1 !", (6, 1), (4, 1)),
            ("y=1 x=1", "tomorotate angle=0.3 !", None, None),
        ):
            with self.subTest(properties=properties, through=through):
                scan = collect(f"location={self.path('plain.h5')}:/data {properties}", through=through)["projections"].scan
                for axis, wanted in (("x", x), ("y", y)):
                    place = [number_of(scan, f"{name}-{axis}") for name in ("region", "binning")]
                    place = [usual if v is None else v for v, usual in zip(place, (0, 1))]
                    if wanted:
                        self.assertEqual(tuple(place), wanted)
                    else:
                        self.assertTrue(all(math.isnan(v) for v in place))

    def stored(self, kind, data):
        """The dataset /data stored in one of many ways; returns the file's name."""
        name = self.path(f"{kind}.h5")
        with h5py.File(name, "w", userblock_size=1024 if "user-block" in kind else 0) as file:
            options = {
                "contiguous": {},
                "contiguous-user-block": {},
                "chunks": {"chunks": (1, 4, 6)},
                "chunks-user-block": {"chunks": (1, 4, 6)},
                "whole-images": {"chunks": (1,) + data.shape[1:], "compression": "gzip"},
                "rows": {"chunks": (5, 1, data.shape[2]), "compression": "gzip", "shuffle": True},
                "several": {"chunks": (3, 3, 4), "compression": "gzip", "fletcher32": True},
                "checked": {"chunks": (2, 4, 4), "shuffle": True},
            }
            if kind in ("lz4", "bitshuffle-lz4", "bitshuffle"):
                scan_files.compressed_dataset(file, "data", data, (2, 5, min(64, data.shape[2])), kind)
            elif kind == "big-endian":
                file.create_dataset("data", data=data.astype(data.dtype.newbyteorder(">")))
            elif kind == "big-endian-chunks":
                swapped = data.astype(data.dtype.newbyteorder(">"))
                file.create_dataset("data", data=swapped, chunks=(1, 3, 5), compression="gzip")
            else:
                file.create_dataset("data", data=data, **options[kind])
        return name

    def test_storage(self):
        """However the dataset is stored, projections and sinograms are the same."""
        for kind in (
            "contiguous",
            "contiguous-user-block",
            "chunks",
            "chunks-user-block",
            "whole-images",
            "rows",
            "several",
            "checked",
            "big-endian",
            "big-endian-chunks",
            "lz4",
            "bitshuffle-lz4",
            "bitshuffle",
        ):
            dtype = [np.uint16, np.float32, np.uint8, np.int32, np.float64][int(rng.integers(5))]
            data = random_array(dtype, (7, 13, 71))
            data[2, :5] = 7  # something to compress
            name = self.stored(kind, data)
            with self.subTest(kind=kind, type=dtype.__name__):
                self.assert_arrays(collect(f"location={name}:/data")["projections"].arrays, data)
                found = collect(f"location={name}:/data x=3 width=64 y=2 height=9 y-step=3 start=1 step=2")
                self.assert_arrays(found["projections"].arrays, data[1::2, 2:11:3, 3:67])
                for stack in (0, 1, 4):
                    found = collect(f"location={name}:/data order=sinograms stack={stack}")["projections"]
                    rows = np.concatenate([a.reshape(-1, *a.shape[-2:]) for a in found.arrays])
                    np.testing.assert_array_equal(rows, data.transpose(1, 0, 2))
                    if stack:
                        self.assertEqual(len(found.arrays), -(-13 // stack))
                    self.assertEqual(found.caps[0].get_structure(0).get_string("domain"), "sinogram")
                # Room for few rows of all images, or for less than a stack of them, or for all.
                for room in (1, 4 * 7 * 71 * data.itemsize * 2, 1 << 30):
                    found = collect(f"location={name}:/data order=sinograms stack=2 y=1 y-step=2 x=5 max-memory={room}")
                    rows = np.concatenate([a.reshape(-1, *a.shape[-2:]) for a in found["projections"].arrays])
                    np.testing.assert_array_equal(rows, data[:, 1::2, 5:].transpose(1, 0, 2))
                # The same through tomoread.
                for i, array in enumerate(run(f"tomoread path={name}:/data convert=false")):
                    np.testing.assert_array_equal(array, data[i])

    def test_chunks_of_others(self):
        """As bitshuffle 0.5 and the LZ4 filter of the HDF Group made them of this image."""
        image = (np.arange(23 * 13).reshape(23, 13) // 4 * 3 % 251).astype(np.uint16)
        for filter_id, values, chunk in (
            (
                32008,
                (0, 4, 2, 128, 2),
                "AAAAAAAAAlYAAAEAAAAAQBzwAQAaDwIASQAP//AEAHXw/wD/DwD/CABQAAD//w8FAFD/AADw/xAAAQgAARAACgIADxUAAg8CAGhQ"
                "AAAAAAAAAABKHPABABoPAgBJAA//8AQAdfD/AP8PAP8IAFAAAP//DwUAUv8AAPD/AQAgDwABAAIMAAACAAIQAAYCAAQoAAE1AA8C"
                "AGZQAAAAAAAAAAAtEfABAPADD/AP8AAP//AAAPD/AP8AAAD/BQAABwAEAgAADgAPAgAMUAAAAAAA3gDeAN4A",
            ),
            (
                32004,
                (256,),
                "AAAAAAAAAlYAAAEAAAAAhRMAAQATAwIAEwYCABMJAgATDAIAEw8CABMSAgATFQIAExgCABMbAgATHgIAEyECABMkAgATJwIAEyoC"
                "ABMtAgATMAIAEzMCABM2AgATOQIAEzwCABM/AgATQgIAE0UCABNIAgATSwIAE04CABNRAgATVAIAE1cCABNaAgCAXQBdAF0AXQAA"
                "AACGImAAAgATYwIAE2YCABNpAgATbAIAE28CABNyAgATdQIAE3gCABN7AgATfgIAE4ECABOEAgAThwIAE4oCABONAgATkAIAE5MC"
                "ABOWAgATmQIAE5wCABOfAgATogIAE6UCABOoAgATqwIAE64CABOxAgATtAIAE7cCABO6AgCAvQC9AL0AvQAAAAAwIsAAAgATwwIA"
                "E8YCABPJAgATzAIAE88CABPSAgAT1QIAE9gCABPbAgBg3gDeAN4A",
            ),
        ):
            name = self.path(f"{filter_id}.h5")
            with h5py.File(name, "w") as file:
                dataset = scan_files.filtered_dataset(file, "data", (1, 23, 13), image.dtype, (1, 23, 13), filter_id, values)
                dataset.write_direct_chunk((0, 0, 0), base64.b64decode(chunk))
            self.assert_arrays(collect(f"location={name}:/data")["projections"].arrays, [image])

    def test_chunks_that_are_not_there(self):
        """Hold fill values."""
        with h5py.File(self.path("sparse.h5"), "w") as file:
            dataset = file.create_dataset("data", (4, 6, 5), np.int32, chunks=(1, 3, 5), fillvalue=-7)
            dataset[2, 3:] = 5
            data = dataset[()]
        self.assert_arrays(collect(f"location={self.path('sparse.h5')}:/data")["projections"].arrays, data)

    def test_sinograms(self):
        data, keys, angles = self.make(shape=(13, 7, 11))
        found = collect(
            f"location={self.path('scan.nxs')} order=sinograms stack=3 y=1 y-step=2 x=2", ("projections", "darks", "flats")
        )
        part = data[:, 1::2, 2:]
        wanted = part[keys == 0].transpose(1, 0, 2)
        self.assert_arrays(found["projections"].arrays, [wanted])
        for name, frames in (("darks", [0, 12]), ("flats", [1, 2])):
            mean = part[frames].astype(np.float64).mean(0)
            (array,) = found[name].arrays
            self.assertEqual(array.shape, (3, 1, 9))
            self.assert_close(array[:, 0], mean, 1e-7)
        np.testing.assert_allclose(angles_of(found["projections"].scan), np.radians(angles[keys == 0]))

    def line(self, properties, sinograms=False, rest=""):
        mean = "" if sinograms else "! tomoaverage"
        mode = "sinogram-input=true" if sinograms else ""
        sort = "" if sinograms else "! tomotransposeprojections"
        return (
            f"tomoscansrc name=s {properties} {'order=sinograms' if sinograms else ''}"
            f" s.projections ! f.projections  s.darks {mean} ! f.darks  s.flats {mean} ! f.flats"
            f" s.flats-after {mean} ! f.flats-after"
            f" tomoflatfieldcorrect name=f {mode} absorption-correct=true fix-nan-and-inf=true {sort} {rest}"
        )

    def test_same_slices_of_every_layout(self):
        """The bundled scan as NXtomo, Data Exchange, folders and pages, in both orders; and the right ones."""
        with h5py.File(SCAN) as file:
            data = file["entry/instrument/detector/data"][()]
            keys = file["entry/instrument/detector/image_key"][()]
            angles = file["entry/sample/rotation_angle"][()][keys == 0]
        scan_files.data_exchange(self.path("dx.h5"), data[keys == 0], data[keys == 1], data[keys == 2], angles, "degrees")
        scan_files.series(self.path("tiff/tomo"), data[keys == 0])
        scan_files.series(self.path("tiff/flats"), data[keys == 1])
        scan_files.series(self.path("tiff/darks"), data[keys == 2])
        scan_files.series(self.path("mixed"), data[keys == 0], "raw_%d.tif")
        scan_files.series(self.path("mixed"), data[keys == 1], "flat_%d.tif")
        scan_files.series(self.path("mixed"), data[keys == 2], "dark_%d.tif")
        scan_files.data_exchange(
            self.path("be.h5"), data[keys == 0].astype(">f4"), data[keys == 1], data[keys == 2], np.radians(angles), "rad"
        )
        last = np.argsort(keys == 1, kind="stable")  # the flat behind all others
        with h5py.File(self.path("last.nxs"), "w") as file:
            every = np.zeros(len(keys))
            every[keys == 0] = angles
            scan_files.nxtomo(file, data[last], keys[last], every[last])
        os.mkdir(self.path("pages"))
        for name, key in (("projections", 0), ("flats", 1), ("darks", 2)):
            tifffile.imwrite(self.path(f"pages/{name}.tif"), data[keys == key])
        np.savetxt(self.path("angles.txt"), angles, fmt="%.12g", header="degrees")
        text = f"angles={self.path('angles.txt')}"
        rest = "! tomorampfilter ! tomobackproject axis-pos=86.35"
        slices = {}
        for name, properties in (
            ("NXtomo", f"location={SCAN}"),
            ("Data Exchange", f"location={self.path('dx.h5')}"),
            ("Data Exchange, big-endian, radians", f"location={self.path('be.h5')}"),
            ("NXtomo, flat at the end", f"location={self.path('last.nxs')}"),
            ("pages", f"location={self.path('pages')} {text}"),
            ("folders", f"location={self.path('tiff')} {text}"),
            ("one folder", f"location={self.path('mixed')} {text}"),
            ("pattern", f"location={self.path('mixed')}/*.tif {text}"),
            (
                "elsewhere",
                f"location={self.path('tiff/tomo')} {text} darks={self.path('dx.h5')}:/exchange/data_dark "
                f"flats={self.path('tiff/flats')}",
            ),
        ):
            slices[name] = run(self.line(f"{properties} y=66 height=3", rest=rest))
            self.assertEqual(len(slices[name]), 3)
            np.testing.assert_array_equal(slices[name], slices["NXtomo"], name)
            sinograms = run(self.line(f"{properties} y=66 height=3 stack=2", sinograms=True, rest=rest))
            planes = np.concatenate([s.reshape(-1, *s.shape[-2:]) for s in sinograms])
            self.assert_close(planes, np.array(slices["NXtomo"]), 1e-5, name)

        raw, dark, flat = (data[keys == key][:, 66:69].astype(np.float64) for key in (0, 2, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = -np.log((raw - dark.mean(0)) / (flat.mean(0) - dark.mean(0)))
        rows = np.where(np.isfinite(rows), rows, 0.0).transpose(1, 0, 2)
        right, left = np.repeat(rows[..., -1:], 176, -1), np.repeat(rows[..., :1], 176, -1)  # to 512 columns
        padded = np.concatenate([rows, right, left], -1)
        for row, found in zip(tomoref.fft_filter(padded, crop=160), slices["NXtomo"]):
            wanted = tomoref.backproject_linear(row, np.radians(angles), axis=86.35)
            self.assertLess(tomoref.error(found, wanted), 1e-5)

    def test_axis_and_angles_reach_the_backprojection(self):
        rows = "y=67 height=1"
        (told,) = run(self.line(f"location={SCAN} {rows}", rest="! tomorampfilter ! tomobackproject"))
        with h5py.File(SCAN) as file:
            axis = file["entry/instrument/detector/x_rotation_axis_pixel_position"][()] + 0.5
            angles = np.radians(file["entry/sample/rotation_angle"][()][2:])
        rest = f"! tomorampfilter ! tomobackproject axis-pos={axis} angle-step={angles[1] - angles[0]} angle-offset={angles[0]}"
        (given,) = run(self.line(f"location={SCAN} {rows}", rest=rest))
        self.assert_close(told, given.astype(np.float64), 1e-4)
        # Another one, which is one of the whole images.
        rest = "! tomorampfilter ! tomobackproject"
        (told,) = run(self.line(f"location={SCAN} {rows} axis-pos=80.25", rest=rest))
        (given,) = run(self.line(f"location={SCAN} {rows}", rest=f"{rest} axis-pos=80.25"))
        np.testing.assert_array_equal(told, given)
        (told,) = run(self.line(f"location={SCAN} {rows} x=7 axis-pos=80.25", rest=rest))
        (given,) = run(self.line(f"location={SCAN} {rows} x=7", rest=f"{rest} axis-pos=73.25"))
        np.testing.assert_array_equal(told, given)

    def test_flats_after(self):
        """Each projection is corrected by the flat of its time."""
        keys = [1, 1, 2, 0, 0, 3, 0, 0, 1]
        data = rng.integers(1000, 2000, (9, 5, 6)).astype(np.uint16)
        data[2] //= 20
        with h5py.File(self.path("scan.nxs"), "w") as file:
            scan_files.nxtomo(file, data, np.array(keys), np.arange(9.0))
        d, before, after = data[2].astype(float), data[:2].astype(float).mean(0), data[8].astype(float)
        wanted = []
        for i in (3, 4, 6, 7):
            flat = before + (i - 0.5) / (8 - 0.5) * (after - before)
            wanted.append(np.log((flat - d) / (data[i] - d)))
        got = run(self.line(f"location={self.path('scan.nxs')}").replace("! tomotransposeprojections", "! SINK"))
        self.assert_close(np.array(got), np.array(wanted), 1e-5)
        sinograms = run(self.line(f"location={self.path('scan.nxs')}", sinograms=True))
        self.assert_close(sinograms[0].transpose(1, 0, 2), np.array(wanted), 1e-5)

    def test_links_and_virtual_datasets(self):
        data = random_array(np.uint16, (6, 5, 4))
        os.mkdir(self.path("raw"))
        for i in range(2):
            with h5py.File(self.path(f"raw/part{i}.h5"), "w") as file:
                file.create_dataset("data", data=data[3 * i : 3 * i + 3], chunks=(1, 5, 4), compression="gzip")
        with h5py.File(self.path("raw/all.h5"), "w") as file:
            file["data"] = data
        keys = np.array([2, 1, 0, 0, 0, 0], float)  # some write floats
        layout = h5py.VirtualLayout((6, 5, 4), np.uint16)
        for i in range(2):
            layout[3 * i : 3 * i + 3] = h5py.VirtualSource(f"raw/part{i}.h5", "data", (3, 5, 4))
        with h5py.File(self.path("virtual.nxs"), "w") as file:
            group = scan_files.nxtomo(file, None, keys, np.arange(6.0), entry="entry0000")
            group["instrument/detector"].create_virtual_dataset("data", layout)
        with h5py.File(self.path("linked.nxs"), "w") as file:
            group = scan_files.nxtomo(file, h5py.ExternalLink("raw/all.h5", "/data"), keys, np.arange(6.0))
        # Written at the beamline under another path: found beside the master file.
        with h5py.File(self.path("raw/moved.nxs"), "w") as file:
            scan_files.nxtomo(file, h5py.ExternalLink("/dls/i12/all.h5", "/data"), keys, np.arange(6.0))
        layout = h5py.VirtualLayout((6, 5, 4), np.uint16)
        with h5py.File(self.path("raw/halves.h5"), "w") as file:
            file["left"], file["right"] = data[:, :, :3], data[:, :, 3:]
        layout[:, :, :3] = h5py.VirtualSource("raw/halves.h5", "left", (6, 5, 3))
        layout[:, :, 3:] = h5py.VirtualSource("raw/halves.h5", "right", (6, 5, 1))
        with h5py.File(self.path("halves.nxs"), "w") as file:
            group = scan_files.nxtomo(file, None, keys, np.arange(6.0))
            group["instrument/detector"].create_virtual_dataset("data", layout)
        for name in ("virtual.nxs", "linked.nxs", "raw/moved.nxs", "halves.nxs"):
            with self.subTest(name):
                found = collect(f"location={self.path(name)}", ("projections", "flats"))
                self.assert_arrays(found["projections"].arrays, data[2:])
                self.assert_arrays(found["flats"].arrays, data[1:2])
        with h5py.File(self.path("raw/lz4.h5"), "w") as file:
            scan_files.compressed_dataset(file, "data", data, (1, 5, 4), "bitshuffle-lz4")
        with h5py.File(self.path("raw/virtual-lz4.nxs"), "w") as file:
            group = scan_files.nxtomo(file, None, keys[:4], np.arange(4.0))
            layout = h5py.VirtualLayout((4, 5, 4), np.uint16)
            layout[:] = h5py.VirtualSource("lz4.h5", "data", (6, 5, 4))[2:]
            group["instrument/detector"].create_virtual_dataset("data", layout)
        found = collect(f"location={self.path('raw/virtual-lz4.nxs')}")
        self.assert_arrays(found["projections"].arrays, data[4:])
        os.rename(self.path("raw/part1.h5"), self.path("raw/lost.h5"))
        self.fails(["raw/part1.h5", "virtual"], f"location={self.path('virtual.nxs')}")
        os.remove(self.path("raw/all.h5"))
        self.fails(["all.h5", "link"], f"location={self.path('linked.nxs')}")

    def test_entries(self):
        data = random_array(np.uint8, (2, 3, 4))
        with h5py.File(self.path("two.nxs"), "w") as file:
            scan_files.nxtomo(file, data, np.zeros(2), entry="entry1/tomo_entry")
            scan_files.nxtomo(file, data + 1, np.zeros(2), entry="second")
        location = f"location={self.path('two.nxs')}"
        self.fails(["2 scans", "/entry1/tomo_entry", "/second", "entry"], location)
        self.assert_arrays(collect(f"{location} entry=second")["projections"].arrays, data + 1)
        self.assert_arrays(collect(f"{location}:/entry1/tomo_entry")["projections"].arrays, data)
        self.fails(["third", "two.nxs"], f"{location} entry=third")
        with h5py.File(self.path("two.nxs"), "a") as file:
            file.attrs["default"] = "second"
        self.assert_arrays(collect(location)["projections"].arrays, data + 1)
        # Without a definition, and with the images in a group of the entry.
        with h5py.File(self.path("diad.nxs"), "w") as file:
            file["entry/imaging/data"] = data
            file["entry/instrument/imaging/image_key"] = np.array([1, 0])
        self.assert_arrays(collect(f"location={self.path('diad.nxs')}")["projections"].arrays, data[1:])

    def test_what_is_missing_or_strange(self):
        """Is told, and not guessed."""
        data, keys, _ = self.make()
        location = f"location={self.path('scan.nxs')}"

        def change(path, value, units=None):
            self.make()
            with h5py.File(self.path("scan.nxs"), "a") as file:
                if path in file:
                    del file[path]
                if value is not None:
                    file[path] = value
                if units:
                    file[path].attrs["units"] = units

        detector, angles = "entry/instrument/detector", "entry/sample/rotation_angle"
        for path, value, words in (
            (f"{detector}/image_key", h5py.ExternalLink("gone.h5", "/keys"), ["image_key", "gone.h5"]),
            (f"{detector}/image_key", np.array([b"flat"] * 13), ["image_key", "strings"]),
            (angles, h5py.ExternalLink("gone.h5", "/angles"), ["rotation_angle", "gone.h5"]),
            (angles, np.where(keys == 0, np.nan, 1), ["angle of projection 0", "nan"]),
            (angles, np.arange(14), ["5 projections", "14 angles"]),
            (f"{detector}/data", np.arange(13), ["(images, rows, columns)"]),
            (f"{detector}/data", data[:0], ["0 frames", "13"]),
        ):
            with self.subTest(path=path, words=words):
                change(path, value)
                self.fails(words, location)
        change(f"{detector}/x_pixel_size", 3.0, "furlong")
        found = collect(location)
        self.assertTrue(math.isnan(number_of(found["projections"].scan, "pixel-size")))
        self.assertIn("furlong", found["warnings"][0])
        change(f"{detector}/image_key", None)
        found = collect(location)
        self.assertEqual(len(found["projections"].arrays), 13)
        self.assertIn("no image_key", found["warnings"][0])
        change(angles, np.where(keys == 1, np.nan, np.linspace(0, np.pi, 13)))
        found = collect(location)
        self.assertAlmostEqual(found["projections"].metas[0][1], math.pi * 3 / 12)
        self.assertIn("radians", found["warnings"][0])
        for kind in np.uint8, np.int64, ">f8", ">i2", np.float32:
            change(f"{detector}/image_key", keys.astype(kind))
            self.assertEqual(len(collect(location)["projections"].arrays), 5)
        strange = keys.astype(float)
        strange[3], strange[4], strange[5] = np.nan, 0.3, 7
        change(f"{detector}/image_key", strange)
        found = collect(location)
        self.assertEqual([meta[0] for meta in found["projections"].metas], [6, 7, 8])
        self.assertIn("3 frames", found["warnings"][0])
        data = random_array(np.uint16, (13, 7, 11))
        change(f"{detector}/data", data[None])
        self.assert_arrays(collect(location)["projections"].arrays, data[keys == 0])
        with h5py.File(self.path("sinograms.h5"), "w") as file:
            file["exchange/data"] = data
            file["exchange/data"].attrs["axes"] = "y:theta:x"
        self.fails(["y:theta:x", "reorder"], f"location={self.path('sinograms.h5')}")
        self.fails(["HDF5 files", "scan", "name the file"], f"location={self.folder.name}")
        scan_files.series(self.path("series"), data)
        scan_files.series(self.path("series"), data, "more%d.tif")
        tifffile.imwrite(self.path("series/00007.tif"), data[:2], photometric="minisblack")
        self.fails(["00007.tif", "several pages"], f"location={self.path('series')}")

    def test_half_floats(self):
        data, keys, _ = self.make(dtype=np.float16)
        found = collect(f"location={self.path('scan.nxs')} order=sinograms", ("projections", "darks"))
        (darks,) = found["darks"].arrays
        self.assert_close(darks[:, 0], data[keys == 2].astype(np.float64).mean(0), 1e-7)
        self.assertEqual(found["projections"].arrays[0].dtype, np.float16)

    def test_data_exchange_angles(self):
        data = random_array(np.float32, (5, 2, 3))
        turns = np.linspace(0, 180, 5)
        for theta, units, wanted in (
            (turns, "degrees", np.radians(turns)),
            (turns, None, np.radians(turns)),
            (np.radians(turns), None, np.radians(turns)),
            (np.radians(turns) / 10, "radian", np.radians(turns) / 10),
            (np.radians(turns), "deg", np.radians(np.radians(turns))),
            (None, None, []),
        ):
            with self.subTest(units=units):
                scan_files.data_exchange(self.path("dx.h5"), data, data[:1], data[:1], theta, units)
                found = collect(f"location={self.path('dx.h5')}", ("projections", "flats", "flats-after"))
                self.assert_arrays(found["projections"].arrays, data)
                self.assert_arrays(found["flats"].arrays, data[:1])
                self.assertEqual(found["flats-after"].arrays, [])
                np.testing.assert_allclose(angles_of(found["projections"].scan), wanted)
        self.fails(["no darks", "property darks"], self.without_darks(data), ("darks",))
        scan_files.data_exchange(self.path("dx.h5"), data, theta=np.arange(6.0), units="deg")
        self.fails(["5 projections", "6 angles", "angles"], f"location={self.path('dx.h5')}")
        scan_files.data_exchange(self.path("dx.h5"), data, theta=np.arange(5.0), units="furlongs")
        self.fails("furlongs", f"location={self.path('dx.h5')}")

    def test_angles_as_strings(self):
        """Strings of numbers are numbers; of all else that stands where angles belong an error tells."""
        data, n = random_array(np.float32, (7, 2, 3)), 7
        turns = np.sort(rng.uniform(0, 180, n))
        words = [f" {turn!r}" for turn in turns.tolist()]
        variable = h5py.string_dtype()
        nxtomo, exchange = self.path("words.nxs"), self.path("words.h5")

        def write(angles):
            with h5py.File(nxtomo, "w") as file:
                scan_files.nxtomo(file, data, np.zeros(n))["sample/rotation_angle"] = angles
                file["entry/sample/rotation_angle"].attrs["units"] = "deg"
            scan_files.data_exchange(exchange, data, data[:1], data[:1])
            with h5py.File(exchange, "a") as file:
                file["exchange/theta"] = angles
                file["exchange/theta"].attrs["units"] = "deg"

        for angles in (np.array(words, "S"), np.array(words, "S40"), np.array(words, variable), " ".join(words), ",".join(words),
                       "\n".join(words), ";".join(words).replace(".", ",")):
            with self.subTest(str(angles)):
                write(angles)
                for properties in (f"location={nxtomo}", f"location={exchange}", f"location={nxtomo} angles={exchange}:/exchange/theta"):
                    found = collect(properties)
                    np.testing.assert_allclose(angles_of(found["projections"].scan), np.radians(turns), rtol=1e-14)
        for angles, said in ((np.array(words[:-1] + ["90 deg"], variable), "strings that are no numbers"),
                             (np.array(["start"] + words[1:], "S"), "strings that are no numbers"),
                             (np.array([""] * n, "S3"), "strings that are no numbers"),
                             (np.zeros(n, [("angle", float), ("error", float)]), "compounds")):
            with self.subTest(str(angles)):
                write(angles)
                for place, properties in ((f"{nxtomo}': numbers are wanted in '/entry/sample/rotation_angle'", f"location={nxtomo}"),
                                          (f"{exchange}': numbers are wanted in '/exchange/theta'", f"location={exchange}"),
                                          ("/exchange/theta", f"location={nxtomo} angles={exchange}:/exchange/theta")):
                    self.fails([place, said], properties)
                # Who names others needs none of them.
                np.savetxt(self.path("angles.txt"), turns)
                found = collect(f"location={nxtomo} angles={self.path('angles.txt')}")
                np.testing.assert_allclose(angles_of(found["projections"].scan), np.radians(turns))
        # A list of names that has the length of one is none.
        with h5py.File(nxtomo, "w") as file:
            entry = scan_files.nxtomo(file, data, np.zeros(n), energy=("bright", "keV"))
            entry["data/angle_name"] = np.array([f"view {i}" for i in range(n)], variable)
        found = collect(f"location={nxtomo}")
        self.assertEqual(len(angles_of(found["projections"].scan)), 0)

    def test_reads_what_is_asked_for(self):
        """Counted by the system: a few rows, and every n-th projection, of a file of which no more is read."""
        data = random_array(np.uint16, (120, 96, 256))
        for name, storage in ("contiguous", {}), ("chunked", {"chunks": (1, 8, 256)}), ("packed", {
                "chunks": (1, 8, 256), "compression": "gzip", "compression_opts": 1, "shuffle": True}):
            with h5py.File(self.path(f"{name}.h5"), "w") as file:
                file.create_dataset("data", data=data, **storage)
            for properties, share, wanted in (
                ("y=16 height=8 order=sinograms", 8 / 96, [data[:, 16:24].transpose(1, 0, 2)]),
                ("y=16 height=8", 8 / 96, data[:, 16:24]),
                ("start=5 step=10", 12 / 120, data[5::10]),
                ("y=40 height=8 start=7 step=30 order=sinograms", 8 / 96 * 4 / 120, [data[7::30, 40:48].transpose(1, 0, 2)]),
            ):
                with self.subTest(name, properties=properties):
                    before = bytes_read()
                    found = collect(f"location={self.path(name + '.h5')}:/data {properties}")["projections"].arrays
                    read = bytes_read() - before
                    self.assert_arrays(found, wanted)
                    # With the structure of the file, of which the library reads a part for each reader.
                    self.assertLess(read, share * data.nbytes + 600000)

    def test_rows_of_compressed_images(self):
        """Sinograms of images that are decompressed as a whole: each chunk is read once, as the system counts."""
        data = random_array(np.uint16, (50, 48, 256))
        gzip = {"compression": "gzip", "compression_opts": 1}
        for name, storage, sources in (
            ("whole", {"chunks": (1, 48, 256), **gzip}, 1),
            ("by-the-library", {"chunks": (1, 48, 256), "scaleoffset": 0}, 1),
            ("virtual", {"chunks": (1, 48, 256), **gzip}, 3),
            ("several", {"chunks": (7, 48, 256), **gzip}, 1),
            ("several-virtual", {"chunks": (7, 48, 256), **gzip}, 3),
            ("several-rows", {"chunks": (7, 8, 64), **gzip}, 1),
            ("many-files", {}, 50),
        ):
            files = [self.path(f"{name}-{i}.h5") for i in range(sources)]
            layout = h5py.VirtualLayout(data.shape, data.dtype)
            for file, images in zip(files, np.array_split(np.arange(50), sources)):
                with h5py.File(file, "w") as part:
                    part.create_dataset("data", data=data[images], **storage)
                layout[images[0]:images[-1] + 1] = h5py.VirtualSource(file, "data", (len(images),) + data.shape[1:])
            location = files[0]
            if sources > 1:
                location = self.path(f"{name}.h5")
                with h5py.File(location, "w") as file:
                    file.create_virtual_dataset("data", layout)
            size = sum(os.path.getsize(file) for file in files)
            for properties, rows in ("", slice(None)), ("y=3 height=42 y-step=4", slice(3, 45, 4)):
                with self.subTest(name, properties=properties):
                    before = bytes_read()
                    found = collect(f"location={location}:/data order=sinograms stack={2 if properties else 8} {properties}")["projections"].arrays
                    read = bytes_read() - before
                    np.testing.assert_array_equal(np.concatenate([a.reshape(-1, *a.shape[-2:]) for a in found]), data[:, rows].transpose(1, 0, 2))
                    # Of many files, that they are not opened for each stack.
                    limit = 1.3 if sources < 50 else 0.85 if properties else 1.5
                    self.assertLess(read, limit * size + (200000 if sources < 50 else 0))

    def test_stop_while_rows_are_read(self):
        """All images are read for the first sinograms; a stop does not wait for that."""
        number, size = 500, 1024
        symbols = rng.integers(0, 4, (size, size)).astype(np.uint8)  # slow to decompress
        chunk = zlib.compress(symbols.tobytes(), 1)
        with h5py.File(self.path("slow.h5"), "w") as file:
            data = file.create_dataset("data", (number, size, size), np.uint8, chunks=(1, size, size), compression="gzip")
            for i in range(number):
                data.id.write_direct_chunk((i, 0, 0), chunk)
        pipeline = Gst.parse_launch(f"tomoscansrc name=s location={self.path('slow.h5')}:/data order=sinograms stack=8 max-memory={1 << 30} "
                                    "s.projections ! appsink name=sink sync=false")
        before = bytes_read()
        pipeline.set_state(Gst.State.PAUSED)
        deadline = time.monotonic() + TIMEOUT
        while bytes_read() - before < 10 * len(chunk) and time.monotonic() < deadline:
            time.sleep(0.001)
        since = time.monotonic()
        pipeline.set_state(Gst.State.NULL)
        self.assertLess(time.monotonic() - since, 2)
        self.assertLess(bytes_read() - before, 0.8 * number * len(chunk))

    def test_several_data_exchanges(self):
        """Of which the first one has no number."""
        data = random_array(np.float32, (3, 5, 2, 3))
        scan_files.data_exchange(self.path("dx.h5"), data[0], data[0][:1], data[0][:1], np.arange(5.0), "deg")
        with h5py.File(self.path("dx.h5"), "a") as file:
            for i in 1, 2:
                group = file.create_group(f"exchange_{i}")
                group["data"], group["data_dark"], group["data_white"] = data[i], data[i][:1], data[i][1:2]
                group["theta"] = np.arange(5.0) + i
                group["theta"].attrs["units"] = "deg"
        for i, entry in enumerate(("", "entry=/exchange_1", "entry=exchange_2")):
            found = collect(f"location={self.path('dx.h5')} {entry}", ("projections", "darks"))
            self.assert_arrays(found["projections"].arrays, data[i])
            self.assert_arrays(found["darks"].arrays, data[i][:1])
            np.testing.assert_allclose(angles_of(found["projections"].scan), np.radians(np.arange(5.0) + i))

    def without_darks(self, data):
        scan_files.data_exchange(self.path("alone.h5"), data, data[:1])
        return f"location={self.path('alone.h5')}"

    def test_folders(self):
        arrays = random_array(np.uint16, (12, 3, 4))
        scan_files.series(self.path("scan"), arrays, "img%d.tif")  # img10 comes behind img9
        scan_files.series(self.path("scan/flat_post"), arrays[:2])
        scan_files.series(self.path("scan/whites"), arrays[2:4])
        scan_files.series(self.path("scan"), arrays[5:6], "DARK-%d.tif")
        found = collect(f"location={self.path('scan')}", ALL)
        self.assert_arrays(found["projections"].arrays, arrays)
        self.assert_arrays(found["flats"].arrays, arrays[2:4])
        self.assert_arrays(found["flats-after"].arrays, arrays[:2])
        self.assert_arrays(found["darks"].arrays, arrays[5:6])
        scan_files.series(self.path("scan/other"), arrays[:1])
        self.fails(["several places", "other"], f"location={self.path('scan')}")
        os.mkdir(self.path("empty"))
        self.fails(["no images of a scan"], f"location={self.path('empty')}")
        self.fails(["nowhere"], f"location={self.path('nowhere')}")
        self.fails(["no location"], "")
        scan_files.series(self.path("sizes"), [arrays[0], arrays[1, :2]])
        self.fails(["4 x 2", "4 x 3"], f"location={self.path('sizes')}")
        with open(self.path("angles.txt"), "w") as file:
            file.write("1\n2 # fine\nthree\n")
        self.fails(["line 3", "three"], f"location={self.path('scan/whites')} angles={self.path('angles.txt')}")

    def test_names_of_kinds(self):
        """Words of facilities in the names of folders and files, and words that only look like them."""
        arrays = random_array(np.uint16, (9, 3, 4))
        for i, (dark, flat) in enumerate((
            ("darkHST", "refHST"), ("DarkField", "FlatField"), ("drk", "bak"), ("dunkel", "hell"), ("di", "io"),
            ("Dunkelbilder", "Hellbilder"), ("dc", "OpenBeam"), ("01_Darks", "02_open-beam"), ("DARKFIELD", "empty"),
            ("dark_pre", "ob"), ("offset", "gain"), ("darks", "background"), ("df", "blank"),
        )):
            with self.subTest(dark=dark, flat=flat):
                scan = self.path(f"s{i}")
                scan_files.series(f"{scan}/radios", arrays[:5])
                scan_files.series(f"{scan}/{dark}", arrays[5:7])
                scan_files.series(f"{scan}/{flat}", arrays[7:])
                # In one folder, as files.
                scan_files.series(f"{scan}-files", arrays[:5], "tomo%04d.tif")
                scan_files.series(f"{scan}-files", arrays[5:7], dark + "%04d.tif")
                scan_files.series(f"{scan}-files", arrays[7:], flat + "%04d.tif")
                for location in scan, scan + "-files", scan + "-files/*.tif":
                    found = collect(f"location={location}", ("projections", "darks", "flats"))
                    self.assert_arrays(found["projections"].arrays, arrays[:5])
                    self.assert_arrays(found["darks"].arrays, arrays[5:7])
                    self.assert_arrays(found["flats"].arrays, arrays[7:])
        for name in ("didymium", "Iodine", "reflectance", "hell_creek", "old_bak", "audio", "RadIO", "offshore",
                     "reference_rock", "darkening", "bob", "Gaining", "open"):
            with self.subTest(name):
                scan_files.series(self.path(f"p-{name}"), arrays[:3], name + "_%d.tif")
                self.assert_arrays(collect(f"location={self.path('p-' + name)}")["projections"].arrays, arrays[:3])

    def test_order_of_names(self):
        arrays = random_array(np.uint16, (12, 3, 4))
        names = [f"p_{a}deg.tif" for a in ("-10", "-5", "-0.5", "0", "0.25", "0.5", "1", "1.25", "2", "10", "20", "100")]
        os.mkdir(self.path("scan"))
        for name, array in zip(names, arrays):
            tifffile.imwrite(self.path(f"scan/{name}"), array)
        for location in self.path("scan"), self.path("scan/*.tif"):
            self.assert_arrays(collect(f"location={location}")["projections"].arrays, arrays)
            by_name = [arrays[names.index(name)] for name in sorted(names)]
            self.assert_arrays(collect(f"location={location} sort=name")["projections"].arrays, by_name)
            self.assert_arrays(run(f"tomoread path={location} convert=false"), arrays)
            self.assert_arrays(run(f"tomoread path={location} convert=false sort=name"), by_name)

    def test_files_that_are_no_images(self):
        """Hidden files and folders, previews in TIFF files; a link that leads nowhere is told."""
        arrays = random_array(np.uint16, (4, 5, 6))
        os.makedirs(self.path("scan/.thumbnails"))
        scan_files.series(self.path("scan/.thumbnails"), arrays)
        for i, array in enumerate(arrays):
            with tifffile.TiffWriter(self.path(f"scan/{i}.tif")) as file:
                file.write(array, metadata=None, photometric="minisblack")
                file.write(array[:2, :2], subfiletype=1, metadata=None, photometric="minisblack")
                old_tag = [(255, 3, 1, 2, True)]  # SubfileType of TIFF 5
                file.write(array[:3, :3], metadata=None, photometric="minisblack", extratags=old_tag)
            with open(self.path(f"scan/._{i}.tif"), "wb") as file:
                file.write(b"\0\5\26\7 of macOS")
        for location in self.path("scan"), self.path("scan/*"), self.path("scan/*.tif"):
            self.assert_arrays(collect(f"location={location}")["projections"].arrays, arrays)
            self.assert_arrays(run(f"tomoread path={location} convert=false"), arrays)
        (sinogram, *_) = run(f"tomoread path={self.path('scan')} ! tomotransposeprojections")
        self.assertEqual(sinogram.shape, (4, 6))
        self.fails(["._0.tif", "TIFF"], f"location={self.path('scan')}/._*.tif")  # it was asked for
        os.symlink(self.path("gone/3.tif"), self.path("scan/3b.tif"))
        for location in self.path("scan"), self.path("scan/*.tif"):
            self.fails(["3b.tif", "gone/3.tif", "does not exist"], f"location={location}")
        os.mkdir(self.path("hidden"))
        os.rename(self.path("scan/0.tif"), self.path("hidden/.0.tif"))
        self.fails(["holds no images of a scan"], f"location={self.path('hidden')}")

    def test_grey_planes_of_a_colour_tiff(self):
        """Three flats that tifffile, by their shape and type, writes as red, green and blue."""
        arrays = random_array(np.uint16, (5, 7, 9))
        for i in range(2):
            tifffile.imwrite(self.path(f"proj{i}.tif"), arrays[i], photometric="minisblack")
        tifffile.imwrite(self.path("flat.tif"), arrays[2:], photometric="rgb", planarconfig="separate")
        for properties in f"location={self.path('proj*.tif')} flats={self.path('flat.tif')}", f"location={self.folder.name}":
            for rows, region in (slice(None), ""), (slice(2, 6), "y=2 height=4"):
                found = collect(f"{properties} {region}", ("projections", "flats"))
                self.assert_arrays(found["flats"].arrays, arrays[2:, rows])
                self.assert_arrays(found["projections"].arrays, arrays[:2, rows])
            (mean,) = collect(f"{properties} order=sinograms", ("flats",))["flats"].arrays
            self.assert_close(np.squeeze(mean), arrays[2:].astype(float).mean(0), 1e-7)
        tifffile.imwrite(self.path("flat.tif"), arrays[2:].transpose(1, 2, 0).copy(), photometric="rgb")
        self.fails(["flats", "colour"], f"location={self.path('proj*.tif')} flats={self.path('flat.tif')}", ("flats",))

    def test_without_projections(self):
        """Darks and flats alone."""
        data, keys, _ = self.make(shape=(6, 3, 4), keys=[2, 2, 1, 1, 1, 3])
        scan_files.series(self.path("cal/dark"), data[:2])
        scan_files.series(self.path("cal/flat"), data[2:5])
        for location in self.path("scan.nxs"), self.path("cal"):
            found = collect(f"location={location}", ("darks", "flats", "flats-after"))
            self.assert_arrays(found["darks"].arrays, data[:2])
            self.assert_arrays(found["flats"].arrays, data[2:5])
            self.assertEqual(found["flats-after"].arrays, [])
            means = collect(f"location={location} order=sinograms", ("darks", "flats"))
            self.assert_close(np.squeeze(means["flats"].arrays[0]), data[2:5].astype(float).mean(0), 1e-7)
            self.fails(["holds no projections, but 2 darks and 3 flats"], f"location={location}", ALL)
        with h5py.File(self.path("nothing.nxs"), "w") as file:
            scan_files.nxtomo(file, data, [3] * 6)
        self.fails(["no projection"], f"location={self.path('nothing.nxs')}")

    def test_angles_elsewhere(self):
        """In text as programs and people write it, and in HDF5."""
        data, keys, _ = self.make()
        n = np.count_nonzero(keys == 0)
        angles = np.round(np.sort(rng.uniform(-90, 200, n)), 3)
        location = f"location={self.path('scan.nxs')}"

        def check(name, wanted=angles):
            scan = collect(f"{location} angles={self.path(name)}")["projections"].scan
            np.testing.assert_allclose(angles_of(scan), np.radians(wanted), atol=1e-12)

        def lines(form, head="", end="\n"):
            return head + "".join(form.format(i=i, a=a, r=math.radians(a), c=str(a).replace(".", ",")) + end
                                  for i, a in enumerate(angles))

        for text in (
            lines("{a}"), lines("{a},"), lines("  {a}", end="\r\n"), lines("{i},{a}"), lines("{i}\t{a}"), lines("{i}  {a}"),
            lines("{i}, {a}", "index, angle\n"), lines("{a};{i}", "Angle [deg];Frame\n"), lines("{i};{c}", "Nr;Winkel in Grad\n"),
            lines("{a}", "angle\n"), lines("{a}", "\ufeffangle\r\n"), lines("{i} {a}", "\ufeff"), lines("{a}", "# degrees\n\n"),
            lines("{i},7.5,{a},3", "frame,time,theta,current\n"), lines('"{i}","{a}"', '"n","theta"\n'),
            lines("{r!r}", "angle (rad)\n"), lines("{i},{r!r}", "frame,theta_rad\n"), lines("{i} {a}  # note"),
        ):
            with self.subTest(text=text[:30]):
                with open(self.path("angles.csv"), "w", encoding="utf-8", newline="") as file:
                    file.write(text)
                check("angles.csv")
        for text, words in (
            (lines("7.5,{a}"), ["2 columns", "which one"]),
            (lines("{i},{a},1"), ["3 columns"]),
            (lines("{a}") + "1,2\n", ["line 6", "1 number"]),
            (lines("{a}") + "nan\n", ["line 6", "nan"]),
            (lines("{a}", "hello\n"), ["line 1", "hello"]),
            ("# nothing\n", ["holds no numbers"]),
            (lines("{a}") + "3\n", ["5 projections", "6 angles"]),
        ):
            with self.subTest(words=words):
                with open(self.path("angles.csv"), "w") as file:
                    file.write(text)
                self.fails(words, f"{location} angles={self.path('angles.csv')}")
        of_all = np.full(len(keys), np.nan)
        of_all[keys == 0] = angles
        with h5py.File(self.path("x.h5"), "w") as file:
            file["theta"], file["rad"], file["all"] = angles, np.radians(angles), of_all
            file["rad"].attrs["units"], file["all"].attrs["units"] = "rad", "degree"
            file["words"] = [b"a"] * n
        for name in "x.h5:/theta", "x.h5::/theta", "x.h5:/rad", "x.h5:/all":
            check(name)
        for name, array in ("f8", angles), ("big", angles.astype(">f8")), ("row", angles[np.newaxis]):
            np.save(self.path(f"{name}.npy"), array)
            check(f"{name}.npy")
        np.save(self.path("i2.npy"), np.round(angles).astype(np.int16))
        check("i2.npy", np.round(angles))
        for array, words in (np.ones((n, 2)), ["2 axes", "wanted one axis"]), (angles[1:], [f"{n} projections", f"{n - 1} angles"]), (
                angles * np.nan, ["finite"]), (angles[:0], ["wanted one axis"]):
            np.save(self.path("wrong.npy"), array)
            self.fails(words, f"{location} angles={self.path('wrong.npy')}")
        self.fails(["x.h5", "no dataset is named"], f"{location} angles={self.path('x.h5')}")
        self.fails(["no dataset '/gone'"], f"{location} angles={self.path('x.h5:/gone')}")
        self.fails(["numbers are wanted", "strings"], f"{location} angles={self.path('x.h5:/words')}")

    def test_detectors(self):
        """Entries as facilities write them: several detectors, images in other files, angles elsewhere."""
        n = int(rng.integers(8, 14))
        data, other = random_array(np.uint16, (n, 4, 5)), random_array(np.uint16, (n, 2, 3))
        keys = np.array([2, 1, 1] + [0] * (n - 3))
        angles = np.cumsum(rng.uniform(0.5, 2, n))
        wanted = np.radians(angles[keys == 0])

        def make(write):
            with h5py.File(self.path("scan.nxs"), "w") as file:
                entry = scan_files.nxtomo(file, data, keys, angles)
                write(entry, entry["instrument"])

        def add_detector(instrument, name, images):
            group = instrument.create_group(name)
            group.attrs["NX_class"] = "NXdetector"
            if images is not None:
                group["data"] = images
            return group

        def check(properties="", location=self.path("scan.nxs"), angles=wanted):
            found = collect(f"location={location} {properties}", ("projections", "darks", "flats"))
            self.assert_arrays(found["projections"].arrays, data[keys == 0])
            self.assert_arrays(found["darks"].arrays, data[keys == 2])
            self.assert_arrays(found["flats"].arrays, data[keys == 1])
            np.testing.assert_allclose(angles_of(found["projections"].scan), angles)
            self.assertEqual(found["warnings"], [])

        with h5py.File(self.path("images.h5"), "w") as file:
            file["images"], file["angles"] = data, angles
        dataset = self.path("scan.nxs") + ":/entry/instrument/detector/data"
        for others in (
            lambda instrument: add_detector(instrument, "a_diode", np.arange(float(n))),
            lambda instrument: add_detector(instrument, "a_link", h5py.ExternalLink("gone.h5", "/d")).update(image_key=keys),
            lambda instrument: add_detector(instrument, "a_words", [b"on", b"off"]),
            lambda instrument: add_detector(instrument, "zero", None).update(image_key=keys),
            lambda instrument: add_detector(instrument, "xrf", other),  # has no image_key
        ):
            make(lambda entry, instrument: others(instrument))
            check()
            check("entry=entry")
            check("detector=detector")
            check("detector=/entry/instrument/detector")
            check(location=dataset)
            check(location=dataset.replace(":", "::"))
        make(lambda entry, instrument: add_detector(instrument, "second", other).update(image_key=keys))
        self.fails(["several detectors", "second", "property detector"], f"location={self.path('scan.nxs')}")
        check("detector=detector")
        check(location=dataset)
        found = collect(f"location={self.path('scan.nxs')} detector=second")
        self.assert_arrays(found["projections"].arrays, other[keys == 0])
        np.testing.assert_allclose(angles_of(found["projections"].scan), wanted)
        self.fails(["no detector 'third'", "second"], f"location={self.path('scan.nxs')} detector=third")
        self.fails(["detector", "give one"], f"location={dataset} detector=second")

        def elsewhere(entry, instrument):
            del entry["instrument/detector/data"]
            entry["instrument/detector/data"] = h5py.ExternalLink("images.h5", "/images")

        make(elsewhere)
        check("entry=/entry")
        check(location=dataset)

        def only_in_data(entry, instrument):
            elsewhere(entry, instrument)
            images = entry.create_group("data")
            images.attrs["NX_class"], images.attrs["signal"] = "NXdata", "frames"
            images["frames"] = h5py.ExternalLink("images.h5", "/images")
            del entry["instrument/detector/data"]

        make(only_in_data)
        check()
        check("entry=entry")

        # Angles that are not where NXtomo wants them.
        def move_angles(entry, target, group=None, nx_class="NXpositioner", units="deg"):
            parent = entry.require_group(target.rsplit("/", 1)[0])
            parent.attrs["NX_class"] = nx_class
            del entry["sample/rotation_angle"]
            entry[target] = angles
            if units:
                entry[target].attrs["units"] = units

        for target, nx_class, units in (
            ("instrument/sample_stage/value", "NXpositioner", "deg"),
            ("sample/gts_theta/value", "NXpositioner", None),
            ("imaging/gts_theta", "NXdata", None),
            ("data/omega", "NXdata", "degrees"),
        ):
            with self.subTest(target):
                make(lambda entry, instrument: move_angles(entry, target, nx_class=nx_class, units=units))
                check()
                check(location=dataset)

        def distractors(entry, instrument):
            move_angles(entry, "instrument/srot/value")
            for name, values, units in (("tilt", np.full(n, 3.0), "deg"), ("height", np.arange(float(n)), "mm"),
                                        ("short", np.arange(3.0), "deg")):
                group = instrument.create_group(name)
                group.attrs["NX_class"] = "NXpositioner"
                group["value"] = values
                group["value"].attrs["units"] = units

        make(distractors)
        check()

        def two(entry, instrument):
            move_angles(entry, "instrument/rotation_1/value")
            group = instrument.create_group("rotation_2")
            group.attrs["NX_class"] = "NXpositioner"
            group["value"] = angles[::-1]
            group["value"].attrs["units"] = "deg"

        make(two)
        found = collect(f"location={self.path('scan.nxs')}")
        self.assertEqual(angles_of(found["projections"].scan), [])
        self.assertIn("rotation_2", found["warnings"][0])
        self.assertIn("property angles", found["warnings"][0])
        check(f"angles={self.path('scan.nxs:/entry/instrument/rotation_1/value')}")
        # What can't be chosen.
        scan_files.data_exchange(self.path("dx.h5"), data, data[:1], data[1:2], angles, "deg")
        self.fails(["Data Exchange", "detector"], f"location={self.path('dx.h5')} detector=a")
        found = collect(f"location={self.path('dx.h5')}:/exchange/data", ("projections", "darks"))
        self.assert_arrays(found["darks"].arrays, data[1:2])
        scan_files.series(self.path("series"), data)
        self.fails(["detector", "no HDF5 file"], f"location={self.path('series')} detector=a")
        with h5py.File(self.path("link.h5"), "w") as file:
            file["some/where"] = h5py.ExternalLink("gone.h5", "/images")
            file["some/there"] = h5py.ExternalLink("images.h5", "/images")
        self.fails(["/some/where", "gone.h5:/images", "/some/there", f"{n} x 4 x 5"], f"location={self.path('link.h5')}")

    def test_damaged(self):
        data, keys, _ = self.make(shape=(13, 31, 40), dtype=np.uint16)
        with open(self.path("scan.nxs"), "r+b") as file:
            size = os.path.getsize(self.path("scan.nxs"))
            file.truncate(size - 12000)
        self.fails(["scan.nxs"], f"location={self.path('scan.nxs')}", ALL)
        with open(self.path("text.nxs"), "w") as file:
            file.write("no HDF5 at all" * 100)
        self.fails(["text.nxs"], f"location={self.path('text.nxs')}")
        with h5py.File(self.path("other.h5"), "w") as file:
            file["some/thing"] = np.zeros((3, 4))
        self.fails(["neither NXtomo nor Data Exchange", "/some/thing"], f"location={self.path('other.h5')}")
        name = self.stored("bitshuffle-lz4", data)
        with h5py.File(name) as file:
            place = file["data"].id.get_chunk_info(3)
        with open(name, "r+b") as file:
            file.seek(place.byte_offset + 8)
            file.write(b"\xff" * 40)
        self.fails(["bitshuffle", "damaged"], f"location={name}:/data")
        self.make("keys.nxs", keys=[0] * 12)
        self.fails(["13 frames", "image_key has 12"], f"location={self.path('keys.nxs')}")

    def test_lost_while_reading(self):
        """A file that becomes shorter, or goes away, between two images: one error, and no image that is not there."""
        data = random_array(np.uint16, (60, 64, 80))

        def lose(location):
            for name in os.listdir(location) if os.path.isdir(location) else ():
                os.remove(os.path.join(location, name))
            if os.path.isfile(location):
                os.truncate(location, os.path.getsize(location) // 3)

        for kind, options in (
            ("contiguous", {}),
            ("deflate", {"chunks": (1, 64, 80), "compression": "gzip"}),
            ("rows", {"chunks": (60, 8, 80), "compression": "gzip"}),
            ("lzf", {"chunks": (1, 64, 80), "compression": "lzf"}),
            ("folder", None),
        ):
            with self.subTest(kind):
                location = self.path(kind)
                if kind == "folder":
                    scan_files.series(location, data)
                else:
                    with h5py.File(location, "w") as file:
                        file.create_dataset("exchange/data", data=data, **options)
                pipeline = Gst.parse_launch(
                    f"tomoscansrc name=s location={location} s.projections ! appsink name=sink sync=false max-buffers=1"
                )
                pipeline.set_state(Gst.State.PLAYING)
                sink, arrays, error = pipeline.get_by_name("sink"), [], None
                since = time.monotonic()
                while not (error or sink.is_eos()) and time.monotonic() - since < TIMEOUT:
                    if sample := sink.try_pull_sample(20 * Gst.MSECOND):
                        arrays.append(to_array(sample))
                        if len(arrays) == 1:
                            lose(location)
                    else: # what was read before the error has come
                        error = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
                pipeline.set_state(Gst.State.NULL)
                self.assert_arrays(arrays, data[: len(arrays)])
                if kind == "rows" and len(arrays) == 60:
                    continue  # all chunks had been decoded
                self.assertLess(len(arrays), 60)
                self.assertIn(location, error.parse_error()[0].message)

    def test_more_than_two_to_the_31_samples(self):
        shape = (70, 8192, 4096)
        last = random_array(np.uint8, (8, 4096))
        with h5py.File(self.path("big.h5"), "w") as file:
            dataset = file.create_dataset("data", shape, np.uint8)
            dataset[69, 8000:8008] = last
            chunked = file.create_dataset("chunks", shape, np.uint8, chunks=(1, 8, 4096))
            chunked[69, 8000:8008] = last
        self.assertGreater(math.prod(shape), 2**31)
        for name in ("data", "chunks"):
            found = collect(f"location={self.path('big.h5')}:/{name} start=69 y=8000 height=8")
            self.assert_arrays(found["projections"].arrays, [last])

    def test_outputs_do_not_wait_for_each_other(self):
        """Several darks straight into a join, and an output that nobody takes."""
        data = random_array(np.uint16, (40, 3, 4))
        data[:9] //= 4  # darks, well below the flats
        data[9:18] = data[9:18] // 2 + 2**15
        self.make(keys=[2] * 9 + [1] * 9 + [0] * 22, data=data)
        line = (
            f"tomoscansrc name=s location={self.path('scan.nxs')} s.projections ! f.projections "
            "s.darks ! f.darks s.flats ! f.flats tomoflatfieldcorrect name=f ! SINK"
        )
        darks, flats, projections = data[:9].astype(float), data[9:18].astype(float), data[18:].astype(float)
        for settings in ("", "several=pairs"):
            results = run(line.replace("name=f", f"name=f {settings}"))
            self.assertEqual(len(results), 22)
            for i, result in enumerate(results):
                d, f = (a[min(i, 8)] if settings else a.mean(0) for a in (darks, flats))
                self.assert_close(result, (projections[i] - d) / (f - d), 1e-6)

    def test_states(self):
        data, keys, _ = self.make()
        line = f"tomoscansrc name=s location={self.path('scan.nxs')} s.projections ! appsink name=sink sync=false max-buffers=1"
        pipeline = Gst.parse_launch(line)
        sink = pipeline.get_by_name("sink")
        for count in (1, 99, 0, 99):
            pipeline.set_state(Gst.State.PLAYING)
            arrays = []
            while len(arrays) < count and (sample := sink.emit("pull-sample")):
                arrays.append(to_array(sample))
            # The sink gives what it still held before.
            self.assert_arrays(arrays[-5:] if count > 5 else arrays, data[keys == 0][:count])
            pipeline.set_state(Gst.State.READY if count else Gst.State.NULL)
        # A seek starts anew, and the number of projections is known.
        pipeline.set_state(Gst.State.PAUSED)
        pipeline.get_state(10 * Gst.SECOND)
        self.assertEqual(pipeline.query_duration(Gst.Format.DEFAULT), (True, 5))
        self.assertTrue(
            pipeline.seek(
                1.0, Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, 4, Gst.SeekType.NONE, -1
            )
        )
        pipeline.set_state(Gst.State.PLAYING)
        arrays = []
        while sample := sink.emit("pull-sample"):
            arrays.append(to_array(sample))
        self.assert_arrays(arrays, data[keys == 0][4:])
        pipeline.set_state(Gst.State.NULL)

    def writer(self, mode, name="live.nxs"):
        data, keys = random_array(np.uint16, (17, 9, 8)), np.array([2, 1, 1] + [0] * 12 + [1, 2])
        np.save(self.path(name + ".npy"), data)
        np.save(self.path(name + ".keys.npy"), keys)
        process = subprocess.Popen([sys.executable, "-c", WRITER, self.path(name), self.path(name), mode])
        self.process = process
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return data, keys

    def test_follow(self):
        """A scan that is being written, with more or less known beforehand."""
        for mode in ("nothing", "keys", "all", "several", "link", "virtual"):
            with self.subTest(mode):
                data, keys = self.writer(mode, f"{mode}.nxs")
                found = collect(f"location={self.path(mode)}.nxs follow=true timeout=20", ALL)
                self.assert_arrays(found["projections"].arrays, data[keys == 0])
                self.assert_arrays(found["flats"].arrays, data[1:3])
                self.assert_arrays(found["flats-after"].arrays, data[15:16])
                self.assert_arrays(found["darks"].arrays, data[:1])
                for (index, angle, _), i in zip(found["projections"].metas, range(3, 15), strict=True):
                    self.assertEqual((index, round(math.degrees(angle), 9)), (i, i))
                # Closed now: read in one go.
                found = collect(f"location={self.path(mode)}.nxs follow=true timeout=20")
                self.assert_arrays(found["projections"].arrays, data[keys == 0])

    def test_follow_a_number_of_projections(self):
        data, keys = self.writer("nothing")
        found = collect(f"location={self.path('live.nxs')} follow=true timeout=20 number=5")
        self.assert_arrays(found["projections"].arrays, data[keys == 0][:5])

    def test_follow_what_stops(self):
        data, keys = self.writer("stops")
        began = time.monotonic()
        self.fails(["timeout", "6 of them", "what the scan says"], f"location={self.path('live.nxs')} follow=true timeout=2")
        self.assertLess(time.monotonic() - began, 20)
        # What a writer that was killed left can be read.
        self.process.kill()
        self.process.wait()
        path = f"{self.path('live.nxs')}:/entry/instrument/detector/data"
        self.assert_arrays(run(f"tomoread path={path} convert=false"), data[:9])
        self.fails(["9 frames", "image_key has 17"], f"location={self.path('live.nxs')}")
        self.fails(["nothing.nxs"], f"location={self.path('nothing.nxs')} follow=true timeout=0.5")
        self.fails(["sinograms"], f"location={self.path('live.nxs')} follow=true order=sinograms")

    def test_follow_a_writer_that_was_killed(self):
        """Nobody knows whether it had written all: that is no end."""
        data, keys = self.writer("dies")
        error = []

        def follow():
            try:
                collect(f"location={self.path('live.nxs')} follow=true timeout=3")
            except PipelineError as caught:
                error.append(str(caught))

        thread = threading.Thread(target=follow)
        thread.start()
        time.sleep(2)
        self.process.kill()
        self.process.wait()
        thread.join()
        for word in ("live.nxs", "6 of them", "marked as being written", "number", "follow=false"):
            self.assertIn(word, error[0])
        found = collect(f"location={self.path('live.nxs')} follow=true timeout=20 number=6")
        self.assert_arrays(found["projections"].arrays, data[keys == 0][:6])
        self.assert_arrays(collect(f"location={self.path('live.nxs')}")["projections"].arrays, data[keys == 0][:6])

    def test_follow_what_does_not_tell(self):
        """Datasets of which nobody knows what has been written."""
        data = random_array(np.uint16, (4, 5, 6))
        for name, options in (("contiguous", {}), ("lzf", {"chunks": (1, 5, 6), "compression": "lzf"})):
            with h5py.File(self.path(f"{name}.h5"), "w", libver="latest") as file:
                file.create_dataset("data", data=data, **options)
                file.flush()
                file.swmr_mode = True
                self.fails(["can't be followed"], f"location={file.filename}:/data follow=true timeout=5")
            found = collect(f"location={self.path(name)}.h5:/data follow=true timeout=5")  # closed
            self.assert_arrays(found["projections"].arrays, data)

    def test_follow_stops_when_told(self):
        pipeline = Gst.parse_launch(
            f"tomoscansrc location={self.path('never.nxs')} follow=true timeout=600 ! fakesink"
        )
        pipeline.set_state(Gst.State.PLAYING)
        time.sleep(0.3)
        began = time.monotonic()
        pipeline.set_state(Gst.State.NULL)
        self.assertLess(time.monotonic() - began, 5)

    def test_follow_a_folder(self):
        arrays = random_array(np.uint16, (20, 5, 6))
        os.mkdir(self.path("live"))

        def write():
            for i, array in enumerate(arrays):
                whole = self.path("whole.tif")
                scan_files.tifffile.imwrite(whole, array)
                with open(whole, "rb") as file:
                    content = file.read()
                with open(self.path(f"live/img{i}.tif"), "wb") as file:  # in two steps, as slow discs do
                    file.write(content[:40])
                    file.flush()
                    time.sleep(0.02)
                    file.write(content[40:])

        thread = threading.Thread(target=write)
        thread.start()
        self.addCleanup(thread.join)
        found = collect(f"location={self.path('live')} follow=true timeout=20 number=20")
        self.assert_arrays(found["projections"].arrays, arrays)
        found = collect(f"location={self.path('live')} follow=true timeout=1")  # ends by itself
        self.assert_arrays(found["projections"].arrays, arrays)

    def test_nothing_linked(self):
        self.make()
        pipeline = Gst.Pipeline()
        pipeline.add(Gst.parse_launch(f"tomoscansrc location={self.path('scan.nxs')}"))
        self.assertEqual(pipeline.set_state(Gst.State.PLAYING), Gst.StateChangeReturn.FAILURE)
        message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
        self.assertIn("projections, darks, flats, flats-after", message.parse_error()[0].message)
        pipeline.set_state(Gst.State.NULL)

    def test_outputs_that_cannot_start(self):
        """One of several: what the others pushed into sinks already does not keep them from ending."""
        self.make(keys=[0] * 13)
        self.fails(["holds no darks"], f"location={self.path('scan.nxs')}", ("flats-after", "darks", "projections"))
        pipeline = Gst.parse_launch(
            f"tomoscansrc name=s location={self.path('scan.nxs')} s.flats-after ! fakesink s.darks ! fakesink"
        )
        for state in (Gst.State.READY, Gst.State.NULL):
            self.assertEqual(pipeline.set_state(Gst.State.PLAYING), Gst.StateChangeReturn.FAILURE)
            pipeline.set_state(state)
        self.make()
        self.assertEqual(pipeline.set_state(Gst.State.PLAYING), Gst.StateChangeReturn.ASYNC)
        self.assertEqual(pipeline.get_state(10 * Gst.SECOND)[1], Gst.State.PLAYING)
        pipeline.set_state(Gst.State.NULL)

    def test_linked_later(self):
        data, keys, _ = self.make()
        pipeline = Gst.parse_launch(
            f"tomoscansrc name=s location={self.path('scan.nxs')} s.projections ! fakesink sync=false"
        )
        pipeline.set_state(Gst.State.PLAYING)
        pipeline.get_state(10 * Gst.SECOND)
        sink = Gst.ElementFactory.make("appsink")
        sink.set_property("sync", False)
        pipeline.add(sink)
        sink.sync_state_with_parent()
        pipeline.get_by_name("s").link_pads("darks", sink, "sink")
        arrays = []
        while sample := sink.emit("pull-sample"):
            arrays.append(to_array(sample))
        self.assert_arrays(arrays, data[keys == 2])
        pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
