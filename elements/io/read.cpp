// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "read-ahead.hpp"
#include "sort-property.hpp"
#include <gst/files/file-list.hpp>
#include <gst/files/image-reader.hpp>
#include <gst/files/input-claim.hpp>

#include <gst/tomo/bases/source.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <algorithm>

using namespace tomo;
using namespace tomo::io;

namespace {

enum class ByteOrder { Host, Little, Big };

class Read final : public Source {
  public:
    static constexpr Info info{
        .task = "read",
        .klass = "Source/File",
        .blurb =
            "Reads images from TIFF, HDF5, EDF, JPEG, PNG, PGM, numpy and raw files, page by page in the "
            "order of the numbers in the names",
        .in = formats::all,
        .out = formats::all,
        .details =
            "`path` is a file, a folder, or a pattern with `*`, `?` and `[...]`; files are read in the "
            "order of their names, their pages one after the other, and have to agree in size and type. "
            "Numbers in names count as numbers: `img_2` comes before `img_10`, `0deg` before `0.5deg` and "
            "`-5deg` before both; `sort=name` compares byte by byte. A part of the path that exists as it "
            "is written is no pattern. Hidden files (`._scan.tif`) are left out, unless they are named or "
            "the pattern begins with a dot, and so are previews and masks among the pages of a TIFF. A "
            "link that leads nowhere is an error.\n"
            "\n"
            "`FILE.h5:/path/to/dataset` reads a dataset of two or more axes, image by image along the "
            "first ones. TIFF may be compressed, tiled, and of 8, 12, 16, 32 and 64 bits; colours become "
            "planes. Raw files need their size and type (`raw-width`, `raw-height`, `raw-bitdepth` or "
            "`raw-format`); bytes of a header are skipped once per file by `raw-header`, around each "
            "image by `raw-pre-offset` and `raw-post-offset`. Arrays of numpy (`.npy`) have two or three "
            "axes; of one in Fortran order the whole file is read for each image. `FOLDER.zarr` is an array of "
            "Zarr, version 2, without compression, or the first level of an image of OME-Zarr; "
            "`FOLDER.ome.zarr:/1` names another array in it. The element reads only "
            "the chosen images and rows, and says downstream which part they are: `tomobackproject` takes "
            "a part of the projections for that part of half a turn, and warns of a part of the rows of "
            "sinograms.\n"
            "\n"
            "Values are given as stored: no scaling, no palette (but PNG's, which becomes red, green and "
            "blue), no inversion. Channels are planes. 8 bit signed integers become int16, 64 bit "
            "integers float64, packed 12 bit ones uint16. A stack of ImageJ gives its pages in file "
            "order: channel, slice, time.",
        .example = "tomoread path='sinograms/*.tif' number=10 ! tomowrite filename=ten.tif\n"
                   "tomoread path=volume.h5:/volume y=40 height=20 ! tomowrite filename=rows.h5:/part\n"
                   "tomoread path='projections/*.tif' y=4 height=8 ! tomowrite filename=rows.raw\n"
                   "tomoread path=rows.raw raw-width=256 raw-height=8 raw-format=float32 ! tomowrite "
                   "filename=rows.edf",
    };

    Property<std::string> path{
        this, "path", ".", When::ready,
        "A file, a folder, or a pattern like scan/*.tif; file.h5:/path/to/dataset for HDF5; folder.zarr"};
    Choice<io::NameOrder> sort = io::sort_property(this);
    Property<unsigned> start_file{this, "start", 0, When::ready, "Number of the first file"};
    Property<unsigned> step{this, "step", 1, {1, G_MAXUINT}, When::ready, "Take every n-th file"};
    Property<unsigned> y{this, "y", 0, When::ready, "First row"};
    Property<unsigned> height{this, "height", Automatic{0}, When::ready, "Rows from there; 0: all"};
    Property<unsigned> y_step{this, "y-step", 1, {1, G_MAXUINT}, When::ready, "Take every n-th row"};
    Property<unsigned> image_start{this, "image-start", 0, When::ready,
                                   "Number of the first page, counted over all files"};
    Property<unsigned> image_step{
        this, "image-step", 1, {1, G_MAXUINT}, When::ready, "Take every n-th page, counted over all files"};
    Property<unsigned> number{this, "number", Automatic{G_MAXUINT}, When::ready, "Most pages to read"};
    Property<bool> convert{
        this, "convert", true, When::ready,
        "Give float32 (complex samples stay complex); otherwise samples as they are stored"};
    Choice<FileType> type{this,
                          "type",
                          FileType::Automatic,
                          {{FileType::Automatic, "unspecified", "As the suffix says"},
                           {FileType::Raw, "raw", "Samples and nothing else; see raw-width and the others"},
                           {FileType::Hdf5, "hdf5", "HDF5"},
                           {FileType::Tiff, "tiff", "TIFF"},
                           {FileType::Edf, "edf", "EDF"},
                           {FileType::Jpeg, "jpeg", "JPEG"},
                           {FileType::Png, "png", "PNG"},
                           {FileType::Pnm, "pnm", "PGM and PPM"},
                           {FileType::Npy, "npy", "An array of numpy.save()"},
                           {FileType::Zarr, "zarr", "Zarr, version 2, without compression"},
                           {FileType::Xradia, "xradia", "Zeiss .txrm and .xrm"}},
                          When::ready,
                          "Type of the files, instead of the one that their suffix tells"};
    Property<unsigned> raw_width{this, "raw-width", 0, When::ready, "Columns of raw images"};
    Property<unsigned> raw_height{this, "raw-height", 0, When::ready, "Rows of raw images"};
    Property<unsigned> raw_bitdepth{
        this,         "raw-bitdepth",
        Automatic{0}, {0, 32},
        When::ready,  "8, 12 or 16 for unsigned integers, 32 for float32; of raw images. 0: see raw-format"};
    Choice<GstTomoFormat> raw_format{this,
                                     "raw-format",
                                     GST_TOMO_FORMAT_UNKNOWN,
                                     {{GST_TOMO_FORMAT_UNKNOWN, "unspecified", "The format of raw-bitdepth"},
                                      {GST_TOMO_FORMAT_UINT8, "uint8", "8 bit unsigned integers"},
                                      {GST_TOMO_FORMAT_UINT16, "uint16", "16 bit unsigned integers"},
                                      {GST_TOMO_FORMAT_UINT32, "uint32", "32 bit unsigned integers"},
                                      {GST_TOMO_FORMAT_INT16, "int16", "16 bit signed integers"},
                                      {GST_TOMO_FORMAT_INT32, "int32", "32 bit signed integers"},
                                      {GST_TOMO_FORMAT_FLOAT16, "float16", "16 bit floats"},
                                      {GST_TOMO_FORMAT_FLOAT32, "float32", "32 bit floats"},
                                      {GST_TOMO_FORMAT_FLOAT64, "float64", "64 bit floats"},
                                      {GST_TOMO_FORMAT_COMPLEX64, "complex64", "Pairs of 32 bit floats"}},
                                     When::ready,
                                     "Sample type of raw images"};
    Choice<Packing12> raw_packing{this,
                                  "raw-packing",
                                  Packing12::LowFirst,
                                  {{Packing12::LowFirst, "mono12p", "Low bits first, as GenICam's Mono12p"},
                                   {Packing12::GigE, "mono12packed",
                                    "Low bits of both in the second byte, as GigE Vision's Mono12Packed"},
                                   {Packing12::HighFirst, "high-first", "High bits first, as in TIFF"}},
                                  When::ready,
                                  "How two samples of 12 bits (raw-bitdepth=12) share three bytes"};
    Choice<ByteOrder> raw_byte_order{this,
                                     "raw-byte-order",
                                     ByteOrder::Host,
                                     {{ByteOrder::Host, "host", "That of this computer"},
                                      {ByteOrder::Little, "little", "Low byte first"},
                                      {ByteOrder::Big, "big", "High byte first"}},
                                     When::ready,
                                     "Byte order of raw samples"};
    Property<std::uint64_t> raw_header{this, "raw-header", 0, When::ready,
                                       "Bytes at the start of a raw file, before all images"};
    Property<std::uint64_t> raw_pre_offset{this, "raw-pre-offset", 0, When::ready,
                                           "Bytes before each raw image"};
    Property<std::uint64_t> raw_post_offset{this, "raw-post-offset", 0, When::ready,
                                            "Bytes after each raw image"};

    void start() override {
        options_ = {};
        options_.type = type;
        options_.rows = {y, height, y_step};
        options_.raw.width = raw_width;
        options_.raw.height = raw_height;
        options_.raw.pre_offset = raw_pre_offset;
        options_.raw.post_offset = raw_post_offset;
        options_.raw.header = raw_header;
        set_raw_type();
        auto [files, of] = io::choose_files(path.value(), options_, {start_file, step, sort});
        files_in_all_ = of;
        first_pages_.assign(1, 0);
        ahead_ = std::make_unique<ReadAhead>(
            *this, [this](std::uint64_t n) { return locate(n); }, [this] { return make_reader(); });
        claim_ = io::InputClaim(files);
        std::lock_guard<std::mutex> lock(count_lock_);
        files_ = std::move(files);
        count_ = {};
    }

    void stop() override {
        ahead_.reset();
        reader_.reset();
        claim_ = {};
        std::lock_guard<std::mutex> lock(count_lock_);
        files_.clear();
    }

    std::optional<ArrayInfo> frame_info(std::uint64_t n) override {
        const auto *frame = ahead_->plan(n);
        if (!frame)
            return {};
        return convert && !frame->info.is_complex() ? frame->info.with_format(GST_TOMO_FORMAT_FLOAT32)
                                                    : frame->info;
    }

    Array frame(std::uint64_t n, const ArrayInfo &info) override {
        const auto stored = *ahead_->plan(n);
        source_ = stored.file;
        ahead_->set_upload(output_is_on_device() || stored.info.format != info.format);
        const Array raw = ahead_->take();
        if (stored.info.format == info.format)
            return raw;
        // Integers cross the bus as they are and become floats on the device.
        Array out = allocate(info);
        input_format("in", stored.info.format);
        launch(kernel("to_float"), WorkSize(info.samples()), raw, out);
        return out;
    }

    // Opening thousands of files for a progress bar would be too dear.
    std::optional<std::uint64_t> frame_count() override {
        constexpr std::size_t few = 32;
        std::lock_guard<std::mutex> lock(count_lock_);
        if (files_.size() > few)
            return {};
        if (!count_) {
            std::uint64_t pages = 0;
            for (const auto &file : files_)
                pages += io::open_reader(file, options_)->pages();
            const std::uint64_t left =
                pages > image_start ? (pages - image_start + image_step - 1) / image_step : 0;
            count_ = std::min<std::uint64_t>(left, number);
        }
        return count_;
    }

    // A part of the images is a part of the views: of sinograms by rows, of projections by frames.
    EventRef scan_event() override {
        const auto &rows = options_.rows;
        const bool has_all_rows = rows.first == 0 && rows.step == 1 && rows.count == 0;
        const bool has_all_files = files_.size() == files_in_all_;
        const bool has_all_pages = image_start == 0 && image_step == 1 && number == G_MAXUINT;
        if (has_all_rows && has_all_files && has_all_pages)
            return {};
        auto whole = options_;
        whole.rows = {};
        const auto first = io::open_reader(files_.front(), whole);
        Scan scan;
        scan.region_y = rows.edge();
        scan.binning_y = rows.step;
        scan.total_rows = first->info(0).height;
        if (!has_all_files || !has_all_pages)
            number_frames(scan, first->pages());
        return scan.to_event();
    }

    void describe_frame(std::uint64_t, GstTomoFrameMeta &meta) override {
        meta.source = g_strdup(source_.c_str());
    }

  private:
    void set_raw_type() {
        auto &raw = options_.raw;
        const GstTomoFormat named = raw_format;
        if (raw_bitdepth && named != GST_TOMO_FORMAT_UNKNOWN)
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        "both raw-bitdepth and raw-format are set; one of them says it all");
        raw.format = raw_bitdepth ? io::raw_format(raw_bitdepth) : named;
        raw.packed12 = raw_bitdepth == 12;
        raw.packing = raw_packing;
        raw.swapped =
            raw_byte_order == (G_BYTE_ORDER == G_LITTLE_ENDIAN ? ByteOrder::Big : ByteOrder::Little);
    }

    std::optional<StoredFrame> locate(std::uint64_t n) {
        if (n >= number || !go_to(page_of(n)))
            return {};
        return StoredFrame{n, reader_->info(page_), files_[file_], page_};
    }

    FrameReader make_reader() const {
        struct Open {
            std::string file;
            std::unique_ptr<io::ImageReader> reader;
        };
        return [options = options_, open = std::make_shared<Open>()](const auto &frame, unsigned,
                                                                     void *destination, const auto &) {
            if (!open->reader || open->file != frame.file)
                *open = {frame.file, io::open_reader(frame.file, options)};
            open->reader->read(frame.page, destination, frame.info.size());
        };
    }

    // Among all pages of all files, if each file has `pages`: of many ones only the last one is asked.
    void number_frames(Scan &scan, std::uint64_t pages) const {
        if (io::open_reader(files_.back(), options_)->pages() != pages)
            return;
        const std::uint64_t chosen = files_.size() * pages;
        const std::uint64_t left = chosen > image_start ? (chosen - image_start - 1) / image_step + 1 : 0;
        const auto count = std::min<std::uint64_t>(left, number);
        if (count > Scan::most_views)
            return;
        scan.total_projections = double(files_in_all_ * pages);
        for (std::uint64_t n = 0; n < count; n++) {
            const auto page = page_of(n);
            const auto file = start_file + page / pages * step;
            scan.projection_numbers.push_back(double(file * pages + page % pages));
        }
    }

    std::uint64_t page_of(std::uint64_t n) const { return image_start + n * image_step; }

    // Makes reader_ and page_ those of a page counted over all files; false behind the last.
    bool go_to(std::uint64_t page) {
        // The file is among those whose first page is known, or behind them.
        auto file =
            std::upper_bound(first_pages_.begin(), first_pages_.end(), page) - first_pages_.begin() - 1;
        for (auto i = static_cast<std::size_t>(file); i < files_.size(); i++) {
            open(i);
            page_ = page - first_pages_[i];
            if (reader_->has_page(page_))
                return true;
            if (first_pages_.size() == i + 1)
                first_pages_.push_back(first_pages_[i] + reader_->pages());
        }
        return false;
    }

    void open(std::size_t file) {
        if (reader_ && file_ == file)
            return;
        reader_ = io::open_reader(files_[file], options_);
        file_ = file;
    }

    io::ReadOptions options_;
    std::vector<std::string> files_;
    std::size_t files_in_all_ = 0; // before start and step chose some
    std::mutex count_lock_;        // other threads ask how many frames there are
    std::optional<std::uint64_t> count_;
    std::vector<std::uint64_t> first_pages_; // of the files that were looked through
    std::unique_ptr<io::ImageReader> reader_;
    std::size_t file_ = 0;
    std::size_t page_ = 0;
    io::InputClaim claim_;
    std::unique_ptr<ReadAhead> ahead_;
    std::string source_; // of the last frame
};

} // namespace

TOMO_ELEMENT(Read)
