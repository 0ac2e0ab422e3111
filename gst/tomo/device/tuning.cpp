// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/cache.hpp>
#include <gst/tomo/support/debug.hpp>
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/device/tuning.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#define GST_CAT_DEFAULT tomo::device_debug()

namespace tomo {

Tuning::Tuning(Device &device, std::string subject, std::vector<std::string> variants)
    : device_(device), subject_(std::move(subject)), variants_(std::move(variants)) {
    std::string key = device_.driver() + '\n' + device_.name() + '\n' + subject_;
    for (const auto &variant : variants_)
        key += '\n' + variant;
    path_ = cache_path(key, "tune");
}

// The first line of the file is the chosen variant; whatever else it may hold is for people.
std::optional<std::size_t> Tuning::stored() const {
    std::ifstream file(path_);
    std::string line;
    if (!std::getline(file, line))
        return {};
    const auto found = std::find(variants_.begin(), variants_.end(), line);
    if (found == variants_.end())
        return {};
    return found - variants_.begin();
}

// A choice that can't be kept only costs time.
void Tuning::store(std::size_t chosen, const std::vector<double> &seconds) const {
    std::ostringstream text;
    text << variants_[chosen] << "\n\n" << subject_ << " on " << device_.name() << '\n';
    for (std::size_t i = 0; i < variants_.size(); i++)
        text << tomo::text("%10.3f ms  ", seconds[i] * 1e3) << variants_[i] << '\n';
    store_in_cache(path_, text.str());
}

std::size_t Tuning::choose(bool is_worth_it, const std::function<double(std::size_t)> &seconds) const {
    const char *wish = g_getenv("GST_TOMO_TUNE");
    if (wish && *wish && std::strcmp(wish, "0") != 0 && std::strcmp(wish, "1") != 0)
        throw Error(GST_LIBRARY_ERROR_SETTINGS, text("GST_TOMO_TUNE=%s is neither 0 nor 1", wish));
    if (variants_.size() < 2 || g_strcmp0(wish, "0") == 0)
        return 0;
    // One at a time: two would measure each other.
    static std::mutex lock;
    std::lock_guard<std::mutex> guard(lock);
    if (const auto known = stored())
        return *known;
    if (!is_worth_it && g_strcmp0(wish, "1") != 0)
        return 0;

    std::vector<double> times;
    for (std::size_t i = 0; i < variants_.size(); i++) {
        try {
            times.push_back(seconds(i));
        } catch (const Error &error) {
            GST_WARNING("%s on %s: variant '%s' is left out: %s", subject_.c_str(), device_.name().c_str(),
                        variants_[i].c_str(), error.what());
            times.push_back(HUGE_VAL);
        }
    }
    // The usual one unless another is clearly better, so that noise decides nothing.
    const std::size_t best = std::min_element(times.begin(), times.end()) - times.begin();
    if (times[best] == HUGE_VAL) // what hindered all of them may be over the next time
        return 0;
    const std::size_t chosen = times[best] < 0.97 * times[0] ? best : 0;
    store(chosen, times);
    return chosen;
}

} // namespace tomo
