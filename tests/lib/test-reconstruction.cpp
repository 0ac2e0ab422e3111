// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parameters of a reconstruction, from one declaration to all of their forms; the axis of several rows; the
// object from C.
#include "support.hpp"

#include <gst/reconstruction/axis.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/mirrored-rays.hpp>
#include <gst/reconstruction/parts.hpp>
#include <gst/reconstruction/plan.hpp>
#include <gst/reconstruction/room.hpp>
#include <gst/reconstruction/settings.hpp>
#include <gst/tomo/support/duration.hpp>
#include <gst/tomo/support/json.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <glib/gstdio.h>

#include <algorithm>
#include <cmath>
#include <set>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomo::reconstruction;
using namespace tomotest;
using tomo::CString;
using tomo::Json;

namespace {

using Reconstruction = std::unique_ptr<GstTomoReconstruction, void (*)(gpointer)>;

Reconstruction new_reconstruction() { return {gst_tomo_reconstruction_new(nullptr), g_object_unref}; }

// What a function of the C interface complains about.
std::string complaint(const std::function<void(GError **)> &f) {
    GError *error = nullptr;
    f(&error);
    const std::string message = error ? error->message : "";
    if (error)
        g_error_free(error);
    return message;
}

// A value other than the default, as a person writes it.
std::string another_value(const ParameterBase &parameter) {
    if (!parameter.choices().empty())
        return parameter.choices().back();
    GParamSpec *spec = parameter.spec();
    if (G_IS_PARAM_SPEC_BOOLEAN(spec))
        return G_PARAM_SPEC_BOOLEAN(spec)->default_value ? "false" : "true";
    if (G_IS_PARAM_SPEC_UINT(spec)) {
        const auto *range = G_PARAM_SPEC_UINT(spec);
        const auto largest = std::min(range->maximum, range->minimum + 1000);
        return std::to_string(
            random_between(range->default_value + 1, std::max(largest, range->default_value + 1)));
    }
    if (G_IS_PARAM_SPEC_DOUBLE(spec))
        return std::to_string(random_between(1, 9999) / 8192.0 *
                                  std::min(1.0, G_PARAM_SPEC_DOUBLE(spec)->maximum) / 2 +
                              std::max(0.0, G_PARAM_SPEC_DOUBLE(spec)->minimum));
    return "a folder/with # and = and; \"quotes\" \\ " + std::to_string(random_between(0, 999));
}

class TemporaryFile {
  public:
    TemporaryFile() {
        gchar *name = nullptr;
        g_close(g_file_open_tmp("reconstruction-XXXXXX.conf", &name, nullptr), nullptr);
        name_.reset(name);
    }
    ~TemporaryFile() { g_unlink(name_.get()); }
    const char *name() const { return name_.get(); }

  private:
    CString name_;
};

} // namespace

GST_START_TEST(parameters_in_all_forms) {
    Settings settings;
    fail_unless(settings.all().size() > 30);
    std::set<std::string> names;
    const auto schema = settings.schema();
    const auto *described = schema.find("properties");
    for (auto *parameter : settings.all()) {
        fail_unless(names.insert(parameter->name()).second, "%s is there twice", parameter->name());
        fail_unless(!parameter->is_given(), "%s", parameter->name());
        const std::string blurb = parameter->about().blurb;
        fail_unless(!blurb.empty() && blurb.back() != '.' && g_ascii_isupper(blurb[0]), "%s",
                    parameter->name());
        const auto *form = described->find(parameter->name());
        fail_unless(form && form->text_of("description") == blurb);
        parameter->set_text(another_value(*parameter));
        const bool has_another = parameter->choices().size() != 1;
        fail_unless(parameter->is_given() == has_another, "%s=%s", parameter->name(),
                    parameter->text().c_str());
    }
    // JSON and a configuration bring all of them back.
    Settings by_json, by_file;
    by_json.set_json(Json::parse(settings.json().written(true), "test"));
    TemporaryFile file;
    tomo::replace_text_file(file.name(), settings.configuration());
    by_file.load(file.name());
    for (auto *parameter : settings.all())
        for (const Settings *other : {&by_json, &by_file})
            fail_unless(other->find(parameter->name())->text() == parameter->text(), "%s", parameter->name());
    // That of the defaults holds nothing but comments and groups.
    tomo::replace_text_file(file.name(), Settings().configuration());
    Settings untouched;
    untouched.load(file.name());
    fail_unless(untouched.json().members().empty());
}
GST_END_TEST

GST_START_TEST(wrong_parameters) {
    Settings settings;
    const auto refuses = [](const std::string &message, const std::vector<const char *> &parts) {
        for (const char *part : parts)
            fail_unless(message.find(part) != std::string::npos, "'%s' lacks '%s'", message.c_str(), part);
    };
    refuses(error_of([&] { settings.require("axs"); }), {"axs", "axis"});
    refuses(error_of([&] { settings.binning.set_text("17"); }), {"binning", "16"});
    refuses(error_of([&] { settings.binning.set_text("x"); }), {"x"});
    refuses(error_of([&] { settings.projection_filter.set_text("rampp"); }), {"rampp", "ramp"});
    refuses(error_of([&] { settings.set_json(Json::parse("[1]", "test")); }), {"object"});
    fail_unless(!settings.binning.is_given());
    settings.axis.set_text("3");
    settings.axis_index.set_text("2.5");
    refuses(error_of([&] { settings.given_axis(); }), {"axis", "axis-index"});
    settings.angle.set_text("0.1");
    settings.range_degrees.set_text("180");
    refuses(error_of([&] { settings.given_step(10); }), {"angle", "range-degrees"});
    settings.memory.set_text("8 elephants");
    refuses(error_of([&] { settings.memory_bytes(); }), {"8 elephants", "8G"});
    TemporaryFile file;
    tomo::replace_text_file(file.name(), "[general]\nouput=x.h5\n");
    refuses(error_of([&] { settings.load(file.name()); }), {file.name(), "general", "ouput", "output"});
    refuses(error_of([&] { settings.load("/nowhere/reco.conf"); }), {"/nowhere/reco.conf"});
}
GST_END_TEST

GST_START_TEST(ways_to_say_the_same) {
    Settings settings;
    fail_unless(!settings.given_axis() && !settings.given_step(10));
    settings.axis_index.set_text("99.5");
    fail_unless(*settings.given_axis() == 100.0);
    const std::size_t projections = random_between(2, 5000);
    settings.range_degrees.set_text("-360");
    const double by_range = *settings.given_step(projections);
    settings.range_degrees.reset();
    settings.angle_step_degrees.set_text(tomo::text("%.17g", -360.0 / double(projections)));
    fail_unless(std::abs(*settings.given_step(projections) / by_range - 1.0) < 1e-12);
    settings.angle_step_degrees.reset();
    settings.angle.set_text(tomo::text("%.17g", -2.0 * G_PI / double(projections)));
    fail_unless(std::abs(*settings.given_step(projections) / by_range - 1.0) < 1e-12);
    for (const auto &[written, bytes] :
         {std::pair{"4096", 4096ull}, {"500m", 524288000ull}, {"1.5G", 1610612736ull}}) {
        settings.memory.set_text(written);
        fail_unless(settings.memory_bytes() == bytes);
    }
}
GST_END_TEST

GST_START_TEST(axis_of_rows) {
    auto &generator = randomness();
    std::normal_distribution<double> noise(0.0, 0.1);
    for (int round = 0; round < 20; round++) {
        const unsigned count = unsigned(random_between(12, 60));
        const double height = double(random_between(100, 2000)),
                     axis = double(random_between(100, 900)) + 0.37;
        const double tilt = round % 2 ? 0.0 : 4.0 / height;
        std::vector<AxisOfRow> rows;
        for (unsigned i = 0; i < count; i++) {
            const double row = (i + 0.5) / count * height;
            rows.push_back({row, axis + tilt * (row - height / 2.0) + noise(generator), 0.1, 3});
        }
        for (unsigned i = 0; i < count / 4; i++) // a quarter is far off, and to the same side
            rows[random_between(0, count - 1)].axis = axis + double(random_between(20, 80));
        rows[random_between(0, count - 1)].axis = std::nan("");
        rows[random_between(0, count - 1)].uncertainty = 50.0;
        const auto found = fit_axis(rows, height / 2.0, "test");
        fail_unless(std::abs(found.axis - axis) < 0.15, "%g instead of %g", found.axis, axis);
        fail_unless(std::abs(found.tilt - tilt) * height / 2.0 < 0.4, "%g instead of %g", found.tilt, tilt);
        fail_unless(std::abs(found.axis - axis) < 5.0 * found.uncertainty && found.uncertainty < 0.2);
        fail_unless(found.used < count && found.used >= count / 2);
        fail_unless(found.rows.size() == count);
    }
    fail_unless(fit_axis({{10.0, 55.0, 0.5, 1}}, 10.0, "test").axis == 55.0);
    fail_unless(error_of([] {
                    fit_axis({{10.0, std::nan(""), HUGE_VAL, 0}}, 10.0, "test");
                }).find("finds no axis") != std::string::npos);
}
GST_END_TEST

// Of two discs, with angles that are not even.
FanSinogram fan_sinogram(unsigned columns, unsigned views, double axis, double source, double turn) {
    FanSinogram sinogram{{}, columns, {}, 1.3 * source};
    for (unsigned view = 0; view < views; view++) {
        const double angle = turn * (view + 0.3 * double(random_between(0, 1000)) / 1000.0) / views;
        sinogram.angles.push_back(angle);
        for (unsigned column = 0; column < columns; column++) {
            const double fan = std::atan((column + 0.5 - axis) / sinogram.source_detector);
            double sum = 0.0;
            for (const auto &[x, y, radius] : {std::array{0.1, 0.05, 0.2}, {-0.15, 0.2, 0.08}}) {
                const double size = columns / 1.3, c = std::cos(angle), s = std::sin(angle),
                             u = size * (x * c - y * s), v = size * (x * s + y * c) + source,
                             beside = u * std::cos(fan) - v * std::sin(fan), r = size * radius;
                sum += 2.0 * std::sqrt(std::max(r * r - beside * beside, 0.0));
            }
            sinogram.values.push_back(float(sum));
        }
    }
    return sinogram;
}

GST_START_TEST(axis_of_rays_from_both_sides) {
    for (const double turn : {2.0 * G_PI, 1.25 * G_PI}) {
        const unsigned columns = unsigned(random_between(90, 700));
        const double axis = columns * (0.4 + 0.2 * double(random_between(0, 1000)) / 1000.0);
        auto sinogram = fan_sinogram(columns, 401, axis, 4.0 * columns, turn);
        const auto found = axis_of_mirrored_rays(sinogram, 0.05 * columns, 0.95 * columns);
        fail_unless(std::abs(found.axis - axis) < 0.05, "%g instead of %g of %u columns", found.axis, axis,
                    columns);
        fail_unless(found.uncertainty >= 0.02 && found.uncertainty < 0.2 && found.pairs > 1000);
        fail_unless(found.axes.size() == found.values.size() && found.axes.front() < axis &&
                    found.axes.back() > axis);
        sinogram.values[columns * 7 + columns / 3] = NAN;
        fail_unless(std::abs(axis_of_mirrored_rays(sinogram, 0.05 * columns, 0.95 * columns).axis - axis) <
                    0.05);
        // Not within the columns that are looked at.
        fail_unless(std::isnan(axis_of_mirrored_rays(sinogram, axis + 5.0, axis + 15.0).axis));
    }
    // No ray comes twice, and no ray tells anything.
    fail_unless(
        std::isnan(axis_of_mirrored_rays(fan_sinogram(80, 60, 41.0, 300.0, 0.8 * G_PI), 4.0, 76.0).axis));
    auto air = fan_sinogram(80, 60, 41.0, 300.0, 2.0 * G_PI);
    std::fill(air.values.begin(), air.values.end(), 0.0f);
    fail_unless(std::isnan(axis_of_mirrored_rays(air, 4.0, 76.0).axis));
    fail_unless(std::isnan(axis_of_mirrored_rays(fan_sinogram(1, 1, 0.5, 300.0, G_PI), 0.0, 1.0).axis));
}
GST_END_TEST

GST_START_TEST(values_in_lines) {
    fail_unless(launch_property("a", "plain-1.5_x/y.h5:/z") == " a=plain-1.5_x/y.h5:/z");
    for (const char *value : {"my scan.h5", "*.tif", "a(b)", "v > 0 ? v : 0.0f", "d$x`y", "caf\xc3\xa9"}) {
        // A shell and gst_parse_launch() both come to the value.
        const std::string written = launch_property("location", value).substr(1);
        gchar **words = nullptr;
        fail_unless(g_shell_parse_argv(written.c_str(), nullptr, &words, nullptr), "%s", written.c_str());
        fail_unless("location=" + std::string(value) == words[0], "%s", words[0]);
        fail_unless(words[1] == nullptr);
        g_strfreev(words);
        GError *error = nullptr;
        auto *source = gst_parse_launch(("filesrc " + written).c_str(), &error);
        fail_unless(source && !error, "%s", error ? error->message : "");
        gchar *location = nullptr;
        g_object_get(source, "location", &location, nullptr);
        fail_unless_equals_string(location, value);
        g_free(location);
        gst_object_unref(source);
    }
}
GST_END_TEST

GST_START_TEST(room_on_the_disk) {
    Inspection scan;
    const unsigned width = random_between(3, 99), rows = random_between(5, 99), views = random_between(2, 99);
    scan.image = tomo::ArrayInfo(GST_TOMO_FORMAT_UINT16, width, rows);
    scan.projections = scan.views = views;
    const std::uint64_t samples = std::uint64_t{width} * width * rows;
    Settings settings;
    const auto expect = [&](std::uint64_t result, std::uint64_t slabs) {
        const auto bytes = bytes_on_disk(settings, scan);
        assert_equals_uint64(bytes.result, result);
        assert_equals_uint64(bytes.slabs, slabs);
    };
    expect(4 * samples, 0);
    settings.output_bitdepth.set_text("8");
    expect(samples, 0);
    // Slabs are float32, whatever becomes of them.
    settings.outliers.set_text("0.5");
    settings.memory.set_text(std::to_string(2 * 4 * width * views * (rows - 1)));
    expect(samples, 4 * samples);
    settings.memory.set_text(std::to_string(2 * 4 * width * views * rows));
    expect(samples, 0);
    settings.outliers.reset();
    settings.sweep.set_text("axis=1,2,3");
    expect(3 * width * width, 4 * 3 * width * width);
}
GST_END_TEST

static Inspection scan_of_a_cone(unsigned columns, unsigned rows, unsigned views) {
    Inspection scan;
    scan.image = tomo::ArrayInfo(GST_TOMO_FORMAT_UINT16, columns, rows);
    scan.projections = views;
    std::vector<double> angles;
    for (unsigned i = 0; i < views; i++)
        angles.push_back(2.0 * G_PI / views * i);
    scan.set_angles(std::move(angles));
    scan.angles_from = "scan";
    return scan;
}

// Of a cone beam, on devices that share the memory of the computer and on those that do not.
GST_START_TEST(parts_of_a_volume) {
    constexpr unsigned columns = 100, rows = 80, views = 50;
    Settings settings;
    settings.general.source_y.set_text("-400");
    Inspection scan = scan_of_a_cone(columns, rows, views);
    const std::uint64_t plane = 4 * columns * columns, whole = plane * rows,
                        projections = std::uint64_t{4} * columns * rows * views;
    const auto images = [&](std::uint64_t memory, std::uint64_t device, const char *method = "fbp",
                            const char *rings = "none") {
        settings.memory.set_text(std::to_string(memory));
        settings.method.set_text(method);
        settings.rings.set_text(rings);
        scan.device_memory = device;
        const auto parts = parts_of(settings, scan, columns / 2.0);
        fail_unless(parts->images() == rows && parts->rows(0, rows).count == rows);
        const auto size = parts->at_once();
        fail_unless(size.images == 0 || device == 1 || size.memory <= memory + device);
        return size.images;
    };
    fail_unless(images(whole, 0) == rows && images(whole - 1, 0) == rows - 1 && images(plane, 0) == 1 &&
                images(plane - 1, 0) == 0);
    // The volume is none of the computer's memory.
    fail_unless(images(1, whole * 4 / 3 + 4) == rows);
    // Projections wait there where the device takes a part of the volume, unless that is too small for them.
    fail_unless(images(projections, whole / 2) == rows);
    fail_unless(images(projections - 1, plane * 40) == 30);
    // Rings want all projections of the part, several times.
    fail_unless(images(4 * projections, 2 * whole, "fbp", "sorting") == rows);
    const auto some = images(2 * projections, 2 * whole, "fbp", "sorting");
    fail_unless(some > rows / 4 && some < rows);
    // Iterations are never made in parts, and have slices around those that come out: the outermost ray
    // passes the farthest corner at 39.5 (1 + 70 / 400), 7 slices behind the last one.
    const auto held = 5 * plane * (rows + 2 * 7) + 3 * projections;
    fail_unless(images(held, 0, "sirt") == rows);
    fail_unless(images(held - 1, 0, "sirt") == 0);
    fail_unless(images(1, 1, "sirt") == rows); // the element tells more
    // Conjugate gradients keep no more gradients than a quarter of the memory takes: here one.
    const auto least = 6 * plane * (rows + 2 * 7) + 2 * projections;
    fail_unless(images(least, 0, "cgls") == rows);
    fail_unless(images(least - 1, 0, "cgls") == 0);
}
GST_END_TEST

// Tofu's whole of an axis is one pixel, and a step of a region as many as it says.
GST_START_TEST(size_of_voxels) {
    Settings settings;
    settings.general.source_y.set_text("-400");
    Inspection scan = scan_of_a_cone(40, 30, 20);
    scan.pixel_size = 1e-6;
    const auto expect = [&](double size, double spacing) {
        fail_unless(std::abs(scan.voxel_size(settings) - size * 1e-6) < 1e-12);
        fail_unless(std::abs(scan.slice_spacing(settings) - spacing) < 1e-12);
    };
    expect(1.0, 1.0);
    settings.general.x_region.set_text("5,-4,-1.5");
    settings.general.slice_region.set_text("-3,3,3");
    expect(1.5, 2.0);
    for (auto *region : {&settings.general.x_region, &settings.general.slice_region})
        region->set_text("0,-1,1");
    settings.y_step.set_text("2"); // whole is every other row
    expect(1.0, 2.0);
}
GST_END_TEST

GST_START_TEST(object_in_c) {
    const auto reconstruction = new_reconstruction();
    auto *self = reconstruction.get();
    g_object_set(self, "axis", 12.25, "rings", "fourier", nullptr);
    const CString parameters(gst_tomo_reconstruction_get_parameters(self));
    const auto json = Json::parse(parameters.get(), "test");
    fail_unless(json.members().size() == 2 && json.find("axis")->text() == "12.25");
    // One wrong value changes nothing.
    const auto wrong = complaint([&](GError **error) {
        fail_unless(
            !gst_tomo_reconstruction_set_parameters(self, "{\"axis\": 1, \"ringss\": \"none\"}", error));
    });
    fail_unless(wrong.find("did you mean 'rings'") != std::string::npos, "%s", wrong.c_str());
    double axis = 0.0;
    g_object_get(self, "axis", &axis, nullptr);
    fail_unless(axis == 12.25);
    // What fails says so once, and leaves an object that can be used.
    const auto missing =
        complaint([&](GError **error) { fail_unless(!gst_tomo_reconstruction_run(self, error)); });
    fail_unless(missing.find("no scan") != std::string::npos, "%s", missing.c_str());
    g_object_set(self, "scan", "/nowhere/scan.nxs", nullptr);
    for (const auto ask : {gst_tomo_reconstruction_inspect, gst_tomo_reconstruction_estimate_axis,
                           gst_tomo_reconstruction_plan}) {
        const auto why = complaint([&](GError **error) { fail_unless(!ask(self, error)); });
        fail_unless(why.find("/nowhere/scan.nxs") != std::string::npos, "%s", why.c_str());
    }
    fail_unless(!gst_tomo_reconstruction_is_running(self));
    fail_unless(!gst_tomo_reconstruction_poll(self, 0));
}
GST_END_TEST

// A person who gets no axis reads how to give one.
GST_START_TEST(axis_that_is_not_found) {
    constexpr unsigned width = 40, height = 8, views = 12;
    std::vector<float> samples(width * height * views, std::nanf("")); // nothing to see
    const auto reconstruction = new_reconstruction();
    auto *self = reconstruction.get();
    const auto told = complaint([&](GError **error) {
        const std::unique_ptr<GstCaps, void (*)(GstCaps *)> caps(
            gst_caps_from_string(
                "application/x-tomo-array, format=float32, width=40, height=8, depth=12, framerate=0/1"),
            gst_caps_unref);
        GstSample *array = gst_tomo_wrap_memory(
            caps.get(), reinterpret_cast<guint64>(samples.data()), width * sizeof(float),
            width * height * sizeof(float), FALSE, [](gpointer) {}, nullptr, error);
        fail_unless(array && gst_tomo_reconstruction_set_memory(self, "projections", array, error));
        gst_sample_unref(array);
        g_object_set(self, "flat-correction", "off", "range-degrees", 180.0, nullptr);
        fail_unless(!gst_tomo_reconstruction_estimate_axis(self, error));
    });
    fail_unless(told.find("the axis was not found") == 0, "%s", told.c_str());
    fail_unless(told.find("--axis,") != std::string::npos, "%s", told.c_str());
}
GST_END_TEST

static void note_event(GstTomoReconstruction *, const gchar *event, gpointer events) {
    static_cast<std::vector<std::pair<std::thread::id, std::string>> *>(events)->emplace_back(
        std::this_thread::get_id(), event);
}

GST_START_TEST(events_of_a_run) {
    std::vector<std::pair<std::thread::id, std::string>> events;
    const auto reconstruction = new_reconstruction();
    g_object_set(reconstruction.get(), "scan", "/nowhere/scan.nxs", nullptr);
    g_signal_connect(reconstruction.get(), "event", G_CALLBACK(note_event), &events);
    complaint(
        [&](GError **error) { fail_unless(gst_tomo_reconstruction_start(reconstruction.get(), error)); });
    const auto deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (gst_tomo_reconstruction_poll(reconstruction.get(), 50))
        fail_unless(g_get_monotonic_time() < deadline, "it does not end");
    std::vector<std::string> kinds;
    for (const auto &[thread, event] : events) {
        fail_unless(thread == std::this_thread::get_id());
        const auto json = Json::parse(event, "event");
        fail_unless(json.find("time"));
        kinds.push_back(json.text_of("event"));
        if (kinds.back() == "done")
            fail_unless(json.text_of("status") == "failed");
    }
    fail_unless(kinds == (std::vector<std::string>{"hello", "stage", "message", "done"}));
}
GST_END_TEST

GST_START_TEST(times_in_words) {
    for (const auto &[seconds, expected] :
         {std::pair{2.34, "2.3 s"}, {59.0, "59 s"}, {60.0, "1:00"}, {300.4, "5:00"}, {3723.0, "1:02:03"}})
        fail_unless_equals_string(tomo::expected_text(seconds).c_str(), expected);
    fail_unless_equals_string(tomo::duration_text(7.6).c_str(), "0:08");
    Plan plan;
    plan.seconds = 300.4;
    plan.device = "a device";
    plan.guards = false;
    fail_unless(plan.script().find(", about 5:00 on a device\n") != std::string::npos);
}
GST_END_TEST

static Suite *reconstruction_suite() {
    Suite *suite = suite_create("reconstruction");
    TCase *tests = tcase_create("all");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, parameters_in_all_forms);
    tcase_add_test(tests, wrong_parameters);
    tcase_add_test(tests, ways_to_say_the_same);
    tcase_add_test(tests, axis_of_rows);
    tcase_add_test(tests, axis_of_rays_from_both_sides);
    tcase_add_test(tests, values_in_lines);
    tcase_add_test(tests, room_on_the_disk);
    tcase_add_test(tests, parts_of_a_volume);
    tcase_add_test(tests, size_of_voxels);
    tcase_add_test(tests, object_in_c);
    tcase_add_test(tests, axis_that_is_not_found);
    tcase_add_test(tests, times_in_words);
    tcase_add_test(tests, events_of_a_run);
    return suite;
}

GST_CHECK_MAIN(reconstruction)
