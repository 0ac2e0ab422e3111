# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Viewers of images and volumes, as widgets of Qt: for programs of your own, notebooks and scripts.

    from gsttomo.widgets import ImageView, application

    app = application()
    view = ImageView()
    view.set_image(numpy.load("slice.npy"), fit=True)
    view.show()
    app.exec()

ImageView    one image: window and level, zoom, profile, length, region of interest, export
Histogram    of an image, with window and level to drag
SliceView    three planes through a volume, with one crosshair
CompareView  the same planes of two volumes, side by side or in turns
VolumeView   a volume in perspective: maximum projection or transfer function, clip planes (OpenGL 3.3)
AxisOverlay  the views at 0 and at 180 degrees over each other, with the axis of rotation to drag
Volume       a volume in a file, read in parts; it needs no Qt. split_name() splits its name into file and dataset
Loader       a thread that reads slices, the latest one asked for first

They know files and arrays, and no jobs. Qt comes through pyqtgraph: PySide6, or PySide2. PYQTGRAPH_QT_LIB chooses where
there are several. Coordinates of images are edge coordinates: x counts columns and y rows, sample i lies from i to i + 1.
"""

import importlib

_ROOMS = {"AxisOverlay": "overlay", "Canvas": "canvas", "CompareView": "compare", "Histogram": "histogram",
          "ImageLayer": "canvas", "ImageView": "image", "Layer": "canvas", "Loader": "loader", "SliceView": "slices",
          "Volume": "volume", "VolumeError": "volume", "VolumeView": "render", "application": "_qt",
          "split_name": "volume"}
__all__ = sorted(_ROOMS)


def __getattr__(name):  # so that a volume is read where there is no Qt
    if name in _ROOMS:
        return getattr(importlib.import_module("." + _ROOMS[name], __name__), name)
    raise AttributeError(f"module 'gsttomo.widgets' has no attribute {name}")


def __dir__():
    return list(__all__)
