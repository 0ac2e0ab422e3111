// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conjugate-gradients.hpp"

#include <algorithm>
#include <utility>

namespace tomo {

namespace {

// As in the kernel: of `conclude`, and of the state.
enum { first_norm, step_length, next_norm, state_size = 4 };

} // namespace

ConjugateGradients::ConjugateGradients(Compute &compute, cl_uint rows, Apply apply, Precondition precondition)
    : compute_(compute), rows_(rows), apply_(std::move(apply)), precondition_(std::move(precondition)) {}

Array ConjugateGradients::vector(Compute &compute, cl_uint rows, unsigned count) {
    return compute.allocate({GST_TOMO_FORMAT_FLOAT32, rows, count});
}

WorkSize ConjugateGradients::share(Compute &compute, cl_uint rows, unsigned count) {
    const auto &device = *compute.device();
    const unsigned most = device.prefers_local_memory() ? 256 : device.compute_units();
    return WorkSize(std::size_t{group} * std::min(most, (rows + group - 1) / group), count).groups(group);
}

Array ConjugateGradients::parts(Compute &compute, cl_uint rows, unsigned count) {
    return compute.allocate(
        {GST_TOMO_FORMAT_COMPLEX64, share(compute, rows, count).global[0] / group, count});
}

std::string ConjugateGradients::options(Compute &compute) {
    return text("-D GROUP=%u -D SPREAD=%d", group, int{compute.device()->prefers_local_memory()});
}

Kernel ConjugateGradients::kernel(const char *name) {
    return compute_.kernel(name, options(compute_), "conjugate-gradients.cl");
}

void ConjugateGradients::conclude(const Array &parts, Array &numbers, unsigned kind) {
    compute_.launch(kernel("conclude"), WorkSize(parts.height()), BareBuffer{parts}, cl_uint{parts.width()},
                    ReadWriteBareBuffer{numbers}, cl_uint{kind});
}

void ConjugateGradients::multiply(const Array &a, const Array &b, Array &numbers, unsigned kind) {
    auto sums = parts(compute_, rows_, a.height());
    compute_.launch(kernel("product"), share(compute_, rows_, a.height()), BareBuffer{a}, BareBuffer{b},
                    ReadWriteBareBuffer{sums}, rows_);
    conclude(sums, numbers, kind);
}

ConjugateGradients::State ConjugateGradients::begin(Array right) {
    const unsigned count = right.height();
    State state{compute_.allocate({GST_TOMO_FORMAT_FLOAT32, state_size, count}),
                vector(compute_, rows_, count),
                vector(compute_, rows_, count),
                std::move(right),
                {}};
    const float zero = 0.0f;
    compute_.fill(state.solution, &zero, sizeof zero);
    state.direction = precondition_(state.residual);
    multiply(state.residual, state.direction, state.numbers, first_norm);
    return state;
}

void ConjugateGradients::step(State &s) {
    const unsigned count = s.residual.height();
    const auto all = each_row(rows_, count);
    auto sums = parts(compute_, rows_, count);
    apply_(s.direction, s.image, sums);
    conclude(sums, s.numbers, step_length);
    compute_.launch(kernel("advance"), all, rows_, BareBuffer{s.numbers}, BareBuffer{s.direction},
                    BareBuffer{s.image}, ReadWriteBareBuffer{s.solution}, ReadWriteBareBuffer{s.residual});
    const auto preconditioned = precondition_(s.residual);
    multiply(s.residual, preconditioned, s.numbers, next_norm);
    compute_.launch(kernel("turn"), all, rows_, BareBuffer{s.numbers}, BareBuffer{preconditioned},
                    ReadWriteBareBuffer{s.direction});
}

Array ConjugateGradients::solve(Array right, unsigned steps) {
    auto state = begin(std::move(right));
    for (unsigned i = 0; i < steps; i++)
        step(state);
    return state.solution;
}

Array ConjugateGradients::solve(Array right, const Until &until, unsigned &steps) {
    auto state = begin(std::move(right));
    for (steps = 0; steps < until.most;) {
        step(state);
        if (++steps % until.every == 0 && is_small(state.numbers, until.tolerance))
            break;
    }
    return state.solution;
}

bool ConjugateGradients::is_small(const Array &numbers, float tolerance) {
    const Host<const float> values(numbers);
    for (unsigned i = 0; i < numbers.height(); i++) {
        const auto *state = values.data() + i * state_size;
        if (!(state[next_norm] <= tolerance * tolerance * state[first_norm]))
            return false;
    }
    return true;
}

} // namespace tomo
