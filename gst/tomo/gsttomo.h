/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/tomo/gsttomoarray.h>
#include <gst/tomo/gsttomocontext.h>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/gsttomolive.h>
#include <gst/tomo/gsttomomemory.h>
#include <gst/tomo/gsttomometa.h>
#include <gst/tomo/gsttomoreconstruction.h>
#include <gst/tomo/gsttomotasks.h>
