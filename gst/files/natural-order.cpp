// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "natural-order.hpp"

#include <algorithm>
#include <glib.h>
#include <string_view>

namespace tomo::io {

namespace {

bool is_digit(char c) { return g_ascii_isdigit(c); }
bool is_in_word(char c) { return g_ascii_isalnum(c) || static_cast<unsigned char>(c) >= 0x80; }

constexpr std::string_view minus_sign = "\u2212";

// A number in a name, as it stands there: [minus] whole [. fraction].
struct Number {
    std::size_t begin = 0, whole = 0, fraction = 0, end = 0; // fraction == end: there is none
    bool has_minus() const { return begin < whole; }
    bool has_fraction() const { return fraction < end; }
};

std::size_t behind_digits(std::string_view name, std::size_t at) {
    while (at < name.size() && is_digit(name[at]))
        at++;
    return at;
}

// Whether a point with digits on both sides stands there.
bool is_point(std::string_view name, std::size_t at) {
    return at > 0 && at + 1 < name.size() && (name[at] == '.' || name[at] == ',') && is_digit(name[at - 1]) &&
           is_digit(name[at + 1]);
}

std::vector<Number> numbers_in(std::string_view name) {
    std::vector<Number> found;
    for (std::size_t at = 0; at < name.size(); at++) {
        if (!is_digit(name[at]))
            continue;
        Number number;
        number.begin = number.whole = at;
        number.fraction = number.end = behind_digits(name, at);
        // A minus in front of it, and what stands before that. U+2212 has three bytes, all of them of a word.
        const auto before = name.substr(0, at);
        const auto bytes = before.ends_with('-') ? 1 : before.ends_with(minus_sign) ? minus_sign.size() : 0;
        if (bytes > 0 && (bytes == at || !is_in_word(name[at - bytes - 1])))
            number.begin -= bytes;
        const bool follows_point = at > 0 && is_point(name, at - 1);
        if (!follows_point && is_point(name, number.end)) {
            const auto end = behind_digits(name, number.end + 1);
            if (!is_point(name, end)) {
                number.fraction = number.end + 1;
                number.end = end;
            }
        }
        found.push_back(number);
        at = number.end - 1;
    }
    return found;
}

// What all names together tell of the numbers at one place among those of a name.
struct Place {
    std::size_t shortest_fraction = std::string::npos;
    bool is_count = false; // the point separates two
    bool all_have_minus = true, has_padding = false;

    bool has_signs() const { return !(all_have_minus && has_padding); }
};

std::vector<Place> places_in(const std::vector<std::string> &names) {
    std::vector<Place> places;
    const auto for_each_number = [&](auto look) {
        for (const auto &name : names) {
            const auto numbers = numbers_in(name);
            places.resize(std::max(places.size(), numbers.size()));
            for (std::size_t i = 0; i < numbers.size(); i++)
                look(name, numbers[i], places[i]);
        }
    };
    for_each_number([](const std::string &name, const Number &number, Place &place) {
        if (number.has_fraction())
            place.shortest_fraction = std::min(place.shortest_fraction, number.end - number.fraction);
        place.all_have_minus = place.all_have_minus && number.has_minus();
        place.has_padding =
            place.has_padding ||
            (name[number.whole] == '0' && number.whole + 1 < name.size() && is_digit(name[number.whole + 1]));
    });
    for_each_number([](const std::string &name, const Number &number, Place &place) {
        place.is_count = place.is_count || (number.end - number.fraction > place.shortest_fraction &&
                                            number.has_fraction() && name[number.end - 1] == '0');
    });
    return places;
}

// A number as it is compared.
struct Value {
    std::size_t begin, end; // in the name
    bool is_negative;
    std::string_view whole, fraction; // without zeros that say nothing
};

std::string_view without_leading_zeros(std::string_view digits) {
    return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}
std::string_view without_trailing_zeros(std::string_view digits) {
    return digits.substr(0, digits.find_last_not_of('0') + 1);
}

std::vector<Value> values_of(std::string_view name, const std::vector<Place> &places) {
    std::vector<Value> values;
    const auto part = [&](std::size_t begin, std::size_t end) { return name.substr(begin, end - begin); };
    const auto numbers = numbers_in(name);
    for (std::size_t i = 0; i < numbers.size(); i++) {
        const auto &number = numbers[i];
        const bool is_signed = number.has_minus() && places[i].has_signs();
        const bool is_count = number.has_fraction() && places[i].is_count;
        const auto behind_whole = number.has_fraction() ? number.fraction - 1 : number.end;
        Value value{is_signed ? number.begin : number.whole,
                    is_count ? behind_whole : number.end,
                    false,
                    without_leading_zeros(part(number.whole, behind_whole)),
                    {}};
        if (!is_count)
            value.fraction = without_trailing_zeros(part(number.fraction, number.end));
        value.is_negative = is_signed && !(value.whole.empty() && value.fraction.empty());
        values.push_back(value);
        if (is_count)
            values.push_back({number.fraction,
                              number.end,
                              false,
                              without_leading_zeros(part(number.fraction, number.end)),
                              {}});
    }
    return values;
}

// Less than 0 where a comes first.
int compare(const Value &a, const Value &b) {
    if (a.is_negative != b.is_negative)
        return a.is_negative ? -1 : 1;
    const int by_size = a.whole.size() != b.whole.size() ? (a.whole.size() < b.whole.size() ? -1 : 1)
                        : a.whole != b.whole             ? a.whole.compare(b.whole)
                                                         : a.fraction.compare(b.fraction);
    return a.is_negative ? -by_size : by_size;
}

struct Name {
    const std::string *path;
    std::vector<Value> values;
};

// Walks through a name, character by character but for numbers.
class Walk {
  public:
    explicit Walk(const Name &name)
        : name_(*name.path), value_(name.values.data()), end_(value_ + name.values.size()) {}

    bool is_at_end() const { return at_ == name_.size(); }
    const Value *number() const { return value_ != end_ && value_->begin == at_ ? value_ : nullptr; }
    // A number counts as a digit.
    unsigned char character() const { return number() ? '0' : static_cast<unsigned char>(name_[at_]); }
    void step() { at_ = number() ? value_++->end : at_ + 1; }

  private:
    const std::string &name_;
    const Value *value_, *const end_;
    std::size_t at_ = 0;
};

bool is_less(const Name &first, const Name &second) {
    Walk a(first), b(second);
    for (; !a.is_at_end() && !b.is_at_end(); a.step(), b.step()) {
        const int difference = a.number() && b.number() ? compare(*a.number(), *b.number())
                                                        : int{a.character()} - int{b.character()};
        if (difference)
            return difference < 0;
    }
    // Numbers that differ by zeros only: "1" and "01".
    return a.is_at_end() != b.is_at_end() ? a.is_at_end() : *first.path < *second.path;
}

} // namespace

void sort_names(std::vector<std::string> &paths, NameOrder order) {
    if (order == NameOrder::Name) {
        std::sort(paths.begin(), paths.end());
        return;
    }
    const auto places = places_in(paths);
    std::vector<Name> names;
    for (const auto &path : paths)
        names.push_back({&path, values_of(path, places)});
    std::sort(names.begin(), names.end(), is_less);
    std::vector<std::string> sorted;
    for (const auto &name : names)
        sorted.push_back(*name.path);
    paths = std::move(sorted);
}

} // namespace tomo::io
