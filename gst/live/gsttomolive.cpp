// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.hpp"
#include "planes.hpp"
#include "session.hpp"

#include <gst/tomo/graph/c-interface.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/graph/signal-outlet.hpp>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/gsttomolive.h>

/**
 * SECTION:gsttomolive
 * @title: GstTomoLive
 * @short_description: slices of a sample while it turns
 *
 * Frames of a camera become slices along any planes, made of the newest projections. A live object has
 * parameters, each of which is a property; gst_tomo_live_get_schema() tells all that there is to know about
 * them. Most of them may change while it runs: planes, axis, roll, angles, darks and flats (which are read
 * anew), rates and the grey range. Darks and flats can be taken from the camera itself.
 *
 * Errors have the domain %GST_TOMO_GRAPH_ERROR where a parameter is wrong or a call is not possible now, and
 * that of the element where something fails.
 */

using namespace tomo;
using namespace tomo::live;

namespace {

enum { slice_signal, volume_signal, event_signal, signals };
guint live_signal[signals];

struct State {
    explicit State(GstTomoLive *object)
        : outlet([this](GObject *self) { return emit_next(self); },
                 [](GObject *self) -> bool {
                     for (const auto id : live_signal)
                         if (g_signal_has_handler_pending(self, id, 0, FALSE))
                             return true;
                     return false;
                 }),
          session([object, this] { outlet.announce(G_OBJECT(object)); },
                  [object, this] { outlet.let_go(GObjectPtr(G_OBJECT(object))); }) {}

    bool emit_next(GObject *self) {
        const auto event = session.take();
        if (!event)
            return false;
        switch (event->kind) {
        case LiveEvent::Kind::json:
        case LiveEvent::Kind::progress:
            g_signal_emit(self, live_signal[event_signal], 0, event->text.c_str());
            break;
        case LiveEvent::Kind::slice:
            g_signal_emit(self, live_signal[slice_signal], 0, event->index, event->sample.get());
            break;
        case LiveEvent::Kind::volume:
            g_signal_emit(self, live_signal[volume_signal], 0, event->sample.get());
            break;
        }
        return true;
    }

    std::mutex lock; // for settings
    LiveSettings settings;
    SignalOutlet outlet;
    Session session; // last: its thread uses the others until it ends
};

// Whose specifications are those of the class.
const LiveSettings &prototype() {
    static const auto *settings = std::make_unique<LiveSettings>().release();
    return *settings;
}

gchar *copy(const std::string &text) { return g_strdup(text.c_str()); }

} // namespace

/**
 * GstTomoLive:
 *
 * Slices of a sample while it turns.
 *
 * Signals come in the main context that was the thread's default when it was started, or in
 * gst_tomo_live_wait() and gst_tomo_live_poll(); never in a thread of their own. Where a main loop is slow,
 * it gets the newest slice of each plane, and none of those between.
 */
struct _GstTomoLive {
    GObject parent;
    State *state;
};

G_DEFINE_TYPE(GstTomoLive, gst_tomo_live, G_TYPE_OBJECT)

static void gst_tomo_live_init(GstTomoLive *self) {
    self->state = or_end_process(G_STRFUNC, [&] { return new State(self); });
}

static void gst_tomo_live_finalize(GObject *object) {
    delete GST_TOMO_LIVE(object)->state;
    G_OBJECT_CLASS(gst_tomo_live_parent_class)->finalize(object);
}

// All of a change or nothing; whoever follows the properties is told, and a stream that runs obeys.
template <class Change>
static gboolean change(GstTomoLive *self, Change change) {
    auto &state = *self->state;
    std::vector<GParamSpec *> specs;
    {
        const std::lock_guard<std::mutex> lock(state.lock);
        auto &settings = state.settings;
        LiveSettings changed, before;
        changed.assign(settings);
        before.assign(settings);
        change(changed);
        check(changed);
        std::vector<std::string> names;
        for (std::size_t i = 0; i < settings.all().size(); i++)
            if (settings.all()[i]->text() != changed.all()[i]->text()) {
                specs.push_back(prototype().all()[i]->spec());
                names.emplace_back(settings.all()[i]->name());
            }
        for (const auto &name : names)
            state.session.change(changed, name);
        settings.assign(changed);
    }
    for (auto *spec : specs)
        g_object_notify_by_pspec(G_OBJECT(self), spec);
    return TRUE;
}

static void gst_tomo_live_get_property(GObject *object, guint id, GValue *value, GParamSpec *) {
    to_critical(G_STRFUNC, [&] {
        auto &state = *GST_TOMO_LIVE(object)->state;
        const auto &all = state.settings.all();
        if (id == all.size() + 1) {
            g_value_take_string(value, copy(state.session.statistics().written(false)));
            return;
        }
        const std::lock_guard<std::mutex> lock(state.lock);
        g_value_copy(all.at(id - 1)->get(), value);
    });
}

static void gst_tomo_live_set_property(GObject *object, guint id, const GValue *value, GParamSpec *) {
    GError *raw = nullptr;
    to_gerror(&raw, [&] {
        return change(GST_TOMO_LIVE(object),
                      [&](LiveSettings &settings) { settings.all().at(id - 1)->set(value); });
    });
    if (!raw)
        return;
    g_warning("%s", raw->message);
    g_error_free(raw);
}

static void gst_tomo_live_class_init(GstTomoLiveClass *klass) {
    need_gstreamer();
    auto *object_class = G_OBJECT_CLASS(klass);
    object_class->finalize = gst_tomo_live_finalize;
    object_class->get_property = gst_tomo_live_get_property;
    object_class->set_property = gst_tomo_live_set_property;
    guint id = 0;
    for (const auto *parameter : prototype().all())
        g_object_class_install_property(object_class, ++id, parameter->spec());
    /**
     * GstTomoLive:statistics:
     *
     * The last `progress` event, an object in JSON; null before the first one.
     */
    g_object_class_install_property(
        object_class, ++id,
        g_param_spec_string("statistics", "statistics", "The last `progress` event, an object in JSON",
                            nullptr, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

    /**
     * GstTomoLive::slice:
     * @live: the live object
     * @index: number of the plane, from 0
     * @sample: a slice of float32, attenuation per pixel, with caps application/x-tomo-array
     *
     * A new slice. The sample's info has `plane` (the index), `number` and `angle` (radians) of the newest
     * projection in it, its `time` (nanoseconds), the `latency` (seconds from the arrival of that projection
     * to the slice in memory) and the `count` of slices of this plane so far.
     */
    live_signal[slice_signal] = g_signal_new("slice", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr,
                                             nullptr, nullptr, G_TYPE_NONE, 2, G_TYPE_UINT, GST_TYPE_SAMPLE);
    /**
     * GstTomoLive::volume:
     * @live: the live object
     * @sample: a coarse volume of float32, its slices along depth
     *
     * A volume that was asked for, or is due by the parameter `volume-rate`. Its info is that of a slice.
     */
    live_signal[volume_signal] = g_signal_new("volume", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0,
                                              nullptr, nullptr, nullptr, G_TYPE_NONE, 1, GST_TYPE_SAMPLE);
    /**
     * GstTomoLive::event:
     * @live: the live object
     * @event: a JSON object
     *
     * What happens: an object with `event` and `time` (seconds since 1970), and with what the kind of event
     * brings:
     *
     * - `hello`: `version` of this vocabulary (1), `program`, `pid`
     * - `state`: `state`: waiting (for the first frame, or for a camera that has stopped), running, paused
     * - `message`: `level` (info, warning, error), `text`, and perhaps the name of the `element`
     * - `progress`, twice a second: `done` (frames that came), their `rate` in a second, those `lost`,
     *   `repeated`, `late`, and `dropped` (left out of the slices because the device is too slow), the number
     *   of `slices` and their `slice-rate`, the `latency` of the last one in seconds, the frames `stored` and
     *   the `stored-seconds` that they cover, and the frames `kept` in the file under way; while darks or
     *   flats are being taken, which ones (`taking`), how many were `taken`, and those `to-take`
     * - `taking`: darks or flats (`kind`) are being taken: `state` (begun, cancelled), the frames `taken` of
     *   so many `frames`
     * - `fields`: darks or flats (`kind`) are in force, the mean of so many `frames`
     * - `keep`: `state` (begun, done, failed), `path`, `frames`, and the `text` of a failure
     * - `volume`: a coarse volume was made: its `width`, `height` and `depth`, `number` and `angle` (radians)
     *   of its newest projection; where it was written, the `path`, with `state` (done, failed) and `text`
     * - `done`: `status` (done, failed) and the `outputs`, files that were written
     */
    live_signal[event_signal] = g_signal_new("event", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr,
                                             nullptr, nullptr, G_TYPE_NONE, 1, G_TYPE_STRING);
}

/**
 * gst_tomo_live_new:
 * @source: (nullable): where frames come from: elements of GStreamer that end with an output of images, or a
 * scan that is played
 *
 * Returns: (transfer full): a live object with that source, all other parameters as they are by default
 */
GstTomoLive *gst_tomo_live_new(const gchar *source) {
    auto *self = GST_TOMO_LIVE(g_object_new(GST_TYPE_TOMO_LIVE, nullptr));
    if (source)
        g_object_set(self, "source", source, nullptr);
    return self;
}

/**
 * gst_tomo_live_get_schema:
 *
 * Describes the parameters for programs, as gst_tomo_reconstruction_get_schema() does.
 *
 * Returns: (transfer full): a JSON schema (2020-12) of what gst_tomo_live_set_parameters() takes
 */
gchar *gst_tomo_live_get_schema(void) {
    need_gstreamer();
    return to_critical(G_STRFUNC, [&] { return copy(prototype().schema().written(true)); });
}

/**
 * gst_tomo_live_set_parameter:
 * @live: a live object
 * @name: name of a parameter
 * @value: its value, as on a command line
 * @error: why it can't be set now
 *
 * Returns: whether it is set, and in force where it runs
 */
gboolean gst_tomo_live_set_parameter(GstTomoLive *live, const gchar *name, const gchar *value,
                                     GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live) && name && value, FALSE);
    return to_gerror(error, [&] {
        return change(live, [&](LiveSettings &settings) { settings.require(name).set_text(value); });
    });
}

/**
 * gst_tomo_live_set_parameters:
 * @live: a live object
 * @json: an object, such as {"axis": 234.5, "planes": "z=0"}
 * @error: which parameter does not take its value, or not now
 *
 * Returns: whether all are set; if not, all are as they were
 */
gboolean gst_tomo_live_set_parameters(GstTomoLive *live, const gchar *json, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live) && json, FALSE);
    return to_gerror(error, [&] {
        return change(live,
                      [&](LiveSettings &settings) { settings.set_json(Json::parse(json, "parameters")); });
    });
}

/**
 * gst_tomo_live_get_parameters:
 * @live: a live object
 *
 * Returns: (transfer full): an object in JSON with the parameters that differ from their defaults
 */
gchar *gst_tomo_live_get_parameters(GstTomoLive *live) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), nullptr);
    return to_critical(G_STRFUNC, [&] {
        const std::lock_guard<std::mutex> lock(live->state->lock);
        return copy(live->state->settings.json().written(true));
    });
}

/**
 * gst_tomo_live_start:
 * @live: a live object
 * @error: why it can't be started
 *
 * Starts the camera, and returns. What fails later is told by events. The object stays alive until it is
 * stopped or its source has ended.
 *
 * Returns: whether it was started
 */
gboolean gst_tomo_live_start(GstTomoLive *live, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return to_gerror(error, [&] {
        auto *state = live->state;
        if (state->session.is_running())
            graph_error(GST_TOMO_GRAPH_ERROR_BUSY, "it runs already: stop it first");
        state->outlet.set_context(g_main_context_ref_thread_default());
        const std::lock_guard<std::mutex> lock(state->lock);
        check(state->settings);
        g_object_ref(live); // until the run has ended
        try {
            state->session.start(state->settings);
        } catch (...) {
            g_object_unref(live);
            throw;
        }
        return TRUE;
    });
}

/**
 * gst_tomo_live_stop:
 * @live: a live object
 *
 * Stops the camera; a file that is being kept is completed. It returns at once: gst_tomo_live_wait() waits,
 * and the event `done` is the last one.
 */
void gst_tomo_live_stop(GstTomoLive *live) {
    g_return_if_fail(GST_IS_TOMO_LIVE(live));
    to_critical(G_STRFUNC, [&] { live->state->session.stop(); });
}

/**
 * gst_tomo_live_wait:
 * @live: a live object that was started
 * @error: why it failed
 *
 * Waits for the end: of gst_tomo_live_stop(), or of the source. Gives out events and slices meanwhile.
 *
 * Returns: whether it ended well
 */
gboolean gst_tomo_live_wait(GstTomoLive *live, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return to_gerror(error, [&] {
        must_not_be_forked();
        auto *state = live->state;
        do {
            state->outlet.wait_for_others();
            state->outlet.give_out(G_OBJECT(live));
        } while (state->session.wait() || state->session.is_running());
        state->outlet.wait_for_others();
        state->session.join_after_end();
        state->outlet.cancel_visit();
        if (const auto e = state->session.error())
            throw *e;
        return TRUE;
    });
}

/**
 * gst_tomo_live_poll:
 * @live: a live object that was started
 * @milliseconds: how long to wait at most
 *
 * Waits a while for something to happen and gives out events and slices; for applications without a main
 * loop.
 *
 * Returns: whether it goes on
 */
gboolean gst_tomo_live_poll(GstTomoLive *live, guint milliseconds) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return to_critical(G_STRFUNC, [&]() -> gboolean {
        auto *state = live->state;
        if (is_forked())
            return FALSE;
        if (state->session.wait(std::chrono::milliseconds(milliseconds)))
            state->outlet.give_out(G_OBJECT(live));
        if (state->session.is_running() || state->session.wait(std::chrono::milliseconds(0)))
            return TRUE;
        state->session.join_after_end();
        state->outlet.cancel_visit();
        return FALSE;
    });
}

/**
 * gst_tomo_live_is_running:
 * @live: a live object
 *
 * Returns: whether it was started and has not ended
 */
gboolean gst_tomo_live_is_running(GstTomoLive *live) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return to_critical(G_STRFUNC, [&] { return !is_forked() && live->state->session.is_running(); });
}

// A call for a stream that runs.
template <class Call>
static gboolean ask(GstTomoLive *live, GError **error, Call call) {
    return to_gerror(error, [&] {
        call(live->state->session);
        return TRUE;
    });
}

/**
 * gst_tomo_live_pause:
 * @live: a live object that runs
 * @error: why it can't be
 *
 * No more slices, until gst_tomo_live_unpause(). Frames are taken and counted all the same, and those that
 * are kept are written.
 *
 * Returns: whether it was possible
 */
gboolean gst_tomo_live_pause(GstTomoLive *live, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return ask(live, error, [](Session &session) { session.pause(true); });
}

/**
 * gst_tomo_live_unpause:
 * @live: a live object that runs
 * @error: why it can't be
 *
 * Returns: whether it was possible
 */
gboolean gst_tomo_live_unpause(GstTomoLive *live, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return ask(live, error, [](Session &session) { session.pause(false); });
}

/**
 * gst_tomo_live_get_planes:
 * @live: a live object
 *
 * Returns: (transfer full) (array zero-terminated=1): the planes, in the order of their numbers
 */
gchar **gst_tomo_live_get_planes(GstTomoLive *live) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), nullptr);
    return to_critical(G_STRFUNC, [&] {
        const std::lock_guard<std::mutex> lock(live->state->lock);
        return string_array(split_planes(live->state->settings.planes));
    });
}

/**
 * gst_tomo_live_set_plane:
 * @live: a live object
 * @index: number of the plane, from 0
 * @plane: such as "z=3.5", "x=0,size=256" or "at=0:0:10,right=1:0:0,down=0:0.7:0.7,width=300,height=200"
 * @error: why it is none
 *
 * Shows another plane, from the next slice on.
 *
 * Returns: whether it is a plane
 */
gboolean gst_tomo_live_set_plane(GstTomoLive *live, guint index, const gchar *plane, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live) && plane, FALSE);
    return to_gerror(error, [&] {
        return change(live, [&](LiveSettings &settings) { set_plane(settings, index, plane); });
    });
}

/**
 * gst_tomo_live_add_plane:
 * @live: a live object
 * @plane: a plane
 * @error: why it is none
 *
 * Adds a plane behind the others.
 *
 * Returns: whether it is a plane
 */
gboolean gst_tomo_live_add_plane(GstTomoLive *live, const gchar *plane, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live) && plane, FALSE);
    return to_gerror(
        error, [&] { return change(live, [&](LiveSettings &settings) { add_plane(settings, plane); }); });
}

/**
 * gst_tomo_live_remove_plane:
 * @live: a live object
 * @index: number of the plane, from 0
 * @error: why it can't be removed
 *
 * Those behind it get the next lower numbers. One plane stays.
 *
 * Returns: whether it was removed
 */
gboolean gst_tomo_live_remove_plane(GstTomoLive *live, guint index, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return to_gerror(
        error, [&] { return change(live, [&](LiveSettings &settings) { remove_plane(settings, index); }); });
}

/**
 * gst_tomo_live_take_darks:
 * @live: a live object that runs
 * @count: number of frames
 * @error: why it can't be
 *
 * Takes the next frames as darks, with the beam closed: their mean takes the place of that in force. An event
 * `fields` tells when it does.
 *
 * Returns: whether it has begun
 */
gboolean gst_tomo_live_take_darks(GstTomoLive *live, guint count, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return ask(live, error, [&](Session &session) { session.take_fields("darks", count); });
}

/**
 * gst_tomo_live_take_flats:
 * @live: a live object that runs
 * @count: number of frames
 * @error: why it can't be
 *
 * Takes the next frames as flats, with the sample out of the beam, as gst_tomo_live_take_darks() does.
 *
 * Returns: whether it has begun
 */
gboolean gst_tomo_live_take_flats(GstTomoLive *live, guint count, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return ask(live, error, [&](Session &session) { session.take_fields("flats", count); });
}

/**
 * gst_tomo_live_cancel_fields:
 * @live: a live object that runs
 * @error: why it can't be, such as that none are being taken
 *
 * Takes no more darks or flats, and forgets those that were taken for a mean that is not in force yet. An
 * event `taking` tells how many these were.
 *
 * Returns: whether some were being taken
 */
gboolean gst_tomo_live_cancel_fields(GstTomoLive *live, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return ask(live, error, [](Session &session) { session.cancel_fields(); });
}

/**
 * gst_tomo_live_keep:
 * @live: a live object that runs
 * @seconds: how much of what came before is kept as well, as far as it is stored
 * @path: (type filename): name of a new HDF5 file
 * @error: why it can't be
 *
 * Writes the frames of the last seconds, and all that follow, until gst_tomo_live_stop_keeping(). The file
 * has the layout of Data Exchange, with darks, flats, angles, numbers and times of the frames, and the axis,
 * and is there when it is whole. Events `keep` tell its begin and its end.
 *
 * Returns: whether it has begun
 */
gboolean gst_tomo_live_keep(GstTomoLive *live, gdouble seconds, const gchar *path, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live) && path, FALSE);
    return ask(live, error, [&](Session &session) { session.keep(seconds, path); });
}

/**
 * gst_tomo_live_stop_keeping:
 * @live: a live object that runs
 * @error: why it can't be
 *
 * Completes the file with the frames that have come so far. Nothing happens where none is written.
 *
 * Returns: whether it was possible
 */
gboolean gst_tomo_live_stop_keeping(GstTomoLive *live, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return ask(live, error, [](Session &session) { session.stop_keeping(); });
}

/**
 * gst_tomo_live_request_volume:
 * @live: a live object that runs
 * @error: why it can't be
 *
 * Asks for a coarse volume of the newest projections, which the signal `volume` brings.
 *
 * Returns: whether it was possible
 */
gboolean gst_tomo_live_request_volume(GstTomoLive *live, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), FALSE);
    return ask(live, error, [](Session &session) { session.request_volume(); });
}

/**
 * gst_tomo_live_write_volume:
 * @live: a live object that runs
 * @path: (type filename): name of a new file, such as volume.h5, volume.tif or volume.ome.zarr
 * @error: why it can't be
 *
 * Asks for a coarse volume, as gst_tomo_live_request_volume() does, and writes it. An event `volume` with
 * this path tells when the file is whole, or why it is not.
 *
 * Returns: whether it was possible
 */
gboolean gst_tomo_live_write_volume(GstTomoLive *live, const gchar *path, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live) && path && *path, FALSE);
    return ask(live, error, [&](Session &session) { session.request_volume(path); });
}

/**
 * gst_tomo_live_command:
 * @live: a live object
 * @command: an object in JSON, such as {"command": "plane", "index": 0, "plane": "z=3"}
 * @error: why it is none, or can't be now
 *
 * Obeys a command of docs/live.md: plane, add-plane, remove-plane, set, darks, flats, cancel-fields, keep,
 * stop-keeping, volume, pause, resume or quit.
 *
 * Returns: whether it was possible
 */
gboolean gst_tomo_live_command(GstTomoLive *live, const gchar *command, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live) && command, FALSE);
    return to_gerror(error, [&]() -> gboolean {
        const LiveCommand given(command);
        if (given.changes())
            return change(live, [&](LiveSettings &settings) { given.change(settings); });
        given.steer(live->state->session);
        return TRUE;
    });
}

/**
 * gst_tomo_live_get_slice:
 * @live: a live object
 * @index: number of the plane, from 0
 *
 * Returns: (transfer full) (nullable): the newest slice of a plane, as the signal `slice` brings it
 */
GstSample *gst_tomo_live_get_slice(GstTomoLive *live, guint index) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), nullptr);
    return live->state->session.slice(index);
}

/**
 * gst_tomo_live_get_volume:
 * @live: a live object
 *
 * Returns: (transfer full) (nullable): the newest coarse volume
 */
GstSample *gst_tomo_live_get_volume(GstTomoLive *live) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), nullptr);
    return live->state->session.volume();
}

/**
 * gst_tomo_live_get_frame:
 * @live: a live object that runs
 *
 * Returns: (transfer full) (nullable): the newest frame as the camera gave it
 */
GstSample *gst_tomo_live_get_frame(GstTomoLive *live) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), nullptr);
    return live->state->session.frame();
}

/**
 * gst_tomo_live_get_element:
 * @live: a live object that runs
 * @name: name of an element of its source or of its process, such as the camera's
 *
 * For properties of a camera, such as the time of exposure.
 *
 * Returns: (transfer full) (nullable): the element
 */
GstElement *gst_tomo_live_get_element(GstTomoLive *live, const gchar *name) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live) && name, nullptr);
    return live->state->session.element(name);
}

/**
 * gst_tomo_live_get_statistics:
 * @live: a live object
 *
 * Returns: (transfer full): the last event `progress`, an object in JSON; null before the first one
 */
gchar *gst_tomo_live_get_statistics(GstTomoLive *live) {
    g_return_val_if_fail(GST_IS_TOMO_LIVE(live), nullptr);
    return to_critical(G_STRFUNC, [&] { return copy(live->state->session.statistics().written(false)); });
}
