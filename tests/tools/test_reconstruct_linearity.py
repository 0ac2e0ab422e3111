# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: beams of many energies and detectors that are not linear give the slices of those that are."""

import h5py
import numpy as np
import scan_files
import tomoref
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume

WIDTH, VIEWS, ROWS, AXIS = 128, 151, 2, 62.5
DARK, BEAM = 200.0, 40000.0
PIXEL = 0.05  # mm
# Attenuation per millimetre at four energies, and the shares of the beam that the detector sees at each.
SPECTRUM = np.array([1.2, 0.6, 0.35, 0.25])
SHARES = np.array([0.3, 0.3, 0.25, 0.15])
THIN = np.sum(SHARES * SPECTRUM)
ANGLES = np.arange(VIEWS) * np.pi / VIEWS
DISCS = [tomoref.disc(0, 0, 45, 1), tomoref.disc(14, 10, 9, -1)]  # with a hole


def measured(thickness):
    """Line integrals of millimetres of the material."""
    return -np.log(np.sum(SHARES * np.exp(-np.asarray(thickness, float)[..., None] * SPECTRUM), axis=-1))


def thickness():
    return tomoref.line_integrals(DISCS, ANGLES, WIDTH, AXIS) * PIXEL


def scan(path, transmission, response=lambda counts: counts):
    """Of rows that are alike."""
    flat = BEAM * (1 + 0.1 * np.sin(np.arange(WIDTH) / 9))
    images = [np.zeros(WIDTH), flat, *(flat * transmission)]
    images = response(np.repeat(np.array(images)[:, None], ROWS, axis=1)) + DARK
    keys = np.array([2, 1] + [0] * VIEWS)
    with h5py.File(path, "w") as file:
        scan_files.nxtomo(file, images.astype(np.float32), keys, np.append([0, 0], np.rad2deg(ANGLES)))


def wedge(path, steps=np.linspace(0.25, 5, 20), heading="", noise=0.0):
    np.savetxt(path, np.transpose([steps, np.exp(-measured(steps)) * (1 + noise)]), header=heading, comments="")


def rings_of_disc(slices):
    """Means near the middle and near the edge of the disc, without its hole."""
    y, x = np.mgrid[:WIDTH, :WIDTH] + 0.5 - AXIS
    r = np.hypot(x, y)
    body = np.hypot(x - 14, y - 10) > 12
    return [np.mean(slices[:, body & (low < r) & (r < high)]) for low, high in ((0, 12), (36, 42))]


class Linearity(ReconstructTestCase):
    def cupping(self, *words):
        middle, edge = rings_of_disc(self.slices("scan.nxs", "--axis", AXIS, *words))
        return 1 - middle / edge, middle

    def test_cupping_vanishes(self):
        scan("scan.nxs", np.exp(-measured(thickness())))
        wedge("wedge.txt")
        before, _ = self.cupping()
        self.assertGreater(before, 0.1)
        # The truth is that of a beam of one energy: the same filter, the same rows.
        scan("mono.nxs", np.exp(-THIN * thickness()))
        truth = self.slices("mono.nxs", "--axis", AXIS)
        for order, most in ((3, 0.01), (6, 0.003)):
            with self.subTest(order=order):
                words = ["--beam-hardening", "wedge.txt", "--beam-hardening-order", order]
                cupping, _ = self.cupping(*words)
                self.assertLess(abs(cupping - (1 - np.divide(*rings_of_disc(truth)))), most)
        result = self.slices("scan.nxs", "--axis", AXIS, "--beam-hardening", "wedge.txt", "--beam-hardening-order", 6,
                             "--beam-hardening-attenuation", THIN)
        self.assert_close(result, truth, 0.004)
        self.assertAlmostEqual(rings_of_disc(result)[0] / (THIN * PIXEL), 1, 2)
        # Sinograms and projections are line integrals of that attenuation.
        for words, axes in ((["sinos"], (1, 0)), (["flatcorrect"], (0, 1))):
            self.done(*words, "scan.nxs", "--beam-hardening", "wedge.txt", "--beam-hardening-order", 6,
                      "--beam-hardening-attenuation", 0.7, "--output", "out.h5", "--overwrite")
            wanted = 0.7 * thickness()[:, None] if words == ["flatcorrect"] else 0.7 * thickness()[None]
            self.assert_close(volume("out.h5"), np.repeat(wanted, ROWS, axis=1 if words == ["flatcorrect"] else 0), 0.004)

    def test_coefficients(self):
        scan("scan.nxs", np.exp(-measured(thickness())))
        self.done("sinos", "scan.nxs", "--output", "plain.h5")
        plain = volume("plain.h5").astype(float)
        self.done("sinos", "scan.nxs", "--beam-hardening", "1.5,0.25,0.125", "--output", "out.h5")
        self.assert_close(volume("out.h5"), plain * (1.5 + plain * (0.25 + plain * 0.125)), 1e-6)
        # Of sinograms that are read.
        self.done("sinos", "--sinograms", "plain.h5:/entry/data/data", "--beam-hardening", "1,2", "--output", "read.h5")
        self.assert_close(volume("read.h5"), plain + 2 * plain**2, 1e-6)

    def test_beyond_the_wedge(self):
        """A straight line goes on from the last step, whose slope is that of the polynomial."""
        t = thickness()
        scan("scan.nxs", np.exp(-measured(t)))
        steps = np.linspace(0.2, 1.5, 12)
        wedge("wedge.txt", steps)
        self.done("sinos", "scan.nxs", "--beam-hardening", "wedge.txt", "--output", "out.h5")
        p = measured(t)
        x = measured(steps)
        weights = 1 / steps
        c = np.linalg.lstsq(weights[:, None] * x[:, None] ** [1, 2, 3], weights * steps, rcond=None)[0]
        c /= c[0]
        last = x[-1]
        value, slope = np.polyval([*c[::-1], 0], last), np.polyval([3 * c[2], 2 * c[1], c[0]], last)
        wanted = np.where(p > last, value + slope * (p - last), np.polyval([*c[::-1], 0], p))
        self.assertGreater(np.mean(p > last), 0.3)
        self.assert_close(volume("out.h5"), np.repeat(wanted[None], ROWS, axis=0), 1e-4)
        told = self.done("info", "scan.nxs", "--beam-hardening", "wedge.txt").stdout
        self.assertIn("12 steps within", told)
        self.assertIn(f"up to {last:.4g}", told)

    def test_kinds_of_wedges(self):
        """In other units, in any order, with the step at nothing, and as attenuation."""
        scan("scan.nxs", np.exp(-measured(thickness())))
        steps = np.linspace(0, 5, 15)[::-1]
        wedge("mm.txt", steps)
        words = ["sinos", "scan.nxs", "--beam-hardening-attenuation", 0.5, "--overwrite", "--output", "out.h5", "--beam-hardening"]
        self.done(*words, "mm.txt")
        reference = volume("out.h5")
        tables = {
            "thickness_um; transmission": (steps * 1e3, np.exp(-measured(steps))),
            "thickness [cm]; transmission": (steps / 10, np.exp(-measured(steps))),
            "thickness (mm); attenuation": (steps, measured(steps)),
        }
        for heading, columns in tables.items():
            with self.subTest(heading=heading):
                np.savetxt("other.csv", np.transpose(columns), delimiter=";", header=heading, comments="")
                self.done(*words, "other.csv")
                self.assert_close(volume("out.h5"), reference, 1e-5)

    def test_detector(self):
        """Counts that fall behind the intensity; darks, flats, air and bins count the same."""
        transmission = np.exp(-0.4 * thickness())
        scan("linear.nxs", transmission)
        response = lambda n: n * (1 - 0.1 * n / BEAM - 0.1 * (n / BEAM) ** 2)
        scan("scan.nxs", transmission, response)
        exposure = np.linspace(0, 1.3, 25)
        np.savetxt("exposures.txt", np.transpose([exposure, DARK + response(exposure * BEAM)]))
        for words in ([], ["--air", f"0,0,6,{ROWS}"], ["--reduction-mode", "median"], ["--binning", 2], ["--outliers", 0.5]):
            with self.subTest(words=words):
                reference = self.slices("linear.nxs", "--axis", AXIS, *words)
                self.assertGreater(np.linalg.norm(self.slices("scan.nxs", "--axis", AXIS, *words) - reference) / np.linalg.norm(reference), 0.05)
                corrected = self.slices("scan.nxs", "--axis", AXIS, *words, "--detector-linearity", "exposures.txt",
                                        "--detector-linearity-order", 6)
                self.assert_close(corrected, reference, 0.005)
        self.done("flatcorrect", "scan.nxs", "--flat-correction", "off", "--detector-linearity", "2,0.001", "--output", "out.h5")
        with h5py.File("scan.nxs") as file:
            raw = file["entry/instrument/detector/data"][2:].astype(float)
        self.assert_close(volume("out.h5"), 2 * raw + 0.001 * raw**2, 1e-6)

    def test_faults(self):
        scan("scan.nxs", np.exp(-measured(thickness())))
        wedge("wedge.txt")

        def refused(text, expected, *words, status=1):
            with open("bad.txt", "w") as file:
                file.write(text)
            self.refused(status, expected, "scan.nxs", "--axis", AXIS, "--output", "x.h5", *words)

        bad = ["--beam-hardening", "bad.txt"]
        refused("1 0.5\n2 0.3\n", ["2 different steps", "order 3 wants 3"], *bad)
        refused("1 0.5\n2 -0.3\n3 0.1\n", ["transmission is -0.3"], *bad)
        refused("1 0.5\n-2 0.3\n3 0.1\n", ["a step is -2 thick"], *bad)
        refused("0.5 1\n0.3 2\n0.1 3\n", ["transmits all"], *bad)
        refused("1 0.5 3\n2 0.3 3\n", ["3 columns", "thickness in mm"], *bad)
        refused("thickness_stone transmission\n1 0.5\n2 0.3\n3 0.2\n", ["thickness_stone", "no unit known"], *bad)
        refused("1 0.5\n2 0.3\n3 0.25\n4 0.35\n5 0.3\n", ["does not rise", "smaller order"], *bad)
        refused("", ["bad.txt", "empty"], *bad)
        refused("", ["missing.txt"], "--beam-hardening", "missing.txt")
        refused("", ["beam-hardening begins with 0"], "--beam-hardening", "0,1")
        refused("", ["detector-linearity begins with -1"], "--detector-linearity=-1")
        refused("", ["would have no effect", "steps in a file"], "--beam-hardening-order", 4, status=2)
        refused("", ["would have no effect", "steps in a file"], "--beam-hardening", "1,2", "--beam-hardening-order", 4, status=2)
        refused("", ["would have no effect", "steps in a file"], "--beam-hardening-attenuation", 4, status=2)
        refused("", ["would have no effect", "steps in a file"], "--detector-linearity-order", 4, status=2)
        refused("", ["would have no effect", "line integrals"], "--beam-hardening", "1,2", "--absorptivity", "off", status=2)
        wedge("noisy.txt", noise=0.1 * np.resize([1, -1], 20))
        self.assertIn("warning: the polynomial meets 20 steps within",
                      self.done("info", "scan.nxs", "--beam-hardening", "noisy.txt", "--beam-hardening-order", 1).stdout)


if __name__ == "__main__":
    main()
