// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glib-object.h>

#include <string>
#include <utility>

namespace tomo {

// A GValue that cleans up.
class Value {
  public:
    Value() = default;
    explicit Value(GType type) { g_value_init(&value_, type); }
    Value(const Value &) = delete;
    Value &operator=(const Value &) = delete;
    Value(Value &&other) noexcept : value_(std::exchange(other.value_, GValue G_VALUE_INIT)) {}
    Value &operator=(Value &&other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Value() {
        if (G_IS_VALUE(&value_))
            g_value_unset(&value_);
    }
    GValue *get() { return &value_; }
    const GValue *get() const { return &value_; }

  private:
    GValue value_ = G_VALUE_INIT;
};

// The values that a property takes, in words: "a number from 0 to 100".
std::string describe_values(GParamSpec *spec);

} // namespace tomo
