// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "number-pattern.hpp"

#include <gst/tomo/support/error.hpp>

#include <cstdio>
#include <cstdlib>

namespace tomo::io {

namespace {

[[noreturn]] void refuse(const std::string &name, const std::string &problem) {
    throw Error(
        GST_RESOURCE_ERROR_SETTINGS,
        text(
            "the file name '%s' %s; it may have one integer conversion such as %%05i, and a per cent sign is "
            "written %%%%",
            name.c_str(), problem.c_str()));
}

} // namespace

NumberPattern::NumberPattern(const std::string &name, std::size_t literal) : before_(name, 0, literal) {
    constexpr unsigned long widest = 200; // digits; file names end at 255 bytes
    for (std::size_t i = literal; i < name.size(); i++) {
        auto &part = has_number() ? after_ : before_;
        if (name[i] != '%') {
            part += name[i];
            continue;
        }
        if (i + 1 < name.size() && name[i + 1] == '%') {
            part += '%';
            i++;
            continue;
        }
        const auto flags = name.find_first_not_of("-+ 0", i + 1);
        const auto end = name.find_first_not_of("0123456789.", flags);
        const auto spec = name.substr(i, end - i); // without the letter
        if (end == std::string::npos)
            refuse(name, text("ends inside '%s'", spec.c_str()));
        const std::string whole = spec + name[end];
        if (name[end] != 'i' && name[end] != 'd' && name[end] != 'u')
            refuse(name, text("has '%s', which is no integer conversion", whole.c_str()));
        const auto dot = spec.find('.');
        if (dot != std::string::npos && spec.find('.', dot + 1) != std::string::npos)
            refuse(name, text("has '%s', which is no integer conversion", whole.c_str()));
        const auto width = std::strtoul(name.c_str() + flags, nullptr, 10);
        const auto precision =
            dot == std::string::npos ? 0 : std::strtoul(spec.c_str() + dot + 1, nullptr, 10);
        if (width > widest || precision > widest)
            refuse(name, text("asks for too many digits ('%s')", whole.c_str()));
        if (has_number())
            refuse(name, text("has more than one conversion (a second one is '%s')", whole.c_str()));
        conversion_ = spec + "ll" + name[end]; // numbers are never so large that the sign would matter
        i = end;
    }
}

std::string NumberPattern::name(std::uint64_t number) const {
    if (!has_number())
        return before_;
        // The form was checked above: it is one integer conversion.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    char digits[512];
    std::snprintf(digits, sizeof digits, conversion_.c_str(), static_cast<unsigned long long>(number));
#pragma GCC diagnostic pop
    return before_ + digits + after_;
}

std::optional<std::uint64_t> NumberPattern::number_in(const std::string &text) const {
    const auto digits = text.find_first_of("0123456789", before_.size());
    if (!has_number() || digits == std::string::npos)
        return {};
    const auto number = std::strtoull(text.c_str() + digits, nullptr, 10);
    if (name(number) != text)
        return {};
    return number;
}

std::string escape_pattern(const std::string &name, std::size_t literal) {
    std::string escaped(name, 0, literal);
    for (std::size_t i = literal; i < name.size(); i++)
        escaped += name[i] == '%' ? "%%" : std::string(1, name[i]);
    return escaped;
}

} // namespace tomo::io
