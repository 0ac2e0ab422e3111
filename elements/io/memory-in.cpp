// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/source.hpp>
#include <gst/tomo/device/profile.hpp>

using namespace tomo;

namespace {

enum class Location { host, buffer };

class MemoryIn final : public Source {
  public:
    static constexpr Info info{
        .task = "memory-in",
        .klass = "Source",
        .blurb = "Gives images out of the application's memory, one after the other",
        .in = formats::all,
        .out = formats::float32 | formats::complex64,
        .details =
            "This element is for applications: `pointer` is the address of their data, as a number. The "
            "element reads the memory until the end of the stream, and the memory must live until then. "
            "Python's `gsttomo` and `appsrc` are easier to use.",
    };

    Property<std::uint64_t> pointer{
        this, "pointer", 0, When::ready,
        "Address in the host's memory, or a cl_mem of the element's context; it must stay valid until "
        "the element stops"};
    Property<unsigned> width{
        this, "width", 1, {1, 131072}, When::ready, "Floats (or integers) per row; a complex sample has two"};
    Property<unsigned> height{this, "height", 1, {1, 131072}, When::ready, "Rows"};
    Property<unsigned> bitdepth{
        this,    "bitdepth",  32,
        {8, 32}, When::ready, "8 or 16 for unsigned integers, which become float32; 32 for float32"};
    Property<unsigned> number{this, "number", 1, {1, 131072}, When::ready, "Images in the memory"};
    Property<bool> complex_layout{this, "complex-layout", false, When::ready,
                                  "Samples are complex, real and imaginary part interleaved"};
    Choice<Location> memory_location{this,
                                     "memory-location",
                                     Location::host,
                                     {{Location::host, "host", "Address in the host's memory"},
                                      {Location::buffer, "buffer", "OpenCL buffer"}},
                                     When::ready,
                                     "Meaning of pointer"};

    void start() override {
        if (!pointer)
            throw Error(GST_LIBRARY_ERROR_SETTINGS, "pointer is not set");
        if (bitdepth != 8 && bitdepth != 16 && bitdepth != 32)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("bitdepth=%u is none of 8, 16 and 32", bitdepth.value()));
        if (complex_layout && (bitdepth != 32 || width % 2))
            throw Error(GST_LIBRARY_ERROR_SETTINGS, "complex-layout needs bitdepth=32 and an even width");
    }

    std::optional<std::uint64_t> frame_count() override { return number.value(); }

    std::optional<ArrayInfo> frame_info(std::uint64_t n) override {
        if (n >= number)
            return {};
        return complex_layout ? ArrayInfo(GST_TOMO_FORMAT_COMPLEX64, width / 2, height)
                              : ArrayInfo(GST_TOMO_FORMAT_FLOAT32, width, height);
    }

    Array frame(std::uint64_t n, const ArrayInfo &info) override {
        const auto stored = info.is_complex() ? info : info.with_format(format());
        Array raw = allocate(stored);
        if (memory_location == Location::buffer)
            copy_from_device(raw, n * stored.size());
        else
            std::memcpy(Host<char>(raw).data(),
                        reinterpret_cast<const char *>(static_cast<guintptr>(pointer)) + n * stored.size(),
                        stored.size());
        if (stored.format == info.format)
            return raw;
        Array out = allocate(info);
        input_format("in", stored.format);
        const Array &in = raw;
        launch(kernel("to_float", "", "read.cl"), WorkSize(info.samples()), in, out);
        return out;
    }

  private:
    GstTomoFormat format() const {
        return bitdepth == 8    ? GST_TOMO_FORMAT_UINT8
               : bitdepth == 16 ? GST_TOMO_FORMAT_UINT16
                                : GST_TOMO_FORMAT_FLOAT32;
    }

    void copy_from_device(Array &to, std::size_t offset) {
        const auto q = queue();
        const auto waits = to.storage()->write(q);
        cl_event event = nullptr;
        cl_check(clEnqueueCopyBuffer(q, reinterpret_cast<cl_mem>(static_cast<guintptr>(pointer)),
                                     to.storage()->buffer(), offset, 0, to.info().size(), waits.size(),
                                     waits.data(), &event),
                 "copying from the buffer that pointer names");
        const ClEvent done(event);
        record(Command::Kind::copy, "copy", to.info().size(), q, done, gst());
        to.storage()->write_done(q, done);
    }
};

} // namespace

TOMO_ELEMENT(MemoryIn)
