// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// CBOR by RFC 8949, read only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tomo {

class Cbor {
  public:
    enum class Kind { integer, negative, bytes, text, list, map, tag, simple, real };

    // One item that is all of `message`, which has to live as long as the item. Throws Error with `from` in
    // front of the fault: bytes that are none of CBOR, end too early, go on behind the item, or have more
    // than 32 levels.
    static Cbor parse(std::string_view message, const std::string &from);

    Kind kind() const { return kind_; }
    bool is(Kind kind) const { return kind_ == kind; }
    bool is_tag(std::uint64_t number) const { return kind_ == Kind::tag && value_ == number; }
    // An integer; the number of a tag or a simple value. Of a negative n it is -1 - n.
    std::uint64_t value() const { return value_; }
    // Of bytes and texts.
    std::string_view bytes() const { return owned_ ? std::string_view(*owned_) : bytes_; }
    // Of a list; keys and values of a map by turns; the one item of a tag.
    const std::vector<Cbor> &items() const { return items_; }
    // The value of a key that is a text; null if there is none.
    const Cbor *find(std::string_view key) const;

    // What a member of a map is; empty where it is not there, or something else.
    std::optional<std::uint64_t> integer_of(std::string_view key) const;
    std::optional<double> number_of(std::string_view key) const; // integers as well
    std::string text_of(std::string_view key) const;

  private:
    friend class CborParser;

    Kind kind_ = Kind::simple;
    std::uint64_t value_ = 0;
    double real_ = 0;
    std::string_view bytes_;
    std::shared_ptr<const std::string> owned_; // of bytes that came in pieces
    std::vector<Cbor> items_;
};

} // namespace tomo
