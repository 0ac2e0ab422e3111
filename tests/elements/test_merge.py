# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomerge: rows one below the other."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from elementtest import scan_event

def line(n, properties=""):
    inputs = "  ".join(f"SRC{i} ! m.sink_{i}" for i in range(n))
    return f"tomomerge name=m number={n} {properties}  {inputs}  m. ! SINK"


class Merge(ElementTestCase):
    def check(self, *arrays):
        (result,) = run(line(len(arrays)), *([a] for a in arrays))
        wanted = np.concatenate(arrays, axis=-2)
        self.assertEqual((result.dtype, result.shape), (wanted.dtype, wanted.shape))
        np.testing.assert_array_equal(result.view(np.uint8), wanted.view(np.uint8))

    def test_properties(self):
        self.check_properties("tomomerge", {"number": (2, 2, 16)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                self.check(random_array(dtype, (5, 7)), random_array(dtype, (2, 7)))

    def test_shapes(self):
        self.check(*(random_array(np.float32, (n, 11)) for n in (1, 5, 3, 7)))
        self.check(*(random_array(np.float32, (3, n, 5)) for n in (2, 4)))
        self.check(*(random_array(np.float32, (1, 1)) for _ in range(16)))

    def test_ended_inputs_repeat(self):
        a, b = ([random_array(np.float32, (2, 3)) for _ in range(n)] for n in (1, 3))
        results = run(line(2), a, b)
        for result, other in zip(results, b, strict=True):
            np.testing.assert_array_equal(result, np.concatenate([a[0], other]))

    def test_errors(self):
        a = random_array(np.float32, (2, 3))
        for other in (random_array(np.float32, (2, 4)), random_array(np.uint16, (2, 3)), random_array(np.float32, (2, 2, 3))):
            self.assert_fails(["sink_1", "sink_0", "same format"], line(2), [a], [other])
        self.assert_fails(["2 inputs are linked", "wanted are 3"], line(2).replace("number=2", "number=3"), [a], [a])

    def test_memory_and_states(self):
        a, b = ([random_array(np.float32, (4, 3))] for _ in range(2))
        wanted = [np.concatenate([a[0], b[0]])]
        description = "tomomerge name=m  SRC0 ! m.sink_0  SRC1 ! m.sink_1  m."
        self.check_memory(description, a, b, reference=wanted, tolerance=0)
        self.check_state_cycles(description, a * 2, b * 2, reference=wanted * 2, tolerance=0)

    def test_the_scan_of_the_first_input_stays(self):
        a = random_array(np.float32, (2, 3))
        with Stream(line(2), inputs=2) as stream:
            stream.push(a, 0, event=scan_event([1.0, 2.0], 1.5))
            stream.push(a, 1)
            stream.pull()
            pad = stream["sink"].get_static_pad("sink")
            event = pad.get_sticky_event(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, 0)
            self.assertEqual(event.get_structure().get_double("axis-position"), (True, 1.5))


if __name__ == "__main__":
    main()
