# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomolivestore: numbers and angles of frames, counts, darks and flats that are taken while frames come."""

import os
import sys
import tempfile

import tifffile
from tomotest import *
from elementtest import ElementTestCase, Stream, frame_meta, scan_event

LARGEST = sys.float_info.max
SHAPE = (4, 7)


def frames(number, shape=SHAPE):
    return [rng.integers(100, 60000, shape).astype(np.uint16) for _ in range(number)]


class Store(Stream):
    """With darks and flats that tomolivecorrect makes visible: (p - d) / (f - d)."""

    def __init__(self, options="angle-step=0.1", behind="tomolivecorrect absorption-correct=false"):
        super().__init__(f"tomolivestore name=s {options} ! {behind}")
        self.store = self["s"]

    def shoot(self, number, image):
        if self.sent[0] == 0:
            self.sources[0].set_property("caps", caps(image.dtype, image.shape))
        self.sources[0].push_buffer(to_buffer(image, number))
        self.sent[0] += 1

    def counts(self):
        return [int(self.store.get_property(name)) for name in ("frames", "lost", "repeated", "late")]

    def until_fields(self, number):
        while len(self.element_messages("tomo-fields")) < number:
            self._poll()
        return self.element_messages("tomo-fields")[-1]


class LiveStore(ElementTestCase):
    def test_properties(self):
        result = (0.0, 0.0, LARGEST)
        self.check_properties("tomolivestore", {"angle-step": (0.0, -LARGEST, LARGEST), "speed": (0.0, -LARGEST, LARGEST), "darks": None,
                                                "flats": None, "frames": result, "lost": result, "repeated": result, "late": result})

    def test_frames_go_on_with_numbers_and_angles(self):
        images = frames(5)
        with Store("angle-step=-0.25", "identity") as stream:
            for number, image in zip((0, 1, 4, 4, 2), images):
                stream.shoot(number, image)
            samples = [stream.pull_sample() for _ in images]
            self.assertEqual(stream.finish(), [])
        for sample, number, image in zip(samples, (0, 1, 4, 4, 2), images):
            meta = frame_meta(sample.get_buffer())
            self.assertEqual((meta.index, meta.angle), (number, -0.25 * number))
            self.assertEqual(to_array(sample).tolist(), image.tolist())

    def test_counts(self):
        """A late frame was not lost."""
        with Store() as stream:
            for number, image in zip((0, 1, 4, 4, 2, 7), frames(6)):
                stream.shoot(number, image)
            stream.finish()
            self.assertEqual(stream.counts(), [6, 3, 1, 1])

    def test_angles_of_the_scan(self):
        angles = rng.uniform(0, 6, 4)
        images = frames(4)
        with Stream("tomolivestore") as stream:
            for n, image in enumerate(images):
                stream.push(image, event=scan_event(angles) if n == 0 else None)
            self.assertEqual([frame_meta(stream.pull_sample().get_buffer()).angle for _ in images], angles.tolist())

    def test_a_frame_without_an_angle(self):
        """Is told once, and frames go on as soon as there are angles."""
        with Store("", "identity") as stream:
            for number, image in enumerate(frames(2)):
                stream.shoot(number, image)
            while not stream.warnings() or stream.counts()[0] < 2:
                stream._poll()
            self.assertIn("angle-step", stream.warnings()[0])
            stream.store.set_property("angle-step", 0.5)
            stream.shoot(2, frames(1)[0])
            self.assertEqual(frame_meta(stream.pull_sample().get_buffer()).angle, 1.0)
            self.assertEqual(len(stream.warnings()), 1)

    def test_darks_and_flats_on_command(self):
        """The next frames are, none of which goes on; what follows has their mean."""
        darks, flats, later = frames(3), [image + 1000 for image in frames(4)], [image + 2000 for image in frames(2)]
        p, q, r = frames(3)
        with Store() as stream:
            self.assertTrue(stream.store.emit("take-darks", 3))
            self.assertFalse(stream.store.emit("take-flats", 4))  # those are being taken
            number = 0
            for image in darks:
                stream.shoot(number := number + 1, image)
            message = stream.until_fields(1)
            self.assertEqual((message.get_value("kind"), message.get_value("frames")), ("darks", 3))
            for expected, p, fields in ((flats, p, 2), (later, q, 3)):
                self.assertTrue(stream.store.emit("take-flats", len(expected)))
                for image in expected:
                    stream.shoot(number := number + 1, image)
                stream.until_fields(fields)
                stream.shoot(number := number + 1, p)
                d, f = (np.mean(images, 0, dtype=float) for images in (darks, expected))
                valid = f - d > 500  # others are noise of the rounding
                np.testing.assert_allclose(stream.pull()[valid], ((p - d) / (f - d))[valid], rtol=3e-4, atol=1e-5)
            self.assertFalse(stream.store.emit("take-flats", 0))
            stream.shoot(number + 1, r)
            self.assertEqual(stream.pull().shape, SHAPE)
            self.assertEqual(stream.finish(), [])

    def test_darks_and_flats_of_files(self):
        """At the start and later, of files and of a scan; a wrong name leaves all as it is."""
        darks, flats, others = frames(2), [image + 3000 for image in frames(3)], [image + 9000 for image in frames(2)]
        p = frames(1)[0]
        with tempfile.TemporaryDirectory() as folder:
            for name, images in ("darks", darks), ("flats", flats), ("others", others):
                os.mkdir(f"{folder}/{name}")
                for n, image in enumerate(images):
                    tifffile.imwrite(f"{folder}/{name}/{n}.tif", image)
            with Store(f"angle-step=0.1 darks={folder}/darks flats={folder}/flats/*.tif") as stream:
                for n, expected in enumerate((flats, others)):
                    if n:
                        self.assertTrue(stream.store.emit("read-flats", f"{folder}/others"))
                        self.assertFalse(stream.store.emit("read-darks", f"{folder}/nothing"))
                    stream.shoot(n, p)
                    d, f = (np.mean(images, 0, dtype=float) for images in (darks, expected))
                    valid = f - d > 500
                    np.testing.assert_allclose(stream.pull()[valid], ((p - d) / (f - d))[valid], rtol=3e-4, atol=1e-5)
                stream.finish()
                self.assertIn("stay as they were", stream.warnings()[0])

    def test_a_new_size_forgets_fields(self):
        with Store() as stream:
            stream.store.emit("take-flats", 1)
            stream.shoot(0, frames(1)[0])
            stream.until_fields(1)
            image = frames(1, (5, 6))[0]
            stream.sources[0].set_property("caps", caps(image.dtype, image.shape))
            stream.sources[0].push_buffer(to_buffer(image, 1))
            self.assertEqual(stream.finish(), [])
            self.assertTrue(any("do not fit" in warning for warning in stream.warnings()), stream.warnings())

    def test_wrong_input(self):
        with self.assertRaisesRegex(PipelineError, "tomoslice"):
            run("tomolivestore", [np.zeros((2, 3, 4), np.float32)])
        with self.assertRaisesRegex(PipelineError, "no-such-folder"):
            run("tomolivestore flats=no-such-folder", [np.zeros((3, 4), np.float32)])


if __name__ == "__main__":
    main()
