// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lists of numbers as fields of events and messages.
#pragma once

#include <gst/gst.h>

#include <vector>

namespace tomo {

// Empty where there is no such list.
inline std::vector<double> list_of(const GstStructure *s, const char *name) {
    std::vector<double> values;
    const GValue *list = gst_structure_get_value(s, name);
    const guint n = list && GST_VALUE_HOLDS_ARRAY(list) ? gst_value_array_get_size(list) : 0;
    for (guint i = 0; i < n; i++)
        if (const GValue *value = gst_value_array_get_value(list, i); G_VALUE_HOLDS_DOUBLE(value))
            values.push_back(g_value_get_double(value));
    return values;
}

inline void set_list(GstStructure *s, const char *name, const std::vector<double> &values) {
    GValue list = G_VALUE_INIT;
    gst_value_array_init(&list, static_cast<guint>(values.size()));
    for (const double v : values) {
        GValue value = G_VALUE_INIT;
        g_value_init(&value, G_TYPE_DOUBLE);
        g_value_set_double(&value, v);
        gst_value_array_append_and_take_value(&list, &value);
    }
    gst_structure_take_value(s, name, &list);
}

} // namespace tomo
