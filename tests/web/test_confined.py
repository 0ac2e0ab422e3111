# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that name other files do not lead a server out of its folders."""

import shutil

import h5py
import numpy as np
from webtest import SCAN, ServerTest, main

DATA = "entry/instrument/detector/data"
OUT = "it refers to files outside of the folders that people see here"


class Confined(ServerTest):
    def setUp(self):
        super().setUp()
        self.shared = self.server()
        self.scans = self.shared.scans
        self.secret = self.folder / "secret.h5"
        shutil.copyfile(SCAN, self.secret)
        self.number = 0

    def scan_with(self, change, folder=None):
        """A copy of the scan whose samples change(file, samples) has replaced; answer to making a data set of it."""
        self.number += 1
        path = (folder or self.scans) / f"scan-{self.number}.nxs"
        shutil.copyfile(SCAN, path)
        with h5py.File(path, "r+") as file:
            samples = file[DATA][:]
            del file[DATA]
            change(file, samples)
        return self.make(path)

    def make(self, path):
        return self.shared.ask("POST", "datasets", {"places": {"scan": f"scans/{path.relative_to(self.scans)}"}})

    def assert_refused(self, answer, text=OUT):
        self.assertEqual((answer.status, answer.json.get("error")), (422, text))

    def test_external_links(self):
        inside = self.scans / "raw.h5"
        shutil.copyfile(SCAN, inside)

        def link(name):
            return lambda file, samples: file.__setitem__(DATA, h5py.ExternalLink(name, DATA))
        for name in (str(self.secret), "../secret.h5", "../nowhere.h5"):
            with self.subTest(name=name):
                self.assert_refused(self.scan_with(link(name)))
        answer = self.scan_with(link("raw.h5"))  # as detectors' files lie beside
        self.assertEqual((answer.status, answer.json["facts"]["projections"]), (201, 91), answer.body)
        (self.scans / "by-link.h5").symlink_to(self.secret)
        self.assert_refused(self.scan_with(link("by-link.h5")))
        with h5py.File(self.scans / "between.h5", "w") as between:
            between["data"] = h5py.ExternalLink(str(self.secret), DATA)
        self.assert_refused(self.scan_with(lambda file, samples: file.__setitem__(DATA, h5py.ExternalLink("between.h5", "data"))))

    def test_virtual_datasets_and_raw_data_elsewhere(self):
        def virtual(name):
            def change(file, samples):
                layout = h5py.VirtualLayout(samples.shape, samples.dtype)
                layout[:] = h5py.VirtualSource(name, DATA, samples.shape, samples.dtype)
                file.create_virtual_dataset(DATA, layout)
            return change

        def raw(name):
            def change(file, samples):
                space, plan = h5py.h5s.create_simple(samples.shape), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                plan.set_external(name.encode(), 0, samples.nbytes)
                h5py.h5d.create(file.id, DATA.encode(), h5py.h5t.py_create(samples.dtype), space, plan)
            return change
        shutil.copyfile(SCAN, self.scans / "raw.h5")
        np.zeros(10**7, np.uint8).tofile(self.folder / "secret.raw")
        np.zeros(10**7, np.uint8).tofile(self.scans / "inside.raw")
        self.assert_refused(self.scan_with(virtual(str(self.secret))))
        self.assert_refused(self.scan_with(virtual("../secret.h5")))
        self.assert_refused(self.scan_with(raw(str(self.folder / "secret.raw"))))
        self.assert_refused(self.scan_with(raw("secret.raw")))
        self.assertEqual(self.scan_with(virtual("raw.h5")).status, 201)
        self.assertEqual(self.scan_with(raw(str(self.scans / "inside.raw"))).status, 201)

    def test_folders_scanners_and_names(self):
        images = self.scans / "images"
        images.mkdir()
        (self.folder / "private").mkdir()
        (self.folder / "private" / "1.tif").write_bytes(b"II*\0")
        (images / "1.tif").symlink_to(self.folder / "private" / "1.tif")
        self.assert_refused(self.make(images))
        (images / "1.tif").unlink()
        (images / "darks").symlink_to(self.folder / "private")
        self.assert_refused(self.make(images))
        facts = self.scans / "scan.xtekct"
        for told in ("../private", str(self.folder / "private")):
            facts.write_text(f"[XTekCT]\nInputFolderName={told}\nProjections=2\n")
            self.assert_refused(self.make(facts))
        pattern = self.scans / "a*.nxs"
        shutil.copyfile(SCAN, pattern)
        self.assertEqual(self.make(pattern).status, 422)
        damaged = self.scans / "damaged.nxs"
        damaged.write_bytes(SCAN.read_bytes()[:5000])
        self.assertEqual(self.make(damaged).status, 422)

    def test_a_file_that_is_replaced_is_looked_at_again(self):
        path = self.scans / "replaced.nxs"
        shutil.copyfile(SCAN, path)
        number = self.make(path).json["id"]
        with h5py.File(path, "r+") as file:
            del file[DATA]
            file[DATA] = h5py.ExternalLink(str(self.secret), DATA)
        found = self.shared.get(f"datasets/{number}")
        self.assertEqual((found["state"], found["problem"]), ("broken", OUT))


if __name__ == "__main__":
    main()
