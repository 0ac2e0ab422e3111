// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/parallel-backprojector.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/device/tuning.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

Kernel ParallelBackprojector::kernel(const std::string &function) {
    return compute_.kernel(function, plan_.options, plan_.file);
}

void ParallelBackprojector::plan(const ArrayInfo &in, const ArrayInfo &out, double expected) {
    sinograms_ = in;
    slices_ = out;
    auto &device = *compute_.device();
    auto facts = backproject_device(device);
    // Lanes are a copy beside the sinograms and the slices.
    const auto one = std::uint64_t{in.width} * in.height * sizeof(float);
    while (facts.most_lanes > 1 &&
           in.size() + out.size() + facts.most_lanes * one > device.memory_limit() / 4 * 3)
        facts.most_lanes /= 2;
    const auto variants = backproject_variants(mode_, precision_, facts, in.depth, out.width, out.height);
    std::vector<std::string> options;
    for (const auto &variant : variants)
        options.push_back(variant.options);
    const double updates = double(out.width) * out.height * in.depth * in.height;
    // Some tens of milliseconds for a variant, and as many for all of them as compilers need. Worth it
    // for minutes of work.
    const double tried = 1e9 * device.compute_units(), worth = 5e11 * device.compute_units();
    const auto rows = static_cast<unsigned>(std::clamp(in.height * tried / updates, 16.0, double(in.height)));
    const Tuning tuning(
        device,
        text("%s of %u x %u pixels, %u slices", variants[0].kernel.c_str(), out.width, out.height, in.depth),
        options);
    compute_.input_format("sinograms", in.format);
    plan_ = variants[tuning.choose(updates / in.depth * expected > worth, [&](std::size_t i) {
        return seconds(variants[i], in.with_size(in.width, std::min(rows, in.height), in.depth), out);
    })];
    kernel(plan_.kernel);
    if (mode_ == BackprojectMode::texture)
        make_image(in);
}

// The better of two runs.
double ParallelBackprojector::seconds(const BackprojectPlan &plan, const ArrayInfo &in,
                                      const ArrayInfo &out) {
    std::vector<double> angles(in.height);
    for (unsigned i = 0; i < in.height; i++)
        angles[i] = i * G_PI / in.height;
    plan_ = plan;
    const auto before = rows_;
    const auto views_before = views_;
    set_views(backproject_rows(angles, std::vector<double>(in.height, 1.0), in.width / 2.0,
                               {0, 0, out.width, out.height, in.width}));
    Array from = compute_.allocate(in),
          to = compute_.allocate(out.with_size(out.width, out.height, in.depth));
    const double zero = 0.0;
    compute_.fill(from, &zero, in.sample_size());
    double best = HUGE_VAL;
    for (int run = 0; run < 3; run++) { // the first one loads the program
        from.storage()->finish();
        const auto start = g_get_monotonic_time();
        interpolate(from, to);
        to.storage()->finish();
        if (run > 0)
            best = std::min(best, 1e-6 * static_cast<double>(g_get_monotonic_time() - start));
    }
    rows_ = before;
    views_ = views_before;
    return best;
}

void ParallelBackprojector::set_views(const std::vector<BackprojectRow> &rows) {
    rows_ = compute_.upload(rows.data(), rows.size() * sizeof rows[0]);
    views_ = rows.size();
}

void ParallelBackprojector::check(const ArrayInfo &in, const ArrayInfo &out) const {
    if (!has_views() || plan_.kernel.empty())
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            "a backprojection was run without its views or its plan: call plan() and set_views() before");
    if (in.height != views_)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("sinograms of %s came, whose rows have %zu views: set as many views as rows",
                         in.describe().c_str(), views_));
    if (in.width != sinograms_.width || in.height != sinograms_.height || out.width != slices_.width ||
        out.height != slices_.height || in.depth == 0 || in.depth > sinograms_.depth ||
        out.depth != in.depth || in.is_complex() || out.format != GST_TOMO_FORMAT_FLOAT32)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("sinograms of %s and slices of %s came; wanted up to %u planes of %u x %u in a real "
                         "format, and as many slices of %u x %u in float32, as they were planned",
                         in.describe().c_str(), out.describe().c_str(), sinograms_.depth, sinograms_.width,
                         sinograms_.height, slices_.width, slices_.height));
}

void ParallelBackprojector::run(const Array &in, Array &out) {
    check(in.info(), out.info());
    compute_.input_format("sinograms", in.info().format);
    if (mode_ == BackprojectMode::texture)
        return sample_texture(in, out);
    interpolate(in, out);
}

unsigned ParallelBackprojector::batch_that_pays(unsigned depth, unsigned roi_width,
                                                unsigned roi_height) const {
    return backproject_batch(mode_, precision_, backproject_device(*compute_.device()), depth, roi_width,
                             roi_height);
}

void ParallelBackprojector::interpolate(const Array &in, Array &out) {
    auto size = work_size();
    size.global[2] = (in.depth() + plan_.slices - 1) / plan_.slices; // the last batch may be smaller
    if (precision_ == Precision::half)
        return multiply(in, out, size);
    if (plan_.lane_border > 0)
        return interpolate_lanes(in, out, size);
    compute_.launch(kernel(plan_.kernel), size, in, out, BareBuffer{rows_}, cl_uint{in.width()},
                    cl_uint{in.height()}, cl_uint{in.depth()}, cl_uint{out.width()}, cl_uint{out.height()});
}

// On CPUs, see kernels/backproject-item.cl.
void ParallelBackprojector::interpolate_lanes(const Array &in, Array &out, WorkSize size) {
    constexpr unsigned block = 16;
    const auto columns = static_cast<unsigned>(plan_.packed_width(in.width()));
    const auto sets = static_cast<unsigned>(size.global[2]);
    Array packed = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, plan_.slices * columns, in.height()});
    size.global[2] = 1;
    for (cl_uint set = 0; set < sets; set++) {
        compute_.launch(kernel("backproject_pack_lanes"),
                        WorkSize((columns + block - 1) / block, in.height()), in, ReadWriteBareBuffer{packed},
                        BareBuffer{rows_}, cl_uint{in.width()}, cl_uint{in.height()}, cl_uint{in.depth()},
                        set);
        compute_.launch(kernel(plan_.kernel), size, BareBuffer{packed}, ReadWrite{out}, BareBuffer{rows_},
                        cl_uint{in.width()}, cl_uint{in.height()}, cl_uint{in.depth()}, cl_uint{out.width()},
                        cl_uint{out.height()}, set);
    }
}

WorkSize ParallelBackprojector::work_size() const {
    WorkSize size(1);
    std::copy(plan_.global.begin(), plan_.global.end(), size.global);
    std::copy(plan_.local.begin(), plan_.local.end(), size.local);
    return size;
}

void ParallelBackprojector::make_image(const ArrayInfo &in) {
    const cl_image_format format{CL_R, CL_FLOAT};
    cl_image_desc desc = {};
    desc.image_type = CL_MEM_OBJECT_IMAGE2D;
    desc.image_width = in.width;
    desc.image_height = in.height;
    cl_int status = CL_SUCCESS;
    image_ = ClMem(
        clCreateImage(compute_.device()->context(), CL_MEM_READ_WRITE, &format, &desc, nullptr, &status));
    cl_check(status, text("making an image of %u x %u", in.width, in.height));
    image_use_ = {};
    kernel("backproject_fill_image");
}

// On tensor cores, see kernels/backproject-tensor.cl.
void ParallelBackprojector::multiply(const Array &in, Array &out, const WorkSize &size) {
    constexpr unsigned set = 32, columns = 64, peak_items = 256;
    const cl_uint pairs = (in.width() + 1) / 2, width = in.width(), projections = in.height();
    const auto sets = static_cast<unsigned>(size.global[2]);
    Array peak = compute_.allocate({GST_TOMO_FORMAT_UINT32, 1, 1});
    Array packed = compute_.allocate({GST_TOMO_FORMAT_UINT32, set * pairs, projections, sets});
    const cl_uint zero = 0;
    compute_.fill(peak, &zero, sizeof zero);
    compute_.launch(kernel("backproject_peak"),
                    WorkSize(std::size_t{peak_items} * projections * in.depth()).groups(peak_items), in,
                    ReadWrite{peak}, BareBuffer{rows_}, width, projections);
    compute_.launch(kernel("backproject_pack"), WorkSize(width, projections * 4, sets).groups(columns, 4), in,
                    packed, BareBuffer{peak}, BareBuffer{rows_}, width, projections, cl_uint{in.depth()},
                    pairs);
    compute_.launch(kernel(plan_.kernel), size, BareBuffer{packed}, out, BareBuffer{peak}, BareBuffer{rows_},
                    pairs, projections, cl_uint{in.depth()}, cl_uint{out.width()}, cl_uint{out.height()});
}

void ParallelBackprojector::sample_texture(const Array &in, Array &out) {
    for (cl_uint z = 0; z < in.depth(); z++) {
        Compute::Launch fill(compute_, kernel("backproject_fill_image"));
        WaitList waits(compute_.queue());
        waits.add(image_use_);
        fill.wait(waits);
        fill.add(in);
        fill.add(image_);
        fill.add(z);
        fill.run({in.width(), in.height()});
        Compute::Launch sample(compute_, kernel(plan_.kernel));
        sample.add(image_);
        sample.add(ReadWrite{out});
        sample.add(BareBuffer{rows_});
        for (const cl_uint value : {in.height(), z, out.width(), out.height()})
            sample.add(value);
        image_use_ = {sample.run(work_size()), ClQueue::retained(compute_.queue())};
    }
}

} // namespace tomo
