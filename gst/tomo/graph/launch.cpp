// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Launch lines: gst-launch's grammar and, on top of it, names of tasks, values as UFO writes them, and UFO's
// brackets: "[ a, b ! c ] ! d" connects a and c to the inputs 0 and 1 of d. Translated into a line for
// gst_parse_launch().
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/graph/ports.hpp>

#include <algorithm>
#include <regex>
#include <set>

namespace tomo {

namespace {

enum class Kind { word, link, open, close, comma };

struct Token {
    Kind kind;
    std::string text;
};

// Words of a line: at blanks outside of quotes, which stay, as do backslashes.
std::vector<std::string> split_line(const std::string &line) {
    std::vector<std::string> words;
    std::string word;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); i++) {
        const char c = line[i];
        if (c == '\\' && i + 1 < line.size()) {
            word += c;
            word += line[++i];
            continue;
        }
        if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? 0 : c;
        if (!quote && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            if (!word.empty())
                words.push_back(std::exchange(word, {}));
            continue;
        }
        word += c;
    }
    if (quote)
        graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, text("a quotation mark %c has no end", quote));
    if (!word.empty())
        words.push_back(word);
    return words;
}

// A shell has taken its quotes away: blanks that are left belong to the word.
std::string protect_blanks(const std::string &word) {
    std::string result;
    bool in_quotes = false;
    for (std::size_t i = 0; i < word.size(); i++) {
        if (word[i] == '"' && (i == 0 || word[i - 1] != '\\'))
            in_quotes = !in_quotes;
        if (word[i] == ' ' && !in_quotes)
            result += '\\';
        result += word[i];
    }
    return result;
}

// What gst_parse_launch() makes of a value.
std::string unquoted(std::string value) {
    if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
        value = value.substr(1, value.size() - 2);
    std::string result;
    bool in_quotes = false;
    for (std::size_t i = 0; i < value.size(); i++) {
        if (value[i] == '\\' && !in_quotes) {
            if (++i == value.size())
                break;
        } else if (value[i] == '"' && (!in_quotes || value[i - 1] != '\\')) {
            in_quotes = !in_quotes;
        }
        result += value[i];
    }
    return result;
}

std::string quoted(const std::string &value) {
    std::string result = "\"";
    for (char c : value) {
        if (c == '"' || c == '\\')
            result += '\\';
        result += c;
    }
    return result + "\"";
}

// More closing brackets than opening ones.
bool closes(const std::string &word) {
    return std::count(word.begin(), word.end(), ']') > std::count(word.begin(), word.end(), '[');
}

// Brackets are UFO's as the first or last character of a word, commas only inside of brackets and in front of
// a blank; everywhere else they belong to caps and values.
std::vector<Token> tokens_of(const std::vector<std::string> &words) {
    std::vector<Token> tokens;
    int depth = 0;
    for (std::string word : words) {
        while (!word.empty() && word[0] == '[') {
            tokens.push_back({Kind::open, "["});
            word.erase(0, 1);
            depth++;
        }
        std::vector<Token> behind;
        while (!word.empty() && depth > 0) {
            if (word.back() == ',') {
                behind.push_back({Kind::comma, ","});
            } else if (word.back() == ']' && closes(word)) {
                behind.push_back({Kind::close, "]"});
                depth--;
            } else {
                break;
            }
            word.pop_back();
        }
        if (word == "!")
            tokens.push_back({Kind::link, word});
        else if (word == "]")
            graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, "a ']' closes nothing");
        else if (!word.empty())
            tokens.push_back({Kind::word, word});
        tokens.insert(tokens.end(), behind.rbegin(), behind.rend());
    }
    if (depth > 0)
        graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, "a '[' is not closed");
    return tokens;
}

bool is_name(const std::string &word) {
    return !word.empty() && std::all_of(word.begin(), word.end(),
                                        [](char c) { return g_ascii_isalnum(c) || c == '-' || c == '_'; });
}

// "key=value" or nothing; caps have a slash in front of the first equals sign.
std::optional<std::pair<std::string, std::string>> property_of(const std::string &word) {
    const auto at = word.find('=');
    if (at == std::string::npos || at == 0)
        return {};
    const std::string key = word.substr(0, at);
    for (char c : key)
        if (!g_ascii_isalnum(c) && c != '-' && c != '_' && c != ':')
            return {};
    return std::pair(key, word.substr(at + 1));
}

class Translator {
  public:
    explicit Translator(std::vector<Token> tokens) : tokens_(std::move(tokens)) {
        for (const auto &token : tokens_)
            if (const auto property = property_of(token.text); property && property->first == "name")
                if (const std::string name = unquoted(property->second); !names_.insert(name).second)
                    graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE, "two elements are named '" + name + "'");
    }

    std::string line() {
        chain();
        if (!at_end())
            graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, "unexpected '" + peek().text + "'" + place());
        std::string all;
        for (const auto &word : out_)
            all += (all.empty() ? "" : " ") + word;
        return all;
    }

  private:
    bool at_end() const { return next_ == tokens_.size(); }
    const Token &peek() const { return tokens_[next_]; }
    bool is_next(Kind kind) const { return !at_end() && peek().kind == kind; }

    std::string place() const {
        return next_ > 0 ? " behind '" + tokens_[next_ - 1].text + "'" : " at the beginning";
    }

    // Up to the end of its branch.
    void chain() {
        if (at_end() || is_next(Kind::close) || is_next(Kind::comma) || is_next(Kind::link))
            graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, "a task is missing" + place());
        while (!at_end() && !is_next(Kind::close) && !is_next(Kind::comma)) {
            if (is_next(Kind::open)) {
                group();
            } else if (is_next(Kind::link)) {
                out_.push_back("!");
                next_++;
                if (at_end() || is_next(Kind::link) || is_next(Kind::close) || is_next(Kind::comma))
                    graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, "a task is missing" + place());
                if (is_next(Kind::open))
                    graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX,
                                "a '[' can't stand behind a '!': brackets hold the inputs of the task that "
                                "follows them. For several consumers of one output use a tee");
            } else {
                word();
            }
        }
    }

    // "[ a, b ] ! c": the branches first, each linked to c by name, then c itself.
    void group() {
        next_++;
        std::vector<std::vector<std::string>> branches;
        while (true) {
            const auto outside = std::exchange(out_, {});
            chain();
            branches.push_back(std::exchange(out_, outside));
            if (at_end())
                graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, "a '[' is not closed");
            const bool ends = is_next(Kind::close);
            next_++;
            if (ends)
                break;
        }
        if (!is_next(Kind::link))
            graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX,
                        "behind ']' there must be '!' and a task that takes the inputs");
        next_++;
        if (!is_next(Kind::word) || !is_name(peek().text))
            graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX,
                        "behind '] !' there must be a task that takes the inputs");
        const std::string plugin = peek().text;
        const std::string name = name_at(next_);

        const auto element =
            ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(make_element_of(plugin, plugin))));
        for (std::size_t i = 0; i < branches.size(); i++) {
            out_.insert(out_.end(), branches[i].begin(), branches[i].end());
            out_.push_back("!");
            out_.push_back(name + "." + input_pad(element.get(), i));
        }
        word();
    }

    // The name of the element whose word that is: as given behind it, else that of the task, and a number if
    // that is taken.
    std::string name_at(std::size_t word) {
        for (std::size_t i = word + 1; i < tokens_.size() && tokens_[i].kind == Kind::word; i++) {
            const auto property = property_of(tokens_[i].text);
            if (!property)
                break;
            if (property->first == "name")
                return unquoted(property->second);
        }
        auto &name = given_[word];
        const std::string &plugin = tokens_[word].text;
        for (unsigned i = 0; name.empty() || names_.count(name); i++)
            name = i ? text("%s-%u", plugin.c_str(), i) : plugin;
        return name;
    }

    void word() {
        const std::size_t at = next_++;
        const std::string written = tokens_[at].text;
        if (is_name(written)) {
            const auto factory = require_factory(written);
            element_ = ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(make_element_of(written, ""))));
            plugin_ = written;
            require_node(element_.get());
            out_.emplace_back(gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory.get())));
            if (const std::string name = name_at(at); names_.insert(name).second)
                out_.push_back("name=" + quoted(name));
            return;
        }
        const auto property = property_of(written);
        // Properties of pads and children are the parser's.
        const bool is_own =
            property && property->first.find("::") == std::string::npos && property->first != "name";
        if (!property)
            element_ = {};
        out_.push_back(element_ && is_own ? checked(property->first, property->second) : written);
    }

    // GStreamer's parser would clip numbers or leave them out with a line in the log.
    std::string checked(const std::string &key, const std::string &written) const {
        try {
            GParamSpec *spec = require_property(element_.get(), key);
            const Value value = value_from_text(spec, unquoted(written));
            const GType type = G_PARAM_SPEC_VALUE_TYPE(spec);
            if (type != G_TYPE_STRING && (G_TYPE_IS_FUNDAMENTAL(type) || type == GST_TYPE_ARRAY))
                return key + "=" + quoted(CString(gst_value_serialize(value.get())).get());
            if (G_TYPE_IS_ENUM(type)) {
                const auto *klass = G_PARAM_SPEC_ENUM(spec)->enum_class;
                return key + "=" +
                       g_enum_get_value(const_cast<GEnumClass *>(klass), g_value_get_enum(value.get()))
                           ->value_nick;
            }
            if (type == G_TYPE_STRING)
                return key + "=" + quoted(unquoted(written));
            return key + "=" + written;
        } catch (const Error &e) {
            const std::string message = e.what(), known = "'" + plugin_ + "'";
            const bool is_named = message.compare(0, known.size(), known) == 0;
            throw Error(e.domain, e.code, is_named ? message : plugin_ + ": " + message);
        }
    }

    std::vector<Token> tokens_;
    std::size_t next_ = 0;
    std::vector<std::string> out_;
    std::set<std::string> names_;              // that are taken
    std::map<std::size_t, std::string> given_; // by the word of the element
    ObjectRef<GstElement> element_;            // of the last task, for its properties
    std::string plugin_;
};

} // namespace

// What the two elements of "could not link a to b" lack; the pipeline is as far as it could be made.
static std::string advice_for(const std::string &problem, const std::string &line) {
    static const std::regex sentence("could not link ([^ :]+)(?::\\S+)? to ([^ :,]+)");
    std::smatch found;
    if (!std::regex_search(problem, found, sentence))
        return {};
    const ObjectRef<GstElement> parsed(gst_parse_launch(line.c_str(), nullptr));
    if (!GST_IS_BIN(parsed.get()))
        return {};
    const ObjectRef<GstElement> from(gst_bin_get_by_name(GST_BIN(parsed.get()), found[1].str().c_str())),
        to(gst_bin_get_by_name(GST_BIN(parsed.get()), found[2].str().c_str()));
    const auto caps_of = [](GstElement *element, GstPadDirection direction) {
        CapsRef all(gst_caps_new_empty());
        for (GList *i = gst_element_get_pad_template_list(element); i; i = i->next)
            if (GST_PAD_TEMPLATE_DIRECTION(i->data) == direction)
                all = CapsRef(
                    gst_caps_merge(all.release(), gst_pad_template_get_caps(GST_PAD_TEMPLATE(i->data))));
        return all;
    };
    if (!from || !to)
        return {};
    const CapsRef given = caps_of(from.get(), GST_PAD_SRC), taken = caps_of(to.get(), GST_PAD_SINK);
    return text("; the first one gives %s, the second one takes %s%s", describe_caps(given.get()).c_str(),
                describe_caps(taken.get()).c_str(), link_advice(given.get(), taken.get()).c_str());
}

static std::unique_ptr<Graph> from_parts(const std::vector<std::string> &words) {
    const std::string line = Translator(tokens_of(words)).line();
    GError *raw = nullptr;
    GstElement *parsed = gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw);
    const ObjectRef<GstElement> owned(parsed ? GST_ELEMENT(gst_object_ref_sink(parsed)) : nullptr);
    if (raw) {
        const std::unique_ptr<GError, decltype(&g_error_free)> error(raw, g_error_free);
        graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, error->message + advice_for(error->message, line));
    }
    if (GST_IS_PIPELINE(parsed))
        return Graph::from_pipeline(parsed);
    const ObjectRef<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
    gst_bin_add(GST_BIN(pipeline.get()), parsed);
    return Graph::from_pipeline(pipeline.get());
}

std::unique_ptr<Graph> Graph::from_line(const std::string &line) { return from_parts(split_line(line)); }

std::unique_ptr<Graph> Graph::from_words(std::vector<std::string> words) {
    if (words.size() == 1)
        return from_line(words.front());
    for (auto &word : words)
        word = protect_blanks(word);
    return from_parts(words);
}

} // namespace tomo
