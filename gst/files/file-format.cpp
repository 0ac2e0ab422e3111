// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file-format.hpp"

#include <cerrno>
#include <sys/stat.h>

namespace tomo::io {

namespace {

struct Suffix {
    const char *text;
    FileType type;
};

constexpr Suffix suffixes[] = {
    {".tif", FileType::Tiff},   {".tiff", FileType::Tiff}, {".h5", FileType::Hdf5},
    {".hdf5", FileType::Hdf5},  {".hdf", FileType::Hdf5},  {".nxs", FileType::Hdf5},
    {".nx", FileType::Hdf5},    {".raw", FileType::Raw},   {".edf", FileType::Edf},
    {".jpg", FileType::Jpeg},   {".jpeg", FileType::Jpeg}, {".png", FileType::Png},
    {".pgm", FileType::Pnm},    {".ppm", FileType::Pnm},   {".pnm", FileType::Pnm},
    {".npy", FileType::Npy},    {".zarr", FileType::Zarr}, {".txrm", FileType::Xradia},
    {".xrm", FileType::Xradia},
};

bool ends_with(const std::string &name, const std::string &end) {
    // A name that is nothing but a suffix (".tif") is a hidden file, not an image.
    return name.size() > end.size() && name[name.size() - end.size() - 1] != '/' &&
           g_ascii_strcasecmp(name.c_str() + name.size() - end.size(), end.c_str()) == 0;
}

// "a//b/" becomes "/a/b", "/" becomes "". A second colon, as silx has it ("scan.h5::/data"), says nothing.
std::string absolute_dataset(const std::string &given) {
    std::string dataset;
    for (const char c : "/" + (given[0] == ':' ? given.substr(1) : given))
        if (c != '/' || dataset.empty() || dataset.back() != '/')
            dataset += c;
    if (dataset.back() == '/')
        dataset.pop_back();
    return dataset;
}

} // namespace

FileType type_of_suffix(const std::string &file) {
    for (const auto &suffix : suffixes)
        if (ends_with(file, suffix.text))
            return suffix.type;
    return FileType::Automatic;
}

Location split_location(const std::string &path, FileType forced) {
    if (forced == FileType::Automatic || forced == FileType::Hdf5 || forced == FileType::Zarr ||
        forced == FileType::Xradia)
        for (auto colon = path.find(':'); colon != std::string::npos; colon = path.find(':', colon + 1)) {
            const auto file = path.substr(0, colon);
            const auto rest = path.substr(colon + 1);
            const bool named_slash = rest.compare(0, 1, "/") == 0 || rest.compare(0, 2, ":/") == 0;
            const auto type = type_of_suffix(file);
            if (type == FileType::Hdf5 || type == FileType::Zarr || type == FileType::Xradia ||
                (forced == FileType::Hdf5 && named_slash))
                return {file, absolute_dataset(rest)};
        }
    // A shell completes the name of a folder by a slash.
    const auto name = path.substr(0, path.find_last_not_of('/') + 1);
    return {type_of_suffix(name) == FileType::Zarr ? name : path, {}};
}

const char *type_name(FileType type) {
    switch (type) {
    case FileType::Tiff:
        return "TIFF";
    case FileType::Hdf5:
        return "HDF5";
    case FileType::Raw:
        return "raw";
    case FileType::Edf:
        return "EDF";
    case FileType::Jpeg:
        return "JPEG";
    case FileType::Png:
        return "PNG";
    case FileType::Pnm:
        return "PGM or PPM";
    case FileType::Npy:
        return "numpy";
    case FileType::Zarr:
        return "Zarr";
    case FileType::Xradia:
        return "Zeiss";
    case FileType::Automatic:
        break;
    }
    return "unknown";
}

std::string supported_suffixes() {
    std::string list;
    for (const auto &suffix : suffixes)
        list += (list.empty() ? "" : " ") + std::string(suffix.text);
    return list;
}

FileType require_type(const std::string &file, FileType forced) {
    const auto type = forced == FileType::Automatic ? type_of_suffix(file) : forced;
    if (type != FileType::Automatic)
        return type;
    const auto slash = file.rfind('/');
    const auto dot = file.rfind('.');
    const bool has_suffix = dot != std::string::npos && (slash == std::string::npos || dot > slash);
    throw Error(GST_STREAM_ERROR_TYPE_NOT_FOUND,
                text("the format of '%s' is not known: %s; the supported ones are %s", file.c_str(),
                     has_suffix ? text("no format has the suffix '%s'", file.c_str() + dot).c_str()
                                : "the name has no suffix",
                     supported_suffixes().c_str()));
}

Error not_built_in(FileType type, const std::string &file) {
    return Error(
        GST_STREAM_ERROR_CODEC_NOT_FOUND,
        text("'%s': this build has no support for %s files; build gst-tomo with the option %s enabled",
             file.c_str(), type_name(type),
             type == FileType::Hdf5     ? "hdf5"
             : type == FileType::Jpeg   ? "jpeg"
             : type == FileType::Png    ? "png"
             : type == FileType::Xradia ? "gsf"
                                        : "tiff"));
}

bool same_file(const std::string &a, const std::string &b) {
    struct stat first, second;
    return stat(split_location(a).file.c_str(), &first) == 0 &&
           stat(split_location(b).file.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

Error system_error(const std::string &action, const std::string &path, int number,
                   GstResourceError otherwise) {
    return system_error(text("cannot %s '%s'", action.c_str(), path.c_str()), number, otherwise);
}

Error system_error(const std::string &what, int number, GstResourceError otherwise) {
    auto code = otherwise;
    const char *remedy = "";
    switch (number) {
    case ENOSPC:
    case EDQUOT:
        code = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
        remedy = "; free some space or write somewhere else";
        break;
    case EFBIG:
        code = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
        remedy = "; the file system or a limit of the process (ulimit -f) allows no larger file";
        break;
    case ENOENT:
        code = GST_RESOURCE_ERROR_NOT_FOUND;
        break;
    case EACCES:
    case EPERM:
    case EROFS:
        code = GST_RESOURCE_ERROR_NOT_AUTHORIZED;
        break;
    case EMFILE:
    case ENFILE:
        remedy = "; raise the limit of open files (ulimit -n)";
        break;
    default:
        break;
    }
    return Error(code, text("%s: %s%s", what.c_str(), g_strerror(number), remedy));
}

bool multiply(std::initializer_list<std::uint64_t> factors, std::uint64_t &product) {
    product = 1;
    for (const auto factor : factors)
        if (__builtin_mul_overflow(product, factor, &product))
            return false;
    return true;
}

std::string level_suffix(FileType type, unsigned level) {
    return type == FileType::Zarr ? text("/%u", level) : text("_%ux", 1u << level);
}

} // namespace tomo::io
