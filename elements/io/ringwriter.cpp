// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../measurement/ring-list.hpp"

#include <gst/files/output-file.hpp>

#include <gst/tomo/bases/sink.hpp>

#include <cmath>
#include <optional>

using namespace tomo;

namespace {

class Ringwriter final : public Sink {
  public:
    static constexpr Info info{
        .task = "ringwriter",
        .klass = "Sink",
        .blurb = "Writes lists of rings, one for each image, to a text file",
        .in = formats::float32,
        .details =
            "A list is one row: the number of rings, then x, y, radius, contrast and intensity of each; "
            "further values are not used. The file has for each list the lines `filename` (the frame's "
            "source, or `unknown`), `index` and `ring_count`, and for each ring `ring_coord` with x and "
            "y, rounded to integers, and the radius. It is written under the name NAME.partial until the "
            "stream has ended.",
        .example = "tomodummydata width=6 init=1 ! tomoringwriter filename=rings.txt",
    };

    Property<unsigned> scale{this, "scale", 1, {1, G_MAXUINT}, "Factor on coordinates and radii"};
    Property<std::string> filename{this, "filename", "results", When::ready,
                                   "The file; .txt is added where there is no extension"};

    void start() override {
        auto name = filename.value();
        if (name.empty())
            throw Error(GST_LIBRARY_ERROR_SETTINGS, "filename is empty; wanted the name of a text file");
        if (name.find('.', name.find_last_of('/') + 1) == std::string::npos)
            name += ".txt";
        claim_.emplace(name);
        name_ = name;
    }
    void stop() override { claim_.reset(); }

    void begin(const ArrayInfo &in) override {
        check_ring_list(in);
        if (!file_) {
            file_.emplace(name_, io::OutputFile::Begin::Empty, true);
            written_ = lists_ = 0;
        }
    }

    void consume(GstBuffer *buffer, const ArrayInfo &in) override {
        const auto rings = rings_of(buffer, in, lists_);
        const auto *meta = gst_buffer_get_tomo_frame_meta(buffer);
        auto lines = text("filename %s\nindex %" G_GUINT64_FORMAT "\nring_count %u\n",
                          meta && meta->source ? meta->source : "unknown", meta ? meta->index : lists_,
                          static_cast<unsigned>(rings.size()));
        const double factor = scale;
        for (const auto &ring : rings)
            lines += text("ring_coord %.0f %.0f %s\n", std::round(ring.x * factor) + 0.0,
                          std::round(ring.y * factor) + 0.0, decimal(ring.radius * factor).c_str());
        file_->write_at(written_, lines.data(), lines.size());
        written_ += lines.size();
        lists_++;
    }

    void finish() override {
        if (file_)
            file_->commit(written_);
        file_.reset();
    }
    void clear() override { discard(); }
    // The lists that came are complete, but the stream is not: they stay under the name NAME.partial.
    void abandon() override {
        if (file_)
            file_->keep(written_);
        file_.reset();
    }

  private:
    // With a point, whatever the locale.
    static std::string decimal(double value) {
        char digits[64];
        return g_ascii_formatd(digits, sizeof digits, "%f", value);
    }

    void discard() {
        if (file_)
            file_->discard();
        file_.reset();
    }

    std::string name_;
    std::optional<io::NameClaim> claim_;
    std::optional<io::OutputFile> file_;
    std::uint64_t written_ = 0, lists_ = 0;
};

} // namespace

TOMO_ELEMENT(Ringwriter)
