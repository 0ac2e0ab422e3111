# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gsttomo.reconstruction: arrays and files give the same bytes, arrays of all kinds, what it tells and shows, errors."""

import ast
import asyncio
import contextlib
import gc
import inspect
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings
import weakref

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
import h5py
import numpy as np

import gsttomo
from gsttomo import reconstruction
from gsttomo.reconstruction import (Aborted, Done, Error, ParameterError, Preview, Progress, estimate_axis, reconstruct,
                                    run, sweep)
from phantom_scan import AXIS, ROWS, VIEWS, WIDTH, Scan

DATASET = "entry/data/data"


def data_of(file):
    with h5py.File(file) as opened:
        return opened[DATASET][()]


class InFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        before, folder = os.getcwd(), tempfile.mkdtemp(prefix="gst-tomo-")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.addClassCleanup(os.chdir, before)
        os.chdir(folder)
        cls.scan = scan = Scan()
        scan.nxtomo("scan.nxs")
        cls.arrays = {"darks": scan.darks, "flats": scan.flats, "angles": np.rad2deg(scan.angles)}
        cls.slices = reconstruct("scan.nxs", axis=AXIS)

    def reconstruct(self, projections=None, **more):
        return reconstruct(self.scan.projections if projections is None else projections, **{"axis": AXIS, **self.arrays, **more})


class Arrays(InFolder):
    """The same bytes as from a file."""

    def test_as_from_files(self):
        self.assertEqual(self.slices.shape, (ROWS, WIDTH, WIDTH))
        reconstruct("scan.nxs", axis=AXIS, output="file.h5")
        np.testing.assert_array_equal(self.slices, data_of("file.h5"))
        np.testing.assert_array_equal(self.reconstruct(), self.slices)
        file = self.reconstruct(output="from-arrays.h5")
        self.assertEqual((file, file.dataset), ("from-arrays.h5", "/" + DATASET))
        np.testing.assert_array_equal(data_of("from-arrays.h5"), self.slices)

    def test_axis_is_found_in_arrays(self):
        found = self.reconstruct(axis=None)
        np.testing.assert_array_equal(found, reconstruct("scan.nxs"))
        self.assertAlmostEqual(found.axis, AXIS, delta=0.1)

    def test_rows_slabs_and_steps(self):
        """As in the command line; slabs go to their places without a file."""
        for choice in ({"y": 3, "height": 5}, {"slice": "middle"}, {"start": 2, "number": 70, "step": 2}, {"binning": 2}, {"outliers": 0.5},
                       {"memory": 5 * 2 * 4 * WIDTH * VIEWS, "outliers": 0.5}):
            with self.subTest(choice):
                np.testing.assert_array_equal(self.reconstruct(**choice), reconstruct("scan.nxs", axis=AXIS, **choice))
        self.assertFalse([name for name in os.listdir(".") if "slabs" in name or name.startswith("memory")])

    def test_results_of_other_kinds(self):
        for result, shape in (("sinograms", (ROWS, VIEWS, WIDTH)), ("projections", (VIEWS, ROWS, WIDTH))):
            told = self.reconstruct(result=result, axis=None)
            self.assertEqual(told.shape, shape)
            np.testing.assert_array_equal(told, reconstruct("scan.nxs", result=result))
        integers = self.reconstruct(output_bitdepth=16, output_minimum=-0.01, output_maximum=0.05)
        self.assertEqual(integers.dtype, np.uint16)
        np.testing.assert_allclose(integers / 65535 * 0.06 - 0.01, np.clip(self.slices, -0.01, 0.05), atol=1e-6)
        with self.assertRaisesRegex(Error, "output-minimum"):
            self.reconstruct(output_bitdepth=16)

    def test_sinograms(self):
        sinograms = reconstruct("scan.nxs", result="sinograms")
        np.save("sinograms.npy", np.asarray(sinograms))
        choice = {"axis": AXIS, "range_degrees": 180}
        expected = reconstruct(sinograms="sinograms.npy", **choice)
        np.testing.assert_array_equal(reconstruct(sinograms=sinograms, **choice), expected)
        # Projections of another program, without a copy of what lies in another order.
        np.testing.assert_array_equal(
            reconstruct(sinograms=np.moveaxis(np.ascontiguousarray(np.moveaxis(sinograms, 0, 1)), 1, 0), **choice), expected)
        np.testing.assert_array_equal(reconstruct(sinograms=np.asarray(sinograms)[4], **choice),
                                      reconstruct(sinograms="sinograms.npy", y=4, height=1, **choice))

    def test_begin_of_iterations(self):
        """Slices and masks are arrays like others."""
        choice = {"method": "sirt", "subsets": 5, "y": 4, "height": 3}
        before, whole = (self.reconstruct(**choice, num_iterations=number) for number in (2, 5))
        np.testing.assert_array_equal(self.reconstruct(**choice, num_iterations=3, initial=before), whole)
        mask = np.arange(WIDTH * WIDTH).reshape(WIDTH, WIDTH) % 3 == 0
        masked = self.reconstruct(**choice, num_iterations=3, initial=before, mask=mask)
        np.testing.assert_array_equal(masked[:, ~mask], before[:, ~mask])
        self.assertTrue(np.any(masked[:, mask] != before[:, mask]))
        with self.assertRaisesRegex(Error, "initial=.*wanted one image for all slices, or 3"):
            self.reconstruct(**choice, initial=np.zeros((2, WIDTH, WIDTH)))
        with self.assertRaisesRegex(ParameterError, "mask.*slices, rows, columns"):
            self.reconstruct(**choice, mask=np.zeros(WIDTH))

    def test_types(self):
        """As a file of that type; types that no stream has become the nearest one."""
        wide = {"angles": self.arrays["angles"], "axis": AXIS, "flat_correction": False, "absorptivity": False, "y": 5, "height": 2}
        projections = self.scan.projections // 300
        for name in ("uint8", "uint16", "uint32", "int16", "int32", "float16", "float32", "float64"):
            with self.subTest(name), warnings.catch_warnings():
                warnings.simplefilter("ignore", reconstruction.Warning)
                array = projections.astype(name)
                with h5py.File(f"{name}.h5", "w") as file:
                    file["data"] = array
                np.testing.assert_array_equal(reconstruct(array, **wide), reconstruct(f"{name}.h5:/data", **wide))
                np.testing.assert_array_equal(reconstruct(array.astype(array.dtype.newbyteorder()), **wide), reconstruct(array, **wide))
        expected = self.reconstruct()
        for name in ("int64", "uint64"):
            np.testing.assert_array_equal(self.reconstruct(self.scan.projections.astype(name)),
                                          self.reconstruct(self.scan.projections.astype("int32" if name == "int64" else "uint32")))
        np.testing.assert_array_equal(self.reconstruct(self.scan.projections.astype(float), flats=self.scan.flats.astype(np.float32)),
                                      expected)
        with self.assertRaisesRegex(ParameterError, "projections.*does not fit"):
            self.reconstruct(self.scan.projections.astype(np.int64) << 40)

    def test_layouts(self):
        """Arrays are read where they are; those that can't be are copied."""
        projections = self.scan.projections
        large = np.zeros((VIEWS, ROWS + 7, WIDTH + 11), np.uint16)
        large[:, 3:3 + ROWS, 5:5 + WIDTH] = projections
        twice = np.repeat(projections, 2, 0)
        cases = {"a part of each image": large[:, 3:3 + ROWS, 5:5 + WIDTH], "every other view": twice[::2],
                 "rows outside of views": np.moveaxis(np.ascontiguousarray(np.moveaxis(projections, 0, 1)), 1, 0),
                 "Fortran order": np.asfortranarray(projections), "columns with gaps": np.repeat(projections, 2, 2)[:, :, ::2],
                 "backwards": projections[::-1].copy()[::-1], "read only": np.frombuffer(projections.tobytes(), np.uint16).reshape(projections.shape)}
        from gsttomo import _job

        for name, array in cases.items():
            with self.subTest(name):
                is_copied = not np.shares_memory(_job.as_lent("projections", array), array)
                self.assertEqual(is_copied, name in ("Fortran order", "columns with gaps", "backwards"))
                np.testing.assert_array_equal(self.reconstruct(array), self.slices)
        np.testing.assert_array_equal(self.reconstruct(darks=self.scan.darks[0], flats=np.broadcast_to(self.scan.flats[:1], (3, ROWS, WIDTH))),
                                      self.slices)
        np.testing.assert_array_equal(self.reconstruct(projections.tolist()), self.reconstruct(projections.astype(np.int64)))

    def test_room_for_the_result(self):
        out = np.full((ROWS, WIDTH, WIDTH), np.nan, np.float32)
        result = self.reconstruct(out=out)
        self.assertTrue(np.shares_memory(result, out))
        np.testing.assert_array_equal(out, self.slices)
        for wrong in (np.empty((ROWS, WIDTH, WIDTH + 1), np.float32), np.empty((ROWS, WIDTH, WIDTH)), np.empty((ROWS - 1, WIDTH, WIDTH), np.float32)):
            with self.assertRaisesRegex(Error, f"the result is float32 {WIDTH}"):
                self.reconstruct(out=wrong)
        for wrong in (np.asfortranarray(out), np.frombuffer(out.tobytes(), np.float32).reshape(out.shape), "out.h5", out[0, 0]):
            with self.assertRaisesRegex(ParameterError, "out is no array"):
                self.reconstruct(out=wrong)
        with self.assertRaisesRegex(TypeError, "both out and output"):
            self.reconstruct(out=out, output="x.h5")

    def test_the_result_is_an_own_array(self):
        result = self.reconstruct()
        result += 1
        self.assertTrue(result.flags.writeable and result.flags.c_contiguous)
        np.testing.assert_array_equal(self.reconstruct() + 1, result)
        self.assertEqual(np.asarray(result).sum(), result.sum())

    def test_wrong_arrays(self):
        projections = self.scan.projections
        for wrong, words in ((projections[0], r"projections.*\(12, 90\).*\(views, rows, columns\)"), (projections[None], "shape"),
                             (projections[:0], "shape"), (projections.astype(complex), "complex128"), (projections.astype(np.complex64), "complex64"),
                             (np.array([["a"]]), "type"), (np.empty((3, 0, 5)), "shape"), (projections.astype(object), "object"),
                             (np.ma.masked_equal(projections, projections[0, 0, 0]), "masked")):
            with self.subTest(words), self.assertRaisesRegex(ParameterError, words):
                self.reconstruct(wrong)
        for wrong, words in (({"darks": self.scan.darks[:, :, 1:]}, "a dark has 89 x 12"), ({"flats": self.scan.flats[:, :5]}, "90 x 5"),
                             ({"angles": self.arrays["angles"][1:]}, "121 projections.*120 angles"), ({"angles": np.zeros((3, 3))}, r"angles.*\(views,\)"),
                             ({"flats": None, "darks": None}, "no flats"), ({"sinograms": projections}, "leave one of them out")):
            with self.subTest(words), self.assertRaisesRegex(Error, words):
                self.reconstruct(**wrong)
        huge = np.broadcast_to(np.ones(131072, np.float32), (100000, 100000, 131072))
        with self.assertRaisesRegex(Error, "memory"):
            reconstruct(huge, axis=1, flat_correction=False, range_degrees=180, slice="middle")

    def test_shifts(self):
        """Displacements are an array as well, of any type and order."""
        shifts = np.random.default_rng(5).integers(-2, 3, (len(self.scan.angles), 2))
        np.savetxt("shifts.txt", shifts)
        wanted = reconstruct("scan.nxs", axis=AXIS, shifts="shifts.txt")
        self.assertGreater(np.abs(wanted - self.slices).max(), 0.01 * np.abs(wanted).max())
        for given in shifts, shifts.astype(np.int8)[:, ::-1][:, ::-1], np.asfortranarray(shifts, np.float32), shifts.tolist():
            np.testing.assert_array_equal(self.reconstruct(shifts=given), wanted)
            np.testing.assert_array_equal(reconstruct("scan.nxs", axis=AXIS, shifts=given), wanted)
        lost = shifts.astype(float)
        lost[5, 1] = np.nan
        for wrong, words in ((shifts[1:], "121 projections.*120 displacements"), (lost, "projection 5 .*no finite number"),
                             (shifts.T, r"shifts.*\(views, 2\)"), (shifts.ravel(), r"shifts.*\(views, 2\)"), (shifts + 0j, "complex")):
            with self.subTest(words), self.assertRaisesRegex(Error, words):
                self.reconstruct(shifts=wrong)

    def test_memory_is_let_go(self):
        def once():
            projections, flats = self.scan.projections.copy(), self.scan.flats.copy()
            result = self.reconstruct(projections, flats=flats, slice="middle")
            return [weakref.ref(projections), weakref.ref(flats), weakref.ref(result)]

        once()
        lent = [reference for _ in range(50) for reference in once()]
        gc.collect()
        self.assertEqual([r for r in lent if r() is not None], [])
        with self.assertRaises(Error):
            self.reconstruct(self.scan.projections.copy(), flats=self.scan.flats[:, 1:])
        gc.collect()
        from gsttomo import _arrays

        self.assertEqual(len(_arrays._lent), 0)

    def test_names_of_memory_end_with_it(self):
        with self.assertRaisesRegex(Error, "nobody in this process lends"):
            reconstruct("memory:projections-1", axis=AXIS, flat_correction=False)

    def test_several_at_once(self):
        results = [None] * 4

        def work(i):
            results[i] = self.reconstruct(flats=self.scan.flats + np.uint16(i))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        np.testing.assert_array_equal(results[0], self.slices)
        for i in range(1, 4):
            np.testing.assert_array_equal(results[i], self.reconstruct(flats=self.scan.flats + np.uint16(i)))


class Parameters(InFolder):
    def test_names_and_values(self):
        for wrong, words in (({"axs": 3}, r"reconstruct\(\) has no parameter 'axs' \(did you mean 'axis'"),
                             ({"range_degree": 3}, "'range_degrees'")):
            with self.assertRaisesRegex(TypeError, words):
                reconstruct("scan.nxs", **wrong)
        for wrong, words in (({"binning": 99}, "16"), ({"rings": "furier"}, "fourier"), ({"axis": "middle"}, "axis")):
            with self.assertRaisesRegex(ParameterError, words):
                reconstruct("scan.nxs", **wrong)
        with self.assertRaisesRegex(TypeError, "axis"):
            reconstruct("scan.nxs", axis=object())
        with self.assertRaisesRegex(TypeError, "name of a file"):
            reconstruct(7)
        with self.assertRaisesRegex(Error, "no scan is named"):
            reconstruct()

    def test_values_of_python(self):
        told = reconstruction.inspect("scan.nxs", height=np.int64(3), absorptivity=True, output_bitdepth=16, axis=None)
        self.assertEqual(told._job.object.get_parameters().split(), '{ "scan": "scan.nxs", "height": 3, "absorptivity": "on", '
                         '"output": "memory:", "output-bitdepth": "16" }'.split())

    def test_signature_and_help(self):
        for function in (reconstruct, run, reconstruction.inspect, estimate_axis, sweep):
            names = list(inspect.signature(function).parameters)
            for name in ("axis", "darks", "projection_filter", "output_bitdepth", "range_degrees"):
                self.assertIn(name, names)
                self.assertIn(f"{name}: ", function.__doc__)
            self.assertNotIn("scan", names)
        self.assertEqual(inspect.signature(reconstruct).parameters["binning"].default, 1)
        self.assertIsNone(inspect.signature(reconstruct).parameters["axis"].default)
        self.assertEqual(set(reconstruction.describe()["properties"]), {spec.name for spec in
                                                                        reconstruction.inspect("scan.nxs")._job.object.list_properties()})
        self.assertIs(gsttomo.reconstruction, reconstruction)
        self.assertIn("reconstruction", dir(gsttomo))

    def test_errors_are_the_first_cause(self):
        for call, words in ((lambda: reconstruct("none.nxs"), "none.nxs"), (lambda: reconstruct("scan.nxs", axis=AXIS, angles="none.txt"), "none.txt"),
                            (lambda: reconstruct("scan.nxs", y=100), "rows of the detector are 12")):
            with self.assertRaisesRegex(Error, words) as caught:
                call()
            self.assertIsInstance(caught.exception, gsttomo.Error)
            self.assertNotIn("g-", str(caught.exception).split()[0])

    def test_warnings(self):
        with self.assertWarnsRegex(reconstruction.Warning, "no-darks"):
            self.reconstruct(darks=None)


class Answers(InFolder):
    def test_scan(self):
        of_file, of_arrays = reconstruction.inspect("scan.nxs"), reconstruction.inspect(self.scan.projections, **self.arrays)
        self.assertEqual((of_file.path, of_arrays.path), ("scan.nxs", None))
        for told in (of_file, of_arrays):
            self.assertEqual((told.projections, told.width, told.height, told.darks, told.flats, told.format), (VIEWS, WIDTH, ROWS, 2, 3, "uint16"))
            self.assertAlmostEqual(told.angle_last, self.scan.angles[-1])
            self.assertIsNone(told.axis)
            self.assertTrue(told.is_usable)
            np.testing.assert_array_equal(told.image(), self.scan.projections[VIEWS // 2])
            self.assertIn("121", repr(told))
            self.assertIn("projections", str(told))
            np.testing.assert_array_equal(reconstruct(told, axis=AXIS), self.slices)
            with self.assertRaisesRegex(AttributeError, "has no 'axs'"):
                told.axs
        bad = reconstruction.inspect(self.scan.projections, flats=self.scan.darks, darks=self.scan.flats)
        self.assertFalse(bad.is_usable)
        self.assertIn("flats-below-darks", [finding.name for finding in bad.findings])

    def test_axis(self):
        found = estimate_axis(self.scan.projections, **self.arrays)
        self.assertAlmostEqual(found.axis, AXIS, delta=0.1)
        self.assertEqual(found.axis, estimate_axis("scan.nxs").axis)
        self.assertEqual(len(found.rows), 12)
        np.testing.assert_array_equal(self.reconstruct(axis=found), self.reconstruct(axis=found.axis))

    def test_sweep(self):
        values, slices = sweep("scan.nxs", parameter="axis=46:48:0.5")
        self.assertEqual(values, [46, 46.5, 47, 47.5, 48])
        self.assertEqual(slices.shape, (5, WIDTH, WIDTH))
        for value, image in zip(values, slices):
            np.testing.assert_array_equal(image, reconstruct("scan.nxs", axis=value, slice="middle")[0])
        of_arrays = sweep(self.scan.projections, parameter="axis=46:48:0.5", **self.arrays)
        np.testing.assert_array_equal(of_arrays.array, slices)
        words, _ = sweep("scan.nxs", parameter="rings=none,fourier", axis=AXIS)
        self.assertEqual(words, ["none", "fourier"])
        self.assertIn("5 slices", repr(of_arrays))
        with self.assertRaisesRegex(TypeError, "parameter"):
            sweep("scan.nxs")

    def test_pictures(self):
        """What a notebook shows is HTML by itself; pictures have the samples' grey."""
        estimate = estimate_axis("scan.nxs")
        shown = [reconstruction.inspect("scan.nxs"), reconstruction.inspect(sinograms=np.ones((3, 5, 7), np.float32)), estimate, self.slices, self.slices[3],
                 sweep("scan.nxs", parameter="axis=46:48:1"), reconstruct("scan.nxs", axis=AXIS, output="shown.h5"),
                 reconstruct("scan.nxs", axis=AXIS, output="shown-%03i.tif")]
        import xml.etree.ElementTree as tree

        for thing in shown:
            with self.subTest(type(thing).__name__):
                html = thing._repr_html_()
                tree.fromstring(f"<div>{html}</div>")  # well-formed
                self.assertEqual("<svg" in html, thing is estimate)
                self.assertEqual("data:image/png" in html, thing is not estimate)
        self.assertIsNone(self.slices[0, 0]._repr_html_())
        self.assertTrue(self.slices[0]._repr_png_().startswith(b"\x89PNG"))
        self.assertIn("µm", reconstruction.Slices(self.slices, AXIS, 1.3e-6)._repr_html_())
        from gsttomo import _show

        y, x = np.mgrid[:13, :17]
        png = gsttomo.Read(path="ramp.png", convert=False)
        with open("ramp.png", "wb") as file:
            file.write(_show.png(x + 17.0 * y, 0, 220))
        np.testing.assert_array_equal(next(iter(png)), np.rint((x + 17.0 * y) / 220 * 255))
        _show.volume(np.full((3, 4, 5), np.nan, np.float32))


class Runs(InFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # So that it takes a while.
        cls.large = np.tile(cls.scan.projections, (1, 30, 6))
        cls.of_large = {"darks": np.tile(cls.scan.darks, (1, 30, 6)), "flats": np.tile(cls.scan.flats, (1, 30, 6)), "axis": 3 * WIDTH,
                        "angles": cls.arrays["angles"]}

    def test_events(self):
        running = run(self.scan.projections, axis=AXIS, **self.arrays)
        events = list(running)
        self.assertEqual((running.status, running.axis), ("done", AXIS))
        self.assertIsInstance(events[-1], Done)
        last = [event for event in events if isinstance(event, Progress)][-1]
        self.assertEqual((last.done, last.total, last.unit), (ROWS, ROWS, "slices"))
        np.testing.assert_array_equal(running.result, self.slices)
        self.assertIn("done", repr(running))

    def test_previews(self):
        running = run(self.large, preview=0.0, **self.of_large)
        previews = [event for event in running if isinstance(event, Preview)]
        # The middle one first, which is made by itself.
        self.assertEqual(previews[0].number, 15 * ROWS)
        for preview in previews:
            np.testing.assert_allclose(preview.image, running.result[preview.number], atol=4e-6 * np.abs(running.result).max())

    def test_abort(self):
        running = run(self.large, **self.of_large)
        with self.assertRaises(Aborted):
            for event in running:
                if isinstance(event, Progress):
                    running.abort()
        self.assertEqual(running.status, "aborted")
        self.assertFalse(running.is_running())

    def test_finish(self):
        running = run(self.large, **self.of_large)
        for event in running:
            if isinstance(event, Progress) and event.done:
                running.finish()
        self.assertEqual(running.status, "finished early")
        some = running.result
        self.assertGreater(len(some), 0)
        np.testing.assert_array_equal(some, self.large_slices()[:len(some)])

    def test_pause(self):
        running = run(self.large, **self.of_large)
        running.pause()
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            self.assertTrue(running._job.object.poll(100))
        done = [event.done for event in running._events if isinstance(event, Progress)]
        self.assertTrue(all(some < 30 * ROWS for some in done), done)
        running.unpause()
        np.testing.assert_array_equal(running.result, self.large_slices())
        self.assertEqual(running.status, "done")

    def large_slices(self):
        if not hasattr(Runs, "_large"):
            Runs._large = reconstruct(self.large, **self.of_large)
        return Runs._large

    def test_leaving_a_loop(self):
        before = threading.active_count()
        with run(self.large, **self.of_large) as running:
            for event in running:
                if isinstance(event, Progress):
                    break
        self.assertFalse(running.is_running())
        for _ in run(self.large, **self.of_large):
            break
        gc.collect()
        self.assertEqual(threading.active_count(), before)

    def test_asyncio(self):
        async def work():
            events, ticks = [], 0

            async def tick():
                nonlocal ticks
                while True:
                    await asyncio.sleep(0.001)
                    ticks += 1

            ticking = asyncio.ensure_future(tick())
            running = run(self.scan.projections, axis=AXIS, **self.arrays)
            async for event in running:
                events.append(event)
            ticking.cancel()
            return running, events, ticks

        running, events, ticks = asyncio.run(work())
        self.assertIsInstance(events[-1], Done)
        self.assertGreater(ticks, 2)
        np.testing.assert_array_equal(running.result, self.slices)

    def test_other_threads_go_on(self):
        count, ending = 0, threading.Event()

        def work():
            nonlocal count
            while not ending.is_set():
                count += 1
                time.sleep(0.0005)

        thread = threading.Thread(target=work)
        thread.start()
        self.reconstruct()
        ending.set()
        thread.join()
        self.assertGreater(count, 10)

    def script(self, text, **options):
        return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    def test_interrupt(self):
        """Ctrl-C ends it with a KeyboardInterrupt, and a file that is not whole has no name."""
        np.save("large.npy", self.large)
        process = self.script("import numpy as np; from gsttomo.reconstruction import *\n"
                              "try:\n"
                              "    for event in run(np.load('large.npy'), flat_correction=False, range_degrees=180, axis=270, output='never.h5'):\n"
                              "        print(event, flush=True)\n"
                              "except KeyboardInterrupt: print('interrupted')")
        while "Progress" not in (line := process.stdout.readline()):
            self.assertTrue(line, process.stderr.read)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(out.splitlines()[-1], "interrupted", err)
        self.assertFalse(os.path.exists("never.h5"))

    def test_a_script_that_ends(self):
        process = self.script("import numpy as np; from gsttomo.reconstruction import *\n"
                              "running = run(np.ones((99, 99, 99), np.float32), flat_correction=False, range_degrees=180, axis=50)\n"
                              "print(next(running))")
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, err), (0, ""))
        self.assertIn("inspect", out)

    def test_progress_in_lines(self):
        process = self.script("import numpy as np; from gsttomo.reconstruction import *; import sys; sys.modules['tqdm'] = None\n"
                              f"reconstruct('scan.nxs', axis={AXIS}, progress=True)")
        _, err = process.communicate(timeout=60)
        self.assertIn(f"{ROWS} of {ROWS} slices", err)


EXAMPLES = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "examples")


def run_notebook(path):
    """Runs its cells one after the other, as Jupyter does; returns what the last expression of each is."""
    with open(path) as file:
        notebook = json.load(file)
    names, shown = {}, []
    for number, cell in enumerate(cell for cell in notebook["cells"] if cell["cell_type"] == "code"):
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"cell {number}", "exec"), names)
        shown.append(eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names) if last else None)
    return notebook, names, shown


class Examples(unittest.TestCase):
    def test_script(self):
        done = subprocess.run([os.path.join(EXAMPLES, "reconstruct-arrays.py")], capture_output=True, text=True, timeout=100)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^axis 296\.\d+ ± 0\.\d+ px, slices \(2, 640, 640\) float32")

    def test_notebook(self):
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(EXAMPLES)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            notebook, names, shown = run_notebook("tooth.ipynb")
        self.assertEqual((notebook["nbformat"], notebook["nbformat_minor"]), (4, 5))
        self.assertEqual(len({cell["id"] for cell in notebook["cells"]}), len(notebook["cells"]))
        self.assertTrue(all(not cell.get("outputs") for cell in notebook["cells"]))
        self.assertAlmostEqual(names["axis"].axis, 296.3, delta=0.5)
        self.assertEqual(names["slices"].shape, (2, 640, 640))
        self.assertIn("the same bytes as from the file: True", out.getvalue())
        pictures = [thing for thing in shown if thing is not None and hasattr(thing, "_repr_html_")]
        self.assertEqual(len(pictures), 6)
        for thing in pictures:
            self.assertTrue(thing._repr_html_())


if __name__ == "__main__":
    unittest.main()
