// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is written can be read; nothing is half written under a final name.
#include "image-files.hpp"

#include <gst/files/grey-mapping.hpp>
#include <gst/files/number-pattern.hpp>

#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using namespace tomo::io;

namespace {

// Names of targets whose formats were built.
std::vector<std::string> targets() {
    return {
#ifdef HAVE_TIFF
        "out.tif",
#endif
#ifdef HAVE_HDF5
        "out.h5:/entry/data",
#endif
        "out.edf", "out.raw"};
}

// Raw files say nothing about themselves.
Images read_back(const std::string &path, const tomo::ArrayInfo &shape) {
    ReadOptions options;
    options.raw = {shape.width, shape.height, shape.format, 0, 0, false, false, {}};
    if (path.size() > 8 && path.compare(path.size() - 8, 8, ".partial") == 0)
        options.type = contains(path, ".raw")   ? FileType::Raw
                       : contains(path, ".edf") ? FileType::Edf
                                                : FileType::Tiff;
    if (contains(path, ".h5.partial"))
        options.type = FileType::Hdf5;
    return read_images(path, options);
}

// "out.h5:/entry/data" is written as "out.h5.partial:/entry/data".
std::string partial_of(const std::string &path) {
    const auto location = split_location(path);
    return Location{location.file + ".partial", location.dataset}.text();
}

std::string file_of(const std::string &path) { return split_location(path).file; }

Images two(const Images &first, const Images &second) {
    Images both = first;
    both.insert(both.end(), second.begin(), second.end());
    return both;
}

// Allows no file longer than `bytes`, as a full disk does.
struct SizeLimit {
    explicit SizeLimit(rlim_t bytes) {
        getrlimit(RLIMIT_FSIZE, &before);
        const rlimit limit{bytes, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~SizeLimit() { setrlimit(RLIMIT_FSIZE, &before); }
    rlimit before;
};

std::string error_of_writing(const std::string &path, const Images &images,
                             const WriteOptions &options = {}) {
    return error_of([&] { write_images(path, images, options); });
}

} // namespace

GST_START_TEST(test_round_trip) {
    const Scratch folder;
    for (const auto &target : targets())
        for (const auto format : sample_formats)
            for (const bool big : {true, false}) {
                const auto path = folder / "new/folders/" + target;
                const auto width = static_cast<unsigned>(random_between(1, 300));
                const auto height = static_cast<unsigned>(random_between(1, 300));
                auto images = random_images(random_between(1, 4), format, width, height);
                WriteOptions options;
                options.big_tiff = big;
                if (contains(target, ".edf") &&
                    (format == GST_TOMO_FORMAT_FLOAT16 || format == GST_TOMO_FORMAT_COMPLEX64)) {
                    fail_unless(
                        contains(error_of_writing(path, images, options), "EDF has no samples of type"));
                    fail_unless(!std::filesystem::exists(path) && !std::filesystem::exists(partial_of(path)));
                    continue;
                }
                write_images(path, images, options);
                // A complex sample is two floats of a TIFF file.
                auto expected = images;
                if (format == GST_TOMO_FORMAT_COMPLEX64 && contains(target, ".tif"))
                    for (auto &image : expected)
                        image.info =
                            image.info.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(2 * width, height);
                fail_unless(read_back(path, images[0].info) == expected, "%s, %s, %u x %u", target.c_str(),
                            images[0].info.describe().c_str(), width, height);
                fail_unless(!folder.has("new/folders/" + file_of(partial_of(target))));
                std::filesystem::remove_all(folder / "new");
            }
}
GST_END_TEST;

GST_START_TEST(test_planes_are_pages) {
    const Scratch folder;
    for (const auto &target : targets()) {
        const auto volume = random_image(GST_TOMO_FORMAT_INT16, 6, 5, 3);
        write_images(folder / target, {volume, volume});
        Images planes;
        for (unsigned i = 0; i < 6; i++) {
            Image plane{volume.info.with_size(6, 5, 1), {}};
            const auto from = volume.data.begin() + i % 3 * static_cast<long>(plane.info.size());
            plane.data.assign(from, from + static_cast<long>(plane.info.size()));
            planes.push_back(plane);
        }
        fail_unless(read_back(folder / target, planes[0].info) == planes, "%s", target.c_str());
    }
}
GST_END_TEST;

GST_START_TEST(test_final_name_at_the_end) {
    const Scratch folder;
    const auto old = random_images(2, GST_TOMO_FORMAT_UINT8, 7, 3);
    const auto images = random_images(3, GST_TOMO_FORMAT_UINT16, 5, 4);
    for (const auto &target : targets()) {
        if (contains(target, ".h5"))
            continue; // an existing file is another case
        const auto path = folder / target;
        write_images(path, old);
        const auto writer = open_writer(path);
        write_all(*writer, images);
        fail_unless(read_back(path, old[0].info) == old);
        writer->finish();
        fail_unless(read_back(path, images[0].info) == images && !folder.has(partial_of(target)));
    }
    for (const auto &target : targets()) {
        const auto path = folder / "fresh-" + target;
        {
            const auto writer = open_writer(path);
            write_all(*writer, images);
            fail_unless(!std::filesystem::exists(file_of(path)));
            const auto said = writer->abandon();
            fail_unless(said == "3 whole images are kept in '" + partial_of(path) + "'", "%s", said.c_str());
            fail_unless(writer->abandon().empty());
        }
        fail_unless(!std::filesystem::exists(file_of(path)));
        fail_unless(read_back(partial_of(path), images[0].info) == images, "%s", target.c_str());
        // A destructor does the same; the partial file of before is replaced.
        write_all(*open_writer(path), old);
        fail_unless(read_back(partial_of(path), old[0].info) == old);
        // Nothing written, nothing left.
        open_writer(folder / "nothing-" + target)->finish();
        open_writer(folder / "nothing-" + target);
        fail_unless(!folder.has("nothing-" + file_of(target)) &&
                    !folder.has("nothing-" + file_of(partial_of(target))));
    }
}
GST_END_TEST;

GST_START_TEST(test_link_stays) {
    const Scratch folder;
    const auto images = random_images(1, GST_TOMO_FORMAT_UINT8, 3, 3);
    folder.write("real.raw", "old");
    fail_unless(symlink("real.raw", (folder / "link.raw").c_str()) == 0);
    write_images(folder / "link.raw", images);
    fail_unless(std::filesystem::is_symlink(folder / "link.raw"));
    fail_unless(read_back(folder / "real.raw", images[0].info) == images);
}
GST_END_TEST;

GST_START_TEST(test_patterns) {
    const auto name = [](const std::string &pattern, unsigned number) {
        return NumberPattern(pattern).name(number);
    };
    fail_unless(name("a-%05i.tif", 7) == "a-00007.tif" && name("%d", 12) == "12" && name("%u%%", 3) == "3%");
    fail_unless(name("%%%.3d", 3) == "%003" && name("%+i", 3) == "+3" && name("%-4ix", 3) == "3   x");
    fail_unless(name("%i", 4294967295u) == "4294967295" && name("100%%", 1) == "100%");
    fail_unless(!NumberPattern("100%%").has_number() && NumberPattern("%i").has_number());
    for (const auto *pattern :
         {"%",   "a%", "%s",  "%n",   "%f",      "%x",   "%c",   "%li", "%*i",        "%.*i",        "%1$i",
          "%#i", "%5", "%5.", "%..i", "%1.2.3i", "%i%i", "%i%s", "%%%", "%99999999i", "%.99999999i", "%'i"})
        fail_unless(contains(error_of([&] { NumberPattern{std::string(pattern)}; }),
                             std::string("file name '") + pattern),
                    "%s", pattern);
}
GST_END_TEST;

GST_START_TEST(test_numbered_files) {
    const Scratch folder;
    const auto images = random_images(5, GST_TOMO_FORMAT_UINT16, 7, 3);
    const auto shape = images[0].info;
    for (const auto &target : targets()) {
        const auto dot = target.find('.');
        const auto path = [&](const std::string &number) {
            return folder / target.substr(0, dot) + number + target.substr(dot);
        };
        const auto at = [&](const char *number) { return read_back(path(number), shape); };
        WriteOptions options;
        options.bytes_per_file = 0;
        options.counter_start = 3;
        options.counter_step = 4;
        {
            const auto writer = open_writer(path("%03i"), options);
            for (std::size_t i = 0; i < images.size(); i++) {
                writer->write(shape, images[i].data.data());
                fail_unless(at(tomo::text("%03zu", 3 + 4 * i).c_str()) ==
                            Images{images[i]}); // complete at once
            }
            fail_unless(writer->abandon().empty());
        }
        options.append = true;
        write_images(path("%03i"), {images[4]}, options); // 003 to 019 are in use
        fail_unless(at("023") == Images{images[4]} && at("003") == Images{images[0]});

        options = {};
        options.bytes_per_file = 2 * shape.size() + 1;
        write_images(path("-%i"), images, options);
        fail_unless(at("-0") == Images(images.begin(), images.begin() + 2) &&
                    at("-1") == Images(images.begin() + 2, images.begin() + 4) &&
                    at("-2") == Images{images[4]} && !std::filesystem::exists(file_of(path("-3"))));
        options.bytes_per_file = 1; // less than an image
        write_images(path("_%i"), images, options);
        fail_unless(at("_4") == Images{images[4]});
        options.bytes_per_file = std::uint64_t{1} << 40;
        write_images(path("all%i"), images, options);
        fail_unless(at("all0") == images);

        options.counter_step = 0;
        fail_unless(contains(error_of_writing(path("%i"), images, options), "counter-step is 0"));
        options = {};
        options.bytes_per_file = 1;
        fail_unless(contains(error_of_writing(path(""), images, options), "has no place for a number"));
    }
}
GST_END_TEST;

GST_START_TEST(test_append) {
    const Scratch folder;
    const auto images = random_images(3, GST_TOMO_FORMAT_INT32, 7, 3),
               more = random_images(2, GST_TOMO_FORMAT_INT32, 7, 3);
    WriteOptions append;
    append.append = true;
    for (const auto &target : targets()) {
        const auto path = folder / target;
        write_images(path, images, append); // there is nothing yet
        write_images(path, more, append);
        const auto both = two(images, more);
        fail_unless(read_back(path, images[0].info) == both, "%s", target.c_str());
        // Given up: as it was, and what is new is kept beside.
        const auto writer = open_writer(path, append);
        write_all(*writer, images);
        const auto said = writer->abandon();
        fail_unless(read_back(path, images[0].info) == both, "%s", target.c_str());
        if (contains(target, ".h5")) {
            fail_unless(said == "3 whole images are kept in '" + path + ".partial'", "%s", said.c_str());
            fail_unless(read_images(path + ".partial") == images);
        } else {
            fail_unless(said == "8 whole images are kept in '" + partial_of(path) + "'", "%s", said.c_str());
            fail_unless(read_back(partial_of(path), images[0].info) == two(both, images));
        }
    }
}
GST_END_TEST;

// Those of a file, or of all files of a series, by their names.
static std::string bytes_of_files(const Scratch &folder) {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(folder.path()))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    std::string all;
    for (const auto &name : names)
        all += name + "\n" + (contains(name, ".h5") ? "" : contents_of(folder / name));
    return all;
}

static std::string numbered(const std::string &target) { return "s%02i" + target.substr(target.find('.')); }

// An interrupted run, continued, leaves what an undisturbed one does.
GST_START_TEST(test_resume) {
    for (const auto &single : targets())
        for (const auto &target : {single, numbered(single)})
            for (const std::uint64_t bytes_per_file : {0, 2}) {
                if (target == single && bytes_per_file > 0)
                    continue;
                const Scratch whole, folder;
                const auto images = random_images(7, GST_TOMO_FORMAT_FLOAT32, 31, 17);
                const auto shape = images[0].info;
                WriteOptions options;
                options.bytes_per_file = bytes_per_file * shape.size();
                write_images(whole / target, images, options);

                options.resume = true;
                for (int again = 0; again < 3; again++) { // stopped at any place, also before the last one
                    const auto writer = open_writer(folder / target, options);
                    const Images some(images.begin(),
                                      images.begin() + static_cast<long>(random_between(0, 6)));
                    if (again == 2) {
                        const auto there = writer->images_there(shape);
                        writer->skip(shape, std::min<std::uint64_t>(there, some.size()));
                        for (auto i = there; i < some.size(); i++)
                            writer->write(shape, some[i].data.data());
                    } else {
                        write_all(*writer, some);
                    }
                    writer->abandon();
                }
                if (target == single && !contains(target, ".h5") && folder.has(partial_of(target))) {
                    // What a kill in the middle of an image leaves behind the whole ones.
                    std::ofstream(folder / partial_of(target), std::ios::binary | std::ios::app)
                        << std::string(random_between(0, 700), 'x');
                }
                write_images(folder / target, images, options);
                fail_unless(bytes_of_files(folder) == bytes_of_files(whole), "%s", target.c_str());
                if (contains(single, ".h5") && target == single)
                    fail_unless(read_images(folder / target) == images);
                // A whole one: nothing to do; more can come.
                write_images(folder / target, images, options);
                fail_unless(bytes_of_files(folder) == bytes_of_files(whole), "%s", target.c_str());
                const auto more = two(images, random_images(2, GST_TOMO_FORMAT_FLOAT32, 31, 17));
                write_images(folder / target, more, options);
                if (target == single)
                    fail_unless(read_back(folder / target, shape) == more);
                // Another input or another size.
                auto other = images;
                other[3].data[5] ^= 1;
                auto error = error_of_writing(folder / target, other, options);
                fail_unless(contains(error, "can't be resumed") && contains(error, "is not what comes now"),
                            "%s", error.c_str());
                if (!contains(target, ".raw")) {
                    error = error_of_writing(folder / target, random_images(1, GST_TOMO_FORMAT_UINT8, 31, 17),
                                             options);
                    fail_unless(contains(error, "can't be resumed"), "%s", error.c_str());
                }
                if (target == single)
                    fail_unless(read_back(folder / target, shape) == more);
                options.append = true;
                fail_unless(
                    contains(error_of_writing(folder / target, {}, options), "both append and resume"));
            }
}
GST_END_TEST;

// An image whose samples take a while.
static ImageToWrite slow(const Image &image, std::function<void()> meanwhile) {
    return {image.info, [&image, meanwhile = std::move(meanwhile)] {
                meanwhile();
                return ImageToWrite::Samples(image.data.data(), [](const void *) {});
            }};
}

static std::string number_in(const std::string &pattern, std::size_t number) {
    return NumberPattern(pattern).name(number);
}

// Many files are written at once; their names come in order.
GST_START_TEST(test_many_at_once) {
    for (const auto &single : targets()) {
        const Scratch folder, alone;
        const auto images = random_images(40, GST_TOMO_FORMAT_UINT16, 61, 43);
        const auto path = folder / numbered(single);
        WriteOptions options;
        options.big_tiff = true; // whatever is known of their number
        for (const auto &image : images)
            write_images(alone /
                             number_in(numbered(single), static_cast<std::size_t>(&image - images.data())),
                         {image}, options);
        const auto writer = open_writer(path, options);
        std::size_t named = 0;
        const auto look = [&] {
            std::size_t whole = 0;
            for (std::size_t i = images.size(); i > 0; i--) { // backwards: more may come meanwhile
                const bool is_there = std::filesystem::exists(file_of(number_in(path, i - 1)));
                fail_unless(is_there || whole == 0, "%s: %zu is there before %zu", single.c_str(), whole, i);
                if (is_there && whole == 0)
                    whole = i;
            }
            named = whole;
        };
        for (const auto &image : images) {
            writer->write(slow(image, [pause = random_between(0, 3000)] { g_usleep(pause); }));
            look();
        }
        writer->finish();
        look();
        fail_unless_equals_uint64(named, images.size());
        fail_unless(bytes_of_files(folder) == bytes_of_files(alone), "%s", single.c_str());
    }
}
GST_END_TEST;

// One of many fails: those before it have their names, those behind are kept for a run that goes on.
GST_START_TEST(test_one_of_many_fails) {
    for (const auto &single : targets()) {
        const Scratch folder, whole;
        const auto images = random_images(30, GST_TOMO_FORMAT_UINT16, 61, 43);
        const auto shape = images[0].info;
        const auto path = folder / numbered(single);
        write_images(whole / numbered(single), images);
        WriteOptions options;
        options.most_bytes_under_way = 6 * shape.size();
        const auto failing = static_cast<std::size_t>(random_between(0, 20));
        std::filesystem::create_directory(file_of(number_in(path, failing)));
        std::string error, said;
        {
            const auto writer = open_writer(path, options);
            error = error_of([&] {
                for (const auto &image : images)
                    writer->write(slow(image, [&] { g_usleep(&image == &images[failing] ? 9000 : 0); }));
                writer->finish();
            });
            said = writer->abandon();
        }
        fail_unless(contains(error, file_of(number_in(path, failing))) && contains(error, "is a folder"),
                    "%s", error.c_str());
        std::size_t kept = 0;
        for (std::size_t i = 0; i < images.size(); i++) {
            fail_unless_equals_int(std::filesystem::is_regular_file(file_of(number_in(path, i))),
                                   i < failing);
            const auto partial = partial_of(number_in(path, i));
            if (!std::filesystem::exists(file_of(partial)))
                continue;
            fail_unless(i > failing && read_back(partial, shape) == Images{images[i]});
            kept++;
        }
        fail_unless(kept == 0 ? said.empty() : contains(said, tomo::text("%zu whole image", kept)), "%s",
                    said.c_str());
        std::filesystem::remove(file_of(number_in(path, failing)));
        options.resume = true;
        const auto writer = open_writer(path, options);
        fail_unless_equals_uint64(writer->images_there(shape), failing);
        for (const auto &image : images)
            writer->write({image.info, image.data.data()});
        writer->finish();
        fail_unless(bytes_of_files(folder) == bytes_of_files(whole), "%s", single.c_str());
    }
}
GST_END_TEST;

// Neither a link that has the name of what is written nor a pipe is taken for a file of ours.
GST_START_TEST(test_special_files) {
    const auto images = random_images(2, GST_TOMO_FORMAT_UINT16, 9, 7);
    for (const auto &single : targets())
        for (const auto &target : {single, numbered(single)})
            for (const bool resume : {false, true}) {
                const Scratch folder;
                WriteOptions options;
                options.resume = resume;
                const auto path = folder / target, first = number_in(path, 0);
                const auto partial = file_of(first) + ".partial";
                const auto refused = [&](const char *words) {
                    const auto error = error_of([&] {
                        const auto writer = open_writer(path, options);
                        writer->images_there(images[0].info);
                        write_all(*writer, images);
                        writer->finish();
                    });
                    fail_unless(contains(error, words), "%s: %s", target.c_str(), error.c_str());
                };
                folder.write("victim", "important");
                fail_unless(symlink("victim", partial.c_str()) == 0, "%s: %s", partial.c_str(),
                            g_strerror(errno));
                refused("is a symbolic link");
                fail_unless(contents_of(folder / "victim") == "important" &&
                            std::filesystem::is_symlink(partial) &&
                            !folder.has(file_of(number_in(target, 0))));
                std::filesystem::remove(partial);
                fail_unless(symlink("nowhere", partial.c_str()) == 0);
                refused("is a symbolic link");
                fail_unless(!folder.has("nowhere"));
                std::filesystem::remove(partial);
                fail_unless(mkfifo(partial.c_str(), 0600) == 0);
                refused("is a pipe, socket or device");
                std::filesystem::remove(partial);
                fail_unless(mkfifo(file_of(first).c_str(), 0600) == 0);
                refused("is a pipe, socket or device");
                std::filesystem::remove(file_of(first));
                if (resume)
                    continue;
                // Another name of a file: that stays, and what is written is new.
                std::filesystem::create_hard_link(folder / "victim", partial);
                if (contains(target, ".h5")) { // and so does a link instead of the journal
                    fail_unless(symlink("victim", (partial + ".journal").c_str()) == 0);
                    fail_unless(mkfifo((file_of(first) + ".journal").c_str(), 0600) == 0);
                }
                write_images(path, images, options);
                fail_unless(contents_of(folder / "victim") == "important");
                fail_unless(read_back(first, images[0].info)[0] == images[0]);
            }
}
GST_END_TEST;

static std::function<StreamLength()> length_of(std::uint64_t images) {
    return [images] { return StreamLength{0, images}; };
}

// Numbers that a writer will come to are its own from the first image on: all that follow where nobody knows
// how many come.
GST_START_TEST(test_numbers_to_come) {
    const auto images = random_images(1, GST_TOMO_FORMAT_FLOAT32, 9, 7);
    struct Stream {
        unsigned start, step;
        std::optional<std::uint64_t> images; // announced
        unsigned bits = 32;
        std::uint64_t bytes_per_file = 0;
        bool append = false;
    };
    const auto file = images[0].info.size(); // bytes of an image
    struct Pair {
        Stream first, second;
        bool overlap;
    };
    for (const auto &[first, second, overlap] : std::initializer_list<Pair>{
             {{0, 1, 100}, {60, 1, 20}, true},
             {{0, 1, 100, 8}, {60, 1, 20}, true},
             {{0, 1, {}}, {60, 1, {}}, true},
             {{60, 1, {}}, {0, 1, {}}, true},
             {{60, 1, {}}, {0, 1, 60}, false},
             {{60, 1, {}}, {0, 1, 61}, true},
             {{0, 1, 60}, {60, 1, {}}, false},
             {{0, 2, 100}, {1, 2, 100}, false},
             {{0, 2, 100}, {198, 1, 1}, true},
             {{0, 2, 100}, {199, 1, 1}, false},
             {{0, 1, 100, 32, 10 * file}, {10, 1, 100}, false},
             {{0, 1, 101, 32, 10 * file}, {10, 1, 100}, true},
             {{0, 1, 100}, {0, 1, {}, 32, 0, true}, false},
             {{0, 1, {}}, {0, 1, {}, 32, 0, true}, true},
         }) {
        const Scratch folder;
        std::filesystem::create_directory_symlink(".", folder / "link");
        const auto options_of = [](const Stream &stream) {
            WriteOptions options;
            options.counter_start = stream.start;
            options.counter_step = stream.step;
            options.bits = stream.bits;
            options.bytes_per_file = stream.bytes_per_file;
            options.append = stream.append;
            if (stream.images)
                options.length = length_of(*stream.images);
            return options;
        };
        const auto writer = open_writer(folder / "s%03i.npy", options_of(first));
        writer->write(images[0].info, images[0].data.data());
        const auto error =
            error_of([&] { write_images(folder / "link/s%03i.npy", images, options_of(second)); });
        const bool is_refused = contains(error, "another process is writing this series");
        fail_unless(is_refused == overlap && error.empty() != overlap, "%u + %u: %s", first.start,
                    second.start, error.c_str());
        writer->finish();
    }
}
GST_END_TEST;

// Processes share a series only if each has its numbers. Different names of a folder stand for the processes.
GST_START_TEST(test_series_of_several_processes) {
    const auto images = random_images(4, GST_TOMO_FORMAT_UINT16, 9, 7);
    const auto shape = images[0].info;
    for (const auto &single : targets()) {
        const Scratch folder;
        std::filesystem::create_directory_symlink(".", folder / "link");
        const auto series = numbered(single), other = folder / ("link/" + series);
        const auto lock = file_of(folder / series) + ".partial";
        WriteOptions options;
        options.length = length_of(2);
        auto first = open_writer(folder / series, options);
        first->write(shape, images[0].data.data());
        fail_unless(std::filesystem::exists(lock));
        auto error = error_of_writing(other, images);
        fail_unless(contains(error, "another process is writing this series"), "%s", error.c_str());
        options.length = length_of(1);
        options.counter_start = 2;
        {
            const auto second = open_writer(other, options);
            second->write(shape, images[2].data.data());
            first->write(shape, images[1].data.data());
            error = error_of([&] { first->write(shape, images[3].data.data()); }); // its number is 2
            fail_unless(contains(error, "another process is writing this series"), "%s", error.c_str());
            fail_unless(first->abandon().empty());
            first.reset();
            fail_unless(std::filesystem::exists(lock));
            options = {};
            options.append = true; // behind all
            write_images(folder / series, {images[3]}, options);
            second->finish();
        }
        fail_unless(!std::filesystem::exists(lock));
        for (std::size_t i = 0; i < images.size(); i++)
            fail_unless(read_back(number_in(folder / series, i), shape) == Images{images[i]}, "%s: %zu",
                        single.c_str(), i);
        write_images(other, {images[3]}); // nobody is at it any more
        fail_unless(read_back(number_in(folder / series, 0), shape) == Images{images[3]});
    }
}
GST_END_TEST;

// Only the names of files have numbers in them.
GST_START_TEST(test_folders_with_per_cent_signs) {
    const auto images = random_images(3, GST_TOMO_FORMAT_FLOAT32, 9, 7);
    const auto shape = images[0].info;
    for (const auto &single : targets())
        for (const unsigned bits : {32u, 16u}) {
            const Scratch folder;
            WriteOptions options;
            options.bits = bits;
            for (const std::string name : {"50% [of 2]", "100%%", "%s", "%"}) {
                write_images(folder / (name + "/[x] " + single), images, options);
                write_images(folder / (name + "/50%% [y] " + numbered(single)), images, options);
                fail_unless(folder.has(name + "/[x] " + file_of(single)));
                fail_unless(folder.has(name + "/50% [y] s02" + file_of(single).substr(3)), "%s",
                            single.c_str());
                if (bits == 32)
                    fail_unless(read_back(folder / (name + "/[x] " + single), shape) == images);
            }
            const auto error = error_of_writing(folder / ("run%03i/" + single), images, options);
            fail_unless(contains(error, "names of files only") && !folder.has("run%03i"), "%s",
                        error.c_str());
            std::filesystem::create_directory(folder / "run%03i");
            write_images(folder / ("run%03i/" + single), images, options);
            fail_unless(folder.has("run%03i/" + file_of(single)));
        }
}
GST_END_TEST;

// What a longer series left is told, and nothing else is.
GST_START_TEST(test_older_files_of_a_series) {
    const auto images = random_images(6, GST_TOMO_FORMAT_UINT16, 9, 7);
    for (const auto &single : targets()) {
        const Scratch folder;
        std::vector<std::string> said;
        WriteOptions options;
        options.warn = [&](const std::string &words) { said.push_back(words); };
        const auto path = folder / numbered(single);
        write_images(path, images, options);
        write_images(path, images, options);
        fail_unless(said.empty(), "%s", said.empty() ? "" : said[0].c_str());
        g_usleep(30000); // times of files have ticks
        folder.write("s0004x.tif", "of another series");
        write_images(path, {images[0], images[1]}, options);
        fail_unless_equals_int(said.size(), 1);
        fail_unless(
            contains(said[0], "4 files of this series, from '" + file_of(number_in(path, 2)) + "' on") &&
                contains(said[0], "ended with '" + file_of(number_in(path, 1))),
            "%s", said[0].c_str());
        fail_unless(std::filesystem::exists(file_of(number_in(path, 5))));
        options.counter_start = 4;
        write_images(path, {images[0], images[1]}, options);
        options = {};
        options.warn = [&](const std::string &words) { said.push_back(words); };
        options.append = true;
        write_images(path, images, options);
        fail_unless_equals_int(said.size(), 1);
    }
}
GST_END_TEST;

// Integers whose range each image has, or all have: as if nothing had interrupted.
GST_START_TEST(test_resume_of_integers) {
    for (const std::string single : {"out.tif", "out.edf", "out.h5:/entry/data"})
        for (const auto &target : {single, numbered(single)})
            for (const int kind : {0, 1, 2}) {
                const Scratch whole, folder;
                Images images;
                for (int i = 0; i < 5; i++) {
                    std::vector<float> values(12 * 11, NAN);
                    if (i != 2) // an image without any value has no range
                        for (auto &value : values)
                            value = std::normal_distribution<float>(float(i), 1)(randomness());
                    images.push_back(image_of(GST_TOMO_FORMAT_FLOAT32, 12, 11, values));
                }
                WriteOptions options;
                options.bits = 16;
                options.range_per_image = kind == 0;
                if (kind == 1) {
                    options.minimum = -1.5;
                    options.maximum = 4.0;
                }
                write_images(whole / target, images, options);
                options.resume = true;
                if (kind == 0 && contains(target, ".h5")) {
                    fail_unless(
                        contains(error_of_writing(folder / target, images, options), "would be lost"));
                    continue;
                }
                for (const long some : {2, 4}) {
                    const auto writer = open_writer(folder / target, options);
                    write_all(*writer, Images(images.begin(), images.begin() + some));
                }
                write_images(folder / target, images, options);
                write_images(folder / target, images, options);
                fail_unless(bytes_of_files(folder) == bytes_of_files(whole), "%s, kind %d", target.c_str(),
                            kind);
                if (contains(target, ".h5"))
                    fail_unless(read_images(number_in(folder / target, 0)) ==
                                read_images(number_in(whole / target, 0)));
                if (kind == 1 && target == single) { // integers of another range are none of these
                    options.maximum = 5;
                    fail_unless(
                        contains(error_of_writing(folder / target, images, options), "can't be resumed"));
                    options.resume = false;
                    options.append = true;
                    const auto error = error_of_writing(folder / target, images, options);
                    fail_unless(error.empty() != contains(target, ".h5"), "%s", error.c_str());
                    if (contains(target, ".h5"))
                        fail_unless(contains(error, "stand for -1.5 to 4, those that come for -1.5 to 5"),
                                    "%s", error.c_str());
                }
            }
}
GST_END_TEST;

// Killed at any moment, again and again, until it has all been written.
GST_START_TEST(test_killed_and_resumed) {
    const auto images = random_images(60, GST_TOMO_FORMAT_UINT16, 100, 70);
    for (const auto &target :
         {std::string("out.tif"), std::string("out.edf"), std::string("out.raw"),
          std::string("out.h5:/entry/data"), std::string("s%02i.tif"), std::string("many%02i.tif")}) {
        const Scratch whole, folder;
        const bool many = contains(target, "many");
        WriteOptions options;
        if (contains(target, "%") && !many)
            options.bytes_per_file = 7 * images[0].info.size();
        write_images(whole / target, images, options);
        if (contains(target, ".h5"))
            write_images(folder / "out.h5:/before", {images[1]});
        options.resume = true;
        options.flush_interval = std::chrono::milliseconds(static_cast<int>(random_between(0, 3)));
        unsigned kills = 0;
        std::size_t most_kept = 0;
        for (bool done = false; !done;) {
            const auto child = fork();
            if (child == 0) {
                const auto writer = open_writer(folder / target, options);
                for (const auto &image : images) {
                    if (many)
                        writer->write({image.info, image.data.data()});
                    else
                        writer->write(image.info, image.data.data());
                    g_usleep(200);
                }
                writer->finish();
                _exit(0);
            }
            g_usleep(random_between(300, 2000 + 1000 * kills)); // until it can be done in one go
            kill(child, SIGKILL);
            int status = 0;
            fail_unless(waitpid(child, &status, 0) == child);
            done = WIFEXITED(status);
            fail_unless(!done || WEXITSTATUS(status) == 0, "%s", target.c_str());
            kills += !done;
            fail_unless(kills < 2000);
            if (contains(target, ".h5"))
                fail_unless(read_images(folder / "out.h5:/before") == Images{images[1]});
            // What is there can be read, and is right.
            const auto partial =
                contains(target, ".h5") ? folder / (target + ".partial") : folder / partial_of(target);
            Images kept;
            const auto error = error_of([&] {
                kept = contains(target, ".h5") ? read_images(partial) : read_back(partial, images[0].info);
            });
            fail_unless(kept.size() <= images.size() && std::equal(kept.begin(), kept.end(), images.begin()),
                        "%s: %s", target.c_str(), error.c_str());
            most_kept = std::max(most_kept, kept.size());
        }
        fail_unless(most_kept > 0 || contains(target, ".raw") || contains(target, ".edf") ||
                    contains(target, "%"));
        g_test_message("%s: killed %u times", target.c_str(), kills);
        if (contains(target, ".h5"))
            fail_unless(read_images(folder / target) == images);
        else
            fail_unless(bytes_of_files(folder) == bytes_of_files(whole), "%s", target.c_str());
    }
}
GST_END_TEST;

// Either all of the images, or those before the one that did not fit.
GST_START_TEST(test_no_room) {
    const Scratch folder;
    const auto images = random_images(40, GST_TOMO_FORMAT_FLOAT32, 200, 150); // 120000 bytes each
    const auto shape = images[0].info;
    std::signal(SIGXFSZ, SIG_DFL); // which would end the test
    for (const auto &target : targets()) {
        const auto path = folder / target;
        std::string error, said;
        {
            const SizeLimit limit(random_between(1500000, 2500000));
            const auto writer = open_writer(path);
            error = error_of([&] { write_all(*writer, images); });
            said = writer->abandon();
        }
        fail_unless(contains(error, "cannot write '" + partial_of(path)) && contains(error, "File too large"),
                    "%s", error.c_str());
        const auto kept = read_back(partial_of(path), shape);
        fail_unless(kept.size() > 5 &&
                    kept == Images(images.begin(), images.begin() + static_cast<long>(kept.size())));
        fail_unless(contains(said, tomo::text("%zu whole images", kept.size())), "%s", said.c_str());
        fail_unless(!std::filesystem::exists(file_of(path)));

        // Not one image: no file.
        {
            const SizeLimit limit(random_between(0, 110000));
            error = error_of_writing(folder / "none-" + target, images);
        }
        fail_unless(contains(error, "File too large"), "%s", error.c_str());
        fail_unless(!folder.has("none-" + file_of(target)) &&
                    !folder.has("none-" + file_of(partial_of(target))));
    }
}
GST_END_TEST;

GST_START_TEST(test_one_writer_at_a_time) {
    const Scratch folder;
    const auto images = random_images(2, GST_TOMO_FORMAT_UINT8, 5, 5);
    std::filesystem::create_directory_symlink(".", folder / "link");
    for (const auto &target : targets()) {
        const auto path = folder / target;
        const auto first = open_writer(path);
        auto error = error_of_writing(path, {});
        fail_unless(contains(error, "is being written by another element"), "%s", error.c_str());
        write_all(*first, images);
        // Another name of the same file, as another process may use it: known by the file's lock.
        error = error_of_writing(folder / ("link/" + target), images);
        fail_unless(contains(error, "is being written by another element or process"), "%s", error.c_str());
        write_all(*first, images);
        first->finish();
        fail_unless(read_back(path, images[0].info) == two(images, images), "%s", target.c_str());
    }
}
GST_END_TEST;

GST_START_TEST(test_refused) {
    const Scratch folder;
    const auto images = random_images(1, GST_TOMO_FORMAT_UINT8, 5, 5);
    const auto error = [&](const std::string &path, const WriteOptions &options = {}) {
        return error_of([&] { open_writer(path, options); });
    };
    fail_unless(contains(error(folder.path()), "it is a folder") &&
                contains(error(folder / "new.tif/"), "it is a folder"));
    fail_unless(contains(error(folder / "x.xyz"), "'.xyz'; the supported ones are .tif"));
    fail_unless(contains(error(folder / "x"), "no suffix"));
    folder.write("file", "x");
    for (const auto &target : targets()) {
        const auto said = error_of_writing(folder / "file/" + target, images);
        fail_unless(contains(said, "cannot") && contains(said, folder / "file"), "%s", said.c_str());
        fail_unless(contains(error_of_writing("/proc/none/" + target, images), "/proc/none"));
    }
    WriteOptions options;
    options.bits = 12;
    fail_unless(contains(error(folder / "x.raw", options), "bits is 12"));
    options.bits = 8;
    options.minimum = 2;
    options.maximum = 2;
    fail_unless(contains(error(folder / "x.raw", options), "minimum (2) must be less than maximum (2)"));
    options.maximum = NAN;
    fail_unless(contains(error(folder / "x.raw", options), "finite"));
    WriteOptions eight_bits;
    eight_bits.bits = 8;
    fail_unless(contains(error("", eight_bits), "standard output"));
    for (const auto &target : targets())
        if (!contains(target, ".tif") && !contains(target, ".edf")) {
            const auto mixed = two(images, random_images(1, GST_TOMO_FORMAT_UINT8, 5, 6));
            const auto said = error_of_writing(folder / target, mixed);
            fail_unless(contains(said, "uint8 5 x 6") && contains(said, "uint8 5 x 5"), "%s", said.c_str());
        } else {
            const auto mixed = two(images, random_images(1, GST_TOMO_FORMAT_FLOAT64, 3, 8));
            write_images(folder / target, mixed);
            fail_unless(read_images(folder / target) == mixed);
        }
#ifdef HAVE_HDF5
    fail_unless(contains(error(folder / "x.h5"), "x.h5:/entry/data/data"));
#else
    fail_unless(contains(error(folder / "x.h5:/x"), "no support for HDF5"));
#endif
#ifndef HAVE_TIFF
    fail_unless(contains(error(folder / "x.tif"), "no support for TIFF"));
#endif
}
GST_END_TEST;

GST_START_TEST(test_integers) {
    const Scratch folder;
    const unsigned width = 13, height = 11;
    std::vector<std::vector<float>> values(3, std::vector<float>(width * height));
    ValueRange all;
    Images images;
    for (std::size_t i = 0; i < values.size(); i++) {
        for (auto &value : values[i])
            value = std::normal_distribution<float>(static_cast<float>(i) * 5, 3)(randomness());
        values[i][0] = NAN;
        values[i][1] = INFINITY;
        values[i][2] = -INFINITY;
        images.push_back(image_of(GST_TOMO_FORMAT_FLOAT32, width, height, values[i]));
        all.include(images[i].info, images[i].data.data());
    }
    const auto expected = [&](double top, bool rescale, std::optional<double> minimum,
                              std::optional<double> maximum, bool per_image) {
        Images integers;
        for (const auto &image : values) {
            double low = INFINITY, high = -INFINITY;
            for (const auto &source : values)
                if (!per_image || &source == &image)
                    for (const double value : source)
                        if (std::isfinite(value))
                            low = std::min(low, value), high = std::max(high, value);
            low = minimum.value_or(low);
            high = maximum.value_or(high);
            std::vector<std::uint16_t> wide;
            for (const double value : image) {
                const double mapped = rescale ? (value - low) * (top / (high - low)) : value;
                wide.push_back(std::isnan(mapped) ? 0
                                                  : static_cast<std::uint16_t>(
                                                        std::clamp(std::floor(mapped + 0.5), 0.0, top)));
            }
            if (top > 255)
                integers.push_back(image_of(GST_TOMO_FORMAT_UINT16, width, height, wide));
            else
                integers.push_back(image_of(GST_TOMO_FORMAT_UINT8, width, height,
                                            std::vector<std::uint8_t>(wide.begin(), wide.end())));
        }
        return integers;
    };
    for (const auto &target : targets())
        for (const unsigned bits : {8u, 16u})
            for (int kind = 0; kind < 5; kind++) {
                WriteOptions options;
                options.bits = bits;
                options.rescale = kind != 1;
                if (kind == 2 || kind == 3)
                    options.minimum = -1.5;
                if (kind == 3)
                    options.maximum = 7.25;
                options.range_per_image = kind == 4;
                const auto result = expected(bits == 8 ? 255 : 65535, options.rescale, options.minimum,
                                             options.maximum, kind == 4);
                write_images(folder / target, images, options);
                fail_unless(read_back(folder / target, result[0].info) == result, "%s, %u bits, kind %d",
                            target.c_str(), bits, kind);
            }
    for (const auto &name : folder.files())
        fail_unless(!contains(name, "unscaled") && !contains(name, "partial"), "%s is left", name.c_str());

    // Given up before the range is known.
    WriteOptions options;
    options.bits = 8;
    for (const auto &target : targets()) {
        const auto writer = open_writer(folder / "stopped-" + target, options);
        write_all(*writer, images);
        fail_unless(contains(writer->abandon(), "3 whole images are kept in") &&
                    !folder.has(file_of("stopped-" + target)));
        // One value only, and values that are none.
        const std::vector<float> flat(6, 4.0f), none(6, NAN);
        for (const auto &same : {flat, none}) {
            write_images(folder / "flat-" + target, {image_of(GST_TOMO_FORMAT_FLOAT32, 3, 2, same)}, options);
            const Images zeros = {image_of(GST_TOMO_FORMAT_UINT8, 3, 2, std::vector<std::uint8_t>(6))};
            fail_unless(read_back(folder / "flat-" + target, zeros[0].info) == zeros);
        }
        fail_unless(contains(error_of_writing(folder / "complex-" + target,
                                              random_images(1, GST_TOMO_FORMAT_COMPLEX64, 2, 2), options),
                             "complex64 samples can't become integers"));
    }
}
GST_END_TEST;

// Every format's samples are taken for what they are.
GST_START_TEST(test_integers_of_all_formats) {
    const auto check = [](const Image &image) {
        std::uint8_t integers[4];
        GreyMapping{8, false, {}}.apply(image.info, image.data.data(), integers);
        const std::uint8_t expected[4] = {0, 1, 200, 255};
        fail_unless(std::memcmp(integers, expected, 4) == 0, "%s", image.info.describe().c_str());
        ValueRange range;
        range.include(image.info, image.data.data());
        fail_unless(range.minimum <= 0 && range.maximum >= 255);
    };
    check(image_of<std::uint8_t>(GST_TOMO_FORMAT_UINT8, 4, 1, {0, 1, 200, 255}));
    check(image_of<std::uint16_t>(GST_TOMO_FORMAT_UINT16, 4, 1, {0, 1, 200, 65535}));
    check(image_of<std::uint32_t>(GST_TOMO_FORMAT_UINT32, 4, 1, {0, 1, 200, 4294967295u}));
    check(image_of<std::int16_t>(GST_TOMO_FORMAT_INT16, 4, 1, {-5, 1, 200, 32767}));
    check(image_of<std::int32_t>(GST_TOMO_FORMAT_INT32, 4, 1, {-2147483647 - 1, 1, 200, 2147483647}));
    check(image_of<float>(GST_TOMO_FORMAT_FLOAT32, 4, 1, {-0.25f, 0.5f, 199.5f, 1e30f}));
    check(image_of<double>(GST_TOMO_FORMAT_FLOAT64, 4, 1, {-1e300, 1.25, 200.25, 1e300}));
    // binary16 of -2, 1, 200 and 65504
    check(image_of<std::uint16_t>(GST_TOMO_FORMAT_FLOAT16, 4, 1, {0xc000, 0x3c00, 0x5a40, 0x7bff}));
}
GST_END_TEST;

#ifdef HAVE_TIFF

// By libtiff, so that not only our reader understands it.
GST_START_TEST(test_tiff_tags) {
    const Scratch folder;
    for (const bool big : {true, false}) {
        const auto images = random_images(2, GST_TOMO_FORMAT_INT16, 1001, 301);
        WriteOptions options;
        options.big_tiff = big;
        write_images(folder / "tags.tif", images, options);
        const auto head = contents_of(folder / "tags.tif").substr(0, 4);
        fail_unless((head[2] | head[3]) == (big ? 43 : 42));
        const std::unique_ptr<TIFF, decltype(&TIFFClose)> tiff(TIFFOpen((folder / "tags.tif").c_str(), "r"),
                                                               TIFFClose);
        fail_unless(tiff && TIFFNumberOfDirectories(tiff.get()) == 2 && TIFFIsBigTIFF(tiff.get()) == big);
        for (const auto &image : images) {
            std::uint16_t bits = 0, format = 0, photometric = 9;
            std::uint32_t rows = 0;
            char *software = nullptr;
            fail_unless(TIFFGetField(tiff.get(), TIFFTAG_BITSPERSAMPLE, &bits) && bits == 16);
            fail_unless(TIFFGetField(tiff.get(), TIFFTAG_SAMPLEFORMAT, &format) &&
                        format == SAMPLEFORMAT_INT);
            fail_unless(TIFFGetField(tiff.get(), TIFFTAG_PHOTOMETRIC, &photometric) &&
                        photometric == PHOTOMETRIC_MINISBLACK);
            fail_unless(TIFFGetField(tiff.get(), TIFFTAG_ROWSPERSTRIP, &rows) && rows > 1 && rows < 301);
            fail_unless(TIFFGetField(tiff.get(), TIFFTAG_SOFTWARE, &software) &&
                        std::string(software) == "gst-tomo");
            std::vector<unsigned char> data;
            for (std::uint32_t strip = 0; strip < TIFFNumberOfStrips(tiff.get()); strip++) {
                std::vector<unsigned char> part(static_cast<std::size_t>(TIFFStripSize(tiff.get())));
                part.resize(
                    static_cast<std::size_t>(TIFFReadEncodedStrip(tiff.get(), strip, part.data(), -1)));
                data.insert(data.end(), part.begin(), part.end());
            }
            fail_unless(data == image.data);
            TIFFReadDirectory(tiff.get());
        }
    }
}
GST_END_TEST;

GST_START_TEST(test_tiff_continues_foreign_files) {
    const Scratch folder;
    for (const auto *mode : {"wl", "wb", "wl8", "wb8"}) {
        const auto first = random_images(1, GST_TOMO_FORMAT_UINT16, 5, 2);
        {
            const std::unique_ptr<TIFF, decltype(&TIFFClose)> tiff(
                TIFFOpen((folder / "other.tif").c_str(), mode), TIFFClose);
            TIFFSetField(tiff.get(), TIFFTAG_IMAGEWIDTH, 5);
            TIFFSetField(tiff.get(), TIFFTAG_IMAGELENGTH, 2);
            TIFFSetField(tiff.get(), TIFFTAG_BITSPERSAMPLE, 16);
            TIFFSetField(tiff.get(), TIFFTAG_COMPRESSION, COMPRESSION_LZW);
            TIFFSetField(tiff.get(), TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
            TIFFSetField(tiff.get(), TIFFTAG_ROWSPERSTRIP, 2);
            auto data = first[0].data;
            TIFFWriteEncodedStrip(tiff.get(), 0, data.data(), 20);
        }
        auto expected = first;
        WriteOptions append;
        append.append = true;
        for (const auto format : sample_formats) {
            const auto more = random_images(2, format, 7, 3);
            write_images(folder / "other.tif", more, append);
            expected = two(expected, more);
            if (format == GST_TOMO_FORMAT_COMPLEX64)
                for (auto i = expected.size() - 2; i < expected.size(); i++)
                    expected[i].info = expected[i].info.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(14, 3);
        }
        fail_unless(read_images(folder / "other.tif") == expected, "%s", mode);
    }
    folder.write("text.tif", "not an image, but somebody's text");
    WriteOptions append;
    append.append = true;
    const auto said =
        error_of_writing(folder / "text.tif", random_images(1, GST_TOMO_FORMAT_UINT8, 1, 1), append);
    fail_unless(contains(said, "text.tif' is not a TIFF file"), "%s", said.c_str());
    fail_unless(contents_of(folder / "text.tif") == "not an image, but somebody's text" &&
                !folder.has("text.tif.partial"));
}
GST_END_TEST;

// The error comes before anything is written.
GST_START_TEST(test_tiff_classic_limit) {
    const Scratch folder;
    WriteOptions classic;
    classic.big_tiff = false;
    const auto image = random_image(GST_TOMO_FORMAT_UINT8, 9, 9);
    const auto writer = open_writer(folder / "small.tif", classic);
    writer->write(image.info, image.data.data());
    const auto huge = tomo::ArrayInfo(GST_TOMO_FORMAT_UINT8, 1u << 16, (1u << 16) - 1);
    const auto said = error_of([&] { writer->write(huge, nullptr); }); // data are not touched
    fail_unless(contains(said, "4 GiB") && contains(said, "tiff-bigtiff=true"), "%s", said.c_str());
    fail_unless(contains(writer->abandon(), "1 whole image is kept"));
    fail_unless(read_back(folder / "small.tif.partial", image.info) == Images{image});
}
GST_END_TEST;

#endif // HAVE_TIFF

#ifdef HAVE_HDF5

GST_START_TEST(test_hdf5_layout) {
    const Scratch folder;
    const auto file = folder / "layout.h5";
    write_images(file + ":/a/b/data", random_images(3, GST_TOMO_FORMAT_COMPLEX64, 5, 4));
    const hid_t hdf5 = H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(hdf5, "/a/b/data", H5P_DEFAULT), space = H5Dget_space(dataset);
    const hid_t creation = H5Dget_create_plist(dataset), type = H5Dget_type(dataset);
    hsize_t shape[3], limits[3], chunk[3];
    fail_unless(H5Sget_simple_extent_dims(space, shape, limits) == 3 && shape[0] == 3 && shape[1] == 4 &&
                shape[2] == 5);
    fail_unless(limits[0] == H5S_UNLIMITED && H5Pget_chunk(creation, 3, chunk) == 3 && chunk[0] == 1 &&
                chunk[1] == 4 && chunk[2] == 5);
    fail_unless(H5Tget_class(type) == H5T_COMPOUND && H5Tget_member_index(type, "r") == 0 &&
                H5Tget_member_index(type, "i") == 1);
    for (const auto &[id, close] : {std::pair{type, &H5Tclose},
                                    {creation, &H5Pclose},
                                    {space, &H5Sclose},
                                    {dataset, &H5Dclose},
                                    {hdf5, &H5Fclose}})
        close(id);
}
GST_END_TEST;

// Only the dataset that is written changes, and that at the end.
GST_START_TEST(test_hdf5_in_place) {
    const Scratch folder;
    const auto file = folder / "scan.h5";
    const auto other = random_images(2, GST_TOMO_FORMAT_INT16, 4, 6),
               old = random_images(3, GST_TOMO_FORMAT_UINT8, 9, 2);
    const auto images = random_images(4, GST_TOMO_FORMAT_FLOAT64, 3, 5);
    write_images(file + ":/entry/other", other);
    write_images(file + ":/entry/data", old);
    {
        const auto writer = open_writer(file + ":/entry/data");
        write_all(*writer, images);
        const auto said = writer->abandon();
        fail_unless(said == "4 whole images are kept in '" + file + ":/entry/data.partial'", "%s",
                    said.c_str());
    }
    fail_unless(read_images(file + ":/entry/data") == old && read_images(file + ":/entry/other") == other);
    fail_unless(read_images(file + ":/entry/data.partial") == images);
    write_images(file + ":/entry/data", images);
    fail_unless(read_images(file + ":/entry/data") == images && read_images(file + ":/entry/other") == other);
    fail_unless(contains(error_of([&] { read_images(file + ":/entry/data.partial"); }), "there is no"));

    // Without a whole image, no trace: not of groups either.
    {
        const auto writer = open_writer(file + ":/new/groups/data");
        const SizeLimit limit(1000);
        fail_unless(contains(error_of([&] { write_all(*writer, images); }), "File too large"));
    }
    fail_unless(contains(error_of([&] { read_images(file + ":/new"); }), "there is no '/new'"));
    write_images(file + ":/new/groups/data", images);
    fail_unless(read_images(file + ":/new/groups/data") == images);

    const auto refused = [&](const std::string &dataset, const WriteOptions &options = {}) {
        return error_of_writing(file + ":" + dataset, images, options);
    };
    fail_unless(contains(refused("/entry"), "'/entry' is a group"));
    fail_unless(contains(refused("/entry/data/x"), "'/entry/data' is a dataset, so nothing can be inside"));
    fail_unless(contains(refused("/entry/data/x/y"), "'/entry/data' is a dataset, so nothing can be inside"));
    WriteOptions append;
    append.append = true;
    fail_unless(contains(refused("/entry/other", append), "int16 4 x 6"));
    fail_unless(read_images(file + ":/entry/other") == other);
    folder.write("text.h5", "not an image, but somebody's text");
    fail_unless(contains(error_of_writing(folder / "text.h5:/x", images), "is not an HDF5 file"));
    fail_unless(contents_of(folder / "text.h5") == "not an image, but somebody's text");
}
GST_END_TEST;

// Killed while the structure changes: what the journal says is done by the next one who opens the file.
GST_START_TEST(test_hdf5_journal) {
    const Scratch folder;
    const auto file = folder / "out.h5", journal = file + ".journal";
    const auto images = random_images(2, GST_TOMO_FORMAT_UINT16, 40, 30),
               more = random_images(90, GST_TOMO_FORMAT_UINT16, 40, 30);
    WriteOptions append;
    append.append = true;
    write_images(file + ":/data", images);
    const auto before = contents_of(file);
    write_images(file + ":/data", more, append);
    const auto after = contents_of(file);

    constexpr std::size_t page = 4096;
    const auto number = [](std::uint64_t value) {
        return std::string(reinterpret_cast<const char *>(&value), 8);
    };
    const auto write = [](const std::string &name, const std::string &bytes) {
        std::ofstream(name, std::ios::binary) << bytes;
    };
    std::string pages, old = after, half = after;
    unsigned changed = 0;
    for (std::size_t at = 0; at < before.size(); at += page) {
        const auto bytes = std::min(page, before.size() - at);
        if (before.compare(at, bytes, after, at, bytes) == 0)
            continue;
        auto content = after.substr(at, page);
        content.resize(page);
        pages += number(at) + content;
        old.replace(at, bytes, before, at, bytes);
        if (changed++ % 2 == 0)
            half.replace(at, bytes, before, at, bytes);
    }
    fail_unless(changed > 0);
    // As docs/journal-format.md says, on a host that is little endian.
    const auto journal_of = [&](std::uint64_t version, std::uint64_t file_size) {
        auto bytes = "TOMOJRNL" + number(version | std::uint64_t{page} << 32) + number(file_size) +
                     number(changed) + pages;
        std::uint64_t sum = 0xcbf29ce484222325;
        for (const unsigned char byte : bytes)
            sum = (sum ^ byte) * 0x100000001b3;
        return bytes + number(sum);
    };
    const auto record = journal_of(1, after.size());

    write(file, half);
    write(journal, record);
    fail_unless(read_images(file + ":/data") == two(images, more));
    fail_unless(!folder.has("out.h5.journal") && contents_of(file) == after);
    // Also by another name of the file.
    std::filesystem::create_directory(folder / "elsewhere");
    std::filesystem::create_symlink(file, folder / "elsewhere/link.h5");
    write(file, half);
    write(journal, record);
    fail_unless(read_images(folder / "elsewhere/link.h5:/data") == two(images, more));
    fail_unless(!folder.has("out.h5.journal") && contents_of(file) == after);
    // What an earlier file of the name left is none of a new one.
    write(folder / "new.h5.partial.journal", record);
    {
        const auto writer = open_writer(folder / "new.h5:/data");
        writer->write(images[0].info, images[0].data.data());
        fail_unless(!folder.has("new.h5.partial.journal"));
    }
    // Nor is that of a writer who is at work, and told to do without the library's locks.
    g_setenv("HDF5_USE_FILE_LOCKING", "FALSE", TRUE);
    {
        const auto writer = open_writer(file + ":/more");
        writer->write(images[0].info, images[0].data.data());
        write(journal, record);
        const auto child = fork();
        if (child == 0)
            _exit(error_of([&] { read_images(file + ":/data"); }).empty() && folder.has("out.h5.journal")
                      ? 0
                      : 1);
        int status = 0;
        fail_unless(waitpid(child, &status, 0) == child);
        fail_unless(WIFEXITED(status) && folder.has("out.h5.journal"));
        std::filesystem::remove(journal);
    }
    g_unsetenv("HDF5_USE_FILE_LOCKING");
    // One that is not whole was not used yet, and one of another file is none.
    auto changed_later = record;
    changed_later[changed_later.size() / 2] ^= 1;
    for (const auto &unusable :
         {record.substr(0, record.size() - 1), record.substr(0, 20), std::string(), changed_later,
          journal_of(1, after.size() + 1), journal_of(0, after.size())}) {
        write(file, old);
        write(journal, unusable);
        fail_unless(read_images(file + ":/data") == images);
        fail_unless(!folder.has("out.h5.journal") && contents_of(file) == old);
    }
    // One that a newer version wrote is refused, whatever follows the version; nothing changes.
    for (const auto &newer : {journal_of(2, after.size()), journal_of(7, 0).substr(0, 12)}) {
        write(file, half);
        write(journal, newer);
        for (const auto &error :
             {error_of([&] { read_images(file + ":/data"); }), error_of_writing(file + ":/more", images),
              error_of_writing(file + ":/data", more, append)}) {
            fail_unless(contains(error, "'" + journal + "'"), "%s", error.c_str());
            fail_unless(contains(error, "knows up to version 1") && contains(error, "the newer gst-tomo"),
                        "%s", error.c_str());
        }
        fail_unless(contents_of(file) == half && contents_of(journal) == newer);
    }
}
GST_END_TEST;

// Datasets of others: only those that can grow and have our types.
GST_START_TEST(test_hdf5_continues_foreign_datasets) {
    const Scratch folder;
    const auto file = folder / "other.h5";
    const auto first = random_images(3, GST_TOMO_FORMAT_UINT16, 8, 6),
               more = random_images(5, GST_TOMO_FORMAT_UINT16, 8, 6);
    {
        std::vector<unsigned char> all;
        for (const auto &image : first)
            all.insert(all.end(), image.data.begin(), image.data.end());
        const hid_t hdf5 = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        const auto add = [&](const char *name, hid_t type, bool grows, hsize_t images_of_chunk) {
            const hsize_t shape[] = {3, 6, 8}, limit[] = {H5S_UNLIMITED, 6, 8},
                          chunk[] = {images_of_chunk, 4, 8};
            const hid_t space = H5Screate_simple(3, shape, grows ? limit : nullptr),
                        creation = H5Pcreate(H5P_DATASET_CREATE);
            if (images_of_chunk) {
                H5Pset_chunk(creation, 3, chunk);
                H5Pset_deflate(creation, 2);
            }
            const hid_t dataset = H5Dcreate2(hdf5, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
            H5Dwrite(dataset, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data());
            H5Dclose(dataset);
            H5Pclose(creation);
            H5Sclose(space);
        };
        add("big", H5T_STD_U16BE, true, 2);
        add("little", H5T_STD_U16LE, true, 1);
        add("fixed", H5T_STD_U16LE, false, 0);
        add("bytes", H5T_STD_I8LE, true, 1);
        H5Fclose(hdf5);
    }
    WriteOptions append;
    append.append = true;
    for (const auto *name : {":/big", ":/little"}) {
        write_images(file + name, more, append);
        fail_unless(read_images(file + name) == two(first, more), "%s", name);
        write_all(*open_writer(file + name, append), more); // abandoned
        fail_unless(read_images(file + name) == two(first, more) &&
                        read_images(file + name + ".partial") == more,
                    "%s", name);
    }
    fail_unless(contains(error_of_writing(file + ":/fixed", more, append), "number of images is fixed"));
    fail_unless(contains(error_of_writing(file + ":/bytes", more, append),
                         "signed integers of 1 bytes, which no stream has"));
}
GST_END_TEST;

#endif // HAVE_HDF5

static Suite *image_writers_suite() {
    Suite *suite = suite_create("image-writers");
    TCase *cases = tcase_create("general");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 120);
    randomness();
    tcase_add_test(cases, test_round_trip);
    tcase_add_test(cases, test_planes_are_pages);
    tcase_add_test(cases, test_final_name_at_the_end);
    tcase_add_test(cases, test_link_stays);
    tcase_add_test(cases, test_patterns);
    tcase_add_test(cases, test_numbered_files);
    tcase_add_test(cases, test_append);
    tcase_add_test(cases, test_resume);
    tcase_add_test(cases, test_many_at_once);
    tcase_add_test(cases, test_one_of_many_fails);
    tcase_add_test(cases, test_special_files);
    tcase_add_test(cases, test_series_of_several_processes);
    tcase_add_test(cases, test_numbers_to_come);
    tcase_add_test(cases, test_folders_with_per_cent_signs);
    tcase_add_test(cases, test_older_files_of_a_series);
    tcase_add_test(cases, test_resume_of_integers);
    tcase_add_test(cases, test_killed_and_resumed);
    tcase_add_test(cases, test_no_room);
    tcase_add_test(cases, test_one_writer_at_a_time);
    tcase_add_test(cases, test_refused);
    tcase_add_test(cases, test_integers);
    tcase_add_test(cases, test_integers_of_all_formats);
#ifdef HAVE_TIFF
    tcase_add_test(cases, test_tiff_tags);
    tcase_add_test(cases, test_tiff_continues_foreign_files);
    tcase_add_test(cases, test_tiff_classic_limit);
#endif
#ifdef HAVE_HDF5
    tcase_add_test(cases, test_hdf5_layout);
    tcase_add_test(cases, test_hdf5_in_place);
    tcase_add_test(cases, test_hdf5_journal);
    tcase_add_test(cases, test_hdf5_continues_foreign_datasets);
#endif
    return suite;
}

GST_CHECK_MAIN(image_writers);
