// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Every FFT engine against a DFT in double precision, and what holds for all of them: places, order, threads,
// errors and the cache.
#include "support.hpp"

#include <gst/tomo/device/context.hpp>
#include <gst/tomo/fft/fft.hpp>

#include <cmath>
#include <complex>
#include <cstring>
#include <thread>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using tomo::ClEvent;
using tomo::ClMem;
using tomo::ClQueue;
using tomo::Fft;
using tomo::FftDirection;
using tomo::FftShape;
using tomo::WaitList;
using tomotest::random_between;
using tomotest::randomness;

namespace {

using Complex = std::complex<double>;
using Samples = std::vector<std::complex<float>>;

constexpr double tolerance = 1e-6;
constexpr const char *engines[] = {"vkfft", "fftw", "clfft"};
constexpr int n_engines = G_N_ELEMENTS(engines);

tomo::Device &device() {
    static const auto context = tomo::Context::create("");
    return *context->default_device();
}

Samples random_samples(std::size_t count) {
    std::normal_distribution<float> normal;
    Samples samples(count);
    for (auto &sample : samples)
        sample = {normal(randomness()), normal(randomness())};
    return samples;
}

// ---- reference ------------------------------------------------------------

// Splits off one prime factor after the other; `roots` are the n_total-th roots of unity.
void dft_line(const Complex *in, Complex *out, std::size_t n, std::size_t stride,
              const std::vector<Complex> &roots) {
    if (n == 1) {
        out[0] = in[0];
        return;
    }
    std::size_t p = 2;
    while (n % p != 0)
        p++;
    const std::size_t m = n / p, total = roots.size(), step = total / n;
    std::vector<Complex> parts(n);
    for (std::size_t r = 0; r < p; r++)
        dft_line(in + r * stride, &parts[r * m], m, stride * p, roots);
    for (std::size_t k = 0; k < n; k++) {
        // By hand: the product of std::complex looks after infinities and is many times slower.
        double re = 0, im = 0;
        const std::size_t turn = k * step % total, place = k % m;
        std::size_t root = 0;
        for (std::size_t r = 0; r < p; r++) {
            const auto *part = reinterpret_cast<const double *>(&parts[r * m + place]);
            const auto *w = reinterpret_cast<const double *>(&roots[root]);
            re += part[0] * w[0] - part[1] * w[1];
            im += part[0] * w[1] + part[1] * w[0];
            root += turn;
            root -= total & -static_cast<std::size_t>(root >= total); // nothing could predict a branch
        }
        out[k] = {re, im};
    }
}

std::vector<Complex> reference(const std::complex<float> *in, const FftShape &shape, FftDirection direction) {
    std::vector<Complex> data(in, in + shape.samples());
    std::size_t inner = 1;
    const double sign = direction == FftDirection::Forward ? -1 : 1;
    for (unsigned d = 0; d < shape.dimensions; d++) {
        const std::size_t n = shape.size[d];
        std::vector<Complex> roots(n), line(n), result(n);
        for (std::size_t k = 0; k < n; k++)
            roots[k] = std::polar(1.0, sign * 2 * M_PI * static_cast<double>(k) / static_cast<double>(n));
        for (std::size_t first = 0; first < data.size();
             first += (first + 1) % inner ? 1 : inner * (n - 1) + 1) {
            for (std::size_t i = 0; i < n; i++)
                line[i] = data[first + i * inner];
            dft_line(line.data(), result.data(), n, 1, roots);
            for (std::size_t i = 0; i < n; i++)
                data[first + i * inner] = result[i];
        }
        inner *= n;
    }
    if (direction == FftDirection::Inverse)
        for (auto &value : data)
            value /= static_cast<double>(shape.item_samples());
    return data;
}

// NaN where the result holds one.
double relative_l2(const std::complex<float> *result, const std::vector<Complex> &wanted) {
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < wanted.size(); i++) {
        difference += std::norm(Complex(result[i]) - wanted[i]);
        norm += std::norm(wanted[i]);
    }
    return std::sqrt(difference / norm);
}

// ---- device ---------------------------------------------------------------

ClMem make_buffer(const Samples &samples) {
    cl_int status = CL_SUCCESS;
    ClMem buffer(clCreateBuffer(device().context(), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                samples.size() * sizeof samples[0],
                                const_cast<std::complex<float> *>(samples.data()), &status));
    tomo::cl_check(status, "test buffer");
    return buffer;
}

ClQueue make_queue(cl_command_queue_properties properties = 0) {
    cl_int status = CL_SUCCESS;
    ClQueue queue(clCreateCommandQueue(device().context(), device().id(), properties, &status));
    tomo::cl_check(status, "test queue");
    return queue;
}

ClEvent make_gate() {
    cl_int status = CL_SUCCESS;
    ClEvent gate(clCreateUserEvent(device().context(), &status));
    tomo::cl_check(status, "test event");
    return gate;
}

WaitList after(const ClQueue &queue, const ClEvent &event) {
    WaitList wait(queue.get());
    wait.add({event, {}});
    return wait;
}

Samples read(const ClQueue &queue, const ClMem &buffer, std::size_t count, const ClEvent &event = {}) {
    Samples samples(count);
    cl_event raw = event.get();
    tomo::cl_check(clEnqueueReadBuffer(queue.get(), buffer.get(), CL_TRUE, 0, count * sizeof samples[0],
                                       samples.data(), raw ? 1 : 0, raw ? &raw : nullptr, nullptr),
                   "test read");
    return samples;
}

// ---- engines --------------------------------------------------------------

bool is_here(const std::string &engine) {
    if (engine == "fftw" && !device().is_cpu())
        return false;
#ifndef GST_TOMO_HAVE_VKFFT
    if (engine == "vkfft")
        return false;
#endif
#ifndef GST_TOMO_HAVE_CLFFT
    if (engine == "clfft")
        return false;
#endif
#ifndef GST_TOMO_HAVE_FFTW
    if (engine == "fftw")
        return false;
#endif
    return true;
}

bool can_do(const std::string &engine, const FftShape &shape) {
    if (engine != "clfft")
        return true;
    for (unsigned d = 0; d < shape.dimensions; d++) {
        std::size_t rest = shape.size[d];
        for (std::size_t p : {2, 3, 5, 7, 11, 13})
            while (rest % p == 0)
                rest /= p;
        if (rest != 1)
            return false;
    }
    return true;
}

std::shared_ptr<Fft> make(const char *engine, const FftShape &shape) {
    g_setenv("GST_TOMO_FFT", engine, TRUE);
    return tomo::make_fft(device().context(), device().id(), shape);
}

std::string error_of(const std::function<void()> &action) {
    try {
        action();
    } catch (const tomo::Error &error) {
        return error.what();
    }
    return "";
}

void assert_has(const std::string &message, const std::string &part) {
    fail_unless(message.find(part) != std::string::npos, "'%s' should say '%s'", message.c_str(),
                part.c_str());
}

// All of `before` but `count` samples from `offset` on must still be there.
void assert_untouched(const Samples &before, const Samples &now, std::size_t offset, std::size_t count,
                      const std::string &where) {
    // Every fail_unless writes to a pipe: none of them inside the loop.
    for (std::size_t i = 0; i < before.size(); i++)
        if ((i < offset || i >= offset + count) && std::memcmp(&before[i], &now[i], sizeof before[i]) != 0)
            fail("%s: sample %zu was touched", where.c_str(), i);
}

// Runs a shape in every way: both directions, in and out of place, with and without offsets.
void check_shape(const char *engine, const FftShape &shape) {
    const std::string name = tomo::text("%s, %s", engine, shape.describe().c_str());
    if (!can_do(engine, shape)) {
        const auto message = error_of([&] { make(engine, shape); });
        assert_has(message, "GST_TOMO_FFT=vkfft");
        return;
    }
    const auto fft = make(engine, shape);
    fail_unless_equals_string(fft->engine(), engine);
    const auto queue = make_queue();
    const std::size_t count = shape.samples();
    const auto given = random_samples(count);
    for (FftDirection direction : {FftDirection::Forward, FftDirection::Inverse}) {
        const auto wanted = reference(given.data(), shape, direction);
        // Offsets: none, one that no sub-buffer can have, and one that every sub-buffer can have.
        for (std::size_t offset : {0, 3, 4096}) {
            const std::size_t tail = 5, out_offset = offset == 3 ? 1 : offset;
            auto in = random_samples(offset + count + tail);
            std::copy(given.begin(), given.end(), in.begin() + static_cast<std::ptrdiff_t>(offset));
            const auto out = random_samples(out_offset + count + tail);
            // The order in which buffers are made must not matter.
            ClMem in_buffer = offset ? make_buffer(in) : ClMem();
            const ClMem out_buffer = make_buffer(out);
            if (!in_buffer)
                in_buffer = make_buffer(in);
            const WaitList nothing(queue.get());
            const auto where = tomo::text("%s, %s, offset %zu", name.c_str(),
                                          direction == FftDirection::Forward ? "forward" : "inverse", offset);

            fft->enqueue(queue.get(), direction, in_buffer.get(), offset, out_buffer.get(), out_offset,
                         nothing);
            auto result = read(queue, out_buffer, out.size());
            double error = relative_l2(result.data() + out_offset, wanted);
            fail_unless(error <= tolerance, "%s: relative L2 %g", where.c_str(), error);
            assert_untouched(out, result, out_offset, count, where + ", output");
            assert_untouched(in, read(queue, in_buffer, in.size()), 0, 0, where + ", input");

            fft->enqueue(queue.get(), direction, in_buffer.get(), offset, in_buffer.get(), offset, nothing);
            result = read(queue, in_buffer, in.size());
            error = relative_l2(result.data() + offset, wanted);
            fail_unless(error <= tolerance, "%s, in place: relative L2 %g", where.c_str(), error);
            assert_untouched(in, result, offset, count, where + ", in place");
        }
    }
}

// PoCL compiles for seconds what VkFFT and clFFT write for each shape, and CPU devices have FFTW: there,
// other engines get one shape of each kind, other ones in each run.
bool is_thinned(int engine) { return device().is_cpu() && engines[engine] != std::string("fftw"); }

using Kind = std::vector<FftShape>; // shapes that engines compute in one way

void check_shapes(int engine, std::initializer_list<Kind> kinds) {
    if (!is_here(engines[engine]))
        return;
    for (const Kind &kind : kinds) {
        const std::size_t only = random_between(0, kind.size() - 1);
        for (std::size_t i = 0; i < kind.size(); i++)
            if (i == only || !is_thinned(engine))
                check_shape(engines[engine], kind[i]);
    }
}

} // namespace

GST_START_TEST(test_rows) {
    const Kind single{{1, {1}, 1}, {1, {1}, 7}};
    const Kind tiny{{1, {2}, 1}, {1, {3}, 5}, {1, {4}, 4}, {1, {5}, 1}};
    const Kind powers_of_two{{1, {64}, 1}, {1, {1024}, 31}, {1, {2048}, 17}, {1, {4096}, 3}};
    const Kind small_factors{{1, {210}, 6}, {1, {1000}, 3}};
    const Kind small_primes{{1, {13}, 3}, {1, {17}, 2}, {1, {127}, 9}};
    const Kind large_prime_factors{{1, {2039}, 5}, {1, {4097}, 2}};
    check_shapes(__i__, {single, tiny, powers_of_two, small_factors, small_primes, large_prime_factors});
}
GST_END_TEST;

// Too long for local memory: several kernels with scratch memory between them.
GST_START_TEST(test_long_rows) {
    check_shapes(__i__, {Kind{{1, {65536}, 2}, {1, {50000}, 3}}, Kind{{1, {8209}, 2}}});
}
GST_END_TEST;

GST_START_TEST(test_planes_and_blocks) {
    const Kind flat_planes{{2, {1, 1}, 3}, {2, {1, 37}, 2}, {2, {41, 1}, 2}};
    const Kind even_planes{{2, {16, 16}, 4}, {2, {512, 256}, 3}};
    const Kind odd_planes{{2, {3, 2}, 5}, {2, {31, 64}, 3}, {2, {100, 77}, 1}};
    const Kind prime_planes{{2, {1021, 769}, 1}};
    const Kind flat_blocks{{3, {1, 1, 1}, 1}, {3, {8, 1, 9}, 2}, {3, {1, 6, 17}, 3}};
    const Kind even_blocks{{3, {16, 8, 4}, 2}, {3, {32, 32, 32}, 1}};
    const Kind odd_blocks{{3, {2, 3, 5}, 4}, {3, {19, 23, 7}, 1}};
    check_shapes(__i__,
                 {flat_planes, even_planes, odd_planes, prime_planes, flat_blocks, even_blocks, odd_blocks});
}
GST_END_TEST;

GST_START_TEST(test_random_shapes) {
    if (!is_here(engines[__i__]))
        return;
    for (int i = 0; i < (is_thinned(__i__) ? 1 : 4); i++) {
        FftShape shape;
        shape.dimensions = static_cast<unsigned>(random_between(1, 3));
        shape.size = {1, 1, 1};
        for (unsigned d = 0; d < shape.dimensions; d++)
            shape.size[d] = random_between(1, shape.dimensions == 1   ? 6000
                                              : shape.dimensions == 2 ? 150
                                                                      : 30);
        shape.batch = random_between(1, 5);
        check_shape(engines[__i__], shape);
    }
}
GST_END_TEST;

// More items than some devices have work groups in a dimension.
GST_START_TEST(test_many_items) {
    check_shapes(__i__, {Kind{{1, {8}, 70000}, {1, {17}, 70001}}, Kind{{2, {4, 4}, 70000}}});
}
GST_END_TEST;

GST_START_TEST(test_places_in_one_buffer) {
    const char *engine = engines[__i__];
    if (!is_here(engine))
        return;
    const FftShape shape{1, {480}, 3};
    const std::size_t count = shape.samples(), gap = 7;
    const auto fft = make(engine, shape);
    const auto queue = make_queue();
    const WaitList nothing(queue.get());
    const auto before = random_samples(2 * count + gap);
    const auto wanted = reference(before.data(), shape, FftDirection::Forward);
    const auto buffer = make_buffer(before);

    // Side by side
    fft->enqueue(queue.get(), FftDirection::Forward, buffer.get(), 0, buffer.get(), count + gap, nothing);
    auto now = read(queue, buffer, before.size());
    fail_unless(relative_l2(now.data() + count + gap, wanted) <= tolerance);
    assert_untouched(before, now, count + gap, count, engine);

    // In place, but the buffer once by itself and once as a sub-buffer
    const cl_buffer_region region{0, count * sizeof(cl_float2)};
    cl_int status = CL_SUCCESS;
    const ClMem part(
        clCreateSubBuffer(buffer.get(), CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &status));
    fail_unless_equals_int(status, CL_SUCCESS);
    fft->enqueue(queue.get(), FftDirection::Forward, buffer.get(), 0, part.get(), 0, nothing);
    now = read(queue, buffer, before.size());
    fail_unless(relative_l2(now.data(), wanted) <= tolerance);

    // Into a sub-buffer that does not start where its parent does
    const cl_buffer_region later{device().base_align(), count * sizeof(cl_float2)};
    const auto source = make_buffer(before);
    const ClMem shifted(
        clCreateSubBuffer(buffer.get(), CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &later, &status));
    fail_unless_equals_int(status, CL_SUCCESS);
    fft->enqueue(queue.get(), FftDirection::Forward, source.get(), 0, shifted.get(), 0, nothing);
    now = read(queue, buffer, before.size());
    fail_unless(relative_l2(now.data() + device().base_align() / sizeof(cl_float2), wanted) <= tolerance);
}
GST_END_TEST;

// Two threads, each with a queue of its own, on one plan with scratch memory.
GST_START_TEST(test_threads_share_a_plan) {
    const char *engine = engines[__i__];
    if (!is_here(engine))
        return;
    for (const FftShape &shape :
         {FftShape{1, {1024}, 40}, FftShape{1, {65536}, 2}, FftShape{2, {96, 80}, 2}}) {
        const auto fft = make(engine, shape);
        constexpr int rounds = 12;
        struct Share {
            std::vector<ClMem> in, out;
            std::vector<std::vector<Complex>> wanted;
            std::vector<FftDirection> directions;
            ClQueue queue = make_queue();
            std::string problem;
        } shares[2];
        for (auto &share : shares)
            for (int i = 0; i < rounds; i++) {
                const auto in = random_samples(shape.samples());
                share.directions.push_back(i % 3 ? FftDirection::Forward : FftDirection::Inverse);
                share.in.push_back(make_buffer(in));
                share.out.push_back(i % 2 ? share.in.back() : make_buffer(in));
                share.wanted.push_back(reference(in.data(), shape, share.directions.back()));
            }
        const auto work = [&fft](Share &share) {
            share.problem = error_of([&] {
                for (int i = 0; i < rounds; i++)
                    fft->enqueue(share.queue.get(), share.directions[i], share.in[i].get(), 0,
                                 share.out[i].get(), 0, WaitList(share.queue.get()));
            });
        };
        std::thread other(work, std::ref(shares[1]));
        work(shares[0]);
        other.join();
        for (auto &share : shares) {
            fail_unless_equals_string(share.problem.c_str(), "");
            for (int i = 0; i < rounds; i++) {
                const double error =
                    relative_l2(read(share.queue, share.out[i], shape.samples()).data(), share.wanted[i]);
                fail_unless(error <= tolerance, "%s, %s, round %d: relative L2 %g", engine,
                            shape.describe().c_str(), i, error);
            }
        }
    }
}
GST_END_TEST;

// A transform that waits reads what is there when the wait ends; its event ends with it; the plan may be
// gone.
GST_START_TEST(test_order) {
    const char *engine = engines[__i__];
    if (!is_here(engine))
        return;
    for (const FftShape &shape :
         {FftShape{1, {1}, 50}, FftShape{1, {1000}, 3}, FftShape{1, {65536}, 1}, FftShape{2, {64, 48}, 2}}) {
        auto fft = make(engine, shape);
        const auto queue = make_queue(), other = make_queue();
        const auto early = random_samples(shape.samples()), late = random_samples(shape.samples());
        const auto in = make_buffer(early), out = make_buffer(early);
        const auto gate = make_gate();
        const auto done =
            fft->enqueue(queue.get(), FftDirection::Forward, in.get(), 0, out.get(), 0, after(queue, gate));
        fft.reset();
        tomo::cl_check(clFlush(queue.get()), "test flush");
        tomo::cl_check(clEnqueueWriteBuffer(other.get(), in.get(), CL_TRUE, 0, late.size() * sizeof late[0],
                                            late.data(), 0, nullptr, nullptr),
                       "test write");
        fail_if(tomo::is_complete({done, queue}));
        tomo::cl_check(clSetUserEventStatus(gate.get(), CL_COMPLETE), "test gate");
        const auto result = read(other, out, shape.samples(), done);
        fail_unless(tomo::is_complete({done, queue}));
        const double error = relative_l2(result.data(), reference(late.data(), shape, FftDirection::Forward));
        fail_unless(error <= tolerance, "%s, %s: relative L2 %g", engine, shape.describe().c_str(), error);
    }
}
GST_END_TEST;

// Two queues let go at the same moment, with transforms that need the plan's one scratch memory.
GST_START_TEST(test_scratch_is_handed_on) {
    const char *engine = engines[__i__];
    if (!is_here(engine))
        return;
    const FftShape shape{1, {65536}, 1};
    const auto fft = make(engine, shape);
    const ClQueue queues[] = {make_queue(), make_queue()};
    for (int round = 0; round < 8; round++) {
        const Samples in[] = {random_samples(shape.samples()), random_samples(shape.samples())};
        const ClMem buffers[] = {make_buffer(in[0]), make_buffer(in[1])};
        const auto gate = make_gate();
        for (int i = 0; i < 2; i++) {
            fft->enqueue(queues[i].get(), FftDirection::Forward, buffers[i].get(), 0, buffers[i].get(), 0,
                         after(queues[i], gate));
            tomo::cl_check(clFlush(queues[i].get()), "test flush");
        }
        tomo::cl_check(clSetUserEventStatus(gate.get(), CL_COMPLETE), "test gate");
        for (int i = 0; i < 2; i++) {
            const auto wanted = reference(in[i].data(), shape, FftDirection::Forward);
            const double error = relative_l2(read(queues[i], buffers[i], wanted.size()).data(), wanted);
            fail_unless(error <= tolerance, "%s, round %d, queue %d: relative L2 %g", engine, round, i,
                        error);
        }
    }
}
GST_END_TEST;

GST_START_TEST(test_errors) {
    const char *engine = engines[__i__];
    const FftShape shape{1, {100}, 2};
    if (!is_here(engine)) {
        assert_has(error_of([&] { make(engine, shape); }), engine);
        return;
    }
    assert_has(error_of([&] { make(engine, {1, {0}, 1}); }), "empty");
    assert_has(error_of([&] { make(engine, {1, {8}, 0}); }), "empty");
    assert_has(error_of([&] { make(engine, {2, {8}, 1}); }), "empty");
    assert_has(error_of([&] { make(engine, {0, {8}, 1}); }), "wanted 1, 2 or 3");
    assert_has(error_of([&] { make(engine, {4, {8, 8, 8}, 1}); }), "wanted 1, 2 or 3");
    assert_has(error_of([&] { make(engine, {1, {8, 2}, 1}); }), "no size 2 in dimension 2");
    assert_has(error_of([&] { make(engine, {1, {SIZE_MAX / 2}, 9}); }), "larger than any memory");
    assert_has(error_of([&] { make(engine, {1, {SIZE_MAX / 8}, 1}); }), "larger than any memory");

    const auto fft = make(engine, shape);
    const auto queue = make_queue();
    const WaitList nothing(queue.get());
    const auto data = random_samples(299);
    const auto buffer = make_buffer(data), separate = make_buffer(data);
    const auto run = [&](cl_command_queue q, cl_mem in, std::size_t from, cl_mem out, std::size_t to) {
        return error_of([&] { fft->enqueue(q, FftDirection::Forward, in, from, out, to, nothing); });
    };
    assert_has(run(queue.get(), nullptr, 0, buffer.get(), 0), "no input buffer");
    assert_has(run(queue.get(), buffer.get(), 0, nullptr, 0), "no output buffer");
    assert_has(run(queue.get(), buffer.get(), 100, separate.get(), 0), "the input buffer holds 299 samples");
    assert_has(run(queue.get(), separate.get(), 0, buffer.get(), 100), "the output buffer holds 299 samples");
    assert_has(run(queue.get(), buffer.get(), SIZE_MAX, separate.get(), 0),
               "the input buffer holds 299 samples");
    assert_has(run(queue.get(), buffer.get(), 0, buffer.get(), 99), "overlap, 792 bytes apart");
    assert_has(run(queue.get(), buffer.get(), 50, buffer.get(), 0), "overlap, 400 bytes apart");
    const auto unordered = make_queue(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
    assert_has(run(unordered.get(), buffer.get(), 0, separate.get(), 0), "in-order");
    assert_untouched(data, read(queue, buffer, data.size()), 0, 0, "after errors");
    assert_untouched(data, read(queue, separate, data.size()), 0, 0, "after errors");
    const auto message = run(queue.get(), buffer.get(), 99, separate.get(), 99);
    fail_unless_equals_string(message.c_str(), "");
    clFinish(queue.get());
}
GST_END_TEST;

GST_START_TEST(test_choice) {
    const FftShape shape{1, {16}, 1};
    g_unsetenv("GST_TOMO_FFT");
    const auto by_default = tomo::make_fft(device().context(), device().id(), shape);
#if defined(GST_TOMO_HAVE_FFTW)
    fail_unless_equals_string(by_default->engine(), device().is_cpu() ? "fftw" : "vkfft");
#else
    fail_unless_equals_string(by_default->engine(), "vkfft");
#endif
    fail_unless_equals_string(make("", shape)->engine(), by_default->engine());
    const auto message = error_of([&] { make("cufft", shape); });
    assert_has(message, "cufft");
    assert_has(message, "wanted vkfft, fftw or clfft");
    if (!device().is_cpu())
        assert_has(error_of([&] { make("fftw", shape); }), "CPU devices only");
    assert_has(error_of([&] { make("clfft", {2, {64, 34}, 1}); }),
               is_here("clfft") ? "clFFT can't transform the length 34" : "without clfft");
}
GST_END_TEST;

GST_START_TEST(test_cache) {
    tomo::FftCache cache;
    const auto get = [&cache](const char *engine, const FftShape &shape) {
        g_setenv("GST_TOMO_FFT", engine, TRUE);
        return cache.get(device().context(), device().id(), shape);
    };
    const auto plan = get("", {1, {64}, 3});
    fail_unless(get("", {1, {64}, 3}) == plan);
    fail_unless(get("", {2, {64, 1}, 3}) == plan);
    fail_unless(get("", {3, {1, 64, 1}, 3}) == plan);
    fail_if(get("", {1, {64}, 2}) == plan);
    fail_if(get("", {2, {64, 3}, 1}) == plan);
    fail_if(get("", {1, {3}, 64}) == plan);
    for (const char *engine : engines)
        if (is_here(engine)) {
            fail_unless_equals_string(get(engine, {1, {64}, 3})->engine(), engine);
            fail_unless((get(engine, {1, {64}, 3}) == plan) == g_str_equal(engine, plan->engine()));
        }

    // A failure is no plan, neither the first nor the second time, and does no harm to others.
    for (int i = 0; i < 2; i++)
        assert_has(error_of([&] { get("", {1, {0}, 1}); }), "empty");
    fail_unless(get("", {1, {64}, 3}) == plan);

    // Asked for from several threads at once, it is made once.
    std::shared_ptr<Fft> got[4];
    std::vector<std::thread> threads;
    for (auto &place : got)
        threads.emplace_back([&] { place = cache.get(device().context(), device().id(), {1, {240}, 2}); });
    for (auto &thread : threads)
        thread.join();
    for (const auto &place : got)
        fail_unless(place && place == got[0]);

    // Plans that nobody used for long go.
    const std::weak_ptr<Fft> old = got[0];
    for (auto &place : got)
        place.reset();
    fail_if(old.expired());
    for (std::size_t batch = 1; batch <= 40; batch++)
        get("", {1, {1}, batch});
    fail_unless(old.expired());
}
GST_END_TEST;

static Suite *fft_suite() {
    Suite *suite = suite_create("fft");
    TCase *tests = tcase_create("engines");
    tcase_set_timeout(tests, 0); // compiling takes as long as it takes; the runner of the suite has a limit
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, test_rows, 0, n_engines);
    tcase_add_loop_test(tests, test_long_rows, 0, n_engines);
    tcase_add_loop_test(tests, test_planes_and_blocks, 0, n_engines);
    tcase_add_loop_test(tests, test_random_shapes, 0, n_engines);
    tcase_add_loop_test(tests, test_many_items, 0, n_engines);
    tcase_add_loop_test(tests, test_places_in_one_buffer, 0, n_engines);
    tcase_add_loop_test(tests, test_threads_share_a_plan, 0, n_engines);
    tcase_add_loop_test(tests, test_order, 0, n_engines);
    tcase_add_loop_test(tests, test_scratch_is_handed_on, 0, n_engines);
    tcase_add_loop_test(tests, test_errors, 0, n_engines);
    tcase_add_test(tests, test_choice);
    tcase_add_test(tests, test_cache);
    return suite;
}

GST_CHECK_MAIN(fft)
