# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Variants of kernels: all give the same, the choice is kept and respected."""

import os
import pathlib
import shutil
import tempfile
import unittest.mock

from tomotest import *
import tomoref

AXIS = 70.25


class Tuning(TestCase):
    def setUp(self):
        # Compiled programs stay where they are.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gst-tomo-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for program in pathlib.Path(os.environ["GST_TOMO_CACHE_DIR"]).glob("*.clbin"):
            os.link(program, self.folder / program.name)
        wishes = unittest.mock.patch.dict(os.environ, GST_TOMO_CACHE_DIR=str(self.folder), GST_TOMO_TUNE="1")
        wishes.start()
        self.addCleanup(wishes.stop)
        self.sinograms = [random_array(np.float32, (61, 137)) for _ in range(3)]
        self.wanted = [tomoref.backproject_linear(s, axis=AXIS) for s in self.sinograms]

    def reconstruct(self):
        results = run(f"tomobackproject axis-pos={AXIS} batch=3", self.sinograms)
        for result, wanted in zip(results, self.wanted, strict=True):
            self.assert_close(result, wanted, 1e-5)

    def choices(self):
        return list(self.folder.glob("*.tune"))

    def test_all_variants_are_tried_and_give_the_same(self):
        self.reconstruct()
        (file,) = self.choices()
        chosen, _, *table = file.read_text().splitlines()
        variants = [line.split(" ms  ")[1] for line in table[1:]]
        self.assertGreater(len(variants), 1)
        self.assertIn(chosen, variants)
        for variant in variants:
            with self.subTest(variant=variant):
                file.write_text(variant + "\n")
                self.reconstruct()
                self.assertEqual(file.read_text(), variant + "\n", "tried again")

    def test_a_choice_of_nonsense_is_made_again(self):
        self.reconstruct()
        (file,) = self.choices()
        for nonsense in b"", b"-D NONSENSE\n", b"\xff\x00\n":
            file.write_bytes(nonsense)
            self.reconstruct()
            self.assertIn(" ms  ", file.read_text())

    def test_not_asked_for(self):
        os.environ["GST_TOMO_TUNE"] = "0"
        self.reconstruct()
        del os.environ["GST_TOMO_TUNE"]
        self.reconstruct()  # too little work
        self.assertEqual(self.choices(), [])

    def test_wrong_wish(self):
        os.environ["GST_TOMO_TUNE"] = "maybe"
        self.assert_fails("GST_TOMO_TUNE=maybe is neither 0 nor 1", "tomobackproject", self.sinograms)


if __name__ == "__main__":
    main()
