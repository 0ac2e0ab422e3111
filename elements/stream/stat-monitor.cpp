// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "frame-report.hpp"

#include <gst/tomo/bases/transform.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>

using namespace tomo;

namespace {

class StatMonitor final : public Transform {
  public:
    static constexpr Info info{
        .task = "stat-monitor",
        .klass = "Filter/Effect",
        .blurb = "Writes statistics of each array to a file or to standard output",
        .in = formats::all,
        .out = formats::all,
        .details =
            R"(A heading, `# index min max sum sum-of-sq mean var`, and a line for each array: its number from 0, the least and the greatest value, the sum, the sum of squares,
the mean and the variance s^2 = (sum of squares - n mean^2) / (n - 1), over all n samples of all planes; a
complex one counts as two. Least and greatest value are rounded to float32; sums are kept in double precision
where the device has it, else compensated. Any NaN makes all of them NaN. Arrays are handed on as they are.)",
        .example =
            "tomoread path=projections ! tomostatmonitor filename=statistics.txt quiet=true ! tomonull",
    };

    Property<std::string> filename{this, "filename", "-", When::ready,
                                   "File at whose end to write; \"-\" is standard output, without a heading"};
    Property<bool> trace{this, "trace", false, "Say on standard output which arrays are done"};
    Property<bool> quiet{this, "quiet", false, "Do not print a line about each array's shape and facts"};
    Property<unsigned> print{this, "print", 0, "First values to be printed"};

    void start() override {
        const auto name = filename.value();
        file_ = name == "-" ? nullptr : write_text_file(name, Begin::at_end);
        count_ = 0;
    }

    void stop() override { file_.reset(); }

  protected:
    void begin(const ArrayInfo &in) override {
        input_format("in", in.floats().format);
        kernel("statistics");
        negotiate(in);
    }

    GstFlowReturn take(GstBuffer *buffer) override {
        const auto &shape = input_info();
        const auto line = statistics(import(buffer, shape).floats());
        if (file_)
            write(count_ == 0 ? heading + line : line);
        else
            g_print("(%s) %s", GST_OBJECT_NAME(gst()), line.c_str());
        if (trace)
            g_print("stat-monitor (%s): done frame %" G_GUINT64_FORMAT "\n", GST_OBJECT_NAME(gst()), count_);
        if (!quiet)
            g_print("%s", frame_report("stat-monitor", buffer, shape).c_str());
        g_print("%s", first_values(buffer, shape, print).c_str());
        count_++;
        return push_submitted(shape, BufferRef::referenced(buffer));
    }

  private:
    // Of each run, because files are appended to; as UFO's.
    inline static const std::string heading = "# index min max sum sum-of-sq mean var\n";

    void write(const std::string &line) {
        if (std::fputs(line.c_str(), file_.get()) < 0 || std::fflush(file_.get()) != 0)
            throw Error(GST_RESOURCE_ERROR_WRITE,
                        text("can't write to %s: %s", filename.value().c_str(), g_strerror(errno)));
    }

    // Work-groups reduce a part each, the host what these leave.
    std::string statistics(const Array &in) {
        const auto items = std::min<std::size_t>(device()->max_work_group(), 256);
        const std::uint64_t n = in.info().samples();
        const unsigned groups = std::min<std::uint64_t>(n / items + 1, 64);
        auto sums = allocate({GST_TOMO_FORMAT_COMPLEX64, 2, groups}); // of eight bytes, see common.h
        auto extremes = allocate({GST_TOMO_FORMAT_COMPLEX64, 1, groups});
        launch(kernel("statistics"), WorkSize(items * groups).groups(items), in, sums, extremes, cl_ulong{n},
               LocalMemory{items * sizeof(double)}, LocalMemory{items * 2 * sizeof(float)});

        const Host<const double> doubles(sums);
        const Host<const float> pairs(sums), ends(extremes);
        const bool has_fp64 = device()->has_fp64();
        const auto part = [&](unsigned i) {
            return has_fp64 ? doubles[i] : double{pairs[2 * i]} + double{pairs[2 * i + 1]};
        };
        double least = ends[0], greatest = ends[1], sum = 0.0, squares = 0.0;
        for (unsigned i = 0; i < groups; i++) {
            least = std::min<double>(least, ends[2 * i]);
            greatest = std::max<double>(greatest, ends[2 * i + 1]);
            sum += part(2 * i);
            squares += part(2 * i + 1);
        }
        if (std::isnan(sum))
            least = greatest = sum;
        const double mean = sum / n, variance = (squares - n * mean * mean) / (n - 1.0);
        return text("%" G_GUINT64_FORMAT " %.9e %.9e %.9e %.9e %.9e %.9e\n", count_, least, greatest, sum,
                    squares, mean, variance);
    }

    TextFile file_;
    guint64 count_ = 0;
};

} // namespace

TOMO_ELEMENT(StatMonitor)
