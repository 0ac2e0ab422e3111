// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/geometry/axis.hpp>
#include <gst/tomo/geometry/view-angles.hpp>
#include <gst/tomo/support/references.hpp>

#include <optional>
#include <string>

namespace tomo {

// Values in force where properties leave them open, for Element::report_effective(). Names are plain words
// such as "axis". Unknown values are left out.
class GST_TOMO_API EffectiveValues {
  public:
    EffectiveValues();

    // Adds a boolean, a number or a text, with its unit and its origin where it has these.
    template <class T>
    EffectiveValues &add(const std::string &name, const T &value, const char *unit = nullptr,
                         std::optional<Origin> origin = {}) {
        if constexpr (std::is_same_v<T, bool>)
            set(name, G_TYPE_BOOLEAN, gboolean{value});
        else if constexpr (std::is_same_v<T, unsigned>)
            set(name, G_TYPE_UINT, value);
        else if constexpr (std::is_same_v<T, std::uint64_t>)
            set(name, G_TYPE_UINT64, value);
        else if constexpr (std::is_arithmetic_v<T>)
            set(name, G_TYPE_DOUBLE, static_cast<double>(value));
        else
            set(name, G_TYPE_STRING, std::string(value).c_str());
        return explain(name, unit, origin);
    }
    // Adds "axis".
    EffectiveValues &add(const Axis &axis);
    // Adds "projections", "angle-first", "angle-last" and, if the steps are even, "angle-step", with their
    // origin.
    EffectiveValues &add(const ViewAngles &views);
    // Adds a sentence for people.
    EffectiveValues &say(const std::string &sentence);

    const GstStructure *structure() const { return values_.get(); }

  private:
    template <class T>
    void set(const std::string &name, GType type, T value) {
        gst_structure_set(values_.get(), name.c_str(), type, value, nullptr);
    }
    EffectiveValues &explain(const std::string &name, const char *unit, std::optional<Origin> origin);

    StructurePtr values_;
};

} // namespace tomo
