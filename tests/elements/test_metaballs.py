# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomometaballs: the same balls as from a generator written down here."""

from tomotest import *
from elementtest import ElementTestCase, Stream


def frames(width, height, balls, number, seed):
    """The field whose places above 1 are inside."""
    state = seed

    def random(low, high):
        nonlocal state
        mask = 2**64 - 1
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return low + (high - low) * ((z ^ (z >> 31)) >> 11) * 2.0**-53

    table = [[random(0.01 * width, 0.05 * width), random(0, width), random(0, height), random(-4, 4), random(-4, 4)]
             for _ in range(balls)]
    y, x = np.indices((height, width)) + 0.5
    for _ in range(number):
        yield sum(size / np.hypot(bx - x, by - y) for size, bx, by, _, _ in table)
        for ball in table:
            ball[1] += ball[3]
            ball[2] += ball[4]
            if not 0 <= ball[1] <= width:
                ball[3] *= -1
            if not 0 <= ball[2] <= height:
                ball[4] *= -1


class Metaballs(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomometaballs", {
            "width": (512, 1, 32768), "height": (512, 1, 32768), "number-balls": (1, 1, 256),
            "number": (1, 1, 2**32 - 1), "seed": (0, 0, 2**64 - 1)})

    def test_balls(self):
        seed = int(rng.integers(2**63)) * 2 + 1
        for width, height, balls, number in (61, 47, 17, 40), (1, 1, 3, 3), (5, 200, 1, 2):
            line = f"tomometaballs width={width} height={height} number-balls={balls} number={number} seed={seed}"
            wanted = frames(width, height, balls, number, seed)
            for result, field in zip(run(line), wanted, strict=True):
                self.assertEqual((result.dtype, result.shape), (np.float32, field.shape))
                near = abs(field - 1) < 1e-5
                np.testing.assert_array_equal(result[~near], (field > 1)[~near])
        self.assertTrue(0 < np.mean(run("tomometaballs number-balls=20")[0]) < 1)

    def test_seek_and_states(self):
        line = "tomometaballs width=64 height=64 number-balls=9 number=12 name=m"
        wanted = run(line)
        with Stream(line, inputs=0, play=False) as stream:
            for _ in range(2):
                stream.play()
                np.testing.assert_array_equal(stream.finish(), wanted)
                stream.pipeline.set_state(Gst.State.READY)
        with Stream(line + " ! SINK", inputs=0, play=False) as stream:
            stream["sink"].set_property("max-buffers", 1)
            stream.play()
            for _ in range(6):
                stream.pull()
            self.assertTrue(stream.pipeline.seek(1.0, Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, 2,
                                                 Gst.SeekType.NONE, -1))
            sample = stream.pull_sample()
            np.testing.assert_array_equal(to_array(sample), wanted[sample.get_buffer().offset])


if __name__ == "__main__":
    main()
