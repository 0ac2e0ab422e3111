# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The input files of a benchmark: sinograms as TIFF files, made anew each time, and compressed datasets of them."""
import concurrent.futures
import importlib.util
import os
import shutil
import struct
import threading
import time
import zlib

import numpy as np
import tomoref

DATA_OFFSET = 4096  # of the samples in a file of write_tiff
MOST_DISTINCT = 64  # files with samples of their own; further ones are links to these


def write_tiff(path, image):
    """A float32 image as an uncompressed little-endian TIFF file of one strip, which starts at DATA_OFFSET.

    By hand, so that numpy is all that a host needs (TIFF 6.0, section 2).
    """
    image = np.ascontiguousarray(image, "<f4")
    height, width = image.shape
    short, long = 3, 4
    tags = [(256, long, width), (257, long, height), (258, short, 32), (259, short, 1), (262, short, 1),
            (273, long, DATA_OFFSET), (277, short, 1), (278, long, height), (279, long, image.nbytes), (339, short, 3)]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    head += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags) + bytes(4)
    with open(path, "wb") as file:
        file.write(head.ljust(DATA_OFFSET, b"\0"))
        file.write(image.data)


def read_tiff(path, shape):
    """What write_tiff wrote."""
    return np.fromfile(path, "<f4", offset=DATA_OFFSET).reshape(shape)


class Scan:
    """Sinograms of one size in a folder of their own.

    folder   sino-00000.tif, ...: file 0 is a Shepp-Logan head with 1 % noise, file 1 white noise, the two inputs on
             which errors are measured; the others are the head with other noise
    filtered the first two after the ramp, float32: inputs for a backprojection alone
    """

    def __init__(self, base, size, projections, number, seed):
        self.size, self.projections, self.number = size, projections, number
        self.shape = (projections, size)
        self.bytes = 4 * size * projections
        self.folder = os.path.join(base, f"scan-{size}x{projections}")
        self.filtered = os.path.join(base, f"filtered-{size}x{projections}")
        distinct = min(number, MOST_DISTINCT)
        self._check_room(base, (distinct + 4) * self.bytes)
        os.mkdir(self.folder)
        os.mkdir(self.filtered)
        head = tomoref.line_integrals(tomoref.shepp_logan(0.45 * size, 0.01), tomoref.angles_of_scan(projections),
                                      size, size / 2.0).astype(np.float32)
        sigma = np.float32(0.01 * head.std())
        seeds = np.random.SeedSequence(seed).spawn(distinct)

        def make(i):
            noise = np.random.default_rng(seeds[i]).standard_normal(self.shape, dtype=np.float32)
            image = noise if i == 1 else head + sigma * noise
            write_tiff(self.path(i), image)
            if i < 2:
                write_tiff(os.path.join(self.filtered, f"sino-{i:05}.tif"), tomoref.fft_filter(image))

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(make, range(distinct)))
        for i in range(distinct, number):
            os.link(self.path(i % distinct), self.path(i))

    def path(self, i):
        return os.path.join(self.folder, f"sino-{i:05}.tif")

    def sinogram(self, i, filtered=False):
        folder = self.filtered if filtered else self.folder
        return read_tiff(os.path.join(folder, f"sino-{i:05}.tif"), self.shape)

    @staticmethod
    def _check_room(base, needed):
        free = shutil.disk_usage(base).free
        if needed > free:
            raise SystemExit(f"bench: {needed / 1e9:.1f} GB of input files do not fit into {base}, where "
                             f"{free / 1e9:.1f} GB are free; choose another place with --folder or less with --slices")


def _best_rate(jobs, threads, work):
    """Bytes per second of `work(job)`, which returns bytes, over all jobs in threads; the best of three times."""
    best = 0.0
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for _ in range(3):
            started = time.perf_counter()
            total = sum(pool.map(work, jobs))
            best = max(best, total / (time.perf_counter() - started))
    return best


def read_rate(scan, number, threads):
    """Bytes per second at which `threads` threads copy the files' samples into memory that is used again and again:
    what reading can reach here."""
    own = threading.local()

    def read(i):
        if not hasattr(own, "buffer"):
            own.buffer = bytearray(scan.bytes + DATA_OFFSET)
        with open(scan.path(i), "rb", buffering=0) as file:
            return file.readinto(own.buffer)

    return _best_rate(range(number), threads, read)


def write_rate(folder, scan, number, threads):
    """The same for files of the scan's size that are written anew."""
    samples = scan.sinogram(0)

    def write(i):
        path = os.path.join(folder, f"{i:05}.raw")
        with open(path, "wb", buffering=0) as file:
            return file.write(samples.data)

    rate = _best_rate(range(number), threads, write)
    for i in range(number):
        os.remove(os.path.join(folder, f"{i:05}.raw"))
    return rate


def as_counts(image):
    """uint16 with the image's minimum and maximum at its ends."""
    low, high = float(image.min()), float(image.max())
    return np.rint((image - low) * (65535.0 / (high - low))).astype("<u2")


def shuffled(samples):
    """Pieces of 1 MiB as HDF5's filter shuffle leaves them: first bytes, second bytes, ..."""
    bytes_of = samples.reshape(-1, 1).view(np.uint8)
    count = (1 << 20) // samples.itemsize
    return [bytes_of[at : at + count].T.tobytes() for at in range(0, len(bytes_of), count)]


def deflate_rate(scan, threads):
    """Bytes per second at which zlib compresses the scan's samples, level 1."""
    pieces = shuffled(scan.sinogram(0)) * threads

    def work(piece):
        zlib.compress(piece, 1)
        return len(piece)

    return _best_rate(pieces, threads, work)


def inflate_rate(scan, threads):
    """Bytes per second that zlib makes of compressed counts."""
    pieces = [(len(piece), zlib.compress(piece, 1)) for piece in shuffled(as_counts(scan.sinogram(0)))]

    def work(piece):
        return len(zlib.decompress(piece[1], bufsize=piece[0]))

    return _best_rate(pieces * threads, threads, work)


# Bitshuffle with LZ4, as detectors write it: https://github.com/kiyo-masui/bitshuffle, filter 32008 of HDF5.

BITSHUFFLE, WITH_LZ4 = 32008, 2
BLOCK = 4096  # samples


def missing_for_lz4():
    for module, package in (("h5py", "python3-h5py"), ("lz4", "python3-lz4")):
        if not importlib.util.find_spec(module):
            return f"its file can't be made: {module} is not importable (Debian: {package})"
    return None


def _lz4_blocks(counts):
    """The blocks of a chunk, each bit by bit, compressed; and the samples that fill no group of eight."""
    import lz4.block
    flat = counts.ravel()
    whole = len(flat) // 8 * 8
    blocks = []
    for at in range(0, whole, BLOCK):
        bits = np.unpackbits(flat[at : min(at + BLOCK, whole)].view(np.uint8).reshape(-1, counts.itemsize), axis=1,
                             bitorder="little")
        bits = np.packbits(np.ascontiguousarray(bits.T), axis=1, bitorder="little").tobytes()
        blocks.append((len(bits), lz4.block.compress(bits, store_size=False)))
    return blocks, flat[whole:].tobytes()


def lz4_rate(scan, threads):
    """Bytes per second that LZ4 makes of compressed counts, without the bits' transposition."""
    import lz4.block
    blocks, _ = _lz4_blocks(as_counts(scan.sinogram(0)))
    joined = b"".join(lz4.block.decompress(packed, uncompressed_size=size) for size, packed in blocks)
    # Larger pieces than the file's blocks, or Python's own lock would be measured.
    pieces = [joined[at : at + (1 << 20)] for at in range(0, len(joined), 1 << 20)]
    pieces = [(len(piece), lz4.block.compress(piece, store_size=False)) for piece in pieces]

    def work(piece):
        return len(lz4.block.decompress(piece[1], uncompressed_size=piece[0]))

    return _best_rate(pieces * threads, threads, work)


def write_lz4(path, scan, number, distinct=8):
    """The dataset /data of uint16 counts, an image in each chunk, the first few again and again."""
    import h5py
    # Where a plugin for HDF5 is installed, it would change what is written about chunks that come filtered.
    while h5py.h5pl.size():
        h5py.h5pl.remove(0)
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((1, *scan.shape))
    # Optional, because HDF5 does not know it everywhere; the values are those that bitshuffle itself sets.
    creation.set_filter(BITSHUFFLE, h5py.h5z.FLAG_OPTIONAL, (0, 4, 2, BLOCK, WITH_LZ4))
    chunks = []
    for i in range(min(number, distinct)):
        blocks, rest = _lz4_blocks(as_counts(scan.sinogram(i)))
        head = struct.pack(">QI", scan.bytes // 2, 2 * BLOCK)
        chunks.append(head + b"".join(struct.pack(">I", len(packed)) + packed for _, packed in blocks) + rest)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple((number, *scan.shape))
        dataset = h5py.h5d.create(file.id, b"data", h5py.h5t.STD_U16LE, space, dcpl=creation)
        for i in range(number):
            dataset.write_direct_chunk((i, 0, 0), chunks[i % distinct])
