# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomostitch against numpy in float64."""

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
TOLERANCE = 1e-6
LINE = "tomostitch name=s {}  SRC0 ! s.sink_0  SRC1 ! s.sink_1  s."


def stitched(first, second, shift, adjust_mean=True, blend=False):
    if first.ndim == 3:
        return np.stack([stitched(a, b, shift, adjust_mean, blend) for a, b in zip(first, second)])
    left, right = (np.asarray(a, np.float64) for a in ((first, second) if shift >= 0 else (second, first)))
    n = left.shape[1] - abs(shift)
    split = left.shape[1] - n
    if adjust_mean and n:
        right = right * left[:, split:].mean() / right[:, :n].mean()
    middle = left[:, split:]
    if blend and n:
        t = np.linspace(0, 1, n) if n > 1 else 0.5
        middle = (1 - t) * middle + t * right[:, :n]
    return np.concatenate([left[:, :split], middle, right[:, n:]], axis=1)


def image(shape, dtype=np.float32):
    return rng.uniform(1, 100, shape).astype(dtype)


class Stitch(ElementTestCase):
    def check(self, a, b, shift, adjust_mean=True, blend=False):
        (result,) = run(LINE.format(f"shift={shift} adjust-mean={adjust_mean} blend={blend}"), [a], [b])
        self.assertEqual(result.dtype, np.float32)
        self.assert_close(result, stitched(a, b, shift, adjust_mean, blend), TOLERANCE,
                          f"{shift} {adjust_mean} {blend}")

    def test_properties(self):
        self.check_properties("tomostitch", {"shift": (0, -2**31, 2**31 - 1), "adjust-mean": True, "blend": False})

    def test_every_format(self):
        others = REAL[3:] + REAL[:3]
        for name, other in zip(REAL, others):
            self.check(image((5, 7), FORMATS[name]), image((5, 9), FORMATS[other]), 4)

    def test_shifts(self):
        a, b = image((13, 31)), image((13, 37))
        for shift in 0, 5, 30, 31, -6, -36, -37:
            for adjust_mean in False, True:
                for blend in False, True:
                    self.check(a, b, shift, adjust_mean, blend)
        self.check(image((600, 300)), image((600, 300)), 20)
        self.check(image((1, 1)), image((1, 1)), 0)
        self.check(image((3, 5, 7)), image((3, 5, 7)), 2)

    def test_nan_stays_where_it_was(self):
        a, b = image((3, 5)), image((3, 5))
        a[0, 0] = b[1, 4] = np.nan
        (result,) = run(LINE.format("shift=3"), [a], [b])
        wanted = stitched(a, b, 3)
        np.testing.assert_array_equal(np.isnan(result), np.isnan(wanted))

    def test_means_that_do_not_help_are_told_of(self):
        a, b = image((3, 5)), image((3, 5))
        b[:, :2] = 0
        with Stream(LINE.format("shift=3"), inputs=2) as stream:
            stream.push(a, 0)
            stream.push(b, 1)
            (result,) = stream.finish()
            self.assertTrue(np.isinf(result[:, 5:]).all())
            self.assertEqual(len([w for w in stream.warnings() if "1 planes could not be adjusted" in w]), 1)

    def test_errors(self):
        a, b = image((3, 5)), image((3, 7))
        for shift in 6, -8, -1:
            self.assert_fails([f"shift={shift}", "touch"], LINE.format(f"shift={shift}"), [a], [b])
        self.assert_fails(["same height"], LINE.format(""), [a], [image((4, 5))])
        self.assert_fails(["1 inputs are linked", "wanted are 2"], "tomostitch name=s  SRC0 ! s.sink_0  s.", [a])

    def test_memory_and_states(self):
        a, b = image((4, 6)), image((4, 6))
        wanted = [stitched(a, b, 4)]
        self.check_memory(LINE.format("shift=4"), [a], [b], reference=wanted, tolerance=TOLERANCE)
        self.check_state_cycles(LINE.format("shift=4"), [a] * 2, [b] * 2, reference=wanted * 2, tolerance=TOLERANCE)

    def test_the_axis_is_that_of_the_first_image(self):
        a, b = image((2, 6)), image((2, 7))
        for shift, wanted in (4, 1.5), (-3, 4.5):
            with Stream(LINE.format(f"shift={shift}"), inputs=2) as stream:
                stream.push(a, 0, event=scan_event([1.0, 2.0], 1.5))
                stream.push(b, 1)
                stream.pull()
                event = stream["sink"].get_static_pad("sink").get_sticky_event(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, 0)
                self.assertEqual(event.get_structure().get_double("axis-position"), (True, wanted))


if __name__ == "__main__":
    main()
