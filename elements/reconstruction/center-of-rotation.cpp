// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "axis-search.hpp"

#include <gst/tomo/filter.hpp>
#include <gst/tomo/scan.hpp>

#include <cmath>

namespace {

class CenterOfRotation final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "center-of-rotation",
        "Filter/Analyzer",
        "Finds the rotation axis of each sinogram from views that are half a turn apart, and passes the "
        "array on",
        tomo::formats::real,
        tomo::formats::real,
        R"(Of views half a turn apart, one is the mirror image of the other: column x of the one is column 2 axis - 1 - x of the
other. For every axis in steps of half a pixel the columns that overlap are compared, v = half the variance of their
difference over that of the rows. The axis is where v^(-N) is largest, N the number of columns: the likelihood that they
are the same; a parabola through the least v around gives the parts of pixels. That is right to some hundredths of a pixel
where nothing but noise differs between the views, wherever the axis is, also where views show little more than half of the
object; overlaps of less than W / 32 columns are not considered. A scan that ends a step short of half a turn may cost up to half
of what the object's edge moves in that step; of more than half a turn, up to 32 pairs of views are used.

The result in edge coordinates is told by `center` and an element message `tomo-center-of-rotation` (fields `index` of the
array, `plane`, `center`); the host waits for it. It is NaN, with a warning, where rows have no structure or a NaN in
all overlaps.)",
        "tomoread path=sinograms number=3 ! tomocenterofrotation ! fakesink"};

    tomo::Property<double> angle_step{this,
                                      "angle-step",
                                      "Radians between rows; 0: the scan's angles, and where there are none "
                                      "the last row is half a turn after the first",
                                      0.0,
                                      {0.0, 180.0},
                                      tomo::When::reshapes};
    tomo::Property<double> center{this, "center", "Rotation axis of the last plane, in edge coordinates", 0.0,
                                  tomo::When::result};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        if (in.height < 2)
            throw tomo::Error(
                GST_STREAM_ERROR_FORMAT,
                tomo::text("a sinogram of %u row came: the axis takes two views, half a turn apart",
                           in.height));
        pairs_ = {};
        return in;
    }

    void stop() override {
        pairs_ = {};
        angles_.clear();
    }

  protected:
    tomo::EventRef scan_event(tomo::EventRef event) override {
        angles_ = tomo::Scan(event.get()).angles;
        pairs_ = {};
        return event;
    }

    tomo::Array apply(const tomo::Array &in) override {
        if (!pairs_)
            find_pairs(in.height());
        const unsigned sums = 2 * in.width() - 1;
        tomo::Array variances = allocate({GST_TOMO_FORMAT_COMPLEX64, sums, in.depth()});
        launch(kernel("mirror_distance"), tomo::WorkSize(sums, in.depth()).groups(64), in, variances,
               tomo::Whole{pairs_}, number_of_pairs_, cl_uint{in.width()}, cl_uint{in.height()});
        const tomo::Host<const cl_float2> of_sums(variances);
        for (unsigned z = 0; z < in.depth(); z++)
            tell(z, tomo::axis_of(of_sums.data() + std::size_t{z} * sums, in.width()));
        return in;
    }

  private:
    void find_pairs(unsigned height) {
        auto angles = angles_;
        if (angle_step > 0.0) {
            angles.resize(height);
            for (unsigned i = 0; i < height; i++)
                angles[i] = i * angle_step;
        }
        constexpr std::size_t most = 32;
        std::vector<tomo::MirroredRows> pairs{{0, height - 1}};
        if (!angles.empty()) {
            if (angles.size() != height)
                throw tomo::Error(
                    GST_STREAM_ERROR_FORMAT,
                    tomo::text("the scan has %zu angles, but the sinogram %u rows: set angle-step",
                               angles.size(), height));
            pairs = tomo::mirrored_rows(angles, most);
        }
        if (pairs.empty())
            throw tomo::Error(GST_STREAM_ERROR_FORMAT,
                              "no two rows are half a turn apart: the axis can't be told from them");
        number_of_pairs_ = static_cast<cl_uint>(pairs.size());
        pairs_ = upload(pairs.data(), pairs.size() * sizeof pairs[0]);
    }

    void tell(unsigned plane, double axis) {
        if (std::isnan(axis))
            warn("the rows have nothing to compare: no axis was found");
        report(center, axis);
        post_message(gst_structure_new("tomo-center-of-rotation", "index", G_TYPE_UINT64, frame_index(),
                                       "plane", G_TYPE_UINT, plane, "center", G_TYPE_DOUBLE, axis, nullptr));
    }

    std::vector<double> angles_; // of the scan
    tomo::Array pairs_;
    cl_uint number_of_pairs_ = 0;
};

} // namespace

TOMO_ELEMENT(CenterOfRotation)
