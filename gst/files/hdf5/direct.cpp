// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#ifdef HAVE_HDF5

#include "direct.hpp"
#include "objects.hpp"
#include <gst/files/byte-order.hpp>

#include <algorithm>
#include <cstring>
#include <future>
#include <list>
#include <map>

namespace tomo::io {

// Chunks that were decoded lately, for all who read the same dataset.
class Hdf5ChunkCache : public std::enable_shared_from_this<Hdf5ChunkCache> {
  public:
    using Chunk = std::shared_ptr<const std::vector<char>>;
    // Of a dataset, with the size of its chunks: a file may be written anew while somebody still reads the
    // old one.
    using Key = std::pair<Hdf5Identity, std::size_t>;

    // Keeps `wanted` chunks, or `each` for each of its readers where these are more.
    static std::shared_ptr<Hdf5ChunkCache> of(const Key &key, std::uint64_t wanted, std::uint64_t each) {
        static std::mutex lock;
        static auto &all = *new std::map<Key, std::weak_ptr<Hdf5ChunkCache>>;
        std::lock_guard<std::mutex> guard(lock);
        for (auto entry = all.begin(); entry != all.end();)
            entry = entry->second.expired() ? all.erase(entry) : std::next(entry);
        auto &known = all[key];
        auto cache = known.lock();
        if (!cache) {
            constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;
            const auto fits = std::max<std::uint64_t>(most_bytes / key.second, 1);
            known = cache = std::make_shared<Hdf5ChunkCache>(wanted, each, fits);
        }
        return cache;
    }

    Hdf5ChunkCache(std::uint64_t wanted, std::uint64_t each, std::uint64_t most)
        : wanted_(wanted), each_(each), most_(most) {}

    // The chunk; one thread decodes it, others that want it wait.
    template <class Decode>
    Chunk get(std::uint64_t address, Decode decode) {
        std::promise<Chunk> promise;
        std::shared_future<Chunk> result;
        {
            std::lock_guard<std::mutex> guard(lock_);
            const auto found = std::find_if(chunks_.begin(), chunks_.end(),
                                            [&](const auto &entry) { return entry.first == address; });
            if (found != chunks_.end()) {
                chunks_.splice(chunks_.begin(), chunks_, found);
                result = found->second;
            } else {
                chunks_.emplace_front(address, promise.get_future().share());
                const auto readers = static_cast<std::uint64_t>(weak_from_this().use_count());
                if (chunks_.size() > std::min(std::max(wanted_, readers * each_), most_))
                    chunks_.pop_back();
            }
        }
        if (result.valid())
            return result.get();
        try {
            auto chunk = decode();
            promise.set_value(chunk);
            return chunk;
        } catch (...) {
            promise.set_exception(std::current_exception());
            std::lock_guard<std::mutex> guard(lock_);
            chunks_.remove_if([&](const auto &entry) { return entry.first == address; });
            throw;
        }
    }

  private:
    const std::uint64_t wanted_, each_, most_;
    std::mutex lock_;
    std::list<std::pair<std::uint64_t, std::shared_future<Chunk>>> chunks_; // the last used first
};

namespace {

// Bytes to reverse in each sample, 0 for none; nothing where the types differ in more than that.
std::optional<std::size_t> bytes_to_reverse(hid_t stored, const Hdf5SampleType &sample) {
    if (H5Tequal(stored, sample.type.get()) > 0)
        return 0;
    const auto type_class = H5Tget_class(stored);
    if (type_class != H5T_INTEGER && type_class != H5T_FLOAT)
        return {};
    const Hdf5Handle turned(H5Tcopy(sample.type.get()), H5Tclose);
    H5Tset_order(turned.get(), H5Tget_order(turned.get()) == H5T_ORDER_LE ? H5T_ORDER_BE : H5T_ORDER_LE);
    if (H5Tequal(stored, turned.get()) > 0)
        return H5Tget_size(stored);
    return {};
}

std::uint64_t round_up(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

} // namespace

std::unique_ptr<Hdf5Direct> Hdf5Direct::open(hid_t dataset, const Hdf5SampleType &sample) {
    const Hdf5Handle type(H5Dget_type(dataset), H5Tclose), creation(H5Dget_create_plist(dataset), H5Pclose);
    const auto unit = bytes_to_reverse(type.get(), sample);
    const auto shape = hdf5_shape(dataset);
    if (!unit || !creation || shape.size() < 2 || H5Pget_external_count(creation.get()) > 0)
        return {};
    const auto path = hdf5_file_of(dataset);
    const auto identity = hdf5_identity(dataset);
    if (!identity)
        return {};
    std::unique_ptr<Hdf5Direct> direct(new Hdf5Direct(dataset, path));
    direct->where_ = "'" + path + "'";
    direct->rank_ = shape.size();
    direct->width_ = shape.back();
    direct->height_ = shape[shape.size() - 2];
    direct->sample_ = H5Tget_size(type.get());
    direct->unit_ = *unit;
    switch (H5Pget_layout(creation.get())) {
    case H5D_CONTIGUOUS: {
        const auto address = H5Dget_offset(dataset);
        if (address == HADDR_UNDEF)
            return {};
        direct->address_ = address;
        return direct;
    }
    case H5D_CHUNKED: {
        if (!direct->find_chunks(creation.get(), sample.type.get()))
            return {};
        if (direct->chunk_images_ > 1) {
            const auto layer = round_up(direct->height_, direct->chunk_rows_) *
                               round_up(direct->width_, direct->chunk_columns_);
            direct->cache_ = Hdf5ChunkCache::of({*identity, direct->chunk_bytes_}, 2 * layer,
                                                round_up(direct->width_, direct->chunk_columns_));
        }
        if (!hdf5_is_live(dataset))
            direct->locator_ = Hdf5Locator::open(dataset);
        return direct;
    }
    default:
        return {};
    }
}

bool Hdf5Direct::find_chunks(hid_t creation, hid_t type) {
#if H5_VERSION_GE(1, 10, 5)
    const Hdf5Handle file(H5Iget_file_id(dataset_), H5Fclose);
    const Hdf5Handle file_creation(H5Fget_create_plist(file.get()), H5Pclose);
    hsize_t user_block = 0;
    // The library gives addresses of chunks without it.
    if (H5Pget_userblock(file_creation.get(), &user_block) < 0 || user_block != 0)
        return false;
    Hdf5Shape chunk(rank_);
    if (H5Pget_chunk(creation, static_cast<int>(rank_), chunk.data()) < 0)
        return false;
    chunk_columns_ = chunk[rank_ - 1];
    chunk_rows_ = chunk[rank_ - 2];
    chunk_images_ = rank_ > 2 ? chunk[rank_ - 3] : 1;
    std::uint64_t bytes = 0;
    if (!multiply({chunk_columns_, chunk_rows_, chunk_images_, sample_}, bytes) ||
        std::any_of(chunk.begin(), chunk.end() - std::min<std::ptrdiff_t>(rank_, 3),
                    [](hsize_t n) { return n != 1; }))
        return false;
    // Chunks at the edges may be stored past the filters, which their masks do not tell.
    unsigned options = 0;
    if (H5Pget_chunk_opts(creation, &options) < 0 || options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS)
        return false;
    chunk_bytes_ = bytes;
    const int filters = H5Pget_nfilters(creation);
    for (int i = 0; i < filters; i++) {
        unsigned flags = 0;
        std::size_t count = 0;
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &count, nullptr, 0, nullptr, nullptr);
        Hdf5Filter filter{0, std::vector<unsigned>(count)};
        filter.id = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &count, filter.values.data(),
                                   0, nullptr, nullptr);
        if (filter.id < 0 || !can_decode(filter))
            return false;
        filters_.push_back(std::move(filter));
    }
    // What was filtered on after it had been compressed has a size that only the library knows.
    for (std::size_t i = 0; i + 1 < filters_.size(); i++)
        if (!keeps_size(filters_[i]))
            return false;
    fill_.resize(sample_);
    H5D_fill_value_t defined;
    if (H5Pfill_value_defined(creation, &defined) < 0 ||
        (defined != H5D_FILL_VALUE_UNDEFINED && H5Pget_fill_value(creation, type, fill_.data()) < 0))
        return false;
    if (unit_) // as it would stand in the file
        swap_bytes(fill_.data(), sample_ / unit_, unit_);
    chunked_ = true;
    return true;
#else
    (void)creation, (void)type;
    return false;
#endif
}

void Hdf5Direct::read(std::uint64_t image, const RowRegion &rows, unsigned first_column, unsigned columns,
                      void *destination, std::size_t row_stride) {
    auto *to = static_cast<char *>(destination);
    if (reopen_)
        file_.refresh_size();
    if (chunked_)
        read_chunks(image, rows, first_column, columns, to, row_stride);
    else
        read_rows(address_ + ((image * height_ + rows.first) * width_ + first_column) * sample_,
                  columns * sample_, round_up(rows.count, rows.step), rows.step, width_ * sample_, to,
                  row_stride);
    if (unit_)
        for (unsigned y = 0; y < round_up(rows.count, rows.step); y++)
            swap_bytes(to + y * row_stride, columns * sample_ / unit_, unit_);
}

// `bytes` of each of `count` rows, which stand `step` rows of `file_stride` bytes apart; those of the first
// one are at `address`.
void Hdf5Direct::read_rows(std::uint64_t address, std::size_t bytes, std::uint64_t count, unsigned step,
                           std::size_t file_stride, char *to, std::size_t row_stride) const {
    if (step == 1 && file_stride == bytes)
        return file_.read_rows_at(address, to, bytes, count, row_stride, "an image");
    for (std::uint64_t row = 0; row < count; row++, to += row_stride)
        file_.read_at(address + row * step * file_stride, to, bytes, "an image");
}

Hdf5Locator::Place Hdf5Direct::place(std::uint64_t image, std::uint64_t row, std::uint64_t column) const {
#if H5_VERSION_GE(1, 10, 5)
    Hdf5Shape corner(rank_, 0);
    corner[rank_ - 1] = column / chunk_columns_ * chunk_columns_;
    corner[rank_ - 2] = row / chunk_rows_ * chunk_rows_;
    if (rank_ > 2)
        corner[rank_ - 3] = image / chunk_images_ * chunk_images_;
    const Hdf5Lock lock;
    if (const auto place = locator_ ? locator_->find(corner.data()) : std::nullopt)
        return *place;
    const auto fresh = reopen_ ? reopen_() : Hdf5Handle();
    unsigned skipped = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t size = 0;
    if (H5Dget_chunk_info_by_coord(reopen_ ? fresh.get() : dataset_, corner.data(), &skipped, &address,
                                   &size) < 0)
        throw hdf5_error(GST_RESOURCE_ERROR_READ,
                         text("%s: the index of chunks can't be read", where_.c_str()));
    if (address == HADDR_UNDEF)
        return {};
    return {address, size, skipped};
#else
    (void)image, (void)row, (void)column;
    return {};
#endif
}

void Hdf5Direct::follow(std::function<Hdf5Handle()> open) {
    reopen_ = std::move(open);
    locator_ = nullptr;
    cache_ = nullptr; // of chunks that are not full yet
}

bool Hdf5Direct::is_stored(std::uint64_t image) const {
    if (chunked_)
        for (std::uint64_t row = 0; row < height_; row += chunk_rows_)
            for (std::uint64_t column = 0; column < width_; column += chunk_columns_)
                if (place(image, row, column).bytes == 0)
                    return false;
    return true;
}

// A whole chunk, as its bytes would stand in the file without filters.
void Hdf5Direct::read_chunk(std::uint64_t image, std::uint64_t row, std::uint64_t column, char *to) const {
    const auto stored = place(image, row, column);
    if (stored.bytes == 0) {
        for (std::size_t at = 0; at < chunk_bytes_; at += sample_)
            std::memcpy(to + at, fill_.data(), sample_);
        return;
    }
    if (filters_.empty() && stored.bytes == chunk_bytes_)
        return file_.read_at(stored.address, to, chunk_bytes_, "a chunk");
    static thread_local std::vector<char> bytes;
    if (stored.bytes > file_.size())
        throw Error(GST_STREAM_ERROR_DECODE, text("%s is truncated or damaged: a chunk of %" G_GUINT64_FORMAT
                                                  " bytes is longer than the file",
                                                  where_.c_str(), stored.bytes));
    bytes.resize(stored.bytes);
    file_.read_at(stored.address, bytes.data(), stored.bytes, "a chunk");
    try {
        decode_chunk(filters_, stored.skipped, bytes.data(), bytes.size(), to, chunk_bytes_);
    } catch (const Error &error) {
        throw Error(error.domain, error.code,
                    text("%s, image %" G_GUINT64_FORMAT ": %s", where_.c_str(), image, error.what()));
    }
}

void Hdf5Direct::read_chunks(std::uint64_t image, const RowRegion &rows, unsigned first_column,
                             unsigned columns, char *to, std::size_t row_stride) const {
    static thread_local std::vector<char> buffer;
    const std::uint64_t end = rows.first + rows.count, last_column = first_column + columns;
    const auto row_bytes = chunk_columns_ * sample_;
    for (auto top = rows.first / chunk_rows_ * chunk_rows_; top < end; top += chunk_rows_)
        for (auto left = first_column / chunk_columns_ * chunk_columns_; left < last_column;
             left += chunk_columns_) {
            // The first row of the region that lies in the chunk.
            const auto behind = top > rows.first ? round_up(top - rows.first, rows.step) : 0;
            auto row = rows.first + behind * rows.step;
            const auto below = std::min(end, top + chunk_rows_);
            if (row >= below)
                continue;
            auto *out = to + behind * row_stride;
            const bool whole = chunk_images_ == 1 && row == top && rows.step == 1 &&
                               below - top == chunk_rows_ && left == first_column &&
                               columns == chunk_columns_ && row_stride == row_bytes;
            if (whole) {
                read_chunk(image, top, left, out);
                continue;
            }
            const auto from = std::max<std::uint64_t>(left, first_column);
            const auto bytes = (std::min<std::uint64_t>(left + chunk_columns_, last_column) - from) * sample_;
            out += (from - first_column) * sample_;
            if (const auto stored = filters_.empty() ? place(image, row, left) : Hdf5Locator::Place{};
                stored.bytes == chunk_bytes_) {
                const auto row_in_chunk = image % chunk_images_ * chunk_rows_ + row - top;
                read_rows(stored.address + row_in_chunk * row_bytes + (from - left) * sample_, bytes,
                          round_up(below - row, rows.step), rows.step, row_bytes, out, row_stride);
                continue;
            }
            const char *chunk = nullptr;
            Hdf5ChunkCache::Chunk kept;
            if (cache_) {
                const auto per_row = round_up(width_, chunk_columns_),
                           per_image = round_up(height_, chunk_rows_);
                const auto number =
                    (image / chunk_images_ * per_image + top / chunk_rows_) * per_row + left / chunk_columns_;
                // The thread's own chunk stays, however many others have read meanwhile.
                static thread_local struct {
                    std::weak_ptr<Hdf5ChunkCache> cache;
                    std::uint64_t number = 0;
                    Hdf5ChunkCache::Chunk chunk;
                } last;
                if (!last.chunk || last.number != number || last.cache.lock() != cache_) {
                    last.chunk = cache_->get(number, [&] {
                        auto fresh = std::make_shared<std::vector<char>>(chunk_bytes_);
                        read_chunk(image, top, left, fresh->data());
                        return fresh;
                    });
                    last.cache = cache_;
                    last.number = number;
                }
                kept = last.chunk;
                chunk = kept->data();
            } else {
                buffer.resize(chunk_bytes_);
                read_chunk(image, top, left, buffer.data());
                chunk = buffer.data();
            }
            const auto *in =
                chunk + (image % chunk_images_ * chunk_rows_) * row_bytes + (from - left) * sample_;
            for (; row < below; row += rows.step, out += row_stride)
                std::memcpy(out, in + (row - top) * row_bytes, bytes);
        }
}

} // namespace tomo::io

#endif // HAVE_HDF5
