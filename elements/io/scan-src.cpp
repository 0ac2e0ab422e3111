// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scan-stream.hpp"
#include "sort-property.hpp"

#include <gst/tomo/bases/source-bin.hpp>
#include <gst/tomo/support/host-memory.hpp>

using namespace tomo;
using namespace tomo::io;

namespace {

class ScanSrc final : public SourceBin {
  public:
    static constexpr Info info{
        .task = "scan-src",
        .klass = "Source/File",
        .blurb =
            "Reads a whole scan: NXtomo, Data Exchange or folders of images become projections, darks and flats",
        .in = formats::all,
        .out = formats::all,
        .details = R"(The contents of the location tell its kind:

- HDF5 with an entry whose `definition` is NXtomo, or which looks like one. `image_key` tells projections (0), flats
  (1) and darks (2); others are left out, as are those with an `image_key_control` below 0. Flats behind the last
  projection are those of `flats-after`. `x_rotation_axis_pixel_position` is the index of a pixel; the axis of the
  stream is 1/2 more, in edge coordinates. Of several detectors the one counts whose images are there; `detector`
  chooses among more. Angles that are not where NXtomo wants them are looked for in the entry's NXdata and NXpositioner
  groups, by their number, unit and name.
- HDF5 with `/exchange/data`: Data Exchange, with `data_white` and `data_dark`.
- A folder: images in it, or in folders below, are told apart by words in their names: dark, darkfield, di, df, drk,
  bias, dunkel; flat, flatfield, io, white, ref, ff, ob, open beam, bright, hellfeld; with after, post or end for flats
  after. Words that may mean other things as well count where no other word stands beside them: dc, offset; bak, bkg,
  hell, empty, blank, background, gain, reference. `didymium` is no `di`; capitals begin words, as in `refHST` and
  `DarkField`. The order is that of the numbers, or of `sort`. Hidden files, and previews and masks in a TIFF, are
  left out; a link that leads nowhere is an error. Images of a scan are grey: planes of a TIFF that its writer took for
  colours are an image each.
- A pattern or a file of images, or one dataset as in `file.h5:/data`: projections; also darks and flats of a pattern by
  their names. A dataset of a detector, as in `file.nxs:/entry/instrument/camera/data`, brings its `image_key` and the
  angles with it.

A scan may also have no projections: its darks and flats can be read alone.

External links and virtual datasets are followed; files that are missing are looked for beside the first one. Angles
without a unit are degrees, unless they cover a half or a full turn in radians. A text file with `angles` has one
number per line, or an index and an angle, or a heading that calls a column angle or theta; blanks, commas, tabs or
semicolons separate.

Every output has a thread. An output that is not linked is not read. `flats-after` ends at once in scans
without such flats. Angles, axis, pixel size, energy and distances go out as the scan event of every output,
and so does the place of a region; frames carry their angle, and their number among all frames of the scan.
Without angles, the event says which of how many projections come.

Flats before the last projection are those of `flats`. Where there are several sets of them, with projections between,
`flat-sets=means` gives the mean of each: as the planes of one array, with `order=sinograms` as rows.
`tomoflatfieldcorrect` takes for each projection the two sets around it, in time.

NXtomo's `sample/x_translation` and `y_translation`, in metres where no unit stands there, say where the sample stood in
each frame. They go out in the scan event as displacements from the first projection in pixels, x to larger columns and y,
which points up, to smaller rows; `tomoshift` takes them back. The data of the entry's NXmonitor, `control`, goes out as
the intensity of the beam, by which `tomoflatfieldcorrect normalize-beam=true` divides.

With `follow` a scan is read while it is written: HDF5 for several readers (SWMR), or a folder that fills in
the order of the names. A projection goes out as soon as it is complete, darks and flats with the first
projection, later flats at the end; later darks are left out. The images may be in files that the scan's own
file links to, or makes a virtual dataset of. The stream ends when all these files are closed, or when the
number of projections of `number` or `image_key` has come. It also ends after `timeout` seconds, with an
error if more projections were expected or a file is still marked as being written. A chunk with several
images counts when another chunk follows it.

`order=sinograms` gives stacks of sinograms (columns, projections, rows of the detector as depth), and as
darks and flats their means with one row, a plane for each of the stack's: `tomoflatfieldcorrect
sinogram-input=true` takes them as they are. The element reads only the chosen rows.)",
        .example =
            "tomoscansrc name=s location=scan.nxs y=36 height=8 s.projections ! f.projections s.darks ! "
            "tomoaverage ! f.darks s.flats ! tomoaverage ! f.flats tomoflatfieldcorrect name=f "
            "absorption-correct=true fix-nan-and-inf=true ! tomotransposeprojections ! tomorampfilter ! "
            "tomobackproject ! tomowrite filename=slices.h5:/entry/data/data\n"
            "tomoscansrc name=s location=scan.nxs order=sinograms y=36 height=8 s.projections ! "
            "f.projections s.darks ! f.darks s.flats ! f.flats tomoflatfieldcorrect name=f "
            "sinogram-input=true absorption-correct=true fix-nan-and-inf=true ! tomorampfilter ! "
            "tomobackproject ! tomowrite filename=slices.tif",
    };

    Property<std::string> location{
        this, "location", "", When::ready,
        "The scan: an HDF5 file, a folder of images, or a pattern like scan/*.tif"};
    Property<std::string> entry{this, "entry", "", When::ready,
                                "Which scan of an HDF5 file with several: path of its group"};
    Property<std::string> darks{this, "darks", "", When::ready,
                                "Files of the darks, if they are not in the scan itself; as tomoread's path"};
    Property<std::string> flats{this, "flats", "", When::ready,
                                "Files of the flats, if they are not in the scan itself; as tomoread's path"};
    Property<std::string> flats_after{
        this, "flats-after", "", When::ready,
        "Files of the flats after the projections, if they are not in the scan itself"};
    Property<std::string> angles{
        this, "angles", "", When::ready,
        "Angles instead of the scan's: a text file with one per line in degrees, for each projection or each "
        "frame, or a dataset as in file.h5:/theta"};
    Property<std::string> shifts{
        this, "shifts", "", When::ready,
        "Displacements of the projections instead of the scan's: a text file with two columns, an array of "
        "numpy, or a dataset, with the pixels to larger columns and to larger rows for each projection"};
    Property<double> axis_pos{
        this,
        "axis-pos",
        Automatic{-1, {{-1, 0}}},
        {-1.0, 1e6},
        When::ready,
        "Rotation axis instead of the scan's, as an edge coordinate of its whole images; 0 or less: that of the scan"};
    Property<std::string> detector{
        this, "detector", "", When::ready,
        "Which detector of an NXtomo entry with several: its name or the path of its group"};
    Choice<io::NameOrder> sort = io::sort_property(this);
    Choice<ScanOrder> order{this,
                            "order",
                            ScanOrder::Projections,
                            {{ScanOrder::Projections, "projections", "One image each"},
                             {ScanOrder::Sinograms, "sinograms", "Stacks of sinograms"}},
                            When::ready,
                            "Kind of the arrays"};
    Choice<FlatSets> flat_sets{
        this,
        "flat-sets",
        FlatSets::Frames,
        {{FlatSets::Frames, "frames", "One image each, of all sets"},
         {FlatSets::Means, "means", "The mean of each set, in one array of several planes"}},
        When::ready,
        "What flats are that were taken several times, with projections between them"};
    Property<unsigned> stack{
        this, "stack", Automatic{0}, When::ready,
        "Most sinograms per array, for order=sinograms; 0: as the file is stored and memory allows"};
    Property<std::uint64_t> max_memory{
        this, "max-memory", Automatic{0}, When::ready,
        "Most bytes of rows that are held, for order=sinograms of compressed projections or of many files, which "
        "are read once where all rows fit; 0: an eighth of the computer's memory"};
    Property<unsigned> first{this, "start", 0, When::ready, "First projection"};
    Property<unsigned> step{this, "step", 1, {1, G_MAXUINT}, When::ready, "Take every n-th projection"};
    Property<unsigned> number{this, "number", Automatic{G_MAXUINT}, When::ready, "Most projections to read"};
    Property<unsigned> x{this, "x", 0, When::ready, "First column"};
    Property<unsigned> width{this, "width", Automatic{0}, When::ready, "Columns from there; 0: all"};
    Property<unsigned> y{this, "y", 0, When::ready, "First row"};
    Property<unsigned> height{this, "height", Automatic{0}, When::ready, "Rows from there; 0: all"};
    Property<unsigned> y_step{this, "y-step", 1, {1, G_MAXUINT}, When::ready, "Take every n-th row"};

    Property<bool> follow{
        this, "follow", false, When::ready,
        "The scan is being written: wait for new images until the file is closed, the number of "
        "projections of `number` or image_key has come, or timeout"};
    Property<double> timeout{this,        "timeout",
                             60.0,        {0.0, G_MAXDOUBLE},
                             When::ready, "Seconds to wait for another image, with follow"};

    std::vector<Output> outputs() const override {
        return {{"projections"}, {"darks"}, {"flats"}, {"flats-after", true}};
    }

    void start() override {
        auto plan = std::make_shared<io::ScanPlan>();
        plan->request = {location, entry, darks, flats, flats_after, angles, detector, shifts, axis_pos.chosen(),
                         sort,     follow};
        plan->start = first;
        plan->step = step;
        plan->number = number;
        plan->timeout = timeout;
        plan->part = {{y, height, y_step}, x, width};
        plan->order = order;
        plan->flat_sets = flat_sets;
        plan->stack = stack;
        plan->store_bytes = max_memory ? max_memory.value() : host_memory() / 8;
        if (follow && order == ScanOrder::Sinograms)
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                "a scan that is followed has no sinograms yet: follow=true takes order=projections, and "
                "tomotransposeprojections makes sinograms of them");
        if (follow && flat_sets == FlatSets::Means)
            throw Error(GST_RESOURCE_ERROR_SETTINGS, "of a scan that is followed nobody knows all flats yet: "
                                                     "follow=true takes flat-sets=frames");
        if (follow && location.value().empty())
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        "no location is given; name the file that will be written");
        if (!follow)
            plan->find();
        for (const auto &warning : plan->scan.warnings)
            warn(plan->scan.name + ": " + warning);
        plan_ = std::move(plan);
    }

    void stop() override { plan_ = {}; }

    ObjectRef<GstElement> source(const char *output) override {
        auto source = make_source<io::ScanStream>(output);
        static_cast<io::ScanStream *>(element_of(source.get()))->set_plan(plan_, output);
        return source;
    }

  private:
    std::shared_ptr<const io::ScanPlan> plan_;
};

} // namespace

TOMO_ELEMENT(ScanSrc)
