// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A parameter of a reconstruction, declared once, as a member with name, section, level, unit, default, range
// and description. The declaration makes the property of GstTomoReconstruction, the key of reco.conf, the
// option of tomo-reconstruct, the JSON schema and the row of docs/parameters.md.
#pragma once

#include <gst/tomo/bases/property-values.hpp>
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/json.hpp>

#include <limits>
#include <string>
#include <vector>

namespace tomo::reconstruction {

// A group of parameters in reco.conf, in forms and in docs/parameters.md.
struct Section {
    const char *name;  // the group of reco.conf
    const char *title; // for people
};

enum class Level { basic, advanced };

// Description of a parameter for people.
struct About {
    const char *name;
    const Section *section;
    Level level = Level::basic;
    const char *unit = "";      // "px", "rad", "deg", "keV", "m", "s", "B"; empty for numbers without one
    // Meaning of a default that is not a value itself; else empty. A number whose values are all of use has
    // the largest double, or its negative, as such a default.
    const char *automatic = "";
    const char *blurb; // a sentence
};

class Parameters;

class GST_TOMO_API ParameterBase {
  public:
    ParameterBase(Parameters *owner, const About &about);
    virtual ~ParameterBase();
    ParameterBase(const ParameterBase &) = delete;
    ParameterBase &operator=(const ParameterBase &) = delete;

    const About &about() const { return about_; }
    const char *name() const { return about_.name; }
    GParamSpec *spec() const { return spec_; }
    const std::vector<std::string> &choices() const { return choices_; }

    const GValue *get() const { return value_.get(); }
    // Throws Error on a value that the parameter does not take.
    void set(const GValue *value);
    void reset();
    // Whether it has another value than its default.
    bool is_given() const;
    // Whether the scan or the machine decides the value.
    bool is_automatic() const { return *about_.automatic && !is_given(); }

    // The value as on a command line and in reco.conf. Throws Error.
    std::string text() const;
    void set_text(const std::string &text);
    // Throws Error.
    Json json() const;
    void set_json(const Json &json);
    // The parameter's part of a JSON schema (2020-12), with title, description, default, range or choices.
    // Members that begin with "x-" hold unit, level, section and automatic.
    Json schema() const;

  protected:
    // Takes over the specification.
    void declare(GParamSpec *spec, std::vector<std::string> choices = {});

    const About about_;
    GParamSpec *spec_ = nullptr;
    std::vector<std::string> choices_;
    Value value_;
};

// A boolean, an integer, a number or a text.
template <class T>
class GST_TOMO_API Parameter final : public ParameterBase {
  public:
    Parameter(Parameters *owner, T initial, const About &about)
        : Parameter(owner, initial, std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max(), about) {}
    Parameter(Parameters *owner, T initial, T minimum, T maximum, const About &about);

    T value() const;
    operator T() const { return value(); }
};

template <>
class GST_TOMO_API Parameter<std::string> final : public ParameterBase {
  public:
    Parameter(Parameters *owner, const char *initial, const About &about);

    std::string value() const;
    operator std::string() const { return value(); }
    bool empty() const { return value().empty(); }
};

// One of several words, the first of which is the default.
class GST_TOMO_API Choice final : public ParameterBase {
  public:
    Choice(Parameters *owner, std::vector<std::string> choices, const About &about);

    std::string value() const;
    bool is(const char *choice) const { return value() == choice; }
};

// Several finite numbers, separated by commas.
class GST_TOMO_API Numbers final : public ParameterBase {
  public:
    Numbers(Parameters *owner, const About &about);

    std::vector<double> value() const;
};

// All parameters of an object, in the order of declaration.
class GST_TOMO_API Parameters {
  public:
    Parameters() = default;
    virtual ~Parameters() = default;
    Parameters(const Parameters &) = delete;
    Parameters &operator=(const Parameters &) = delete;

    const std::vector<ParameterBase *> &all() const { return all_; }
    std::vector<std::string> names() const;
    ParameterBase *find(const std::string &name) const; // null if there is none
    // Throws an Error with the nearest name if there is none of this name.
    ParameterBase &require(const std::string &name) const;

    void assign(const Parameters &other);

    // reco.conf: a key file with a group for each section. Parameters that are not given are comments; each
    // key follows its description. load() accepts keys in any group, also in those of tofu. It throws Error
    // with file and group on unknown keys and on wrong values.
    std::string configuration() const;
    void load(const std::string &file);
    // The given parameters as a JSON object.
    Json json() const;
    void set_json(const Json &object);
    Json schema() const;

  private:
    friend class ParameterBase;
    std::vector<ParameterBase *> all_;
};

} // namespace tomo::reconstruction
