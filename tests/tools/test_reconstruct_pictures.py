# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: the pictures beside results, by their pixels."""


from PIL import Image
from phantom_scan import AXIS, ROWS, WIDTH, Scan
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume
from test_reconstruct_report import Page, picture

FOOT = 44  # rows below slices


def shown(slices, black, white):
    return np.clip((np.asarray(slices, np.float64) - black) / (white - black), 0, 1) * 255


def of_picture(name):
    with Image.open(name) as image:
        return np.asarray(image), image.text


def enlarged(image, n):
    return image.repeat(n, 0).repeat(n, 1)


class Pictures(ReconstructTestCase):
    def pixel_size(self, size):
        with h5py.File("scan.nxs", "a") as file:
            for axis in "xy":
                dataset = file.create_dataset(f"entry/instrument/detector/{axis}_pixel_size", data=size)
                dataset.attrs["units"] = "um"

    def bar(self, pixels, left=0):
        """Columns of the scale bar, which begins at the left."""
        row = pixels[-FOOT // 2, left:]
        start = int(np.argmax(row > 200))
        return int(np.argmin(row[start:] > 200))

    def test_middle(self):
        Scan().nxtomo("scan.nxs")
        labels = []
        for size, length in ((None, 20), (2.5, 50 / 2.5)):
            if size:
                self.pixel_size(size)
            result = self.done("scan.nxs", "--axis", AXIS, "--output", "slices.h5", "--overwrite")
            self.assertIn("slices.h5.png", result.stderr)
            pixels, words = of_picture("slices.h5.png")
            n = 640 // WIDTH
            self.assertEqual(pixels.shape, (n * WIDTH + FOOT, n * WIDTH))
            self.assertEqual(float(words["pixels_per_sample"]), n)
            black, white = float(words["grey_minimum"]), float(words["grey_maximum"])
            middle = volume()[ROWS // 2]
            np.testing.assert_allclose([black, white], np.percentile(middle, [0.5, 99.5]), atol=0.01 * np.ptp(middle))
            self.assertLessEqual(np.abs(pixels[:-FOOT] - enlarged(shown(middle, black, white), n)).max(), 0.51)
            self.assertAlmostEqual(self.bar(pixels), length * n, delta=1)
            labels.append(pixels[-FOOT:, 12 + self.bar(pixels):].astype(int))
            self.assertGreater(np.count_nonzero(labels[-1][:, :90] > 150), 30)
        # Another length, another text; the range of the values at the right is the same.
        self.assertTrue((labels[0][:, :90] != labels[1][:, :90]).any())
        np.testing.assert_array_equal(labels[0][:, -120:], labels[1][:, -120:])
        # In the report a bar of the same share.
        self.assertIn(f'class="scale" style="width:{100 * 20 / WIDTH:.3f}%">50 µm<', Page("slices.h5.html").source)
        # None of an earlier result stays, and none is accepted where there can't be any.
        self.done("scan.nxs", "--axis", AXIS, "--picture=false", "--output", "slices.h5", "--overwrite")
        self.assertFalse(os.path.exists("slices.h5.png"))
        self.refused(2, ["picture", "would have no effect"], "sinos", "scan.nxs", "--picture=false", "--output", "never.h5")
        self.done("scan.nxs", "--axis", AXIS, "--output", "series/slice-%03i.tif", "--binning", 2)
        pixels, words = of_picture("series/slice.png")
        n = 640 // (WIDTH // 2)
        self.assertEqual(pixels.shape[1], n * (WIDTH // 2))
        self.assertAlmostEqual(self.bar(pixels), 50 / 5 * n, delta=1)
        # What can't be written is no failure of the run.
        os.remove("slices.h5.html")
        os.mkdir("slices.h5.png")
        self.assertIn("note: there is no picture: 'slices.h5.png' is a folder",
                      self.done("scan.nxs", "--axis", AXIS, "--output", "slices.h5", "--overwrite").stderr)

    def test_large_slices(self):
        """Means of squares, so that no side is longer than 4000 pixels."""
        with h5py.File("sinograms.h5", "w") as file:
            file["entry/data/data"] = np.random.default_rng(SEED).normal(size=(1, 3, 4007)).astype(np.float32)
        self.done("--sinograms", "sinograms.h5:/entry/data/data", "--axis", 2000, "--range-degrees", 180, "--report=false",
                  "--output", "slices.h5")
        pixels, words = of_picture("slices.h5.png")
        self.assertEqual(pixels.shape, (2004 + FOOT, 2004))
        self.assertEqual(float(words["pixels_per_sample"]), 0.5)
        means = volume()[0].astype(np.float64)[:4006, :4006].reshape(2003, 2, 2003, 2).mean((1, 3))
        expected = shown(means, float(words["grey_minimum"]), float(words["grey_maximum"]))
        self.assertLessEqual(np.abs(pixels[:2003, :2003] - expected).max(), 0.52)
        self.assertAlmostEqual(self.bar(pixels), 1000 / 2, delta=1)

    def panels(self, figure, pixels, count):
        """Label and slice of each."""
        facts = {key.removeprefix("data-"): int(value) for key, value in figure.items() if key.startswith("data-")}
        for i in range(count):
            x = facts["x"] + i % facts["columns"] * facts["step-x"]
            y = facts["y"] + i // facts["columns"] * facts["step-y"]
            yield (pixels[y - facts["label-height"] + 2:y - 2, x:x + facts["panel-width"]],
                   pixels[y:y + facts["panel-height"], x:x + facts["panel-width"]])

    def test_sweep_of_the_axis(self):
        Scan().nxtomo("scan.nxs")
        axes = np.arange(AXIS - 3, AXIS + 3.5, 1)
        result = self.done("sweep", "scan.nxs", "--parameter", f"axis={axes[0]}:{axes[-1]}:1", "--output", "sweep.h5")
        self.assertIn(f"the slice with axis = {AXIS:g} px is the sharpest one", result.stderr)
        page = Page("sweep.h5.html")
        self.assertEqual(list(page.sections), ["messages", "sweep", "scan", "course", "result", "configuration"])
        (figure,), (image,) = page.figures, page.images
        pixels = picture(image)
        n = 400 // WIDTH
        slices = volume("sweep.h5")
        black, white = float(image["data-black"]), float(image["data-white"])
        np.testing.assert_allclose([black, white], np.percentile(slices, [0.5, 99.5]), atol=0.01 * np.ptp(slices))
        labels = []
        for number, (label, panel) in enumerate(self.panels(figure, pixels, len(axes))):
            self.assertLessEqual(np.abs(panel - enlarged(shown(slices[number], black, white), n)).max(), 0.51)
            is_best = axes[number] == AXIS
            self.assertEqual(np.median(label) > 128, is_best)  # dark letters on white
            self.assertGreater(np.count_nonzero((label < 128) == is_best), 60)
            labels.append(label.tobytes())
        self.assertEqual(len(set(labels)), len(axes))
        np.testing.assert_array_equal(of_picture("sweep.h5.png")[0], pixels)  # it is not larger than the page takes
        self.assertIn(f"at axis = {AXIS:g} px", page.sections["sweep"])
        for axis in axes:
            self.assertIn(f"axis = {axis:g} px", page.sections["sweep"])

    def test_sweep_of_another_parameter(self):
        Scan().nxtomo("scan.nxs")
        filters = ["ramp", "hamming", "faris-byer"]
        self.done("sweep", "scan.nxs", "--axis", AXIS, "--parameter", f"projection-filter={','.join(filters)}", "--output", "filters.tif",
                  "--crop-width", 30)
        page = Page("filters.tif.html")
        pixels, words = of_picture("filters.tif.png")
        slices = read_pages("filters.tif")
        for (label, panel), image in zip(self.panels(page.figures[0], pixels, 3), slices):
            expected = shown(image, float(words["grey_minimum"]), float(words["grey_maximum"]))
            self.assertLessEqual(np.abs(panel - enlarged(expected, 400 // 30)).max(), 0.51)
            self.assertLess(np.median(label), 128)  # none is the best one
        self.assertIn("projection-filter = hamming", page.sections["sweep"])
        self.assertNotIn("Entropy", page.source)
        # No picture and no page, where nobody wants one.
        self.done("sweep", "scan.nxs", "--parameter", "axis=46,47", "--picture=false", "--report=false", "--output", "plain.h5")
        self.assertEqual(sorted(name for name in os.listdir() if name.startswith("plain")), ["plain.h5", "plain.h5.conf"])


if __name__ == "__main__":
    main()
