# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: scans of laboratory scanners, by the files of facts that they write."""

import json
import os
import subprocess

import numpy as np
import tifffile
import tomoref
from compound_files import compound, floats, integer, zeiss
from pipetest import *
from test_reconstruct import ReconstructTestCase, tool, volume

WIDTH, ROWS, VIEWS, AXIS, WHITE = 96, 5, 60, 46.5, 50000
STEP = 180 / VIEWS
ANGLES = np.deg2rad(STEP) * np.arange(VIEWS)
ATTENUATION = tomoref.line_integrals([tomoref.disc(0, 0, 30, 0.01), tomoref.disc(9, 7, 8, 0.02)], ANGLES, WIDTH, AXIS)
COUNTS = np.round(WHITE * np.exp(-np.repeat(ATTENUATION[:, None], ROWS, axis=1))).astype(np.uint16)

NIKON = {"Name": "part", "InputSeparator": "_", "InputFolderName": "", "VoxelSizeX": 0.02, "SrcToObject": 1e6, "SrcToDetector": 2e6,
         "DetectorPixelsX": WIDTH, "DetectorPixelsY": ROWS, "DetectorPixelSizeX": 0.127, "DetectorPixelSizeY": 0.127,
         "DetectorOffsetX": 0, "CentreOfRotationTop": 0.0, "CentreOfRotationBottom": 0.0, "WhiteLevel": f"{WHITE}.000000",
         "Projections": VIEWS, "InitialAngle": 0, "AngularStep": STEP, "FilterType": 0}
SKYSCAN = {"Filename Prefix": "part~00", "Number Of Files": f" {VIEWS}", "Number Of Rows": f"  {ROWS}",
           "Number Of Columns": f" {WIDTH}", "Optical Axis (line)": 3, "Object to Source (mm)": 1e6, "Camera to Source (mm)": 3e6,
           "Image Pixel Size (um)": 13.001449, "Depth (bits)": 16, "Reference Intensity": WHITE, "Rotation Step (deg)": STEP,
           "Flat Field Correction": "ON", "Rotation Direction": "CW"}


def nikon(path="part.xtekct", images=True, first=1, end="\r\n", **facts):
    lines = [f"{key}={value}" for key, value in {**NIKON, **facts}.items() if value is not None]
    with open(path, "w", newline="") as file:
        file.write(end.join(["[XTekCT]", *lines, "", "[CTPro]", "Shuttling=True", "Filter_Material=None", ""]))
    if images:
        for i, image in enumerate(COUNTS):
            tifffile.imwrite(f"part_{i + first:04d}.tif", image)


def skyscan(path="part~00.log", images=True, **facts):
    lines = [f"{key}={value}" for key, value in {**SKYSCAN, **{k.replace("_", " "): v for k, v in facts.items()}}.items() if value is not None]
    with open(path, "w") as file:
        file.write("\n".join(["[System]", "Scanner=SkyScan2214", "Camera Pixel Size (um)=74.800", "[Acquisition]", *lines, ""]))
    if images:
        for i, image in enumerate(COUNTS):
            tifffile.imwrite(f"part~00{i:08d}.tif", image)
        tifffile.imwrite("part~00_spr.tif", COUNTS[0])


class Scanners(ReconstructTestCase):
    def info(self, *words):
        return json.loads(self.done("info", *words, "--ignore", "all", "--json").stdout)

    def check_facts(self, facts, **expected):
        for name, value in expected.items():
            self.assertAlmostEqual(facts[name.replace("_", "-")] / value, 1, 9, name)

    def test_nikon(self):
        nikon()
        self.check_facts(self.info("part.xtekct"), source_distance=1000, distance=1000, pixel_size=0.127e-3 / 2, views=VIEWS,
                         width=WIDTH, height=ROWS, white_level=WHITE, angle_step=np.deg2rad(STEP))
        self.assertIn("50000 counts are the whole beam", self.done("info", "part.xtekct").stdout)
        slices = self.slices("part.xtekct", "--axis", AXIS)
        reference = tomoref.backproject_linear(tomoref.fft_filter(ATTENUATION, size=256, crop=WIDTH), angles=ANGLES, axis=AXIS)
        self.assert_close(slices[2], reference, 0.01)
        # Another number of counts adds a constant to the line integrals.
        self.done("sinos", "part.xtekct", "--output", "sinos.h5")
        self.assert_close(volume("sinos.h5")[0], ATTENUATION, 1e-3)
        self.done("sinos", "part.xtekct", "--white-level", WHITE / 2, "--output", "half.h5")
        np.testing.assert_allclose(volume("half.h5"), volume("sinos.h5") - np.log(2), atol=1e-5)
        self.done("flatcorrect", "part.xtekct", "--absorptivity", "off", "--binning", 2, "--output", "bins.h5")
        wanted = COUNTS[:, :4].reshape(VIEWS, 2, 2, WIDTH // 2, 2).mean(axis=(2, 4)) / WHITE
        self.assert_close(volume("bins.h5"), wanted, 1e-6)
        # Steps on transmission know it.
        self.done("part.xtekct", "--axis", AXIS, "--rings", "fitting", "--output", "rings.h5")

    def test_nikon_cone(self):
        nikon(SrcToObject=100, SrcToDetector=1000, DetectorPixelSizeX="0,2", CentreOfRotationTop=0.3, CentreOfRotationBottom=0.5, InitialAngle=30,
              DetectorOffsetX=0.1)
        facts = self.info("part.xtekct")
        self.check_facts(facts, source_distance=0.1, distance=0.9, pixel_size=0.02e-3, axis=WIDTH / 2 + (0.4 - 0.1) / 0.2,
                         angle_first=np.deg2rad(30))
        nikon(images=False, SrcToObject=100, SrcToDetector=1000, DetectorPixelSizeX=0.2, ObjectOffsetX=0.05)
        self.check_facts(self.info("part.xtekct"), axis=WIDTH / 2 + 0.05 * 10 / 0.2)
        nikon(images=False, SrcToObject=1, SrcToDetector=1000, DetectorPixelSizeX=0.2)
        self.assertIn("tomogeneralbackproject", self.done("part.xtekct", "--axis", AXIS, "--dry-run").stdout)
        self.refused(1, "volume reaches the source", "part.xtekct", "--axis", AXIS, "--source-distance", 1e-5, "--output", "x.h5")
        self.done("flatcorrect", "part.xtekct", "--output", "projections.h5")

    def test_skyscan(self):
        skyscan()
        self.check_facts(self.info("part~00.log"), source_distance=1000, distance=2000, pixel_size=13.001449e-6, views=VIEWS,
                         white_level=WHITE, angle_step=np.deg2rad(STEP))
        slices = self.slices("part~00.log", "--axis", AXIS)
        nikon()
        self.assert_same(slices, self.slices("part.xtekct", "--axis", AXIS))
        skyscan(images=False, Flat_Field_Correction="OFF", **{"Scaled Image Pixel Size (um)": 26.0})
        self.assertNotIn("white-level", self.info("part~00.log"))
        self.check_facts(self.info("part~00.log"), pixel_size=26e-6)
        self.refused(1, ["no flats", "--ignore no-flats"], "part~00.log", "--axis", AXIS, "--output", "x.h5")
        self.assert_same(self.slices("part~00.log", "--axis", AXIS, "--white-level", WHITE), slices)

    def test_zeiss(self):
        """Counts with the reference in the same file, distances, sizes and shifts; the slices of a corrected scan."""
        flat = np.round(WHITE * (0.8 + 0.1 * np.sin(np.arange(WIDTH) / 7 + np.arange(ROWS)[:, None]))).astype(np.uint16)
        counts = np.round(flat * np.exp(-np.repeat(ATTENUATION[:, None], ROWS, axis=1))).astype(np.uint16)
        facts = {"ImageInfo__PixelSize": floats(13.5), "ImageInfo__StoRADistance": floats(*[-1e6] * VIEWS),
                 "ImageInfo__DtoRADistance": floats(*[2e6] * VIEWS), "ImageInfo__ExpTimes": floats(*[2.5] * VIEWS)}
        zeiss("scan.txrm", counts, np.rad2deg(ANGLES), flat, **facts)
        told = self.info("scan.txrm")
        for name, value in {"source-distance": 1000, "distance": 2000, "pixel-size": 13.5e-6, "angle-step": np.deg2rad(STEP)}.items():
            self.assertAlmostEqual(told[name] / value, 1, 6, name)
        self.assertEqual([told[key] for key in ("views", "width", "height", "flats", "darks", "angles-from")],
                         [VIEWS, WIDTH, ROWS, 1, 0, "scan"])
        self.assertIn("'scan.txrm', Zeiss", self.done("info", "scan.txrm").stdout)
        self.assertNotIn("energy", told)
        slices = self.slices("scan.txrm", "--axis", AXIS)
        reference = tomoref.backproject_linear(tomoref.fft_filter(ATTENUATION, size=256, crop=WIDTH), angles=ANGLES, axis=AXIS)
        self.assert_close(slices[2], reference, 0.01)
        self.assert_same(self.slices("scan.txrm", "--axis", AXIS, "--y", 2, "--height", 1), slices[2:3])
        self.assert_same(self.slices("scan.txrm", "--axis", AXIS, "--outliers", 1e9), slices)
        # Images of other types, names in other capitals, more than a hundred of them, and a scan that was ended.
        for dtype in (np.float32, np.uint16):
            more = np.repeat(counts, 3, axis=0)[:130].astype(dtype)
            zeiss("more.txrm", more, np.arange(130), None, ImageInfo__ImagesTaken=integer(117), ImageInfo__Energy=floats(8048.0),
                  ImageInfo__DataType=None, ImageInfo__PIXELSIZE=floats(2.0), referencedata__image=more[0].tobytes())
            told = self.info("more.txrm")
            self.assertAlmostEqual(told["energy"], 8.048, 4)
            self.assertAlmostEqual(told["pixel-size"], 2e-6, 12)
            self.assertEqual((told["projections"], told["flats"]), (117, 1))
            self.assertIn("117 of 130 projections were taken", self.done("info", "more.txrm", "--ignore", "all").stdout)
            self.done("flatcorrect", "more.txrm", "--ignore", "all", "--flat-correction", "off", "--output", "read.h5", "--overwrite")
            np.testing.assert_array_equal(volume("read.h5"), more[:117])
        zeiss("one.xrm", counts[:1], [0.0], flat)
        subprocess.run(["gst-launch-1.0", "-q", *"tomoread path=one.xrm ! tomowrite filename=one.npy tomoread path=one.xrm:/ReferenceData "
                        "! tomowrite filename=reference.npy".split()], check=True, timeout=PATIENCE)
        np.testing.assert_array_equal(np.load("one.npy"), counts[0])
        np.testing.assert_array_equal(np.load("reference.npy"), flat)

    def test_shifts_of_zeiss(self):
        """Shifts undo the displacement of each image; other exposures and an axis that was found are told."""
        moved = np.array([np.roll(image, i % 5 - 2, axis=1) for i, image in enumerate(COUNTS)])
        shifts = [-(i % 5 - 2.0) for i in range(VIEWS)]
        white = np.full((ROWS, WIDTH), WHITE, np.uint16)
        zeiss("scan.txrm", moved, np.rad2deg(ANGLES), white, **{"Alignment__X-Shifts": floats(*shifts), "Alignment__Y-Shifts": floats(*[0] * VIEWS),
              "ImageInfo__ExpTimes": floats(*[2.0] * VIEWS), "ReferenceData__ExpTime": floats(1.0), "AutoRecon__CenterShift": floats(-1.5)})
        told = self.done("info", "scan.txrm").stdout
        for words in ("--flat-scale 2", "moved the axis by 1.5 px", "-2 to 2 columns"):
            self.assertIn(words, told)
        self.done("sinos", "scan.txrm", "--output", "sinos.h5")
        inner = slice(8, WIDTH - 8)
        self.assert_close(volume("sinos.h5")[1][:, inner], ATTENUATION[:, inner], 0.01)

    def test_what_is_no_file_of_zeiss(self):
        words = ["--axis", AXIS, "--output", "x.h5"]
        with open("text.txrm", "w") as file:
            file.write("no compound file")
        self.refused(1, ["text.txrm", "no compound file"], "text.txrm", *words)
        with open("other.txrm", "wb") as file:
            file.write(compound({"Workbook": b"cells" * 1000}))
        self.refused(1, ["other.txrm", "no stream ImageInfo/NoOfImages"], "other.txrm", *words)
        zeiss("lacks.txrm", COUNTS[:3], [0, 1, 2], ImageData1__Image2=None)
        self.refused(1, ["lacks.txrm', image 1", "no stream"], "lacks.txrm", *words, "--ignore", "all")
        zeiss("short.txrm", COUNTS[:3], [0, 1, 2], ImageData1__Image3=b"few")
        self.refused(1, ["short.txrm', image 2", "truncated"], "short.txrm", *words, "--ignore", "all")
        zeiss("type.txrm", COUNTS[:3], [0, 1, 2], ImageInfo__DataType=integer(11))
        self.refused(1, ["samples of type 11"], "type.txrm", *words, "--ignore", "all")
        zeiss("small.txrm", COUNTS[:3], [0, 1, 2], COUNTS[0], ReferenceData__ImageInfo__ImageWidth=integer(7))
        self.refused(1, ["the reference has 7 x"], "small.txrm", *words, "--ignore", "all")
        with open("small.txrm", "rb") as file:
            whole = file.read()
        rng = np.random.default_rng(SEED)
        for _ in range(40):  # damaged anywhere, each ends with an error or slices
            cut = bytearray(whole[:rng.integers(1, len(whole))] if rng.random() < 0.5 else whole)
            for place in rng.integers(0, min(len(cut), 4096), 3):
                cut[place] = rng.integers(0, 256)
            with open("damaged.txrm", "wb") as file:
                file.write(cut)
            # libgsf meets some damage with critical messages, which are not fatal to users.
            result = tool("info", "damaged.txrm", env={**os.environ, "G_DEBUG": ""})
            self.assertIn(result.returncode, (0, 1), result.stderr)
            self.assertNotIn("CRITICAL", result.stderr)

    def test_images(self):
        """From 0 or from 1 on, in another folder, and some of them missing: each has the angle of its number."""
        nikon(first=0)
        self.assert_angles("part.xtekct", ANGLES)
        os.remove("part_0000.tif")
        os.remove("part_0007.tif")
        os.rename("part_0059.tif", "part_0060.TIFF")
        told = self.done("info", "part.xtekct").stdout
        self.assertIn(f"tells {VIEWS} projections, and {VIEWS - 2} images are there", told)
        os.makedirs("raw")
        for name in os.listdir("."):
            if name.startswith("part_"):
                os.rename(name, f"raw/{name}")
        nikon(images=False, InputFolderName="raw")
        self.assert_angles("part.xtekct", [*np.delete(ANGLES, [0, 7, 59]), ANGLES[-1] + np.deg2rad(STEP)], first=1)
        os.rename("raw", "moved")
        self.refused(1, "no TIFF images", "part.xtekct", "--output", "x.h5")
        os.rename("moved", "raw")
        nikon(images=False, InputFolderName="raw", DetectorPixelsX=1000)
        self.assertIn("tells images of 1000 x 5 pixels", self.done("info", "part.xtekct").stdout)

    def assert_angles(self, path, angles, first=0):
        """`first`: that of the names, which stands at the angle 0."""
        facts = self.info(path)
        self.assertEqual(facts["views"], len(angles))
        self.assertAlmostEqual(facts["angle-first"], angles[0] - first * np.deg2rad(STEP), 9)
        self.assertAlmostEqual(facts["angle-last"], angles[-1] - first * np.deg2rad(STEP), 9)

    def test_faults(self):
        nikon()
        skyscan()
        for write, path, facts, expected in (
            (nikon, "part.xtekct", {"SrcToObject": None}, ["does not tell SrcToObject"]),
            (nikon, "part.xtekct", {"SrcToObject": 0}, ["SrcToObject is 0", "above 0"]),
            (nikon, "part.xtekct", {"SrcToObject": "nan"}, ["SrcToObject is 'nan'", "a number"]),
            (nikon, "part.xtekct", {"SrcToDetector": 10}, ["SrcToDetector 10 mm", "behind the object"]),
            (nikon, "part.xtekct", {"DetectorPixelSizeX": "thin"}, ["DetectorPixelSizeX is 'thin'"]),
            (nikon, "part.xtekct", {"AngularStep": None}, ["does not tell AngularStep"]),
            (nikon, "part.xtekct", {"Name": "other"}, ["no TIFF images", "other_"]),
            (nikon, "part.xtekct", {"Name": "other", "InputFolderName": "C:\\scans"}, ["no TIFF images", "other_"]),
            (skyscan, "part~00.log", {"Image Pixel Size (um)": None}, ["does not tell Image Pixel Size (um)"]),
            (skyscan, "part~00.log", {"Camera to Source (mm)": 1}, ["Camera to Source (mm) 1 mm", "behind the object"]),
            (skyscan, "part~00.log", {"Filename Prefix": "x/y"}, ["no TIFF images"]),
        ):
            with self.subTest(facts=facts):
                write(path, images=False, **facts)
                self.refused(1, expected, path, "--output", "x.h5")
        for text in ("", "nothing", "[System]", "\0" * 100, "[XTekCT]\n" + "=" * 1000, "[XTekCT]\nSrcToObject"):
            for path in ("bad.xtekct", "bad.log"):
                with open(path, "w") as file:
                    file.write(text)
                result = tool(path, "--output", "x.h5")
                self.assertEqual(result.returncode, 1, result)
                self.assertIn(path, result.stderr.splitlines()[-1])
        nikon(images=False)
        self.refused(1, ["entry is '/entry'", "no HDF5 file"], "part.xtekct", "--entry", "/entry", "--output", "x.h5")
        self.refused(2, ["white-level", "sinograms are not corrected"], "--sinograms", "x.h5:/a", "--white-level", 3, "--output", "y.h5")

    def test_damaged_files(self):
        """Bytes at random, for what withstands them."""
        nikon()
        skyscan()
        rng = np.random.default_rng(SEED)
        for path in ("part.xtekct", "part~00.log"):
            with open(path, "rb") as file:
                good = bytearray(file.read())
            for _ in range(12):
                bad = bytearray(good)
                for at in rng.integers(0, len(bad), 20):
                    bad[at] = rng.integers(0, 256)
                damaged = f"damaged{os.path.splitext(path)[1]}"
                with open(damaged, "wb") as file:
                    file.write(bad[: rng.integers(1, len(bad) + 1)])
                self.assertIn(tool("info", damaged, "--ignore", "all").returncode, (0, 1))


if __name__ == "__main__":
    main()
