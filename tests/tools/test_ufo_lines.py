# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What UFO's command line tools take, and the lines that its own tests run, restated: with what has to come out.
"""

import json
import os
import subprocess

from pipetest import *


def tool(*words, **kwargs):
    return subprocess.run(words, text=True, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, **kwargs)


class UfoTestCase(PipelineTestCase):
    def launch(self, line):
        result = tool("tomo-launch", "-q", *quoted(line))
        self.assertEqual(result.returncode, 0, f"{line}\n{result.stderr} (seed {SEED})")

    def run_json(self, dataflow, *options):
        with open("dataflow.json", "w") as file:
            json.dump(dataflow, file)
        return tool("tomo-runjson", *options, "dataflow.json")


class TestLines(UfoTestCase):
    """Those of the tests of UFO's filters."""

    def test_crop(self):
        image = rng.random((521, 530), np.float32)
        tifffile.imwrite("a.tif", image)
        self.launch("read path=a.tif ! crop width=512 height=512 ! write filename=b.tif")
        np.testing.assert_array_equal(read_pages("b.tif"), image[None, :512, :512])

    def test_doubles(self):
        image = rng.random((9, 13))
        tifffile.imwrite("a.tif", image)
        self.launch("read path=a.tif ! write filename=b.tif")
        np.testing.assert_array_equal(read_pages("b.tif")[0], image.astype(np.float32))

    def test_padded_transform(self):
        self.launch("dummy-data width=9 height=9 number=1 init=1.0 ! fft dimensions=2 auto-zeropadding=true ! "
                    "ifft dimensions=2 crop-width=9 crop-height=9 ! write filename=a.tif")
        np.testing.assert_allclose(read_pages("a.tif"), np.ones((1, 9, 9)), atol=1e-6)

    def test_numbered_files(self):
        self.launch("dummy-data number=3 ! write filename=foo-%02i.tif bytes-per-file=0")
        self.assertEqual(sorted(os.listdir(".")), ["foo-00.tif", "foo-01.tif", "foo-02.tif"])

    def test_sequences_of_pages(self):
        """Start and step are counted over the pages of all files."""
        pages, files = 10, 6
        data = np.arange(pages * files, dtype=np.uint16).reshape(files, pages, 1, 1) * np.ones((3, 5), np.uint16)
        for i, images in enumerate(data):
            tifffile.imwrite(f"f{i}.tif", images)
            images.tofile(f"f{i}.raw")
        with h5py.File("f.h5", "w") as file:
            file["data"] = data.reshape(-1, 3, 5)
        raw = "raw-width=5 raw-height=3 raw-bitdepth=16"
        for start, step in ((5, 8), (17, 8), (5, 30), (17, 30), (0, 1), (59, 1)):
            expected = list(range(start, pages * files, step))
            for source in ("path=f*.tif", f"path=f*.raw {raw}", "path=f.h5:/data"):
                self.launch(f"read {source} image-start={start} image-step={step} ! write filename=out.h5:/data")
                self.assertEqual([int(image.max()) for image in read_dataset("out.h5", "data")], expected, source)

    def test_sizes_of_transforms(self):
        for shape, dimensions in (((4, 5, 6), 3), ((5, 7), 2), ((3, 16), 1)):
            image = rng.random(shape, np.float32)
            with h5py.File("a.h5", "w") as file:
                file["a"] = image[None] if image.ndim == 2 else image
            depth = len(image) if image.ndim == 3 else 1
            self.launch(f"read path=a.h5:/a ! stack number={depth} ! fft dimensions={dimensions} ! write filename=b.h5:/b")
            expected = np.fft.fftn(image, axes=range(-dimensions, 0))
            self.assert_close(self.spectrum("b.h5", shape), expected, 1e-6)

    def spectrum(self, file, shape):
        with h5py.File(file) as opened:
            return opened["b"][()].reshape(shape)

    def test_difference_of_spectra(self):
        self.launch("[ dummy-data width=8 height=3 init=3 ! fft, dummy-data width=8 height=3 init=1 ! fft ] ! subtract ! "
                    "write filename=a.h5:/b")
        np.testing.assert_array_equal(self.spectrum("a.h5", (3, 8)), np.tile([16, 0, 0, 0, 0, 0, 0, 0], (3, 1)))

    def test_zero_frequency_in_the_middle(self):
        image = rng.random((6, 7), np.float32)
        tifffile.imwrite("a.tif", image)
        self.launch("read path=a.tif ! fft dimensions=2 ! swap-quadrants ! write filename=a.h5:/b")
        self.assert_close(self.spectrum("a.h5", (6, 7)), np.fft.fftshift(np.fft.fft2(image)), 1e-6)

    def test_dumped_kernel(self):
        image = rng.random((6, 8), np.float32)
        tifffile.imwrite("a.tif", image)
        result = tool("tomo-launch", "-d", "a.json", *quoted(
            "read path=a.tif ! fft ! opencl kernel=c_conj filename=complex.cl ! write filename=a.h5:/b"))
        self.assertEqual(result.returncode, 0, result.stderr)
        result = tool("tomo-runjson", "-q", "a.json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_close(self.spectrum("a.h5", (6, 8)), np.conj(np.fft.fft(image)), 1e-6)

    def test_rotation_into_a_larger_image(self):
        self.launch("dummy-data width=7 height=5 init=1 ! rotate angle=0.3 reshape=true ! write filename=a.tif")
        height, width = read_pages("a.tif")[0].shape
        self.assertGreater(height * width, 35)

    def test_differences(self):
        image = rng.random((6, 9), np.float32)
        tifffile.imwrite("a.tif", image)
        before, behind = np.roll(image, 1, axis=1), np.roll(image, -1, axis=1)
        for kind, expected in (("forward", behind - image), ("backward", image - before), ("central", (behind - before) / 2)):
            self.launch(f"read path=a.tif ! gradient direction=horizontal finite-difference-type={kind} "
                        "addressing-mode=repeat ! write filename=b.tif")
            np.testing.assert_allclose(read_pages("b.tif")[0], expected, atol=1e-6)

    def test_similar_patches(self):
        tifffile.imwrite("a.tif", rng.random((32, 31), np.float32))
        results = []
        for fast in ("true", "false"):
            self.launch(f"read path=a.tif ! non-local-means fast={fast} search-radius=5 patch-radius=2 h=0.3 sigma=0.1 "
                        "window=false ! write filename=b.tif")
            results.append(read_pages("b.tif")[0])
        np.testing.assert_allclose(*results, atol=1e-3)


class Schema(UfoTestCase):
    """UFO's JSON files."""

    nodes = [{"plugin": "dummy-data", "name": "s", "properties": {"width": 6, "height": 5, "number": 2, "init": 3.0}},
             {"plugin": "calculate", "name": "c", "properties": {"expression": "v * 2"}},
             {"plugin": "write", "name": "w", "properties": {"filename": "a.tif"}}]

    def test_root(self):
        """Version, package of a node, and the mark of the only part of a run, as UFO writes them."""
        edges = [{"from": {"name": "s"}, "to": {"name": "c", "input": 0}}, {"from": {"name": "c"}, "to": {"name": "w", "input": 0}}]
        nodes = [self.nodes[0] | {"package": "tomo"}, *self.nodes[1:]]
        for root in ({}, {"version": "2.0"}, {"version": "2.0", "index": 0, "total": 1}):
            result = self.run_json({**root, "nodes": nodes, "edges": edges}, "-q")
            self.assertEqual(result.returncode, 0, result.stderr)
            np.testing.assert_array_equal(read_pages("a.tif"), np.full((2, 5, 6), 6, np.float32))

    def test_edges(self):
        """Names as text or as objects, with the input inside or beside, or without one."""
        for edges in ([{"from": "s", "to": "c"}, {"from": "c", "to": "w"}],
                      [{"from": "s", "to": "c", "input": 0}, {"from": "c", "to": "w", "input": 0}],
                      [{"from": {"name": "s"}, "to": {"name": "c"}}, {"from": {"name": "c"}, "to": {"name": "w", "input": 0}}],
                      [{"from": "s", "to": {"name": "c"}, "output": 0}, {"from": "c", "to": "w"}]):
            result = self.run_json({"nodes": self.nodes, "edges": edges}, "--quieter")
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
            np.testing.assert_array_equal(read_pages("a.tif"), np.full((2, 5, 6), 6, np.float32))

    def test_refused(self):
        edges = [{"from": "s", "to": "c"}, {"from": "c", "to": "w"}]
        for change, words in (({"index": 1, "total": 2}, "distributed"),
                              ({"nodes": [*self.nodes, self.nodes[0]]}, "'s'"),
                              ({"nodes": [{"plugin": "dumy-data", "name": "s"}, *self.nodes[1:]]}, "did you mean 'dummy-data'"),
                              ({"edges": [*edges, {"from": "s", "to": "x"}]}, "'x'"),
                              ({"edges": edges[:1]}, "'c'")):
            result = self.run_json({"nodes": self.nodes, "edges": edges, **change})
            self.assertNotEqual(result.returncode, 0, change)
            self.assertIn(words, result.stderr)
            self.assertFalse(os.path.exists("a.tif"))


    def test_as_ufo_writes_it(self):
        """Files of ufo-launch --dump: enumerations by number, bits by their place in one, names with addresses."""
        image = rng.integers(0, 60000, (5, 6), np.uint16)
        image.tofile("a.raw")
        with open("u.json", "w") as file:
            file.write('''{"version":"2.0","nodes":[{"plugin":"read","name":"read-0x560eecaa4370","properties":{"path":"a.raw","raw-width":6,"raw-height":5,"raw-bitdepth":3,"type":1}},{"plugin":"pad","name":"pad-0x560eecaa45c0","properties":{"width":9,"height":7,"addressing-mode":4403}},{"plugin":"flip","name":"flip-0x560eecaa45d0","properties":{"direction":1}},{"plugin":"write","name":"write-0x560eecaca3c0","properties":{"filename":"u.tif","rescale":false}}],"edges":[{"to":{"name":"pad-0x560eecaa45c0","input":0},"from":{"name":"read-0x560eecaa4370"}},{"to":{"name":"flip-0x560eecaa45d0","input":0},"from":{"name":"pad-0x560eecaa45c0"}},{"to":{"name":"write-0x560eecaca3c0","input":0},"from":{"name":"flip-0x560eecaa45d0"}}],"index":0,"total":1}''')
        result = tool("tomo-runjson", "-q", "u.json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        np.testing.assert_array_equal(read_pages("u.tif")[0], np.pad(image, ((0, 2), (0, 3)), mode="wrap")[::-1])

    def test_modes_by_number(self):
        """The number of backproject's mode is UFO's, which counts nearest as 0."""
        tifffile.imwrite("a.tif", rng.random((20, 24), np.float32))
        pages = []
        for mode in ("nearest", 0, "linear"):
            nodes = [{"plugin": "read", "name": "r", "properties": {"path": "a.tif"}},
                     {"plugin": "backproject", "name": "b", "properties": {"mode": mode}},
                     {"plugin": "write", "name": "w", "properties": {"filename": "b.tif"}}]
            result = self.run_json({"nodes": nodes, "edges": [{"from": "r", "to": "b"}, {"from": "b", "to": "w"}]}, "-q")
            self.assertEqual(result.returncode, 0, result.stderr)
            pages.append(read_pages("b.tif"))
        np.testing.assert_array_equal(pages[0], pages[1])
        self.assertFalse(np.array_equal(pages[0], pages[2]))

    def test_property_sets(self):
        """Of files before version 2.0; a set counts more than the node's own value, as it did in UFO."""
        nodes = [{"plugin": "dummy-data", "name": "s", "prop-refs": ["size", "two"], "properties": {"width": 3, "init": 3.0}},
                 *self.nodes[1:]]
        result = self.run_json({"version": "1.1", "prop-sets": {"size": {"width": 6, "height": 5}, "two": {"number": 2}},
                                "nodes": nodes, "edges": [{"from": "s", "to": "c"}, {"from": "c", "to": "w"}]}, "-q")
        self.assertEqual(result.returncode, 0, result.stderr)
        np.testing.assert_array_equal(read_pages("a.tif"), np.full((2, 5, 6), 6, np.float32))


class Options(UfoTestCase):
    """Of ufo-launch, ufo-runjson and ufo-query."""

    def test_launch(self):
        line = quoted("dummy-data number=2 ! null")
        self.assertIn("tomo-launch", tool("tomo-launch", "--version").stdout)
        for quiet in ("-q", "--quiet", "--quieter"):
            result = tool("tomo-launch", quiet, *line)
            self.assertEqual((result.returncode, result.stdout), (0, ""), quiet)
        for dump in ("-d", "--dump"):
            self.assertEqual(tool("tomo-launch", dump, "a.json", *line).returncode, 0)
            with open("a.json") as file:
                self.assertEqual([n["plugin"] for n in json.load(file)["nodes"]], ["dummy-data", "null"])
        for trace in ("-t", "--trace"):
            result = tool("tomo-launch", trace, *line)
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(tool("tomo-launch", *quoted("dummy-data ! nul")).returncode, 2)
        self.assertEqual(tool("tomo-launch", *quoted("read path=nowhere ! null")).returncode, 1)

    def test_runjson(self):
        dataflow = {"nodes": [{"plugin": "dummy-data", "name": "s"}, {"plugin": "null", "name": "n"}],
                    "edges": [{"from": "s", "to": "n"}]}
        for options in ([], ["-q"], ["--quiet"], ["--quieter"], ["-t"], ["--trace"]):
            self.assertEqual(self.run_json(dataflow, *options).returncode, 0, options)
        self.assertIn("tomo-runjson", tool("tomo-runjson", "--version").stdout)
        self.assertEqual(tool("tomo-runjson", "no-such.json").returncode, 1)

    def test_query(self):
        self.assertIn("flat-field-correct", tool("tomo-query", "-l").stdout.split())
        self.assertIn("filename", tool("tomo-query", "-p", "write").stdout)
        self.assertIn("tomo-query", tool("tomo-query", "--version").stdout)
        self.assertNotEqual(tool("tomo-query", "-p", "wirte").returncode, 0)

    def test_values(self):
        """Lists, enumerations, booleans, and quotes that keep blanks and brackets."""
        for line, node, name, expected in (
                ("dummy-data ! pad addressing-mode=clamp_to_edge width=4 ! null", 1, "addressing-mode", "clamp_to_edge"),
                ("dummy-data ! null download=true", 1, "download", True),
                ("dummy-data ! calculate expression='v ! [ 1, 2 ]' ! null", 1, "expression", "v ! [ 1, 2 ]")):
            result = tool("tomo-launch", "-d", "-", line)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(json.loads(result.stdout)["nodes"][node]["properties"][name], expected)


if __name__ == "__main__":
    main()
