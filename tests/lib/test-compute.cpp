// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Computing without GStreamer: as a solver or a program would, that has no element and never calls
// gst_init().
#include "support.hpp"

#include <gst/tomo/compute/running-mean.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using tomo::Array;
using tomo::ArrayInfo;
using tomo::Host;

namespace {

std::shared_ptr<tomo::Device> open_device() { return tomo::Context::create("")->default_device(); }

// Sizes that no work-group divides.
ArrayInfo odd_shape(GstTomoFormat format) {
    const auto odd = [] { return static_cast<unsigned>(2 * random_between(3, 60) + 1); };
    return {format, odd(), odd(), odd() % 5 + 1};
}

template <class T>
std::vector<T> fill_randomly(const Array &array) {
    std::vector<T> values(array.info().samples());
    for (auto &value : values)
        value = static_cast<T>(random_between(0, 60000));
    const Host<T> host(array);
    std::memcpy(host.data(), values.data(), values.size() * sizeof(T));
    return values;
}

std::vector<char> bytes_of(const Array &array) {
    const Host<const char> host(array);
    return {host.data(), host.data() + array.info().size()};
}

const char *const scale_source = R"(
    kernel void scale(IN(in), OUT(float, out), const float factor, const ulong first)
    {
        const ulong i = get_global_id(0);
        AT(out, i) = LOAD(in, i + first) * factor;
    })";

} // namespace

GST_START_TEST(test_kernels) {
    tomo::Compute compute(open_device());
    const auto shape = odd_shape(GST_TOMO_FORMAT_UINT16);
    const Array in = compute.allocate(shape);
    const auto values = fill_randomly<std::uint16_t>(in);
    Array out = compute.allocate(shape.with_format(GST_TOMO_FORMAT_FLOAT32));
    const auto factor = static_cast<float>(random_between(1, 1000)) / 7.0f;
    compute.input_format("in", GST_TOMO_FORMAT_UINT16);
    const auto scale = compute.kernel_from_source("scale.cl", scale_source, "scale", compute.input_types());
    compute.launch(scale, shape.samples(), in, out, factor, cl_ulong{0});
    const Host<const float> results(out);
    for (std::size_t i = 0; i < values.size(); i++) {
        const double wanted = static_cast<double>(values[i]) * factor;
        fail_unless(std::abs(results[i] - wanted) <= 1e-6 * wanted, "sample %zu is %.9g, wanted %.9g", i,
                    results[i], wanted);
    }

    // A plane of it, behind the first sample of its memory.
    const Array last = in.plane(shape.depth - 1);
    Array plane = compute.allocate(last.info().with_format(GST_TOMO_FORMAT_FLOAT32));
    compute.launch(scale, plane.info().samples() - 1, last, plane, 1.0f, cl_ulong{1});
    const Host<const float> of_plane(plane);
    for (std::size_t i = 0; i + 1 < plane.info().samples(); i++)
        fail_unless(of_plane[i] == values[last.sample_offset() + i + 1]);
    fail_if(gst_is_initialized());
}
GST_END_TEST;

GST_START_TEST(test_kernel_file) {
    const Folder folder;
    g_setenv("GST_TOMO_KERNEL_PATH", folder.path().c_str(), TRUE);
    folder.write("numbers.cl", "kernel void numbers(OUT(uint, out)) { AT(out, get_global_id(0)) = FIRST + "
                               "get_global_id(0); }\n");
    tomo::Compute compute(open_device());
    Array out = compute.allocate({GST_TOMO_FORMAT_UINT32, 131, 1});
    const unsigned base = random_between(0, 1000000);
    const auto numbers = compute.kernel("numbers", tomo::text("-D FIRST=%u", base), "numbers.cl");
    compute.launch(numbers, out.info().samples(), out);
    const Host<const std::uint32_t> results(out);
    for (unsigned i = 0; i < out.width(); i++)
        fail_unless_equals_int(results[i], base + i);

    const auto no_file = error_of([&] { compute.kernel("numbers"); });
    fail_unless(no_file.find("kernel numbers: its file is not named") == 0, "%s", no_file.c_str());
    const auto no_kernel = error_of([&] { compute.kernel("number", "-D FIRST=1", "numbers.cl"); });
    fail_unless(no_kernel.find("numbers.cl has no kernel 'number'; its kernels: numbers") == 0, "%s",
                no_kernel.c_str());
    const auto broken = error_of([&] { compute.kernel("numbers", "-D FIRST=none", "numbers.cl"); });
    fail_unless(broken.find("numbers.cl does not compile for") == 0, "%s", broken.c_str());
    fail_if(gst_is_initialized());
}
GST_END_TEST;

GST_START_TEST(test_fill_and_copy) {
    tomo::Compute compute(open_device());
    const auto shape = odd_shape(GST_TOMO_FORMAT_FLOAT64);
    Array filled = compute.allocate(shape);
    const double pattern = 1.0 / static_cast<double>(random_between(1, 1000));
    compute.fill(filled, &pattern, sizeof pattern);
    {
        const Host<const double> host(filled);
        for (std::size_t i = 0; i < shape.samples(); i++)
            fail_unless(host[i] == pattern);
    }

    // A window of one array into another place of another one, row by row; all around it stays.
    const ArrayInfo from_shape(GST_TOMO_FORMAT_UINT8, 37, 23), to_shape(GST_TOMO_FORMAT_UINT8, 53, 29);
    const Array from = compute.allocate(from_shape);
    Array to = compute.allocate(to_shape);
    const auto source = fill_randomly<std::uint8_t>(from);
    auto wanted = fill_randomly<std::uint8_t>(to);
    const std::size_t width = 11, rows = 7, x = 5, y = 3, to_x = 13, to_y = 17;
    compute.copy_rows(from, {y * 37 + x, 37}, to, {to_y * 53 + to_x, 53}, width, rows);
    for (std::size_t row = 0; row < rows; row++)
        for (std::size_t i = 0; i < width; i++)
            wanted[(to_y + row) * 53 + to_x + i] = source[(y + row) * 37 + x + i];
    // One piece as well.
    compute.copy_rows(from, {100}, to, {1}, 200);
    std::memcpy(wanted.data() + 1, source.data() + 100, 200);
    fail_unless(std::memcmp(bytes_of(to).data(), wanted.data(), wanted.size()) == 0);
    fail_if(gst_is_initialized());
}
GST_END_TEST;

GST_START_TEST(test_upload) {
    tomo::Compute compute(open_device());
    std::vector<float> values(random_between(1, 1000));
    for (auto &value : values)
        value = static_cast<float>(random_between(0, 1000000)) / 3.0f;
    const Array table = compute.upload(values);
    fail_unless(table.info() == ArrayInfo(GST_TOMO_FORMAT_FLOAT32, values.size(), 1));
    fail_unless(std::memcmp(bytes_of(table).data(), values.data(), values.size() * sizeof(float)) == 0);
    const std::array<char, 13> bytes{"twelve bytes"};
    const Array raw = compute.upload(bytes.data(), bytes.size());
    fail_unless(raw.info() == ArrayInfo(GST_TOMO_FORMAT_UINT8, bytes.size(), 1));
    fail_unless(std::memcmp(bytes_of(raw).data(), bytes.data(), bytes.size()) == 0);
    fail_if(gst_is_initialized());
}
GST_END_TEST;

// What the library has for elements serves others as well.
GST_START_TEST(test_running_mean) {
    g_setenv("GST_TOMO_KERNEL_PATH", KERNELS, TRUE);
    tomo::Compute compute(open_device());
    tomo::RunningMean mean(compute);
    const auto shape = odd_shape(GST_TOMO_FORMAT_UINT16);
    std::vector<double> sums(shape.samples());
    const unsigned count = random_between(2, 9);
    for (unsigned n = 0; n < count; n++) {
        const Array array = compute.allocate(shape);
        const auto values = fill_randomly<std::uint16_t>(array);
        for (std::size_t i = 0; i < values.size(); i++)
            sums[i] += values[i];
        mean.add(array);
        compute.limit_frames_in_flight(array);
    }
    const Array result = mean.mean();
    const Host<const float> host(result);
    for (std::size_t i = 0; i < sums.size(); i++) {
        const double wanted = sums[i] / count;
        fail_unless(std::abs(host[i] - wanted) <= 1e-7 * wanted, "sample %zu is %.9g, wanted %.9g", i,
                    host[i], wanted);
    }
    fail_if(gst_is_initialized());
}
GST_END_TEST;

// The count of what is no number goes on beyond 32 bits.
GST_START_TEST(test_many_missing) {
    g_setenv("GST_TOMO_KERNEL_PATH", KERNELS, TRUE);
    tomo::Compute compute(open_device());
    const auto shape = odd_shape(GST_TOMO_FORMAT_FLOAT32);
    const Array in = compute.allocate(shape);
    std::uint64_t wanted = G_MAXUINT32 - random_between(0, shape.samples() / 4);
    Array missing = compute.allocate({GST_TOMO_FORMAT_UINT32, 2, 1});
    {
        const Host<cl_uint> halves(missing);
        halves[0] = static_cast<cl_uint>(wanted);
        halves[1] = 0;
        const Host<float> values(in);
        for (std::size_t i = 0; i < shape.samples(); i++) {
            const bool is_number = random_between(0, 1) != 0;
            values[i] = is_number ? 0.5f : NAN;
            wanted += !is_number;
        }
    }
    Array out = compute.allocate(shape.with_format(GST_TOMO_FORMAT_UINT16));
    compute.input_format("in", GST_TOMO_FORMAT_FLOAT32);
    const auto to_integers = compute.kernel("to_uint16", compute.input_types(), "write.cl");
    compute.launch(to_integers, shape.samples(), in, out, tomo::ReadWrite{missing}, 0.0, 1000.0);
    const Host<const cl_uint> halves(missing);
    fail_unless_equals_uint64(halves[0] | std::uint64_t{halves[1]} << 32, wanted);
    fail_if(gst_is_initialized());
}
GST_END_TEST;

// A server that takes texts from users compiles without end: what it does not use any more is let go, and
// what it uses stays.
GST_START_TEST(test_kernels_are_let_go) {
    const auto device = open_device();
    tomo::Compute compute(device);
    const auto number = [&](std::size_t n) {
        return compute.users_kernel(tomo::text("number %zu", n),
                                    tomo::text("kernel void number(global uint *out) { out[0] = %zu; }", n),
                                    "number", "");
    };
    Array out = compute.allocate({GST_TOMO_FORMAT_UINT32, 1, 1});
    const auto kept = tomo::Compute::kept_kernels;
    const tomo::Kernel first = number(0), second = number(1);
    for (std::size_t n = 2; n < kept + 5; n++) {
        fail_unless(number(1).get() == second.get(), "the kernel used last was made anew");
        number(n);
        fail_unless_equals_int(compute.kernel_count(), std::min(n + 1, kept));
    }
    compute.launch(first, 1, tomo::ReadWriteBareBuffer{out});
    fail_unless_equals_int((Host<const cl_uint>(out)[0]), 0);
    compute.launch(second, 1, tomo::ReadWriteBareBuffer{out});
    fail_unless_equals_int((Host<const cl_uint>(out)[0]), 1);
    fail_if(number(0).get() == first.get(), "a kernel was kept that nobody used for long");
    fail_if(error_of([&] { compute.users_kernel("wrong", "kernel void wrong(", "wrong", ""); }).empty());
    fail_unless_equals_int(compute.kernel_count(), kept - 1); // room was made for it
    fail_if(gst_is_initialized());
}
GST_END_TEST;

// A size that does not fit is refused before it is taken for another one.
GST_START_TEST(test_sizes) {
    tomo::Compute compute(open_device());
    const char one = 0;
    const std::size_t too_many = (std::size_t{1} << 32) + random_between(1, 1000);
    const auto table = error_of([&] { compute.upload(&one, too_many); });
    const auto said = tomo::text("an array of uint8 %zu x 1 x 1 is too large", too_many);
    fail_unless(table.find(said) == 0, "%s", table.c_str());
    const auto shape =
        error_of([&] { compute.resized({GST_TOMO_FORMAT_UINT8, 1, 1}, too_many, 1, 1, "number=2 arrays"); });
    fail_unless(shape.find("number=2 arrays make uint8 " + std::to_string(too_many)) == 0, "%s",
                shape.c_str());
}
GST_END_TEST;

GST_START_TEST(test_no_device) {
    tomo::Compute compute(nullptr);
    const auto message = error_of([&] { compute.allocate({GST_TOMO_FORMAT_UINT8, 1, 1}); });
    fail_unless(message.find("no OpenCL device is open") == 0, "%s", message.c_str());
}
GST_END_TEST;

// Not GST_CHECK_MAIN, which calls gst_init().
int main() {
    Suite *suite = suite_create("compute");
    TCase *tc = tcase_create("compute");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_kernels);
    tcase_add_test(tc, test_kernel_file);
    tcase_add_test(tc, test_fill_and_copy);
    tcase_add_test(tc, test_upload);
    tcase_add_test(tc, test_running_mean);
    tcase_add_test(tc, test_many_missing);
    tcase_add_test(tc, test_kernels_are_let_go);
    tcase_add_test(tc, test_sizes);
    tcase_add_test(tc, test_no_device);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
