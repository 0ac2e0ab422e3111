# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gsttomo.tomopy: against calls of TomoPy that were recorded, and exact line integrals; threads, centers, options, arrays of all
kinds, axis finders, linear operators, processes. Where TomoPy is installed, also called by it."""

import ast
import concurrent.futures
import importlib
import inspect
import os
import pathlib
import runpy
import subprocess
import sys
import threading
import time
import types
import unittest
import unittest.mock
import warnings

import numpy as np
import yaml

import gsttomo
import tomoref
from gi.repository import GstTomo
from gsttomo import _arrays, tomopy
from gsttomo._warm import AT_ONCE, KEPT, Line, lines

SEED = int(os.environ.get("GST_TOMO_TEST_SEED", np.random.SeedSequence().entropy % 2**32))
rng = np.random.default_rng(SEED)

try:
    real_tomopy = importlib.import_module("tomopy.recon.algorithm") and sys.modules["tomopy"]
except ImportError:
    real_tomopy = None


def called_by_tomopy(function, tomo, theta, center, ncore=2, nchunk=None, grid=None, options=None, **kwargs):
    """Slices by a function that is called as TomoPy calls it: sinograms first, float32, in threads, one center per slice."""
    sinograms = np.require(tomo.swapaxes(0, 1), np.float32, "AC")
    slices, _, columns = sinograms.shape
    rows, width = grid or (columns, columns)
    centers = np.broadcast_to(np.asarray(center, np.float32), slices)
    recon = np.full((slices, rows, width), 1e-6, np.float32)
    size = -(-slices // ncore) if nchunk is None else nchunk
    parts = [np.s_[first:first + size] for first in range(0, slices, size)] if size else list(range(slices))
    with concurrent.futures.ThreadPoolExecutor(ncore) as workers:
        runs = [workers.submit(function, sinograms[part], centers[part], recon[part], np.float32(theta), num_gridx=rows,
                               num_gridy=width, options=options or {}, **kwargs) for part in parts]
    for run in runs:
        run.result()
    return recon


def likeness(one, other, margin=8):
    """Correlation within the circle that all views see."""
    inside = tomoref.field_of_view(one.shape[-1], one.shape[-1] / 2, margin=margin)
    return np.corrcoef(one[inside], other[inside])[0, 1]


def difference(one, other):
    return float(np.linalg.norm(np.float64(one) - other) / np.linalg.norm(other))


class Discs:
    """Line integrals of discs, and where TomoPy has them: x to the right, y upwards from the middle of the slice."""

    def __init__(self, columns=96, views=150, slices=1, centers=None, span=np.pi):
        self.columns, self.theta = columns, np.arange(views) * span / views
        self.centers = np.broadcast_to(columns / 2 if centers is None else np.asarray(centers, float), slices)
        self.discs = [(11.0, 17.0, 9.0, 0.02), (-15.0, 3.0, 6.0, 0.01), (2.0, -19.0, 7.0, 0.015)]
        # The module's slices have y downwards, so their angles turn the other way.
        ellipses = [tomoref.disc(x, -y, radius, value) for x, y, radius, value in self.discs]
        self.tomo = np.float32([tomoref.line_integrals(ellipses, -self.theta, columns, center) for center in self.centers]).swapaxes(0, 1)

    def mean_in(self, image, disc):
        x, y, radius, _ = disc
        rows, columns = image.shape
        right = np.arange(columns) + 0.5 - columns / 2 - x
        up = rows / 2 - np.arange(rows)[:, None] - 0.5 - y
        return image[right**2 + up**2 < (radius - 3)**2].mean()


class Recordings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with np.load(pathlib.Path(__file__).parent / "data" / "tomopy.npz") as data:
            cls.data = dict(data)

    def slice(self, name, algorithm, center=None, **options):
        center = float(self.data[name + "_center"]) if center is None else center
        return called_by_tomopy(algorithm, self.data[name + "_tomo"], self.data["theta"], center, 1, **options)[0]

    def test_orientation(self):
        for name in ("centred", "off"):
            wanted = self.data[name + "_gridrec_ramlak_padded"]
            for algorithm in (tomopy.fbp, tomopy.dfi):
                ours = self.slice(name, algorithm)
                turned = [np.rot90(image, turns) for image in (wanted, wanted.T) for turns in range(4)]
                self.assertEqual(np.argmax([likeness(ours, image) for image in turned]), 0)
                self.assertGreater(likeness(ours, wanted), 0.96)

    def test_values(self):
        """TomoPy's slices are larger or smaller by these factors, which the documentation tells."""
        inside = tomoref.field_of_view(96, 48.0, margin=8)
        for name in ("centred", "off"):
            for algorithm, recorded, factor, alike in ((tomopy.dfi, "gridrec_ramlak_padded", 1.12, 0.96), (tomopy.fbp, "mlem_10", 0.92, 0.98),
                                                       (tomopy.sirt, "sirt_10", 1.01, 0.99), (tomopy.mlem, "mlem_10", 0.99, 0.98)):
                options = {"num_iter": 10} if algorithm in (tomopy.sirt, tomopy.mlem) else {}
                ours, wanted = self.slice(name, algorithm, **options), self.data[f"{name}_{recorded}"]
                found = (ours[inside] @ wanted[inside]) / (ours[inside] @ ours[inside])
                with self.subTest(name=name, algorithm=algorithm.__name__):
                    self.assertAlmostEqual(found, factor, delta=0.06)
                    self.assertGreater(likeness(ours, wanted), alike)

    def test_fbp_of_tomopy_does_not_filter(self):
        for name in ("centred", "off"):
            wanted = self.data[name + "_fbp_ramlak"]
            self.assertGreater(likeness(self.slice(name, tomopy.fbp, filter_name="none"), wanted), 0.99)

    def test_centers_are_edges(self):
        """Of centers a quarter of a pixel apart, TomoPy's own is the best: neither is half a pixel off."""
        for name in ("centred", "off"):
            center = float(self.data[name + "_center"])
            for recorded, options in (("fbp_ramlak", {"filter_name": "none"}), ("mlem_10", {}), ("sirt_10", {})):
                offsets = np.array([-0.5, -0.25, 0, 0.25, 0.5])
                found = [likeness(self.slice(name, tomopy.fbp, center + offset, **options), self.data[f"{name}_{recorded}"])
                         for offset in offsets]
                with self.subTest(name=name, recorded=recorded):
                    self.assertEqual(offsets[np.argmax(found)], 0)

    def test_axis_finders(self):
        tomo, center = self.data["off_tomo"], float(self.data["off_center"])
        theta = self.data["theta"]
        self.assertAlmostEqual(tomopy.find_center_vo(tomo, smin=-8, smax=8, theta=theta), center, delta=0.1)
        self.assertAlmostEqual(tomopy.find_center(tomo, theta), center, delta=0.2)


class Truth(unittest.TestCase):
    def test_discs(self):
        """Each at its place and with its attenuation, wherever the axis is on the detector."""
        for columns, center in ((96, None), (97, 41.3), (96, 52.75)):
            scan = Discs(columns, centers=center)
            for algorithm, options in (("fbp", {}), ("dfi", {}), ("sirt", {"num_iter": 20, "num_block": 10}), ("cgls", {"num_iter": 15}),
                                       ("sart", {"num_iter": 10}), ("mlem", {"num_iter": 10, "num_block": 10})):
                image = tomopy.recon(scan.tomo, scan.theta, center, algorithm=algorithm, **options)[0]
                for disc in scan.discs:
                    with self.subTest(columns=columns, center=center, algorithm=algorithm, disc=disc):
                        self.assertAlmostEqual(scan.mean_in(image, disc) / disc[3], 1, delta=0.05 if options else 0.01)

    def test_whole_turn(self):
        scan = Discs(centers=44.6, span=2 * np.pi, views=300)
        image = tomopy.recon(scan.tomo, scan.theta, 44.6)[0]
        for disc in scan.discs:
            self.assertAlmostEqual(scan.mean_in(image, disc) / disc[3], 1, delta=0.01)

    def test_region(self):
        scan = Discs(columns=64, centers=30.2)
        whole = tomopy.recon(scan.tomo, scan.theta, 30.2, num_gridx=80, num_gridy=80)[0]
        for rows, columns in ((40, 80), (64, 64), (80, 22), (2, 2)):
            part = called_by_tomopy(tomopy.fbp, scan.tomo, scan.theta, 30.2, grid=(rows, columns))[0]
            top, left = (80 - rows) // 2, (80 - columns) // 2
            self.assertEqual(part.shape, (rows, columns))
            self.assertLess(abs(part - whole[top:top + rows, left:left + columns]).max(), 1e-5 * whole.max())

    def test_slice_axis(self):
        scan = Discs(columns=64, centers=30.25)
        wanted = tomopy.recon(scan.tomo, scan.theta, 30.25, num_gridx=80, num_gridy=80)[0]
        shifted = tomopy.recon(scan.tomo, scan.theta, 30.25, num_gridx=70, num_gridy=70, slice_axis_pos=40)[0]
        self.assertLess(difference(shifted, wanted[:70, :70]), 1e-5)

    def test_filters(self):
        """Those of TomoPy, as formulas in cycles per pixel, on the spectrum of the continued row."""
        scan = Discs(columns=64)
        rows = scan.tomo[:, 0].astype(float)
        padded = np.concatenate([rows, np.repeat(rows[:, -1:], 32, 1), np.repeat(rows[:, :1], 32, 1)], 1)
        f = np.abs(np.fft.fftfreq(128))
        for name, parameters, window in (("hamming", None, 0.54 + 0.46 * np.cos(2 * np.pi * f)),
                                         ("hamming", [1.6], 0.54 + 0.46 * np.cos(2 * np.pi * f / 1.6)),
                                         ("butterworth", None, 1 / (1 + (f / 0.5)**16)), ("butterworth", [0.2, 3], 1 / (1 + (f / 0.2)**6))):
            filtered = np.fft.ifft(np.fft.fft(padded) * f * window).real[:, None, :64]
            wanted = tomopy.recon(filtered, scan.theta, filter_name="none")
            given = {} if parameters is None else {"filter_par": np.array(parameters, np.float32)}
            with self.subTest(name=name, parameters=parameters):
                self.assertLess(difference(tomopy.recon(scan.tomo, scan.theta, filter_name=name, **given), wanted), 1e-5)
        plain = np.fft.ifft(np.fft.fft(padded) * tomoref.ramp_fromreal(128)).real[:, None, :64]
        wanted = tomopy.recon(plain, scan.theta, filter_name="none")
        self.assertLess(difference(tomopy.recon(scan.tomo, scan.theta, filter_name="ramlak"), wanted), 1e-5)
        self.assertLess(difference(tomopy.recon(scan.tomo, scan.theta), wanted), 1e-5)

    def test_options_are_those_of_the_elements(self):
        tomo = rng.random((20, 2, 24), np.float32)
        theta = np.linspace(0, np.pi, 20, endpoint=False)
        for algorithm, options, task in (
                ("sirt", {"num_iter": 3, "num_block": 4, "relaxation": 0.7}, gsttomo.Sirt(num_iterations=3, subsets=4, relaxation=0.7)),
                ("mlem", {"num_iter": np.int32(4), "num_block": 2}, gsttomo.Mlem(num_iterations=4, subsets=2)),
                ("sart", {"num_iter": 2, "view_order": "sequential"}, gsttomo.Sart(num_iterations=2, view_order="sequential")),
                ("cgls", {"num_iter": 3}, gsttomo.Cgls(num_iterations=3)),
                ("dfi", {"filter_name": "butterworth", "filter_par": [0.3, 4]}, gsttomo.Dfi(filter="butterworth", cutoff=0.3, order=4))):
            task.angle_step = -np.pi / 20
            wanted = np.array(list(task(np.ascontiguousarray(tomo.swapaxes(0, 1)))))
            with self.subTest(algorithm=algorithm):
                self.assertLess(difference(tomopy.recon(tomo, theta, algorithm=algorithm, **options), wanted), 1e-5)
                ours = called_by_tomopy(getattr(tomopy, algorithm), tomo, theta, 12, options=options)
                self.assertLess(difference(ours, wanted), 1e-5)


class Threads(unittest.TestCase):
    def test_any_number_of_cores(self):
        scan = Discs(columns=64, views=60, slices=13, centers=np.linspace(29, 34, 13))
        tomo = scan.tomo + rng.normal(0, 0.01, scan.tomo.shape).astype(np.float32)
        for algorithm in (tomopy.fbp, tomopy.dfi, tomopy.sirt):
            wanted = np.concatenate([called_by_tomopy(algorithm, tomo[:, n:n + 1], scan.theta, scan.centers[n], 1) for n in range(13)])
            for ncore, nchunk in ((1, None), (2, None), (4, None), (4, 1), (3, 5), (2, 0)):
                with self.subTest(algorithm=algorithm.__name__, ncore=ncore, nchunk=nchunk):
                    self.assertLess(difference(called_by_tomopy(algorithm, tomo, scan.theta, scan.centers, ncore, nchunk), wanted), 1e-5)
        ours = tomopy.recon(tomo, scan.theta, scan.centers, ncore=4, nchunk=2)
        self.assertLess(difference(ours, called_by_tomopy(tomopy.fbp, tomo, scan.theta, scan.centers, 1)), 1e-5)

    def test_one_center(self):
        """More slices than are computed together, each a multiple of one."""
        scan = Discs(columns=64, views=60, centers=30.3)
        factors = rng.uniform(0.5, 1.5, (40, 1, 1)).astype(np.float32)
        tomo = (scan.tomo.swapaxes(0, 1) * factors).swapaxes(0, 1)
        wanted = tomopy.recon(scan.tomo, scan.theta, 30.3) * factors
        for ncore in (1, 2, 4):
            self.assertLess(difference(called_by_tomopy(tomopy.fbp, tomo, scan.theta, 30.3, ncore), wanted), 1e-5)

    def test_many_at_once(self):
        """Other sizes and methods in each thread, again and again, leave nothing behind."""
        tomopy.release()
        context = GstTomo.Context.new(None)  # the device of all pipelines, while somebody has it
        scans = [Discs(columns=columns, views=40, slices=3) for columns in (32, 33, 48)]
        wanted = {}
        work = [(number, algorithm) for number in range(3) for algorithm in ("fbp", "dfi", "cgls")]
        for number, algorithm in work:
            wanted[number, algorithm] = tomopy.recon(scans[number].tomo, scans[number].theta, algorithm=algorithm)
        failures = []

        def one(seed):
            order = np.random.default_rng(seed)
            for _ in range(6):
                number, algorithm = work[order.integers(len(work))]
                ours = tomopy.recon(scans[number].tomo, scans[number].theta, algorithm=algorithm)
                if difference(ours, wanted[number, algorithm]) > 1e-5:
                    failures.append((number, algorithm))

        threads = [threading.Thread(target=one, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        self.assertFalse(any(thread.is_alive() for thread in threads))
        self.assertEqual(failures, [])
        self.assertLessEqual(len(lines._waiting), KEPT)
        self.assertFalse(lines._working)
        self.assertFalse(_arrays._lent)
        tasks, used = len(os.listdir("/proc/self/task")), context.get_default_device().get_memory_in_use()
        tomopy.release()
        self.assertLess(len(os.listdir("/proc/self/task")), tasks)
        self.assertGreater(used, 0)
        self.assertEqual(context.get_default_device().get_memory_in_use(), 0)

    def test_little_memory(self):
        """What waits for the next call gives way to what wants the memory now."""
        done = subprocess.run([sys.executable, "-c", """
import numpy as np
from gsttomo import tomopy
from gsttomo._warm import lines
tomo, theta = np.ones((60, 6, 512), np.float32), np.arange(60) * np.pi / 60
for algorithm, options in (("dfi", {}), ("fbp", {}), ("sirt", {"num_iter": 2})):
    tomopy.recon(tomo, theta, algorithm=algorithm, **options)
print(len(lines._waiting))
"""], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100, env={**os.environ, "GST_TOMO_MEMORY_LIMIT": "48M"})
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertLess(int(done.stdout), 3)

    def test_devices(self):
        scan = Discs(columns=32, views=30, slices=5)
        wanted = tomopy.recon(scan.tomo, scan.theta)
        for device in (0, "0", "all", ["0", 0]):
            self.assertLess(difference(tomopy.recon(scan.tomo, scan.theta, device=device, ncore=3), wanted), 1e-5)
            self.assertLess(difference(called_by_tomopy(tomopy.fbp, scan.tomo, scan.theta, 16, options={"device": device}), wanted), 1e-5)

    def test_few_at_once(self):
        """More threads than a device computes for at once wait for their turn."""
        scan = Discs(columns=64, views=60, slices=16)
        busy, most, run = [], [], Line.run

        def counted(line, *args):
            busy.append(line)
            most.append(len(busy))
            time.sleep(0.02)
            try:
                return run(line, *args)
            finally:
                busy.pop()

        with unittest.mock.patch.object(Line, "run", counted):
            called_by_tomopy(tomopy.sirt, scan.tomo, scan.theta, 32, 8, 1, num_iter=2)
        self.assertEqual(max(most), AT_ONCE)

    def test_an_error_in_a_thread(self):
        scan = Discs(columns=32, views=30, slices=4)
        with self.assertRaisesRegex(gsttomo.Error, "one direction"):
            called_by_tomopy(tomopy.fbp, scan.tomo, scan.theta * 0, 16, 4, 1)
        with self.assertRaisesRegex(gsttomo.Error, "one direction"):
            tomopy.recon(scan.tomo, scan.theta * 0, ncore=4)
        self.assertLess(difference(called_by_tomopy(tomopy.fbp, scan.tomo, scan.theta, 16, 4, 1), tomopy.recon(scan.tomo, scan.theta)), 1e-5)

    def test_warnings(self):
        scan = Discs(columns=32, views=30)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            tomopy.recon(scan.tomo, scan.theta / 3)
            self.assertEqual(len(told), 1)  # at the end of the call to which it belongs
            tomopy.recon(scan.tomo, scan.theta / 3)
        self.assertEqual(len(told), 1)
        self.assertRegex(str(told[0].message), "wedge|cover|degrees")


class Arrays(unittest.TestCase):
    def setUp(self):
        self.scan = Discs(columns=48, views=50, slices=3, centers=23.4)
        self.wanted = self.recon(self.scan.tomo)

    def recon(self, tomo, **options):
        return tomopy.recon(tomo, self.scan.theta, 23.4, **options)

    def test_orders_and_types(self):
        sinograms = self.scan.tomo.swapaxes(0, 1)
        integers = np.round((self.scan.tomo + 0.5) * 1000)
        wanted = self.recon(integers)
        kinds = [(self.recon(sinograms, sinogram_order=True), self.wanted), (self.recon(self.scan.tomo.astype(np.float64)), self.wanted),
                 (self.recon(np.asfortranarray(self.scan.tomo)), self.wanted), (self.recon(self.scan.tomo[::-1][::-1]), self.wanted),
                 (self.recon(self.scan.tomo.astype(">f4")), self.wanted), (self.recon(np.repeat(self.scan.tomo, 2, 2)[..., ::2]), self.wanted),
                 (self.recon(self.scan.tomo[:, ::-1])[::-1], self.wanted), (self.recon(integers.astype(np.uint16)), wanted),
                 (self.recon(integers.astype(np.int64)), wanted), (self.recon(integers.tolist()), wanted)]
        for number, (ours, right) in enumerate(kinds):
            with self.subTest(number=number):
                self.assertEqual((ours.dtype, ours.shape), (np.dtype(np.float32), (3, 48, 48)))
                self.assertLess(difference(ours, right), 1e-5)

    def test_no_copies(self):
        """What lies in memory as cameras, files and TomoPy leave it is read where it is."""
        seen = []

        def remembered(array, *args, **kwargs):
            seen.append(array)
            return _arrays.lent(array, *args, **kwargs)

        shared = np.zeros(self.scan.tomo.shape, np.float32)
        for tomo in (self.scan.tomo, np.ascontiguousarray(self.scan.tomo).astype(np.uint16), shared[::2], shared[:, ::-1], shared[..., 5:30]):
            tomo.setflags(write=False)
            with unittest.mock.patch("gsttomo._warm.lent", remembered):
                seen.clear()
                tomopy.recon(tomo, self.scan.theta[:len(tomo)])
            self.assertEqual(len(seen), 3)
            self.assertTrue(all(np.may_share_memory(array, tomo) for array in seen))

    def test_shared_memory(self):
        from multiprocessing import shared_memory
        tomo = np.ascontiguousarray(self.scan.tomo.swapaxes(0, 1))
        given, taken = (shared_memory.SharedMemory(create=True, size=size) for size in (tomo.nbytes, self.wanted.nbytes))
        try:
            ours = np.ndarray(tomo.shape, np.float32, given.buf)
            ours[:] = tomo
            recon = np.ndarray(self.wanted.shape, np.float32, taken.buf)
            recon[:] = 0
            tomopy.fbp(ours, np.float32([23.4] * 3), recon, self.scan.theta)
            self.assertLess(difference(recon, self.wanted), 1e-5)
            del ours, recon
        finally:
            for memory in (given, taken):
                memory.close()  # which fails where somebody still reads it
                memory.unlink()

    def test_out(self):
        for out in (np.empty((3, 48, 48)), np.empty((48, 48, 3), np.float32).transpose(2, 0, 1), np.empty((6, 48, 48), np.float32)[::2]):
            self.assertIs(self.recon(self.scan.tomo, out=out), out)
            self.assertLess(difference(out, self.wanted), 1e-5)

    def test_nan(self):
        tomo = self.scan.tomo.copy()
        tomo[7, 1, 20] = np.nan
        for algorithm in ("fbp", "dfi"):
            ours = self.recon(tomo, algorithm=algorithm)
            self.assertTrue(np.isnan(ours[1]).any())
            self.assertTrue(np.isfinite(ours[[0, 2]]).all())

    def test_one_of_each(self):
        for views, slices, columns in ((3, 1, 1), (5, 2, 1), (7, 1, 3), (2, 3, 17)):
            for algorithm in ("fbp", "dfi", "sirt"):
                ours = tomopy.recon(np.ones((views, slices, columns), np.float32), np.arange(views) * np.pi / views, algorithm=algorithm)
                self.assertEqual(ours.shape, (slices, columns, columns))
                self.assertTrue(np.isfinite(ours).all())


class WrongArguments(unittest.TestCase):
    def test_they_are_named(self):
        tomo, theta = np.ones((12, 2, 16), np.float32), np.arange(12) * np.pi / 12

        def recon(*args, **options):
            return lambda: tomopy.recon(*(args or (tomo, theta)), **options)

        def call(function=tomopy.sirt, recon=None, center=8.0, **options):
            recon = np.zeros((2, 16, 16), np.float32) if recon is None else recon
            return lambda: function(tomo.swapaxes(0, 1), center, recon, theta, **options)

        read_only = np.zeros((2, 16, 16), np.float32)
        read_only.setflags(write=False)
        for given, error, words in (
                (recon(filter_name="shepp"), ValueError, "shepp.*TomoPy's.*ramlak, ramp, hamming, butterworth, none"),
                (recon(filter_name="ramlack"), ValueError, "ramlack"),
                (recon(filter_name="hamming", filter_par=[0.5]), ValueError, r"\[1\] to \[2\]"),
                (recon(filter_name="ramlak", filter_par=[0.5]), ValueError, "takes no number"),
                (recon(filter_name="hamming", cutoff=0.4), TypeError, "cutoff and filter_par"),
                (recon(filter_name="hamming", filter="ramp"), TypeError, "filter and filter_name"),
                (recon(algorithm="dfi", filter_name="none"), ValueError, "fbp with filter_name='none'"),
                (recon(num_iter=3), TypeError, "fbp.*no option 'num_iter'"),
                (recon(algorithm="sirt", num_itre=3), TypeError, "did you mean 'num_iter'"),
                (recon(algorithm="sirt", num_iter=3, num_iterations=4), TypeError, "the same"),
                (recon(algorithm="sirt", num_iter=3, options={"num_iter": 3}), TypeError, "twice"),
                (recon(algorithm="sirt", num_iter=0), ValueError, "num-iterations.*1 to"),
                (recon(algorithm="sirt", relaxation=object()), TypeError, "relaxation="),
                (recon(options=[3]), TypeError, "wanted a dict"),
                (recon(axis_pos=3), TypeError, "axis_pos.*center decides"),
                (recon(mode="joseph"), ValueError, "OpTomo"),
                (recon(mode="linaer"), ValueError, "linear"),
                (recon(device="abacus"), gsttomo.Error, "abacus"),
                (recon(slice_axis_pos=0), ValueError, "above 0"),
                (recon(algorithm="gridrec"), ValueError, "take dfi"),
                (recon(algorithm="sitr"), ValueError, "did you mean 'sirt'"),
                (recon(algorithm=print), ValueError, "print"),
                (recon(init_recon=np.zeros((2, 16, 16))), ValueError, "init_recon"),
                (recon(ncore=0), ValueError, "ncore=0"),
                (recon(nchunk=1.5), ValueError, "nchunk=1.5"),
                (recon(num_gridx=15), ValueError, "both are even"),
                (recon(num_gridx=0, num_gridy=16), ValueError, "at least 1"),
                (recon(center=[8.0] * 3), ValueError, "each of 2 slices"),
                (recon(center=np.nan), ValueError, "not finite"),
                (recon(center="middle"), ValueError, "center"),
                (recon(tomo, theta[:-1]), ValueError, "12 numbers"),
                (recon(tomo, theta * np.nan), ValueError, r"theta\[0\]"),
                (recon(tomo[0], theta), ValueError, r"\(views, slices, columns\)"),
                (recon(tomo * 1j, theta), ValueError, "real"),
                (recon(tomo[:0], theta[:0]), ValueError, "shape"),
                (recon(np.array([["a"]]), theta), ValueError, "tomo"),
                (recon(out=np.zeros((2, 16, 17), np.float32)), ValueError, "wanted"),
                (call(recon=read_only), ValueError, "writable"),
                (call(recon=np.zeros((2, 16, 15), np.float32), num_gridx=16, num_gridy=16), ValueError, r"\(2, 16, 16\)"),
                (call(recon=np.ones((2, 16, 16), np.float32) * np.arange(16, dtype=np.float32)), ValueError, "init_recon"),
                (call(center=[1.0, 2.0, 3.0]), ValueError, "2 slices")):
            with self.subTest(words=words), self.assertRaisesRegex(error, words):
                given()

    def test_no_such_attribute(self):
        with self.assertRaises(AttributeError):
            tomopy.fpb

    def test_help(self):
        self.assertIn("num_iter", tomopy.sirt.__doc__)
        self.assertIn("filter_name", tomopy.fbp.__doc__)
        self.assertNotRegex(tomopy.fbp.__doc__, r"\baxis_pos|\broi_")


class AxisFinders(unittest.TestCase):
    def test_discs(self):
        for center in (48.0, 45.3, 51.65):
            scan = Discs(slices=13, centers=center)
            with self.subTest(center=center):
                self.assertAlmostEqual(tomopy.find_center(scan.tomo, scan.theta, tol=1), center, delta=0.25)
                self.assertAlmostEqual(tomopy.find_center(scan.tomo.swapaxes(0, 1), scan.theta, ind=2, init=47, tol=1, sinogram_order=True),
                                       center, delta=0.25)
                self.assertAlmostEqual(tomopy.find_center_vo(scan.tomo, smin=-9, smax=9, theta=scan.theta), center, delta=0.1)
                self.assertAlmostEqual(tomopy.find_center_vo(scan.tomo[:, 3], smin=-9, smax=9, theta=scan.theta), center, delta=0.1)
                pair = Discs(views=2, span=2 * np.pi, slices=5, centers=center).tomo
                self.assertAlmostEqual(tomopy.find_center_pc(pair[0], pair[1]), center, delta=0.1)
                self.assertAlmostEqual(tomopy.find_center_pc(pair[0], pair[1], rotc_guess=47), center, delta=0.1)

    def test_both_ends(self):
        """Without angles the last view is half a turn from the first one, as TomoPy takes it."""
        scan = Discs(centers=45.3)
        theta = np.linspace(0, np.pi, 151)
        ellipses = [tomoref.disc(x, -y, radius, value) for x, y, radius, value in scan.discs]
        sinogram = np.float32(tomoref.line_integrals(ellipses, -theta, 96, 45.3))
        self.assertAlmostEqual(tomopy.find_center_vo(sinogram, smin=-9, smax=9), 45.3, delta=0.1)

    def test_wrong_arguments(self):
        scan = Discs(slices=2)
        tomo, theta = scan.tomo, scan.theta
        for given, words in ((lambda: tomopy.find_center(tomo, theta, ind=2), "slices 0 to 1"),
                             (lambda: tomopy.find_center(tomo, theta, mask=False), "mask"),
                             (lambda: tomopy.find_center(tomo, theta, init=200), "beside"),
                             (lambda: tomopy.find_center(tomo, theta[1:]), "150 numbers"),
                             (lambda: tomopy.find_center_vo(tomo, smin=5, smax=-5), "a range"),
                             (lambda: tomopy.find_center_vo(tomo, srad=6), "srad"),
                             (lambda: tomopy.find_center_vo(tomo, ratio=0.5), "ratio"),
                             (lambda: tomopy.find_center_vo(tomo, step=0.01), "twentieth"),
                             (lambda: tomopy.find_center_pc(tomo[0], tomo[0][:, 1:]), "shapes")):
            with self.subTest(words=words), self.assertRaisesRegex(ValueError, words):
                given()
        with self.assertRaises(gsttomo.Error):
            tomopy.find_center_pc(np.zeros((2, 40), np.float32), np.zeros((2, 40), np.float32))

    def test_an_uncertain_axis_is_told(self):
        scan = Discs()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            tomopy.find_center(scan.tomo, scan.theta, tol=1e-3)
        self.assertTrue(any("tol=0.001" in str(one.message) for one in told))


class Operators(unittest.TestCase):
    def test_transpose(self):
        for columns, side, center, views in ((30, 21, 13.3, 11), (21, 30, 10.5, 5), (17, 17, None, 1), (1, 1, None, 3)):
            operator = tomopy.OpTomo(rng.uniform(-4, 4, views), columns, center, side, side)
            x, y = rng.standard_normal(operator.shape[1]), rng.standard_normal(operator.shape[0])
            ax, aty = operator @ x, operator.H @ y
            with self.subTest(columns=columns, side=side):
                self.assertLess(abs(ax @ y - x @ aty), 1e-5 * np.linalg.norm(ax) * np.linalg.norm(y))

    def test_line_integrals(self):
        """Of a slice of discs, as TomoPy orients it, away from the edges of the discs."""
        columns, center = 128, 58.25
        theta = rng.uniform(0, np.pi, 9)
        fine = (np.arange(128 * 8) + 0.5) / 8 - 64
        disc = tomoref.disc(20.0, 11.0, 25.0, 0.02)  # y downwards
        image = np.float32(((fine - 20)**2 + (fine[:, None] - 11)**2 < 625) * 0.02).reshape(128, 8, 128, 8).mean((1, 3))
        wanted = tomoref.line_integrals([disc], -theta, columns, center)
        ours = tomopy.create_sino(image, theta, center)
        self.assertEqual(ours.shape, (9, 128))
        self.assertLess(difference(ours, wanted), 0.02)
        for offset in (-0.5, 0.5):
            self.assertGreater(difference(tomopy.create_sino(image, theta, center + offset), wanted), 0.03)

    def test_with_slices_of_the_methods(self):
        scan = Discs(centers=45.3, slices=3)
        image = tomopy.recon(scan.tomo, scan.theta, 45.3)
        again = tomopy.create_sino(image, scan.theta, 45.3, 96).swapaxes(0, 1)
        self.assertLess(difference(again, scan.tomo), 0.05)

    def test_solvers(self):
        """scipy's LSQR with our operator does what our CGLS does."""
        from scipy.sparse.linalg import lsqr
        scan = Discs(columns=48, views=40, centers=22.4)
        operator = tomopy.OpTomo(scan.theta, 48, 22.4)
        slice_ = lsqr(operator, scan.tomo[:, 0].ravel(), atol=0, btol=0, iter_lim=4)[0].reshape(operator.slice_shape)
        wanted = tomopy.recon(scan.tomo, scan.theta, 22.4, algorithm="cgls", num_iter=4)[0]
        self.assertLess(difference(slice_, wanted), 1e-3)

    def test_matrices(self):
        operator = tomopy.OpTomo(np.arange(7) * np.pi / 7, 12, 5.5)
        x, y = rng.random((144, 5), np.float32), rng.random((84, 3), np.float32)
        self.assertLess(difference(operator @ x, np.stack([operator @ column for column in x.T], 1)), 1e-6)
        self.assertLess(difference(operator.H @ y, np.stack([operator.H @ column for column in y.T], 1)), 1e-6)
        self.assertEqual(operator.project(np.zeros((2, 3, 12, 12))).shape, (2, 3, 7, 12))

    def test_wrong_arguments(self):
        operator = tomopy.OpTomo([0.0, 1.0], 12)
        for given, words in ((lambda: tomopy.OpTomo([0.0, np.inf], 12), "not finite"), (lambda: tomopy.OpTomo([0.0], 12, [1.0, 2.0]), "center"),
                             (lambda: tomopy.OpTomo([0.0], 12, num_gridx=10), "square"), (lambda: operator.project(np.zeros((3, 12))), "12, 12"),
                             (lambda: operator @ np.zeros(3), "dimension"), (lambda: tomopy.create_sino(np.zeros(4), [0.0]), "rows")):
            with self.subTest(words=words), self.assertRaisesRegex(ValueError, words):
                given()


PRELUDE = """
import os, signal, sys, threading, time
import numpy as np
from gsttomo import tomopy
tomo, theta = np.ones((20, 4, 32), np.float32), np.arange(20) * np.pi / 20
"""


class Processes(unittest.TestCase):
    def run_it(self, script, status=0, timeout=60):
        done = subprocess.run([sys.executable, "-c", PRELUDE + script], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def test_without_tomopy_and_scipy(self):
        self.assertEqual("", self.run_it("""
assert "scipy" not in sys.modules and "tomopy" not in sys.modules
import gsttomo
assert gsttomo.tomopy is tomopy and "tomopy" in dir(gsttomo)
"""))

    def test_the_end(self):
        """With dataflows that wait, that work, and that fail, and with threads that nobody joins."""
        self.assertEqual("", self.run_it("for _ in range(3): tomopy.recon(tomo, theta, ncore=2)"))
        self.run_it("""
def work():
    while True:
        try:
            tomopy.recon(tomo, theta, algorithm='sirt', num_iter=5)
        except tomopy.Error:
            return
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(1)
""")
        out = self.run_it("tomopy.recon(tomo, theta); tomopy.recon(tomo, theta * 0)", status=1)
        self.assertIn("one direction", out)

    def test_interrupt(self):
        self.run_it("""
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT)).start()
start = time.monotonic()
try:
    tomopy.recon(np.ones((200, 64, 256), np.float32), np.arange(200) * np.pi / 200, algorithm="sirt", num_iter=100000)
    raise SystemExit("went on")
except KeyboardInterrupt:
    pass
assert time.monotonic() - start < 20, time.monotonic() - start
assert np.isfinite(tomopy.recon(tomo, theta)).all()
""")

    def test_forks(self):
        """A child can't use what its parent has used, and says so at once, whatever threads the parent had."""
        out = self.run_it("""
import multiprocessing
tomopy.recon(tomo, theta, ncore=2)
def one(_):
    return tomopy.recon(tomo, theta).shape
stop = []
def work():
    while not stop:
        tomopy.recon(tomo, theta)
thread = threading.Thread(target=work)
thread.start()
with multiprocessing.get_context("fork").Pool(2) as pool:
    try:
        pool.map(one, range(4))
    except tomopy.Error as error:
        print(error)
stop.append(True)
thread.join()
assert one(0) == (4, 32, 32)
""")
        self.assertIn("spawn", out)

    def test_fork_before_use(self):
        self.run_it("""
import multiprocessing
def one(_):
    return tomopy.recon(tomo, theta).shape
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(one, range(4)) == [(4, 32, 32)] * 4
""")


class Registered(unittest.TestCase):
    def test_names(self):
        """In a stand-in for TomoPy's two modules, which has what register() relies on."""
        algorithm = types.SimpleNamespace(allowed_recon_kwargs={"fbp": []})
        extern = types.SimpleNamespace()
        with unittest.mock.patch("importlib.import_module", lambda name: {"tomopy.recon.algorithm": algorithm,
                                                                          "tomopy.util.extern": extern}[name]):
            names = tomopy.register()
        self.assertEqual(names, ["gst_" + name for name in ("fbp", "dfi", "sirt", "sart", "cgls", "mlem")])
        self.assertEqual(set(algorithm.allowed_recon_kwargs), {"fbp", *names})
        scan = Discs(columns=32, views=30, slices=2)
        recon = np.full((2, 32, 32), 1e-6, np.float32)
        extern.c_gst_sirt(scan.tomo.swapaxes(0, 1), np.float32([16, 16]), recon, np.float32(scan.theta), num_gridx=np.array(32),
                          num_gridy=np.array(32), options=np.array({"num_iter": 3}))
        self.assertLess(difference(recon, tomopy.recon(scan.tomo, scan.theta, algorithm="sirt", num_iter=3)), 1e-5)


class Stubs(unittest.TestCase):
    def test_signatures(self):
        from gsttomo import stubs
        found = {node.name: node for node in ast.parse(stubs.stubs_of_tomopy()).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        self.assertEqual(set(found), set(tomopy.__all__) - {"Error"})
        for name, node in found.items():
            target = getattr(tomopy, name)
            if isinstance(node, ast.ClassDef):
                node = next(inner for inner in node.body if isinstance(inner, ast.FunctionDef) and inner.name == "__init__")
                target = target.__init__
            arguments = node.args
            told = [one.arg for one in (*arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg) if one]
            self.assertEqual(told, list(inspect.signature(target).parameters), name)


class Example(unittest.TestCase):
    def test_tooth(self):
        example = pathlib.Path(__file__).parents[2] / "examples" / "tomopy-slices.py"
        done = subprocess.run([str(example)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"^axis \d+\.\d\d, slices \(\d+, (\d+), \1\) float32, from -0\.\d+ to 0\.\d+ per pixel\n$")


class Httomo(unittest.TestCase):
    """The files of examples/httomo go together with the functions that they name."""

    FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "httomo"

    def function(self, module, name):
        return getattr(importlib.import_module(module), name)

    def test_database(self):
        database = yaml.safe_load((self.FOLDER / "gsttomo.yaml").read_text())
        for module, functions in database["httomo"].items():
            for name, about in functions.items():
                parameters = list(inspect.signature(self.function(f"gsttomo.httomo.{module}", name)).parameters)
                self.assertEqual(set(about), {"pattern", "output_dims_change", "implementation", "memory_gpu", "save_result_default", "padding"})
                self.assertEqual((about["pattern"], about["implementation"]), ("sinogram", "cpu"))
                # By their place, HTTomo gives data and angles; it sets `ind` by its name.
                self.assertEqual(parameters[1:3], ["angles", "center"] if module == "algorithm" else ["ind", "smin"])

    def test_pipeline(self):
        """Each method by the parameters that the pipeline gives, with the axis passed on."""
        scan = Discs(columns=96, views=150, slices=4, centers=45.3)
        database, found = yaml.safe_load((self.FOLDER / "gsttomo.yaml").read_text()), {}
        sizes = runpy.run_path(str(self.FOLDER / "algorithm.py"))["_calc_output_dim_recon"]
        for step in yaml.safe_load((self.FOLDER / "pipeline.yaml").read_text()):
            top, package, module = step["module_path"].split(".")
            self.assertEqual((top, step["method"] in database[package][module]), ("gsttomo", True))
            function, parameters = self.function(step["module_path"], step["method"]), dict(step["parameters"])
            if module == "rotation":
                found[step["id"] + ".side_outputs." + step["side_outputs"]["cor"]] = function(scan.tomo, **parameters)
                continue
            parameters["center"] = found[parameters["center"][3:-2]]
            self.assertAlmostEqual(parameters["center"], 45.3, delta=0.5)  # half a step of the angles is not known to it
            ours = function(scan.tomo, scan.theta, **parameters)
            wanted = tomopy.recon(scan.tomo, scan.theta, parameters["center"], algorithm=parameters["algorithm"])
            self.assertIs(type(ours), np.ndarray)
            self.assertLess(difference(ours.swapaxes(0, 1), wanted), 1e-5)
            self.assertEqual(sizes((150, 96)), (ours.shape[0], ours.shape[2]))
            self.assertEqual(sizes((150, 96), num_gridx=20, num_gridy=30), function(
                scan.tomo, scan.theta, num_gridx=20, num_gridy=30).shape[::2])


@unittest.skipIf(real_tomopy is None, "TomoPy is not installed")
class RealTomoPy(unittest.TestCase):
    def test_all_methods(self):
        scan = Discs(columns=96, views=120, slices=6, centers=np.linspace(44, 50, 6))
        # As TomoPy gives them: at 45 degrees the last bit decides along which axis Joseph's method interpolates.
        scan.theta, scan.centers = np.float32(scan.theta), np.float32(scan.centers)
        tomopy.register()
        for name in ("fbp", "dfi", "sirt", "sart", "cgls"):
            wanted = tomopy.recon(scan.tomo, scan.theta, scan.centers, algorithm=name)
            for ncore, nchunk in ((1, None), (2, None), (2, 1), (2, 0)):
                ours = real_tomopy.recon(scan.tomo, scan.theta, scan.centers, algorithm=getattr(tomopy, name), ncore=ncore, nchunk=nchunk)
                self.assertLess(difference(ours, wanted), 1e-4)
            ours = real_tomopy.recon(scan.tomo, scan.theta, scan.centers, algorithm="gst_" + name, ncore=2)
            self.assertLess(difference(ours, wanted), 1e-4)
        ours = real_tomopy.recon(scan.tomo, scan.theta, scan.centers, algorithm=tomopy.sirt, options={"num_iter": 30}, ncore=2)
        self.assertLess(difference(ours, tomopy.recon(scan.tomo, scan.theta, scan.centers, algorithm="sirt", num_iter=30)), 1e-4)

    def test_orientation_of_oblong_slices(self):
        scan = Discs(columns=96, centers=45.3)
        for grid in ((96, 60), (50, 96)):
            sizes = {"num_gridx": grid[0], "num_gridy": grid[1]}
            theirs = real_tomopy.recon(scan.tomo, scan.theta, 45.3, algorithm="sirt", num_iter=20, **sizes)[0]
            ours = real_tomopy.recon(scan.tomo, scan.theta, 45.3, algorithm=tomopy.sirt, options={"num_iter": 20}, **sizes)[0]
            self.assertGreater(np.corrcoef(theirs.ravel(), ours.ravel())[0, 1], 0.9)

    def test_sinogram_of_theirs(self):
        image = np.zeros((1, 64, 64), np.float32)
        image[0, 10:20, 30:50] = 1
        theta = np.float32(np.arange(40) * np.pi / 40)
        theirs = real_tomopy.project(image, theta, pad=False, sinogram_order=True)[0]
        self.assertGreater(np.corrcoef(theirs.ravel(), tomopy.create_sino(image[0], theta).ravel())[0, 1], 0.99)


if __name__ == "__main__":
    print("seed", SEED)
    unittest.main(verbosity=2)
