// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#ifdef HAVE_HDF5

#include "virtual.hpp"
#include "objects.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <unistd.h>

namespace tomo::io {

namespace {

std::string folder_of(const std::string &file) {
    const auto slash = file.rfind('/');
    return slash == std::string::npos ? std::string() : file.substr(0, slash + 1);
}

// Where the library looks for a file that another one names: there, beside that one, and beside the file to
// which that one is a link; `anywhere` is beside that one also without the folders of a relative name, which
// the library leaves out of absolute ones only. Empty where it is nowhere.
std::string find_beside(const std::string &name, const std::string &master, bool anywhere) {
    if (name == ".")
        return master;
    const auto folder = folder_of(master);
    const auto base = name.substr(name.rfind('/') + 1);
    const bool is_absolute = name[0] == '/';
    std::error_code ignored;
    const auto real = folder_of(std::filesystem::canonical(master, ignored).string());
    for (const auto &candidate :
         {is_absolute ? name : folder + name, is_absolute || anywhere ? folder + base : name, name,
          real + (is_absolute ? base : name)})
        if (access(candidate.c_str(), F_OK) == 0)
            return candidate;
    return {};
}

template <class Get>
std::string word(Get get) {
    std::string value(static_cast<std::size_t>(std::max<ssize_t>(get(nullptr, 0), 0)), '\0');
    get(value.data(), value.size() + 1);
    return value;
}

// How a virtual dataset is made; without mappings for all others.
class Mappings {
  public:
    explicit Mappings(hid_t dataset) : creation_(H5Dget_create_plist(dataset), H5Pclose) {
        if (!creation_ || H5Pget_layout(creation_.get()) != H5D_VIRTUAL ||
            H5Pget_virtual_count(creation_.get(), &count) < 0)
            return;
        master = hdf5_file_of(dataset);
    }
    std::string file(std::size_t i) const {
        return word([&](char *to, std::size_t size) {
            return H5Pget_virtual_filename(creation_.get(), i, to, size);
        });
    }
    std::string dataset(std::size_t i) const {
        return word([&](char *to, std::size_t size) {
            return H5Pget_virtual_dsetname(creation_.get(), i, to, size);
        });
    }
    Hdf5Handle space(std::size_t i) const { return {H5Pget_virtual_vspace(creation_.get(), i), H5Sclose}; }
    Hdf5Handle source_space(std::size_t i) const {
        return {H5Pget_virtual_srcspace(creation_.get(), i), H5Sclose};
    }

    std::size_t count = 0;
    std::string master;

  private:
    Hdf5Handle creation_;
};

struct Run {
    std::uint64_t first, count, step;
    Hdf5Shape image; // rows and columns
};

// Whole images, evenly spread.
std::optional<Run> images_of(hid_t space) {
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 3)
        return {};
    Hdf5Shape extent(rank), start(rank, 0), stride(rank, 1), count(rank, 1), block(rank);
    H5Sget_simple_extent_dims(space, extent.data(), nullptr);
    block = extent;
    if (H5Sget_select_type(space) == H5S_SEL_HYPERSLABS) {
        if (H5Sis_regular_hyperslab(space) <= 0 ||
            H5Sget_regular_hyperslab(space, start.data(), stride.data(), count.data(), block.data()) < 0)
            return {};
    } else if (H5Sget_select_type(space) != H5S_SEL_ALL) {
        return {};
    }
    std::uint64_t step = 1;
    for (int i = 0; i < rank; i++) {
        if (count[i] == H5S_UNLIMITED || block[i] == H5S_UNLIMITED)
            return {};
        if (count[i] > 1 && stride[i] != block[i]) {
            if (i != rank - 3 || block[i] != 1)
                return {};
            step = stride[i];
        }
        block[i] *= count[i];
        if (i != rank - 3 && (start[i] != 0 || block[i] != extent[i] || (i < rank - 3 && extent[i] != 1)))
            return {};
    }
    return Run{start[rank - 3], block[rank - 3], step, {extent[rank - 2], extent[rank - 1]}};
}

// The name without the signs of a pattern, where %% stands for a per cent sign; empty for a pattern of
// several names.
std::optional<std::string> plain(const std::string &name) {
    std::string said;
    for (std::size_t i = 0; i < name.size(); i++) {
        if (name[i] == '%' && (i + 1 == name.size() || name[++i] != '%'))
            return {};
        said += name[i];
    }
    return said;
}

} // namespace

std::vector<Hdf5VirtualPart> hdf5_virtual_parts(hid_t dataset) {
    const Mappings mappings(dataset);
    std::vector<Hdf5VirtualPart> parts;
    for (std::size_t i = 0; i < mappings.count; i++) {
        const auto file = plain(mappings.file(i)), source = plain(mappings.dataset(i));
        const auto here = images_of(mappings.space(i).get());
        const auto space = mappings.source_space(i);
        auto there = images_of(space.get());
        // All of a dataset, whose extents the file does not tell.
        if (here && H5Sget_select_type(space.get()) == H5S_SEL_ALL)
            there = Run{0, here->count, 1, here->image};
        if (!here || !there || here->count != there->count || here->image != there->image || !file || !source)
            return {};
        parts.push_back({here->first, here->count, here->step, mappings.master, *file,
                         (*source)[0] == '/' ? *source : "/" + *source, there->first, there->step});
    }
    return parts;
}

std::string Hdf5VirtualPart::path(bool by_library) const { return find_beside(file, master, !by_library); }

namespace {

std::string name_of(hid_t object) {
    std::string name(static_cast<std::size_t>(std::max<ssize_t>(H5Iget_name(object, nullptr, 0), 0)), '\0');
    H5Iget_name(object, name.data(), name.size() + 1);
    return name;
}

// Goes to the sources, and those of virtual sources.
class SourceCheck {
  public:
    std::string missing_of(hid_t dataset) {
        const Mappings mappings(dataset);
        const auto identity = hdf5_identity(dataset);
        if (mappings.count == 0 || !identity)
            return {};
        // The library goes round in circles until the stack ends.
        if (!underway_.insert(*identity).second)
            throw Error(GST_STREAM_ERROR_DECODE,
                        text("'%s:%s' is a virtual dataset that has itself as a source",
                             mappings.master.c_str(), name_of(dataset).c_str()));
        const bool anywhere = !hdf5_virtual_parts(dataset).empty();
        std::string last_file, last_source, missing;
        for (std::size_t i = 0; i < mappings.count && missing.empty(); i++) {
            const auto file = plain(mappings.file(i)), source = plain(mappings.dataset(i));
            // A pattern goes on as long as there are files.
            if (!file || !source || (file == last_file && source == last_source))
                continue;
            last_file = *file, last_source = *source;
            const auto path = find_beside(*file, mappings.master, anywhere);
            missing = path.empty() ? "'" + *file + "'" : missing_in(path, *source, anywhere);
        }
        underway_.erase(*identity);
        complete_.insert(*identity);
        return missing;
    }

  private:
    // The library alone can't read what is being written.
    std::string missing_in(const std::string &path, const std::string &source, bool live) {
        const auto opened = hdf5_open_to_read(path, live);
        const auto absolute = source[0] == '/' ? source : "/" + source;
        const auto node = opened ? hdf5_look_up(opened.get(), absolute) : Hdf5Node();
        if (node.kind != Hdf5Node::Kind::Dataset || !node.next.empty()) {
            H5Eclear2(H5E_DEFAULT);
            return "'" + source + "' of '" + path + "'" +
                   (opened ? "" : " (which is damaged, or being written)");
        }
        const Hdf5Handle dataset(H5Dopen2(opened.get(), absolute.c_str(), H5P_DEFAULT), H5Dclose);
        const auto identity = hdf5_identity(dataset.get());
        return identity && complete_.count(*identity) ? std::string() : missing_of(dataset.get());
    }

    std::set<Hdf5Identity> underway_, complete_;
};

} // namespace

std::string hdf5_missing_source(hid_t dataset) { return SourceCheck().missing_of(dataset); }

} // namespace tomo::io

#endif // HAVE_HDF5
