# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests of iterative methods share: the projections as matrices, and phantoms."""

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
import tomoref


def matrix(angles, columns, axis, width, height, x=0, y=0, axis_in_slice=None):
    """A (views * columns, height * width), float64: the ray is followed along the axis that it is closer to."""
    inside = 0.5 - (axis if axis_in_slice is None else axis_in_slice)
    result = np.zeros((len(angles), columns, height, width))
    for n, angle in enumerate(angles):
        c, s = np.cos(angle), np.sin(angle)
        turned = abs(s) >= abs(c)
        for column in range(columns):
            d = column + 0.5 - axis
            for line in range(width if turned else height):
                if turned:
                    at = (d - (line + x + inside) * c) / s - y - inside
                else:
                    at = (d - (line + y + inside) * s) / c - x - inside
                k = int(np.floor(at))
                for sample, weight in ((k, 1 - (at - k)), (k + 1, at - k)):
                    if 0 <= sample < (height if turned else width):
                        place = (sample, line) if turned else (line, sample)
                        result[(n, column, *place)] += weight / max(abs(c), abs(s))
    return result.reshape(len(angles) * columns, height * width)


def fourier_matrix(angles, columns, axis, width, height, x=0, y=0, axis_in_slice=None):
    """A by Fourier transforms, float64, as a sum over all frequencies of a row. `length` may be any that is long enough; this
    one is the element's, because rows are periodic by it."""
    in_slice = axis if axis_in_slice is None else axis_in_slice
    bx, by = np.arange(width) + x + 0.5 - in_slice, np.arange(height) + y + 0.5 - in_slice
    edges = [max(abs(begin - in_slice), abs(begin + size - in_slice)) for begin, size in ((x, width), (y, height))]
    length = good_length(max(np.hypot(*edges) + max(abs(axis), abs(columns - axis)), columns))
    k = np.arange(1 - length // 2, length // 2)
    h = np.arange(columns) + 0.5 - axis
    rows = []
    for t in angles:
        seen = (by[:, None] * np.sin(t) + bx * np.cos(t)).ravel()
        rows.append((np.exp(2j * np.pi * np.outer(h, k) / length) @ np.exp(-2j * np.pi * np.outer(k, seen) / length)).real / length)
    return np.concatenate(rows)


def good_length(least):
    """The next even number without a prime factor above 7."""
    n = max(2, 2 * int(np.ceil(least / 2)))
    while True:
        rest = n
        for prime in (2, 3, 5, 7):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 2


def divided(a, b):
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def subsets(views, number, golden=True):
    """Lists of views: v belongs to subset v % number; subsets in the order of the golden ratio, or one by one."""
    ranks = np.argsort(np.argsort(np.arange(number) * ((1 + 5**0.5) / 2 - 1) % 1.0))
    order = ranks if golden else np.arange(number)
    return [np.arange(first, views, number) for first in order]


def begin(shape, start, mask, usual=0.0):
    """The start, and where pixels may change."""
    x = np.full(shape, usual) if start is None else np.array(start, np.float64).reshape(shape)
    return x, np.ones(shape, bool) if mask is None else np.reshape(mask, shape) != 0


def additive(a, b, iterations, relaxation, parts, low=-np.inf, high=np.inf, start=None, mask=None, sums=None):
    """x after all iterations and |b - A x| / |b| before each. sums: another matrix for A 1 and A* 1, of which
    none is less than a quarter of the largest."""
    (x, mask), residuals = begin(a.shape[1], start, mask), []
    for _ in range(iterations):
        total = 0.0
        for rows in parts:
            part, of_sums = a[rows], (a if sums is None else sums)[rows]
            of_rays, of_pixels = of_sums.sum(1), of_sums.sum(0)
            if sums is not None:
                of_rays, of_pixels = np.maximum(of_rays, of_rays.max() / 4), np.maximum(of_pixels, of_pixels.max() / 4)
            difference = b[rows] - part @ x
            total += difference @ difference
            corrected = x + relaxation * divided(part.T @ divided(difference, of_rays), of_pixels)
            x = np.where(mask, np.clip(corrected, low, high), x)
        residuals.append(np.sqrt(total) / np.linalg.norm(b))
    return x, residuals


def multiplicative(a, b, iterations, parts, start=None, mask=None):
    (x, mask), residuals = begin(a.shape[1], start, mask, 1.0), []
    for _ in range(iterations):
        total = 0.0
        for rows in parts:
            part = a[rows]
            expected = part @ x
            total += np.sum((b[rows] - expected) ** 2)
            seen = part.sum(0)
            x = np.where(mask & (seen > 0), x * divided(part.T @ divided(np.maximum(b[rows], 0), expected), seen), x)
        residuals.append(np.sqrt(total) / np.linalg.norm(b))
    return x, residuals


def cgls(a, b, iterations, start=None, mask=None):
    """Gradients are at right angles, which even float64 forgets: each is freed of all before."""
    x, mask = begin(a.shape[1], start, mask)
    r = b - a @ x
    s = mask * (a.T @ r)
    p, gamma, residuals, units = s, s @ s, [], [s / np.linalg.norm(s)]
    for _ in range(iterations):
        q = a @ p
        alpha = gamma / (q @ q)
        x, r = x + alpha * p, r - alpha * q
        residuals.append(np.linalg.norm(r) / np.linalg.norm(b))
        s = mask * (a.T @ r)
        for _ in range(2):
            s = s - np.transpose(units) @ (units @ s)
        units.append(s / np.linalg.norm(s))
        gamma, before = s @ s, gamma
        p = s + gamma / before * p
    return x, residuals


class IterativeTestCase(ElementTestCase):
    VIEWS, COLUMNS, WIDTH, HEIGHT, AXIS = 24, 33, 31, 29, 15.3

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.angles = np.sort(rng.uniform(0, np.pi / cls.VIEWS, cls.VIEWS) * 0.4 + np.arange(cls.VIEWS) * np.pi / cls.VIEWS)
        cls.a = matrix(cls.angles, cls.COLUMNS, cls.AXIS, cls.WIDTH, cls.HEIGHT, 1, 2)
        cls.fourier = fourier_matrix(cls.angles, cls.COLUMNS, cls.AXIS, cls.WIDTH, cls.HEIGHT, 1, 2)

    def data(self, planes=1, matrix=None):
        """Sinograms of random objects, never negative. Those of another matrix than that of these tests have no noise: where rays
        pass a corner of its slices, a method divides by their short length, of which float32 knows few digits."""
        objects = np.zeros((planes, (self.a if matrix is None else matrix).shape[1]))
        objects[:, rng.integers(0, objects.shape[1], 300)] = rng.uniform(0, 1, 300)
        if matrix is None:
            b = objects @ self.a.T
            b = np.abs(b + 0.02 * b.max() * rng.standard_normal(b.shape))
        else:
            b = objects @ matrix.T
        return b.reshape(planes, self.VIEWS, self.COLUMNS).astype(np.float32)

    def slices(self, element, *sinograms):
        """Slices and, plane by plane, residuals."""
        region = f"roi-x=1 roi-y=2 roi-width={self.WIDTH} roi-height={self.HEIGHT}"
        with Stream(f"{element} {region}") as stream:
            for sinogram in sinograms:
                stream.push(sinogram, event=scan_event(self.angles, self.AXIS))
            results = stream.finish()
            messages = stream.element_messages("tomo-iterations")
            self.residuals = [[m.get_value("residuals")[i] for i in range(len(m.get_value("residuals")))] for m in messages]
            for residuals, message in zip(self.residuals, messages):
                seconds = [message.get_value("seconds")[i] for i in range(len(message.get_value("seconds")))]
                self.assertEqual(len(seconds), len(residuals))
                self.assertTrue(0 < seconds[0] and seconds == sorted(seconds), seconds)
            self.warnings = stream.warnings()
        return results

    def rows(self, views):
        return (np.asarray(views)[:, None] * self.COLUMNS + np.arange(self.COLUMNS)).ravel()

    def slices_from(self, element, sinograms, start=None, mask=None, numbers=None):
        """As slices(), with arrays for the inputs `initial` and `mask`, each a list. numbers: of the sinograms, where some of the
        stream are missing."""
        given = [(name, arrays) for name, arrays in (("initial", start), ("mask", mask)) if arrays is not None]
        line = "SRC0 ! it.sink " + " ".join(f"SRC{n + 1} ! it.{name}" for n, (name, _) in enumerate(given))
        region = f"roi-x=1 roi-y=2 roi-width={self.WIDTH} roi-height={self.HEIGHT}"
        with Stream(f"{line} {element} name=it {region}", inputs=1 + len(given)) as stream:
            for n, (_, arrays) in enumerate(given):
                for array in arrays:
                    stream.push(array, n + 1)
                stream.end(n + 1)
            for number, sinogram in zip(numbers or range(len(sinograms)), sinograms):
                stream.sent[0] = number
                stream.push(sinogram, event=scan_event(self.angles, self.AXIS))
            results = stream.finish()
            self.messages = stream.element_messages("tomo-iterations")
        return results

    def check_start(self, element, method):
        """From slices of its own and under a mask; method(sinogram, start, mask) -> x in float64."""
        sinograms = self.data(2)
        start = rng.uniform(0.1, 0.2, (2, self.HEIGHT, self.WIDTH)).astype(np.float32)
        mask = (rng.uniform(0, 1, (2, self.HEIGHT, self.WIDTH)) < 0.8).astype(np.uint8) * 7
        wanted = [[method(b.astype(np.float64).ravel(), *given).reshape(self.HEIGHT, self.WIDTH)
                   for b, given in zip(sinograms, zip(*both))]
                  for both in ((start, (None, None)), ((None, None), mask), (start, mask), (start[[0, 0]], mask[[1, 1]]))]

        def check(results, references):
            for one, reference in zip(np.concatenate([r.reshape(-1, *r.shape[-2:]) for r in results]), references, strict=True):
                self.assertLess(np.linalg.norm(one - reference), 1e-4 * np.linalg.norm(reference), f"{element} (seed {SEED})")

        check(self.slices_from(element, [sinograms], [start]), wanted[0])
        check(self.slices_from(element, [sinograms], None, [mask]), wanted[1])
        check(self.slices_from(element, [sinograms], [start], [mask]), wanted[2])
        check(self.slices_from(element, list(sinograms), list(start), list(mask)), wanted[2])
        check(self.slices_from(f"{element} batch=2", list(sinograms), list(start), list(mask)), wanted[2])
        self.assertEqual([(m.get_value("index"), m.get_value("plane")) for m in self.messages], [(0, 0), (1, 0)])
        # The second of three does not come.
        check(self.slices_from(f"{element} batch=2", list(sinograms), list(start[[0, 0, 1]]), list(mask[[0, 0, 1]]), (0, 2)),
              wanted[2])
        self.assertEqual([m.get_value("index") for m in self.messages], [0, 2])
        # One for all: for all planes of an array, and for all arrays that follow.
        check(self.slices_from(element, [sinograms], [start[0]], [mask[1]]), wanted[3])
        check(self.slices_from(element, list(sinograms), [start[0]], [mask[1]]), wanted[3])

    def check_method(self, element, method, tolerance=1e-4, residuals=1e-4):
        """Planes of a stack, each against method(b) -> (x, residuals) in float64."""
        sinograms = self.data(3)
        (result,) = self.slices(element, sinograms)
        for z, sinogram in enumerate(sinograms):
            x, wanted = method(sinogram.astype(np.float64).ravel())
            error = np.linalg.norm(result[z].ravel() - x) / np.linalg.norm(x)
            self.assertLess(error, tolerance, f"{element} (seed {SEED})")
            np.testing.assert_allclose(self.residuals[z], wanted, rtol=residuals, err_msg=f"{element} (seed {SEED})")

    FOURIER = "operator=fourier operator-tolerance=1e-5"

    def check_fourier(self, element):
        """What holds for all methods with that operator."""
        self.assert_fails(["operator-tolerance", "operator=fourier"], f"{element} operator-tolerance=1e-4", [self.data()[0]])
        self.assert_fails(["from the axis", "200000", "Joseph"], f"{element} operator=fourier roi-x=300000 roi-width=4", [self.data()[0]])
        for shape in ((1, 7), (5, 1), (1, 1), (12, 11)):
            (result,) = run(f"{element} num-iterations=3 operator=fourier", [random_array(np.float32, shape) + 1])
            self.assertTrue(result.shape == (shape[1], shape[1]) and np.isfinite(result).all())

    def check_stops(self, element, tolerance=0.2):
        """At the tolerance, slice by slice, whatever comes along in a batch."""
        sinograms = self.data(2)
        sinograms[1] *= 1e-3
        (alone,) = self.slices(f"{element} num-iterations=40 tolerance={tolerance}", sinograms[:1])
        count = len(self.residuals[0])
        self.assertLess(count, 40)
        self.assertLessEqual(self.residuals[0][-1], tolerance)
        self.assertGreater(self.residuals[0][-2], tolerance)
        (both,) = self.slices(f"{element} num-iterations=40 tolerance={tolerance}", sinograms)
        np.testing.assert_allclose(both[0], alone.reshape(both[0].shape), rtol=0, atol=1e-5 * np.abs(alone).max())

    def check_streams(self, element):
        """Formats, one view, one column, one pixel, batches, other sizes behind."""
        for dtype in (np.uint16, np.float16, np.float32):
            (result,) = run(f"{element} num-iterations=2", [(self.data()[0] * 10).astype(dtype)])
            self.assertTrue(np.isfinite(result).all() and result.any())
        for shape in ((1, 7), (5, 1), (1, 1), (12, 11)):
            (result,) = run(f"{element} num-iterations=3", [random_array(np.float32, shape) + 1])
            self.assertEqual(result.shape, (shape[1], shape[1]))
            self.assertTrue(np.isfinite(result).all())
        sinograms = list(self.data(5))
        single = [self.slices(f"{element} num-iterations=2", s)[0] for s in sinograms]
        for batch in (0, 2):
            together = self.slices(f"{element} num-iterations=2 batch={batch}", *sinograms)
            for one, other in zip(single, together, strict=True):
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(one).max())
        self.check_ends(element)
        sinogram = self.data()[0]
        sinogram[3, 4] = np.nan
        (result,) = self.slices(f"{element} num-iterations=3", sinogram)
        self.assertTrue(np.isnan(result).any())
        self.assertRegex(" ".join(self.warnings), "residual of array 0 grew")

    def check_ends(self, element):
        """A flush, a stop, and an end that somebody sends to the source, minutes before all iterations are done."""
        sinogram = random_array(np.float32, (200, 256)) + 1

        def begin(stream):
            stream["it"].set_property("num-iterations", 100000)
            stream.push(sinogram)
            deadline = GLib.get_monotonic_time() + TIMEOUT * 1000000
            while not stream.element_messages("tomo-effective") and GLib.get_monotonic_time() < deadline:
                stream._poll()
            GLib.usleep(300000)
            return GLib.get_monotonic_time()

        def seconds_since(start):
            return (GLib.get_monotonic_time() - start) / 1e6

        with Stream(f"{element} name=it") as stream:
            start = begin(stream)
            self.assertTrue(stream["src0"].send_event(Gst.Event.new_flush_start()))
            self.assertTrue(stream["src0"].send_event(Gst.Event.new_flush_stop(True)))
            self.assertLess(seconds_since(start), TIMEOUT / 2)
            self.assertEqual(stream.element_messages("tomo-iterations"), [])
            stream["it"].set_property("num-iterations", 1)
            self.assertTrue(np.isfinite(stream.through(sinogram)).all())
            start = begin(stream)
        self.assertLess(seconds_since(start), TIMEOUT / 2)
        with Stream(f"tomodummydata width=256 height=200 number=2 init=1 ! queue ! {element} "
                    "num-iterations=100000", inputs=0) as stream:
            GLib.usleep(300000)
            self.assertTrue(stream.pipeline.send_event(Gst.Event.new_eos()))
            with self.assertRaises(EOFError):
                stream.pull(TIMEOUT / 2)
