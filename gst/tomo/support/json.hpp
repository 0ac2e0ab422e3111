// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// JSON by RFC 8259, without extensions. Values know their place in the file, members keep their order, and
// numbers keep their text, so that a property gets all of their digits.
#pragma once

#include <gst/tomo/support/error.hpp>

#include <utility>
#include <vector>

namespace tomo {

class GST_TOMO_API Json {
  public:
    enum class Kind { null, boolean, number, text, list, object };

    // Line and column in the file that a value comes from, from 1; line 0 for values that come from no file.
    struct Place {
        unsigned line = 0, column = 0;
    };
    struct Member;

    Json() = default; // null
    static Json boolean(bool value);
    static Json integer(gint64 value);
    static Json integer(guint64 value);
    // The shortest digits that give this value again; "inf", "-inf" and "nan" are texts, as JSON has no such
    // numbers.
    static Json number(double value);
    static Json number(float value);
    static Json text(std::string value);
    static Json list();
    static Json object();

    // Throws GST_TOMO_GRAPH_ERROR_SYNTAX with `origin`, line and column in front of the fault: a violation of
    // RFC 8259, a repeated key, bytes that are not UTF-8, U+0000, more than 64 levels.
    static Json parse(const std::string &json, const std::string &origin);

    Kind kind() const { return kind_; }
    bool is(Kind kind) const { return kind_ == kind; }
    bool is_true() const { return kind_ == Kind::boolean && text_ == "true"; }
    // The characters of a text or of a number as written; empty for other kinds.
    const std::string &text() const { return text_; }
    // A number without fraction and exponent.
    bool is_integer() const;
    const std::vector<Json> &items() const { return items_; }
    const std::vector<Member> &members() const { return members_; }
    // Null if there is no such member.
    const Json *find(const std::string &key) const;
    // The text of the member `key`; empty if there is none.
    const std::string &text_of(const std::string &key) const;

    Place place() const { return place_; }
    // The place of the key of a member.
    Place place(const std::string &key) const;

    void add(Json item);
    void set(const std::string &key, Json value); // `key` must be new

    // As JSON: in indented lines for people, or in one line.
    std::string written(bool in_lines) const;

  private:
    friend class JsonParser;
    void write(std::string &out, int indent) const;

    Kind kind_ = Kind::null;
    std::string text_;
    std::vector<Json> items_;
    std::vector<Member> members_;
    Place place_;
};

struct Json::Member {
    std::string key;
    Json value;
    Place place; // of the key
};

// `text` as a JSON string, with quotation marks.
GST_TOMO_API std::string json_string(const std::string &text);

} // namespace tomo
