// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Displacements of projections, in files of their own.
#include "layout.hpp"
#include "text-table.hpp"
#include <gst/files/formats/npy-header.hpp>
#include <gst/files/input-file.hpp>
#include <gst/files/memory/images.hpp>
#include <gst/tomo/device/samples.hpp>
#ifdef HAVE_HDF5
#include "hdf5-tree.hpp"
#endif

#include <algorithm>
#include <cmath>

namespace tomo::io {

namespace {

constexpr char wanted[] = "two numbers, the displacement to larger columns and to larger rows in pixels";

// Rows of two numbers, one behind the other.
ViewShifts shifts_of_numbers(const std::vector<double> &numbers, const std::string &where) {
    ViewShifts shifts;
    for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) {
        if (!std::isfinite(numbers[i]) || !std::isfinite(numbers[i + 1]))
            throw Error(GST_STREAM_ERROR_DECODE,
                        text("%s: the displacement of projection %zu (counted from 0) is no finite number",
                             where.c_str(), i / 2));
        shifts.x.push_back(numbers[i]);
        shifts.y.push_back(numbers[i + 1]);
    }
    return shifts;
}

void check_shape(const std::vector<std::uint64_t> &shape, const std::string &where) {
    if (shape.size() == 2 && shape[0] > 0 && shape[1] == 2)
        return;
    std::string sizes;
    for (const auto size : shape)
        sizes += text("%s%" G_GUINT64_FORMAT, sizes.empty() ? "" : " x ", size);
    throw Error(GST_STREAM_ERROR_DECODE,
                text("%s is %s numbers; wanted N x 2, for each projection %s", where.c_str(),
                     sizes.empty() ? "a single one of" : sizes.c_str(), wanted));
}

ViewShifts shifts_of_text(const std::string &file) {
    const auto table = text_table(file, wanted, [](const std::string &) { return true; });
    std::vector<double> numbers;
    for (const auto &row : table.rows) {
        if (row.size() != 2)
            throw Error(GST_STREAM_ERROR_DECODE, text("'%s' has %zu columns; wanted on each line %s",
                                                      file.c_str(), row.size(), wanted));
        numbers.insert(numbers.end(), row.begin(), row.end());
    }
    return shifts_of_numbers(numbers, "'" + file + "'");
}

ViewShifts shifts_of_npy(const std::string &path) {
    const InputFile file(path);
    const NpyHeader header(file);
    const auto where = "'" + path + "'";
    check_shape(header.shape, where);
    check_image_count(where, header.shape[0]);
    const auto count = static_cast<unsigned>(2 * header.shape[0]);
    std::uint64_t bytes = 0;
    if (!stored_size(header.type, count, 1, bytes) || bytes > file.size() - header.offset)
        throw Error(
            GST_RESOURCE_ERROR_READ,
            text("%s is truncated or damaged: it holds fewer than its %u numbers", where.c_str(), count));
    auto numbers = read_stored_numbers(file, header.offset, header.type, count, path);
    if (numbers.size() != count)
        throw Error(GST_STREAM_ERROR_DECODE, where + " holds complex numbers; wanted real ones");
    if (header.fortran_order) {
        const auto columns = numbers;
        for (std::size_t i = 0; i < count; i++)
            numbers[i] = columns[i % 2 * (count / 2) + i / 2];
    }
    return shifts_of_numbers(numbers, where);
}

ViewShifts shifts_of_memory(const std::string &location) {
    const auto images = MemoryImages::named(location);
    const auto &info = images->info();
    if (info.width != 2 || info.depth > 1)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("the displacements are %s; wanted a row for each projection, "
                         "with %s",
                         info.describe().c_str(), wanted));
    std::vector<double> numbers;
    for (unsigned y = 0; y < info.height; y++)
        if (!with_real_samples(info.format, images->row(0, y),
                               [&](const auto *from) { numbers.insert(numbers.end(), from, from + 2); }))
            throw Error(GST_STREAM_ERROR_FORMAT, "the displacements are complex numbers; wanted real ones");
    return shifts_of_numbers(numbers, "the array of displacements");
}

#ifdef HAVE_HDF5
ViewShifts shifts_of_hdf5(const Location &location) {
    const Hdf5Lock lock;
    const Hdf5Tree tree(location.file);
    const auto where = "'" + location.text() + "'";
    if (location.dataset.empty())
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s': no dataset is named for the displacements; write it behind a colon, as in %s:/shifts",
                 location.file.c_str(), location.file.c_str()));
    tree.require_target(location.dataset);
    if (!tree.has_dataset(location.dataset))
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND, text("'%s': there is no dataset '%s' with displacements",
                                                       location.file.c_str(), location.dataset.c_str()));
    tree.require_numbers(location.dataset);
    std::vector<std::uint64_t> shape;
    for (const auto size : hdf5_shape(hdf5_open_dataset(tree.file(), location.dataset).get()))
        shape.push_back(size);
    check_shape(shape, where);
    return shifts_of_numbers(tree.numbers(location.dataset), where);
}
#endif

} // namespace

ViewShifts shifts_of_file(const std::string &path) {
    if (names_memory(path))
        return shifts_of_memory(path);
    const auto location = split_location(path);
    if (location.dataset.empty() && type_of_suffix(path) != FileType::Hdf5)
        return type_of_suffix(path) == FileType::Npy ? shifts_of_npy(path) : shifts_of_text(path);
#ifdef HAVE_HDF5
    return shifts_of_hdf5(location);
#else
    throw not_built_in(FileType::Hdf5, location.file);
#endif
}

} // namespace tomo::io
