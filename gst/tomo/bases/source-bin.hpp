// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/source.hpp>

namespace tomo {

// A source with several outputs. Each output that is linked when the element starts, or later, has a Source
// of its own with its own thread, so that none waits for what another one's consumer does; one that is not
// linked is never read.
class GST_TOMO_API SourceBin : public Element {
  public:
    static GType parent_type();

    struct Output {
        const char *name;
        bool is_optional = false; // often without arrays; not among those that programs give all at once
    };
    // The main one first.
    virtual std::vector<Output> outputs() const = 0;
    // The Source behind an output, made with make_source(). Called after start().
    virtual ObjectRef<GstElement> source(const char *output) = 0;

    // A Source that is no element to its users. `S` has an Info as all elements.
    template <class S>
    static ObjectRef<GstElement> make_source(const char *name) {
        static const Descriptor descriptor{&S::info, make_element<S>, S::parent_type};
        return ObjectRef<GstElement>(GST_ELEMENT_CAST(
            gst_object_ref_sink(g_object_new(element_type(descriptor), "name", name, nullptr))));
    }

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;

    void activate();
    bool start_sources();
    void deactivate() noexcept;

  private:
    struct Part {
        GstPad *pad = nullptr; // of the bin, which owns both
        GstElement *source = nullptr;
    };
    void add_source(Part &part);
    static void linked(GstPad *pad, GstPad *peer, GstElement *source);

    std::vector<Part> parts_;
    bool active_ = false;
};

} // namespace tomo
