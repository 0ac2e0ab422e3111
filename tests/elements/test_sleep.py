# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomosleep waits, and stops waiting."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

import time


class Sleep(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomosleep", {"time": (1.0, 0.0, float(np.finfo(np.float64).max))})

    def test_every_format_passes_as_it_is(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                a = random_array(dtype, (2, 3, 5))
                (result,) = run("tomosleep time=0", [a])
                np.testing.assert_array_equal(result.view(np.uint8), a.view(np.uint8))

    def test_waits(self):
        before = time.monotonic()
        self.assertEqual(len(run("tomosleep time=0.05", [random_array(np.float32, (2, 3))] * 4)), 4)
        self.assertGreaterEqual(time.monotonic() - before, 0.2)

    def test_a_stop_ends_the_longest_wait(self):
        for seconds in 1e6, np.finfo(np.float64).max:
            with Stream(f"tomosleep name=s time={seconds!r}") as stream:
                stream.push(random_array(np.float32, (2, 3)))
                stream["s"].get_static_pad("sink").get_current_caps()
                time.sleep(0.1)
            # Leaving the block would hang if the wait did not end.

    def test_a_flush_ends_the_wait(self):
        with Stream("tomosleep name=s time=1e6") as stream:
            stream.push(random_array(np.float32, (2, 3)))
            time.sleep(0.1)
            stream["s"].set_property("time", 0.0)
            stream.sources[0].send_event(Gst.Event.new_flush_start())
            stream.sources[0].send_event(Gst.Event.new_flush_stop(True))
            stream.push(a := random_array(np.float32, (2, 3)))
            np.testing.assert_array_equal(stream.pull(), a)

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (4, 6)) for _ in range(3)]
        for result, a in zip(run(f"tomoupload ! tomosleep time=0 ! tomodownload", arrays), arrays, strict=True):
            np.testing.assert_array_equal(result, a)
        self.check_state_cycles("tomosleep time=0.001", arrays, reference=arrays, tolerance=0)

    def test_facts(self):
        check_facts_stay(self, "tomosleep time=0")


if __name__ == "__main__":
    main()
