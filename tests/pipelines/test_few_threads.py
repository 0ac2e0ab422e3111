#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the limit of threads is reached: a library that is preloaded (tests/support/failing-threads.cpp) lets so many
be started and no more. Each thread that the elements start is once the one that is missing."""

import os
import subprocess
import sys

from pipetest import *

MOST = 60  # more than any of these lines starts


class FewThreads(FaultTestCase):
    def with_threads(self, number):
        return {"LD_PRELOAD": os.environ["GST_TOMO_FAILING_THREADS"], "FAILING_THREADS": str(number)}

    def test_lines(self):
        images = write_sinograms("in", (41, 53), 5)
        for line, name in (("tomoread path=in/*.tif ! tomofft ! tomoifft crop-width=53 ! tomowrite filename=out.h5:/data hdf5-deflate=1", "out.h5"),
                           ("tomoread path=in/*.tif ! tomowrite filename=out.tif", "out.tif")):
            refused = 0
            for number in range(MOST):
                with self.subTest(line, threads=number):
                    result = launch(line, ("-q",), self.with_threads(number))
                    if result.rc == 0:
                        break
                    refused += 1
                    self.assertGreater(result.rc, 0, str(result))  # no signal
                    self.assertTrue(result.errors, str(result))
                    self.check_error(result.errors[0], "Tomo", ("no thread can be started", "ulimit -u"))
                    self.assertFalse(os.path.exists(name), str(result))
            # The reader's, that of the sink and the writer's.
            self.assertGreaterEqual(refused, 3)
            got = read_dataset(name, "data") if ".h5" in name else np.stack(read_pages(name))
            np.testing.assert_allclose(got, images, atol=1e-4)

    def test_graph(self):
        """A run that can't be started leaves a graph that can be run later."""
        write_sinograms("in", (41, 53), 5)
        script = """
import gi
gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, GstTomo
graph = GstTomo.Graph.new_from_line("read path=in/*.tif ! write filename=out.tif")
try:
    graph.run()
except GLib.Error as error:
    print(error.message, graph.is_running())
"""
        ended = subprocess.run([sys.executable, "-c", script], env=dict(os.environ, **self.with_threads(0)),
                               capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("no thread can be started", ended.stdout)
        self.assertIn("raise the limit False", ended.stdout)


if __name__ == "__main__":
    main()
