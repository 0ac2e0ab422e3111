# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every element documents itself with a line that runs."""

import os
import shlex
import tempfile

from tomotest import *
import example_files


# No line can show these.
WITHOUT = {
    "tomomemoryin": "takes the address of an application's memory",
    "tomomemoryout": "takes the address of an application's memory",
    "tomorecastsrc": "needs a sender",
    "tomosimplonsrc": "needs a detector",
    "tomostdin": "reads the standard input",
}


def factories():
    for feature in Gst.Registry.get().get_feature_list(Gst.ElementFactory):
        if feature.get_metadata("tomo-task") is not None:
            yield feature


def as_shell(line):
    """For GStreamer's parser, what a shell and gst-launch-1.0 make of a line."""
    return " ".join(word.replace("\\", r"\\").replace(" ", r"\ ").replace('"', r'\"') for word in shlex.split(line))


class Examples(TestCase):
    def test_every_example_runs(self):
        folder = tempfile.TemporaryDirectory(prefix="gst-tomo-")
        self.addCleanup(folder.cleanup)
        example_files.make(folder.name)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        seen = 0
        for factory in sorted(factories(), key=lambda f: f.get_name()):
            name, lines = factory.get_name(), factory.get_metadata("tomo-example").splitlines()
            if name in WITHOUT:
                self.assertEqual(lines, [], f"{name} has an example now")
                continue
            with self.subTest(element=name):
                self.assertTrue(lines, "no example")
                self.assertTrue(any(name in line.split() for line in lines), "the example does not show the element")
            for line in lines:
                with self.subTest(element=name, line=line):
                    run(as_shell(line) + " NOSINK")
                    seen += 1
        self.assertGreater(seen, 0)


if __name__ == "__main__":
    main()
