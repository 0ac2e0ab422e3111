// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The common part of all elements: description, properties, device, kernels, errors.
//
// An element is a C++ class derived from one of the bases Filter, Reducer, Joiner, Source, SourceBin or Sink.
// It has a `static constexpr Info info`, its properties as members, and the functions that its base asks for.
// The line TOMO_ELEMENT(Class) at the end of its file registers it as a GStreamer element.
#pragma once

#include <gst/tomo/bases/property.hpp>
#include <gst/tomo/bases/until-stop.hpp>
#include <gst/tomo/compute/compute.hpp>
#include <gst/tomo/gsttomocontext.h>
#include <gst/tomo/gsttomomemory.h>
#include <gst/tomo/gsttomometa.h>

#include <cstring>

namespace tomo {

class EffectiveValues;

// Sets of formats, for Info.
namespace formats {
constexpr unsigned bit(GstTomoFormat f) { return 1u << f; }
constexpr unsigned uint8 = bit(GST_TOMO_FORMAT_UINT8), uint16 = bit(GST_TOMO_FORMAT_UINT16),
                   uint32 = bit(GST_TOMO_FORMAT_UINT32), int16 = bit(GST_TOMO_FORMAT_INT16),
                   int32 = bit(GST_TOMO_FORMAT_INT32), float16 = bit(GST_TOMO_FORMAT_FLOAT16),
                   float32 = bit(GST_TOMO_FORMAT_FLOAT32), float64 = bit(GST_TOMO_FORMAT_FLOAT64),
                   complex64 = bit(GST_TOMO_FORMAT_COMPLEX64);
constexpr unsigned real = uint8 | uint16 | uint32 | int16 | int32 | float16 | float32 | float64;
constexpr unsigned all = real | complex64;
} // namespace formats

struct Info {
    const char *task;  // name with hyphens; the element's name is "tomo" and this without hyphens
    const char *klass; // Klass in gst-inspect
    const char *blurb; // one sentence: the operation, with the shapes of input and output
    unsigned in = formats::real;
    unsigned out = formats::float32;
    // For the reference, in Markdown: formula with its source, treatment of edges, NaN and depth. Does not
    // repeat the blurbs of properties.
    const char *details = "";
    // Lines for gst-launch. A test runs each in a folder with the files of tests/support/example_files.py.
    const char *example = "";
};

// Why an element waits for nothing any more: a flush, a stop, or an end that somebody sent to a source.
enum class Cancel : unsigned { flush = 1, stop = 2, end = 4 };

enum class OutputPlace { any, device, host }; // where an output may lie

// The facts about an element class that GStreamer needs.
struct Descriptor {
    const Info *info;
    std::unique_ptr<Element> (*make)();
    GType (*parent)();
};

class GST_TOMO_API Element : public Compute {
    // First, because later members add themselves to these lists when they are constructed.
    std::vector<PropertyBase *> properties_;
    std::vector<UntilStopBase *> until_stop_;

  public:
    Element();
    ~Element() override;

    // Functions that an element may override
    // ---------------------------------------------------------------------------

    // Going to READY, with the device known: builds kernels and tables. They must survive `stop`.
    virtual void prepare() {}
    // Going to PAUSED and back to READY; also called when the device changed.
    virtual void start() {}
    virtual void stop() {}
    // Whether the element computes on a device. One that does not works without any OpenCL device.
    virtual bool needs_device() const { return true; }
    // The file in which `kernel` looks by default.
    std::string kernel_file_name() const override { return std::string(info().task) + ".cl"; }

    // Functions for elements, besides all of Compute
    // ----------------------------------------------------------------------------------------

    GstElement *gst() const { return gst_; }
    const Info &info() const { return *descriptor_->info; }

    // A warning on the bus; the stream goes on.
    void warn(const std::string &message);
    // An information on the bus, about nothing wrong.
    void inform(const std::string &message);
    void post_error(const Error &error);
    void post_message(GstStructure *structure); // transfer full

    // Reports the values in force where properties leave them open (automatic values, those of the scan), in
    // an element message "tomo-effective" and to the element that writes the result. The message has a field
    // for each value; NAME-units and NAME-source give its unit and its origin ("property", "scan", "found",
    // "assumed"), and "text" is a sentence for people. Values of a later report replace those of the same
    // name; a report that changes nothing is not posted.
    void report_effective(const EffectiveValues &values);
    // All values reported since the start; null for none.
    StructurePtr effective_values() const;

    // Runs `f` so that no exception leaves C++: errors are posted and `failed` is returned.
    template <class R, class F>
    R guard(R failed, F f) noexcept {
        try {
            return f();
        } catch (const Flushing &) {
        } catch (...) {
            post_error(current_error());
        }
        return failed;
    }
    // The same for code that goes on after a failure: whether `f` came to its end.
    template <class F>
    bool guard(F f) noexcept {
        return guard(false, [&] { return f(), true; });
    }
    GstFlowReturn guard_flow(const std::function<GstFlowReturn()> &f) noexcept;

    Property<std::string> device_selector{
        this, "device", "", When::ready,
        "OpenCL device: an index over all devices, or a part of its name. Not set: the device of the "
        "incoming buffers, else environment variable GST_TOMO_DEVICE, else the best one"};

    // For the bases and the glue to GObject
    // ------------------------------------------------------------------

    void add(PropertyBase *property) { properties_.push_back(property); }
    void add(UntilStopBase *member) { until_stop_.push_back(member); }
    // Calls stop(), and resets the members that live until the stop.
    void stop_and_forget() noexcept;
    const std::vector<PropertyBase *> &properties() const { return properties_; }
    PropertyBase *property(unsigned id) const {
        return id >= 1 && id <= properties_.size() ? properties_[id - 1] : nullptr;
    }
    virtual void property_changed(PropertyBase *) {}
    // Sets a property for the application. Refuses, with a warning, a value out of the property's range, and,
    // while the stream runs, a change of a property that may change only before the start.
    void set_property(PropertyBase *property, const GValue *value, GParamSpec *spec);
    // Throws Error if the property can't change now.
    void check_may_change(const PropertyBase &property) const;
    // The stream begins: properties of When::ready keep their values until thaw_properties(). Throws Error if
    // a property was given a value that it does not take.
    void freeze_properties();
    void thaw_properties();
    // Sets the properties that a GstController drives to their values at this time. Throws Error on a value
    // out of range.
    void follow_time(GstClockTime stream_time);
    // Whether reshaping properties wait for commit_properties(), which the bases call between frames.
    bool adapts_at_frames() const { return adapts_at_frames_; }
    void adapt_at_frames(bool active);
    void commit_properties();
    // The device has changed: kernels and tables of the earlier one are gone.
    virtual void device_changed() {}
    void forget_effective();
    virtual void describe_pads(GstElementClass *klass) const = 0;
    virtual void attach() {}

    bool open();   // to READY
    bool reopen(); // before the start, where a property has changed since
    void close();  // to NULL
    void forget_error() { failed_ = false; }
    // Another element has posted the error: this stream is broken as well.
    void join_error() { failed_ = true; }
    // Lets the next buffer choose the device.
    void allow_device_change() { device_is_settled_ = false; }
    bool has_failed() const { return failed_; }
    bool handle_context_query(GstQuery *query);
    // For threads other than the streaming thread, which may change the device; null where none is open.
    std::shared_ptr<Device> current_device();
    void set_context(GstContext *context);

    // An array from any buffer. Buffers of this library are used as they are, others are copied to pinned
    // memory first.
    Array import(GstBuffer *buffer, const ArrayInfo &info);
    // A stop, a flush or an end begins, in any thread: the element stops waiting for memory. go_on() ends
    // this with the flush or with the next start; the end of one does not end the other.
    void cancel(Cancel reason);
    void go_on(Cancel reason);
    void go_on(); // ends all reasons
    bool is_cancelled() const { return cancelled_ != 0; }
    bool is_cancelled(Cancel reason) const { return cancelled_ & static_cast<unsigned>(reason); }
    // For elements that wait by themselves: they have to stop waiting.
    virtual void cancelled_changed() {}
    Patience patience() const override;

  private:
    void adopt(const std::shared_ptr<Device> &device);
    void let_start_return() const;
    bool look_for_context(const std::string &selector);
    void refuse(const PropertyBase &property, const GValue *value, GParamSpec *spec);

    const Descriptor *descriptor_;
    GstElement *gst_;
    std::recursive_mutex context_lock_;
    ObjectRef<GstTomoContext> context_;

    std::atomic<unsigned> cancelled_{0}; // bits of Cancel
    std::recursive_mutex posting_;
    mutable std::mutex effective_lock_;
    StructurePtr effective_;
    std::atomic<bool> failed_{false}; // the error is on the bus
    std::atomic<bool> adapts_at_frames_{false};
    // For setting properties, and for the members up to control_problem_.
    mutable std::recursive_mutex settings_lock_;
    bool is_frozen_ = false, is_outdated_ = false;
    std::map<const PropertyBase *, std::string> refused_; // why the last value given was refused
    GThread *following_ = nullptr;                        // the thread in follow_time()
    std::string control_problem_;

    bool device_is_settled_ = false; // the first buffer has been seen
};

// Caps of a set of formats, in both kinds of memory; peers shall prefer the kind `first`.
enum class FirstChoice { device, host };
GST_TOMO_API GstCaps *template_caps(unsigned formats, FirstChoice first = FirstChoice::device);

// Registration
// ------------------------------------------------------------------------------------------------

GST_TOMO_API gboolean register_element(GstPlugin *plugin, const Descriptor &descriptor);
// The type without a factory, for elements that only other elements create.
GST_TOMO_API GType element_type(const Descriptor &descriptor);
GST_TOMO_API Element *element_of(GstElement *gst);

template <class E>
std::unique_ptr<Element> make_element() {
    return std::make_unique<E>();
}

} // namespace tomo

#define TOMO_ELEMENT(Class)                                                                                  \
    gboolean tomo_register_##Class(GstPlugin *plugin);                                                       \
    gboolean tomo_register_##Class(GstPlugin *plugin) {                                                      \
        static const ::tomo::Descriptor descriptor{&Class::info, ::tomo::make_element<Class>,                \
                                                   Class::parent_type};                                      \
        return ::tomo::register_element(plugin, descriptor);                                                 \
    }
