// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cbor.hpp"

#include <gst/files/byte-order.hpp>
#include <gst/tomo/support/error.hpp>

#include <cmath>
#include <limits>

namespace tomo {

class CborParser {
  public:
    CborParser(std::string_view message, const std::string &from)
        : all_(message), left_(message), from_(from) {}

    Cbor whole() {
        auto item = next(0);
        if (!item)
            fail("ends a list that did not begin");
        if (!left_.empty())
            fail("goes on behind its end");
        return std::move(*item);
    }

  private:
    static constexpr unsigned most_levels = 32, most_items = 1u << 20;
    static constexpr unsigned indefinite = 31; // in the place of a length

    [[noreturn]] void fail(const char *why) const {
        throw Error(GST_STREAM_ERROR_DECODE,
                    text("%s sent a message that is no CBOR: at byte %zu of %zu it %s", from_.c_str(),
                         all_.size() - left_.size(), all_.size(), why));
    }

    std::string_view take(std::uint64_t count) {
        if (count > left_.size())
            fail("ends too early");
        const auto taken = left_.substr(0, count);
        left_.remove_prefix(count);
        return taken;
    }

    template <class Number>
    Number number() { // big endian
        return io::load<Number>(take(sizeof(Number)).data(), io::host_is_little_endian);
    }

    std::uint64_t argument(unsigned info) {
        switch (info) {
        case 24:
            return number<std::uint8_t>();
        case 25:
            return number<std::uint16_t>();
        case 26:
            return number<std::uint32_t>();
        case 27:
            return number<std::uint64_t>();
        default:
            if (info > 27)
                fail("has a length that can't be");
            return info;
        }
    }

    // Empty for the end of a list of unknown length.
    std::optional<Cbor> next(unsigned level) {
        if (level > most_levels)
            fail("has too many levels");
        if (++items_ > most_items)
            fail("has too many items");
        const auto first = number<std::uint8_t>();
        const unsigned major = first >> 5, info = first & 31;
        Cbor item;
        switch (major) {
        case 0:
        case 1:
            item.kind_ = major == 0 ? Cbor::Kind::integer : Cbor::Kind::negative;
            item.value_ = argument(info);
            break;
        case 2:
        case 3:
            item.kind_ = major == 2 ? Cbor::Kind::bytes : Cbor::Kind::text;
            if (info == indefinite)
                item.owned_ = pieces(major, level);
            else
                item.bytes_ = take(argument(info));
            break;
        case 4:
        case 5:
            item.kind_ = major == 4 ? Cbor::Kind::list : Cbor::Kind::map;
            fill(item, info, major == 4 ? 1 : 2, level);
            break;
        case 6:
            item.kind_ = Cbor::Kind::tag;
            item.value_ = argument(info);
            item.items_.push_back(inner(level));
            break;
        default:
            if (info == indefinite)
                return {};
            if (info >= 25 && info <= 27) {
                item.kind_ = Cbor::Kind::real;
                item.real_ = real(info);
            } else {
                item.value_ = argument(info);
            }
        }
        return item;
    }

    Cbor inner(unsigned level) {
        auto item = next(level + 1);
        if (!item)
            fail("ends a list within an item");
        return std::move(*item);
    }

    void fill(Cbor &item, unsigned info, unsigned items_each, unsigned level) {
        if (info == indefinite) {
            while (auto inner = next(level + 1))
                item.items_.push_back(std::move(*inner));
            if (item.items_.size() % items_each)
                fail("ends a map behind a key");
            return;
        }
        const auto count = argument(info);
        if (count > left_.size()) // each takes a byte at least
            fail("has a list longer than itself");
        for (std::uint64_t i = 0; i < count * items_each; i++)
            item.items_.push_back(inner(level));
    }

    std::shared_ptr<const std::string> pieces(unsigned major, unsigned level) {
        auto all = std::make_shared<std::string>();
        while (const auto piece = next(level + 1)) {
            if (piece->kind_ != (major == 2 ? Cbor::Kind::bytes : Cbor::Kind::text) || piece->owned_)
                fail("has a text made of other things");
            *all += piece->bytes_;
        }
        return all;
    }

    double real(unsigned info) {
        if (info == 27)
            return number<double>();
        if (info == 26)
            return number<float>();
        const auto bits = number<std::uint16_t>();
        const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
        const double size = exponent == 0    ? std::ldexp(mantissa, -24)
                            : exponent != 31 ? std::ldexp(mantissa + 1024, exponent - 25)
                            : mantissa       ? std::numeric_limits<double>::quiet_NaN()
                                             : std::numeric_limits<double>::infinity();
        return bits & 0x8000 ? -size : size;
    }

    const std::string_view all_;
    std::string_view left_;
    unsigned items_ = 0;
    const std::string &from_;
};

Cbor Cbor::parse(std::string_view message, const std::string &from) {
    return CborParser(message, from).whole();
}

const Cbor *Cbor::find(std::string_view key) const {
    if (kind_ == Kind::map)
        for (std::size_t i = 0; i + 1 < items_.size(); i += 2)
            if (items_[i].is(Kind::text) && items_[i].bytes() == key)
                return &items_[i + 1];
    return nullptr;
}

std::optional<std::uint64_t> Cbor::integer_of(std::string_view key) const {
    const auto *found = find(key);
    return found && found->is(Kind::integer) ? std::optional(found->value_) : std::nullopt;
}

std::optional<double> Cbor::number_of(std::string_view key) const {
    const auto *found = find(key);
    if (!found)
        return {};
    switch (found->kind_) {
    case Kind::real:
        return found->real_;
    case Kind::integer:
        return static_cast<double>(found->value_);
    case Kind::negative:
        return -1.0 - static_cast<double>(found->value_);
    default:
        return {};
    }
}

std::string Cbor::text_of(std::string_view key) const {
    const auto *found = find(key);
    return found && found->is(Kind::text) ? std::string(found->bytes()) : std::string();
}

} // namespace tomo
