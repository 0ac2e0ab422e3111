// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/side-by-side.hpp>

using namespace tomo;

namespace {

class SlidingStack final : public Filter, public WithHistory {
  public:
    static constexpr Info info{
        .task = "sliding-stack",
        .klass = "Filter/Effect",
        .blurb = "Stacks each array with those before it along depth",
        .in = formats::all,
        .out = formats::all,
        .details =
            R"(Each array that comes gives one stack, with its time and facts. The first array fills the places
of arrays that have not come yet. Unless `ordered`, array n stands at place n mod `number`, and all others
stay where they were. The element keeps `number` arrays on the device.)",
        .example =
            "tomoread path=projections number=6 ! tomoslidingstack number=3 ordered=true ! tomoflatten ! "
            "tomowrite filename=medians.h5:/data",
    };

    Property<unsigned> number{this, "number", 1, {1, G_MAXUINT}, When::reshapes, "Arrays in a stack"};
    Property<bool> ordered{this, "ordered", false, "The oldest array first, the newest one last"};

    ArrayInfo shape(const ArrayInfo &in) override {
        window_ = {};
        const auto out = resized(in, in.width, in.height, std::uint64_t{in.depth} * number,
                                 text("number=%u arrays of %s", number.value(), in.describe().c_str()));
        return in.domain == GST_TOMO_DOMAIN_SLICE ? out.with_domain(GST_TOMO_DOMAIN_VOLUME) : out;
    }

    void stop() override { window_ = {}; }

    std::string history() const override { return "a stack has the arrays before it"; }

  protected:
    Array apply(const Array &in) override {
        const std::size_t size = in.info().size();
        if (!window_) {
            window_ = allocate(output_info());
            for (unsigned i = 1; i < number; i++)
                copy_rows(in, {}, window_, {i * size}, size);
            newest_ = 0;
        } else {
            newest_ = (newest_ + 1) % number;
        }
        copy_rows(in, {}, window_, {newest_ * size}, size);

        Array out = allocate(output_info());
        const std::size_t first = ordered ? (newest_ + 1) % number * size : 0,
                          rest = out.info().size() - first;
        copy_rows(window_, {first}, out, {}, rest);
        if (first)
            copy_rows(window_, {}, out, {rest}, first);
        return out;
    }

    void clear() override { window_ = {}; }

  private:
    Array window_; // a ring
    std::size_t newest_ = 0;
};

} // namespace

TOMO_ELEMENT(SlidingStack)
