// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// JSON by RFC 8259 and nothing besides. Values know where they stand in their file, members keep their order,
// and numbers stay as they are written, so that none of their digits is lost before a property asks for them.
#pragma once

#include <gst/tomo/support/error.hpp>

#include <utility>
#include <vector>

namespace tomo {

class GST_TOMO_API Json {
  public:
    enum class Kind { null, boolean, number, text, list, object };

    // In the file that a value comes from, from 1 on; lines are 0 elsewhere.
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

    // Throws GST_TOMO_GRAPH_ERROR_SYNTAX with `origin`, line and column in front of what is wrong: anything
    // but RFC 8259, keys that are there twice, bytes that are no UTF-8, U+0000, more than 64 levels.
    static Json parse(const std::string &json, const std::string &origin);

    Kind kind() const { return kind_; }
    bool is(Kind kind) const { return kind_ == kind; }
    bool is_true() const { return kind_ == Kind::boolean && text_ == "true"; }
    // Of a text; of a number, what is written; else nothing.
    const std::string &text() const { return text_; }
    // A number without fraction and exponent.
    bool is_integer() const;
    const std::vector<Json> &items() const { return items_; }
    const std::vector<Member> &members() const { return members_; }
    // Null if there is no such member.
    const Json *find(const std::string &key) const;
    // Its text, or nothing.
    const std::string &text_of(const std::string &key) const;

    Place place() const { return place_; }
    // Of the key.
    Place place(const std::string &key) const;

    void add(Json item);
    void set(const std::string &key, Json value); // that is not there yet

    // In lines for people, or all in one.
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

// With its quotation marks.
GST_TOMO_API std::string json_string(const std::string &text);

} // namespace tomo
