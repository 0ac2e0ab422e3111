// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/sink.hpp>

using namespace tomo;

namespace {

class MemoryOut final : public Sink {
  public:
    static constexpr Info info{
        .task = "memory-out",
        .klass = "Sink",
        .blurb = "Copies arrays into the application's memory, one after the other",
        .in = formats::all,
        .out = formats::all,
        .details =
            "This element is for applications: `pointer` is the address of their memory, as a number, and "
            "`max-size` its size in bytes. The element fills the memory while the stream runs; all arrays "
            "are there when the stream has ended. Python's `gsttomo` and `appsink` are easier to use.",
    };

    Property<std::uint64_t> pointer{
        this, "pointer", 0, When::ready,
        "Address in the host's memory; it must stay valid until the element stops"};
    Property<std::uint64_t> max_size{this, "max-size", 0, When::ready,
                                     "Size of that memory in bytes; an array that does not fit is an error"};

    void start() override {
        used_ = 0;
        if (!pointer)
            throw Error(GST_LIBRARY_ERROR_SETTINGS, "pointer is not set");
    }

    void begin(const ArrayInfo &) override {}
    void clear() override { used_ = 0; }

    void consume(GstBuffer *buffer, const ArrayInfo &info) override {
        if (used_ + info.size() > max_size)
            throw Error(GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                        text("max-size=%" G_GUINT64_FORMAT " bytes are full: %" G_GUINT64_FORMAT
                             " are used and an array has %" G_GUINT64_FORMAT,
                             max_size.value(), used_, info.size()));
        copy_packed(buffer, info, reinterpret_cast<char *>(static_cast<guintptr>(pointer)) + used_);
        used_ += info.size();
    }

  private:
    std::uint64_t used_ = 0;
};

} // namespace

TOMO_ELEMENT(MemoryOut)
