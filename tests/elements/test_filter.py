# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomofilter against the responses of tomoref, by multiplying spectra of ones and of noise."""

from tomotest import *
from elementtest import ElementTestCase, Stream
import responsetest
import tomoref

TOLERANCE = 1e-6
LENGTHS = (1, 2, 3, 4, 7, 8, 15, 64, 97, 360, 1021)


def random_spectrum(*shape):
    return random_array(np.complex64, shape)


class Filter(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomofilter", responsetest.PROPERTIES)

    def check(self, line, shape, **parameters):
        a = random_spectrum(*shape)
        (result,) = run(f"tomofilter {line}", [a])
        self.assert_close(
            result,
            a.astype(np.complex128) * tomoref.filter_response(n=shape[-1], **parameters),
            TOLERANCE,
            f"{line} {shape}",
        )

    def test_every_response_at_any_length(self):
        for name in tomoref.FILTERS:
            for n in LENGTHS:
                with self.subTest(filter=name, length=n):
                    self.check(f"filter={name}", (2, n), name=name)

    def test_each_sample_of_a_response(self):
        """The norm would hide a wrong zero frequency among many."""
        for name in tomoref.FILTERS:
            for n in (16, 17):
                with self.subTest(filter=name, length=n):
                    (result,) = run(f"tomofilter filter={name}", [np.ones((1, n), np.complex64)])
                    np.testing.assert_allclose(
                        result[0], tomoref.filter_response(name, n), rtol=1e-6, atol=1e-9
                    )

    def test_default_is_ramp_fromreal(self):
        self.check("", (3, 50), name="ramp-fromreal")

    def test_scale(self):
        for name in tomoref.FILTERS:
            for scale in (float(np.float32(rng.uniform(-3, 3))), 0.0):
                with self.subTest(filter=name, scale=scale):
                    self.check(f"filter={name} scale={scale}", (2, 33), name=name, scale=scale)

    def test_cutoff_and_order(self):
        for name in ("butterworth", "hamming"):
            for cutoff in (0.0, 0.125, 0.3, 0.75, 1.0):
                with self.subTest(filter=name, cutoff=cutoff):
                    self.check(
                        f"filter={name} cutoff={cutoff}", (2, 64), name=name, cutoff=float(np.float32(cutoff))
                    )
        for order in (2.0, 7.5, 32.0):
            with self.subTest(order=order):
                self.check(f"filter=butterworth order={order}", (2, 65), name="butterworth", order=order)

    def test_faris_byer(self):
        for tau, theta in ((1.0, 0.0), (-0.5, 0.25), (0.125, -4.0)):
            with self.subTest(tau=tau, theta=theta):
                self.check(
                    f"filter=faris-byer tau={tau} theta={theta}",
                    (2, 31),
                    name="faris-byer",
                    tau=tau,
                    theta=theta,
                )

    def test_deflections_become_the_projection_filtered(self):
        """What faris-byer is for: the derivative of a row, filtered, is the row filtered by the ramp."""
        x = np.arange(256) - 128.0
        row = np.exp(-(x**2) / 200)
        deflection = (-x / 100 * row).astype(np.float32)
        line = "tomofft size-x=1024 ! tomofilter filter=faris-byer tau=1 theta=0 ! tomoifft crop-width=256"
        self.assert_close(run(line, [deflection[None]])[0][0], tomoref.fft_filter(row, size=1024), 2e-6)

    def test_planes_and_rows_are_alike(self):
        self.check("", (3, 5, 12), name="ramp-fromreal")
        self.check("", (1, 1), name="ramp-fromreal")

    def test_nan_stays_where_it_is(self):
        a = random_spectrum(3, 8)
        a[1, 2] = np.nan
        (result,) = run("tomofilter", [a])
        np.testing.assert_array_equal(np.isnan(result), np.isnan(a))

    def test_round_trip_is_a_convolution(self):
        a = random_array(np.float32, (4, 50))
        (result,) = run("tomofft size-x=128 ! tomofilter ! tomoifft crop-width=50", [a])
        self.assert_close(result, tomoref.fft_filter(a, size=128, crop=50), 2e-6)

    def test_memory(self):
        arrays = [random_spectrum(3, 10) for _ in range(5)]
        response = tomoref.filter_response("ramp-fromreal", 10)
        self.check_memory("tomofilter", arrays, reference=[a * response for a in arrays], tolerance=TOLERANCE)

    def test_state_cycles(self):
        arrays = [random_spectrum(3, 10) for _ in range(3)]
        response = tomoref.filter_response("ramp-fromreal", 10)
        self.check_state_cycles(
            "tomofilter", arrays, reference=[a * response for a in arrays], tolerance=TOLERANCE
        )

    def test_changes_while_playing(self):
        a = random_spectrum(2, 32)
        expected = {"name": "ramp-fromreal"}
        with Stream("tomofilter name=f") as stream:
            for name, value in (
                (None, None),
                ("scale", 2.5),
                ("filter", "butterworth"),
                ("cutoff", 0.25),
                ("order", 3.0),
                ("filter", "faris-byer"),
                ("tau", 2.0),
                ("theta", 0.5),
            ):
                if name:
                    Gst.util_set_object_arg(stream["f"], name, str(value))
                    expected["name" if name == "filter" else name] = value
                with self.subTest(**expected):
                    settings = {"tau": float(np.float32(0.1)), **expected}
                    self.assert_close(
                        stream.through(a), a * tomoref.filter_response(n=32, **settings), TOLERANCE
                    )

    def test_caps_changes(self):
        arrays = [random_spectrum(*shape) for shape in ((2, 8), (3, 13), (2, 3, 13), (2, 8))]
        for a, result in zip(arrays, run("tomofilter", arrays), strict=True):
            self.assert_close(result, a * tomoref.filter_response("ramp-fromreal", a.shape[-1]), TOLERANCE)

    def test_errors(self):
        self.assert_fails(
            ["tau=0", "faris-byer"], "tomofilter filter=faris-byer tau=0", [random_spectrum(2, 8)]
        )
        self.assert_fails(["sink", "float32", "complex64"], "tomofilter", [random_array(np.float32, (3, 5))])


if __name__ == "__main__":
    main()
