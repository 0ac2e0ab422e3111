// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "file.hpp"
#include "journal.hpp"
#include <gst/files/input-file.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace tomo::io {

namespace {

std::recursive_mutex &hdf5_mutex() {
    // Never destroyed: handles may be closed while the process ends.
    static auto *const mutex = new std::recursive_mutex;
    return *mutex;
}

std::string type_name_of_class(H5T_class_t type_class) {
    switch (type_class) {
    case H5T_STRING:
        return "strings";
    case H5T_COMPOUND:
        return "compounds";
    case H5T_REFERENCE:
        return "references";
    case H5T_VLEN:
        return "lists of variable length";
    case H5T_ARRAY:
        return "arrays";
    case H5T_ENUM:
        return "an enumeration";
    case H5T_TIME:
        return "times";
    case H5T_OPAQUE:
        return "opaque bytes";
    case H5T_BITFIELD:
        return "bit fields";
    default:
        return "of an unknown type";
    }
}

// IEEE 754 binary16: sign at bit 15, 5 bits of exponent with bias 15, 10 of mantissa.
void shape_as_half(hid_t type) {
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_ebias(type, 15);
    H5Tset_size(type, 2);
}

bool is_half(hid_t type) {
    std::size_t sign, exponent, exponent_bits, mantissa, mantissa_bits;
    return H5Tget_size(type) == 2 &&
           H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) >= 0 &&
           sign == 15 && exponent == 10 && exponent_bits == 5 && mantissa == 0 && mantissa_bits == 10 &&
           H5Tget_ebias(type) == 15;
}

Hdf5Handle complex_type(const char *real, const char *imaginary) {
    Hdf5Handle type(H5Tcreate(H5T_COMPOUND, 2 * sizeof(float)), H5Tclose);
    H5Tinsert(type.get(), real, 0, H5T_NATIVE_FLOAT);
    H5Tinsert(type.get(), imaginary, sizeof(float), H5T_NATIVE_FLOAT);
    return type;
}

GstTomoFormat integer_format(std::size_t size, bool is_signed) {
    if (size == 1)
        return is_signed ? GST_TOMO_FORMAT_INT16 : GST_TOMO_FORMAT_UINT8;
    if (size == 2)
        return is_signed ? GST_TOMO_FORMAT_INT16 : GST_TOMO_FORMAT_UINT16;
    if (size <= 4)
        return is_signed ? GST_TOMO_FORMAT_INT32 : GST_TOMO_FORMAT_UINT32;
    return size <= 8 ? GST_TOMO_FORMAT_FLOAT64 : GST_TOMO_FORMAT_UNKNOWN;
}

Hdf5SampleType enumeration(hid_t stored) {
    if (H5Tget_size(stored) != 1)
        return {};
    for (int i = 0; i < H5Tget_nmembers(stored); i++) {
        signed char value = 0;
        if (H5Tget_member_value(stored, static_cast<unsigned>(i), &value) < 0)
            return {};
        const Hdf5Handle base(H5Tget_super(stored), H5Tclose);
        if (value < 0 && H5Tget_sign(base.get()) != H5T_SGN_NONE)
            return {};
    }
    // One byte is one byte: the stored type as it is needs no conversion.
    return {GST_TOMO_FORMAT_UINT8, Hdf5Handle(H5Tcopy(stored), H5Tclose)};
}

Hdf5SampleType complex_compound(hid_t stored) {
    static constexpr const char *names[][2] = {{"r", "i"}, {"real", "imag"}, {"re", "im"}};
    if (H5Tget_nmembers(stored) != 2 || H5Tget_member_class(stored, 0) != H5T_FLOAT ||
        H5Tget_member_class(stored, 1) != H5T_FLOAT)
        return {};
    for (const auto &name : names)
        if (H5Tget_member_index(stored, name[0]) >= 0 && H5Tget_member_index(stored, name[1]) >= 0)
            return {GST_TOMO_FORMAT_COMPLEX64, complex_type(name[0], name[1])};
    return {};
}

struct DatasetList {
    static constexpr std::size_t shown = 6;
    static constexpr std::size_t enough = 100000; // objects; a message is not worth a longer look
    std::vector<std::string> found;
    std::size_t visited = 0;

    static herr_t visit(hid_t root, const char *name, const H5O_info_t *object, void *user_data) {
        auto &list = *static_cast<DatasetList *>(user_data);
        if (++list.visited > enough)
            return 1;
        if (object->type != H5O_TYPE_DATASET)
            return 0;
        const Hdf5Handle dataset(H5Dopen2(root, name, H5P_DEFAULT), H5Dclose);
        if (!dataset)
            return 0;
        const auto shape = hdf5_shape(dataset.get());
        if (shape.size() < 2)
            return 0;
        list.found.push_back("'/" + std::string(name) + "' (" + hdf5_shape_text(shape) + ")");
        return list.found.size() > shown;
    }

    // What is in other files.
    static herr_t visit_link(hid_t root, const char *name, const H5L_info_t *link, void *user_data) {
        auto &list = *static_cast<DatasetList *>(user_data);
        if (++list.visited > enough)
            return 1;
        if (link->type != H5L_TYPE_EXTERNAL)
            return 0;
        std::string target = "another file";
        std::string value(link->u.val_size, '\0');
        const char *file = nullptr, *object = nullptr;
        if (H5Lget_val(root, name, value.data(), value.size(), H5P_DEFAULT) >= 0 &&
            H5Lunpack_elink_val(value.data(), value.size(), nullptr, &file, &object) >= 0)
            target = text("'%s:%s'", file, object);
        const Hdf5Handle dataset(H5Oopen(root, name, H5P_DEFAULT), H5Oclose);
        if (!dataset)
            list.found.push_back(text("'/%s' (a link to %s, which can't be found)", name, target.c_str()));
        else if (H5Iget_type(dataset.get()) == H5I_DATASET && hdf5_shape(dataset.get()).size() >= 2)
            list.found.push_back(text("'/%s' (%s, in %s)", name,
                                      hdf5_shape_text(hdf5_shape(dataset.get())).c_str(), target.c_str()));
        return list.found.size() > shown;
    }
};

herr_t collect_reason(unsigned, const H5E_error2_t *reason, void *user_data) {
    if (reason->desc && *reason->desc)
        static_cast<std::vector<std::string> *>(user_data)->push_back(reason->desc);
    return 0;
}

} // namespace

Hdf5Lock::Hdf5Lock() : lock_(hdf5_mutex()) {
    H5open();
    // The setting belongs to the thread in thread-safe builds, so it is made anew each time.
    H5Eget_auto2(H5E_DEFAULT, &report_, &report_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Lock::~Hdf5Lock() { H5Eset_auto2(H5E_DEFAULT, report_, report_data_); }

bool Hdf5Handle::close() {
    if (id_ < 0)
        return true;
    const Hdf5Lock lock;
    return close_(std::exchange(id_, H5I_INVALID_HID)) >= 0;
}

Error hdf5_error(GstResourceError code, const std::string &what) {
    std::vector<std::string> reasons; // the innermost first
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect_reason, &reasons);
    H5Eclear2(H5E_DEFAULT);
    std::string trace;
    for (const auto &reason : reasons)
        trace += reason + "\n";
    if (reasons.empty())
        return Error(code, what);
    // Where the system refused, its reason counts and not what the library makes of it.
    constexpr char errno_mark[] = "errno = ";
    const auto mark = reasons.front().find(errno_mark);
    if (mark != std::string::npos) {
        const int number = std::atoi(reasons.front().c_str() + mark + std::strlen(errno_mark));
        const auto error = system_error(what, number, code);
        return Error(error.domain, error.code, error.what(), trace);
    }
    const auto outer = reasons.back(), inner = reasons.front();
    return Error(code,
                 text("%s (HDF5: %s%s)", what.c_str(), outer.c_str(),
                      reasons.size() > 1 ? (", because of: " + inner).c_str() : ""),
                 trace);
}

Hdf5Shape hdf5_shape(hid_t dataset) {
    const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
    const int rank = space ? H5Sget_simple_extent_ndims(space.get()) : 0;
    Hdf5Shape shape(static_cast<std::size_t>(std::max(rank, 0)));
    if (rank > 0)
        H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr);
    return shape;
}

std::string hdf5_shape_text(const Hdf5Shape &shape) {
    std::string said;
    for (const auto extent : shape)
        said += (said.empty() ? "" : " x ") + std::to_string(extent);
    return said.empty() ? "a single value" : said;
}

void hdf5_check_storage(hid_t dataset, std::uint64_t bytes, const std::string &where) {
    constexpr std::uint64_t sparse = std::uint64_t{1} << 30; // of fill values it may be this much
    constexpr std::uint64_t greatest_expansion = 65536;
    constexpr std::uint64_t many_chunks = std::uint64_t{1} << 24;
    const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
    if (!creation || H5Pget_external_count(creation.get()) > 0 ||
        H5Pget_layout(creation.get()) == H5D_VIRTUAL)
        return; // stored elsewhere
    std::uint64_t chunks = 1;
    bool fits = true;
    if (H5Pget_layout(creation.get()) == H5D_CHUNKED) {
        const auto shape = hdf5_shape(dataset);
        const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
        Hdf5Shape extent(shape.size());
        H5Pget_chunk(creation.get(), static_cast<int>(extent.size()), extent.data());
        std::uint64_t chunk = H5Tget_size(type.get());
        for (std::size_t i = 0; i < shape.size(); i++)
            fits = fits && extent[i] > 0 && multiply({chunk, extent[i]}, chunk) &&
                   multiply({chunks, (shape[i] - 1) / extent[i] + 1}, chunks);
        bytes = std::max(bytes, chunk);
    }
    if (fits && chunks > many_chunks) { // which the library goes through, also where none is stored
        const Hdf5Handle file(H5Iget_file_id(dataset), H5Fclose);
        hsize_t size = 0;
        fits = H5Fget_filesize(file.get(), &size) >= 0 && chunks <= size;
    }
    if (fits && (bytes <= sparse || bytes / greatest_expansion <= H5Dget_storage_size(dataset)))
        return;
    throw Error(GST_STREAM_ERROR_DECODE,
                text("%s claims to hold %s samples, which the file can't; it is truncated or damaged",
                     where.c_str(), hdf5_shape_text(hdf5_shape(dataset)).c_str()));
}

std::string hdf5_describe_type(hid_t type) {
    const auto type_class = H5Tget_class(type);
    const auto size = H5Tget_size(type);
    if (type_class == H5T_INTEGER)
        return text("%s integers of %" G_GSIZE_FORMAT " bytes",
                    H5Tget_sign(type) == H5T_SGN_NONE ? "unsigned" : "signed", size);
    if (type_class == H5T_FLOAT)
        return text("floats of %" G_GSIZE_FORMAT " bytes", size);
    return type_name_of_class(type_class);
}

Hdf5Handle hdf5_type_of(GstTomoFormat format) {
    const auto copy = [](hid_t type) { return Hdf5Handle(H5Tcopy(type), H5Tclose); };
    switch (format) {
    case GST_TOMO_FORMAT_UINT8:
        return copy(H5T_NATIVE_UINT8);
    case GST_TOMO_FORMAT_UINT16:
        return copy(H5T_NATIVE_UINT16);
    case GST_TOMO_FORMAT_UINT32:
        return copy(H5T_NATIVE_UINT32);
    case GST_TOMO_FORMAT_INT16:
        return copy(H5T_NATIVE_INT16);
    case GST_TOMO_FORMAT_INT32:
        return copy(H5T_NATIVE_INT32);
    case GST_TOMO_FORMAT_FLOAT16: {
        auto half = copy(H5T_NATIVE_FLOAT);
        shape_as_half(half.get());
        return half;
    }
    case GST_TOMO_FORMAT_FLOAT32:
        return copy(H5T_NATIVE_FLOAT);
    case GST_TOMO_FORMAT_FLOAT64:
        return copy(H5T_NATIVE_DOUBLE);
    case GST_TOMO_FORMAT_COMPLEX64:
        return complex_type("r", "i");
    case GST_TOMO_FORMAT_UNKNOWN:
        break;
    }
    throw Error(GST_STREAM_ERROR_FORMAT, "samples of an unknown format can't be written to HDF5");
}

Hdf5SampleType hdf5_memory_type(hid_t stored) {
    const auto size = H5Tget_size(stored);
    const auto of_format = [](GstTomoFormat format) -> Hdf5SampleType {
        if (format == GST_TOMO_FORMAT_UNKNOWN)
            return {};
        return {format, hdf5_type_of(format)};
    };
    switch (H5Tget_class(stored)) {
    case H5T_INTEGER:
        return of_format(integer_format(size, H5Tget_sign(stored) != H5T_SGN_NONE));
    case H5T_FLOAT:
        if (is_half(stored))
            return of_format(GST_TOMO_FORMAT_FLOAT16);
        return of_format(size <= 4 ? GST_TOMO_FORMAT_FLOAT32 : GST_TOMO_FORMAT_FLOAT64);
    case H5T_BITFIELD:
        if (size == 1)
            return {GST_TOMO_FORMAT_UINT8, Hdf5Handle(H5Tcopy(H5T_NATIVE_B8), H5Tclose)};
        return {};
    case H5T_ENUM:
        return enumeration(stored);
    case H5T_COMPOUND:
        return complex_compound(stored);
    default:
        return {};
    }
}

Hdf5Node hdf5_look_up(hid_t file, const std::string &path) {
    Hdf5Node node;
    node.kind = Hdf5Node::Kind::Group;
    node.existing = "/";
    for (std::size_t end = 0; end != std::string::npos && end + 1 < path.size();) {
        end = path.find('/', end + 1);
        const auto part = path.substr(0, end);
        node.next = part;
        if (node.kind != Hdf5Node::Kind::Group)
            return node; // nothing can be inside
        if (H5Lexists(file, part.c_str(), H5P_DEFAULT) <= 0) {
            node.kind = Hdf5Node::Kind::Missing;
            return node;
        }
        if (H5Oexists_by_name(file, part.c_str(), H5P_DEFAULT) <= 0) {
            node.kind = Hdf5Node::Kind::Dangling;
            return node;
        }
        const Hdf5Handle object(H5Oopen(file, part.c_str(), H5P_DEFAULT), H5Oclose);
        switch (object ? H5Iget_type(object.get()) : H5I_BADID) {
        case H5I_GROUP:
            node.kind = Hdf5Node::Kind::Group;
            break;
        case H5I_DATASET:
            node.kind = Hdf5Node::Kind::Dataset;
            break;
        default:
            node.kind = Hdf5Node::Kind::Other;
            break;
        }
        node.existing = part;
        node.next.clear();
    }
    return node;
}

std::string hdf5_list_datasets(hid_t file) {
    DatasetList list;
    H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, DatasetList::visit, &list, H5O_INFO_BASIC);
    if (list.found.size() <= DatasetList::shown)
        H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, DatasetList::visit_link, &list);
    if (list.found.empty())
        return "the file holds no dataset with two or more dimensions";
    const bool more = list.found.size() > DatasetList::shown;
    if (more)
        list.found.pop_back();
    std::string said;
    for (const auto &dataset : list.found)
        said += (said.empty() ? "the file holds " : ", ") + dataset;
    return more ? said + " and more" : said;
}

std::optional<Hdf5Identity> hdf5_identity(hid_t object) {
    struct stat file;
#if H5_VERSION_GE(1, 12, 0)
    H5O_info1_t info;
#else
    H5O_info_t info;
#endif
    if (stat(hdf5_file_of(object).c_str(), &file) != 0 || H5Oget_info2(object, &info, H5O_INFO_BASIC) < 0)
        return {};
    return Hdf5Identity{file.st_dev, file.st_ino, info.addr};
}

Hdf5Handle hdf5_file_access() {
    Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
#if H5_VERSION_GE(1, 10, 7)
    // Some network file systems have no locks; that is no reason not to read.
    H5Pset_file_locking(access.get(), true, true);
#endif
    return access;
}

// Whether this process has the file open already, to read it.
static bool is_input(const std::string &path) {
    std::vector<hid_t> files(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_FILE));
    H5Fget_obj_ids(H5F_OBJ_ALL, H5F_OBJ_FILE, files.size(), files.data());
    return std::any_of(files.begin(), files.end(), [&](hid_t file) {
        unsigned intent = H5F_ACC_RDONLY;
        H5Fget_intent(file, &intent);
        if (intent & H5F_ACC_RDWR)
            return false;
        return same_file(hdf5_file_of(file), path);
    });
}

// Whether another process keeps the library from opening it, by a lock as the library takes it.
static bool is_locked(const std::string &path, bool writable) {
    const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return file && flock(file.get(), (writable ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

// Whether there are not as many left as opening a file takes.
static bool lacks_descriptors(const std::string &path) {
    constexpr std::size_t taken = 3;
    std::array<FileDescriptor, taken> files;
    for (auto &file : files) {
        file = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file && (errno == EMFILE || errno == ENFILE))
            return true;
    }
    return false;
}

Hdf5Handle hdf5_open_to_read(const std::string &path, bool live) {
    const auto access = hdf5_file_access();
    Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
    if (file || !live)
        return file;
    // Between two attempts to read what has no right checksum yet the library waits 1, 2, 4 ... ns: of its
    // 100 attempts nobody sees the end where the file is damaged. These take a second.
    H5Pset_metadata_read_attempts(access.get(), 30);
    return {H5Fopen(path.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access.get()), H5Fclose};
}

Hdf5Handle hdf5_open(const std::string &path, bool writable) {
    require_readable_file(path);
    if (writable && ::access(path.c_str(), W_OK) != 0)
        throw system_error("write", path, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
    const auto access = hdf5_file_access();
    hdf5_recover(path, writable);
    if (H5Fis_hdf5(path.c_str()) == 0) {
        H5Eclear2(H5E_DEFAULT);
        throw Error(GST_STREAM_ERROR_WRONG_TYPE, text("'%s' is not an HDF5 file", path.c_str()));
    }
    // Different drivers don't know of each other, and locks are not everywhere.
    if (writable && is_input(path))
        throw Error(GST_RESOURCE_ERROR_BUSY,
                    text("cannot write '%s': it is an input; write to another file", path.c_str()));
    if (writable)
        hdf5_use_journal(access.get());
    auto file = writable ? Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()), H5Fclose)
                         : hdf5_open_to_read(path);
    if (!file && is_locked(path, writable)) {
        H5Eclear2(H5E_DEFAULT);
        // The newest format marks the file itself, too.
        const bool is_marked = io::is_being_written(path).value_or(false);
        throw Error(
            GST_RESOURCE_ERROR_BUSY,
            text("'%s' is locked: another process has it open%s; %s it when that has closed it%s%s",
                 path.c_str(), writable ? "" : " to write", writable ? "write" : "read",
                 writable ? "" : ", or let it write for several readers (SWMR), which can be read meanwhile",
                 writable || is_marked
                     ? ""
                     : "; HDF5_USE_FILE_LOCKING=FALSE in the environment reads it all the same, as far as "
                       "it is on the disk: images may be missing"));
    }
    // The library may say it in a place where nobody looks, or not at all.
    if (!file && lacks_descriptors(path)) {
        H5Eclear2(H5E_DEFAULT);
        throw system_error("open", path, EMFILE,
                           writable ? GST_RESOURCE_ERROR_OPEN_WRITE : GST_RESOURCE_ERROR_OPEN_READ);
    }
    if (!file)
        throw hdf5_error(
            writable ? GST_RESOURCE_ERROR_OPEN_WRITE : GST_RESOURCE_ERROR_OPEN_READ,
            text("'%s' can't be opened; it is truncated or damaged, or is being written by somebody",
                 path.c_str()));
    return file;
}

std::string hdf5_file_of(hid_t object) {
    std::string name(static_cast<std::size_t>(std::max<ssize_t>(H5Fget_name(object, nullptr, 0), 0)), '\0');
    H5Fget_name(object, name.data(), name.size() + 1);
    return name;
}

bool hdf5_is_live(hid_t object) {
    const Hdf5Handle file(H5Iget_file_id(object), H5Fclose);
    unsigned intent = 0;
    // This process may have it open to write, through another user of the library.
    return H5Fget_intent(file.get(), &intent) >= 0 && (intent & (H5F_ACC_SWMR_READ | H5F_ACC_RDWR));
}

Hdf5Handle hdf5_open_dataset(hid_t file, const std::string &path, hid_t access) {
    Hdf5Handle dataset(H5Dopen2(file, path.c_str(), access), H5Dclose);
    if (dataset && hdf5_is_live(dataset.get()))
        H5Drefresh(dataset.get());
    return dataset;
}

Hdf5Handle hdf5_select_image(hid_t dataset, std::uint64_t image, unsigned first_row, unsigned rows,
                             unsigned row_step, unsigned first_column, unsigned columns) {
    Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
    const auto shape = hdf5_shape(dataset);
    const auto rank = shape.size();
    Hdf5Shape start(rank, 0), stride(rank, 1), count(rank, 1);
    if (rank >= 3)
        start[rank - 3] = image;
    start[rank - 2] = first_row;
    stride[rank - 2] = row_step;
    count[rank - 2] = rows;
    start[rank - 1] = first_column;
    count[rank - 1] = columns ? columns : shape[rank - 1];
    if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), stride.data(), count.data(), nullptr) <
        0)
        return {};
    return space;
}

} // namespace tomo::io

#endif // HAVE_HDF5
