# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: phase retrieval of a scan whose projections were propagated by Fresnel's integral."""

import json

import scan_files
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume

WIDTH, ROWS, VIEWS, AXIS = 96, 41, 91, 50.0
ENERGY, PIXEL, DISTANCE = 20.0, 1.5e-6, 0.05
WAVELENGTH = 6.62607015e-34 * 299792458 / (ENERGY * 1.602176634e-16)
DELTA, RATE = 5e-7, 1.5
MU = 4 * np.pi * DELTA / 10**RATE / WAVELENGTH  # attenuation per metre
SPHERES = ((0.0, 0.0, 20.0, 14.0), (-22.0, 9.0, 14.0, 8.0), (15.0, 18.0, 26.0, 9.0))  # x, y from the axis, row, radius
ANGLES = np.arange(VIEWS) * np.pi / VIEWS


def blurred(images):
    """Soft edges, so that phase varies slowly from pixel to pixel."""
    f2 = np.fft.fftfreq(WIDTH) ** 2 + np.fft.fftfreq(ROWS)[:, None] ** 2
    return np.fft.ifft2(np.fft.fft2(images) * np.exp(-2 * (np.pi * 1.5) ** 2 * f2)).real


def thickness():
    """Of each view, in pixels."""
    rows, columns = np.mgrid[:ROWS, :WIDTH] + 0.5
    views = np.zeros((VIEWS, ROWS, WIDTH))
    for view, angle in zip(views, ANGLES):
        for x, y, row, radius in SPHERES:
            h = AXIS + x * np.cos(angle) + y * np.sin(angle)
            view += 2 * np.sqrt(np.maximum(radius**2 - (columns - h) ** 2 - (rows - row) ** 2, 0))
    return blurred(views)


def detected(thickness, distance):
    """Intensity behind the sample, as a share of the beam."""
    metres = thickness * PIXEL
    wave = np.exp(-MU / 2 * metres - 2j * np.pi * DELTA / WAVELENGTH * metres)
    f2 = np.fft.fftfreq(WIDTH) ** 2 + np.fft.fftfreq(ROWS)[:, None] ** 2
    return np.abs(np.fft.ifft2(np.fft.fft2(wave) * np.exp(-1j * np.pi * WAVELENGTH * distance / PIXEL**2 * f2))) ** 2


THICKNESS = thickness()


def inside(margin):
    """The voxels that lie deeper in a sphere than this."""
    z, y, x = np.mgrid[:ROWS, :WIDTH, :WIDTH] + 0.5
    near = [np.sqrt((x - AXIS - sx) ** 2 + (y - AXIS - sy) ** 2 + (z - row) ** 2) < radius - margin
            for sx, sy, row, radius in SPHERES]
    return np.any(near, axis=0)


def write(path, distance=DISTANCE, facts=True, source=None, **others):
    """`source` metres before the sample is a point; the image is that of a parallel beam behind `distance`."""
    rows, columns = np.mgrid[:ROWS, :WIDTH]
    dark, flat = 100.0, 30000 * (1 + 0.1 * np.sin(columns / 9 + rows))
    images = [np.full((ROWS, WIDTH), dark), dark + flat, *(dark + flat * detected(THICKNESS, distance))]
    keys = np.array([2, 1] + [0] * VIEWS)
    detector = distance * source / (source - distance) if source else distance
    pixel = PIXEL * (1 + detector / source) if source else PIXEL
    told = {"instrument__beam__incident_energy": (ENERGY, "keV"), "instrument__detector__distance": (detector * 1e3, "mm"),
            "instrument__detector__x_pixel_size": (pixel * 1e6, "um"), "instrument__detector__y_pixel_size": (pixel * 1e6, "um")}
    if source:
        told["instrument__source__distance"] = (-source, "m")
    told.update(others)
    with h5py.File(path, "w") as file:
        scan_files.nxtomo(file, np.array(images, np.float32), keys, np.append([0, 0], np.rad2deg(ANGLES)), **told if facts else {})


PHASE = ["--retrieval-method", "tie", "--regularization-rate", RATE]
FACTS = ["--energy", ENERGY, "--propagation-distance", DISTANCE, "--pixel-size", PIXEL]


class Phase(ReconstructTestCase):
    def check_phantom(self, slices, value, tolerance=0.01):
        """What is inside of the spheres, and that there is nothing outside."""
        core = inside(4)
        self.assertLess(abs(np.mean(slices[core]) / value - 1), tolerance)
        self.assertLess(np.sqrt(np.mean((slices[core] / value - 1) ** 2)), 4 * tolerance)
        self.assertLess(abs(np.mean(slices[~inside(-5)])), 0.01 * value)

    def test_delta_of_a_phantom(self):
        """delta = attenuation x wavelength x ratio / 4 pi within 1 %, and as share of the material; near the sample and far."""
        for distance, method in ((DISTANCE, "tie"), (DISTANCE, "gpm"), (DISTANCE, "ict"), (0.1, "ict")):
            with self.subTest(method=method, distance=distance):
                write("scan.nxs", distance)
                words = ["scan.nxs", "--axis", AXIS, "--retrieval-method", method, "--regularization-rate", RATE]
                attenuation = self.slices(*words)
                self.check_phantom(attenuation * WAVELENGTH * 10**RATE / (4 * np.pi * PIXEL), DELTA)
                share = self.slices(*words, "--delta", DELTA)
                self.check_phantom(share, 1.0)
                self.assert_close(share, attenuation / (MU * PIXEL), 1e-5)
                # Without retrieval, edges have fringes that reach high.
                fringed = self.slices("scan.nxs", "--axis", AXIS) / (MU * PIXEL)
                self.assertGreater(fringed.max(), 1.25)
                self.assertLess(share.max(), 1.02)

    def test_thickness(self):
        """In metres, of projections and of sinograms."""
        write("scan.nxs")
        for words, axes in ((["flatcorrect"], (0, 1, 2)), (["sinos"], (1, 0, 2))):
            self.done(*words, "scan.nxs", *PHASE, "--delta", DELTA, "--output", "out.h5", "--overwrite")
            wanted = np.transpose(THICKNESS, axes) * PIXEL
            self.assert_close(volume("out.h5"), wanted, 0.02)
            transmission = np.exp(-MU * wanted)
            self.done(*words, "scan.nxs", *PHASE, "--absorptivity", "off", "--output", "out.h5", "--overwrite")
            self.assert_close(volume("out.h5"), transmission, 0.002)

    def test_point_source(self):
        """The distance and the pixels that count are those at the sample, whether the scan or the user tells of a source."""
        source, detector = 0.08, DISTANCE * 0.08 / (0.08 - DISTANCE)
        pixel = PIXEL * (1 + detector / source)
        words = ["flatcorrect", *PHASE, "--delta", DELTA, "--overwrite", "--output", "out.h5"]
        write("scan.nxs")
        self.done(*words, "scan.nxs")
        wanted = volume("out.h5")
        self.assert_close(wanted, THICKNESS * PIXEL, 0.02)
        write("cone.nxs", source=source)
        self.done(*words, "cone.nxs")
        self.assert_close(volume("out.h5"), wanted, 1e-5)
        write("told.nxs", source=source, instrument__detector__x_pixel_size=(1, "m"), sample__x_pixel_size=(PIXEL, "m"),
              sample__propagation_distance=(DISTANCE, "m"))
        self.done(*words, "told.nxs")
        self.assert_close(volume("out.h5"), wanted, 1e-5)
        with h5py.File("told.nxs", "a") as file:
            del file["entry/instrument/detector/distance"]
        self.done(*words, "told.nxs")
        self.assert_close(volume("out.h5"), wanted, 1e-5)
        write("untold.nxs", facts=False)
        given = ["--energy", ENERGY, "--source-distance", source, "--propagation-distance", detector, "--pixel-size", pixel]
        self.done(*words, "untold.nxs", *given)
        self.assert_close(volume("out.h5"), wanted, 1e-5)
        self.done(*words, "scan.nxs", "--source-distance", 1e12)
        self.assert_close(volume("out.h5"), wanted, 1e-5)
        facts = json.loads(self.done("info", "cone.nxs", "--json", "--ignore", "all").stdout)
        for name, value in (("source-distance", source), ("distance", detector), ("pixel-size", PIXEL)):
            self.assertAlmostEqual(facts[name] / value, 1, 9)

    def test_cone_beam(self):
        """Slices take the cone geometry where rays cross rows and columns, and none where the source is far."""
        write("cone.nxs", source=0.004, distance=0.003)
        self.assertIn("tomogeneralbackproject", self.done("cone.nxs", "--axis", AXIS, *PHASE, "--dry-run").stdout)
        self.assertIn("cone-beam", self.done("info", "cone.nxs", "--geometry", "parallel").stdout)
        self.done("flatcorrect", "cone.nxs", "--output", "projections.h5")
        self.slices("cone.nxs", "--axis", AXIS, "--geometry", "parallel", "--slice", "middle")
        write("far.nxs", source=40.0)
        self.assertNotIn("cone-beam", self.done("info", "far.nxs").stdout)
        self.assertNotIn("tomogeneralbackproject", self.done("far.nxs", "--axis", AXIS, "--dry-run").stdout)
        self.assertIn("tomogeneralbackproject",
                      self.done("far.nxs", "--axis", AXIS, *PHASE, "--source-distance", 0.004, "--dry-run").stdout)
        # Pixels of unknown size may be large ones.
        with h5py.File("far.nxs", "a") as file:
            del file["entry/instrument/detector/x_pixel_size"], file["entry/instrument/detector/y_pixel_size"]
        self.refused(1, ["source 40 m", "--pixel-size", "--ignore cone-beam"], "far.nxs", "--output", "x.h5")

    def test_parts(self):
        """A region, slabs and rings on transmission are what they are in the whole; bins know their size."""
        write("scan.nxs")
        words = ["scan.nxs", "--axis", AXIS, *PHASE]
        whole = self.slices(*words)
        self.assert_same(self.slices(*words, "--y", 13, "--height", 5), whole[13:18])
        self.assert_same(self.slices(*words, "--memory", 9 * 8 * VIEWS * WIDTH), whole)
        binned = self.slices(*words, "--binning", 2, "--delta", DELTA)
        core = inside(5)[:40].reshape(20, 2, 48, 2, 48, 2).all(axis=(1, 3, 5))
        self.assertLess(abs(np.mean(binned[core]) - 1), 0.01)
        given = self.slices(*words, *FACTS, "--binning", 2, "--delta", DELTA)
        self.assert_close(binned, given, 1e-5)
        line = self.done(*words, "--rings", "sorting", "--delta", DELTA, "--dry-run").stdout
        places = [line.index(f"name={name}") for name in ("flat", "phase", "transpose", "rings", "absorption", "thickness", "filter")]
        self.assertEqual(places, sorted(places))
        self.check_phantom(self.slices(*words, "--rings", "fitting", "--delta", DELTA), 1.0, 0.02)
        line = self.done(*words, "--rings", "fourier", "--outliers", 9, "--delta", DELTA, "--dry-run").stdout
        places = [line.index(f"name={name}") for name in ("outliers", "phase", "absorption", "transpose", "rings", "thickness")]
        self.assertEqual(places, sorted(places))

    def test_facts(self):
        """Those of the scan, or given ones, with the same result; the axis is found all the same."""
        write("scan.nxs")
        write("untold.nxs", facts=False)
        told = self.slices("scan.nxs", *PHASE, "--slice", "middle")
        np.testing.assert_allclose(self.slices("untold.nxs", *PHASE, *FACTS, "--slice", "middle"), told,
                                   atol=2e-5 * np.abs(told).max())
        two = ["--propagation-distance", f"{DISTANCE},{DISTANCE}"]
        np.testing.assert_allclose(self.slices("scan.nxs", *PHASE, *two, "--slice", "middle"), told, atol=2e-5 * np.abs(told).max())
        wider = self.slices("scan.nxs", *PHASE, "--retrieval-padded-width", 256, "--retrieval-padded-height", 200,
                            "--retrieval-padding-mode", "mirrored_repeat", "--slice", "middle")
        self.assertFalse(np.array_equal(wider, told))
        self.assert_close(wider, told, 0.02)
        for missing, name in ((0, "--energy in keV"), (2, "--propagation-distance"), (4, "--pixel-size")):
            rest = FACTS[:missing] + FACTS[missing + 2 :]
            self.refused(1, ["phase can't be retrieved", name, "--ignore phase"], "untold.nxs", *PHASE, *rest, "--output", "x.h5")
        self.refused(1, ["energy", "distance", "size of a pixel"], "untold.nxs", *PHASE, "--output", "x.h5")
        self.refused(1, "Give --energy", "untold.nxs", *PHASE, *FACTS[2:], "--ignore", "all",
                     "--axis", AXIS, "--output", "x.h5")
        findings = json.loads(self.done("info", "untold.nxs", *PHASE, "--json").stdout)["findings"]
        self.assertIn("phase", [finding["name"] for finding in findings])

    def test_sweep(self):
        """Of the blur."""
        write("scan.nxs")
        self.done("sweep", "scan.nxs", "--axis", AXIS, "--retrieval-method", "tie", "--parameter", "regularization-rate=1,1.5,2",
                  "--output", "sweep.h5")
        swept = volume("sweep.h5")
        self.assertEqual(len(swept), 3)
        self.assert_same(swept[1:2], self.slices("scan.nxs", "--axis", AXIS, *PHASE, "--slice", "middle"))

    def test_what_does_not_count(self):
        write("scan.nxs")
        for words, expected in (
            (["--energy", 20], "no phase is retrieved"),
            (["--propagation-distance", 1], "no phase is retrieved"),
            (["--pixel-size", 1e-6], "no phase is retrieved"),
            (["--source-distance", 1], "no phase is retrieved"),
            (["--regularization-rate", 3], "no phase is retrieved"),
            (["--delta", 1e-7], "no phase is retrieved"),
            (["--frequency-cutoff", 3], "no phase is retrieved"),
            (["--retrieval-padded-width", 200], "no phase is retrieved"),
            (["--retrieval-padded-height", 200], "no phase is retrieved"),
            (["--retrieval-padding-mode", "repeat"], "no phase is retrieved"),
            ([*PHASE, "--thresholding-rate", 0.2], "qp and qp2"),
            ([*PHASE, "--ict-alpha", 0.2], "retrieval-method=ict"),
            ([*PHASE, "--ict-alpha-threshold", 0.2], "retrieval-method=ict"),
            ([*PHASE, "--delta", 1e-7, "--absorptivity", "off"], "logarithm"),
        ):
            self.refused(2, ["would have no effect", expected], "scan.nxs", "--axis", AXIS, *words, "--output", "x.h5")
        self.refused(1, ["y-step", "whole projections"], "scan.nxs", "--axis", AXIS, *PHASE, "--y-step", 2, "--output", "x.h5")
        for distance in ("1,2,3", "0", "-1,1"):
            self.refused(1, ["propagation-distance", "metres above 0"], "scan.nxs", *PHASE, f"--propagation-distance={distance}",
                         "--output", "x.h5")
        self.refused(1, ["padded-width=7", "even"], "scan.nxs", "--axis", AXIS, *PHASE, "--retrieval-padded-width", 7, "--output", "x.h5")
        self.done("sinos", "scan.nxs", "--output", "sinos.h5")
        self.refused(2, ["retrieval-method", "sinograms are read"], "--sinograms", "sinos.h5:/entry/data/data", *PHASE, "--output", "x.h5")


if __name__ == "__main__":
    main()
