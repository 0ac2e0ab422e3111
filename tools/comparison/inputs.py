# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The small random files that the lines read.

Images are 32 x 24, a size that every version of UFO can transform; odd.tif is 31 x 23.
"""
import os

import h5py
import numpy as np
import tifffile

WIDTH, HEIGHT, PAGES = 32, 24, 5


def edf(array):
    header = ("{\nHeaderID = EH:000001:000000:000000 ;\nImage = 1 ;\nByteOrder = LowByteFirst ;\nDataType = FloatValue ;"
              f"\nDim_1 = {array.shape[1]} ;\nDim_2 = {array.shape[0]} ;\nSize = {array.nbytes} ;\n")
    return header.ljust(1022).encode() + b"}\n" + array.tobytes()


def make(folder, seed):
    rng = np.random.default_rng(seed)

    def save(name, array):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        tifffile.imwrite(path, array, photometric="minisblack")

    def noise(*shape):
        return rng.random(shape, np.float32) + np.float32(0.1)

    for name, shape in {"image": (HEIGHT, WIDTH), "other": (HEIGHT, WIDTH), "images": (PAGES, HEIGHT, WIDTH),
                        "others": (PAGES, HEIGHT, WIDTH), "odd": (HEIGHT - 1, WIDTH - 1), "square": (WIDTH, WIDTH),
                        "other-square": (WIDTH, WIDTH), "third-square": (WIDTH, WIDTH)}.items():
        save(f"{name}.tif", noise(*shape))
    save("signed.tif", noise(HEIGHT, WIDTH) - np.float32(0.6))
    images = noise(PAGES, HEIGHT, WIDTH)
    for i, image in enumerate(images):
        save(f"folder/{i}.tif", image)
    for name, dtype in {"bytes": np.uint8, "words": np.uint16, "signed-words": np.int16, "longs": np.uint32}.items():
        limits = np.iinfo(dtype)
        save(f"{name}.tif", rng.integers(limits.min, limits.max, (2, HEIGHT, WIDTH), dtype, endpoint=True))
    save("doubles.tif", rng.random((HEIGHT, WIDTH)))

    darks = rng.integers(90, 110, (2, HEIGHT, WIDTH), np.uint16)
    flats = rng.integers(900, 1100, (2, HEIGHT, WIDTH), np.uint16)
    save("row-darks.tif", np.repeat(darks[0, :1], HEIGHT, axis=0))
    save("row-flats.tif", np.repeat(flats[0, :1], HEIGHT, axis=0))
    save("darks.tif", darks)
    save("flats.tif", flats)
    save("projections.tif", rng.integers(200, 800, (PAGES, HEIGHT, WIDTH), np.uint16))

    save("rings.tif", np.array([[2, 3, 4, 5, 0.5, 0.25, 13, 14, 6, 0.75, 0.125]], np.float32))  # a count, then rings

    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    for row, start, length in zip(range(0, HEIGHT, 2), rng.integers(5, 20, HEIGHT), rng.integers(1, 5, HEIGHT)):
        mask[row, start:start + length] = 1
    save("mask.tif", mask)
    save("border-mask.tif", np.where(np.arange(WIDTH) < 3, np.float32(1), mask))
    spots = noise(HEIGHT, WIDTH)
    spots[rng.integers(5, HEIGHT - 5, 4), rng.integers(5, WIDTH - 5, 4)] += 20
    save("spots.tif", spots)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    save("smooth.tif", np.sin(columns / 5) + np.cos(rows / 4) + np.float32(2))
    save("smooth-square.tif", np.fromfunction(lambda y, x: np.sin(x / 5) + np.cos(y / 4) + 2, (WIDTH, WIDTH)).astype(
        np.float32))
    save("map-x.tif", columns + noise(HEIGHT, WIDTH))
    save("map-y.tif", rows + noise(HEIGHT, WIDTH))
    offsets = np.arange(WIDTH, dtype=np.float32) - (WIDTH - 1) / 2
    save("sinogram.tif", np.tile(np.sqrt(np.maximum(100 - offsets ** 2, 0)), (HEIGHT, 1)).astype(np.float32))

    volume = noise(PAGES, HEIGHT, WIDTH)
    with h5py.File(os.path.join(folder, "volume.h5"), "w") as file:
        file["volume"] = volume
        file["words"] = rng.integers(0, 65535, volume.shape, np.uint16)
    with open(os.path.join(folder, "image.edf"), "wb") as file:
        file.write(edf(noise(HEIGHT, WIDTH)))
    rng.integers(0, 65535, (3, HEIGHT, WIDTH), np.uint16).tofile(os.path.join(folder, "words.raw"))
    noise(3, HEIGHT, WIDTH).tofile(os.path.join(folder, "floats.raw"))
