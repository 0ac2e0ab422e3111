// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "options.hpp"

#include "../graph-program.hpp"

#include <gst/tomo/graph/names.hpp>

#include <algorithm>
#include <map>

namespace reconstruct {

const std::vector<Command> commands = {
    {"init", "Write a configuration with all parameters: reco.conf, or the file of --config"},
    {"run", "Reconstruct by a configuration: reco.conf, or the file of --config"},
    {"tomo", "Reconstruct; a reco.conf in this folder counts"},
    {"info", "Tell what the scan is, and what is wrong with it"},
    {"estimate", "Find the rotation axis, and tell it"},
    {"sinos", "Write corrected sinograms"},
    {"flatcorrect", "Write corrected projections"},
    {"sweep", "Make the middle slice for several values: --parameter axis=300:320:0.5"},
    {"lamino", "Reconstruct with a tilted axis: --axis-angle-x=30"},
    {"reco", "The same as tomo, by the name that tofu has for cone beams and other geometries"},
    {"preprocess", ""},
    {"perf", ""},
    {"find-large-spots", ""},
    {"inpaint", ""},
};

namespace {

const Json &schema() {
    static const Json json = [] {
        const tool::Owned<gchar> text(gst_tomo_reconstruction_get_schema());
        return Json::parse(text.get(), "schema");
    }();
    return json;
}

const Json *parameter(const std::string &name) { return schema().find("properties")->find(name); }

const std::map<std::string, ProgressAs> &progress_words() {
    static const std::map<std::string, ProgressAs> words = {{"bar", ProgressAs::bar},
                                                            {"lines", ProgressAs::lines},
                                                            {"json", ProgressAs::json},
                                                            {"none", ProgressAs::none}};
    return words;
}

struct OwnOption {
    const char *name, *value, *summary;
    void (*set)(Options &, const std::string &);
};

const std::vector<OwnOption> own_options = {
    {"config", "FILE", "Read parameters from a configuration; options win over it",
     [](Options &o, const std::string &value) { o.configuration = value; }},
    {"parameter", "NAME=VALUES", "What sweep goes through: FROM:TO:STEP, or values with commas between them",
     [](Options &o, const std::string &value) { o.parameters.emplace_back("sweep", value); }},
    {"dry-run", "", "Print the lines that would run, or with --json the whole plan, and run nothing",
     [](Options &o, const std::string &) { o.dry_run = true; }},
    {"json", "", "Results as JSON: of info, estimate, --dry-run",
     [](Options &o, const std::string &) { o.json = true; }},
    {"progress", "bar|lines|json|none",
     "How progress is told; json: one object per line on standard output, for programs",
     [](Options &o, const std::string &value) {
         const auto found = progress_words().find(value);
         if (found == progress_words().end())
             throw Usage("--progress does not take '" + value + "'; wanted bar, lines, json or none");
         o.progress = found->second;
     }},
    {"serve", "",
     "Run the configurations that commands on standard input bring, until it ends; with --progress json",
     [](Options &o, const std::string &) { o.serve = true; }},
    {"help", "", "Print this", [](Options &o, const std::string &) { o.help = true; }},
    {"help-all", "", "Print this with all parameters",
     [](Options &o, const std::string &) { o.help = o.help_all = true; }},
    {"version", "", "Print the version", [](Options &o, const std::string &) { o.version = true; }},
    {"describe", nullptr, "", [](Options &o, const std::string &) { o.describe = true; }},
};

const OwnOption *own_option(const std::string &name) {
    const auto found = std::find_if(own_options.begin(), own_options.end(),
                                    [&](const auto &option) { return name == option.name; });
    return found == own_options.end() ? nullptr : &*found;
}

std::vector<std::string> option_names() {
    std::vector<std::string> names;
    for (const auto &option : own_options)
        if (option.value)
            names.push_back(std::string("--") + option.name);
    for (const auto &member : schema().find("properties")->members())
        names.push_back("--" + member.key);
    return names;
}

bool is_choice(const Json &described, const std::string &word) {
    const Json *words = described.find("enum");
    return words && std::any_of(words->items().begin(), words->items().end(),
                                [&](const Json &choice) { return choice.text() == word; });
}

// Of which a shell makes many words, where a pattern has no quotation marks.
bool is_image(const std::string &word) {
    const auto dot = word.rfind('.');
    const tool::Owned<gchar> suffix(g_ascii_strdown(dot == std::string::npos ? "" : word.c_str() + dot, -1));
    const std::vector<std::string> images = {".tif", ".tiff", ".edf", ".png", ".jpg", ".raw"};
    return std::find(images.begin(), images.end(), suffix.get()) != images.end();
}

class Reader {
  public:
    explicit Reader(const std::vector<std::string> &words) : words_(words) {}

    Options read() {
        bool only_files = false;
        while (next_ < words_.size()) {
            const auto word = words_[next_++];
            if (only_files || word.size() < 2 || word[0] != '-')
                take_word(word);
            else if (word == "--")
                only_files = true;
            else if (word == "-h")
                options_.help = true;
            else if (word == "-o")
                options_.parameters.emplace_back("output", value_of("-o"));
            else
                take_option(word);
        }
        return std::move(options_);
    }

  private:
    void take_word(const std::string &word) {
        if (word.empty()) // or one scan fewer would be reconstructed than were meant
            throw Usage(
                "an empty word names no scan; it may come from a variable of the shell that is not set");
        const bool is_first = options_.command.empty() && options_.scan.empty();
        if (is_first && std::any_of(commands.begin(), commands.end(),
                                    [&](const Command &command) { return word == command.name; })) {
            options_.command = word;
            return;
        }
        if (options_.command.empty())
            check_is_scan(options_.scan);
        if (options_.scan.empty()) {
            options_.scan = word;
            return;
        }
        if (is_image(word))
            throw Usage("'" + options_.scan + "' and '" + word +
                        "' are images; a folder or a pattern in quotation marks names a scan of them");
        if (word.find(',') != std::string::npos)
            throw Usage("'" + word + "' is a further scan, and their names can have no comma");
        if (!options_.stitch.empty())
            options_.stitch += ",";
        options_.stitch += word;
    }

    void take_option(const std::string &word) {
        const auto equals = word.find('=');
        has_value_ = equals != std::string::npos;
        value_ = has_value_ ? word.substr(equals + 1) : "";
        const auto written = word.substr(0, equals),
                   name = written.substr(std::min<std::size_t>(2, written.size()));
        if (written.compare(0, 2, "--") != 0)
            unknown(written);
        if (const auto *own = own_option(name)) {
            const bool takes_value = own->value && *own->value;
            if (!takes_value && has_value_)
                throw Usage(written + " takes no value");
            own->set(options_, takes_value ? value_of(written) : "");
        } else if (const auto *described = parameter(name)) {
            options_.parameters.emplace_back(name, value_for(*described, written));
        } else if (const auto *negated = name.compare(0, 3, "no-") == 0 ? parameter(name.substr(3)) : nullptr;
                   negated && !has_value_ && can_be_off(*negated)) {
            options_.parameters.emplace_back(name.substr(3), is_choice(*negated, "off") ? "off" : "false");
        } else {
            unknown(written);
        }
    }

    [[noreturn]] void unknown(const std::string &written) {
        throw Usage("there is no option " + written + tomo::suggestion(written, option_names()));
    }

    static bool can_be_off(const Json &described) {
        return described.text_of("type") == "boolean" || is_choice(described, "off");
    }

    std::string value_of(const std::string &option) {
        if (has_value_)
            return value_;
        if (next_ == words_.size())
            throw Usage(option + " wants a value");
        return words_[next_++];
    }

    // What can be on or off needs no value.
    std::string value_for(const Json &described, const std::string &option) {
        const bool is_flag = described.text_of("type") == "boolean";
        if (has_value_ || !(is_flag || is_choice(described, "on")))
            return value_of(option);
        if (!is_flag && next_ < words_.size() && is_choice(described, words_[next_]))
            return words_[next_++];
        return is_flag ? "true" : "on";
    }

    const std::vector<std::string> &words_;
    std::size_t next_ = 0;
    bool has_value_ = false; // of the option that is read
    std::string value_;
    Options options_;
};

// Words in lines, each as far in as the first one begins.
std::string folded(const std::string &text, std::size_t indent, std::size_t at) {
    constexpr std::size_t width = 100;
    std::string out;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const auto end = std::min(text.find(' ', begin), text.size());
        const auto word = text.substr(begin, end - begin);
        if (at + word.size() + 1 > width && at > indent) {
            out += "\n" + std::string(indent, ' ');
            at = indent;
        } else if (begin > 0) {
            out += " ";
            at++;
        }
        out += word;
        at += word.size();
        begin = end + 1;
    }
    return out;
}

std::string entry(const std::string &name, const std::string &about) {
    constexpr std::size_t indent = 34;
    std::string line = "  " + name;
    if (line.size() + 2 > indent)
        line += "\n" + std::string(indent, ' ');
    else
        line.resize(indent, ' ');
    return line + folded(about, indent, indent) + "\n";
}

std::string value_of(const Json &about) {
    std::string value;
    if (const Json *words = about.find("enum")) {
        for (const auto &word : words->items())
            value += (value.empty() ? "" : "|") + word.text();
    } else if (const auto &type = about.text_of("type"); type != "boolean") {
        const auto &unit = about.text_of("x-unit");
        value = !unit.empty() ? unit : type == "string" ? "TEXT" : type == "integer" ? "N" : "NUMBER";
    }
    return value;
}

// With its default.
std::string text_of(const std::string &name, const Json &about) {
    std::string text = about.text_of("description");
    if (const auto &automatic = about.text_of("x-automatic"); !automatic.empty())
        text += " (default: " + automatic + ")";
    else if (const Json *initial = about.find("default"); initial && about.text_of("type") != "boolean")
        text += initial->text().empty() ? "" : " (default: " + initial->text() + ")";
    else if (initial && initial->is_true())
        text += " (default: yes; --no-" + name + ")";
    return text;
}

constexpr char usage[] = "[COMMAND] [SCAN...] [OPTION...]";
constexpr char about_program[] =
    "From a scan to a volume. SCAN is an HDF5 file (NXtomo, Data Exchange), a folder of "
    "images, or a pattern such as 'scan/*.tif'. Without a command the whole is done: the "
    "scan is inspected, its axis found if it does not tell it, and its slices written. Several "
    "scans are heights of one sample, which become one volume.";

} // namespace

void check_is_scan(const std::string &word) {
    if (word.empty() || word.find_first_of("/.*?[") != std::string::npos ||
        g_file_test(word.c_str(), G_FILE_TEST_EXISTS))
        return;
    std::vector<std::string> names;
    for (const auto &command : commands)
        names.emplace_back(command.name);
    throw Usage("'" + word + "' is neither a command nor a file" + tomo::suggestion(word, names));
}

Options read_options(const std::vector<std::string> &words) { return Reader(words).read(); }

void apply(const Options &options, GstTomoReconstruction *reconstruction) {
    const auto check = [](bool good, GError *error, const std::string &where) {
        if (!good) {
            const tool::Owned<GError> owned(error);
            throw Usage(where + owned->message);
        }
    };
    GError *error = nullptr;
    if (!options.configuration.empty()) {
        const bool good =
            gst_tomo_reconstruction_load_configuration(reconstruction, options.configuration.c_str(), &error);
        check(good, error, "");
    }
    const auto set = [&](const std::string &name, const std::string &value) {
        const bool good =
            gst_tomo_reconstruction_set_parameter(reconstruction, name.c_str(), value.c_str(), &error);
        check(good, error, "--" + name + ": ");
    };
    for (const auto &[name, value] : options.parameters)
        set(name, value);
    if (options.scan.empty())
        return;
    // It takes the place of what a configuration names.
    for (const char *other : {"projections", "sinograms"})
        if (std::none_of(options.parameters.begin(), options.parameters.end(),
                         [&](const auto &given) { return given.first == other; }))
            set(other, "");
    set("scan", options.scan);
    if (!options.stitch.empty())
        set("stitch", options.stitch);
}

std::string help_text(const std::string &program, bool all) {
    std::string out =
        "Usage: " + program + " " + usage + "\n\n" + folded(about_program, 0, 0) + "\n\nCommands:\n";
    std::string later;
    for (const auto &command : commands)
        if (*command.summary)
            out += entry(command.name, command.summary);
        else
            later += (later.empty() ? "" : ", ") + std::string(command.name);
    out += entry("later", later) + "\nOptions:\n";
    for (const auto &option : own_options)
        if (option.value)
            out += entry(std::string("--") + option.name + (*option.value ? "=" : "") + option.value,
                         option.summary);
    std::string section;
    for (const auto &[name, about, place] : schema().find("properties")->members()) {
        if (!all && about.text_of("x-level") == "advanced")
            continue;
        if (about.text_of("x-section") != section) {
            section = about.text_of("x-section");
            out += "\n[" + section + "]\n";
        }
        const auto value = value_of(about);
        out += entry("--" + name + (value.empty() ? "" : "=" + value), text_of(name, about));
    }
    return out;
}

Json described(const std::string &program) {
    auto all = tool::described_program(program, usage, about_program);
    auto offered = Json::list(), sections = Json::list(), options = Json::list();
    for (const auto &command : commands)
        if (*command.summary)
            offered.add(tool::described_command(command.name, command.summary));
    std::string title = "Options";
    const auto end_section = [&] {
        auto section = tool::described_section(title);
        section.set("options", std::exchange(options, Json::list()));
        sections.add(std::move(section));
    };
    for (const auto &option : own_options)
        if (option.value)
            options.add(
                tool::described_option({std::string("--") + option.name}, option.value, option.summary));
    for (const auto &[name, about, place] : schema().find("properties")->members()) {
        if (about.text_of("x-section") != title) {
            end_section();
            title = about.text_of("x-section");
        }
        options.add(tool::described_option({"--" + name}, value_of(about), text_of(name, about)));
    }
    end_section();
    all.set("commands", std::move(offered));
    all.set("sections", std::move(sections));
    return all;
}

} // namespace reconstruct
