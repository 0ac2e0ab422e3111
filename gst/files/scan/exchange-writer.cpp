// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exchange-writer.hpp"

#include <gst/files/file-format.hpp>

#ifdef HAVE_HDF5
#include <gst/files/hdf5/append.hpp>
#include <gst/files/hdf5/types.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <numbers>
#endif

namespace tomo::io {

#ifdef HAVE_HDF5

namespace {

constexpr char projections[] = "/exchange/data";

class ExchangeFile final : public ExchangeWriter {
  public:
    ExchangeFile(const Location &location, const ArrayInfo &image)
        : image_(image), target_([&] {
              const Hdf5Lock lock;
              return Hdf5Target(location, Existing::Replace, options_);
          }()) {
        const Hdf5Lock lock;
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
        target_.reserve(2 * sizeof(float) * (facts.dark.size() + facts.flat.size()) +
                        3 * sizeof(double) * facts.numbers.size());
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
