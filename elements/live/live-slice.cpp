// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plane.hpp"
#include "projection-window.hpp"
#include "slice-properties.hpp"

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/geometry/axis.hpp>
#include <gst/tomo/geometry/view-weights.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

using namespace tomo;

namespace {

class LiveSlice final : public Filter, public WithHistory {
  public:
    static constexpr Info info{
        .task = "live-slice",
        .klass = "Filter/Effect",
        .blurb = "Backprojects the newest projections of a parallel beam to one plane of the volume",
        .in = formats::real,
        .details =
            R"(One plane of [tomoliveslices](#tomoliveslices), which has several. It needs `tomoprojectionring` before it. Until this has as many
projections as it keeps, no slice comes.

The plane is in detector pixels, with x and y as the columns and rows of a slice, both 0 at the axis, and z along the axis to lower rows, 0 in
the middle of the detector. `z=0` is a slice, `x=0` and `y=0` lie along the axis, with z downwards; a number is any place, also between
pixels. Without a size the image has the field of view, and in `z` the pixels of `tomobackproject`. `width`, `height` and `step` (pixels of the
detector for a pixel of the image) change size and scale, about the middle of the field; `size` is a number of columns over the whole field,
with the step and the rows that fit. `depth` makes a stack of that many planes, a step apart, or with `depth=all` of as many as fill the field: a coarse
volume is `z=0,size=256,depth=all`. Any other plane is
`at=X:Y:Z,right=X:Y:Z,down=X:Y:Z,width=N,height=N`, with the middle of the image and the ways from a pixel to its neighbours.

A point (x, y, z) is seen at column a + s cos r + z sin r and row H / 2 + z cos r - s sin r, in edge coordinates, with s = x cos t + y sin t, the angle
t of the projection, the axis a, and the roll r. There the projection is sampled linearly in both directions, and continued by zeros.
Weights are those of `tomobackproject`: shares of the half turn, whatever angles are missing or repeated.)",
        .example =
            "tomoread path=projections ! tomocalculate expression='-log(v)' ! tomorampfilter ! tomoprojectionring angle-step=0.01745 "
            "views=180 ! tomoliveslice plane=x=3.5,height=16 ! tomowrite filename=side.tif",
    };

    Property<std::string> plane{
        this, "plane", "z=0", When::reshapes,
        "Place and size, such as z=3.5 or x=0,width=256,step=2, in pixels from the axis and the middle row"};
    live::SliceProperties common{this, When::live};
    Result left_out{
        this,
        "left-out",
        {0.0, G_MAXDOUBLE},
        "Projections that came, or were dropped before this element, without a slice of their own"};

    ArrayInfo shape(const ArrayInfo &in) override {
        plane_.emplace(plane.value());
        const auto placed = plane_->placed(in.width, in.height, in.width / 2.0);
        // Slices come when they are done; their time stamps tell when.
        return resized(in, placed.width, placed.height, placed.depth,
                       text("plane=%s of %s", plane.value().c_str(), in.describe().c_str()))
            .with_format(GST_TOMO_FORMAT_FLOAT32)
            .with_domain(GST_TOMO_DOMAIN_SLICE)
            .with_rate(0, 1);
    }

    std::optional<std::uint64_t> output_count(std::uint64_t, const ArrayInfo &) const override { return {}; }
    std::string history() const override { return "a slice is made of the projections before"; }

    void stop() override {
        forget();
        scan_ = {};
        told_axis_.clear();
    }

  protected:
    GstFlowReturn take(GstBuffer *buffer) override {
        import(buffer, input_info()); // settles the device
        const auto window = live::WindowMeta::of(buffer);
        if (!window)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                "a projection came without those before it: put tomoprojectionring before, without elements "
                "between that make new images");
        if (window->parts.front().block->samples.storage()->device() != device())
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("the projections lie on %s, and this element computes on %s: set one device for both",
                     window->parts.front().block->samples.storage()->device()->name().c_str(),
                     device()->name().c_str()));
        const View view{plane.value(), common.axis_pos, common.roll};
        const bool is_shown = last_ && window->number - *last_ < common.every && shown_ == view;
        if (!window->whole_since || is_shown) {
            tell_waiting(*window);
            return GST_FLOW_OK;
        }
        left_out_ += window->number - std::max(last_.value_or(0) + 1, *window->whole_since);
        last_ = window->number;
        left_out.report(static_cast<double>(left_out_));

        shown_ = view;
        const Array out = slice(*window);
        BufferRef result = out.to_buffer();
        copy_frame_metadata(buffer, result.get(), Pixels::moved);
        live::WindowMeta::detach(result.get());
        GST_BUFFER_OFFSET(result.get()) = slices_;
        GST_BUFFER_OFFSET_END(result.get()) = ++slices_;
        return push(out, std::move(result));
    }

    EventRef scan_event(EventRef event) override {
        scan_ = Scan(event.get());
        return scan_without_views(event);
    }
    void clear() override { forget(); }
    // drain() is for the end of a size or of a property's value as well.
    void sees(GstEvent *event) override { is_ending_ = GST_EVENT_TYPE(event) == GST_EVENT_EOS; }
    GstFlowReturn drain() override {
        if (is_ending_ && told_waiting_ && !last_)
            warn(
                "the stream ended before there were projections enough for a slice: turn further, or set views of tomoprojectionring to "
                "a number that comes");
        return GST_FLOW_OK;
    }

  private:
    // What people set, and want to see at once.
    struct View {
        std::string plane;
        double axis, roll;
        bool operator==(const View &) const = default;
    };

    void forget() {
        last_.reset();
        left_out_ = slices_ = 0;
        told_waiting_ = false;
    }

    Array slice(const live::Window &window) {
        const auto &projection = window.projection;
        const auto axis =
            resolve_axis(common.axis_pos.chosen(), common.axis_pos.name(), scan_, projection.width);
        tell(axis);
        const auto placed = plane_->placed(projection.width, projection.height, axis.position);
        const auto angles = window.angles();
        const auto [weights, warning] =
            projection_weights(angles, std::numbers::pi, "angle-step of tomoprojectionring");
        if (!std::exchange(told_angles_, !warning.empty()) && !warning.empty())
            warn(warning);
        Array out = allocate(output_info());
        input_format("block", projection.format);
        for (unsigned k = 0; k < placed.depth; k++) {
            auto one = placed;
            one.middle = placed.middle + (k + 0.5 - placed.depth / 2.0) * placed.deep;
            compute(window, one, views_of(window.projection, one, axis.position, angles, weights),
                    out.plane(k), k == 0);
            if (placed.depth == 1)
                continue;
            out.storage()->finish(); // others want the device as well
            if (is_cancelled())
                throw Flushing();
        }
        return out;
    }

    // `is_first` in its array.
    void compute(const live::Window &window, const live::PlacedPlane &placed, const std::vector<float> &table,
                 Array out, bool is_first) {
        const auto &projection = window.projection;
        const Array views = upload(table);
        const unsigned pixels = device()->is_cpu() ? 16 : 1; // that a work-item makes
        const bool by_groups = device()->prefers_local_memory() && goes_by_groups(projection, table);
        const unsigned longest =
            device()->is_cpu() && !by_groups ? row_at_once(projection, placed, table) : 0;
        // That an item of a group makes. There are few kinds, because each is compiled.
        const auto each = std::bit_ceil(std::clamp((placed.width + items - 1) / items, 1u, most_of_item));
        const auto options = by_groups ? text("-DPIXELS=1 -DGROUP=%u -DEACH=%u", items, each)
                             : longest ? text("-DPIXELS=%u -DLONGEST=%u", pixels, longest)
                                       : text("-DPIXELS=%u%s", pixels, rows_of(table));
        const auto backproject = kernel(by_groups ? "live_slice_group"
                                        : longest ? "live_slice_row"
                                                  : "live_slice",
                                        options);
        cl_uint done = 0;
        for (const auto &part : window.parts) {
            Launch launch(*this, backproject);
            launch.add(part.block->samples);
            launch.add(BareBuffer{views});
            if (done || !is_first)
                launch.add(ReadWrite{out});
            else
                launch.add(out);
            launch.add(cl_uint{part.first});
            launch.add(cl_uint{part.count});
            launch.add(done);
            launch.add(static_cast<cl_int>(projection.width));
            launch.add(static_cast<cl_int>(projection.height));
            launch.add(cl_uint{placed.width});
            launch.add(cl_uint{done == 0});
            if (by_groups) {
                launch.add(LocalMemory{bytes_of_rows(projection)});
                launch.run(WorkSize((placed.width + items * each - 1) / (items * each) * items, placed.height)
                               .groups(items));
            } else if (longest)
                launch.run(WorkSize(placed.height).groups(1));
            else
                launch.run(WorkSize((placed.width + pixels - 1) / pixels, placed.height));
            done += part.count;
        }
    }

    // Two float4 for each projection, as in the kernel.
    std::vector<float> views_of(const ArrayInfo &projection, const live::PlacedPlane &placed, double axis,
                                const std::vector<double> &angles, const std::vector<double> &weights) const {
        const double c = std::cos(common.roll), s = std::sin(common.roll);
        const auto first = placed.middle + (0.5 - placed.width / 2.0) * placed.right +
                           (0.5 - placed.height / 2.0) * placed.down;
        std::vector<float> table;
        table.reserve(8 * angles.size());
        for (std::size_t i = 0; i < angles.size(); i++) {
            const Vector3 across{std::cos(angles[i]), std::sin(angles[i]), 0}, along{0, 0, 1};
            const Vector3 column = c * across + s * along, row = c * along - s * across;
            const double columns[] = {axis - 0.5 + dot(column, first), dot(column, placed.right),
                                      dot(column, placed.down), weights[i]};
            const double rows[] = {projection.height / 2.0 - 0.5 + dot(row, first), dot(row, placed.right),
                                   dot(row, placed.down), 0};
            table.insert(table.end(), std::begin(columns), std::end(columns));
            table.insert(table.end(), std::begin(rows), std::end(rows));
        }
        return table;
    }

    static constexpr auto rows_between = " -DLINE";
    // How the kernel finds rows of the detector, by its options.
    static const char *rows_of(const std::vector<float> &table) {
        bool are_lines = true, are_whole = true;
        for (std::size_t i = 0; i < table.size(); i += 8) {
            are_lines &= table[i + 5] == 0;
            are_whole &= table[i + 6] == 0 && table[i + 4] == std::floor(table[i + 4]);
        }
        return !are_lines ? "" : are_whole ? " -DLINE -DWHOLE_ROW" : rows_between;
    }

    // Items of a work-group, and most pixels that one of them makes.
    static constexpr unsigned items = 256, most_of_item = 8;

    // Two rows with zeros around.
    static std::size_t bytes_of_rows(const ArrayInfo &projection) {
        return 2 * (std::size_t{projection.width} + 3) * sizeof(float);
    }

    bool goes_by_groups(const ArrayInfo &projection, const std::vector<float> &table) const {
        return *rows_of(table) && bytes_of_rows(projection) <= device()->local_memory() &&
               items <= device()->max_work_group();
    }

    // Room for a row whose pixels one work-item makes from two whole rows of the detector; 0: it had better
    // not. There are few kinds, because each is compiled.
    static unsigned row_at_once(const ArrayInfo &projection, const live::PlacedPlane &placed,
                                const std::vector<float> &table) {
        if (rows_of(table) != rows_between)
            return 0;
        constexpr float far = 4; // pixels so far apart take few samples of what is mixed
        for (std::size_t i = 0; i < table.size(); i += 8)
            if (std::abs(table[i + 1]) > far)
                return 0;
        const std::uint64_t longest = std::max<std::uint64_t>(projection.width + 3, placed.width);
        for (const unsigned room : {1024u, 4096u, 16384u})
            if (longest <= room)
                return room;
        return 0;
    }

    void tell_waiting(const live::Window &window) {
        if (!window.whole_since && !std::exchange(told_waiting_, true))
            inform(
                "the projections so far do not cover half a turn, or are fewer than views of tomoprojectionring: slices come as soon as they do");
    }

    void tell(const Axis &axis) {
        report_effective(EffectiveValues().add(axis));
        const auto assumption = axis.assumption();
        if (assumption != std::exchange(told_axis_, assumption) && !assumption.empty())
            warn(assumption);
    }

    std::optional<live::Plane> plane_;
    Scan scan_;
    std::optional<std::uint64_t> last_; // number of projections at the last slice
    View shown_{};                      // by the last slice
    std::uint64_t left_out_ = 0, slices_ = 0;
    bool told_waiting_ = false;
    bool is_ending_ = false;   // the end of the stream is here
    bool told_angles_ = false; // that some are missing in the last slice
    std::string told_axis_;
};

} // namespace

TOMO_ELEMENT(LiveSlice)
