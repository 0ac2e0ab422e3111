// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph/c-interface.hpp>
#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/gsttomotasks.h>

/**
 * SECTION:gsttomotasks
 * @title: Tasks
 * @short_description: what there is, and how it is set
 *
 * Tasks are elements under the names that UFO's tasks have ("read" for tomoread), or under their own.
 */

/**
 * gst_tomo_make_task:
 * @plugin: name of a task ("flat-field-correct") or element
 * @name: (nullable): name of the new element
 * @error: why there is none
 *
 * Returns: (transfer full) (nullable): a new element, %NULL on error
 */
GstElement *gst_tomo_make_task(const gchar *plugin, const gchar *name, GError **error) {
    g_return_val_if_fail(plugin, nullptr);
    tomo::need_gstreamer();
    return tomo::to_gerror(error, [&] {
        return GST_ELEMENT(gst_object_ref_sink(tomo::make_element_of(plugin, name ? name : "")));
    });
}

/**
 * gst_tomo_list_tasks:
 *
 * Returns: (transfer full) (array zero-terminated=1): names of all tasks of gst-tomo and of plugins made with
 * it
 */
gchar **gst_tomo_list_tasks(void) {
    tomo::need_gstreamer();
    return tomo::to_critical(G_STRFUNC, [&] { return tomo::string_array(tomo::task_names()); });
}

/**
 * gst_tomo_describe_task:
 * @plugin: name of a task ("flat-field-correct") or element
 * @error: why there is none
 *
 * Describes a task for programs: an object with "task", "element", "description", "class", "inputs" and
 * "outputs" (their names), "optional-inputs", "optional-outputs", "properties" and "results". Each of the
 * properties has "name", "type" (boolean, integer, number, string, enum, array, or the name of another type),
 * "default", "values" (in words), "description", "own" (false for those that elements of the kind have in
 * common), "live" (whether it may change while the stream runs), and, where it applies, "minimum", "maximum",
 * "choices" (objects with "name" and "description") and "automatic" (objects with "minimum" and "maximum":
 * numbers between them leave the value to the element, the scan or the input).
 *
 * Returns: (transfer full) (nullable): the description as JSON
 */
gchar *gst_tomo_describe_task(const gchar *plugin, GError **error) {
    g_return_val_if_fail(plugin, nullptr);
    tomo::need_gstreamer();
    return tomo::to_gerror(error,
                           [&] { return g_strdup(tomo::describe_task(plugin).written(true).c_str()); });
}

/**
 * gst_tomo_set_properties_from_json:
 * @element: an element
 * @json: an object, such as {"factor": 0.5, "center": [1, 2]}
 * @error: which property does not take its value
 *
 * Sets properties, after checking all that GObject leaves unchecked or only warns of.
 *
 * Returns: whether all are set; if not, those in front of the wrong one are
 */
gboolean gst_tomo_set_properties_from_json(GstElement *element, const gchar *json, GError **error) {
    g_return_val_if_fail(GST_IS_ELEMENT(element) && json, FALSE);
    return tomo::to_gerror(error, [&] {
        tomo::set_properties(element, json);
        return TRUE;
    });
}

/**
 * gst_tomo_get_properties_as_json:
 * @element: an element
 * @error: which property can't be written as JSON
 *
 * Returns: (transfer full) (nullable): an object with the properties that differ from their defaults
 */
gchar *gst_tomo_get_properties_as_json(GstElement *element, GError **error) {
    g_return_val_if_fail(GST_IS_ELEMENT(element), nullptr);
    return tomo::to_gerror(
        error, [&] { return g_strdup(tomo::properties_to_json(element).written(false).c_str()); });
}
