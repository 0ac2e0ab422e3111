// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "input.hpp"

#include <gst/files/input-file.hpp>
#include <gst/files/scan/frames.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

using namespace tomo::io;
namespace fs = std::filesystem;

namespace fuzz {

namespace {

// The first frames of every output, as tomoscansrc reads them.
void read_frames(const std::shared_ptr<ScanPlan> &plan, const Settings &settings) {
    plan->part = settings.part;
    plan->start = settings.various & 1;
    plan->step = 1 + (settings.various >> 1 & 1);
    plan->number = settings.various & 4 ? 3 : G_MAXUINT;
    plan->order = settings.various & 8 ? ScanOrder::Sinograms : ScanOrder::Projections;
    plan->stack = settings.various >> 4 & 3;
    plan->find();
    for (const auto *kind : {"projections", "darks", "flats", "flats-after"}) {
        ScanFrames frames(plan, kind);
        if (frames.images().empty())
            continue;
        try {
            frames.measure();
            const auto read = frames.make_reader();
            for (std::uint64_t n = 0; n < std::min<std::uint64_t>(frames.count(), 3); n++) {
                const auto frame = frames.locate(n);
                if (!frame)
                    disagree("a frame that was counted is not there");
                if (frame->info.size() > most_bytes)
                    continue;
                std::vector<unsigned char> samples(frame->info.size());
                for (unsigned part = 0; part < frame->parts; part++)
                    read(*frame, part, samples.data(), [] { return false; });
            }
        } catch (const tomo::Error &) { // of one output; there are others
        }
    }
}

// A folder that goes with its end.
class Folder {
  public:
    Folder() {
        auto pattern = (fs::temp_directory_path() / "fuzz-XXXXXX").string();
        if (!mkdtemp(pattern.data()))
            std::abort();
        path_ = pattern;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    const fs::path &path() const { return path_; }

  private:
    fs::path path_;
};

// Something that names no other folder.
std::string name_of(Input characters) {
    std::string name;
    while (characters.left()) {
        const char c = static_cast<char>(characters.byte());
        name += c == '/' || c == '\0' ? '_' : c;
    }
    return name.empty() || name == "." || name == ".." ? "_" + name : name;
}

} // namespace

void read_hdf5_scan(const Settings &settings, const Input &content) {
    if (has_endless_heap(content))
        return;
    check_checksums(settings.various >> 6 & 1);
    const File file(content);
    const auto plan = std::make_shared<ScanPlan>();
    plan->request.location = file.path();
    plan->request.follow = settings.various >> 7 & 1;
    static constexpr const char *entries[] = {"", "/", "/entry", "/exchange", "/exchange/data"};
    plan->request.entry = entries[(settings.various >> 8) % std::size(entries)];
    is_being_written(file.path());
    read_frames(plan, settings);
}

// Of each file: two lengths, of its name and its content, then both. A name may begin with a folder's, behind
// a length of its own.
void read_folder_scan(const Settings &settings, Input files) {
    const Folder folder;
    auto plan = std::make_shared<ScanPlan>();
    std::string facts; // of a scanner
    for (unsigned i = 0; i < 12 && files.left(); i++) {
        const unsigned lengths = files.byte();
        auto place = folder.path();
        if (const auto below = lengths & 7)
            place /= name_of(files.part(below));
        std::error_code ignored;
        fs::create_directory(place, ignored);
        place /= name_of(files.part(1 + (lengths >> 3)));
        std::size_t size = files.byte();
        size |= files.byte() << 8;
        const auto content = files.part(size);
        std::ofstream(place, std::ios::binary)
            .write(reinterpret_cast<const char *>(content.data()),
                   static_cast<std::streamsize>(size ? content.left() : 0));
        if (place.filename() == "angles.txt")
            plan->request.angles = place;
        if (place.filename() == "d.pgm")
            plan->request.darks = place;
        if (names_scanner(place))
            facts = place;
    }
    plan->request.location = facts.empty() ? folder.path().string() : facts;
    if (facts.empty() && settings.various & 0x40)
        plan->request.location += settings.various & 0x80 ? "/*" : "/*.tif";
    read_frames(plan, settings);
}

} // namespace fuzz
