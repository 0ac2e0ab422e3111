// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exchange-writer.hpp"

#include <gst/files/file-format.hpp>

#ifdef HAVE_HDF5
#include <gst/files/disk.hpp>
#include <gst/files/file-descriptor.hpp>
#include <gst/files/hdf5/append.hpp>
#include <gst/files/hdf5/types.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fcntl.h>
#include <filesystem>
#include <numbers>
#endif

namespace tomo::io {

#ifdef HAVE_HDF5

namespace {

constexpr char projections[] = "/exchange/data";

// Room on the disk of a file that nothing else takes, until it is given back: a file without a name, which
// goes with the process. Nothing where the file system has no such files.
class RoomBeside {
  public:
    explicit RoomBeside(const std::string &file) : told_(file) {
        const auto folder = std::filesystem::path(file).parent_path();
        room_ = FileDescriptor(
            open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
    }

    // Throws if the disk has no room for these bytes.
    void grow(std::uint64_t bytes) {
        if (!room_ || bytes <= bytes_)
            return;
        constexpr std::uint64_t step = 1 << 20; // not for every small image
        const auto wanted = bytes / step * step + step;
        reserve_space(room_.get(), bytes_, wanted - bytes_, told_);
        bytes_ = wanted;
    }
    void give_back() { room_.close(); }

  private:
    const std::string told_;
    FileDescriptor room_;
    std::uint64_t bytes_ = 0;
};

class ExchangeFile final : public ExchangeWriter {
  public:
    ExchangeFile(const Location &location, const ArrayInfo &image)
        : image_(image), target_([&] {
              const Hdf5Lock lock;
              return Hdf5Target(location, Existing::Replace, options_);
          }()),
          room_(target_.location().file) {
        const Hdf5Lock lock;
        try {
            room_.grow(room_for_facts(0));
        } catch (...) {
            target_.abandon(true);
            throw;
        }
        target_.begin();
        target_.reserve(0);
        target_.make_room_for(target_.dataset());
        data_ = ImageDataset(target_.file(), target_.dataset(), image, chunk_layout(image, options_),
                             target_.full_name());
        target_.flush();
    }

    ~ExchangeFile() override {
        if (!target_.is_open())
            return;
        const Hdf5Lock lock;
        const bool is_empty = data_.images() == 0;
        data_.close();
        if (is_failed_ || !target_.try_to_flush())
            target_.give_up();
        target_.abandon(is_empty);
    }

    std::uint64_t images() const override { return data_.images(); }

    void add(const void *samples) override {
        try {
            room_.grow(room_for_facts(images() + 1));
            hdf5_append(target_, data_, samples, nullptr, target_.full_name());
        } catch (...) {
            is_failed_ = true;
            throw;
        }
        unflushed_ += image_.size();
        constexpr std::uint64_t flush_bytes = 256 << 20; // what a crash may cost
        if (unflushed_ < flush_bytes && Clock::now() - flushed_ < std::chrono::seconds(1))
            return;
        const Hdf5Lock lock;
        target_.flush();
        unflushed_ = 0;
        flushed_ = Clock::now();
    }

    void finish(const ExchangeFacts &facts) override {
        const Hdf5Lock lock;
        if (is_failed_ && !data_.cut_to_whole_images(target_.file(), target_.dataset()))
            throw hdf5_error(GST_RESOURCE_ERROR_WRITE, "cannot write '" + target_.full_name() +
                                                           "': it can't be cut to its whole images");
        is_failed_ = true; // until it is done
        room_.give_back();
        target_.reserve(bytes_of_facts(facts.numbers.size()));
        const Hdf5Shape one_image = {1, image_.height, image_.width};
        put_text("/implements", "exchange:measurement:defaults");
        put("/exchange/data_dark", H5T_NATIVE_FLOAT, one_image, facts.dark.data(), facts.dark.size());
        put("/exchange/data_white", H5T_NATIVE_FLOAT, one_image, facts.flat.data(), facts.flat.size());
        std::vector<double> degrees;
        for (const double angle : facts.angles)
            degrees.push_back(angle * 180 / std::numbers::pi);
        put("/exchange/theta", H5T_NATIVE_DOUBLE, {degrees.size()}, degrees.data(), degrees.size(), "deg");
        put("/defaults/NDArrayUniqueId", H5T_NATIVE_UINT64, {facts.numbers.size()}, facts.numbers.data(),
            facts.numbers.size());
        put("/defaults/NDArrayTimeStamp", H5T_NATIVE_DOUBLE, {facts.times.size()}, facts.times.data(),
            facts.times.size(), "s");
        if (facts.axis > 0)
            put("/exchange/rotation_axis", H5T_NATIVE_DOUBLE, {1}, &facts.axis, 1, "pixel");
        if (!data_.close())
            throw hdf5_error(GST_RESOURCE_ERROR_WRITE, "cannot write '" + target_.full_name() + "'");
        target_.name_dataset();
        target_.flush();
        target_.publish();
        is_failed_ = false;
    }

  private:
    using Clock = std::chrono::steady_clock;

    // Darks and flats, with as much again to be safe; angles, numbers and times.
    std::uint64_t bytes_of_facts(std::uint64_t images) const {
        return 4 * sizeof(float) * image_.width * image_.height + 3 * sizeof(double) * images;
    }
    // With the structures around them.
    std::uint64_t room_for_facts(std::uint64_t images) const {
        constexpr std::uint64_t structures = 1 << 20;
        return bytes_of_facts(images) + structures;
    }

    template <class Id>
    Id must(Id id) const {
        return hdf5_check(id, GST_RESOURCE_ERROR_WRITE, "cannot write '" + target_.full_name() + "'");
    }

    Hdf5Handle created(const std::string &name, hid_t type, hid_t space) const {
        const Hdf5Handle links(must(H5Pcreate(H5P_LINK_CREATE)), H5Pclose);
        must(H5Pset_create_intermediate_group(links.get(), 1));
        return {must(H5Dcreate2(target_.file(), name.c_str(), type, space, links.get(), H5P_DEFAULT,
                                H5P_DEFAULT)),
                H5Dclose};
    }

    // Nothing where there are no values.
    void put(const std::string &name, hid_t type, const Hdf5Shape &shape, const void *values,
             std::size_t count, const char *units = nullptr) const {
        if (!count)
            return;
        const Hdf5Handle space(must(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr)),
                               H5Sclose);
        const auto data = created(name, type, space.get());
        must(H5Dwrite(data.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
        if (units)
            put_units(data.get(), units);
    }

    Hdf5Handle text_type(const std::string &text) const {
        Hdf5Handle type(must(H5Tcopy(H5T_C_S1)), H5Tclose);
        must(H5Tset_size(type.get(), text.size()));
        return type;
    }

    void put_text(const std::string &name, const std::string &text) const {
        const auto type = text_type(text);
        const Hdf5Handle space(must(H5Screate(H5S_SCALAR)), H5Sclose);
        const auto data = created(name, type.get(), space.get());
        must(H5Dwrite(data.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()));
    }

    void put_units(hid_t data, const std::string &units) const {
        const auto type = text_type(units);
        const Hdf5Handle space(must(H5Screate(H5S_SCALAR)), H5Sclose);
        const Hdf5Handle attribute(
            must(H5Acreate2(data, "units", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT)), H5Aclose);
        must(H5Awrite(attribute.get(), type.get(), units.data()));
    }

    const ArrayInfo image_;
    const WriteOptions options_;
    Hdf5Target target_;
    RoomBeside room_; // for what is written last
    ImageDataset data_;
    bool is_failed_ = false;
    std::uint64_t unflushed_ = 0; // bytes
    Clock::time_point flushed_ = Clock::now();
};

} // namespace

void check_exchange_name(const std::string &path) {
    const auto location = split_location(path);
    if (type_of_suffix(location.file) != FileType::Hdf5 || !location.dataset.empty())
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s' is no name of a scan: wanted that of a file of HDF5, such as scan.h5", path.c_str()));
    std::error_code ignored;
    if (std::filesystem::exists(location.file, ignored))
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("'%s' is there already: name a new file", location.file.c_str()));
}

std::unique_ptr<ExchangeWriter> create_exchange_file(const std::string &path, const ArrayInfo &image) {
    check_exchange_name(path);
    return std::make_unique<ExchangeFile>(Location{split_location(path).file, projections}, image);
}

#else

void check_exchange_name(const std::string &path) { throw not_built_in(FileType::Hdf5, path); }

std::unique_ptr<ExchangeWriter> create_exchange_file(const std::string &path, const ArrayInfo &) {
    throw not_built_in(FileType::Hdf5, path);
}

#endif // HAVE_HDF5

} // namespace tomo::io
