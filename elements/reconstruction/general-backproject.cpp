// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "general-geometry.hpp"
#include "volume-slices.hpp"

#include <gst/operators/shared-volume.hpp>

#include <cmath>

using namespace tomo;

namespace {

// The number of the geometry that differs between slices: z, or the part of this number.
enum class Swept { z = part_count };

enum class StoreType { half, single, twofold, uchar, ushort, uint };

class GeneralBackproject final : public VolumeSlices {
  public:
    static constexpr Info info{
        .task = "general-backproject",
        .klass = "Filter/Effect",
        .blurb =
            "Backprojects filtered projections of a parallel or cone beam to the slices of a volume, in any "
            "arrangement of source, object and detector",
        .out = formats::uint8 | formats::uint16 | formats::uint32 | formats::float16 | formats::float32 |
               formats::float64,
        .details =
            "[Geometry](../geometry.md) draws axes, signs and units, and has lines for cone beams, fan beams and "
            "laminography. Axes: x across the beam along the columns of the detector, y along the beam, z along the "
            "rotation axis along the rows. Lengths are in detector pixels, angles in radians. A voxel v = (x, y, z), "
            "with x = from + i step from x-region, and so on, is seen in a projection by these steps: (1) cone beam: "
            "v is scaled by -Sy / (Dy - Sy), with source S and detector D; so a voxel of step 1 is what a pixel "
            "shows at the axis. (2) Rotation by volume-angle-z, -y, -x. (3) Rotation by the angle t of the "
            "projection: (x cos t - y sin t, x sin t + y cos t). (4) Rotation by axis-angle-y, -x. (5) The ray "
            "through v meets the detector, whose normal is turned by detector-angle-z, -y, -x. (6) The point that "
            "it meets, relative to D and turned back, plus (center-position-x, center-position-z) is column and "
            "row, in edge coordinates. (7) There the projection is sampled linearly between the middles of its "
            "pixels. (8) Cone beam: times ((Sy - Dy) / (Sy - vy))^2 (Feldkamp, Davis, Kress, J. Opt. Soc. Am. A 1, "
            "612 (1984)). All steps together are three linear forms, computed in double precision once for each "
            "projection.\n"
            "\n"
            "The slice is the sum over all projections, times a weight. With `overall-angle` it is |overall-angle| "
            "/ num-projections, as in UFO. Without, slices are in attenuation per step 1 of the volume, if the "
            "projections were weighted (cone beam: `tomoconebeamprojectionweight`) and filtered by a ramp in cycles "
            "per pixel (`tomorampfilter`): views of a parallel beam across the axis have the weights of "
            "`tomobackproject`; all others half of the turn that they stand for, a part of a turn raised to a full "
            "one, times the sine of the angle between axis and beam (the cosine of axis-angle-x), and divided by the "
            "square of the magnification. Where more than the angle differs between projections, all count pi / N. Redundant rays of short scans and of detectors to one side are weighted "
            "before, by `tomoredundancyweight`.\n"
            "\n"
            "Angles of projections are those of axis-angle-z, if it is a list, else overall-angle divided evenly, or steps "
            "of angle-step, else those of the scan; without any, a full turn is assumed, with a warning. A single axis-angle-z is added to "
            "them. Each list of the geometry holds one value, or one for each projection; every plane of an array is "
            "a projection. A scan may tell the angles of one volume, or of several that follow each other. `region` gives the heights z of the slices, or other values of the `parameter`, one for "
            "each slice.\n"
            "\n"
            "Unlike UFO, detector-position-x and -z and source-position-x and -z count with an upright detector as "
            "well, axis-angle-z may be swept, and integers are rounded once, at the end. Slices are mirrored along y "
            "against those of `tomobackproject`, whose pixel (i, j) is at x = i + 1/2 - axis and y = axis - j - 1/2: "
            "y-region=<(axis - 1/2), (axis - 1/2 - W), -1>.\n"
            "\n"
            "If the number of projections and their angles are known at the first one, each projection is added to the "
            "volume as it comes. If they are not, or if the volume is larger than the memory of the device, projections "
            "are held in the host's memory, and slices are made in parts at the end of the stream. A NaN spreads to "
            "the voxels that are seen within a pixel of it.\n"
            "\n"
            "With `devices` each device makes a part of the slices, of projections that come once and are held once. Slices are "
            "the bits of one device, if all are of one model with one driver. Element messages `tomo-device` tell how many "
            "slices (`planes`) each `device` has made.",
        .example =
            "tomoread path='projections/*.tif' ! tomocalculate expression='-log(v)' ! "
            "tomoconebeamprojectionweight source-distance='<2000.0>' detector-distance='<500.0>' ! tomorampfilter ! "
            "tomogeneralbackproject source-position-y='<-2000.0>' detector-position-y='<500.0>' "
            "region='<-20.0,20.0,1.0>' ! tomowrite filename=slices.h5:/slices",
    };

    Property<unsigned> burst{this,     "burst",     Automatic{0},
                             {0, 128}, When::ready, "Projections at a time; 0: what suits the device"};
    Choice<Swept> parameter{
        this,
        "parameter",
        Swept::z,
        {
            {swept(Part::axis_angle_x), "axis-angle-x", "Tilt of the axis along the beam"},
            {swept(Part::axis_angle_y), "axis-angle-y", "Tilt of the axis across the beam"},
            {swept(Part::axis_angle_z), "axis-angle-z", "Angle added to that of the projections"},
            {swept(Part::volume_angle_x), "volume-angle-x", "Rotation of the volume about x"},
            {swept(Part::volume_angle_y), "volume-angle-y", "Rotation of the volume about y"},
            {swept(Part::volume_angle_z), "volume-angle-z", "Rotation of the volume about z"},
            {swept(Part::detector_angle_x), "detector-angle-x", "Rotation of the detector about x"},
            {swept(Part::detector_angle_y), "detector-angle-y", "Roll of the detector"},
            {swept(Part::detector_angle_z), "detector-angle-z", "Rotation of the detector about z"},
            {swept(Part::detector_position_x), "detector-position-x", "Detector across the beam"},
            {swept(Part::detector_position_y), "detector-position-y", "Detector along the beam"},
            {swept(Part::detector_position_z), "detector-position-z", "Detector along the axis"},
            {swept(Part::source_position_x), "source-position-x", "Source across the beam"},
            {swept(Part::source_position_y), "source-position-y", "Source along the beam"},
            {swept(Part::source_position_z), "source-position-z", "Source along the axis"},
            {swept(Part::center_position_x), "center-position-x", "Column of the axis"},
            {swept(Part::center_position_z), "center-position-z", "Row of z = 0"},
            {Swept::z, "z", "Height of the slice"},
        },
        When::ready,
        "Number that differs between slices, with the values of region"};
    Property<double> z{this, "z", 0.0, When::ready,
                       "Height of the slices where another parameter is swept or region is empty"};
    GeneralGeometry geometry{this};
    AddressingMode addressing_mode{this, Addressing::clamp, "Zero"};
    Choice<FloatSize> compute_type{this,
                                   "compute-type",
                                   FloatSize::single,
                                   {{FloatSize::single, "float", "float32, relative to a tile of the volume"},
                                    {FloatSize::twofold, "double", "float64"}},
                                   When::ready,
                                   "What coordinates and samples are computed in"};
    Choice<FloatSize> result_type{this,
                                  "result-type",
                                  FloatSize::single,
                                  {{FloatSize::half, "half", "float16: half of the memory"},
                                   {FloatSize::single, "float", "float32"},
                                   {FloatSize::twofold, "double", "float64"}},
                                  When::ready,
                                  "What sums are kept in between bursts"};
    Choice<StoreType> store_type{this,
                                 "store-type",
                                 StoreType::single,
                                 {{StoreType::half, "half", "float16"},
                                  {StoreType::single, "float", "float32"},
                                  {StoreType::twofold, "double", "float64"},
                                  {StoreType::uchar, "uchar", "uint8"},
                                  {StoreType::ushort, "ushort", "uint16"},
                                  {StoreType::uint, "uint", "uint32"}},
                                 When::ready,
                                 "Format of slices"};
    Choice<FloatSize> precision{
        this,
        "precision-mode",
        FloatSize::single,
        {{FloatSize::half, "half", "float16: half of the memory traffic, errors of about 2e-4"},
         {FloatSize::single, "single", "float32"}},
        When::ready,
        "What projections are kept in while they are sampled"};
    Property<double> overall_angle{
        this, "overall-angle", Automatic{0}, When::ready,
        "Angle in radians that the projections cover in even steps, whose magnitude over num-projections is their "
        "weight; may be negative; 0: angles of the scan, and weights for attenuation"};
    Property<double> angle_step{
        this, "angle-step", Automatic{0}, When::ready,
        "Radians between projections, negative for the other sense; 0: overall-angle, else "
        "the scan's angles"};
    Property<unsigned> first_slice{
        this, "first-slice", 0, When::ready,
        "Slices of region before the first one that is made: a volume may be made in parts, by several lines or on several "
        "devices, and each slice has the bits that it has among all others"};
    Property<unsigned> num_slices{this, "num-slices", Automatic{0}, When::ready,
                                  "Slices that are made from first-slice on; 0: all that follow"};
    Property<unsigned> first_row{
        this, "first-row", 0, When::ready,
        "Rows of the detector before the first one that projections have; center-position-z counts from the first one of the "
        "detector"};
    Property<unsigned> detector_rows{
        this, "detector-rows", Automatic{0}, When::ready,
        "Rows of the detector, of which projections have those that see the slices, and two more on both sides; 0: as many as "
        "projections have"};
    Property<std::string> devices{
        this, "devices", "", When::ready,
        "OpenCL devices that make a part of the slices each, as tomodistribute takes them: all, gpu, cpu, indices and parts of "
        "names, with commas between; empty: the device of the element alone"};
    Property<double> gray_map_min{this, "gray-map-min", 0.0, When::ready,
                                  "Value that becomes 0 where slices are integers"};
    Property<double> gray_map_max{this, "gray-map-max", 0.0, When::ready,
                                  "Value that becomes the largest integer where slices are integers"};

  protected:
    Job job(const ArrayInfo &projection) const override {
        Job job = job_of(projection, parameter != Swept::z, z);
        job.settings = {compute_type == FloatSize::twofold, result_type, precision == FloatSize::half,
                        addressing_mode.number(), burst};
        set_store(job);
        set_part(job, projection);
        return job;
    }

    void resolve(const ArrayInfo &projection, const Scan &scan, unsigned number) override {
        std::optional<Axis> axis;
        if (!geometry.has_center_x())
            axis = scan_axis(scan, geometry.center_x.name(), projection.width,
                             sweeps() && parameter == swept(Part::center_position_x));
        geometry.resolve(axis, detector_rows.chosen().value_or(projection.height), number);
        if (sweeps())
            geometry.check_swept(Part{static_cast<int>(parameter.value())});
    }

    std::unique_ptr<VolumeOperator> make_operator(const Job &job) override {
        const auto chosen = devices_in(devices);
        if (chosen.empty())
            return VolumeSlices::make_operator(job);
        return std::make_unique<SharedVolume>(
            *this, chosen,
            [settings = job.settings](Compute &compute) {
                return std::make_unique<GeneralBackprojector>(compute, settings);
            },
            SharedVolume::Listener{
                [this](const Device &device, std::uint64_t planes) { tell_made(device, planes); },
                [this](const Device &device) { tell_failed(device); }});
    }

    GivenTurn turn() const override { return geometry.turn(overall_angle.chosen(), angle_step.chosen()); }
    bool only_turns() const override { return !geometry.moves(); }

    Arrangement arrangement(unsigned view, double angle, std::optional<double> swept) const override {
        Arrangement a = geometry.at(view, angle);
        if (swept) {
            const Part part{static_cast<int>(parameter.value())};
            double &value = part_of(a, part);
            value = part == Part::axis_angle_z ? value + *swept : *swept;
        }
        return a;
    }

    void add_effective(EffectiveValues &values) const override { geometry.add_to(values); }

  private:
    static constexpr Swept swept(Part part) { return static_cast<Swept>(part); }

    void set_part(Job &job, const ArrayInfo &projection) const {
        const unsigned all = job.grid.z.count;
        if (first_slice >= all || num_slices > all - first_slice)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("first-slice=%u and num-slices=%u are no part of the %u slices of region: "
                             "together they may be %u at most",
                             first_slice.value(), num_slices.value(), all, all));
        job.first = first_slice;
        job.planes = num_slices.chosen().value_or(all - first_slice);
        const unsigned rows = detector_rows.chosen().value_or(projection.height);
        if (first_row > rows || projection.height > rows - first_row)
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("projections of %u rows from first-row=%u on are no part of %u rows of a detector: "
                     "set detector-rows to all of its rows",
                     projection.height, first_row.value(), rows));
        if (addressing_mode.number() >= 3 && projection.height < rows)
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("addressing-mode=%s goes on with the other end of the detector, but projections have "
                     "%u of its %u rows: let all of them come",
                     addressing_mode.nick(), projection.height, rows));
        job.first_row = first_row;
        job.detector_rows = rows;
    }

    void set_store(Job &job) const {
        double largest = 0.0;
        switch (store_type) {
        case StoreType::half:
            job.format = GST_TOMO_FORMAT_FLOAT16;
            return;
        case StoreType::single:
            job.format = GST_TOMO_FORMAT_FLOAT32;
            return;
        case StoreType::twofold:
            job.format = GST_TOMO_FORMAT_FLOAT64;
            return;
        case StoreType::uchar:
            job.format = GST_TOMO_FORMAT_UINT8;
            largest = 255.0;
            break;
        case StoreType::ushort:
            job.format = GST_TOMO_FORMAT_UINT16;
            largest = 65535.0;
            break;
        case StoreType::uint:
            job.format = GST_TOMO_FORMAT_UINT32;
            largest = 4294967295.0;
            break;
        }
        if (gray_map_min == gray_map_max)
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("gray-map-min and gray-map-max are both %g, but store-type=%s needs a range of values: "
                     "set them to the values that become 0 and %.0f",
                     gray_map_min.value(), store_type.nick(), largest));
        job.greys = {gray_map_min, largest / (gray_map_max - gray_map_min)};
        const auto fits = [](double value) { return std::abs(value) <= G_MAXFLOAT; };
        if (!fits(gray_map_min) || !fits(gray_map_max) || !fits(job.greys.scale))
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("gray-map-min=%g and gray-map-max=%g are too large, or too close to each other, "
                     "for the %.0f steps of store-type=%s: set them to values within those of float32",
                     gray_map_min.value(), gray_map_max.value(), largest, store_type.nick()));
    }
};

} // namespace

TOMO_ELEMENT(GeneralBackproject)
