# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""kill -9 of jobs and of their manager at random moments; tests/stress has many more of them."""

import unittest

from jobtest import SEED, FolderTestCase, storm


class KillTest(FolderTestCase):
    def test_kills(self):
        found, failed, killed = storm(self, 24, 12, SEED)
        print(f"{len(found)} jobs, {len(failed)} failed by {len(killed)} kills")


if __name__ == "__main__":
    print(f"GST_TOMO_TEST_SEED={SEED}")
    unittest.main(verbosity=2)
