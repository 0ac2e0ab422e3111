# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremovestripesfiltering against Fourier transforms of the columns."""

from stripestest import *


class RemoveStripesFiltering(StripesTestCase):
    def test_properties(self):
        self.check_properties("tomoremovestripesfiltering", {**BATCH, "sigma": (3.0, 0.1, 100.0), "size": (21, 1, 1023)})

    def test_stripes(self):
        self.check_stripes("tomoremovestripesfiltering", stripes.remove_filtering, less_by=7, settled=stripes.settled_frequencies)
        self.check_nan("tomoremovestripesfiltering", stripes.remove_filtering, settled=stripes.settled_frequencies)
        self.check_batches("tomoremovestripesfiltering", stripes.remove_filtering, settled=stripes.settled_frequencies)

    def test_windows(self):
        """Up to where all frequencies are low."""
        for sigma, size in ((0.5, 3), (10.0, 4), (100.0, 5)):
            self.check(f"tomoremovestripesfiltering sigma={sigma} size={size}", [random_array(np.float32, (67, 43))],
                       lambda p: stripes.remove_filtering(p, sigma, size), 1e-4,
                       settled=lambda p: stripes.settled_frequencies(p, sigma))


if __name__ == "__main__":
    main()
