// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <cstdint>
#include <optional>
#include <string>

namespace tomo {

// Bytes of a size that a person writes: a number with K, M, G or T of 1024, 1024^2, ... behind it, or without
// one; small letters are taken as well. Empty if it is no such size, below one byte or above 2^53.
GST_TOMO_API std::optional<std::uint64_t> bytes_of(const std::string &size);

// The sizes that bytes_of() takes, for errors.
constexpr char wanted_bytes[] = "wanted bytes, or a number with K, M, G or T, such as 512M or 8G";

} // namespace tomo
