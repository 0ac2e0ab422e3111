# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremovestripesall against numpy, and against the three elements that it stands for."""

from stripestest import *


class RemoveStripesAll(StripesTestCase):
    def test_properties(self):
        self.check_properties("tomoremovestripesall", {**BATCH, "large-size": (51, 1, 1023), "small-size": (21, 1, 1023), "snr": SNR, "drop-ratio": (0.1, 0.0, 0.8)})

    def test_stripes(self):
        self.check_stripes("tomoremovestripesall", stripes.remove_all, less_by=3)
        self.check_batches("tomoremovestripesall", stripes.remove_all)

    def test_the_three(self):
        image = striped(67, 143)[1]
        three = run("tomoremovestripesdead residual=false size=31 snr=2 ! tomoremovestripeslarge size=31 snr=2 drop-ratio=0.2 "
                    "! tomoremovestripessorting size=11", [image])[0]
        np.testing.assert_array_equal(
            run("tomoremovestripesall large-size=31 small-size=11 snr=2 drop-ratio=0.2", [image])[0], three)


if __name__ == "__main__":
    main()
