// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/memory/images.hpp>
#include <gst/reconstruction/job-thread.hpp>
#include <gst/tomo/graph/c-interface.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/graph/signal-outlet.hpp>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/gsttomoreconstruction.h>
#include <gst/tomo/support/forked.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <algorithm>
#include <map>

/**
 * SECTION:gsttomoreconstruction
 * @title: GstTomoReconstruction
 * @short_description: from a scan to a volume
 *
 * A reconstruction has parameters, each of which is a property of the object and a key of its configuration;
 * gst_tomo_reconstruction_get_schema() tells all that there is to know about them. It finds out what a scan
 * is (gst_tomo_reconstruction_inspect()), where its axis is (gst_tomo_reconstruction_estimate_axis()), which
 * dataflows make the slices (gst_tomo_reconstruction_plan()), and runs these
 * (gst_tomo_reconstruction_run()). Angles are in radians where a parameter's name does not say degrees, the
 * axis in edge coordinates of the full detector: the middle of W columns is W / 2.
 *
 * Errors have the domain %GST_TOMO_GRAPH_ERROR where a parameter is wrong, and that of the element or file
 * where something fails; the first cause counts.
 */

using namespace tomo;
using namespace tomo::reconstruction;

namespace {

guint event_signal;

struct State {
    explicit State(GstTomoReconstruction *object)
        : outlet([this](GObject *self) { return emit_next(self); },
                 [](GObject *self) -> bool {
                     return g_signal_has_handler_pending(self, event_signal, 0, FALSE);
                 }),
          thread([object, this] { outlet.announce(G_OBJECT(object)); },
                 [object, this] { outlet.let_go(GObjectPtr(G_OBJECT(object))); }) {}

    bool emit_next(GObject *self) {
        const auto event = thread.take();
        if (event)
            g_signal_emit(self, event_signal, 0, event->c_str());
        return event.has_value();
    }

    void must_not_run() const {
        if (thread.is_running())
            throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_BUSY,
                        "parameters can't be changed while the reconstruction runs");
    }

    // Forgets arrays in whose place something else is named now.
    void let_go_of_memory() {
        for (auto lent = memory.begin(); lent != memory.end();)
            lent = settings.require(lent->first).text() == lent->second->location() ? std::next(lent)
                                                                                    : memory.erase(lent);
    }

    Settings settings;
    std::map<std::string, std::shared_ptr<io::MemoryImages>> memory; // by the parameter that names it
    SignalOutlet outlet;
    JobThread thread; // last: it uses the others until it ends
};

// Whose specifications are those of the class.
const Settings &prototype() {
    static const auto *settings = std::make_unique<Settings>().release();
    return *settings;
}

gchar *copy(const std::string &text) { return g_strdup(text.c_str()); }

} // namespace

/**
 * GstTomoReconstruction:
 *
 * From a scan to a volume.
 *
 * Signals come in the main context that was the thread's default when the run was started, or in
 * gst_tomo_reconstruction_wait() and gst_tomo_reconstruction_poll(); never in a thread of their own.
 */
struct _GstTomoReconstruction {
    GObject parent;
    State *state;
};

G_DEFINE_TYPE(GstTomoReconstruction, gst_tomo_reconstruction, G_TYPE_OBJECT)

static void gst_tomo_reconstruction_init(GstTomoReconstruction *self) {
    self->state = or_end_process(G_STRFUNC, [&] { return new State(self); });
}

static void gst_tomo_reconstruction_finalize(GObject *object) {
    delete GST_TOMO_RECONSTRUCTION(object)->state;
    G_OBJECT_CLASS(gst_tomo_reconstruction_parent_class)->finalize(object);
}

static void gst_tomo_reconstruction_get_property(GObject *object, guint id, GValue *value, GParamSpec *) {
    to_critical(G_STRFUNC, [&] {
        g_value_copy(GST_TOMO_RECONSTRUCTION(object)->state->settings.all().at(id - 1)->get(), value);
    });
}

static void gst_tomo_reconstruction_set_property(GObject *object, guint id, const GValue *value,
                                                 GParamSpec *spec) {
    auto *state = GST_TOMO_RECONSTRUCTION(object)->state;
    GError *raw = nullptr;
    to_gerror(&raw, [&] {
        state->must_not_run();
        state->settings.all().at(id - 1)->set(value);
        state->let_go_of_memory();
        return true;
    });
    if (!raw) {
        g_object_notify_by_pspec(object, spec);
        return;
    }
    g_warning("%s", raw->message);
    g_error_free(raw);
}

static void gst_tomo_reconstruction_class_init(GstTomoReconstructionClass *klass) {
    need_gstreamer();
    auto *object_class = G_OBJECT_CLASS(klass);
    object_class->finalize = gst_tomo_reconstruction_finalize;
    object_class->get_property = gst_tomo_reconstruction_get_property;
    object_class->set_property = gst_tomo_reconstruction_set_property;
    guint id = 0;
    for (const auto *parameter : prototype().all())
        g_object_class_install_property(object_class, ++id, parameter->spec());

    /**
     * GstTomoReconstruction::event:
     * @reconstruction: the reconstruction
     * @event: a JSON object
     *
     * What happens while a reconstruction runs: an object with `event` and `time` (seconds since 1970), and
     * with what the kind of event brings:
     *
     * - `hello`: `version` of this vocabulary (1), `program`, `pid`
     * - `stage`: `name` (inspect, axis, align, reconstruct), `index` of `count`
     * - `message`: `level` (info, warning, error), `text`, and perhaps the name of the `element`
     * - `result`: `name`, `value`, `unit`; of the axis also `uncertainty` and `tilt`
     * - `plan`: `slabs`, `images`, `bytes`, `output`, `axis`, `axis-from`, the `device`, the `seconds` that
     * the run is expected to take, `pixel-size` of the result in metres, and the `values` of a parameter that
     * is swept
     * - `progress`: `stage`, `done` of `total`, `unit`, `seconds-left` (first as expected, then by the first
     *   slab or the rate), and once that is known `rate` in units per second
     * - `state`: `state` (paused, running), when that has changed
     * - `preview`: `path` of a file in the format of numpy, `shape` (rows, columns), `format` of a sample,
     * and the number of the `slice`
     * - `done`: `status` (done, finished early, failed, aborted) and the `outputs`, files that were written
     */
    event_signal = g_signal_new("event", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr,
                                nullptr, G_TYPE_NONE, 1, G_TYPE_STRING);
}

/**
 * gst_tomo_reconstruction_new:
 * @scan: (nullable) (type filename): a file, folder or pattern of a scan
 *
 * Returns: (transfer full): a reconstruction with that scan, all other parameters as they are by default
 */
GstTomoReconstruction *gst_tomo_reconstruction_new(const gchar *scan) {
    auto *self = GST_TOMO_RECONSTRUCTION(g_object_new(GST_TYPE_TOMO_RECONSTRUCTION, nullptr));
    if (scan)
        g_object_set(self, "scan", scan, nullptr);
    return self;
}

/**
 * gst_tomo_reconstruction_get_schema:
 *
 * Describes the parameters for programs. Each has type, title, description, default, and where it applies
 * minimum and maximum, or the choices (enum); `x-section` and `x-level` (basic, advanced) say where it stands
 * in a form, `x-unit` its unit, and `x-automatic` what the default stands for where it is no value itself.
 * Where any number is a value, as of output-minimum, there is no default.
 *
 * Returns: (transfer full): a JSON schema (2020-12) of what gst_tomo_reconstruction_set_parameters() takes
 */
gchar *gst_tomo_reconstruction_get_schema(void) {
    need_gstreamer();
    return to_critical(G_STRFUNC, [&] { return copy(prototype().schema().written(true)); });
}

// All of a change or nothing, and whoever follows the properties is told.
template <class Change>
static gboolean change(GstTomoReconstruction *self, Change change) {
    auto &settings = self->state->settings;
    self->state->must_not_run();
    Settings changed;
    changed.assign(settings);
    change(changed);
    std::vector<GParamSpec *> specs;
    for (std::size_t i = 0; i < settings.all().size(); i++)
        if (settings.all()[i]->text() != changed.all()[i]->text())
            specs.push_back(prototype().all()[i]->spec());
    settings.assign(changed);
    self->state->let_go_of_memory();
    for (auto *spec : specs)
        g_object_notify_by_pspec(G_OBJECT(self), spec);
    return TRUE;
}

/**
 * gst_tomo_reconstruction_set_parameter:
 * @reconstruction: a reconstruction
 * @name: name of a parameter
 * @value: its value, as on a command line
 * @error: why it can't be set; it tells the nearest name
 *
 * Returns: whether it is set
 */
gboolean gst_tomo_reconstruction_set_parameter(GstTomoReconstruction *reconstruction, const gchar *name,
                                               const gchar *value, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction) && name && value, FALSE);
    return to_gerror(error, [&] {
        return change(reconstruction, [&](Settings &settings) { settings.require(name).set_text(value); });
    });
}

/**
 * gst_tomo_reconstruction_set_parameters:
 * @reconstruction: a reconstruction
 * @json: an object, such as {"axis": 234.5, "rings": "fourier"}
 * @error: which parameter does not take its value
 *
 * Returns: whether all are set; if not, all are as they were
 */
gboolean gst_tomo_reconstruction_set_parameters(GstTomoReconstruction *reconstruction, const gchar *json,
                                                GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction) && json, FALSE);
    return to_gerror(error, [&] {
        return change(reconstruction,
                      [&](Settings &settings) { settings.set_json(Json::parse(json, "parameters")); });
    });
}

/**
 * gst_tomo_reconstruction_get_parameters:
 * @reconstruction: a reconstruction
 *
 * Returns: (transfer full): an object in JSON with the parameters that differ from their defaults
 */
gchar *gst_tomo_reconstruction_get_parameters(GstTomoReconstruction *reconstruction) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), nullptr);
    return to_critical(G_STRFUNC, [&] { return copy(reconstruction->state->settings.json().written(true)); });
}

/**
 * gst_tomo_reconstruction_load_configuration:
 * @reconstruction: a reconstruction
 * @file: (type filename): a key file, such as gst_tomo_reconstruction_save_configuration() writes
 * @error: what is wrong with it, with the group
 *
 * Sets the parameters that the file names; the others stay. A key is found in any group.
 *
 * Returns: whether all are set; if not, all are as they were
 */
gboolean gst_tomo_reconstruction_load_configuration(GstTomoReconstruction *reconstruction, const gchar *file,
                                                    GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction) && file, FALSE);
    return to_gerror(
        error, [&] { return change(reconstruction, [&](Settings &settings) { settings.load(file); }); });
}

/**
 * gst_tomo_reconstruction_get_configuration:
 * @reconstruction: a reconstruction
 *
 * Returns: (transfer full): a key file of all parameters with their descriptions; those that have their
 * default are commented out
 */
gchar *gst_tomo_reconstruction_get_configuration(GstTomoReconstruction *reconstruction) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), nullptr);
    return to_critical(G_STRFUNC, [&] { return copy(reconstruction->state->settings.configuration()); });
}

/**
 * gst_tomo_reconstruction_save_configuration:
 * @reconstruction: a reconstruction
 * @file: (type filename): name of the file
 * @error: why it was not written
 *
 * Writes gst_tomo_reconstruction_get_configuration() into a file, which is there as a whole or not at all.
 *
 * Returns: whether it is written
 */
gboolean gst_tomo_reconstruction_save_configuration(GstTomoReconstruction *reconstruction, const gchar *file,
                                                    GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction) && file, FALSE);
    return to_gerror(error, [&] {
        replace_text_file(file, reconstruction->state->settings.configuration());
        return TRUE;
    });
}

/**
 * gst_tomo_reconstruction_set_memory:
 * @reconstruction: a reconstruction
 * @parameter: what the array is: projections, darks, flats, flats2, sinograms, angles, shifts, initial, mask,
 * or output
 * @array: (nullable): an array with its caps, such as gst_tomo_wrap_memory() makes; %NULL for none any more
 * @error: why it can't be taken
 *
 * Gives an array in place of a file, without a copy: projections are (depth) images of columns (width) and
 * rows (height), sinograms (depth) of columns and projections, angles one row in degrees, shifts a row of two
 * numbers for each projection, initial and mask (depth) slices. The parameter becomes a name of that memory,
 * such as "memory:projections-1", which other objects of this process may name, too. The array is kept, and
 * must not change, until the parameter gets another value or the object is gone.
 *
 * As `output`, the array gets the result, and has to be of its size. The output "memory:", which is the
 * default where no file is read, makes a new one. gst_tomo_reconstruction_take_result() gets either.
 *
 * Returns: whether it is set
 */
gboolean gst_tomo_reconstruction_set_memory(GstTomoReconstruction *reconstruction, const gchar *parameter,
                                            GstSample *array, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction) && parameter, FALSE);
    return to_gerror(error, [&] {
        auto &memory = reconstruction->state->memory;
        const std::string name = parameter;
        static const std::vector<std::string> names = {"projections", "darks",  "flats",  "flats2",
                                                       "sinograms",   "angles", "shifts", "initial",
                                                       "mask",        "output"};
        if (std::find(names.begin(), names.end(), name) == names.end())
            throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                        "no array can be given as '" + name + "'" + suggestion(name, names));
        std::shared_ptr<io::MemoryImages> images;
        if (array)
            images = io::MemoryImages::lent(name, array,
                                            name == "output" ? io::MemoryImages::Access::Write
                                                             : io::MemoryImages::Access::Read);
        const auto location = images ? images->location() : "";
        return change(reconstruction, [&](Settings &settings) {
            settings.require(name).set_text(location);
            if (images)
                memory[name] = std::move(images);
        });
    });
}

/**
 * gst_tomo_reconstruction_take_result:
 * @reconstruction: a reconstruction
 *
 * The images of a run that ended well, or that was finished early, and whose output is memory. The caller
 * owns them: a second call returns %NULL.
 *
 * Returns: (transfer full) (nullable): an array with a plane for each image, and its caps
 */
GstSample *gst_tomo_reconstruction_take_result(GstTomoReconstruction *reconstruction) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), nullptr);
    return reconstruction->state->thread.take_result();
}

/**
 * gst_tomo_reconstruction_get_preview:
 * @reconstruction: a reconstruction that runs
 *
 * Asks for the next image that is made, and returns the one that came since the last call: a copy, with its
 * number as the buffer's offset. A program that shows images calls it now and then; the first call returns
 * %NULL. Of slices the first image is the middle one, which is made ahead of the others for it. Later ones
 * may come amid iterations: the sample's info then has `iteration` and `iterations`, and no circle is cut out
 * yet.
 *
 * Returns: (transfer full) (nullable): an image of the result with its caps
 */
GstSample *gst_tomo_reconstruction_get_preview(GstTomoReconstruction *reconstruction) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), nullptr);
    return reconstruction->state->thread.preview();
}

// Asks a job in this thread, and gives out what it tells.
template <class Ask>
static gchar *answer(GstTomoReconstruction *self, GError **error, Ask ask) {
    return to_gerror(error, [&]() -> gchar * {
        struct GiveOut {
            GstTomoReconstruction *self;
            ~GiveOut() { self->state->outlet.give_out(G_OBJECT(self)); }
        } give_out{self};
        return copy(self->state->thread.with_job(self->state->settings, ask).written(true));
    });
}

/**
 * gst_tomo_reconstruction_inspect:
 * @reconstruction: a reconstruction
 * @error: why there is no scan
 *
 * Looks at the files of the scan: what it is, and what is wrong with it. The object has `name`, `kind` (scan,
 * sinograms), `width`, `height`, `format`, `projections` and `views` (those of them that are taken), `darks`,
 * `flats`, `flats-after`, `files`, `angle-first`, `angle-last` and `angle-step` in radians with `angles-from`
 * (scan, sinograms, given, assumed), `axis`, `pixel-size` at the sample, `distance` to the detector and
 * `source-distance` in metres and `energy` in keV where the scan tells them, of scans that are stitched
 * `heights`, each with `name`, `top` (the row of the volume at which its first row lies), `rows`, and with
 * `overlap` (rows that it shares with the one above), `overlap-from` (given, scan, views), `overlap-by-views`
 * and `overlap-uncertainty`, `findings`, each with `name`, `severity` (info, warning, error), `text` and
 * `advice`, and all of that in lines as `description`.
 *
 * Returns: (transfer full) (nullable): an object in JSON
 */
gchar *gst_tomo_reconstruction_inspect(GstTomoReconstruction *reconstruction, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), nullptr);
    return answer(reconstruction, error, [](Job &job) { return job.inspect().json(); });
}

/**
 * gst_tomo_reconstruction_estimate_axis:
 * @reconstruction: a reconstruction
 * @error: why it was not found
 *
 * Finds the rotation axis of the scan. The object has `axis-px` (at the middle row of the detector, in edge
 * coordinates), `uncertainty-px` (one sigma), `tilt-degrees` and `tilt-uncertainty-degrees` (positive: the axis
 * leans to the right in lower rows), `method`, `axis-of-scan-px` where that tells one, `side` (left or right, of a
 * whole turn), `warning` where methods disagree, `methods` where several were tried, each with the numbers above or
 * `failure`, `pairs` (of mirrored views that were compared), and `rows`, each with `row-px`, `axis-px`,
 * `uncertainty-px` and `pairs`, of which `used-rows` fit together. `curve` has a criterion that is least at the axis,
 * in one row: `method`, `row-px`, and the lists `axis-px` and `value`. `axis`, `uncertainty` and `tilt` are short for
 * axis-px, uncertainty-px and the tilt in columns per row.
 *
 * Returns: (transfer full) (nullable): an object in JSON
 */
gchar *gst_tomo_reconstruction_estimate_axis(GstTomoReconstruction *reconstruction, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), nullptr);
    return answer(reconstruction, error, [](Job &job) { return job.estimate_axis().json(); });
}

/**
 * gst_tomo_reconstruction_plan:
 * @reconstruction: a reconstruction
 * @error: why scan and parameters make no result
 *
 * What gst_tomo_reconstruction_run() would do. The object has `output`, its `format`, `width`, `height`,
 * `depth` and `bytes`, `memory` (bytes that are held meanwhile, about), `device` and `seconds` (as expected,
 * by a model of the device and the speed of the first images that were read), `axis` and `axis-from` (given,
 * scan, found, assumed), and `slabs`, each with `first-row`, `rows`, `row-step`, `images`, `output`, the
 * `value` of a parameter that is swept, the numbers of `heights` that it is made of, the `line` that
 * gst-launch-1.0 and tomo-launch run, and the same as a `graph` for gst_tomo_graph_new_from_json(). Where
 * there are several, `join` is the line that makes one result of them in the `folder`. `script` is all of
 * that for a shell, which ends before it replaces an earlier result.
 *
 * Returns: (transfer full) (nullable): an object in JSON
 */
gchar *gst_tomo_reconstruction_plan(GstTomoReconstruction *reconstruction, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), nullptr);
    return answer(reconstruction, error, [](Job &job) { return job.plan().json(); });
}

/**
 * gst_tomo_reconstruction_run:
 * @reconstruction: a reconstruction
 * @error: why there is no result
 *
 * Reconstructs; returns when the result is written. The same as gst_tomo_reconstruction_start() and
 * gst_tomo_reconstruction_wait().
 *
 * Returns: whether it has come to its end
 */
gboolean gst_tomo_reconstruction_run(GstTomoReconstruction *reconstruction, GError **error) {
    return gst_tomo_reconstruction_start(reconstruction, error) &&
           gst_tomo_reconstruction_wait(reconstruction, error);
}

/**
 * gst_tomo_reconstruction_start:
 * @reconstruction: a reconstruction
 * @error: why it can't be started
 *
 * Starts a run with the parameters that are set now, and returns. The object stays alive until the run has
 * ended, and if somebody listens to its signal, until the main context has given out the events.
 *
 * Returns: whether it was started
 */
gboolean gst_tomo_reconstruction_start(GstTomoReconstruction *reconstruction, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), FALSE);
    return to_gerror(error, [&] {
        auto *state = reconstruction->state;
        state->must_not_run();
        state->outlet.set_context(g_main_context_ref_thread_default());
        g_object_ref(reconstruction); // until the run has ended
        try {
            state->thread.start(state->settings);
        } catch (...) {
            g_object_unref(reconstruction);
            throw;
        }
        return TRUE;
    });
}

/**
 * gst_tomo_reconstruction_wait:
 * @reconstruction: a reconstruction that was started
 * @error: why there is no result
 *
 * Waits for the end of a run, and gives out its events meanwhile.
 *
 * Returns: whether it has come to its end
 */
gboolean gst_tomo_reconstruction_wait(GstTomoReconstruction *reconstruction, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), FALSE);
    return to_gerror(error, [&] {
        must_not_be_forked();
        auto *state = reconstruction->state;
        do {
            state->outlet.wait_for_others();
            state->outlet.give_out(G_OBJECT(reconstruction));
        } while (state->thread.wait() || state->thread.is_running());
        state->outlet.wait_for_others();
        state->thread.join_after_end();
        state->outlet.cancel_visit();
        if (const auto e = state->thread.error())
            throw *e;
        return TRUE;
    });
}

/**
 * gst_tomo_reconstruction_poll:
 * @reconstruction: a reconstruction that was started
 * @milliseconds: how long to wait at most
 *
 * Waits a while for something to happen and gives out events; for applications without a main loop that have
 * other things to do.
 *
 * Returns: whether the run goes on
 */
gboolean gst_tomo_reconstruction_poll(GstTomoReconstruction *reconstruction, guint milliseconds) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), FALSE);
    return to_critical(G_STRFUNC, [&]() -> gboolean {
        auto *state = reconstruction->state;
        if (is_forked()) // nobody ends a run that another process has started
            return FALSE;
        if (state->thread.wait(std::chrono::milliseconds(milliseconds)))
            state->outlet.give_out(G_OBJECT(reconstruction));
        if (state->thread.is_running() || state->thread.wait(std::chrono::milliseconds(0)))
            return TRUE;
        state->thread.join_after_end();
        state->outlet.cancel_visit();
        return FALSE;
    });
}

/**
 * gst_tomo_reconstruction_is_running:
 * @reconstruction: a reconstruction
 *
 * Returns: whether a run was started that has not ended
 */
gboolean gst_tomo_reconstruction_is_running(GstTomoReconstruction *reconstruction) {
    g_return_val_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction), FALSE);
    return to_critical(G_STRFUNC, [&] { return !is_forked() && reconstruction->state->thread.is_running(); });
}

/**
 * gst_tomo_reconstruction_finish:
 * @reconstruction: a reconstruction
 *
 * Ends a run early: what was read is completed, and the result says that it is a part. With the parameter
 * `resume` another run goes on from there.
 */
void gst_tomo_reconstruction_finish(GstTomoReconstruction *reconstruction) {
    g_return_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction));
    to_critical(G_STRFUNC, [&] { reconstruction->state->thread.finish(); });
}

/**
 * gst_tomo_reconstruction_abort:
 * @reconstruction: a reconstruction
 *
 * Ends a run, or what another thread asks, as soon as possible, from any thread; it ends in an error of code
 * %GST_TOMO_GRAPH_ERROR_ABORTED.
 */
void gst_tomo_reconstruction_abort(GstTomoReconstruction *reconstruction) {
    g_return_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction));
    to_critical(G_STRFUNC, [&] { reconstruction->state->thread.abort(); });
}

/**
 * gst_tomo_reconstruction_pause:
 * @reconstruction: a reconstruction
 *
 * Holds the streams that make the result until gst_tomo_reconstruction_unpause(); an event `state` tells when
 * they stand. The scan is still inspected, its axis and its displacements are still found, and previews of the
 * middle slice are made. Finishing and aborting end the pause.
 */
void gst_tomo_reconstruction_pause(GstTomoReconstruction *reconstruction) {
    g_return_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction));
    to_critical(G_STRFUNC, [&] { reconstruction->state->thread.pause(true); });
}

/**
 * gst_tomo_reconstruction_unpause:
 * @reconstruction: a reconstruction
 *
 * Lets the streams of a run go on. (The parameter `resume` is another thing: it goes on with the result of an
 * earlier run.)
 */
void gst_tomo_reconstruction_unpause(GstTomoReconstruction *reconstruction) {
    g_return_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction));
    to_critical(G_STRFUNC, [&] { reconstruction->state->thread.pause(false); });
}

/**
 * gst_tomo_reconstruction_request_preview:
 * @reconstruction: a reconstruction that runs
 * @path: (nullable) (type filename): name of the file; %NULL: that of the result with .preview.npy
 *
 * Asks for an image of the result as a file, which an event `preview` tells. Of slices the first one is the
 * middle one, which is made ahead of the others; then it is the next one that is made.
 */
void gst_tomo_reconstruction_request_preview(GstTomoReconstruction *reconstruction, const gchar *path) {
    g_return_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction));
    to_critical(G_STRFUNC, [&] { reconstruction->state->thread.ask_preview(path ? path : ""); });
}

/**
 * gst_tomo_reconstruction_command:
 * @reconstruction: a reconstruction that runs
 * @command: an object in JSON, such as {"command": "pause"}
 *
 * Obeys a command of the protocol of docs/progress.md: pause, resume, preview, finish or abort. An event
 * `message` of the level error tells that it is none, and the run goes on.
 */
void gst_tomo_reconstruction_command(GstTomoReconstruction *reconstruction, const gchar *command) {
    g_return_if_fail(GST_IS_TOMO_RECONSTRUCTION(reconstruction) && command);
    to_critical(G_STRFUNC, [&] { reconstruction->state->thread.obey(command); });
}
