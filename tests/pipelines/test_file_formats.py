#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files as other programs write them are read right, and what is written is read right by other programs:
tifffile, FabIO, silx, Pillow and h5py."""

import ctypes
import ctypes.util
import os
import struct
import subprocess
import sys
import zlib

from pipetest import *

import fabio
import h5py
from fabio.edfimage import EdfImage
from PIL import Image
import silx.io.dictdump
import silx.io.nxdata
import gsttomo

# What a type of a file becomes in a stream.
WIDENED = {np.dtype(np.int8): np.int16, np.dtype(np.int64): np.float64, np.dtype(np.uint64): np.float64}


def read(path, **properties):
    return [np.array(image) for image in gsttomo.Read(path=path, convert=False, **properties)()]


def any_bits(dtype, shape):
    """Random bits, but no NaN, which compares badly."""
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        return any_bits(np.float32, (*shape, 2)).view(dtype)[..., 0]
    if dtype.kind == "f":
        return (rng.standard_normal(shape) * 1e3).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


class FormatTestCase(PipelineTestCase):
    def assert_images(self, images, expected):
        self.assertEqual(len(images), len(expected))
        for image, wanted in zip(images, expected):
            wanted = np.asarray(wanted)
            here = wanted.dtype.newbyteorder("=")
            self.assertEqual(image.dtype, WIDENED.get(here, here))
            np.testing.assert_array_equal(image, wanted.astype(image.dtype))

    def assert_rows(self, path, expected, **properties):
        height = expected[0].shape[-2]
        first = int(rng.integers(0, height))
        count, step = int(rng.integers(0, height - first + 1)), int(rng.integers(1, 4))
        rows = slice(first, first + count if count else None, step)
        self.assert_images(read(path, y=first, height=count, y_step=step, **properties),
                           [image[..., rows, :] for image in expected])

    def assert_refused(self, words, path, **properties):
        with self.assertRaises(Exception) as raised:
            read(path, **properties)
        for word in words if isinstance(words, tuple) else (words,):
            self.assertIn(word, str(raised.exception))


class Npy(FormatTestCase):
    def test_read(self):
        """All types, both byte orders, both orders of axes, all versions of the format."""
        for dtype in (np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64,
                      np.float16, np.float32, np.float64, np.complex64):
            for shape in (7, 11), (3, 7, 11), (1, 1, 2, 5, 3):
                data = rng.integers(0, 2, shape).astype(bool) if dtype == np.bool_ else any_bits(dtype, shape)
                images = data.reshape(-1, *shape[-2:])
                wanted = images.astype(np.uint8) if dtype == np.bool_ else images
                for order in "<", ">":
                    stored = data.astype(data.dtype.newbyteorder(order))
                    for array in stored, np.asfortranarray(stored):
                        for version in (1, 0), (2, 0), (3, 0):
                            with open("a.npy", "wb") as file:
                                np.lib.format.write_array(file, array, version)
                            self.assert_images(read("a.npy"), wanted)
                        self.assert_rows("a.npy", wanted)
        np.save("large.npy", np.asfortranarray(any_bits(np.float32, (3, 1100, 701))))
        self.assert_images(read("large.npy"), np.load("large.npy"))

    def test_refused(self):
        for array, words in (
            (np.array([[{}]], object), "objects of Python"),
            (np.zeros((2, 2), "f4,i4"), "('f1', '<i4')"),
            (np.zeros((2, 2), "U3"), "<U3"),
            (np.zeros((2, 2), np.complex128), "astype"),
            (np.zeros(5), "1 dimension (5)"),
            (np.zeros((2, 2, 2, 2)), "4 dimensions"),
            (np.zeros((0, 2, 2)), "holds no image"),
        ):
            np.save("a.npy", array)
            self.assert_refused(("a.npy", words), "a.npy")
        np.save("a.npy", any_bits(np.float32, (3, 4, 5)))
        with open("a.npy", "rb") as file:
            whole = file.read()
        for length in (0, 3, 8, 9, 40, 127, 128, len(whole) - 1):
            with open("a.npy", "wb") as file:
                file.write(whole[:length])
            self.assert_refused("a.npy", "a.npy")
        for wrong, words in ((whole.replace(b"NUMPY\1", b"NUMPY\7"), "version 7"), (whole.replace(b"shape", b"shame"), "damaged"),
                             (whole.replace(b"False", b"Maybe"), "damaged"), (whole.replace(b"(3, 4, 5)", b"(3, 4, 6)"), "truncated")):
            with open("a.npy", "wb") as file:
                file.write(wrong)
            self.assert_refused(("a.npy", words), "a.npy")

    def test_written(self):
        """As numpy reads it: one image, several, a series, and one file that is continued."""
        for dtype in (np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float16, np.float32, np.float64, np.complex64):
            images = any_bits(dtype, (4, 7, 11))
            np.save("in.npy", images)
            gsttomo.Write(filename="out.npy")(gsttomo.Read(path="in.npy", convert=False)).run().wait()
            found = np.load("out.npy")
            self.assertEqual(found.dtype, images.dtype)
            np.testing.assert_array_equal(found, images)
        gsttomo.Write(filename="out.npy", append=True)(gsttomo.Read(path="in.npy", convert=False, number=3)).run().wait()
        np.testing.assert_array_equal(np.load("out.npy"), np.concatenate([images, images[:3]]))
        gsttomo.Write(filename="s%i.npy")(gsttomo.Read(path="in.npy", convert=False)).run().wait()
        for i, image in enumerate(images):
            np.testing.assert_array_equal(np.load(f"s{i}.npy"), image)
        self.assert_images(read("s*.npy"), images)
        self.assertEqual(sorted(name for name in os.listdir() if "partial" in name), [])
        # What numpy wrote itself goes on, too; what is of another kind does not.
        np.save("other.npy", images[:2])
        gsttomo.Write(filename="other.npy", append=True)(gsttomo.Read(path="in.npy", convert=False)).run().wait()
        np.testing.assert_array_equal(np.load("other.npy"), np.concatenate([images[:2], images]))
        for other in np.asfortranarray(images[:2]), images[:2, :5], images[:2].real.copy():
            np.save("other.npy", other)
            with self.assertRaises(Exception) as raised:
                gsttomo.Write(filename="other.npy", append=True)(gsttomo.Read(path="in.npy", convert=False)).run().wait()
            self.assertIn("other.npy", str(raised.exception))
            np.testing.assert_array_equal(np.load("other.npy"), other)

    def test_resumed(self):
        images = any_bits(np.float32, (6, 5, 7))
        np.save("in.npy", images)
        for images_there, header in (0, 0), (2, 2), (3, 2), (6, 6):
            for name in os.listdir():
                if name.startswith("out"):
                    os.remove(name)
            gsttomo.Write(filename="out.npy")(gsttomo.Read(path="in.npy", convert=False)).run().wait()
            with open("out.npy", "rb") as file:
                content = file.read()
            content = content.replace(b"(6, 5, 7)", b"(%d, 5, 7)" % header)
            os.rename("out.npy", "out.npy.partial")
            with open("out.npy.partial", "wb") as file:
                file.write(content[:128 + images_there * 5 * 7 * 4])
            gsttomo.Write(filename="out.npy", resume=True)(gsttomo.Read(path="in.npy", convert=False)).run().wait()
            np.testing.assert_array_equal(np.load("out.npy"), images)
            self.assertFalse(os.path.exists("out.npy.partial"))


class Edf(FormatTestCase):
    def test_types(self):
        """All types, both byte orders, several images of different types and sizes in a file."""
        for dtype in (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64,
                      np.float32, np.float64):
            with self.subTest(dtype.__name__):
                images = [any_bits(dtype, (7, 11)) for _ in range(3)]
                file = EdfImage(images[0], {"Note": "a } brace; and = a sign"})
                for image in images[1:]:
                    file.append_frame(data=image, header={})
                file.write("scan.edf")
                self.assert_images(read("scan.edf"), images)
                self.assert_rows("scan.edf", images)
                self.write_edf("swapped.edf", images, ">")
                self.assert_images(read("swapped.edf"), images)
                self.assert_rows("swapped.edf", images)
                if dtype != np.int64 and dtype != np.uint64: # FabIO's own view of what was written by hand
                    np.testing.assert_array_equal(fabio.open("swapped.edf").data, images[0])

    def write_edf(self, name, images, order, end="}\n", blanks="", **keys):
        names = {"i1": "SignedByte", "u1": "UnsignedByte", "i2": "SignedShort", "u2": "UnsignedShort", "i4": "SignedLong",
                 "u4": "UnsignedLong", "i8": "Signed64", "u8": "Unsigned64", "f4": "FloatValue", "f8": "DoubleValue"}
        with open(name, "wb") as file:
            for number, image in enumerate(images):
                header = {"HeaderID": f"EH:{number:06d}:000000:000000", "Image": number + 1,
                          "ByteOrder": "HighByteFirst" if order == ">" else "LowByteFirst",
                          "DataType": names[image.dtype.str[1:]], "Dim_1": image.shape[-1], "Dim_2": image.shape[-2],
                          "Size": image.nbytes, **keys}
                said = "{\n" + "".join(f"{key} = {value} ;\n" for key, value in header.items() if value is not None)
                said = said.ljust((len(said) + len(end) + 511) // 512 * 512 - len(end)) + end
                file.write((blanks + said).encode() + image.astype(image.dtype.newbyteorder(order)).tobytes())

    def test_headers(self):
        """What is allowed in them."""
        images = [any_bits(np.uint16, (5, 3)) for _ in range(2)]
        for arguments in ({"end": "}\r\n"}, {"blanks": "\r\n"}, {"Size": None}, {"Compression": "None"},
                          {"ByteOrder": "LOWBYTEFIRST"}, {"Comment": "x" * 20000}, {"EDF_BinarySize": 30}):
            with self.subTest(str(arguments)[:40]):
                self.write_edf("scan.edf", images, "<", **arguments)
                self.assert_images(read("scan.edf"), images)
        volume = any_bits(np.float32, (4, 5, 3))
        self.write_edf("volume.edf", [volume], "<", Dim_3=4)
        self.assert_images(read("volume.edf"), list(volume))
        # A header for the whole file goes before.
        with open("scan.edf", "rb") as file:
            content = file.read()
        with open("general.edf", "wb") as file:
            file.write(b"{\nEDF_DataFormatVersion = 2.0 ;\n}\n" + content)
        self.assert_images(read("general.edf"), images)

    def test_refused(self):
        images = [any_bits(np.uint16, (50, 30)) for _ in range(2)]
        for arguments, words in (({"Compression": "ByteOffset"}, "compressed"), ({"DataType": "QuadrupleValue"}, "QuadrupleValue"),
                                 ({"ByteOrder": "x"}, "ByteOrder"), ({"Dim_1": 31}, "the file is damaged"), ({"Dim_1": "a"}, "no count"),
                                 ({"Dim_1": 0}, "does not fit"), ({"Dim_1": None}, "Dim_1"), ({"DataType": None}, "DataType"),
                                 ({"Dim_2": 2**40, "Size": None}, "does not fit"), ({"Dim_3": 2**63}, "does not fit")):
            with self.subTest(str(arguments)):
                self.write_edf("scan.edf", images, "<", **arguments)
                self.assert_refused(("scan.edf", words), "scan.edf")
        self.write_edf("scan.edf", images, "<")
        os.truncate("scan.edf", os.path.getsize("scan.edf") - 1)
        self.assert_refused(("page 1", "truncated"), "scan.edf")
        with open("scan.edf", "wb") as file:
            file.write(b"no header")
        self.assert_refused("does not begin with '{'", "scan.edf")


class Fabio(FormatTestCase):
    def test_tiff(self):
        for dtype in np.uint8, np.int16, np.uint16, np.int32, np.float32:
            image = any_bits(dtype, (7, 11))
            fabio.tifimage.TifImage(image).write("fabio.tif")
            self.assert_images(read("fabio.tif"), [image])
            self.assert_rows("fabio.tif", [image])


class Raw(FormatTestCase):
    def test_types(self):
        for name in ("uint8", "uint16", "uint32", "int16", "int32", "float16", "float32", "float64", "complex64"):
            images = [any_bits(name, (5, 7)) for _ in range(2)]
            for order in "<", ">":
                with open("scan.raw", "wb") as file:
                    for image in images:
                        file.write(b"head" + image.astype(image.dtype.newbyteorder(order)).tobytes() + b"end")
                properties = {"raw_width": 7, "raw_height": 5, "raw_format": name, "raw_pre_offset": 4, "raw_post_offset": 3,
                              "raw_byte_order": "little" if order == "<" else "big"}
                self.assert_images(read("scan.raw", **properties), images)
                self.assert_rows("scan.raw", images, **properties)

    def test_packed(self):
        """12 bits, also where a row begins within a byte and the last sample has no partner."""
        def pack(samples, kind):
            samples = np.append(samples, 0) if samples.size % 2 else samples
            a, b = samples[0::2].astype(np.uint32), samples[1::2].astype(np.uint32)
            triples = {"mono12p": (a & 255, a >> 8 | (b & 15) << 4, b >> 4),
                       "mono12packed": (a >> 4, a & 15 | (b & 15) << 4, b >> 4),
                       "high-first": (a >> 4, (a & 15) << 4 | b >> 8, b & 255)}[kind]
            return np.stack(triples, 1).astype(np.uint8).tobytes()

        for kind in ("mono12p", "mono12packed", "high-first"):
            for height, width in ((5, 7), (4, 6), (3, 1), (1, 1), (2, 9)):
                with self.subTest(kind=kind, shape=(height, width)):
                    images = [rng.integers(0, 4096, (height, width), np.uint16) for _ in range(3)]
                    size = (height * width * 12 + 7) // 8
                    with open("scan.raw", "wb") as file:
                        for image in images:
                            file.write(b"pre" + pack(image.ravel(), kind)[:size])
                    properties = {"raw_width": width, "raw_height": height, "raw_bitdepth": 12, "raw_packing": kind,
                                  "raw_pre_offset": 3}
                    self.assert_images(read("scan.raw", **properties), images)
                    self.assert_rows("scan.raw", images, **properties)
                    os.truncate("scan.raw", os.path.getsize("scan.raw") - 1)
                    self.assert_refused("not a whole number of images", "scan.raw", **properties)

    def test_refused(self):
        with open("scan.raw", "wb") as file:
            file.write(bytes(70))
        self.assert_refused("both raw-bitdepth and raw-format", "scan.raw", raw_width=7, raw_height=5, raw_bitdepth=16,
                            raw_format="uint16")
        self.assert_refused("raw-bitdepth is 13", "scan.raw", raw_width=7, raw_height=5, raw_bitdepth=13)


class Pictures(FormatTestCase):
    def test_png(self):
        grey8, grey16 = any_bits(np.uint8, (13, 17)), any_bits(np.uint16, (13, 17))
        colour = any_bits(np.uint8, (13, 17, 3))
        palette = Image.fromarray(grey8).convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
        bits = rng.integers(0, 2, (13, 17)).astype(bool)
        for name, image, expected in (
                ("grey", Image.fromarray(grey8), grey8), ("wide", Image.fromarray(grey16), grey16),
                ("colour", Image.fromarray(colour), np.moveaxis(colour, 2, 0)), ("bits", Image.fromarray(bits), bits.astype(np.uint8)),
                ("palette", palette, np.moveaxis(np.asarray(palette.convert("RGB")), 2, 0)),
                ("alpha", Image.merge("LA", [Image.fromarray(grey8), Image.fromarray(255 - grey8)]), np.stack([grey8, 255 - grey8]))):
            with self.subTest(name):
                image.save("image.png")
                self.assert_images(read("image.png"), [expected])
                self.assert_rows("image.png", [expected])

    def test_interlaced_png(self):
        """As no writer here makes it: seven passes over 8 x 8, one pixel in the first."""
        image = any_bits(np.uint8, (8, 8))
        passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
        rows = b"".join(b"\0" + row.tobytes() for x, y, dx, dy in passes for row in image[y::dy, x::dx])

        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        with open("image.png", "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1))
                       + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
        self.assert_images(read("image.png"), [image])
        self.assert_rows("image.png", [image])

    def test_jpeg(self):
        """As Pillow decodes them, with the same library."""
        smooth = (np.add.outer(np.arange(37), np.arange(53)) * 2).astype(np.uint8)
        colour = np.stack([smooth, smooth.max() - smooth, smooth // 2], 2)
        for image in smooth, colour:
            for options in {}, {"progressive": True}, {"quality": 100, "subsampling": 0}:
                Image.fromarray(image).save("image.jpg", **options)
                expected = np.asarray(Image.open("image.jpg"))
                expected = np.moveaxis(expected, 2, 0) if expected.ndim == 3 else expected
                self.assert_images(read("image.jpg"), [expected])
                self.assert_rows("image.jpg", [expected])

    def test_pgm(self):
        for dtype in np.uint8, np.uint16:
            image, colour = any_bits(dtype, (5, 7)), any_bits(dtype, (5, 7, 3))
            largest = np.iinfo(dtype).max
            big = image.dtype.newbyteorder(">")
            for name, head, data, expected in (
                    ("a.pgm", f"P5 # grey\n7 5\n{largest}\n", image.astype(big).tobytes(), [image]),
                    ("b.pgm", f"P2\n# grey\n7 5 {largest}\n", " ".join(map(str, image.ravel())).encode(), [image]),
                    ("c.ppm", f"P6\n7\n5\n{largest}\n", colour.astype(big).tobytes(), [np.moveaxis(colour, 2, 0)]),
                    ("d.pnm", f"P3 7 5 {largest}\n", "\n".join(map(str, colour.ravel())).encode(), [np.moveaxis(colour, 2, 0)])):
                with self.subTest(name, dtype=dtype.__name__):
                    with open(name, "wb") as file:
                        file.write(head.encode() + data)
                    self.assert_images(read(name), expected)
                    self.assert_rows(name, expected)
                    os.truncate(name, len(head) + len(data) // 3)
                    self.assert_refused((name, "truncated"), name)
            with open("several.pgm", "wb") as file:
                for _ in range(3):
                    file.write(f"P5\n7 5\n{largest}\n".encode() + image.astype(big).tobytes())
            self.assert_images(read("several.pgm"), [image] * 3)
        for content, words in ((b"P4\n8 1\n\0", "kind P4"), (b"P5 0 1 255\n", "can't be"), (b"P5 1 1 70000\n", "more than 65535"),
                               (b"P5 x", "no number"), (b"JPEG", "not a PGM"), (b"P2 1 1 9\n10", "more than the largest")):
            with open("bad.pgm", "wb") as file:
                file.write(content)
            self.assert_refused(words, "bad.pgm")

    def test_damaged(self):
        """A picture is read whole or not at all."""
        smooth = (np.add.outer(np.arange(64), np.arange(64)) + rng.integers(0, 9, (64, 64))).astype(np.uint8)
        for name in "image.png", "image.jpg":
            Image.fromarray(smooth).save(name)
            with open(name, "rb") as file:
                content = file.read()
            for cut in (3, len(content) // 3, len(content) * 2 // 3, len(content) - 3):
                with open(name, "wb") as file:
                    file.write(content[:cut])
                self.assert_refused(name, name)


class Tiff(FormatTestCase):
    def test_compressed(self):
        for compression in ("tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "zstd", "lzma"):
            for image in any_bits(np.uint8, (31, 45)), any_bits(np.uint16, (31, 45)), any_bits(np.float32, (31, 45)):
                with self.subTest(compression, dtype=image.dtype.name):
                    pages = [Image.fromarray(page) for page in (image, image[::-1])]
                    pages[0].save("scan.tif", compression=compression, save_all=True, append_images=pages[1:])
                    self.assert_images(read("scan.tif"), [image, image[::-1]])
                    self.assert_rows("scan.tif", [image, image[::-1]])

    def test_integers_of_64_bits(self):
        """Become float64, as everywhere."""
        for dtype in np.int64, np.uint64:
            for order in "<>":
                for how in {}, {"compression": "zlib"}, {"tile": (16, 16)}, {"rowsperstrip": 4}:
                    with self.subTest(dtype.__name__, order=order, **how):
                        images = [any_bits(dtype, (21, 35)) for _ in range(2)]
                        with tifffile.TiffWriter("long.tif", byteorder=order) as file:
                            for image in images:
                                file.write(image, **how)
                        self.assert_images(read("long.tif"), images)
                        self.assert_rows("long.tif", images)

    def test_hyperstacks(self):
        """ImageJ's, with a directory for each page, or one for all beyond 4 GiB."""
        stack = any_bits(np.uint16, (3, 2, 4, 9, 5)) # time, z, channel
        tifffile.imwrite("stack.tif", stack, imagej=True, metadata={"axes": "TZCYX"})
        pages = list(stack.reshape(-1, 9, 5))
        self.assert_images(read("stack.tif"), pages)
        said = "ImageJ=1.53t\nimages=24\nchannels=4\nslices=2\nframes=3\nhyperstack=true\n"
        for order in "<", ">":
            with tifffile.TiffWriter("single.tif", byteorder=order) as file:
                file.write(pages[0], description=said, metadata=None, contiguous=True)
            with tifffile.TiffFile("single.tif") as file:
                offset = file.pages[0].dataoffsets[0]
            # The images follow the first one, whatever stood there.
            with open("single.tif", "rb") as file:
                content = file.read()
            self.assertEqual(len(content), offset + pages[0].nbytes)
            with open("single.tif", "wb") as file:
                file.write(content[:offset] + b"".join(p.astype(p.dtype.newbyteorder(order)).tobytes() for p in pages))
            self.assert_images(read("single.tif"), pages)
            self.assert_images(read("single.tif", image_start=3, image_step=5), pages[3::5])
            self.assert_rows("single.tif", pages)
        os.truncate("single.tif", os.path.getsize("single.tif") - 1)
        self.assert_refused(("first of 24 images", "truncated"), "single.tif")
        tifffile.imwrite("truncated.tif", stack, photometric="minisblack", truncate=True)
        self.assert_images(read("truncated.tif"), pages)


class Hdf5(FormatTestCase):
    """Files of h5py, and what only the library itself can make, read as h5py reads them."""

    def assert_dataset(self, dataset, name="scan.h5"):
        expected = dataset[()]
        expected = expected.reshape(-1, *expected.shape[-2:])
        path = f"{name}:{dataset.name}"
        dataset.file.flush()
        self.assert_images(read(path), list(expected))
        self.assert_rows(path, list(expected))

    def test_types(self):
        """All types, both byte orders, as they are, in chunks that do not divide the images, and compressed."""
        shape = (5, 7, 11)
        with h5py.File("scan.h5", "w") as file:
            for name in "i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8 c8".split():
                for order in "<>":
                    data = any_bits(np.dtype(name), shape).astype(np.dtype(order + name))
                    for storage in ({}, {"chunks": (2, 3, 4)}, {"chunks": (1, 4, 11), "compression": "gzip", "shuffle": True}):
                        with self.subTest(order + name, **storage):
                            self.assert_dataset(file.create_dataset(f"{len(file)}", data=data, **storage))
            self.assert_images(read("scan.h5:/0"), list(file["0"][()]))
            flags = rng.integers(0, 2, shape).astype(bool)
            file["flags"] = flags
            self.assert_images(read("scan.h5:/flags"), list(flags.astype(np.uint8)))
            file["long"] = any_bits(np.float64, shape).astype(np.longdouble)
            self.assert_images(read("scan.h5:/long"), list(file["long"][()].astype(np.float64)))
            file["complex128"] = any_bits(np.float32, shape) + 1j
            self.assert_images(read("scan.h5:/complex128"), list(file["complex128"][()].astype(np.complex64)))
            # 12 bits of 16, also not the lowest ones; floats of 16 bits that are not IEEE's.
            for offset in 0, 4:
                stored = h5py.h5t.NATIVE_UINT16.copy()
                stored.set_precision(12)
                stored.set_offset(offset)
                dataset = self.create(file, f"twelve{offset}", stored, shape)
                dataset[:] = rng.integers(0, 4096, shape, np.uint16)
                self.assert_dataset(dataset)
            stored = h5py.h5t.IEEE_F32LE.copy()
            stored.set_fields(15, 7, 8, 0, 7)
            stored.set_size(2)
            stored.set_ebias(127)
            dataset = self.create(file, "brain", stored, shape)
            dataset.id.write(h5py.h5s.ALL, h5py.h5s.ALL, any_bits(np.float32, shape))
            expected = np.empty(shape, np.float32)
            dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, expected)
            file.flush()
            self.assert_images(read("scan.h5:/brain"), list(expected))

    def test_places_of_chunks(self):
        """Every kind of index, in a file that nobody has open: all chunks, some, or none."""
        shape, chunk = (13, 9, 11), (1, 4, 6)
        unlimited = {"v1 or extensible array": (None, 9, 11), "v2 tree": (None, None, 11), "fixed": None}
        expected = {}
        for libver in "earliest", "latest":
            with h5py.File(f"{libver}.h5", "w", libver=libver) as file:
                for kind, limit in unlimited.items():
                    for filters in {}, {"compression": "gzip", "shuffle": True}, {"fletcher32": True}:
                        for written in "all", "some", "none":
                            name = f"{kind} {'-'.join(filters)} {written}"
                            dataset = file.create_dataset(name, shape, "<i2", maxshape=limit, chunks=chunk,
                                                          fillvalue=-7, **filters)
                            if written == "all":
                                dataset[:] = any_bits(np.int16, shape)
                            elif written == "some":
                                for z in rng.choice(13, 5, False):
                                    dataset[z, 4:, :6] = any_bits(np.int16, (5, 6))
                            expected[f"{libver}.h5:/{name}"] = dataset[()]
                dataset = file.create_dataset("one chunk", shape, "<i2", chunks=shape, compression="gzip")
                dataset[:] = any_bits(np.int16, shape)
                expected[f"{libver}.h5:/one chunk"] = dataset[()]
                # The library gives places without what stands before the file's own beginning.
        with h5py.File("block.h5", "w", userblock_size=512) as file:
            dataset = file.create_dataset("data", data=any_bits(np.int16, shape), chunks=chunk, compression="gzip")
            expected["block.h5:/data"] = dataset[()]
        for path, images in expected.items():
            with self.subTest(path):
                self.assert_images(read(path), list(images))
                self.assert_rows(path, list(images))

    @staticmethod
    def create(file, name, stored, shape, creation=None):
        space = h5py.h5s.create_simple(shape)
        return h5py.Dataset(h5py.h5d.create(file.id, name.encode(), stored, space, creation))

    @staticmethod
    def creation():
        return h5py.h5p.create(h5py.h5p.DATASET_CREATE)

    def test_layouts(self):
        shape = (7, 9, 11)
        data = any_bits(np.uint16, shape)
        for libver in None, "latest": # which has other indices of chunks
            with h5py.File("scan.h5", "w", libver=libver) as file:
                for name, options in (
                        ("2d", {"data": data[0]}), ("4d", {"data": data[None]}), ("one", {"chunks": shape}),
                        ("appended", {"chunks": (2, 4, 4), "maxshape": (None, 9, 11)}), ("fletcher", {"chunks": (2, 4, 6), "fletcher32": True}),
                        ("grows", {"chunks": (2, 4, 4), "maxshape": (None, None, 11), "compression": "gzip"}),
                        ("scaled", {"chunks": (1, 4, 4), "scaleoffset": 0}), ("lzf", {"chunks": (3, 4, 4), "compression": "lzf"}),
                        ("szip", {"chunks": (1, 4, 6), "compression": "szip"}),
                        ("rounded", {"data": data.astype(np.float32) / 8, "chunks": (2, 4, 4), "scaleoffset": 3})):
                    with self.subTest(name, libver=libver):
                        self.assert_dataset(file.create_dataset(name, **{"data": data, **options}))
                # Chunks and images that were never written.
                for dtype, value in (">u2", 513), (">f4", np.nan), ("<i4", -7), ("f2", None):
                    for chunks, compression in (None, None), ((2, 4, 4), None), ((1, 9, 11), "gzip"):
                        dataset = file.create_dataset(f"fill{len(file)}", shape, dtype, chunks=chunks, compression=compression, fillvalue=value)
                        dataset[2, 3:5] = 9
                        self.assert_dataset(dataset)
                early, compact = self.creation(), self.creation()
                early.set_chunk((2, 4, 4))
                early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
                compact.set_layout(h5py.h5d.COMPACT)
                for name, creation in ("early", early), ("compact", compact):
                    dataset = self.create(file, name, h5py.h5t.NATIVE_UINT16, shape, creation)
                    dataset[:] = data
                    self.assert_dataset(dataset)

    def test_silx(self):
        """Datasets and NXdata that silx writes."""
        for dtype in np.uint8, np.int16, np.uint32, np.float32, np.float64:
            volume = any_bits(dtype, (4, 7, 5))
            silx.io.dictdump.dicttoh5({"entry": {"plain": volume, "name": "a scan"}}, "dump.h5")
            silx.io.dictdump.dicttoh5({"packed": volume}, "dump.h5", h5path="/entry", mode="a",
                                      create_dataset_args={"compression": "gzip", "shuffle": True})
            self.assert_images(read("dump.h5:/entry/plain"), list(volume))
            self.assert_images(read("dump.h5:/entry/packed"), list(volume))
            self.assert_rows("dump.h5:/entry/packed", list(volume))
            silx.io.nxdata.save_NXdata("nx.h5", volume, axes=[np.arange(n) for n in volume.shape], nxentry_name=f"{dtype.__name__}")
            self.assert_images(read(f"nx.h5:/{dtype.__name__}/data0/data"), list(volume))

    def test_filters_left_out(self):
        """Of single chunks, which their masks tell, and of all at the edges, which only the dataset tells."""
        data = any_bits(np.uint16, (4, 8, 8))
        library = ctypes.CDLL(ctypes.util.find_library("hdf5_serial") or ctypes.util.find_library("hdf5"))
        with h5py.File("scan.h5", "w", libver="latest") as file:
            dataset = file.create_dataset("masks", data=data, chunks=(1, 8, 8), compression="gzip", shuffle=True)
            dataset.id.write_direct_chunk((1, 0, 0), data[1].tobytes(), 3)
            dataset.id.write_direct_chunk((2, 0, 0), zlib.compress(data[2].tobytes()), 1)
            dataset.id.write_direct_chunk((3, 0, 0), data[3].view(np.uint8).reshape(-1, 2).T.tobytes(), 2)
            np.testing.assert_array_equal(dataset[()], data)
            self.assert_dataset(dataset)
            for compressed in False, True:
                creation = self.creation()
                creation.set_chunk((1, 3, 5))
                creation.set_shuffle()
                if compressed:
                    creation.set_deflate(4)
                dont_filter_partial_chunks = 2
                self.assertEqual(library.H5Pset_chunk_opts(ctypes.c_int64(creation.id), dont_filter_partial_chunks), 0)
                dataset = self.create(file, f"edges{compressed:d}", h5py.h5t.NATIVE_UINT16, data.shape, creation)
                dataset[:] = data
                self.assert_dataset(dataset)

    def test_locked(self):
        """By a process that writes it: the error says so, and how it is read all the same."""
        data = any_bits(np.float32, (3, 5, 7))
        writer = ("import h5py, sys; import numpy as np; file = h5py.File(sys.argv[1], 'w', libver=sys.argv[2]); "
                  "file['data'] = np.load('data.npy'); file.flush(); print('written', flush=True); input()")
        np.save("data.npy", data)
        line = ["gst-launch-1.0", "-q", "tomoread", "path=scan.h5:/data", "!", "tomowrite", "filename=copy.npy"]
        for version in "earliest", "latest":
            with subprocess.Popen(["/usr/bin/python3", "-c", writer, "scan.h5", version], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) as process:
                self.assertEqual(process.stdout.readline(), "written\n")
                self.assert_refused(("'scan.h5' is locked", "SWMR"), "scan.h5:/data")
                if version == "earliest":
                    self.assert_refused("HDF5_USE_FILE_LOCKING=FALSE", "scan.h5:/data")
                    subprocess.run(line, check=True, env=os.environ | {"HDF5_USE_FILE_LOCKING": "FALSE"})
                    np.testing.assert_array_equal(np.load("copy.npy"), data)
                process.communicate("\n")
            self.assert_images(read("scan.h5:/data"), data)

    def test_missing_filters(self):
        """The packages are named by the number of the filter."""
        for number, words in ((32000, "hdf5-plugin-lzf"), (32015, "hdf5plugin.PLUGIN_PATH"),
                              (307, "hdf5-filter-plugin"), (399, "HDF5_PLUGIN_PATH")):
            with h5py.File("scan.h5", "w") as file:
                creation = self.creation()
                creation.set_chunk((1, 5, 7))
                creation.set_filter(number, h5py.h5z.FLAG_OPTIONAL, ())
                self.create(file, "data", h5py.h5t.NATIVE_UINT16, (2, 5, 7), creation)
            # In a process without h5py, which brings LZF along.
            line = ["gst-launch-1.0", "-q", "tomoread", "path=scan.h5:/data", "!", "fakesink"]
            # Nor with plugins that this machine may have.
            said = subprocess.run(line, capture_output=True, text=True, env=os.environ | {"HDF5_PLUGIN_PRELOAD": "::"})
            self.assertNotEqual(said.returncode, 0)
            self.assertIn(f"filter {number}", said.stderr)
            self.assertIn(words, said.stderr)

    def test_external_files(self):
        """Samples in files of their own, named from the current folder; the library takes what they lack for zeros."""
        data = any_bits(np.uint16, (4, 5, 6))
        os.mkdir("folder")
        with h5py.File("folder/scan.h5", "w") as file:
            creation = self.creation()
            creation.set_external(b"scan.samples", 8, 200)
            creation.set_external(b"more.samples", 0, h5py.h5s.UNLIMITED)
            dataset = self.create(file, "data", h5py.h5t.NATIVE_UINT16, data.shape, creation)
        with open("scan.samples", "wb") as samples:
            samples.write(bytes(8) + data.tobytes()[:200])
        with open("more.samples", "wb") as samples:
            samples.write(data.tobytes()[200:])
        self.assert_images(read("folder/scan.h5:/data"), list(data))
        os.truncate("more.samples", 39) # 40 are needed
        self.assert_refused(("more.samples", "truncated", "39 bytes"), "folder/scan.h5:/data")
        os.remove("scan.samples")
        self.assert_refused("scan.samples", "folder/scan.h5:/data")

    def test_refused(self):
        with h5py.File("scan.h5", "w") as file:
            for name, data, words in (
                    ("line", np.arange(5), "1 dimension (5)"), ("number", 5, "a single value"), ("none", h5py.Empty("f4"), "0 dimensions"),
                    ("no-images", np.zeros((0, 5, 4)), "no image (0 x 5 x 4)"), ("no-rows", np.zeros((3, 0, 4)), "no image (3 x 0 x 4)"),
                    ("cubes", np.zeros((2, 3, 9, 11)), "4 dimensions"), ("words", np.array([[b"ab", b"c"]] * 3), "strings"),
                    ("pairs", np.zeros((3, 4), [("x", "f4"), ("y", "f4")]), "compounds")):
                file[name] = data
                file.flush()
                with self.subTest(name):
                    self.assert_refused((f"scan.h5:/{name}", words), f"scan.h5:/{name}")
            file.flush()
            self.assert_refused(("there is no '/missing'", "'/cubes' (2 x 3 x 9 x 11)"), "scan.h5:/missing")

    def test_virtual(self):
        """Put together in ways that are not whole images in their order, or not of the same type."""
        data = any_bits(np.uint16, (6, 5, 4))
        os.mkdir("raw")
        with h5py.File("raw/parts.h5", "w") as file:
            file["all"], file["even"], file["odd"], file["flat"] = data, data[::2], data[1::2], data.reshape(3, -1)
            file["left"], file["right"] = data[:, :, :3], data[:, :, 3:]
            file.create_dataset("lzf", data=data, compression="lzf")
        source = lambda name, shape, file="raw/parts.h5": h5py.VirtualSource(file, name, shape)
        expectations = []
        with h5py.File("scan.h5", "w") as file:
            def virtual(name, parts, dtype=np.uint16, expected=data, fill=None):
                layout = h5py.VirtualLayout((6, 5, 4), dtype)
                for selection, part in parts:
                    layout[selection] = part
                file.create_virtual_dataset(name, layout, fillvalue=fill)
                expectations.append((name, expected))

            virtual("whole", [(np.s_[:], source("all", (6, 5, 4)))])
            virtual("sliced", [(np.s_[:], source("all", (6, 5, 4))[:])])
            virtual("other-type", [(np.s_[:], source("all", (6, 5, 4)))], np.float32, data.astype(np.float32))
            virtual("interleaved", [(np.s_[::2], source("even", (3, 5, 4))), (np.s_[1::2], source("odd", (3, 5, 4)))])
            virtual("halves", [(np.s_[:, :, :3], source("left", (6, 5, 3))), (np.s_[:, :, 3:], source("right", (6, 5, 1)))])
            virtual("reversed", [(np.s_[i], source("all", (6, 5, 4))[5 - i]) for i in range(6)], expected=data[::-1])
            virtual("lzf", [(np.s_[:], source("lzf", (6, 5, 4)))])
            virtual("later-counts", [(np.s_[:], source("all", (6, 5, 4))), (np.s_[1:2], source("odd", (3, 5, 4))[2:3])],
                    expected=np.concatenate([data[:1], data[5:], data[2:]]))
            gap = data.copy()
            gap[3:] = 7
            virtual("gap", [(np.s_[:3], source("all", (6, 5, 4))[:3])], expected=gap, fill=7)
            layout = h5py.VirtualLayout((6, 5, 4), np.uint16)
            layout[:] = source("circle", (6, 5, 4), ".")
            file.create_virtual_dataset("circle", layout)
        with h5py.File("scan.h5") as file:
            for name, expected in expectations:
                with self.subTest(name):
                    np.testing.assert_array_equal(file[name][()], expected)
                    self.assert_dataset(file[name])
        self.assert_refused(("circle", "itself as a source"), "scan.h5:/circle")
        # A relative name without its folders is not what the library looks for: whole images only.
        os.rename("raw/parts.h5", "parts.h5")
        self.assert_images(read("scan.h5:/whole"), list(data))
        self.assert_images(read("scan.h5:/interleaved"), list(data))
        for name in "halves", "other-type":
            self.assert_refused("parts.h5", f"scan.h5:/{name}")


if __name__ == "__main__":
    main()
