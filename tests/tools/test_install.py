# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `meson install` brings: the plugin and the typelib work from there, and the plugin of examples/plugin builds
against the installed headers and pkg-config file and computes.

Arguments: the build folder, the source folder, the names of prefix and libdir.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import tifffile

BUILD, SOURCE, PREFIX, LIBDIR = sys.argv[1:5]
SEED = int(os.environ.get("GST_TOMO_TEST_SEED", np.random.SeedSequence().entropy % 2**32))


class InstallTest(unittest.TestCase):
    def run_it(self, *command, **kwargs):
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240,
                              **kwargs)
        self.assertEqual(done.returncode, 0, f"{' '.join(map(str, command))}\n{done.stdout}")
        return done.stdout

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="gst-tomo-install-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        destination = self.folder / "root"
        self.run_it("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", str(destination))
        self.prefix = destination / PREFIX.lstrip("/")
        libraries = self.prefix / LIBDIR
        # Nothing of the build folder: what is not installed is missing here.
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(("GST_", "GI_", "LD_LIBRARY_PATH", "PKG_CONFIG", "MESON", "PYTHONPATH"))}
        self.env.update(
            GST_PLUGIN_PATH=f"{libraries}/gstreamer-1.0",
            GST_REGISTRY=f"{self.folder}/registry.bin",
            LD_LIBRARY_PATH=str(libraries),
            GI_TYPELIB_PATH=f"{libraries}/girepository-1.0",
            PATH=f"{self.prefix}/bin:{os.environ['PATH']}",
            PYTHONPATH=str(next(self.prefix.rglob("gsttomo/__init__.py")).parents[1]),
            GST_TOMO_FFT_MODULE_PATH=f"{libraries}/gst-tomo",
            GST_TOMO_CACHE_DIR=f"{self.folder}/cache",
            PKG_CONFIG_PATH=f"{libraries}/pkgconfig")
        self.file = next(pathlib.Path(libraries).glob("pkgconfig/gsttomo-1.0.pc"))

    def test_installed(self):
        random = np.random.default_rng(SEED)
        image = random.normal(size=(5, 7)).astype(np.float32)
        os.chdir(self.folder)
        tifffile.imwrite("in.tif", image)
        self.run_it("gst-launch-1.0", "tomoread", "path=in.tif", "!", "tomofft", "!", "tomoifft", "!", "tomowrite",
                    "filename=out.tif", env=self.env)
        np.testing.assert_allclose(tifffile.imread("out.tif"), image, atol=1e-5)
        self.run_it("/usr/bin/python3", "-c", "import gi; gi.require_version('GstTomo', '1.0'); "
                    "from gi.repository import GstTomo; assert GstTomo.format_get_size(GstTomo.Format.FLOAT32) == 4", env=self.env)

        self.run_it(f"{self.prefix}/bin/tomo-launch", "--dump", "a.json", "read", "path=in.tif", "!", "write",
                    "filename=copy.tif", env=self.env)
        self.run_it(f"{self.prefix}/bin/tomo-runjson", "a.json", env=self.env)
        np.testing.assert_array_equal(tifffile.imread("copy.tif"), image)
        self.run_it(f"{self.prefix}/bin/tomo-query", "-p", "read", env=self.env)
        self.assertIn("STATE", self.run_it(f"{self.prefix}/bin/tomo-jobs", "--queue", "queue", "list", env=self.env))
        self.run_it("/usr/bin/python3", "-c", "import gsttomo; (image,) = gsttomo.Read(path='in.tif')(); "
                    "assert gsttomo.__file__.startswith(%r) and image.shape == (5, 7); from gi.repository import GstTomo; "
                    "GstTomo.PluginManager().get_task('read')" % str(self.prefix), env=self.env)

        # The prefix that was configured is not where the files are.
        text = self.file.read_text()
        self.assertIn(f"prefix={PREFIX}\n", text)
        self.file.write_text(text.replace(f"prefix={PREFIX}\n", f"prefix={self.prefix}\n"))
        self.run_it(f"{self.prefix}/bin/tomo-mkfilter", "remove-all-spots", "spots", env=self.env)
        for arguments, code, words in ((["remove-spots", "spots"], 1, "File exists"), (["Remove_spots"], 2, "lower case words")):
            refused = subprocess.run([f"{self.prefix}/bin/tomo-mkfilter", *arguments], env=self.env, text=True,
                                     stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(refused.returncode, code)
            self.assertIn(words, refused.stderr)
        self.run_it("meson", "setup", "spots-build", "spots", env=self.env)
        self.run_it("meson", "test", "-C", "spots-build", env=self.env)
        self.assertIn("remove-all-spots",
                      self.run_it("gst-inspect-1.0", "tomoremoveallspots",
                                  env={**self.env, "GST_PLUGIN_PATH": f"{self.folder}/spots-build:{self.env['GST_PLUGIN_PATH']}"}))

        # The filter of docs/writing-a-filter.md in the same plugin.
        with open(f"{SOURCE}/docs/writing-a-filter.md", encoding="utf-8") as page:
            code = re.findall(r"^```(?:cpp|c)\n(.*?)^```", page.read().replace("remove-spots", "remove-all-spots"), re.M | re.S)
        folder = self.folder / "spots"
        source = folder / "remove-all-spots.cpp"
        define = source.read_text().partition("GST_PLUGIN_DEFINE")
        source.write_text(code[0] + "".join(define[1:]).replace("tomo_register_RemoveAllSpots", "tomo_register_RemoveSpots"))
        (folder / "remove-all-spots.cl").write_text(code[1])
        self.assertNotIn("warning:", self.run_it("ninja", "-C", "spots-build", env=self.env))
        self.run_it("gst-launch-1.0", "tomoread", "path=in.tif", "!", "tomoremoveallspots", "threshold=0.25", "!", "tomowrite",
                    "filename=spotless.tif",
                    env={**self.env, "GST_PLUGIN_PATH": f"{self.folder}/spots-build:{self.env['GST_PLUGIN_PATH']}"})
        spots = image > np.float32(0.25)
        spots[:, [0, -1]] = False
        wanted = np.where(spots, np.float32(0.5) * (np.roll(image, 1, 1) + np.roll(image, -1, 1)), image)
        np.testing.assert_array_equal(tifffile.imread("spotless.tif"), wanted)

        # Its exceptions come through beside Python modules that bring libstdc++ first (gst/tomo/support/unwind-resume.c).
        (self.folder / "remove-all-spots.cl").write_text("no kernel")
        self.run_it("/usr/bin/python3", "-c", "import PIL.Image, scipy.linalg, gi; gi.require_version('Gst', '1.0'); "
                    "from gi.repository import Gst; Gst.init(None); "
                    "pipeline = Gst.parse_launch('tomodummydata number=1 ! tomoremoveallspots ! fakesink'); "
                    "pipeline.set_state(Gst.State.PLAYING); "
                    "message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.ERROR); "
                    "pipeline.set_state(Gst.State.NULL); "
                    "assert 'does not compile' in message.parse_error()[0].message, message",
                    env={**self.env, "GST_TOMO_KERNEL_PATH": str(self.folder),
                         "GST_PLUGIN_PATH": f"{self.folder}/spots-build:{self.env['GST_PLUGIN_PATH']}"})

        self.run_it("meson", "setup", "plugin-build", f"{SOURCE}/examples/plugin", "--prefix", str(self.prefix),
                    env=self.env)
        self.assertNotIn("warning:", self.run_it("meson", "install", "-C", "plugin-build", env=self.env))
        self.run_it("gst-launch-1.0", "tomoread", "path=in.tif", "!", "tomobinarize", "threshold=0.25", "!",
                    "tomowrite", "filename=binary.tif", env=self.env)
        np.testing.assert_array_equal(tifffile.imread("binary.tif"), (image >= np.float32(0.25)).astype(np.float32))


if __name__ == "__main__":
    print(f"GST_TOMO_TEST_SEED={SEED}")
    unittest.main(argv=sys.argv[:1], verbosity=2)
