// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/source.hpp>

#include <cerrno>

#include <poll.h>
#include <unistd.h>

using namespace tomo;

namespace {

class Stdin final : public Source {
  public:
    static constexpr Info info{
        .task = "stdin",
        .klass = "Source/File",
        .blurb = "Images of raw samples from standard input, until that ends",
        .in = formats::real,
        .out = formats::real,
        .details =
            "Images of `width` x `height` samples in the byte order of the host follow each other without anything between "
            "them, as `tomowrite` without `filename` gives them and as `numpy.ndarray.tofile()` does. With `convert`, "
            "integers become float32 on the device. An input that ends within an image is an error, one that ends at "
            "once is a stream without images. Nobody can seek, or read the input twice; a terminal is refused.",
    };

    Property<unsigned> width{this, "width", 0, {0, G_MAXINT}, When::ready, "Columns"};
    Property<unsigned> height{this, "height", 0, {0, G_MAXINT}, When::ready, "Rows"};
    Property<unsigned> bitdepth{this,           "bitdepth",  32,
                                {8, 32}, When::ready, "8 or 16 for unsigned integers, 32 for float32"};
    Property<bool> convert{this, "convert", true, When::ready, "Give integers as float32"};

    bool may_be_empty() const override { return true; }

    void start() override {
        if (!width || !height)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("width=%u height=%u: raw images do not tell their size; set both", width.value(),
                             height.value()));
        if (bitdepth != 8 && bitdepth != 16 && bitdepth != 32)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("bitdepth=%u is none of 8, 16 and 32", bitdepth.value()));
        if (isatty(STDIN_FILENO))
            throw Error(GST_RESOURCE_ERROR_OPEN_READ,
                        "standard input is a terminal; wanted raw images from a pipe or a file");
        image_.resize(ArrayInfo(format(), width, height).size());
    }

    // A later run goes on with what is left.
    void stop() override {
        image_ = {};
        filled_ = next_ = 0;
    }

    std::optional<ArrayInfo> frame_info(std::uint64_t n) override {
        if (n != next_)
            throw Error(GST_RESOURCE_ERROR_SEEK,
                        text("image %" G_GUINT64_FORMAT " of standard input is wanted, but %" G_GUINT64_FORMAT
                             " is the next one: nobody can seek there",
                             n, next_));
        if (!fill_image())
            return {};
        return ArrayInfo(convert ? GST_TOMO_FORMAT_FLOAT32 : format(), width, height);
    }

    Array frame(std::uint64_t, const ArrayInfo &info) override {
        const auto stored = info.with_format(format());
        Array raw = allocate(stored);
        std::memcpy(Host<char>(raw).data(), image_.data(), image_.size());
        filled_ = 0;
        next_++;
        if (stored.format == info.format)
            return raw;
        Array out = allocate(info);
        input_format("in", stored.format);
        launch(kernel("to_float", "", "read.cl"), WorkSize(info.samples()), std::as_const(raw), out);
        return out;
    }

  private:
    GstTomoFormat format() const {
        return bitdepth == 8    ? GST_TOMO_FORMAT_UINT8
               : bitdepth == 16 ? GST_TOMO_FORMAT_UINT16
                                : GST_TOMO_FORMAT_FLOAT32;
    }

    // False at the end. A flush may interrupt it; the image is filled up later.
    bool fill_image() {
        while (filled_ < image_.size()) {
            wait_for_bytes();
            const auto count = read(STDIN_FILENO, image_.data() + filled_, image_.size() - filled_);
            if (count < 0 && (errno == EINTR || errno == EAGAIN))
                continue;
            if (count < 0)
                throw Error(GST_RESOURCE_ERROR_READ,
                            text("can't read standard input: %s", g_strerror(errno)));
            if (count == 0 && filled_ > 0)
                throw Error(GST_RESOURCE_ERROR_READ,
                            text("standard input ended after %zu of the %zu bytes of image %" G_GUINT64_FORMAT
                                 ": check width=%u, height=%u and bitdepth=%u",
                                 filled_, image_.size(), next_, width.value(), height.value(),
                                 bitdepth.value()));
            if (count == 0)
                return false;
            filled_ += static_cast<std::size_t>(count);
        }
        return true;
    }

    void wait_for_bytes() const {
        constexpr int milliseconds = 50; // until a stop is noticed
        for (;;) {
            if (is_cancelled())
                throw Flushing();
            pollfd input{STDIN_FILENO, POLLIN, 0};
            if (poll(&input, 1, milliseconds) != 0)
                return;
        }
    }

    std::vector<char> image_;
    std::size_t filled_ = 0; // bytes of the image
    std::uint64_t next_ = 0; // image
};

} // namespace

TOMO_ELEMENT(Stdin)
