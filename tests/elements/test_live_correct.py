# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomolivecorrect: absorption and transmission by the darks and flats of tomolivestore."""

import os
import tempfile

import tifffile
from tomotest import *
from elementtest import ElementTestCase, Stream

SHAPE = (5, 9)


class LiveCorrect(ElementTestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.dark = rng.uniform(90, 110, SHAPE).astype(np.float32)
        self.flat = rng.uniform(30000, 50000, SHAPE).astype(np.float32)
        for name in "dark", "flat":
            tifffile.imwrite(os.path.join(self.folder.name, f"{name}.tif"), getattr(self, name))

    def line(self, fields=("darks", "flats"), options=""):
        files = " ".join(f"{name}={self.folder.name}/{name[:-1]}.tif" for name in fields)
        return f"tomolivestore name=s angle-step=0.1 {files} ! tomolivecorrect {options}"

    def test_properties(self):
        self.check_properties("tomolivecorrect", {"absorption-correct": True, "fix-nan-and-inf": True})

    def test_absorption_and_transmission(self):
        """Of every format, and of a size that no work-group fits."""
        for dtype in np.uint8, np.uint16, np.float32:
            images = [rng.uniform(120, 250, SHAPE).astype(dtype) for _ in range(3)]
            wanted = [(image.astype(float) - self.dark) / (self.flat.astype(float) - self.dark) for image in images]
            for result, transmission in zip(run(self.line(options="absorption-correct=false"), images), wanted, strict=True):
                self.assert_close(result, transmission, 1e-6)
            for result, transmission in zip(run(self.line(), images), wanted, strict=True):
                self.assert_close(result, -np.log(transmission), 1e-6)

    def test_memory(self):
        image = rng.uniform(1000, 20000, SHAPE).astype(np.float32)
        wanted = -np.log((image.astype(float) - self.dark) / (self.flat.astype(float) - self.dark))
        self.check_memory(f"SRC0 ! {self.line()}", [image], reference=[wanted], tolerance=1e-6)

    def test_pixels_that_are_not_finite(self):
        image = np.full(SHAPE, 20000, np.float32)
        image[1, 2] = 0
        [fixed] = run(self.line(), [image])
        self.assertEqual(fixed[1, 2], 0)
        [left] = run(self.line(options="fix-nan-and-inf=false"), [image])
        self.assertTrue(np.isnan(left[1, 2]))
        self.assertEqual(np.isfinite(left).sum(), left.size - 1)

    def test_without_flats(self):
        """Nothing comes, and one warning says why; once there are some, the stream goes on."""
        images = [rng.uniform(1000, 20000, SHAPE).astype(np.float32) for _ in range(3)]
        with Stream(self.line(["darks"])) as stream:
            for image in images[:2]:
                stream.push(image)
            while not stream.warnings():
                stream._poll()
            self.assertIn("no flats yet", stream.warnings()[0])
            self.assertTrue(stream["s"].emit("read-flats", f"{self.folder.name}/flat.tif"))
            while stream["s"].get_property("frames") < 2:
                stream._poll()
            stream.push(images[2])
            [*_, result] = stream.finish()
            self.assert_close(result, -np.log((images[2].astype(float) - self.dark) / (self.flat.astype(float) - self.dark)), 1e-6)
            self.assertEqual(len(stream.warnings()), 1)

    def test_without_darks(self):
        image = rng.uniform(1000, 20000, SHAPE).astype(np.float32)
        with Stream(self.line(["flats"])) as stream:
            for _ in range(2):
                stream.push(image)
            for result in stream.finish():
                self.assert_close(result, -np.log(image.astype(float) / self.flat.astype(float)), 1e-6)
            self.assertEqual(len(stream.warnings()), 1)
            self.assertIn("0 counts as dark", stream.warnings()[0])

    def test_without_a_store(self):
        with self.assertRaisesRegex(PipelineError, "tomolivestore before"):
            run("tomolivecorrect", [np.zeros(SHAPE, np.float32)])

    def test_state_cycles(self):
        images = [rng.uniform(1000, 20000, SHAPE).astype(np.float32) for _ in range(2)]
        wanted = [-np.log((image.astype(float) - self.dark) / (self.flat.astype(float) - self.dark)) for image in images]
        self.check_state_cycles(self.line(), images, reference=wanted, tolerance=1e-6)


if __name__ == "__main__":
    main()
