// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/json.hpp>

#include <gst/tomo/gsttomograph.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <set>
#include <tuple>

namespace tomo {

namespace {

constexpr int max_depth = 64; // reading and writing are recursive

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class Number>
std::string digits_of(Number value) {
    char digits[64];
    std::string shown(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    // Whoever reads it sees that it is no integer.
    if (std::is_floating_point_v<Number> && shown.find_first_of(".e") == std::string::npos)
        shown += ".0";
    return shown;
}

} // namespace

// Values
// -----------------------------------------------------------------------------------------------------

Json Json::boolean(bool value) {
    Json made;
    made.kind_ = Kind::boolean;
    made.text_ = value ? "true" : "false";
    return made;
}

Json Json::integer(gint64 value) {
    Json made;
    made.kind_ = Kind::number;
    made.text_ = digits_of(value);
    return made;
}

Json Json::integer(guint64 value) {
    Json made;
    made.kind_ = Kind::number;
    made.text_ = digits_of(value);
    return made;
}

template <class Number>
static std::pair<Json::Kind, std::string> floating(Number value) {
    if (std::isnan(value))
        return {Json::Kind::text, "nan"};
    if (std::isinf(value))
        return {Json::Kind::text, value > 0 ? "inf" : "-inf"};
    return {Json::Kind::number, digits_of(value)};
}

Json Json::number(double value) {
    Json made;
    std::tie(made.kind_, made.text_) = floating(value);
    return made;
}

Json Json::number(float value) {
    Json made;
    std::tie(made.kind_, made.text_) = floating(value);
    return made;
}

Json Json::text(std::string value) {
    Json made;
    made.kind_ = Kind::text;
    made.text_ = std::move(value);
    return made;
}

Json Json::list() {
    Json made;
    made.kind_ = Kind::list;
    return made;
}

Json Json::object() {
    Json made;
    made.kind_ = Kind::object;
    return made;
}

bool Json::is_integer() const {
    return kind_ == Kind::number && text_.find_first_of(".eE") == std::string::npos;
}

const Json *Json::find(const std::string &key) const {
    const auto found =
        std::find_if(members_.begin(), members_.end(), [&](const Member &m) { return m.key == key; });
    return found == members_.end() ? nullptr : &found->value;
}

const std::string &Json::text_of(const std::string &key) const {
    static const std::string nothing;
    const Json *found = find(key);
    return found && found->is(Kind::text) ? found->text_ : nothing;
}

Json::Place Json::place(const std::string &key) const {
    const auto found =
        std::find_if(members_.begin(), members_.end(), [&](const Member &m) { return m.key == key; });
    return found == members_.end() ? place_ : found->place;
}

void Json::add(Json item) { items_.push_back(std::move(item)); }

void Json::set(const std::string &key, Json value) { members_.push_back({key, std::move(value), {}}); }

// Writing
// ----------------------------------------------------------------------------------------------------

std::string json_string(const std::string &text) {
    std::string json = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            json += '\\';
            json += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
            json += escaped;
        } else {
            json += c;
        }
    }
    return json + '"';
}

std::string Json::written(bool in_lines) const {
    std::string out;
    write(out, in_lines ? 0 : -1);
    return out;
}

// `indent` is negative where all stands in one line.
void Json::write(std::string &out, int indent) const {
    const bool is_object = kind_ == Kind::object;
    switch (kind_) {
    case Kind::null:
        out += "null";
        return;
    case Kind::boolean:
    case Kind::number:
        out += text_;
        return;
    case Kind::text:
        out += json_string(text_);
        return;
    case Kind::list:
    case Kind::object:
        break;
    }
    // Lists of numbers stay in one line.
    const bool is_flat = !is_object && std::all_of(items_.begin(), items_.end(), [](const Json &item) {
        return item.kind_ != Kind::object && item.kind_ != Kind::list;
    });
    const int inner = indent < 0 || is_flat ? -1 : indent + 2;
    const std::size_t count = is_object ? members_.size() : items_.size();
    out += is_object ? '{' : '[';
    for (std::size_t i = 0; i < count; i++) {
        if (inner >= 0)
            out += (i ? ",\n" : "\n") + std::string(static_cast<std::size_t>(inner), ' ');
        else if (i)
            out += indent >= 0 ? ", " : ",";
        if (is_object)
            out += json_string(members_[i].key) + (indent < 0 ? ":" : ": ");
        (is_object ? members_[i].value : items_[i]).write(out, inner);
    }
    if (inner >= 0 && count > 0)
        out += "\n" + std::string(static_cast<std::size_t>(indent), ' ');
    out += is_object ? '}' : ']';
}

// Reading
// ----------------------------------------------------------------------------------------------------

class JsonParser {
  public:
    JsonParser(const std::string &json, const std::string &origin) : json_(json), origin_(origin) {}

    Json document() {
        if (json_.compare(0, 3, "\xef\xbb\xbf") == 0) // a mark that some editors write
            at_ = line_begin_ = 3;
        check_encoding();
        skip_blanks();
        if (ends())
            fail("the file is empty");
        Json value = this->value(0);
        skip_blanks();
        if (!ends())
            fail("there is more behind the end of the document: " + shown());
        return value;
    }

  private:
    [[noreturn]] void fail(const std::string &message) const { fail(message, place()); }
    [[noreturn]] void fail(const std::string &message, Json::Place place) const {
        throw Error(
            GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_SYNTAX,
            text("%s:%u:%u: no JSON: %s", origin_.c_str(), place.line, place.column, message.c_str()));
    }

    void check_encoding() {
        const char *wrong = nullptr;
        if (g_utf8_validate_len(json_.data() + at_, json_.size() - at_, &wrong))
            return;
        const std::size_t target = wrong - json_.data();
        for (; at_ < target; at_++)
            count_line();
        if (json_[at_] == 0)
            fail("a byte of 0; wanted text in UTF-8");
        fail(text("byte 0x%02x is no UTF-8", static_cast<unsigned char>(json_[at_])));
    }

    bool ends() const { return at_ == json_.size(); }
    char next() const { return ends() ? '\0' : json_[at_]; }

    void count_line() {
        if (json_[at_] == '\n') {
            line_++;
            line_begin_ = at_ + 1;
        }
    }

    // Columns are characters. They are counted on from the last place asked for, as a file may be one long
    // line.
    Json::Place place() const {
        if (counted_ < line_begin_) {
            counted_ = line_begin_;
            column_ = 1;
        }
        column_ += static_cast<unsigned>(
            g_utf8_strlen(json_.data() + counted_, static_cast<gssize>(at_ - counted_)));
        counted_ = at_;
        return {line_, column_};
    }

    void skip_blanks() {
        for (; !ends() && std::strchr(" \t\n\r", next()); at_++)
            count_line();
        if (next() == '/' || next() == '#')
            fail("a comment; JSON has none");
    }

    // What stands here, for messages.
    std::string shown() const {
        if (ends())
            return "the end of the file";
        const char *begin = json_.data() + at_;
        if (static_cast<unsigned char>(*begin) < 0x20)
            return text("the control character U+%04X", *begin);
        std::size_t end = at_;
        while (end < json_.size() && end - at_ < 20 &&
               (g_ascii_isalnum(json_[end]) || std::strchr("+-._", json_[end])))
            end++;
        if (end == at_)
            end += static_cast<std::size_t>(g_utf8_next_char(begin) - begin);
        return "'" + json_.substr(at_, end - at_) + "'";
    }

    Json value(int depth) {
        const Json::Place begin = place();
        Json made;
        switch (next()) {
        case '{':
        case '[':
            if (depth == max_depth)
                fail(text("nested deeper than %d levels", max_depth));
            made = next() == '{' ? object(depth + 1) : list(depth + 1);
            break;
        case '"':
            made = Json::text(string());
            break;
        default:
            made = is_digit(next()) || next() == '-' ? number() : word();
        }
        made.place_ = begin;
        return made;
    }

    Json word() {
        for (const char *known : {"true", "false", "null"}) {
            const std::size_t length = std::strlen(known);
            if (json_.compare(at_, length, known) != 0)
                continue;
            const char behind = at_ + length < json_.size() ? json_[at_ + length] : '\0';
            if (g_ascii_isalnum(behind) || behind == '_')
                break;
            at_ += length;
            return *known == 'n' ? Json() : Json::boolean(*known == 't');
        }
        if (next() == '\'')
            fail("text stands in \" quotation marks, not in '");
        fail(shown() +
             "; wanted a value: a number, a text in \" quotation marks, true, false, null, '[' or '{'");
    }

    Json number() {
        const std::size_t begin = at_;
        auto skip_digits = [&] {
            if (!is_digit(next()))
                fail("a digit is missing in the number '" + json_.substr(begin, at_ - begin) + "'");
            while (is_digit(next()))
                at_++;
        };
        if (next() == '-')
            at_++;
        const std::size_t first = at_;
        skip_digits();
        if (json_[first] == '0' && at_ - first > 1)
            fail("a number begins with a needless 0: '" + json_.substr(begin, at_ - begin) + "'",
                 place_of(begin));
        if (next() == '.') {
            at_++;
            skip_digits();
        }
        if (next() == 'e' || next() == 'E') {
            at_++;
            if (next() == '+' || next() == '-')
                at_++;
            skip_digits();
        }
        if (g_ascii_isalnum(next()) || next() == '.' || next() == '_')
            fail("a number does not go on with " + shown());
        Json made;
        made.kind_ = Json::Kind::number;
        made.text_ = json_.substr(begin, at_ - begin);
        return made;
    }

    Json::Place place_of(std::size_t position) const {
        return {line_, place().column - static_cast<unsigned>(at_ - position)};
    }

    std::string string() {
        const Json::Place begin = place();
        std::string made;
        at_++;
        while (true) {
            if (ends())
                fail("a text has no closing quotation mark", begin);
            const char c = next();
            if (static_cast<unsigned char>(c) < 0x20)
                fail(text("a text holds the control character U+%04X; write it as %s", c,
                          c == '\n'   ? "\\n"
                          : c == '\t' ? "\\t"
                                      : text("\\u%04x", c).c_str()));
            if (c == '\\') {
                escape(made);
                continue;
            }
            at_++;
            if (c == '"')
                return made;
            made += c;
        }
    }

    void escape(std::string &made) {
        static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
        const char c = at_ + 1 < json_.size() ? json_[at_ + 1] : '\0';
        if (c == 'u') {
            unsigned code = escaped_unit();
            const bool begins_pair = code >= 0xd800 && code < 0xdc00;
            if (begins_pair && json_.compare(at_, 2, "\\u") == 0) {
                const unsigned low = escaped_unit();
                if (low < 0xdc00 || low > 0xdfff)
                    fail("half of a surrogate pair in a text");
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            } else if (code >= 0xd800 && code < 0xe000) {
                fail("half of a surrogate pair in a text");
            }
            if (code == 0)
                fail("a text holds U+0000, which no name and no property takes");
            char utf8[6];
            made.append(utf8, static_cast<std::size_t>(g_unichar_to_utf8(code, utf8)));
            return;
        }
        const char *found = c ? std::strchr(letters, c) : nullptr;
        if (!found)
            fail("an unknown escape in a text; a backslash is written \\\\");
        made += meant[found - letters];
        at_ += 2;
    }

    // Four digits behind "\u".
    unsigned escaped_unit() {
        unsigned code = 0;
        for (std::size_t i = 2; i < 6; i++) {
            const int digit = at_ + i < json_.size() ? g_ascii_xdigit_value(json_[at_ + i]) : -1;
            if (digit < 0)
                fail("behind \\u there are four hexadecimal digits");
            code = 16 * code + static_cast<unsigned>(digit);
        }
        at_ += 6;
        return code;
    }

    Json list(int depth) {
        const Json::Place begin = place();
        Json made = Json::list();
        at_++;
        skip_blanks();
        for (bool goes_on = next() != ']'; goes_on;) {
            made.items_.push_back(value(depth));
            goes_on = separator(']', begin);
        }
        at_++;
        return made;
    }

    Json object(int depth) {
        const Json::Place begin = place();
        Json made = Json::object();
        at_++;
        skip_blanks();
        std::set<std::string> keys;
        for (bool goes_on = next() != '}'; goes_on;) {
            if (next() != '"')
                fail((ends() ? unclosed(begin) : shown()) + "; wanted a key in \" quotation marks");
            const Json::Place key_place = place();
            std::string key = string();
            if (!keys.insert(key).second)
                fail("key '" + key + "' is there twice", key_place);
            skip_blanks();
            if (next() != ':')
                fail(shown() + "; wanted ':' behind the key '" + key + "'");
            at_++;
            skip_blanks();
            Json member = value(depth);
            made.members_.push_back({std::move(key), std::move(member), key_place});
            goes_on = separator('}', begin);
        }
        at_++;
        return made;
    }

    // Whether another entry follows.
    bool separator(char closing, Json::Place begin) {
        skip_blanks();
        if (next() == closing)
            return false;
        if (ends())
            fail(unclosed(begin));
        if (next() != ',')
            fail(shown() + text("; wanted ',' or '%c'", closing));
        at_++;
        skip_blanks();
        if (next() == closing)
            fail(text("a ',' in front of '%c'", closing));
        return true;
    }

    std::string unclosed(Json::Place begin) const {
        return text("the file ends before the end of the value that begins in line %u, column %u", begin.line,
                    begin.column);
    }

    const std::string &json_, &origin_;
    std::size_t at_ = 0, line_begin_ = 0;
    unsigned line_ = 1;
    mutable std::size_t counted_ = 0; // up to where columns are
    mutable unsigned column_ = 1;
};

Json Json::parse(const std::string &json, const std::string &origin) {
    return JsonParser(json, origin).document();
}

} // namespace tomo
