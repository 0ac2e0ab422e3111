// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "row-choice.hpp"

#include <gst/tomo/bases/addressing.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/interpolation.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

enum class Reverse { none, x, y, both };

class Shift final : public Filter {
  public:
    static constexpr Info info{
        .task = "shift",
        .klass = "Filter/Effect",
        .blurb = "Moves each projection back by its displacement, in parts of pixels",
        .details =
            R"(Pixel (i, j) of the output is the input at column i + d_x and row j + d_y, where d is the displacement of the
frame to larger columns and to larger rows: that of the scan event, which `tomoscansrc` sends, or that of the
properties. Displacements of a scan are in pixels of its detector and follow binning and mirroring; those of the
properties are in pixels of the array, one for each frame or one for all. The planes of a stack, as of `tomostack`, are
frames, which follow each other. A displacement by whole pixels moves
samples and changes none. Others are interpolated. By half a pixel, the worst case, Catmull-Rom splines take 0.9 % off a
structure with a period of eight pixels and 12 % off one of four; linear interpolation takes 8 % and 29 %.

Rows of sinograms are views, and each row is moved along itself by the d_x of its view. Displacements to other rows need
projections. `y`, `height` and `y-step` choose rows of the output, so that rows beside them can take part.)",
        .example =
            "tomoscansrc name=s location=scan.nxs shifts=shifts.txt s.projections ! tomoshift ! tomowrite "
            "filename=aligned.tif",
    };

    Property<std::vector<double>> shifts_x{
        this, "shifts-x", When::reshapes,
        "Pixels to larger columns, of each frame, or one for all; none: those of the scan"};
    Property<std::vector<double>> shifts_y{
        this, "shifts-y", When::reshapes,
        "Pixels to larger rows, of each frame, or one for all; none: those of the scan"};
    Choice<Reverse> reverse{this,
                            "reverse",
                            Reverse::none,
                            {{Reverse::none, "none", "As they are told"},
                             {Reverse::x, "x", "Those to columns the other way"},
                             {Reverse::y, "y", "Those to rows the other way"},
                             {Reverse::both, "both", "All the other way"}},
                            When::reshapes,
                            "Which displacements count the other way, as where the images are mirrored"};
    AddressingMode addressing_mode{this, Addressing::clamp_to_edge, "Zero; nothing is undefined"};
    InterpolationMode interpolation{this, Interpolation::cubic, Interpolation::cubic};
    RowChoice rows{this};

    ArrayInfo shape(const ArrayInfo &in) override {
        const unsigned height = rows.count(in);
        if (rows.is_part() && in.domain == GST_TOMO_DOMAIN_SINOGRAM)
            throw Error(GST_STREAM_ERROR_FORMAT, "y, height and y-step choose rows of projections, but "
                                                 "sinograms came: crop these by tomocrop");
        given_x_ = shifts_x.value();
        given_y_ = shifts_y.value();
        table_ = {};
        depth_ = std::max(*depth_, in.depth);
        return in.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(in.width, height);
    }

    void process(const Array &in, Array &out) override {
        const bool is_sinogram = in.info().domain == GST_TOMO_DOMAIN_SINOGRAM;
        const bool is_one = is_for_all(given_x_, scan_.shifts_x) && is_for_all(given_y_, scan_.shifts_y);
        const unsigned views = is_sinogram ? in.height() : 1;
        const unsigned planes = is_sinogram || is_one ? 1 : in.depth();
        // Those of other arrays are of their frames alone.
        if (!*table_ || !(is_sinogram || is_one))
            table_ = upload_displacements(is_sinogram, views, planes);
        launch(kernel("shift", addressing_mode.option() + interpolation.option()), WorkSize(out.info()), in,
               out, BareBuffer{*table_}, cl_uint{views > 1}, cl_uint{planes > 1},
               static_cast<cl_int>(in.width()), static_cast<cl_int>(in.height()), static_cast<cl_int>(rows.y),
               static_cast<cl_int>(rows.y_step));
    }

    void stop() override {
        scan_ = {};
        Filter::stop();
    }

  protected:
    GstFlowReturn take(GstBuffer *buffer) override {
        const auto *meta = gst_buffer_get_tomo_frame_meta(buffer);
        number_ = meta ? meta->index : GST_BUFFER_OFFSET_NONE;
        return Filter::take(buffer);
    }

    EventRef scan_event(EventRef event) override {
        scan_ = Scan(event.get());
        table_ = {};
        Scan moved(event.get());
        moved.shifts_x.clear();
        moved.shifts_y.clear();
        return scan_after(moved.to_event(), input_info(), {0.0, 1.0, input_info().width},
                          rows.layout(output_info().height));
    }

  private:
    // As in the kernel.
    struct Displacement {
        cl_int x, y;
        cl_float x_fraction, y_fraction;
    };

    static Displacement displacement(double x, double y) {
        const double columns = std::floor(x), rows = std::floor(y);
        return {static_cast<cl_int>(columns), static_cast<cl_int>(rows), static_cast<cl_float>(x - columns),
                static_cast<cl_float>(y - rows)};
    }

    double sign(Reverse direction) const {
        return reverse == direction || reverse == Reverse::both ? -1.0 : 1.0;
    }

    static bool is_for_all(const std::vector<double> &given, const std::vector<double> &of_scan) {
        return given.size() == 1 || (given.empty() && of_scan.empty());
    }

    // For each row of a sinogram, or each plane.
    Array upload_displacements(bool is_sinogram, unsigned rows, unsigned planes) {
        std::vector<Displacement> displacements;
        for (unsigned i = 0; i < std::max(rows, planes); i++) {
            const std::size_t view = is_sinogram ? i
                                     : *depth_ > 1 // stacks, of which the last one may have fewer planes
                                         ? frame_index() * *depth_ + i
                                         : scan_.view_of(number_, frame_index());
            const double x = sign(Reverse::x) * along(given_x_, scan_.shifts_x, scan_.binning_x, view);
            const double y = sign(Reverse::y) * along(given_y_, scan_.shifts_y, scan_.binning_y, view);
            if (is_sinogram && y != 0.0)
                throw Error(
                    GST_STREAM_ERROR_FORMAT,
                    text("view %zu is displaced by %g rows, but sinograms came: put tomoshift in front of "
                         "tomotransposeprojections",
                         view, y));
            displacements.push_back(displacement(x, y));
        }
        return upload(displacements.data(), displacements.size() * sizeof displacements[0]);
    }

    // Of a view, along one direction.
    double along(const std::vector<double> &given, const std::vector<double> &of_scan, double binning,
                 std::size_t view) const {
        const auto &list = given.empty() ? of_scan : given;
        if (list.empty()) {
            if (given_x_.empty() && given_y_.empty() && scan_.shifts_x.empty() && scan_.shifts_y.empty())
                throw Error(
                    GST_STREAM_ERROR_FAILED,
                    "no displacement is known: set shifts-x and shifts-y, or read a scan by tomoscansrc "
                    "that tells its own or with its property shifts");
            return 0.0;
        }
        const bool is_for_all = given.size() == 1;
        if (!is_for_all && view >= list.size())
            throw Error(GST_STREAM_ERROR_FAILED, text("frame %zu (counted from 0) came, but there are %zu "
                                                      "displacements",
                                                      view, list.size()));
        const double shift = list[is_for_all ? 0 : view] / (given.empty() ? binning : 1.0);
        if (!(std::abs(shift) < 1e6))
            throw Error(
                GST_STREAM_ERROR_FAILED,
                text("frame %zu (counted from 0) is displaced by %g pixels; wanted a number below a million",
                     view, shift));
        return shift;
    }

    Scan scan_;
    std::uint64_t number_ = GST_BUFFER_OFFSET_NONE; // of the frame in its scan
    std::vector<double> given_x_, given_y_;
    UntilStop<Array> table_{this};    // of displacements
    UntilStop<unsigned> depth_{this}; // of the arrays; of stacks the largest one
};

} // namespace

TOMO_ELEMENT(Shift)
