// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gap-solver.hpp"

#include <random>

namespace tomo {

namespace {

using Gradients = ConjugateGradients;

constexpr unsigned spare_steps = 3; // other right-hand sides may need a few more

template <class T>
Array table(Compute &compute, const std::vector<T> &values) {
    return values.empty() ? Array() : compute.upload(values.data(), values.size() * sizeof(T));
}

std::vector<GapSolver::Level> on_device(Compute &compute, const GapLevels &gaps) {
    std::vector<GapSolver::Level> levels;
    for (const auto &level : gaps.levels)
        levels.push_back({static_cast<cl_uint>(level.rows()), table(compute, level.diagonal),
                          table(compute, level.links), table(compute, level.weights),
                          table(compute, level.parents), table(compute, level.children)});
    return levels;
}

} // namespace

GapSolver::GapSolver(Compute &compute, const GapLevels &gaps)
    : compute_(compute), levels_(on_device(compute, gaps)), positions_(table(compute, gaps.positions)),
      counts_(Gradients::parts(compute, rows(), 1)),
      gradients_(
          compute, rows(),
          [this](const Array &direction, Array &image, Array &parts) { apply(direction, image, parts); },
          [this](const Array &residual) { return cycle(residual); }) {
    compute.launch(kernel("count_beside"), Gradients::share(compute, rows(), 1),
                   BareBuffer{levels_.front().diagonal}, BareBuffer{levels_.front().weights},
                   ReadWriteBareBuffer{counts_}, rows());
    count_steps();
}

// By noise, in which all is that images can have.
void GapSolver::count_steps() {
    std::minstd_rand random;
    std::vector<float> noise(rows());
    for (float &value : noise)
        value = static_cast<float>(random()) / static_cast<float>(random.max()) - 0.5f;
    gradients_.solve(compute_.upload(noise), {1e-7f, 1, 200}, steps_);
    steps_ += spare_steps;
}

Kernel GapSolver::kernel(const char *name) const {
    return compute_.kernel(name, Gradients::options(compute_), "gap-solver.cl");
}

void GapSolver::apply(const Array &direction, Array &image, Array &parts) {
    const auto &level = levels_.front();
    compute_.launch(kernel("apply_and_multiply"), Gradients::share(compute_, rows(), direction.height()),
                    BareBuffer{level.diagonal}, BareBuffer{level.links}, BareBuffer{level.weights},
                    BareBuffer{direction}, ReadWriteBareBuffer{image}, ReadWriteBareBuffer{parts}, rows());
}

Array GapSolver::cycle(const Array &right, std::size_t number) {
    const auto &level = levels_[number];
    const unsigned planes = right.height();
    const auto all = Gradients::each_row(level.rows, planes);
    auto guess = Gradients::vector(compute_, level.rows, planes);
    if (number + 1 == levels_.size()) {
        compute_.launch(kernel("divide"), all, level.rows, BareBuffer{level.diagonal}, BareBuffer{right},
                        ReadWriteBareBuffer{guess});
        return guess;
    }
    const auto &coarse = levels_[number + 1];
    const auto sweep = [&](const char *name, const Array &from, Array &to, const auto &...more) {
        compute_.launch(kernel(name), all, level.rows, BareBuffer{level.diagonal}, BareBuffer{level.links},
                        BareBuffer{level.weights}, BareBuffer{right}, BareBuffer{from},
                        ReadWriteBareBuffer{to}, more...);
    };
    sweep("sweep_from_zero", right, guess);
    auto rest = Gradients::vector(compute_, coarse.rows, planes);
    compute_.launch(kernel("restrict_residual"), Gradients::each_row(coarse.rows, planes), level.rows,
                    BareBuffer{level.diagonal}, BareBuffer{level.links}, BareBuffer{level.weights},
                    BareBuffer{right}, BareBuffer{guess}, BareBuffer{coarse.children}, coarse.rows,
                    ReadWriteBareBuffer{rest});
    const auto correction = cycle(rest, number + 1);
    auto better = Gradients::vector(compute_, level.rows, planes);
    sweep("correct_and_sweep", guess, better, BareBuffer{level.parents}, BareBuffer{correction}, coarse.rows);
    sweep("sweep", better, guess);
    return guess;
}

void GapSolver::fill(Array &images, const Array &marks, unsigned planes) {
    const cl_ulong samples = images.info().samples() / planes;
    auto right = Gradients::vector(compute_, rows(), planes),
         sums = Gradients::parts(compute_, rows(), planes);
    compute_.launch(kernel("gather"), Gradients::share(compute_, rows(), planes), BareBuffer{images},
                    BareBuffer{marks}, BareBuffer{positions_}, ReadWriteBareBuffer{right},
                    ReadWriteBareBuffer{sums}, rows(), cl_uint{images.width()}, cl_uint{images.height()},
                    samples);
    auto mean = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, planes, 1});
    compute_.launch(kernel("mean_beside"), WorkSize(planes), BareBuffer{sums}, BareBuffer{counts_},
                    cl_uint{sums.width()}, ReadWriteBareBuffer{mean});
    const auto &level = levels_.front();
    compute_.launch(kernel("subtract_mean"), Gradients::each_row(rows(), planes), rows(),
                    BareBuffer{level.diagonal}, BareBuffer{level.weights}, BareBuffer{mean},
                    ReadWriteBareBuffer{right});
    const auto solution = gradients_.solve(std::move(right), steps_);
    compute_.launch(kernel("scatter"), Gradients::each_row(rows(), planes), rows(), BareBuffer{positions_},
                    BareBuffer{solution}, BareBuffer{mean}, ReadWriteBareBuffer{images}, samples);
}

} // namespace tomo
