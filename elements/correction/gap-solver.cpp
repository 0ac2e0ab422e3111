// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gap-solver.hpp"

#include <algorithm>
#include <random>

namespace tomo {

namespace {

constexpr unsigned most_steps = 200;
constexpr unsigned spare_steps = 3; // other right-hand sides may need a few more
constexpr float tolerance = 1e-7f;  // of the norm of energy

// As in the kernel.
enum { first_norm, step_length, next_norm, state_size = 4 };

template <class T>
Array table(Compute &compute, const std::vector<T> &values) {
    return values.empty() ? Array() : compute.upload(values.data(), values.size() * sizeof(T));
}

} // namespace

GapSolver::GapSolver(Compute &compute, const GapLevels &gaps)
    : compute_(compute), positions_(table(compute, gaps.positions)) {
    for (const auto &level : gaps.levels)
        levels_.push_back({static_cast<cl_uint>(level.rows()), table(compute, level.diagonal),
                           table(compute, level.links), table(compute, level.weights),
                           table(compute, level.parents), table(compute, level.children)});
    counts_ = parts(1);
    compute.launch(kernel("count_beside"), share(1), BareBuffer{levels_.front().diagonal},
                   BareBuffer{levels_.front().weights}, ReadWriteBareBuffer{counts_}, rows());
    count_steps();
}

// By noise, in which all is that images can have.
void GapSolver::count_steps() {
    std::minstd_rand random;
    std::vector<float> noise(rows());
    for (float &value : noise)
        value = static_cast<float>(random()) / static_cast<float>(random.max()) - 0.5f;
    solve(compute_.upload(noise));
}

Array GapSolver::vector(cl_uint rows, unsigned planes) const {
    return compute_.allocate({GST_TOMO_FORMAT_FLOAT32, rows, planes});
}

WorkSize GapSolver::each_row(cl_uint rows, unsigned planes) { return WorkSize(rows, planes).groups(group); }

WorkSize GapSolver::share(unsigned planes) const {
    const unsigned most =
        compute_.device()->prefers_local_memory() ? 256 : compute_.device()->compute_units();
    return WorkSize(std::size_t{group} * std::min(most, (rows() + group - 1) / group), planes).groups(group);
}

Array GapSolver::parts(unsigned planes) const {
    return compute_.allocate({GST_TOMO_FORMAT_COMPLEX64, share(planes).global[0] / group, planes});
}

Kernel GapSolver::kernel(const char *name) const {
    return compute_.kernel(
        name, text("-D GROUP=%u -D SPREAD=%d", group, int{compute_.device()->prefers_local_memory()}),
        "gap-solver.cl");
}

void GapSolver::conclude(const Array &parts, Array &state, unsigned kind) {
    compute_.launch(kernel("conclude"), WorkSize(parts.height()), BareBuffer{parts}, cl_uint{parts.width()},
                    ReadWriteBareBuffer{state}, cl_uint{kind});
}

void GapSolver::multiply(const Array &a, const Array &b, Array &state, unsigned kind) {
    auto sums = parts(a.height());
    compute_.launch(kernel("product"), share(a.height()), BareBuffer{a}, BareBuffer{b},
                    ReadWriteBareBuffer{sums}, rows());
    conclude(sums, state, kind);
}

Array GapSolver::cycle(const Array &right, std::size_t number) {
    const auto &level = levels_[number];
    const unsigned planes = right.height();
    const auto all = each_row(level.rows, planes);
    auto guess = vector(level.rows, planes);
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
    auto rest = vector(coarse.rows, planes);
    compute_.launch(kernel("restrict_residual"), each_row(coarse.rows, planes), level.rows,
                    BareBuffer{level.diagonal}, BareBuffer{level.links}, BareBuffer{level.weights},
                    BareBuffer{right}, BareBuffer{guess}, BareBuffer{coarse.children}, coarse.rows,
                    ReadWriteBareBuffer{rest});
    const auto correction = cycle(rest, number + 1);
    auto better = vector(level.rows, planes);
    sweep("correct_and_sweep", guess, better, BareBuffer{level.parents}, BareBuffer{correction}, coarse.rows);
    sweep("sweep", better, guess);
    return guess;
}

bool GapSolver::is_small(const Array &state) const {
    const Host<const float> values(state);
    for (unsigned plane = 0; plane < state.height(); plane++) {
        const auto *norms = values.data() + plane * state_size;
        if (!(norms[next_norm] <= tolerance * tolerance * norms[first_norm]))
            return false;
    }
    return true;
}

Array GapSolver::solve(Array residual) {
    const unsigned planes = residual.height();
    const auto &level = levels_.front();
    const auto all = each_row(level.rows, planes);
    auto state = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, state_size, planes});
    auto solution = vector(rows(), planes), image = vector(rows(), planes);
    const float zero = 0.0f;
    compute_.fill(solution, &zero, sizeof zero);
    auto direction = cycle(residual);
    multiply(residual, direction, state, first_norm);
    const bool is_counting = steps_ == 0;
    for (unsigned step = 1; step <= (is_counting ? most_steps : steps_); step++) {
        auto sums = parts(planes);
        compute_.launch(kernel("apply_and_multiply"), share(planes), BareBuffer{level.diagonal},
                        BareBuffer{level.links}, BareBuffer{level.weights}, BareBuffer{direction},
                        ReadWriteBareBuffer{image}, ReadWriteBareBuffer{sums}, level.rows);
        conclude(sums, state, step_length);
        compute_.launch(kernel("advance"), all, level.rows, BareBuffer{state}, BareBuffer{direction},
                        BareBuffer{image}, ReadWriteBareBuffer{solution}, ReadWriteBareBuffer{residual});
        const auto preconditioned = cycle(residual);
        multiply(residual, preconditioned, state, next_norm);
        compute_.launch(kernel("turn"), all, level.rows, BareBuffer{state}, BareBuffer{preconditioned},
                        ReadWriteBareBuffer{direction});
        if (is_counting) {
            steps_ = step + spare_steps;
            if (is_small(state))
                break;
        }
    }
    return solution;
}

void GapSolver::fill(Array &images, const Array &marks, unsigned planes) {
    const cl_ulong samples = images.info().samples() / planes;
    auto right = vector(rows(), planes), sums = parts(planes);
    compute_.launch(kernel("gather"), share(planes), BareBuffer{images}, BareBuffer{marks},
                    BareBuffer{positions_}, ReadWriteBareBuffer{right}, ReadWriteBareBuffer{sums}, rows(),
                    cl_uint{images.width()}, cl_uint{images.height()}, samples);
    auto mean = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, planes, 1});
    compute_.launch(kernel("mean_beside"), WorkSize(planes), BareBuffer{sums}, BareBuffer{counts_},
                    cl_uint{sums.width()}, ReadWriteBareBuffer{mean});
    const auto &level = levels_.front();
    compute_.launch(kernel("subtract_mean"), each_row(rows(), planes), rows(), BareBuffer{level.diagonal},
                    BareBuffer{level.weights}, BareBuffer{mean}, ReadWriteBareBuffer{right});
    const auto solution = solve(std::move(right));
    compute_.launch(kernel("scatter"), each_row(rows(), planes), rows(), BareBuffer{positions_},
                    BareBuffer{solution}, BareBuffer{mean}, ReadWriteBareBuffer{images}, samples);
}

} // namespace tomo
