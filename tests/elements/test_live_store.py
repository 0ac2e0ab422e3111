# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomolivestore: numbers and angles of frames, counts, darks and flats that are taken while frames come."""

import contextlib
import os
import subprocess
import sys
import tempfile

import h5py
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
                                                "flats": None, "frames": result, "lost": result, "repeated": result, "late": result, "store-limit": (0, 0, 2**64 - 1),
                                                "wait": False, "axis-pos": (0.0, 0.0, 32768.0), "keep-when": None, "keep-seconds": (0.0, 0.0, 1e9),
                                                "keep-path": "live-%03i.h5", "stored": result, "stored-seconds": result, "kept": result, "to-take": result})

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
        first, second, third = frames(3)
        with Store() as stream:
            self.assertTrue(stream.store.emit("take-darks", 3))
            self.assertFalse(stream.store.emit("take-flats", 4))  # those are being taken
            number = 0
            for image in darks:
                stream.shoot(number := number + 1, image)
            message = stream.until_fields(1)
            self.assertEqual((message.get_value("kind"), message.get_value("frames")), ("darks", 3))
            for expected, p, fields in ((flats, first, 2), (later, second, 3)):
                self.assertTrue(stream.store.emit("take-flats", len(expected)))
                for image in expected:
                    stream.shoot(number := number + 1, image)
                stream.until_fields(fields)
                stream.shoot(number := number + 1, p)
                d, f = (np.mean(images, 0, dtype=float) for images in (darks, expected))
                valid = f - d > 500  # others are noise of the rounding
                np.testing.assert_allclose(stream.pull()[valid], ((p - d) / (f - d))[valid], rtol=3e-4, atol=1e-5)
            self.assertFalse(stream.store.emit("take-flats", 0))
            stream.shoot(number + 1, third)
            self.assertEqual(stream.pull().shape, SHAPE)
            self.assertEqual(stream.finish(), [])

    def test_darks_and_flats_that_are_taken_back(self):
        """What was in force stays, frames go on again, and others may be taken."""
        darks, flats, late, (p, again) = frames(2), [image + 1000 for image in frames(2)], frames(3), frames(2)
        with Store() as stream:
            self.assertFalse(stream.store.emit("cancel-fields"))
            for number, (kind, images) in enumerate((("darks", darks), ("flats", flats))):
                stream.store.emit(f"take-{kind}", 2)
                for n, image in enumerate(images):
                    stream.shoot(2 * number + n, image)
                stream.until_fields(number + 1)
            self.assertTrue(stream.store.emit("take-flats", 5))
            for n, image in enumerate(late):
                stream.shoot(4 + n, image)
            self.through(stream, 7)
            self.assertEqual(stream.store.get_property("to-take"), 2)
            self.assertTrue(stream.store.emit("cancel-fields"))
            self.assertFalse(stream.store.emit("cancel-fields"))
            self.assertEqual(stream.store.get_property("to-take"), 0)
            stream.shoot(7, p)
            d, f = (np.mean(images, 0, dtype=float) for images in (darks, flats))
            valid = f - d > 500
            np.testing.assert_allclose(stream.pull()[valid], ((p - d) / (f - d))[valid], rtol=3e-4, atol=1e-5)
            while len(told := stream.element_messages("tomo-taking")) < 4:
                stream._poll()
            self.assertEqual([(m.get_value("state"), m.get_value("kind"), m.get_value("taken"), m.get_value("frames")) for m in told],
                             [("begun", "darks", 0, 2), ("begun", "flats", 0, 2), ("begun", "flats", 0, 5), ("cancelled", "flats", 3, 5)])
            self.assertEqual(told[-1].get_value("text"), "3 of 5 flats were taken, and are forgotten; the flats before stay in force")
            # Before the first frame of them, and none before.
            self.assertTrue(stream.store.emit("take-darks", 1))
            self.assertTrue(stream.store.emit("cancel-fields"))
            stream.shoot(8, again)
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

    def kept(self, stream, number=1):
        """The messages of files; the last one after so many have ended."""
        def ended():
            return [m for m in stream.element_messages("tomo-keep") if m.get_value("state") != "begun"]
        while len(ended()) < number:
            stream._poll()
        return ended()[-1]

    def through(self, stream, number):
        """Waits until so many frames have come."""
        while stream.counts()[0] < number:
            stream._poll()

    def test_keeps_what_was_and_what_follows(self):
        """All frames of a command on, and those before it that the store has; with numbers, angles, times, darks and flats."""
        images, numbers = frames(20), [n for n in range(24) if n not in (3, 4, 9, 17)]
        with tempfile.TemporaryDirectory() as folder, Store(f"angle-step=0.2 axis-pos=3.25 store-limit={images[0].nbytes * 6}", "identity") as stream:
            for kind, n in ("darks", 100), ("flats", 200):
                stream.store.emit(f"take-{kind}", 2)
                for k in range(2):
                    stream.shoot(0, np.full(SHAPE, n + k, np.uint16))
                self.until(stream, kind)
            for number, image in zip(numbers[:10], images):
                stream.shoot(number, image)
            self.through(stream, 14)
            self.assertEqual(int(stream.store.get_property("stored")), 6)
            self.assertTrue(stream.store.emit("keep", 1000.0, f"{folder}/scan.h5"))
            self.assertFalse(stream.store.emit("keep", 0.0, f"{folder}/other.h5"))
            stream.store.set_property("wait", True)
            for number, image in zip(numbers[10:17], images[10:]):
                stream.shoot(number, image)
            self.through(stream, 21)
            self.assertFalse(os.path.exists(f"{folder}/scan.h5"))
            self.assertTrue(stream.store.emit("stop-keeping"))
            message = self.kept(stream, 2)
            self.assertEqual((message.get_value("state"), message.get_value("frames"), message.get_value("path")), ("done", 13, f"{folder}/scan.h5"))
            for number, image in zip(numbers[17:], images[17:]):
                stream.shoot(number, image)
            stream.finish()
            with h5py.File(f"{folder}/scan.h5") as file:
                self.assertEqual(file["exchange/data"][:].tolist(), np.stack(images[4:17]).tolist())
                self.assertEqual(file["exchange/data"].dtype, np.uint16)
                self.assertEqual(file["defaults/NDArrayUniqueId"][:].tolist(), numbers[4:17])
                np.testing.assert_allclose(file["exchange/theta"][:], np.degrees(0.2 * np.array(numbers[4:17])))
                self.assertEqual([file["exchange/data_dark"][0, 0, 0], file["exchange/data_white"][0, 0, 0]], [100.5, 200.5])
                self.assertEqual(file["exchange/rotation_axis"][0], 3.25)
                self.assertEqual(len(file["defaults/NDArrayTimeStamp"]), 13)
            self.assertEqual(os.listdir(folder), ["scan.h5"])

    def until(self, stream, kind):
        while not any(m.get_value("kind") == kind for m in stream.element_messages("tomo-fields")):
            stream._poll()

    def test_the_end_of_the_stream_completes_a_file(self):
        images = frames(5)
        with tempfile.TemporaryDirectory() as folder, Store(behind="identity") as stream:
            stream.shoot(0, images[0])
            self.through(stream, 1)
            stream.store.emit("keep", 1.0, f"{folder}/scan.h5")
            for n in range(1, 5):
                stream.shoot(n, images[n])
            stream.finish()
            stream.pipeline.set_state(Gst.State.NULL)
            with h5py.File(f"{folder}/scan.h5") as file:
                self.assertEqual(file["exchange/data"][:].tolist(), np.stack(images).tolist())

    def test_keep_when(self):
        """A measured value begins files, once each time that it passes the bound; without time before with the frame that passes it."""
        values = [10, 20, 30, 120, 130, 20, 10, 125, 10, 10]
        for condition, first in (("mean>100", [3, 7]), ("minimum < 15", [0, 6, 8]), ("maximum>129", [4]), ("deviation>50", [])):
            with self.subTest(condition), tempfile.TemporaryDirectory() as folder, \
                    Store(f"angle-step=0.1 keep-when=\"{condition}\" keep-path={folder}/%02i.h5 wait=true", "identity") as stream:
                for n, value in enumerate(values):
                    stream.shoot(n, np.full(SHAPE, value, np.uint16))
                    stream.pull_sample()  # behind the store
                    if n - 1 in first:
                        stream.store.emit("stop-keeping")
                        self.kept(stream, first.index(n - 1) + 1)
                stream.finish()
                self.assertEqual(sorted(os.listdir(folder)), [f"{k:02}.h5" for k in range(len(first))])
                for k, n in enumerate(first):
                    with h5py.File(f"{folder}/{k:02}.h5") as file:
                        self.assertEqual(file["exchange/data"][:, 0, 0].tolist(), values[n:n + 2])

    def test_a_new_size_ends_a_file(self):
        images = frames(3)
        with tempfile.TemporaryDirectory() as folder, Store(behind="identity") as stream:
            stream.shoot(0, images[0])
            self.through(stream, 1)
            stream.store.emit("keep", 1.0, f"{folder}/scan.h5")
            stream.shoot(1, images[1])
            stream.shoot(2, images[2])
            image = frames(1, (5, 6))[0]
            stream.sources[0].set_property("caps", caps(image.dtype, image.shape))
            stream.sources[0].push_buffer(to_buffer(image, 3))
            message = self.kept(stream)
            self.assertEqual((message.get_value("state"), message.get_value("frames")), ("failed", 3))
            self.assertIn("uint16 6 x 5", message.get_value("text"))
            stream.finish()
            with h5py.File(f"{folder}/scan.h5") as file:
                self.assertEqual(file["exchange/data"][:].tolist(), np.stack(images).tolist())

    @contextlib.contextmanager
    def small_disk(self, size):
        with tempfile.TemporaryDirectory() as folder:
            if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True).returncode != 0:
                self.skipTest("needs the right to mount a tmpfs")
            try:
                yield folder
            finally:
                subprocess.run(["umount", "--lazy", folder], check=True)

    def test_a_full_disk(self):
        """The file is a scan all the same, of the frames for which there was room: room for what is written last was reserved."""
        shape = (40, 50)
        darks, flats, images = frames(2, shape), frames(2, shape), frames(4, shape)
        with self.small_disk("4m") as folder:
            with Store("angle-step=0.01 wait=true", "identity") as stream:
                for kind, taken in ("darks", darks), ("flats", flats):
                    stream.store.emit(f"take-{kind}", 2)
                    for image in taken:
                        stream.shoot(0, image)
                    self.until(stream, kind)
                stream.shoot(0, images[0])
                self.through(stream, 5)
                self.assertTrue(stream.store.emit("keep", 0.0, f"{folder}/scan.h5"))
                for number in range(1, 2000):  # twice what the disk takes
                    stream.shoot(number, images[number % 4])
                stream.finish()
                message = self.kept(stream)
            self.assertEqual((message.get_value("state"), message.get_value("path")), ("failed", f"{folder}/scan.h5"), message.to_string())
            self.assertIn("No space left", message.get_value("text"))
            self.assertEqual(os.listdir(folder), ["scan.h5"])
            count = message.get_value("frames")
            self.assertGreater(count, 100)
            with h5py.File(f"{folder}/scan.h5") as file:
                self.assertEqual(file["exchange/data"].shape, (count, *shape))
                for number, image in enumerate(file["exchange/data"], 1):
                    np.testing.assert_array_equal(image, images[number % 4])
                np.testing.assert_allclose(file["exchange/theta"][:], np.degrees(0.01 * np.arange(1, count + 1)))
                self.assertEqual(len(file["defaults/NDArrayUniqueId"]), count)
                for name, taken in ("data_dark", darks), ("data_white", flats):
                    np.testing.assert_allclose(file[f"exchange/{name}"][0], np.mean(taken, 0, dtype=float), rtol=1e-6)

    def test_a_disk_without_room_for_a_begin(self):
        with self.small_disk("1m") as folder, Store(behind="identity") as stream:
            stream.shoot(0, frames(1)[0])
            self.through(stream, 1)
            stream.store.emit("keep", 0.0, f"{folder}/scan.h5")
            message = self.kept(stream)
            self.assertEqual((message.get_value("state"), message.get_value("frames")), ("failed", 0))
            self.assertIn("No space left", message.get_value("text"))
            self.assertEqual(os.listdir(folder), [])
            stream.finish()

    def test_files_that_can_not_be(self):
        with tempfile.TemporaryDirectory() as folder, Store(behind="identity") as stream:
            self.assertFalse(stream.store.emit("keep", 1.0, f"{folder}/scan.h5"))
            stream.shoot(0, frames(1)[0])
            self.through(stream, 1)
            with open(f"{folder}/there.h5", "w"):
                pass
            for path, words in ("scan.tif", "file of HDF5"), ("there.h5", "there already"), ("there.h5/scan.h5", "there.h5"):
                self.assertEqual(stream.store.emit("keep", 1.0, f"{folder}/{path}"), path == "there.h5/scan.h5")
            self.kept(stream, 4)
            stream.finish()
            texts = [m.get_value("text") for m in stream.element_messages("tomo-keep") if m.get_value("state") == "failed"]
            for text, words in zip(texts, ("no frame has come", "file of HDF5", "there already", "there.h5"), strict=True):
                self.assertIn(words, text)
            self.assertEqual(os.listdir(folder), ["there.h5"])

    def test_wrong_input(self):
        with self.assertRaisesRegex(PipelineError, "tomoslice"):
            run("tomolivestore", [np.zeros((2, 3, 4), np.float32)])
        with self.assertRaisesRegex(PipelineError, "no-such-folder"):
            run("tomolivestore flats=no-such-folder", [np.zeros((3, 4), np.float32)])
        with self.assertRaisesRegex(PipelineError, "mean>3000"):
            run("tomolivestore keep-when=mean>much", [np.zeros((3, 4), np.float32)])
        with self.assertRaisesRegex(PipelineError, "store-limit of 90 bytes"):
            run("tomolivestore store-limit=90", [np.zeros((3, 4), np.float32)])


if __name__ == "__main__":
    main()
