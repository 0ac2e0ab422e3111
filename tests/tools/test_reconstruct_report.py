# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: the report beside slices, by what stands in it."""

import base64
import glob
import html.parser
import io
import json
import os
import shutil
import subprocess

import tifffile
from PIL import Image
from phantom_scan import AXIS, ROWS, VIEWS, WIDTH, Scan
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume
from zarr_files import halved


class Page(html.parser.HTMLParser):
    """What a report holds: ids of sections, their texts, attributes of images and figures, and all addresses."""

    EMPTY = {"meta", "img", "link", "br", "hr", "input"}

    def __init__(self, path):
        super().__init__()
        self.open, self.sections, self.images, self.figures, self.addresses, self.text = [], {}, [], [], [], ""
        with open(path, encoding="utf-8") as file:
            self.source = file.read()
        self.feed(self.source)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in self.EMPTY:
            self.open.append(tag)
        if tag == "section":
            self.section = attributes["id"]
            self.sections[self.section] = ""
        if tag == "figure":
            self.figures.append(attributes)
        if tag == "img":
            self.images.append(attributes)
        self.addresses += [value for key, value in attributes.items() if key in ("src", "href", "xlink:href", "data", "action")]

    def handle_startendtag(self, tag, attributes):
        pass  # of SVG

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data):
        self.text += data
        if "section" in self.open:
            self.sections[self.section] += data


def picture(image):
    """Pixels of an image of a page."""
    data = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"), validate=True)
    return np.asarray(Image.open(io.BytesIO(data)))


class Reports(ReconstructTestCase):
    def shown(self, slices, image):
        """8 bits by the range of the page, as in docs/elements: rounded, and clipped."""
        black, white = float(image["data-black"]), float(image["data-white"])
        return np.clip((slices.astype(np.float64) - black) / (white - black), 0, 1) * 255

    def assert_shows(self, page, slices, step=1):
        """Three slices through the middle, as they are in the result."""
        depth, height, width = slices.shape
        cuts = {"z": slices[depth // 2], "y": slices[:, height // 2], "x": slices[:, :, width // 2]}
        figures = [figure for figure in page.figures if figure.get("class") == "slice"]
        self.assertEqual([figure["data-normal"] for figure in figures], ["z", "y", "x"])
        for figure, image in zip(figures, page.images):
            normal = figure["data-normal"]
            self.assertEqual(int(figure["data-number"]), {"z": depth, "y": height, "x": width}[normal] // 2)
            cut = cuts[normal][::int(figure["data-step-down"]), ::int(figure["data-step-across"])]
            pixels = picture(image)
            self.assertEqual((pixels.shape, pixels.dtype), (cut.shape, np.uint8))
            self.assertLessEqual(np.abs(pixels - self.shown(cut, image)).max(), 0.51)
            self.assertEqual(int(figure["data-step-across"]), step)
        black, white = np.percentile(np.concatenate([cut[::step, ::step].ravel() if normal == "z" else cut[:, ::step].ravel()
                                                     for normal, cut in cuts.items()]), [0.5, 99.5])
        self.assertAlmostEqual(float(page.images[0]["data-black"]), black, delta=0.01 * (white - black))
        self.assertAlmostEqual(float(page.images[0]["data-white"]), white, delta=0.01 * (white - black))

    def test_page(self):
        """All parts, in one file, with nothing from elsewhere."""
        Scan().nxtomo("scan.nxs")
        result = self.done("scan.nxs", "--rings", "fourier", "--output", "slices.h5")
        self.assertIn("slices.h5.html", result.stderr)
        page = Page("slices.h5.html")
        self.assertEqual(list(page.sections), ["messages", "slices", "scan", "axis", "sinograms", "course", "result", "configuration"])
        self.assertTrue(all(address.startswith("data:image/png;base64,") for address in page.addresses), page.addresses)
        for word in ("http:", "https:", "@import", "url(", "<script", "<link"):
            self.assertNotIn(word, page.source)
        self.assertIn("prefers-color-scheme: dark", page.source)
        for section, words in {"scan": [f"{VIEWS} of {WIDTH} × {ROWS} px, uint16", "178.5"], "axis": ["found", "±", "correlation"],
                               "course": ["Inspection", "Axis", "Reconstruction", "slices/s", "Device"],
                               "result": ["slices.h5:/entry/data/data", "float32"],
                               "configuration": ["rings", "fourier", "[output]", "tomoscansrc"]}.items():
            for word in words:
                self.assertIn(word, page.sections[section])
        self.assertEqual(page.source.count("<svg"), page.source.count("</svg>"))
        self.assertGreaterEqual(page.sections["axis"].count("axis / px"), 1)
        self.assert_shows(page, volume())
        # The sinogram before is what the detector counted, the one after what the chain makes of it.
        self.done("sinos", "scan.nxs", "--rings", "fourier", "--output", "sinograms.h5")
        sinogram = volume("sinograms.h5")[ROWS // 2]
        raw, corrected = page.images[3:]
        for image, values in ((raw, Scan().projections[:, ROWS // 2]), (corrected, sinogram)):
            pixels = picture(image)
            self.assertEqual(pixels.shape, (VIEWS, WIDTH))
            self.assertLessEqual(np.abs(pixels - self.shown(values, image)).max(), 0.51)

    def test_other_results(self):
        """In slabs, a series of TIFF, integers, with binning and parts of the rows; and no page where none is wanted."""
        Scan().nxtomo("scan.nxs", axis=AXIS)
        for words in (["--output", "slices.h5", "--memory", 4 * 4 * WIDTH * VIEWS * 4, "--outliers", "10", "--overwrite"],
                      ["--output", "parts.h5", "--output-parts", "2", "--compression", "3"],
                      ["--output", "slices.ome.zarr", "--binning", "2"],
                      ["--output", "some.tif", "--y", "1", "--y-step", "2", "--output-bitdepth", "16"],
                      ["--output", "series/slice-%03i.tif", "--binning", "2", "--projection-filter", "none"]):
            self.done("scan.nxs", *words)
            name = words[1]
            page = Page("series/slice.html" if "%" in name else name + ".html")
            if "%" in name:
                slices = np.stack([tifffile.imread(path) for path in sorted(glob.glob("series/*.tif"))])
            else:
                slices = tifffile.imread(name) if name.endswith(".tif") else volume(name)
            self.assert_shows(page, slices)
            self.assertEqual(len(page.images), 5, words)
        self.done("scan.nxs", "--slice", "middle", "--output", "one.h5")
        page = Page("one.h5.html")
        self.assertEqual(len(page.images), 3)
        np.testing.assert_allclose(picture(page.images[0]), self.shown(volume("one.h5")[0], page.images[0]), atol=0.51)
        # No page of an earlier result stays.
        self.done("scan.nxs", "--output", "without.h5")
        self.assertTrue(os.path.exists("without.h5.html"))
        self.done("scan.nxs", "--report=false", "--output", "without.h5", "--overwrite")
        self.done("sinos", "scan.nxs", "--output", "sinograms.h5")
        self.assertEqual(glob.glob("without*.html") + glob.glob("sino*.html"), [])
        self.refused(2, ["report", "would have no effect"], "sinos", "scan.nxs", "--report=false", "--output", "never.h5")

    def test_strange_names(self):
        """Names of files are no part of the page's language; those that are no text are one error."""
        name = "<b>&amp;'\"<script>.nxs"
        Scan().nxtomo("scan.nxs")
        os.rename("scan.nxs", name)
        self.done(name, "--axis", AXIS, "--output", "slices.h5")
        page = Page("slices.h5.html")
        self.assertIn(name, page.text)
        self.assertIn(name, page.sections["scan"])
        for tag in ("<b>&amp;'", "<script"):
            self.assertNotIn(tag, page.source)
        os.link(name.encode(), b"caf\xe9.nxs")
        for scan, output in ((b"caf\xe9.nxs", b"cafe.h5"), (name.encode(), b"caf\xe9.h5")):
            result = subprocess.run([b"tomo-reconstruct", scan, b"--axis", str(AXIS).encode(), b"--output", output, b"--progress", b"none"],
                                    capture_output=True, timeout=PATIENCE)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertRegex(result.stderr, rb"\Atomo-reconstruct: .*does not take text that is no UTF-8; wanted text\n\Z")

    def test_large_slices(self):
        """Every n-th sample of them, so that a page stays small."""
        rng = np.random.default_rng(SEED)
        with h5py.File("sinograms.h5", "w") as file:
            file["entry/data/data"] = rng.normal(size=(3, 4, 1601)).astype(np.float32)
        self.done("--sinograms", "sinograms.h5:/entry/data/data", "--axis", 800, "--range-degrees", 180, "--output", "slices.h5")
        page = Page("slices.h5.html")
        self.assert_shows(page, volume(), step=3)
        self.assertLess(os.path.getsize("slices.h5.html"), 3e6)
        again = ["--sinograms", "sinograms.h5:/entry/data/data", "--axis", 800, "--range-degrees", 180, "--overwrite", "--output"]
        self.done(*again, "slices.h5", "--chunks", "2,32,32", "--compression", "1")
        self.assert_shows(Page("slices.h5.html"), volume(), step=3)

    def test_levels(self):
        """Slices across a large volume are those of its pyramid, and say so."""
        rng = np.random.default_rng(SEED)
        with h5py.File("sinograms.h5", "w") as file:
            file["entry/data/data"] = rng.normal(size=(7, 4, 1001)).astype(np.float32)
        for output, *words in (["slices.h5", "--pyramid", "yes"], ["slices.ome.zarr"], ["parts.h5", "--pyramid", "yes", "--output-parts", "2"]):
            self.done("--sinograms", "sinograms.h5:/entry/data/data", "--axis", 500, "--range-degrees", 180, "--output", output, *words)
            page = Page(output + ".html")
            level = halved(volume(output))
            self.assertEqual(level.shape, (4, 501, 501))
            self.assertEqual(page.sections["slices"].count("means of 2 × 2 × 2 voxels"), 2)
            figures = [figure for figure in page.figures if figure.get("class") == "slice"]
            for figure, image, cut in zip(figures[1:], page.images[1:], (level[:, 250], level[:, :, 250])):
                self.assertEqual([figure["data-" + key] for key in ("number", "step-across", "step-down")], ["500", "2", "2"])
                np.testing.assert_allclose(picture(image), self.shown(cut, image), atol=0.6)

    def test_pixel_size(self):
        """Lengths, a bar of a round length, and attenuation per centimetre."""
        Scan().nxtomo("scan.nxs")
        with h5py.File("scan.nxs", "a") as file:
            for axis in "xy":
                size = file.create_dataset(f"entry/instrument/detector/{axis}_pixel_size", data=2.5)
                size.attrs["units"] = "um"
        self.done("scan.nxs", "--axis", AXIS, "--output", "slices.h5")
        page = Page("slices.h5.html")
        self.assertIn("2.5 µm", page.sections["scan"])
        self.assertIn("cm⁻¹", page.sections["slices"])
        self.assertEqual(page.source.count('class="scale"'), 3)
        share = 100 * 50 / (2.5 * WIDTH)
        self.assertIn(f'class="scale" style="width:{share:.3f}%">50 µm<', page.source)

    def test_warnings_and_failures(self):
        """What is wrong with scan and run stands there, and a page that can't be written is no failure of the run."""
        Scan().nxtomo("scan.nxs", darks=False, axis=40.0)
        self.done("scan.nxs", "--axis", AXIS, "--output", "slices.h5", "--ignore", "all")
        self.assertIn("no-darks", Page("slices.h5.html").sections["messages"])
        os.remove("slices.h5.html")
        os.mkdir("slices.h5.html")
        result = self.done("scan.nxs", "--axis", AXIS, "--output", "slices.h5", "--ignore", "all", "--overwrite")
        self.assertIn("warning: the report was not written", result.stderr)
        self.assertNotIn("slices.h5.html,", result.stderr)
        self.assertEqual(os.listdir("slices.h5.html"), [])


if __name__ == "__main__":
    main()
