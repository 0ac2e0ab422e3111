// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "volume-slices.hpp"

#include <numbers>

using namespace tomo;

namespace {

enum class Swept { z, x_center, lamino_angle, roll_angle };

class LaminoBackproject final : public VolumeSlices {
    using List = Property<std::vector<double>>;
    static constexpr double unset = -G_MAXFLOAT;

  public:
    static constexpr Info info{
        .task = "lamino-backproject",
        .klass = "Filter/Effect",
        .blurb =
            "Backprojects filtered projections of a parallel beam to the slices of a volume, with the rotation "
            "axis tilted along the beam (laminography)",
        .details =
            "A voxel (x, y, z), with x = from + i step from x-region, and so on, is seen at column x cos t + y sin t "
            "+ cx and row cos(L) (x sin t - y cos t) + z sin(L) + cy of the projection at angle t, in edge "
            "coordinates, with the lamino-angle L between axis and beam. L = pi/2 is tomography. `roll-angle` R "
            "turns this point about (cx, cy): (u cos R + v sin R, v cos R - u sin R). (UFO's second line has the "
            "u that is turned already.) The projection is sampled linearly there.\n"
            "\n"
            "It is a short form of `tomogeneralbackproject`, with axis-angle-x = L - pi/2 and the opposite sense of "
            "rotation, and treats weights, angles and memory as that does. So without `overall-angle`, slices of "
            "projections behind `tomorampfilter` are in attenuation per pixel. Slices come one by one, where UFO gives "
            "one volume.",
        .example =
            "tomoread path='projections/*.tif' ! tomocalculate expression='-log(v)' ! tomorampfilter ! "
            "tomolaminobackproject lamino-angle=1.0472 overall-angle=6.2832 region='<-5.0,5.0,1.0>' ! "
            "tomowrite filename=slices.h5:/slices",
    };

    Property<float> z{this, "z", 0.0f, When::ready,
                      "Height of the slices where another parameter is swept or region is empty"};
    List projection_offset{
        this, "projection-offset",
        "First column and row of projections that were cropped, where center (or x-center) counts from before; "
        "empty: 0"};
    List center{
        this, "center",
        "Column and row of the axis at z = 0, in edge coordinates; empty: the axis of the scan, else the middle"};
    Property<float> overall_angle{
        this, "overall-angle", Automatic{0}, When::ready,
        "Angle in radians that the projections cover in even steps, whose magnitude over their number is their weight; "
        "may be negative; 0: angles of the scan, and weights for attenuation"};
    Property<float> tomo_angle{
        this, "tomo-angle", Automatic{unset},
        "Angle of the projections that come now, in radians; the smallest float: as the other "
        "properties or the scan tell"};
    Property<float> lamino_angle{this, "lamino-angle", 0.0f,
                                 "Angle between rotation axis and beam, in radians: pi/2 is tomography"};
    Property<float> roll_angle{this, "roll-angle", 0.0f, "Roll of the detector, clockwise, in radians"};
    Choice<Swept> parameter{this,
                            "parameter",
                            Swept::z,
                            {{Swept::z, "z", "Height of the slice"},
                             {Swept::x_center, "x-center", "Column of the axis"},
                             {Swept::lamino_angle, "lamino-angle", "Angle between axis and beam"},
                             {Swept::roll_angle, "roll-angle", "Roll of the detector"}},
                            When::ready,
                            "Number that differs between slices, with the values of region"};
    AddressingMode addressing_mode{this, Addressing::clamp, "Zero"};

  protected:
    Job job(const ArrayInfo &projection) const override {
        Job job = job_of(projection, parameter != Swept::z, z);
        job.settings.addressing = addressing_mode.number();
        return job;
    }

    void resolve(const ArrayInfo &projection, const Scan &scan, unsigned) override {
        const auto pair = [](const List &list) {
            const auto values = list.value();
            if (!values.empty() && values.size() != 2)
                throw Error(
                    GST_LIBRARY_ERROR_SETTINGS,
                    text("%s has %zu values; wanted two, for columns and rows", list.name(), values.size()));
            return values;
        };
        auto middle = pair(center);
        const auto offset = pair(projection_offset);
        if (middle.empty()) // columns and rows of what came
            middle = {
                scan_axis(scan, center.name(), projection.width, sweeps() && parameter == Swept::x_center)
                    .position,
                projection.height / 2.0};
        else if (!offset.empty())
            middle = {middle[0] - offset[0], middle[1] - offset[1]};
        base_ = {};
        base_.centre_x = middle[0];
        base_.centre_z = middle[1];
        base_.axis_angle.x = lamino_angle - std::numbers::pi / 2.0;
        base_.detector_angle.y = -roll_angle;
        offset_x_ = offset.empty() ? 0.0 : offset[0];
    }

    GivenTurn turn() const override {
        const auto overall = overall_angle.chosen();
        return {PerView("tomo-angle", {}), overall ? std::optional<double>(*overall) : std::nullopt, {}};
    }
    std::optional<double> own_angle() const override {
        const auto angle = tomo_angle.chosen();
        return angle ? std::optional<double>(*angle) : std::nullopt;
    }

    const char *tilt_name() const override { return lamino_angle.name(); }

    Arrangement arrangement(unsigned, double angle, std::optional<double> swept) const override {
        Arrangement a = base_;
        a.axis_angle.z = -angle;
        if (!swept)
            return a;
        switch (parameter) {
        case Swept::z:
            break;
        case Swept::x_center:
            a.centre_x = *swept - offset_x_;
            break;
        case Swept::lamino_angle:
            a.axis_angle.x = *swept - std::numbers::pi / 2.0;
            break;
        case Swept::roll_angle:
            a.detector_angle.y = -*swept;
            break;
        }
        return a;
    }

    bool is_against_beam() const override { return true; }

    void add_effective(EffectiveValues &values) const override {
        values.add("center-x", base_.centre_x, "pixel").add("center-y", base_.centre_z, "pixel");
    }

  private:
    Arrangement base_;
    double offset_x_ = 0.0;
};

} // namespace

TOMO_ELEMENT(LaminoBackproject)
