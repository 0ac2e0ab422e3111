# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomedmadreject against sorted neighbourhoods in three images."""

from tomotest import *
from filtertest import *
from medmad import reject
from padtest import Pads


def rejected(arrays, threshold=3.0):
    stack = np.array(arrays, np.float64)  # images, (planes,) rows, columns
    margins = [(1, 1)] + [(0, 0)] * (stack.ndim - 3) + [(1, 1)] * 2
    box = (3,) + (1,) * (stack.ndim - 3) + (3, 3)
    boxes = np.lib.stride_tricks.sliding_window_view(np.pad(stack, margins, "edge"), box)
    return reject(stack, boxes.reshape(*stack.shape, -1), threshold)


class MedMadReject(FilterTestCase):
    def check_stream(self, arrays, threshold=3.0):
        for result, wanted in zip(run(f"tomomedmadreject threshold={threshold}", arrays), rejected(arrays, threshold),
                                  strict=True):
            np.testing.assert_array_equal(np.isnan(result), np.isnan(wanted))
            finite = ~np.isnan(wanted)
            self.assert_close(result[finite], wanted[finite], 1e-6)

    def test_properties(self):
        self.check_properties("tomomedmadreject", {"threshold": (3.0, 0.0, LARGEST)})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                self.check_stream([random_array(FORMATS[name], (7, 11)) for _ in range(3)])

    def test_streams(self):
        for shape in (1, 1), (1, 7), (13, 1), (17, 19), (3, 5, 7):
            for number in 1, 2, 5:
                for threshold in 0.0, 1.5:
                    with self.subTest(shape=shape, number=number, threshold=threshold):
                        self.check_stream([random_array(np.float32, shape) for _ in range(number)], threshold)
        self.assertEqual(run("tomomedmadreject", []), [])

    def test_neighbours_in_the_stream_count(self):
        """A spike in one image is seen by those before and after it."""
        arrays = [np.arange(25, dtype=np.float32).reshape(5, 5) for _ in range(3)]
        arrays[1][2, 2] = 1000
        self.assertLess(run("tomomedmadreject", arrays)[1].max(), 100)
        self.check_stream(arrays)

    def test_nan_is_repaired(self):
        arrays = [random_array(np.float32, (7, 9)) for _ in range(4)]
        arrays[1][3, 4] = arrays[2][0, 0] = np.nan
        self.check_stream(arrays)
        self.check_stream([np.full((5, 7), np.nan, np.float32)] * 3)

    def test_facts_follow_their_image(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(4)]
        wanted = rejected(arrays)
        with Pads("tomomedmadreject") as pads:
            outputs = []
            for i, a in enumerate(arrays):
                came = pads.push(a, rate=10, angle=i / 4, source=f"{i}.tif")
                self.assertEqual(len(came), int(i > 0))
                outputs += came
            outputs += pads.eos()
            self.assertEqual([(o.index, o.angle, o.source, o.offset, o.pts) for o in outputs],
                             [(i, i / 4, f"{i}.tif", i, i * Gst.SECOND // 10) for i in range(4)])
            for output, w in zip(outputs, wanted, strict=True):
                self.assert_close(output.array, w, 1e-6)

    def test_another_size_and_flush(self):
        first, second = ([random_array(np.float32, shape) for _ in range(3)] for shape in ((5, 7), (3, 4)))
        with Pads("tomomedmadreject") as pads:
            outputs = pads.push(*first) + pads.push(*second) + pads.eos()
            for output, w in zip(outputs, [*rejected(first), *rejected(second)], strict=True):
                self.assert_close(output.array, w, 1e-6)
            pads.flush()
            pads.push(*second[:2])
            pads.flush()
            outputs = pads.push(*first) + pads.eos()
            for output, w in zip(outputs, rejected(first), strict=True):
                self.assert_close(output.array, w, 1e-6)

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(3)]
        wanted = list(rejected(arrays))
        self.check_memory("tomomedmadreject", arrays, reference=wanted, tolerance=1e-6)
        self.check_state_cycles("tomomedmadreject", arrays, reference=wanted, tolerance=1e-6)


if __name__ == "__main__":
    main()
