// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/devices/shares.hpp>

#include <gst/tomo/support/error.hpp>

namespace tomo::reconstruction {

std::string indices_of(const std::vector<SharingDevice> &devices) {
    std::string list;
    for (const auto &device : devices)
        list += (list.empty() ? "" : ",") + std::to_string(device.index);
    return list;
}

bool SharesOfDevices::look_at(const GstStructure *message) {
    if (!message || !gst_structure_has_name(message, "tomo-device"))
        return false;
    guint64 planes = 0;
    const char *device = gst_structure_get_string(message, "device"),
               *element = gst_structure_get_string(message, "element");
    if (device && element && gst_structure_get_uint64(message, "planes", &planes))
        line_[{element, device}] = planes;
    return true;
}

void SharesOfDevices::made(const SharingDevice &device, std::uint64_t images) {
    before_[tomo::text("device %zu (%s)", device.index, device.name.c_str())] += images;
}

std::map<std::string, std::uint64_t> SharesOfDevices::all() const {
    auto all = before_;
    for (const auto &[key, planes] : line_)
        all[key.second] += planes;
    return all;
}

std::uint64_t SharesOfDevices::sum() const {
    std::uint64_t sum = 0;
    for (const auto &[device, planes] : all())
        sum += planes;
    return sum;
}

Json SharesOfDevices::json() const {
    Json list = Json::list();
    for (const auto &[device, planes] : all()) {
        Json one = Json::object();
        one.set("device", Json::text(device));
        one.set("done", Json::integer(guint64{planes}));
        list.add(std::move(one));
    }
    return list;
}

std::string SharesOfDevices::text() const {
    std::string words;
    for (const auto &[device, planes] : all())
        words += tomo::text("%s%" G_GUINT64_FORMAT " on %s", words.empty() ? "" : ", ", guint64{planes},
                            device.c_str());
    return words;
}

} // namespace tomo::reconstruction
