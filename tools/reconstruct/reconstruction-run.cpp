// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reconstruction-run.hpp"

#include "../interrupts.hpp"
#include "options.hpp"

namespace reconstruct {

namespace {

constexpr guint patience = 100; // ms

} // namespace

bool is_usage(const GError *error) {
    return g_error_matches(error, GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE);
}

ReconstructionRun::ReconstructionRun(Reconstruction reconstruction, tool::EventOutput &output)
    : reconstruction_(std::move(reconstruction)), output_(output) {
    g_signal_connect(reconstruction_.get(), "event",
                     G_CALLBACK(+[](GstTomoReconstruction *, const gchar *event, ReconstructionRun *self) {
                         self->output_.tell(std::string(event));
                     }),
                     this);
    GError *raw = nullptr;
    if (gst_tomo_reconstruction_start(reconstruction_.get(), &raw))
        return;
    g_signal_handlers_disconnect_by_data(reconstruction_.get(), this);
    const tool::Owned<GError> error(raw);
    if (is_usage(error.get()))
        throw Usage(error->message);
    throw std::runtime_error(error->message);
}

ReconstructionRun::~ReconstructionRun() { g_signal_handlers_disconnect_by_data(reconstruction_.get(), this); }

bool ReconstructionRun::poll() { return gst_tomo_reconstruction_poll(reconstruction_.get(), patience); }

void ReconstructionRun::obey(const std::string &command) {
    gst_tomo_reconstruction_command(reconstruction_.get(), command.c_str());
}

void ReconstructionRun::finish() { gst_tomo_reconstruction_finish(reconstruction_.get()); }

void ReconstructionRun::abort() { gst_tomo_reconstruction_abort(reconstruction_.get()); }

int ReconstructionRun::end() {
    GError *raw = nullptr;
    if (gst_tomo_reconstruction_wait(reconstruction_.get(), &raw))
        return tool::status_after(true);
    const tool::Owned<GError> error(raw);
    problem_ = error->message;
    const int status = tool::status_after(false);
    return is_usage(error.get()) && status == tool::failed ? tool::usage : status;
}

} // namespace reconstruct
