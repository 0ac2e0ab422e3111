# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes in files of all formats, in parts, without Qt: planes, levels, costs, memory, and files that are broken."""

import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import h5py
import numpy as np
import tifffile
import zarr_files

from gsttomo.widgets import Volume, VolumeError, volume as module

RNG = np.random.default_rng(3)
SHAPE = (19, 34, 43)


class VolumeTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tomo-volume-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.array = RNG.integers(0, 60000, SHAPE).astype(np.uint16)

    def path(self, name):
        return str(self.folder / name)

    def open(self, name, number=0):
        volume = Volume(name if isinstance(name, np.ndarray) else self.path(name), number)
        self.addCleanup(volume.close)
        return volume

    def check(self, volume, array, **options):
        """All planes along all axes, also a second time, when bricks are kept."""
        self.assertEqual((volume.shape, volume.dtype.newbyteorder("=")), (array.shape, array.dtype.newbyteorder("=")))
        for axis in range(3):
            for index in {0, array.shape[axis] // 2, array.shape[axis] - 1}:
                for _ in range(2):
                    plane = volume.slice(axis, index, **options)
                    np.testing.assert_array_equal(plane.array, array.take(index, axis))
                    self.assertTrue(plane.array.dtype.isnative)
                    self.assertEqual(plane.step, (1.0, 1.0))

    def refused(self, name, expected, read=False):
        with self.assertRaisesRegex(VolumeError, expected) as caught:
            volume = self.open(name)
            if read:
                for axis in range(3):
                    for index in range(volume.shape[axis]):
                        volume.slice(axis, index)
        self.assertNotIn("\n", str(caught.exception))
        return str(caught.exception)


class Formats(VolumeTest):
    def test_arrays(self):
        self.check(self.open(self.array), self.array)
        self.check(self.open(self.array[0]), self.array[:1])
        with self.assertRaisesRegex(VolumeError, "wanted numbers"):
            self.open(np.zeros((2, 2, 2, 2)))

    def test_hdf5_layouts(self):
        for i, options in enumerate(({}, {"chunks": (1, *SHAPE[1:])}, {"chunks": (8, 16, 10)}, {"chunks": (8, 16, 10), "compression": 1},
                                     {"chunks": (8, 16, 10), "compression": 4, "shuffle": True}, {"chunks": (8, 16, 10), "compression": "lzf"},
                                     {"chunks": (1, *SHAPE[1:]), "compression": 1}, {"chunks": (1, 7, 11)}, {"chunks": (8, 16, 10), "fletcher32": True})):
            for kind in ("<u2", ">u2", "<f4", "i1", "<f8"):
                with self.subTest(options=options, type=kind):
                    name = f"{i}{kind[-2:]}{kind[0] == '>'}.h5"
                    array = self.array.astype(kind)
                    with h5py.File(self.path(name), "w") as file:
                        file.create_dataset("entry/data/data", data=array, **options)
                    self.check(self.open(name), array)
                    self.check(self.open(name + ":/entry/data/data"), array)

    def test_chunks_that_were_never_written(self):
        with h5py.File(self.path("holes.h5"), "w") as file:
            for name, chunks in (("bricks", (8, 16, 10)), ("images", (1, *SHAPE[1:]))):
                dataset = file.create_dataset(name, SHAPE, "f4", chunks=chunks, fillvalue=7.5)
                dataset[8:9] = self.array[8]
        wanted = np.full(SHAPE, 7.5, np.float32)
        wanted[8] = self.array[8]
        self.check(self.open("holes.h5:/bricks"), wanted)
        self.check(self.open("holes.h5:/images"), wanted)

    def test_which_dataset(self):
        with h5py.File(self.path("several.h5"), "w") as file:
            file["small"] = np.zeros((2, 3, 4))
            file["volume"] = self.array
            file["text"] = "words"
            file.create_group("other")
        volume = self.open("several.h5")
        self.check(volume, self.array)
        volume.close()
        with h5py.File(self.path("several.h5"), "a") as file:
            file["other/signal"] = self.array[:5]
            file.attrs["default"] = "other"
            file["other"].attrs["signal"] = "signal"
        self.check(self.open("several.h5"), self.array[:5])
        self.refused("several.h5:/nothing", "has no dataset /nothing")
        self.refused("several.h5:/text", "wanted images of numbers")

    def test_several_volumes(self):
        both = np.stack([self.array, self.array[::-1]])
        with h5py.File(self.path("turns.h5"), "w") as file:
            file.create_dataset("entry/data/data", data=both)
            file.create_dataset("chunks", data=both, chunks=(1, 4, 5, 6))
        for name in ("turns.h5", "turns.h5:/chunks"):
            for number in range(2):
                volume = self.open(name, number)
                self.assertEqual(volume.volumes, 2)
                self.check(volume, both[number])
        with self.assertRaisesRegex(VolumeError, "volume 2 .* which has 2"):
            self.open("turns.h5", 2)

    def test_parts(self):
        for layout in ("every third", "one after the other"):
            with self.subTest(layout=layout):
                name = layout.split()[0] + ".h5"
                whole = h5py.VirtualLayout(SHAPE, "u2")
                for i in range(3):
                    here = slice(i, None, 3) if layout == "every third" else slice(7 * i, min(7 * i + 7, SHAPE[0]))
                    with h5py.File(self.path(f"{name}.{i}"), "w") as file:
                        part = file.create_dataset("data", data=self.array[here], chunks=(1, *SHAPE[1:]))
                        whole[here] = h5py.VirtualSource(part)
                with h5py.File(self.path(name), "w") as file:
                    file.create_virtual_dataset("entry/data/data", whole)
                volume = self.open(name)
                self.check(volume, self.array)
                volume.close()
                os.truncate(self.path(f"{name}.1"), 3000)
                self.refused(name, r"\.1: this part of .* cut off")
                os.unlink(self.path(f"{name}.1"))
                self.refused(name, r"a part of it is missing, .*\.1")

    def test_blocks_in_parts(self):
        """Bricks are read where blocks are as deep as they are, images elsewhere."""
        for block in 4, 8, 5:
            for coding in {}, {"compression": 1}:
                with self.subTest(block=block, coding=coding):
                    name = f"{block}{len(coding)}.h5"
                    whole = h5py.VirtualLayout(SHAPE, "u2")
                    numbers = np.arange(SHAPE[0])
                    for i in range(3):
                        mine = numbers[numbers // block % 3 == i]
                        with h5py.File(self.path(f"{name}.{i}"), "w") as file:
                            part = file.create_dataset("data", data=self.array[mine], chunks=(4, 8, 8), maxshape=(None, *SHAPE[1:]), **coding)
                            for at in range(0, len(mine), block):
                                here = mine[at:at + block]
                                whole[here[0]:here[-1] + 1] = h5py.VirtualSource(part)[at:at + len(here)]
                    with h5py.File(self.path(name), "w") as file:
                        file.create_virtual_dataset("data", whole)
                    volume = self.open(name)
                    self.assertEqual(volume.levels[0].is_cut, block % 4 == 0)
                    self.check(volume, self.array)

    def test_a_dataset_elsewhere(self):
        with h5py.File(self.path("store.h5"), "w") as file:
            file.create_dataset("cubes", data=self.array, chunks=(4, 8, 8))
        whole = h5py.VirtualLayout(SHAPE, "u2")
        whole[:] = h5py.VirtualSource(self.path("store.h5"), "cubes", SHAPE)
        with h5py.File(self.path("view.h5"), "w") as file:
            file.create_virtual_dataset("data", whole)
        self.check(self.open("view.h5"), self.array)

    def test_zarr(self):
        for i, (array, chunk, separator, order) in enumerate(((self.array, (8, 16, 10), ".", ""), (self.array, (8, 16, 10), "/", ">"),
                                                              (self.array.astype("f4"), (19, 34, 43), ".", ""), (self.array[0], (10, 10), "/", ""))):
            name = f"{i}.zarr"
            zarr_files.write_zarr(self.folder / name, array, chunk, separator, order=order)
            self.check(self.open(name), array if array.ndim == 3 else array[np.newaxis])
        zarr_files.write_zarr(self.folder / "holes.zarr", self.array, (8, 16, 10), fill=9, leave_out=[(0, 0, 0), (2, 2, 4)])
        wanted = self.array.copy()
        wanted[:8, :16, :10] = wanted[16:, 32:, 40:] = 9
        self.check(self.open("holes.zarr"), wanted)

    def test_zarr_with_zlib(self):
        import json
        import zlib
        zarr_files.write_zarr(self.folder / "c.zarr", self.array, (8, 16, 10))
        for name in self.folder.glob("c.zarr/[0-9]*"):
            name.write_bytes(zlib.compress(name.read_bytes()))
        about = json.loads((self.folder / "c.zarr/.zarray").read_text())
        about["compressor"] = {"id": "zlib", "level": 1}
        (self.folder / "c.zarr/.zarray").write_text(json.dumps(about))
        self.check(self.open("c.zarr"), self.array)
        (self.folder / "c.zarr/1.1.1").write_bytes(b"no zlib")
        self.refused("c.zarr", r"1\.1\.1: the chunk is damaged", read=True)
        about["compressor"] = {"id": "unheard-of"}
        (self.folder / "c.zarr/.zarray").write_text(json.dumps(about))
        self.refused("c.zarr", "coded by 'unheard-of'")

    def test_tiff(self):
        for name, options in (("stack.tif", {}), ("big.tif", {"bigtiff": True}), ("coded.tif", {"compression": "zlib"}), ("tiles.tif", {"tile": (16, 16)}),
                              ("order.tif", {"byteorder": ">"})):
            with self.subTest(name=name):
                tifffile.imwrite(self.path(name), self.array, photometric="minisblack", **options)
                self.check(self.open(name), self.array)
        tifffile.imwrite(self.path("sized.tif"), self.array, photometric="minisblack", resolution=(10000 / 0.65, 10000 / 0.65), resolutionunit="CENTIMETER")
        self.assertAlmostEqual(self.open("sized.tif").pixel_size, 0.65e-6, delta=1e-12)
        tifffile.imwrite(self.path("imagej.tif"), self.array, imagej=True)  # with one directory for all of its images
        self.check(self.open("imagej.tif"), self.array)
        tifffile.imwrite(self.path("colours.tif"), np.zeros((4, 5, 3), np.uint8), photometric="rgb")
        self.refused("colours.tif", "wanted grey ones")

    def test_series(self):
        (self.folder / "images").mkdir()
        for z, image in enumerate(self.array):
            tifffile.imwrite(self.path(f"images/slice-{z}.tif"), image)  # 10 comes behind 9
        tifffile.imwrite(self.path("images/look.tif"), self.array[0, :5])
        for name in ("images", "images/slice-%i.tif", "images/slice-*.tif"):
            self.check(self.open(name), self.array)
        tifffile.imwrite(self.path("images/slice-7.tif"), self.array[7, :5])
        self.refused("images", r"slice-7\.tif: .* the first image has", read=True)
        self.refused("images/other-%i.tif", "there are no such images")
        self.refused("nothing", "there is no such file")

    def test_npy(self):
        for array in (self.array, self.array.astype(">f4"), self.array[0]):
            np.save(self.path("a.npy"), array)
            self.check(self.open("a.npy"), array if array.ndim == 3 else array[np.newaxis])
        np.save(self.path("f.npy"), np.asfortranarray(self.array))
        self.refused("f.npy", "order of Fortran")
        np.save(self.path("o.npy"), np.array([{}]))
        self.refused("o.npy", "wanted images of numbers")


class Broken(VolumeTest):
    def test_cut_off(self):
        with h5py.File(self.path("a.h5"), "w") as file:
            file["data"] = self.array
        os.truncate(self.path("a.h5"), os.path.getsize(self.path("a.h5")) // 2)
        self.refused("a.h5", "cut off, or still being written")
        for name, write in (("a.tif", lambda name: tifffile.imwrite(name, self.array, photometric="minisblack")), ("a.npy", lambda name: np.save(name, self.array))):
            write(self.path(name))
            os.truncate(self.path(name), os.path.getsize(self.path(name)) // 2)
            self.refused(name, "cut off|ends too early|damaged", read=True)
        zarr_files.write_zarr(self.folder / "a.zarr", self.array, (8, 16, 10))
        os.truncate(self.path("a.zarr/1.1.1"), 100)
        self.refused("a.zarr", r"1\.1\.1: the file ends too early", read=True)

    def test_shorter_meanwhile(self):
        np.save(self.path("a.npy"), self.array)
        volume = self.open("a.npy")
        os.truncate(self.path("a.npy"), 5000)
        for axis in range(3):
            with self.assertRaisesRegex(VolumeError, "ends too early"):
                volume.slice(axis, SHAPE[axis] - 1)

    def test_no_volumes(self):
        for name, contents in (("a.h5", b"words"), ("a.tif", b"words"), ("a.npy", b"words"), ("a.txt", b"words"), ("b.h5", b""), ("b.tif", b"")):
            (self.folder / name).write_bytes(contents)
            self.assertIn(name, self.refused(name, "no |none of|damaged"))
        (self.folder / "a.zarr").mkdir()
        self.refused("a.zarr", "no array of Zarr")
        (self.folder / "a.zarr/.zarray").write_text("{")
        self.refused("a.zarr", "can't be read")
        (self.folder / "a.zarr/.zarray").write_text('{"zarr_format": 2}')
        self.refused("a.zarr", "damaged")
        (self.folder / "empty").mkdir()
        self.refused("empty", "no such images")

    def test_a_damaged_chunk(self):
        with h5py.File(self.path("a.h5"), "w") as file:
            data = file.create_dataset("data", data=self.array, chunks=(8, 16, 10), compression=1)
            where = data.id.get_chunk_info_by_coord((8, 16, 10)).byte_offset
        with open(self.path("a.h5"), "r+b") as file:
            file.seek(where)
            file.write(b"\x00" * 20)
        self.refused("a.h5", "a chunk of /data is damaged", read=True)


class Levels(VolumeTest):
    def pyramid(self, chunks=(1, 256, 256), shape=(128, 256, 256)):
        z, y, x = np.ogrid[:shape[0], :shape[1], :shape[2]]
        array = (100 * z + 10 * y + x).astype(np.float32)
        with h5py.File(self.path("p.h5"), "w") as file:
            file.create_dataset("entry/data/data", data=array, chunks=chunks)
            level = array
            for factor in (2, 4):
                level = zarr_files.halved(level).astype(np.float32)
                made = file.create_dataset(f"entry/data/data_{factor}x", data=level, chunks=tuple(min(32, size) for size in level.shape))
                made.attrs["pyramid_factor"] = factor
            file["entry/data/x"] = (np.arange(shape[2]) + 0.5) * 0.65
            file["entry/data/x"].attrs["units"] = "um"
        return array

    def test_the_level_fits_the_window(self):
        array = self.pyramid()
        volume = self.open("p.h5")
        self.assertAlmostEqual(volume.pixel_size, 0.65e-6, delta=1e-12)
        for axis in range(3):
            for size, factor in ((None, 1), ((300, 300), 1), ((200, 200), 1), ((128, 128), 2), ((100, 100), 2), ((64, 64), 4), ((1, 1), 4), ((1000, 64), 4)):
                plane = volume.slice(axis, 77, size)
                self.assertEqual(plane.step, (factor, factor), (axis, size))
                means = array
                for _ in range(factor // 2):
                    means = zarr_files.halved(means)
                np.testing.assert_allclose(plane.array, means.take(77 // factor, axis), rtol=1e-6)
        with self.assertRaisesRegex(IndexError, "there are 128"):
            volume.slice(0, 128)

    def test_scrolling_takes_what_is_quick(self):
        self.pyramid()
        volume = self.open("p.h5")
        with mock.patch.object(module, "QUICK", 100_000):  # an image of the finest level has 262 144 bytes
            self.assertEqual([volume.level_for(axis, None, best=False).factor[0] for axis in range(3)], [2, 2, 2])
            self.assertEqual(volume.level_for(2, (256, 256)).factor[0], 1)
            with mock.patch.object(module, "FULL", 2_000_000):
                self.assertEqual([volume.level_for(axis, (256, 256)).factor[0] for axis in range(3)], [1, 2, 2])

    def test_levels_of_zarr(self):
        import json
        levels = [self.array, zarr_files.halved(self.array).astype("u2")]
        for i, level in enumerate(levels):
            zarr_files.write_zarr(self.folder / "o.zarr" / str(i), level, (8, 16, 10), "/")
        axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
        datasets = [{"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": [0.5 * 2 ** i] * 3}]} for i in range(2)]
        (self.folder / "o.zarr/.zattrs").write_text(json.dumps({"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]}))
        volume = self.open("o.zarr")
        self.assertAlmostEqual(volume.pixel_size, 0.5e-6)
        self.check(volume, self.array)
        plane = volume.slice(1, 33, (10, 10))
        self.assertEqual(plane.step, (2, 2))
        np.testing.assert_array_equal(plane.array, levels[1][:, 16])

    def test_overview(self):
        array = self.pyramid()
        volume = self.open("p.h5")
        np.testing.assert_array_equal(volume.overview(), array)
        np.testing.assert_allclose(volume.overview(2_000_000), zarr_files.halved(array), rtol=1e-6)
        for most in (50_000, 200_000):
            made = volume.overview(most)
            self.assertLessEqual(made.size, most)
            self.assertAlmostEqual(float(made.mean()), float(array.mean()), delta=1)
        part = volume.part((10, 20, 30), (40, 60, 90))
        np.testing.assert_array_equal(part, array[10:40, 20:60, 30:90])

    def test_means_at_edges(self):
        volume = self.open(self.array)
        made = volume.overview(5000)
        bins = module.bins_of(SHAPE, 5000)
        for z, y, x in ((0, 0, 0), tuple(size - 1 for size in made.shape)):
            part = self.array[z * bins[0]:(z + 1) * bins[0], y * bins[1]:(y + 1) * bins[1], x * bins[2]:(x + 1) * bins[2]]
            self.assertAlmostEqual(float(made[z, y, x]), float(part.mean(dtype=float)), delta=0.01)

    def test_an_overview_serves_planes(self):
        np.save(self.path("a.npy"), self.array)
        volume = self.open("a.npy")
        with mock.patch.object(module, "QUICK", 10_000):
            self.assertTrue(volume.needs_overview())
            self.assertIsNone(volume.slice(2, 20, (40, 40), best=False))
            volume.overview(2000)
            self.assertFalse(volume.needs_overview())
            plane = volume.slice(2, 20, (40, 40), best=False)
            self.assertGreater(plane.step[0], 1)

    def test_stop(self):
        volume = self.open(self.array)
        for read in (lambda: volume.overview(100, stop=lambda: True),):
            with self.assertRaises(module.Stopped):
                read()
        np.save(self.path("a.npy"), self.array)
        with self.assertRaises(module.Stopped):
            self.open("a.npy").slice(2, 5, stop=lambda: True)


class Memory(VolumeTest):
    def test_larger_than_memory(self):
        """A volume of 32 GB, most of which the disk does not hold, in a process that may have 2.5 GB."""
        with open(self.path("huge.npy"), "wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<u2", "fortran_order": False, "shape": (4096, 2048, 2048)})
            begin = file.tell()
            file.truncate(begin + 4096 * 2048 * 2048 * 2)
            for z in (0, 2000, 4095):
                file.seek(begin + z * 2048 * 2048 * 2)
                file.write(np.full((2048, 2048), z + 1, "<u2").tobytes())
        code = """
import sys
import numpy as np
from gsttomo.widgets import Volume
volume = Volume(sys.argv[1])
for z in (0, 2000, 4095):
    assert (volume.slice(0, z, (700, 700)).array == z + 1).all()
plane = volume.slice(1, 1024)
assert [int(plane.array[z, 5]) for z in (0, 1, 2000, 4095)] == [1, 0, 2001, 4096]
assert volume.slice(2, 5, (700, 700), best=False) is None and volume.needs_overview()
assert volume.part((1990, 500, 500), (2010, 700, 700)).max() == 2001
assert volume.sample().size > 1000
"""
        limit = int(2.5 * 2 ** 30)
        done = subprocess.run([sys.executable, "-c", code, self.path("huge.npy")], timeout=100, capture_output=True, text=True,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
