// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "leave-out.hpp"
#include "pipeline-facts.hpp"
#include <gst/files/open-writer.hpp>

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/sink.hpp>
#include <gst/tomo/device/profile.hpp>

using namespace tomo;
using namespace tomo::io;

namespace {

// Files are complete or called NAME.partial: they get their names at the end of the stream.
class Write final : public Sink {
  public:
    static constexpr Info info{
        .task = "write",
        .klass = "Sink/File",
        .blurb =
            "Writes arrays to TIFF, HDF5, OME-Zarr, EDF, PNG, JPEG, numpy and raw files, each plane as a page",
        .in = formats::all,
        .out = formats::all,
        .details =
            "The name's ending chooses the format: `.tif` and `.tiff` with several pages, BigTIFF where "
            "the images don't fit into 2 GiB or nobody knows their number; `.h5` and others of HDF5 with "
            "the dataset's path behind a colon; `.ome.zarr` and `.zarr`, see below; `.edf`, `.png`, `.jpg` and `.raw`; `.npy`, which "
            "`numpy.load()` reads, as (rows, columns), or (images, rows, columns) with more than one. A "
            "number pattern such as `%05i` makes a file of each array. A file has the name NAME.partial "
            "until the stream has ended well, and only then NAME. If fewer images came than were "
            "announced, because somebody ended the stream (Ctrl-C in `tomo-launch` or `gst-launch-1.0 "
            "-e`), the file gets its name all the same: a warning counts them, and a dataset of HDF5 has "
            "the attributes `complete` (false) and `images_expected`, the first page of a TIFF file with "
            "all images the same in its ImageDescription; so it is, without `images_expected`, where each "
            "image is made of a part of the stream only. `bits=8` and `bits=16` map `minimum` to "
            "`maximum`, which are those of the whole stream where they are not given, onto the integers, "
            "rounded and clipped; complex samples are written as pairs. An integer i of b bits stands for "
            "grey_minimum + i / (2^b - 1) * (grey_maximum - grey_minimum): TIFF has these two as "
            "SMinSampleValue and SMaxSampleValue and in ImageDescription, HDF5 as attributes of the "
            "dataset (with `range-per-image` as datasets NAME_grey_minimum and NAME_grey_maximum), EDF in "
            "its header, PNG as text and JPEG as comment. Raw files can't say it; the message "
            "`tomo-effective` does.\n\n"
            "`.zarr` is a folder with an image of OME-Zarr (NGFF 0.4, Zarr version 2) for viewers such as napari and "
            "neuroglancer: the volume in chunks that serve all three axes, and a pyramid of ever smaller ones. Each "
            "sample of a level is the mean of 2 x 2 x 2 of the level before, at the end of an odd axis of those that "
            "are there; NaN is not counted, and means of integers are rounded, halves upwards. Levels end where rows and "
            "columns are 64 at most. The folder is NAME.partial until the stream has ended well. A volume that was "
            "written before is replaced as a whole; a folder with anything in it that this element did not write is "
            "left as it is, and that is an error. `chunks` has 64 x 64 x 64 samples by default, so that a slice along any "
            "axis takes the same time, and a chunk of float32 is a file of 1 MiB. Samples are stored without "
            "compression. `.zattrs` has the pixel size, the grey values from dark to bright (0.5 and 99.5 percent of all "
            "values) and, under `gst-tomo`, what HDF5 has in its process group.\n\n"
            "The same pyramid stands beside an HDF5 dataset NAME as NAME_2x, NAME_4x and so on, with the attributes "
            "`pyramid_factor` and `pyramid_of`; by itself, where the volume is larger than 1 GB (`pyramid`). Levels have "
            "chunks of 64 x 64 x 64 samples, of fewer images where these are large. With `hdf5-parts` they are in one "
            "more file.\n\n"
            "`chunks=cube` cuts an HDF5 dataset in the same way, so that slices along all three axes are read fast, "
            "compressed ones too. As many images as a chunk is deep are held in memory, and written together: after a "
            "crash, those that fill no chunk are missing. Without `chunks` images are written as they come, which is "
            "faster.",
        .example = "tomoread path='sinograms/*.tif' ! tomowrite filename=sinograms.h5:/entry/data/data\n"
                   "tomoread path=volume.h5:/volume ! tomowrite filename=slice-%03i.tif bits=8",
    };

    Property<std::string> filename{this, "filename", "", When::ready,
                                   "A file, a pattern with one integer like slices/%05i.tif, or "
                                   "file.h5:/path/to/dataset. Not set: raw samples to standard output"};
    Property<unsigned> counter_start{this, "counter-start", 0, When::ready, "First number in a pattern"};
    Property<unsigned> counter_step{this,           "counter-step", 1,
                                    {1, G_MAXUINT}, When::ready,    "Step of the numbers in a pattern"};
    Property<std::uint64_t> bytes_per_file{
        this, "bytes-per-file", 0, When::ready,
        "Bytes after which the next file of a pattern begins; 0: each image has its own"};
    Property<bool> append{
        this, "append", false, When::ready,
        "Keep images that are there: numbers of a pattern that are in use are left out, a single file "
        "or dataset is continued"};
    Property<unsigned> bits{
        this,    "bits",      32,
        {8, 32}, When::ready, "32: samples as they are. 8 or 16: unsigned integers, clipped and rounded"};
    Property<float> minimum{
        this,
        "minimum",
        Automatic{FLT_MAX},
        {-FLT_MAX, FLT_MAX},
        When::ready,
        "Value that becomes 0 when bits is 8 or 16; the largest float: the smallest of all images, "
        "which are kept beside until the end"};
    Property<float> maximum{
        this,
        "maximum",
        Automatic{-FLT_MAX},
        {-FLT_MAX, FLT_MAX},
        When::ready,
        "Value that becomes the largest integer; the smallest float: the largest of all images"};
    Property<bool> range_per_image{this, "range-per-image", false, When::ready,
                                   "Minimum and maximum that are not given are those of each image instead"};
    Property<bool> rescale{this, "rescale", true, When::ready,
                           "Map minimum to maximum onto the integers; otherwise clip the values themselves"};
    enum class BigTiff { Never, Always, AsNeeded };
    Choice<BigTiff> tiff_bigtiff{this,
                                 "tiff-bigtiff",
                                 BigTiff::AsNeeded,
                                 {{BigTiff::AsNeeded, "auto",
                                   "Classic TIFF where all images are known to fit into 2 GiB, else BigTIFF"},
                                  {BigTiff::Always, "true", "BigTIFF"},
                                  {BigTiff::Never, "false", "Classic TIFF, which ends at 4 GiB"}},
                                 When::ready,
                                 "Which kind of TIFF files"};

    Property<bool> rgb{this, "rgb", false, When::ready,
                       "Write arrays of depth 3 as red, green and blue of one picture (TIFF, PNG, JPEG)"};
    Property<double> window{
        this,         "window",
        Automatic{0}, {0, DBL_MAX},
        When::ready,  "Width of the values that become grey, around level; 0: minimum and maximum say it"};
    Property<double> level{this,        "level",
                           0,           {-DBL_MAX, DBL_MAX},
                           When::ready, "Value that becomes middle grey where window is set"};
    Property<unsigned> jpeg_quality{this, "jpeg-quality", 95, {0, 100}, When::ready, "Quality of JPEG files"};
    Property<unsigned> hdf5_deflate{
        this,   "hdf5-deflate", 0,
        {0, 9}, When::ready,    "Level of compression of a new HDF5 dataset; 0: not compressed"};
    Property<unsigned> hdf5_volume{
        this, "hdf5-volume", 0, When::ready,
        "Images of a volume, where several follow each other: beside the HDF5 dataset NAME, NAME_volumes shows its "
        "whole volumes as (volumes, images, rows, columns), without a copy. 0: one volume"};
    Property<unsigned> hdf5_parts{
        this, "hdf5-parts", 1, {1, 256}, When::ready,
        "Number of files in the folder NAME.parts that hold the images of an HDF5 dataset, each every n-th of them; "
        "NAME joins them by a virtual dataset. A system writes several files faster than one"};
    Property<std::string> chunks{
        this, "chunks", "", When::ready,
        "How a volume of HDF5 or OME-Zarr is cut into chunks: cube (64 samples along each axis), image, or sizes along "
        "images, rows and columns like 32,256,256, of which in OME-Zarr the last two are even or those of the image. "
        "Not set: image in HDF5, cube in OME-Zarr"};
    Choice<io::WriteOptions::Pyramid> pyramid{
        this,
        "pyramid",
        io::WriteOptions::Pyramid::Automatic,
        {{io::WriteOptions::Pyramid::Automatic, "auto",
          "In OME-Zarr, and in HDF5 for a volume above 1 GB whose number of images is known"},
         {io::WriteOptions::Pyramid::Yes, "yes", "A pyramid"},
         {io::WriteOptions::Pyramid::No, "no", "The volume alone"}},
        When::ready,
        "Whether levels that are half as large along each axis stand beside the volume, see above"};
    Property<bool> resume{
        this, "resume", false, When::ready,
        "Go on where an interrupted run with the same input and settings stopped; images already "
        "written are compared with the new ones"};

    Property<bool> fsync{
        this, "fsync", true, When::ready,
        "Wait until a file is on the disk before it gets its name, and HDF5 at each flush; otherwise "
        "a machine that stops during the run or soon after may leave damaged files, also HDF5 files "
        "that were there before"};

    Choice<DigestOf> input_checksum{
        this,
        "input-checksum",
        DigestOf::Ends,
        {{DigestOf::Nothing, "none", "Nothing"},
         {DigestOf::Ends, "ends", "Name, size, first and last 64 KiB of each file"},
         {DigestOf::All, "whole", "Every byte of each file, which are read once more for it"}},
        When::ready,
        "Input files of which an HDF5 result holds a checksum"};

    bool wants_device_memory() const override { return wants_device_memory_; }
    void start() override { open(); }
    // A file that was finished is written again, one under way begins anew.
    void clear() override { open(); }

    void begin(const ArrayInfo &info) override {
        pages_per_array_ = rgb ? 1 : info.depth;
        if (!resume || next_ > 0)
            return;
        there_ = writer_->images_there(info);
        // The last one is computed again, to see that it is the same.
        if (there_ > 1)
            io::leave_out_before(gst(), there_ - 1);
    }

    void consume(GstBuffer *buffer, const ArrayInfo &info) override {
        const auto number = GST_BUFFER_OFFSET_IS_VALID(buffer) ? GST_BUFFER_OFFSET(buffer) : next_.load();
        if (number > next_ && number < there_) {
            writer_->skip(info, number - next_);
            next_ = number;
        }
        next_++;
        if (maps_on_device(buffer, info)) {
            writer_->write(mapped_on_device(buffer, info));
            return;
        }
        writer_->write({info, [this, info, kept = BufferRef::referenced(buffer)] {
                            const WorkFor work(gst());
                            return samples_of(kept, info);
                        }});
    }

    void finish() override {
        if (next_ == 0 && there_ > 1)
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("'%s' can't be resumed: the interrupted run wrote %" G_GUINT64_FORMAT
                             " images, more than come now; remove its files, or write to another file",
                             filename.value().c_str(), there_));
        look_for_length();
        writer_->finish();
        writer_.reset();
        if (const auto all = length(); all.lacks_some() && next_ > 0)
            warn(text("the stream ended early: '%s' has %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                      " images%s",
                      filename.value().c_str(), all.came, *all.announced,
                      resume ? "" : "; the same line with resume=true goes on from there"));
        else if (all.is_interrupted && next_ > 0)
            warn(text("the stream ended early: '%s' is made of a part of it (%s); the same line "
                      "writes the whole anew",
                      filename.value().c_str(), interruption_->in_words().c_str()));
    }

    void abandon() override {
        const std::string kept = writer_ ? writer_->abandon() : "";
        if (kept.empty())
            return;
        warn(kept);
        // gst-launch-1.0 no longer looks at the bus when it stops.
        g_message("%s: %s", GST_OBJECT_NAME(gst()), kept.c_str());
    }

    void stop() override {
        writer_.reset();
        missing_ = {};
    }

  private:
    static io::ImageToWrite::Samples samples_of(const BufferRef &buffer, const ArrayInfo &info) {
        if (gst_buffer_get_tomo_array_meta(buffer.get())) {
            const std::shared_ptr<char[]> packed(new char[info.size()]);
            copy_packed(buffer.get(), info, packed.get());
            return packed;
        }
        struct Mapped {
            explicit Mapped(const BufferRef &held) : buffer(held), map(held.get(), GST_MAP_READ) {}
            BufferRef buffer;
            MappedBuffer map;
        };
        const auto mapped = std::make_shared<Mapped>(buffer);
        if (mapped->map.size() != info.size())
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("a buffer of %zu bytes came where %s takes %zu", mapped->map.size(),
                             info.describe().c_str(), static_cast<std::size_t>(info.size())));
        return {mapped, mapped->map.data()};
    }

    // Where the samples are on a device with memory of its own, integers are what has to leave it. The writer's
    // threads would need longer for them than the device.
    bool maps_on_device(GstBuffer *buffer, const ArrayInfo &info) const {
        if (!grey_ || info.format == GST_TOMO_FORMAT_COMPLEX64 || gst_buffer_n_memory(buffer) != 1 ||
            gst_buffer_get_tomo_array_meta(buffer))
            return false;
        const auto storage = storage_of(gst_buffer_peek_memory(buffer, 0));
        return storage && !storage->device()->shares_host_memory() && storage->device()->has_fp64() &&
               (!has_device() || device()->context() == storage->device()->context());
    }

    io::ImageToWrite mapped_on_device(GstBuffer *buffer, const ArrayInfo &info) {
        const Array in = import(buffer, info);
        if (!missing_) {
            missing_ = allocate(ArrayInfo(GST_TOMO_FORMAT_UINT32, 2, 1));
            const cl_uint none = 0;
            fill(missing_, &none, sizeof none);
        }
        Array out = allocate(info.with_format(grey_->format()));
        input_format("in", info.format);
        launch(kernel(grey_->bits == 8 ? "to_uint8" : "to_uint16"), WorkSize(info.samples()), in, out,
               ReadWrite{missing_}, cl_double{grey_->offset()}, cl_double{grey_->scale()});
        limit_frames_in_flight(out);
        out.storage()->prefetch();
        return {out.info(),
                [this, info = out.info(), kept = out.to_buffer()] {
                    const WorkFor work(gst());
                    return samples_of(kept, info);
                },
                grey_->range};
    }

    void open() {
        io::WriteOptions options;
        options.counter_start = counter_start;
        options.counter_step = counter_step;
        options.bytes_per_file = bytes_per_file;
        options.append = append;
        if (tiff_bigtiff != BigTiff::AsNeeded)
            options.big_tiff = tiff_bigtiff == BigTiff::Always;
        options.length = [this] { return length(); };
        options.bits = bits;
        options.rescale = rescale;
        options.range_per_image = range_per_image;
        options.resume = resume;
        options.fsync = fsync;
        options.jpeg_quality = jpeg_quality;
        options.deflate = hdf5_deflate;
        options.volume = hdf5_volume;
        options.parts = hdf5_parts;
        options.chunks = chunks;
        options.pyramid = pyramid;
        options.most_bytes_under_way = most_bytes_waiting();
        options.report = [this](std::exception_ptr error) {
            guard(false, [&]() -> bool { std::rethrow_exception(error); });
        };
        options.warn = [this](const std::string &message) { warn(message); };
        options.tell_range = [this](const io::GreyMapping &mapping) { tell_range(mapping); };
        options.rgb = rgb;
        options.facts = [this] { return io::facts_of_pipeline(gst(), input_checksum); };
        options.add_final_facts = [this](io::ResultFacts &facts) { io::add_final_facts(gst(), facts); };
        options.minimum = minimum.chosen();
        options.maximum = maximum.chosen();
        if (window > 0) {
            if (options.minimum || options.maximum)
                throw Error(GST_RESOURCE_ERROR_SETTINGS,
                            "window and level are set, and minimum or maximum as well; set one pair of them");
            options.minimum = level - window / 2;
            options.maximum = level + window / 2;
        } else if (level != 0.0) {
            throw Error(GST_RESOURCE_ERROR_SETTINGS, "level is set, but not window");
        }
        grey_.reset();
        missing_ = {};
        if (bits != 32 && rescale && !rgb && options.minimum && options.maximum)
            grey_ = io::GreyMapping{bits, true, {*options.minimum, *options.maximum}};
        wants_device_memory_ = grey_.has_value();
        options.count_missing = [this]() -> std::uint64_t {
            if (!missing_)
                return 0;
            const Host<const cl_uint> halves(missing_);
            return halves[0] | std::uint64_t{halves[1]} << 32;
        };
        next_ = there_ = 0;
        length_known_ = false;
        is_range_found_ = !(options.minimum && options.maximum);
        writer_.reset(); // lets go of the files that the new one may want
        writer_ = io::open_writer(filename.value(), options);
    }

    void tell_range(const io::GreyMapping &mapping) {
        const auto &range = mapping.range;
        const auto said =
            text("integers 0 to %u stand for values from %g to %g (%s)", (1u << mapping.bits) - 1,
                 range.minimum, range.maximum, is_range_found_ ? "of all images" : "as set");
        const auto origin = is_range_found_ ? Origin::found : Origin::property;
        report_effective(EffectiveValues()
                             .add("grey-minimum", range.minimum, nullptr, origin)
                             .add("grey-maximum", range.maximum, nullptr, origin)
                             .say(said));
    }

    // How many arrays upstream announces, if all of its stream is to come.
    std::optional<std::uint64_t> announced_arrays() const {
        auto *sink = GST_BASE_SINK(gst());
        gint64 count = -1;
        GST_OBJECT_LOCK(sink);
        const auto &segment = sink->segment;
        const bool is_part = segment.start != 0 || GST_CLOCK_TIME_IS_VALID(segment.stop) || segment.rate != 1;
        GST_OBJECT_UNLOCK(sink);
        if (is_part || !gst_pad_peer_query_duration(GST_BASE_SINK_PAD(sink), GST_FORMAT_DEFAULT, &count) ||
            count < 0)
            return {};
        return static_cast<std::uint64_t>(count);
    }

    void look_for_length() {
        const auto announced = announced_arrays(); // may take a while
        const auto interruption = interruption_of(GST_BASE_SINK_PAD(gst()));
        const std::lock_guard<std::mutex> lock(length_lock_);
        announced_ = announced;
        interruption_ = interruption;
        length_known_ = true;
    }

    // From any thread.
    io::StreamLength length() {
        if (!length_known_)
            look_for_length();
        const std::lock_guard<std::mutex> lock(length_lock_);
        io::StreamLength pages{next_ * pages_per_array_, {}, interruption_.has_value()};
        if (announced_)
            pages.announced = *announced_ * pages_per_array_;
        return pages;
    }

    std::unique_ptr<io::ImageWriter> writer_;
    std::optional<io::GreyMapping> grey_; // of all images, where it is known before
    std::atomic<bool> wants_device_memory_{false};
    Array missing_; // both halves of a number: NaN of images that were mapped on the device
    bool is_range_found_ = false;
    std::mutex length_lock_;
    std::optional<std::uint64_t> announced_;
    std::optional<Interruption> interruption_;
    std::atomic<bool> length_known_{false};
    std::atomic<unsigned> pages_per_array_{1};
    std::atomic<std::uint64_t> next_{0}; // arrays that came, or were left out because they are there
    std::uint64_t there_ = 0;            // arrays of an interrupted run
};

} // namespace

TOMO_ELEMENT(Write)
