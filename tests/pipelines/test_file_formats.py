#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files as other programs write them are read right, and what is written is read right by other programs:
tifffile, FabIO, Pillow and h5py."""

import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pipetest import *  # noqa: E402,F403

import fabio  # noqa: E402
from fabio.edfimage import EdfImage  # noqa: E402
from PIL import Image  # noqa: E402
import gsttomo  # noqa: E402

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
            self.assertEqual(image.dtype, WIDENED.get(wanted.dtype, wanted.dtype.newbyteorder("=")))
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
        import zlib
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


if __name__ == "__main__":
    main()  # noqa: F405
