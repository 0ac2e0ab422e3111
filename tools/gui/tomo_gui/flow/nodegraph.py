# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""NodeGraphQt, made to use the binding of Qt that pyqtgraph has chosen. Raises ImportError where it is not installed."""

import os
import warnings

from pyqtgraph.Qt import QT_LIB

os.environ["QT_PREFERRED_BINDING"] = QT_LIB
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of distutils, in NodeGraphQt
    from NodeGraphQt.constants import PortTypeEnum  # noqa: F401
    from NodeGraphQt.qgraphics.node_abstract import AbstractNodeItem  # noqa: F401
    from NodeGraphQt.qgraphics.node_backdrop import BackdropNodeItem  # noqa: F401
    from NodeGraphQt.qgraphics.node_base import NodeItem  # noqa: F401
    from NodeGraphQt.qgraphics.pipe import PipeItem  # noqa: F401
    from NodeGraphQt.qgraphics.port import PortItem  # noqa: F401
    from NodeGraphQt.widgets.viewer import NodeViewer  # noqa: F401
