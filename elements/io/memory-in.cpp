// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/profile.hpp>
#include <gst/tomo/bases/source.hpp>

using tomo::When;

namespace {

enum class Location { host, buffer };

class MemoryIn final : public tomo::Source {
  public:
    static constexpr tomo::Info info{
        "memory-in",
        "Source",
        "Gives images out of the application's memory, one after the other",
        tomo::formats::all,
        tomo::formats::float32 | tomo::formats::complex64,
        "This element is for applications: `pointer` is the address of their data, as a number. The element "
        "reads the memory until the end of the stream, and the memory must live until then. Python's "
        "`gsttomo` and `appsrc` are easier to use.",
        ""};

    tomo::Property<std::uint64_t> pointer{this, "pointer",
                                          "Address in the host's memory, or a cl_mem of the element's "
                                          "context; it must stay valid until the element stops",
                                          0, When::ready};
    tomo::Property<unsigned> width{
        this, "width", "Floats (or integers) per row; a complex sample has two", 1, {1, 131072}, When::ready};
    tomo::Property<unsigned> height{this, "height", "Rows", 1, {1, 131072}, When::ready};
    tomo::Property<unsigned> bitdepth{
        this, "bitdepth", "8 or 16 for unsigned integers, which become float32; 32 for float32",
        32,   {8, 32},    When::ready};
    tomo::Property<unsigned> number{this, "number", "Images in the memory", 1, {1, 131072}, When::ready};
    tomo::Property<bool> complex_layout{this, "complex-layout",
                                        "Samples are complex, real and imaginary part interleaved", false,
                                        When::ready};
    tomo::Choice<Location> memory_location{this,
                                           "memory-location",
                                           "Meaning of pointer",
                                           Location::host,
                                           {{Location::host, "host", "Address in the host's memory"},
                                            {Location::buffer, "buffer", "OpenCL buffer"}},
                                           When::ready};

    void start() override {
        if (!pointer)
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS, "pointer is not set");
        if (bitdepth != 8 && bitdepth != 16 && bitdepth != 32)
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS,
                              tomo::text("bitdepth=%u is none of 8, 16 and 32", bitdepth.value()));
        if (complex_layout && (bitdepth != 32 || width % 2))
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS,
                              "complex-layout needs bitdepth=32 and an even width");
    }

    std::optional<std::uint64_t> frame_count() override { return number.value(); }

    std::optional<tomo::ArrayInfo> frame_info(std::uint64_t n) override {
        if (n >= number)
            return {};
        return complex_layout ? tomo::ArrayInfo(GST_TOMO_FORMAT_COMPLEX64, width / 2, height)
                              : tomo::ArrayInfo(GST_TOMO_FORMAT_FLOAT32, width, height);
    }

    tomo::Array frame(std::uint64_t n, const tomo::ArrayInfo &info) override {
        const auto stored = info.is_complex() ? info : info.with_format(format());
        tomo::Array raw = allocate(stored);
        if (memory_location == Location::buffer)
            copy_from_device(raw, n * stored.size());
        else
            std::memcpy(tomo::Host<char>(raw).data(),
                        reinterpret_cast<const char *>(static_cast<guintptr>(pointer)) + n * stored.size(),
                        stored.size());
        if (stored.format == info.format)
            return raw;
        tomo::Array out = allocate(info);
        input_format("in", stored.format);
        const tomo::Array &in = raw;
        launch(kernel("to_float", "", "read.cl"), tomo::WorkSize(info.samples()), in, out);
        return out;
    }

  private:
    GstTomoFormat format() const {
        return bitdepth == 8    ? GST_TOMO_FORMAT_UINT8
               : bitdepth == 16 ? GST_TOMO_FORMAT_UINT16
                                : GST_TOMO_FORMAT_FLOAT32;
    }

    void copy_from_device(tomo::Array &to, std::size_t offset) {
        const auto q = queue();
        const auto waits = to.storage()->write(q);
        cl_event event = nullptr;
        tomo::cl_check(clEnqueueCopyBuffer(q, reinterpret_cast<cl_mem>(static_cast<guintptr>(pointer)),
                                           to.storage()->buffer(), offset, 0, to.info().size(), waits.size(),
                                           waits.data(), &event),
                       "copying from the buffer that pointer names");
        const tomo::ClEvent done(event);
        tomo::record(tomo::Command::Kind::copy, "copy", to.info().size(), q, done, gst());
        to.storage()->write_done(q, done);
    }
};

} // namespace

TOMO_ELEMENT(MemoryIn)
