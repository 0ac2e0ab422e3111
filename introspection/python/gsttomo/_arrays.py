# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Between numpy arrays and GStreamer buffers."""

import atexit
import itertools

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import Gst, GstTomo  # noqa: E402

FORMATS = {name: np.dtype(name) for name in
           ("uint8", "uint16", "uint32", "int16", "int32", "float16", "float32", "float64", "complex64")}


# Types of numpy that streams do not have. They become the nearest one, which must hold all values: a type that
# depended on the values could change within a stream.
NEAREST = {"bool": "uint8", "int8": "int16", "int64": "int32", "uint64": "uint32"}


def check_type(array):
    """Raises TypeError for an array that no stream can hold."""
    if array.dtype.name not in FORMATS and array.dtype.name not in NEAREST:
        advice = "astype(np.complex64)" if array.dtype.kind == "c" else "astype(np.float32)"
        raise TypeError(f"an array of type {array.dtype} and shape {array.shape} can't be taken; use {advice}, or another "
                        f"one of {', '.join([*FORMATS, *NEAREST])}")
    if np.ma.is_masked(array):
        raise TypeError(f"an array of shape {array.shape} is masked, which a stream can't express; use filled()")


def to_stream_type(given):
    """An array as a stream holds it, in the byte order of this computer. int64 becomes int32, uint64 uint32, int8 int16
    and bool uint8; ValueError where one of the values does not fit."""
    array = given if isinstance(given, np.ndarray) else np.asarray(given)
    check_type(array)
    if array.ndim not in (1, 2, 3) or array.size == 0:
        raise TypeError(f"an array of type {array.dtype} and shape {array.shape} is no row, image or volume")
    name = array.dtype.name
    target = FORMATS[NEAREST.get(name, name)]
    if name in ("int64", "uint64"):
        limits = np.iinfo(target)
        for value in (array.min(), array.max()):
            if not limits.min <= value <= limits.max:
                raise ValueError(f"an array of {name} holds {value}, which does not fit into {target}, the largest integer "
                                 "type of a stream; use astype(np.float64)")
    return np.asarray(array).astype(target, copy=False)


def caps_of(array):
    """Of an array that has the type of a stream."""
    depth, height, width = (1,) * (3 - array.ndim) + array.shape
    return Gst.Caps.from_string(f"application/x-tomo-array,format={array.dtype.name},width={width},height={height},"
                                f"depth={depth},framerate=0/1")


def to_buffer(array, index):
    # The samples are copied: the caller may go on writing into the array. Not as bytes of Python, which PyGObject copies
    # one by one.
    buffer = Gst.Buffer.new_allocate(None, array.nbytes, None)
    ok, info = buffer.map(Gst.MapFlags.WRITE)
    if not ok:
        raise MemoryError(f"a buffer of {array.nbytes} bytes can't be written")
    try:
        np.copyto(np.frombuffer(info.data, array.dtype).reshape(array.shape), array)
    finally:
        buffer.unmap(info)
    buffer.offset, buffer.offset_end = index, index + 1
    return buffer


class Mapped:
    """A buffer's bytes for numpy, unmapped when the last array that looks at them is gone. Who owns the only reference
    may write to memory that is mapped to be read."""

    def __init__(self, buffer, is_writable=False):
        self._buffer = self._info = None
        ok, self._info = buffer.map(Gst.MapFlags.READ)
        if not ok:
            raise MemoryError("a buffer can't be read")
        self._buffer = buffer
        flat = np.frombuffer(self._info.data, np.uint8)
        self.__array_interface__ = {"data": (flat.ctypes.data, not is_writable), "shape": flat.shape, "typestr": "|u1",
                                    "version": 3}

    _is_over = False  # whether the interpreter ends, and can't call the library any more

    def __del__(self):
        if self._buffer is not None and not self._is_over:
            self._buffer.unmap(self._info)


atexit.register(lambda: setattr(Mapped, "_is_over", True))


def copy_of(sample):
    """An array of shape (height, width) or (depth, height, width). Not a copy of the view: where Ctrl-C interrupts a
    __del__, Python prints the KeyboardInterrupt and goes on."""
    buffer, info = sample.get_buffer(), None
    try:
        ok, info = buffer.map(Gst.MapFlags.READ)
        if not ok:
            info = None
            raise MemoryError("a buffer can't be read")
        return np.array(arranged(sample, np.frombuffer(info.data, np.uint8)))
    finally:
        if info is not None:
            buffer.unmap(info)


def view_of(sample):
    """The same without a copy, to be read only."""
    return arranged(sample, np.asarray(Mapped(sample.get_buffer())))


def arranged(sample, data):
    """The bytes of a sample as its array."""
    info = GstTomo.ArrayInfo.new_from_caps(sample.get_caps())
    name = sample.get_caps().get_structure(0).get_string("format")
    dtype = FORMATS[name]
    shape = (info.depth, info.height, info.width)
    layout = GstTomo.buffer_get_tomo_array_meta(sample.get_buffer())
    offset, row, plane = (layout.offset, layout.row_stride, layout.plane_stride) if layout else \
        (0, info.width * dtype.itemsize, info.height * info.width * dtype.itemsize)
    array = np.ndarray(shape, dtype, data, offset, (plane, row, dtype.itemsize))
    return array[0] if info.depth == 1 else array


# Arrays that the library reads, until it lets go of them. Not held by its callbacks: those stay until the next one.
_lent = {}
_numbers = itertools.count()


def _release(number):
    _lent.pop(number, None)


def is_readable_in_place(array):
    """Whether samples of a row are beside each other, and rows and images do not go backwards."""
    columns = array.shape[-1] == 1 or array.strides[-1] == array.itemsize
    return columns and all(extent == 1 or stride >= 0 for extent, stride in zip(array.shape[:-1], array.strides[:-1]))


def lent(array, is_writable=False, caps=None):
    """An array as a GstSample, without a copy. Raises GLib.Error."""
    shape = (1,) * (3 - array.ndim) + array.shape
    rows, planes = ([stride for extent, stride in zip(shape, (0,) * (3 - array.ndim) + array.strides)])[1::-1]
    row_bytes = shape[2] * array.itemsize
    rows = rows if shape[1] > 1 else row_bytes
    planes = planes if shape[0] > 1 else shape[1] * rows
    number = next(_numbers)
    _lent[number] = array
    return GstTomo.wrap_memory(caps or caps_of(array), array.__array_interface__["data"][0], rows, planes, is_writable, _release,
                               number)
