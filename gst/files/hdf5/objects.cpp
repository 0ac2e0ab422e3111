// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "objects.hpp"

#include <sys/stat.h>
#include <vector>

namespace tomo::io {

namespace {

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
        const auto place = hdf5_external_target(root, name);
        const auto target = place ? "'" + place->text() + "'" : "another file";
        const Hdf5Handle dataset(H5Oopen(root, name, H5P_DEFAULT), H5Oclose);
        if (!dataset)
            list.found.push_back(text("'/%s' (a link to %s, which can't be found)", name, target.c_str()));
        else if (H5Iget_type(dataset.get()) == H5I_DATASET && hdf5_shape(dataset.get()).size() >= 2)
            list.found.push_back(text("'/%s' (%s, in %s)", name,
                                      hdf5_shape_text(hdf5_shape(dataset.get())).c_str(), target.c_str()));
        return list.found.size() > shown;
    }
};

} // namespace

std::optional<Location> hdf5_external_target(hid_t root, const std::string &link) {
    H5L_info_t info;
    if (H5Lget_info(root, link.c_str(), &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_EXTERNAL)
        return {};
    std::string value(info.u.val_size, '\0');
    const char *file = nullptr, *object = nullptr;
    if (H5Lget_val(root, link.c_str(), value.data(), value.size(), H5P_DEFAULT) < 0 ||
        H5Lunpack_elink_val(value.data(), value.size(), nullptr, &file, &object) < 0)
        return {};
    return Location{file, object};
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

} // namespace tomo::io

#endif // HAVE_HDF5
