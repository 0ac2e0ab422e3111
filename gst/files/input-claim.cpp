// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "input-claim.hpp"
#include "file-format.hpp"

#include <algorithm>
#include <mutex>
#include <set>
#include <sys/stat.h>

namespace tomo::io {

// Which files these are is looked up when a writer first asks: most never meet an existing file. Under the
// lock of all claims.
struct InputClaim::Files {
    using Identity = std::pair<dev_t, ino_t>;

    explicit Files(std::vector<std::string> all) : locations(std::move(all)) {}

    bool hold(const Identity &file) const {
        for (; looked_up < locations.size(); looked_up++) {
            struct stat facts;
            if (stat(split_location(locations[looked_up]).file.c_str(), &facts) == 0)
                identities.emplace(facts.st_dev, facts.st_ino);
        }
        return identities.count(file) > 0;
    }

    const std::vector<std::string> locations;
    mutable std::size_t looked_up = 0;
    mutable std::set<Identity> identities;
};

namespace {

std::mutex lock;
std::vector<std::weak_ptr<const InputClaim::Files>> claims;

} // namespace

InputClaim::InputClaim(std::vector<std::string> locations)
    : files_(std::make_shared<Files>(std::move(locations))) {
    const std::lock_guard<std::mutex> guard(lock);
    claims.erase(
        std::remove_if(claims.begin(), claims.end(), [](const auto &claim) { return claim.expired(); }),
        claims.end());
    claims.push_back(files_);
}

void refuse_to_replace_input(const std::string &path) {
    struct stat facts;
    if (stat(path.c_str(), &facts) != 0)
        return;
    const std::lock_guard<std::mutex> guard(lock);
    for (const auto &claim : claims)
        if (const auto files = claim.lock(); files && files->hold({facts.st_dev, facts.st_ino}))
            throw Error(GST_RESOURCE_ERROR_BUSY,
                        text("cannot write '%s': it is an input; write to another file", path.c_str()));
}

} // namespace tomo::io
