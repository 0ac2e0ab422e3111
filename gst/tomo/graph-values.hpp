// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Values of properties from text and JSON, checked, and back.
#pragma once

#include <gst/tomo/graph-names.hpp>
#include <gst/tomo/json.hpp>

#include <optional>

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

// What a property takes, in words: "a number from 0 to 100".
std::string describe_values(GParamSpec *spec);

// As written on a command line; lists of numbers as 1,2 or <1,2> or a single one. Throws what is wrong with
// it.
Value value_from_text(GParamSpec *spec, const std::string &written);
// Numbers of UFO's enumerations are UFO's: it writes them into its JSON files.
Value value_from_json(GParamSpec *spec, const Json &json);
// Nothing for values that can't be written down.
std::optional<Json> value_to_json(GParamSpec *spec, const GValue *value);

// Sets one property after all checks.
void set_from_text(GstElement *element, const std::string &property, const std::string &written);
void set_from_json(GstElement *element, const std::string &property, const Json &json);

// The properties that differ from those of a fresh element of the kind, as a JSON object.
Json properties_to_json(GstElement *element);

// What there is to know about a task, as an object; see gst_tomo_describe_task().
Json describe_task(const std::string &plugin);

} // namespace tomo
