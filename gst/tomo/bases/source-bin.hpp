// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/source.hpp>

namespace tomo {

// A source with several outputs. Each output that is linked, at the start or later, has a Source of its own
// with its own thread, so none waits for the consumer of another one. An output that is not linked is never
// read.
class GST_TOMO_API SourceBin : public Element {
  public:
    static GType parent_type();

    struct Output {
        const char *name;
        // Often without arrays; not among the outputs that programs offer as a group.
        bool is_optional = false;
    };
    // The main one first.
    virtual std::vector<Output> outputs() const = 0;
    // The Source behind an output, made with make_source(). Called after start().
    virtual ObjectRef<GstElement> source(const char *output) = 0;

    // Makes a Source that is not registered as an element. `S` has an Info like all elements.
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
