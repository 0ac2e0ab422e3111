// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Properties as members of an element: declared with name, blurb, default and range, read like a variable.
#pragma once

#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <atomic>
#include <cfloat>
#include <initializer_list>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace tomo {

class Element;

enum class When {
    live,     // takes effect with the next frame; numbers can be driven by a GstController
    reshapes, // takes effect with the next frame, together with others, after a new negotiation of the output
    ready,    // only before the element starts
};

// A specification of one of GLib's kinds that reports a bad value and leaves it unchanged. GLib's own
// specifications move values into the range with a warning, and do not treat NaN reliably.
GST_TOMO_API gpointer new_strict_spec(GType kind, const char *name, const char *blurb, GParamFlags flags);

class GST_TOMO_API PropertyBase {
  public:
    PropertyBase(Element *owner, const char *name, When when, const char *blurb);
    virtual ~PropertyBase() = default;
    PropertyBase(const PropertyBase &) = delete;
    PropertyBase &operator=(const PropertyBase &) = delete;

    const char *name() const { return name_; }
    When when() const { return when_; }
    // `prefix` makes names of new types unique: "GstTomoBackproject".
    virtual GParamSpec *make_spec(const std::string &prefix) const = 0; // transfer full
    virtual void get(GValue *value) const = 0;
    virtual void set(const GValue *value) = 0;
    // Puts the value given last into force.
    virtual void commit() {}

  protected:
    // Flags of every specification. Bad values reach the element unchanged, and the element refuses them.
    GParamFlags flags(bool number) const;
    // Whether a value has to wait for commit(), because kernels, shapes and held arrays belong to the earlier
    // value.
    bool must_wait() const;
    Element *const owner_;
    const char *name_;
    const char *blurb_;
    When when_;
};

template <class T>
struct Range {
    T min = std::numeric_limits<T>::lowest();
    T max = std::numeric_limits<T>::max();
};

// A default that is no value: it lets the element, the scan or the input decide. The numbers in `others` mean
// the same.
struct Automatic {
    double value;
    std::vector<Range<double>> others = {};
};

// The initial value of a property.
template <class T>
struct Initial {
    Initial(T number) : value(number) {}
    Initial(Automatic open) : value(static_cast<T>(open.value)), automatic(std::move(open.others)) {
        automatic.push_back({open.value, open.value});
    }
    T value;
    std::vector<Range<double>> automatic; // numbers that leave the value open
};

// The numbers of a specification that leave the value open; empty if every number means itself.
GST_TOMO_API std::vector<Range<double>> automatic_values(GParamSpec *spec);
GST_TOMO_API void set_automatic_values(GParamSpec *spec, const std::vector<Range<double>> &values);

inline bool is_in(const std::vector<Range<double>> &ranges, double value) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const auto &range) { return range.min <= value && value <= range.max; });
}

// Numbers and booleans.
template <class T>
class Property final : public PropertyBase {
  public:
    Property(Element *owner, const char *name, Initial<T> initial, Range<T> range, When when,
             const char *blurb)
        : PropertyBase(owner, name, when, blurb), initial_(std::move(initial)), range_(range),
          given_(initial_.value), value_(initial_.value) {}
    Property(Element *owner, const char *name, Initial<T> initial, Range<T> range, const char *blurb)
        : Property(owner, name, std::move(initial), range, When::live, blurb) {}
    Property(Element *owner, const char *name, Initial<T> initial, When when, const char *blurb)
        : Property(owner, name, std::move(initial), {}, when, blurb) {}
    Property(Element *owner, const char *name, Initial<T> initial, const char *blurb)
        : Property(owner, name, std::move(initial), {}, When::live, blurb) {}

    operator T() const { return value_.load(std::memory_order_relaxed); }
    T value() const { return *this; }
    // Empty if the value is left open.
    std::optional<T> chosen() const {
        const T v = *this;
        return is_in(initial_.automatic, static_cast<double>(v)) ? std::nullopt : std::optional<T>(v);
    }
    // The value set last, which may not be in force yet.
    T given() const { return given_; }

    GParamSpec *make_spec(const std::string &) const override {
        if constexpr (std::is_same_v<T, bool>)
            return g_param_spec_boolean(name_, name_, blurb_, initial_.value, flags(true));
        else if constexpr (std::is_same_v<T, int>)
            return number_spec<GParamSpecInt>(G_TYPE_PARAM_INT);
        else if constexpr (std::is_same_v<T, unsigned>)
            return number_spec<GParamSpecUInt>(G_TYPE_PARAM_UINT);
        else if constexpr (std::is_same_v<T, std::uint64_t>)
            return number_spec<GParamSpecUInt64>(G_TYPE_PARAM_UINT64);
        else if constexpr (std::is_same_v<T, float>)
            return number_spec<GParamSpecFloat>(G_TYPE_PARAM_FLOAT);
        else
            return number_spec<GParamSpecDouble>(G_TYPE_PARAM_DOUBLE);
    }
    void get(GValue *value) const override {
        const T v = given();
        if constexpr (std::is_same_v<T, bool>)
            g_value_set_boolean(value, v);
        else if constexpr (std::is_same_v<T, int>)
            g_value_set_int(value, v);
        else if constexpr (std::is_same_v<T, unsigned>)
            g_value_set_uint(value, v);
        else if constexpr (std::is_same_v<T, std::uint64_t>)
            g_value_set_uint64(value, v);
        else if constexpr (std::is_same_v<T, float>)
            g_value_set_float(value, v);
        else
            g_value_set_double(value, v);
    }
    void set(const GValue *value) override {
        if constexpr (std::is_same_v<T, bool>)
            assign(g_value_get_boolean(value));
        else if constexpr (std::is_same_v<T, int>)
            assign(g_value_get_int(value));
        else if constexpr (std::is_same_v<T, unsigned>)
            assign(g_value_get_uint(value));
        else if constexpr (std::is_same_v<T, std::uint64_t>)
            assign(g_value_get_uint64(value));
        else if constexpr (std::is_same_v<T, float>)
            assign(g_value_get_float(value));
        else
            assign(g_value_get_double(value));
    }

    void commit() override { value_.store(given_); }

  private:
    template <class Spec>
    GParamSpec *number_spec(GType kind) const {
        auto *spec = static_cast<Spec *>(new_strict_spec(kind, name_, blurb_, flags(true)));
        spec->minimum = range_.min;
        spec->maximum = range_.max;
        spec->default_value = initial_.value;
        auto *base = reinterpret_cast<GParamSpec *>(spec);
        set_automatic_values(base, initial_.automatic);
        return base;
    }
    void assign(T value) {
        given_ = value;
        if (!must_wait())
            value_ = value;
    }

    static_assert(std::is_arithmetic_v<T>);
    const Initial<T> initial_;
    const Range<T> range_;
    std::atomic<T> given_, value_;
};

// Text; an empty string stands for NULL in both directions.
template <>
class GST_TOMO_API Property<std::string> final : public PropertyBase {
  public:
    Property(Element *owner, const char *name, const char *initial, When when, const char *blurb)
        : PropertyBase(owner, name, when, blurb), initial_(initial), given_(initial), value_(initial) {}
    Property(Element *owner, const char *name, const char *initial, const char *blurb)
        : Property(owner, name, initial, When::live, blurb) {}

    std::string value() const {
        std::lock_guard<std::mutex> lock(lock_);
        return value_;
    }
    operator std::string() const { return value(); }

    GParamSpec *make_spec(const std::string &prefix) const override;
    void get(GValue *value) const override;
    void set(const GValue *value) override;
    void commit() override;

  private:
    const std::string initial_;
    mutable std::mutex lock_;
    std::string given_, value_;
};

// A read-only number that the element finds. It is 0 at first; the thread that finds a value notifies it. If
// it is bound to a property further down the stream, a value reported while an array is processed takes
// effect there with the next array that the element pushes, usually that array.
class GST_TOMO_API Result final : public PropertyBase {
  public:
    Result(Element *owner, const char *name, Range<double> range, const char *blurb)
        : PropertyBase(owner, name, When::live, blurb), range_(range) {}
    Result(Element *owner, const char *name, const char *blurb) : Result(owner, name, {}, blurb) {}

    void report(double value);

    GParamSpec *make_spec(const std::string &prefix) const override;
    void get(GValue *value) const override { g_value_set_double(value, value_.load()); }
    void set(const GValue *) override {}

  private:
    const Range<double> range_;
    std::atomic<double> value_{0.0};
};

// A list of numbers, <1.0, 2.0> in gst-launch.
template <>
class GST_TOMO_API Property<std::vector<double>> final : public PropertyBase {
  public:
    // `range` is that of each number.
    Property(Element *owner, const char *name, Range<double> range, When when, const char *blurb)
        : PropertyBase(owner, name, when, blurb), range_(range) {}
    Property(Element *owner, const char *name, When when, const char *blurb)
        : Property(owner, name, {}, when, blurb) {}
    Property(Element *owner, const char *name, const char *blurb)
        : Property(owner, name, When::live, blurb) {}

    std::vector<double> value() const {
        std::lock_guard<std::mutex> lock(lock_);
        return value_;
    }

    GParamSpec *make_spec(const std::string &prefix) const override;
    void get(GValue *value) const override;
    void set(const GValue *value) override;
    void commit() override;

  private:
    const Range<double> range_;
    mutable std::mutex lock_;
    std::vector<double> given_, value_;
};

// The common part of enumerated properties, independent of their C++ enumeration.
class GST_TOMO_API ChoiceBase : public PropertyBase {
  public:
    struct Option {
        int value;
        const char *nick;
        const char *meaning;
    };

    GParamSpec *make_spec(const std::string &prefix) const override;
    void get(GValue *value) const override { g_value_set_enum(value, given_.load()); }
    void set(const GValue *value) override;
    void commit() override { value_.store(given_); }

    const char *nick() const;

  protected:
    ChoiceBase(Element *owner, const char *name, int initial, std::vector<Option> options, When when,
               const char *blurb)
        : PropertyBase(owner, name, when, blurb), initial_(initial), options_(std::move(options)),
          given_(initial), value_(initial) {}

    const int initial_;
    const std::vector<Option> options_;
    std::atomic<int> given_, value_;
};

template <class Enum>
class Choice final : public ChoiceBase {
  public:
    struct Named {
        Enum value;
        const char *nick;
        const char *meaning;
    };
    Choice(Element *owner, const char *name, Enum initial, std::initializer_list<Named> options, When when,
           const char *blurb)
        : ChoiceBase(owner, name, static_cast<int>(initial), erase(options), when, blurb) {}
    Choice(Element *owner, const char *name, Enum initial, std::initializer_list<Named> options,
           const char *blurb)
        : Choice(owner, name, initial, options, When::live, blurb) {}

    operator Enum() const { return static_cast<Enum>(value_.load()); }
    Enum value() const { return *this; }

  private:
    static std::vector<Option> erase(std::initializer_list<Named> named) {
        std::vector<Option> options;
        for (const auto &n : named)
            options.push_back({static_cast<int>(n.value), n.nick, n.meaning});
        return options;
    }
};

} // namespace tomo
