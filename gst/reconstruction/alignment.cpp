// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/scan/layout.hpp>
#include <gst/reconstruction/alignment.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/reconstruction/source-line.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <glib/gstdio.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <numeric>

namespace tomo::reconstruction {

namespace {

constexpr double settled = 0.01;       // pixels of the detector, root mean square
constexpr double longest_step = 3.0;   // pixels that are compared; slopes say nothing about further ones
constexpr double settled_coarse = 0.1; // of these pixels, before finer ones are compared
constexpr unsigned coarse_columns = 48, coarse_rows = 12; // that are left at least
constexpr unsigned most_coarse = 8;
constexpr unsigned usual_columns = 512; // after binning
constexpr unsigned most_binning = 16;
constexpr std::size_t least_views = 30;
constexpr double least_range = 150.0; // degrees

std::string table(const std::vector<double> &x, const std::vector<double> &y) {
    std::string lines;
    for (std::size_t i = 0; i < x.size(); i++)
        lines += number(x[i]) + " " + number(y[i]) + "\n";
    return lines;
}

double rms(const std::vector<double> &x, const std::vector<double> &y) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); i++)
        sum += x[i] * x[i] + y[i] * y[i];
    return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(x.size(), 1)));
}

// Factors of 1, cos and sin of the angles, by least squares.
std::array<double, 3> sinusoid_of(const std::vector<double> &values, const std::vector<double> &angles) {
    double m[3][4] = {};
    for (std::size_t i = 0; i < values.size(); i++) {
        const double terms[4] = {1.0, std::cos(angles[i]), std::sin(angles[i]), values[i]};
        for (int row = 0; row < 3; row++)
            for (int column = 0; column < 4; column++)
                m[row][column] += terms[row] * terms[column];
    }
    for (int k = 0; k < 3; k++)
        for (int row = 0; row < 3; row++)
            for (int column = 3; row != k && column >= k; column--)
                m[row][column] -= m[row][k] / m[k][k] * m[k][column];
    return {m[0][3] / m[0][0], m[1][3] / m[1][1], m[2][3] / m[2][2]};
}

[[noreturn]] void refuse(const std::string &why) {
    throw Error(GST_RESOURCE_ERROR_SETTINGS, "shifts=align: " + why);
}

} // namespace

bool wants_alignment(const Settings &settings) { return settings.shifts.value() == "align"; }

std::string shifts_text(const Aligner::Result &found) { return table(found.x, found.y); }

WorkFolder::WorkFolder(const std::string &name) : path_(name + "-XXXXXX") {
    const auto parent = std::filesystem::path(path_).parent_path();
    std::error_code failure;
    if (!parent.empty())
        std::filesystem::create_directories(parent, failure);
    if (failure || !g_mkdtemp(path_.data()))
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("no folder can be made beside '%s': %s", name.c_str(),
                         failure ? failure.message().c_str() : g_strerror(errno)));
}

WorkFolder::~WorkFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Aligner::Aligner(const Settings &settings, const Inspection &scan, double axis, RunLine run_line)
    : scan_(scan), axis_(axis), run_line_(std::move(run_line)), most_steps_(settings.align_iterations) {
    looked_.assign(settings);
    if (!turns_of(settings, scan).empty())
        refuse(
            "projections of several turns can't be aligned with each other; take one turn by start and number");
    if (joins_half_turns(settings, scan, axis))
        refuse(
            "half turns that are joined see parts of the sample each, so their projections can't be aligned");
    if (scan.views < least_views || degrees(scan.range()) < least_range)
        refuse(text("%zu views over %.4g degrees came; wanted at least %zu, and %g degrees", scan.views,
                    degrees(scan.range()), least_views, least_range));
    for (ParameterBase *parameter :
         {static_cast<ParameterBase *>(&looked_.y), static_cast<ParameterBase *>(&looked_.height),
          static_cast<ParameterBase *>(&looked_.y_step), static_cast<ParameterBase *>(&looked_.slice),
          static_cast<ParameterBase *>(&looked_.rings), static_cast<ParameterBase *>(&looked_.sweep)})
        parameter->reset();
    looked_.result.set_text("projections");
    set_binning();
    for (std::size_t i = 0; i < scan.views; i++)
        angles_.push_back(scan.angles.size() == scan.views
                              ? scan.angles[i]
                              : scan.angle_first + static_cast<double>(i) * scan.angle_step);
    x_.resize(scan.views);
    y_.resize(scan.views);
}

// Unless it is given, so that projections, their sinograms, slices and reprojections fit into memory.
void Aligner::set_binning() {
    const auto bytes = [&](unsigned binning) {
        constexpr double copies = 5.0;
        return copies * sizeof(float) * static_cast<double>(scan_.views) * (scan_.image.width / binning) *
               (scan_.image.height / binning);
    };
    unsigned binning = looked_.align_binning;
    if (!looked_.align_binning.is_given())
        for (binning = 1;
             binning < most_binning && (scan_.image.width / binning > usual_columns ||
                                        bytes(binning) > static_cast<double>(looked_.memory_bytes()));
             binning++)
            ;
    if (scan_.image.height < binning)
        refuse(text("bins of %u rows are more than the %u that there are; give align-binning", binning,
                    scan_.image.height));
    looked_.binning.set_text(std::to_string(binning));
}

Aligner::Result Aligner::find(const WorkFolder &folder, const Tell &tell) {
    // Steps read projections as they are then, corrected and binned.
    run_line_(projection_line(looked_, scan_, scan_.rows(looked_)) +
              " ! queue name=results ! tomowrite name=write" +
              launch_property("filename", folder.file("projections.tif")));
    std::string in_degrees;
    for (const double angle : angles_)
        in_degrees += number(degrees(angle)) + "\n";
    replace_text_file(folder.file("angles.txt"), in_degrees);
    // Large displacements show in coarse images.
    const double binning = looked_.binning.value();
    unsigned coarse = 1;
    while (coarse < most_coarse && columns() / (2 * coarse) >= coarse_columns &&
           (rows() == 1 || rows() / (2 * coarse) >= coarse_rows))
        coarse *= 2;
    for (unsigned step = 1;; step++) {
        replace_text_file(folder.file("shifts.txt"), table(x_, y_));
        run_line_(compared(folder, coarse));
        const double moved = move_on(folder.file("found.npy"), coarse);
        tell(step);
        if ((coarse == 1 && binning * moved < settled) || step == most_steps_)
            return result(step, binning * moved);
        if (coarse > 1 && moved < settled_coarse * coarse)
            coarse /= 2;
    }
}

unsigned Aligner::columns() const { return scan_.image.width / looked_.binning; }

unsigned Aligner::rows() const { return scan_.image.height / looked_.binning; }

// From the projections to what is left of their displacements, in images of so many times coarser pixels.
std::string Aligner::compared(const WorkFolder &folder, unsigned coarse) const {
    const auto projections = [&](const std::string &name) {
        return "tomoscansrc name=" + name + launch_property("location", folder.file("projections.tif")) +
               launch_property("angles", folder.file("angles.txt")) +
               launch_property("shifts", folder.file("shifts.txt")) + device_property(looked_) + " " + name +
               ".projections ! tomoshift name=" + name + "-shift" +
               (coarse > 1 ? " ! tomobin name=" + name + "-bin" + property("size", coarse) : "");
    };
    const auto blur = [](const char *name) { return text(" ! tomoblur name=%s sigma=1 size=7", name); };
    Settings of_slices; // of what is binned
    of_slices.circle.set_text("true");
    of_slices.off_axis.set_text("off");
    of_slices.binning.set_text(std::to_string(looked_.binning * coarse));
    Inspection scan = scan_;
    scan.angles_from = "scan"; // as the line has them from the file
    const unsigned rows = this->rows() / coarse, columns = this->columns() / coarse;
    std::string angles;
    for (const double angle : angles_)
        angles += (angles.empty() ? "" : ",") + number(angle);
    // Behind what was moved there are no samples.
    double most = 0.0;
    for (const auto *moved : {&x_, &y_})
        for (const double value : *moved)
            most = std::max(most, std::abs(value));
    const unsigned shorter = rows < 3 ? columns : std::min(rows, columns);
    const auto margin = static_cast<unsigned>(std::min(std::ceil(most / coarse) + 2.0, shorter / 4.0));
    return projections("scan") + " ! tomotransposeprojections name=transpose" +
           slice_line(of_slices, scan, axis_) + " ! tomoforwardproject name=reproject" +
           property("axis-pos", field_of_slices(of_slices, scan, axis_).axis) +
           launch_property("angles", "<" + angles + ">") + " ! tomotransposeprojections name=reprojections" +
           property("number", rows) + blur("blur-reprojections") + " ! found.models " + projections("again") +
           blur("blur-projections") + " ! found.images tomofindshift name=found" +
           property("margin", margin) + " ! tomotransposeprojections name=table ! tomowrite name=write" +
           launch_property("filename", folder.file("found.npy"));
}

// Returns by how many pixels of the finest images, root mean square.
double Aligner::move_on(const std::string &file, unsigned coarse) {
    auto found = io::shifts_of_file(file);
    if (found.x.size() != x_.size())
        throw Error(GST_STREAM_ERROR_FAILED,
                    text("%zu displacements were found of %zu projections", found.x.size(), x_.size()));
    const auto add = [&](std::vector<double> &to, std::vector<double> &step) {
        for (std::size_t i = 0; i < to.size(); i++)
            to[i] += step[i] = coarse * std::clamp(step[i], -longest_step, longest_step);
    };
    add(x_, found.x);
    add(y_, found.y);
    return rms(found.x, found.y);
}

Aligner::Result Aligner::result(unsigned steps, double last_step) const {
    Result result;
    result.steps = steps;
    result.last_step = last_step;
    result.has_settled = last_step < settled;
    const auto place = sinusoid_of(x_, angles_);
    const double mean = std::accumulate(y_.begin(), y_.end(), 0.0) / static_cast<double>(y_.size());
    const double binning = looked_.binning.value();
    const auto &reverse = looked_.shifts_reverse;
    const double sign_x = reverse.is("x") || reverse.is("both") ? -1.0 : 1.0,
                 sign_y = reverse.is("y") || reverse.is("both") ? -1.0 : 1.0;
    const bool is_told = scan_.shifts.is_visible();
    for (std::size_t i = 0; i < scan_.projections; i++) {
        result.x.push_back(is_told ? sign_x * scan_.shifts.x[i] : 0.0);
        result.y.push_back(is_told ? sign_y * scan_.shifts.y[i] : 0.0);
    }
    for (std::size_t view = 0; view < x_.size(); view++) {
        const auto i = looked_.start + view * looked_.step;
        result.x.at(i) +=
            binning * (x_[view] - place[1] * std::cos(angles_[view]) - place[2] * std::sin(angles_[view]));
        result.y.at(i) += binning * (y_[view] - mean);
    }
    return result;
}

} // namespace tomo::reconstruction
