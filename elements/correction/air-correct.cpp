// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

#include <algorithm>
#include <utility>

using namespace tomo;

namespace {

enum { projections, air };

class AirCorrect final : public Joiner {
  public:
    static constexpr Info info{
        .task = "air-correct",
        .klass = "Filter/Effect",
        .blurb = "Divides each projection by the mean of its air, a region where the beam meets no sample",
        .details =
            R"(The result is p / mean(a), where p is a projection that is corrected by darks and flats, and a the same view of the
region `air`, corrected as well. Samples of a that are not finite do not count, as those of defects. The region is an image
for each projection. For sinograms it is their rows of the region: arrays with as many rows as the sinograms, any number of
columns, and rows of the detector as depth, of which the last one counts for all further sinograms. The mean is
summed in double precision.)",
        .example =
            "tomoscansrc name=s location=scan.nxs s.projections ! f.projections s.darks ! f.darks s.flats ! f.flats "
            "tomoflatfieldcorrect name=f ! tee name=t t. ! queue ! a.projections t. ! queue ! tomocrop width=4 ! a.air "
            "tomoaircorrect name=a ! tomowrite filename=corrected.tif",
    };

    std::vector<Input> inputs() const override { return {{"projections"}, {"air"}}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        is_sinogram_ =
            in[projections].domain == GST_TOMO_DOMAIN_SINOGRAM || in[air].domain == GST_TOMO_DOMAIN_SINOGRAM;
        const unsigned wanted = is_sinogram_ ? in[projections].height : in[projections].depth;
        const unsigned came = is_sinogram_ ? in[air].height : in[air].depth;
        if (wanted != came)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("air is %s, but projections are %s: wanted as many %s",
                             in[air].describe().c_str(), in[projections].describe().c_str(),
                             is_sinogram_ ? "rows" : "planes"));
        return in[projections].with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        const auto &region = in[air];
        const cl_uint views = is_sinogram_ ? region.height() : region.depth();
        // Samples of a view: runs of neighbours, one behind another after as many samples.
        const cl_ulong run = is_sinogram_ ? region.width() : cl_ulong{region.width()} * region.height();
        const cl_uint runs = is_sinogram_ ? region.depth() : 1;
        Array means = allocate({GST_TOMO_FORMAT_FLOAT32, views, 1});
        const auto items = std::min<std::size_t>(device()->max_work_group(), 64);
        launch(kernel("air_means"), WorkSize(items, views).groups(items, 1), region, means, run, runs,
               cl_ulong{run * views}, LocalMemory{items * sizeof(cl_double)},
               LocalMemory{items * sizeof(cl_double)});
        launch(kernel("air_correct"), WorkSize(out.info()), in[projections], std::as_const(means), out,
               cl_int{is_sinogram_});
    }

  private:
    bool is_sinogram_ = false;
};

} // namespace

TOMO_ELEMENT(AirCorrect)
