# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoringpattern against numpy."""

from tomotest import *
from elementtest import ElementTestCase, frame_meta


def ring(width, height, radius, thickness):
    x, y = np.fft.fftfreq(width) * width, np.fft.fftfreq(height) * height
    inside = abs(np.hypot(x, y[:, None]) - radius) < thickness / 2
    return inside / inside.sum()


class RingPattern(ElementTestCase):
    def test_properties(self):
        most = 2**32 - 1
        self.check_properties("tomoringpattern", {
            "ring-start": (5, 1, most), "ring-step": (2, 1, most), "ring-end": (5, 1, most),
            "ring-thickness": (13, 1, most), "width": (1024, 1, most), "height": (1024, 1, most)})

    def test_rings(self):
        for width, height, start, step, end, thickness in (
            (64, 32, 5, 2, 12, 3), (37, 41, 3, 5, 3, 1), (1, 1, 1, 1, 2, 7), (13, 1, 2, 3, 5, 4)):
            samples = run(f"tomoringpattern width={width} height={height} ring-start={start} ring-step={step} "
                          f"ring-end={end} ring-thickness={thickness}", samples=True)
            radii = range(start, end + 1, step)
            self.assertEqual(len(samples), len(radii))
            for sample, radius in zip(samples, radii):
                self.assert_close(to_array(sample), ring(width, height, radius, thickness).reshape(height, width), 1e-6)
                self.assertEqual(frame_meta(sample.get_buffer()).source, f"radius={radius}")

    def test_errors(self):
        self.assert_fails(["ring-start=6", "ring-end=5"], "tomoringpattern ring-start=6")
        self.assert_fails(["radius 90", "no pixel", "16 x 16"], "tomoringpattern width=16 height=16 ring-end=90 "
                          "ring-start=90")
        self.assert_fails(["width=4294967295"], "tomoringpattern width=4294967295")


if __name__ == "__main__":
    main()
