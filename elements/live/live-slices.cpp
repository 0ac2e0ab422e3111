// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plane.hpp"
#include "slice-properties.hpp"

#include <gst/tomo/bases/element.hpp>

#include <algorithm>
#include <charconv>
#include <map>

using namespace tomo;

namespace {

// What makes the slices of one pad.
struct Branch {
    ObjectRef<GstElement> queue, slice;
    ObjectRef<GstPad> tee, ghost; // where the stream comes in, and where slices go out
};

class LiveSlices final : public Element {
  public:
    static constexpr Info info{
        .task = "live-slices",
        .klass = "Filter/Effect",
        .blurb =
            "Backprojects the newest projections of a parallel beam to slices along any planes, one pad for each plane",
        .in = formats::real,
        .details =
            R"(Pad `src_0` has the slices of the first plane of `planes`, `src_1` those of the second one, and so on. Planes, axis and roll may
change at any time: slices after that show the new plane, and their caps its new size. The action signal `show` sets one plane by its
number and its text, and returns whether it can be shown.

[tomoliveslice](#tomoliveslice) tells how planes are written, where they lie, and how slices are computed. Each pad has a thread of its own,
in which slices are made one after the other, of the projections that are the newest ones when one begins. With `drop` projections that
come meanwhile have no slices of their own; the ring of `tomoprojectionring` keeps them all the same. Without, the stream waits for each
slice, as is right for files. Slices have the time and the number of their newest projection.)",
        .example =
            "tomoread path=projections ! tomocalculate expression='-log(v)' ! tomorampfilter ! tomoprojectionring "
            "angle-step=0.01745 views=180 ! tomoliveslices name=s planes='z=0;x=-20,width=64' drop=false s.src_0 ! tomowrite "
            "filename=across.tif s.src_1 ! tomowrite filename=along.tif",
    };

    Property<std::string> planes{
        this, "planes", "x=0;y=0;z=0",
        "Planes with semicolons between, such as z=3.5 or x=0,width=256,step=2, in pixels from the axis and the middle row"};
    live::SliceProperties common{this, When::reshapes};
    Property<bool> drop{this, "drop", true, When::reshapes,
                        "Whether slices are left out where projections come faster than slices are made"};

    static GType parent_type();
    bool needs_device() const override { return false; }
    void describe_pads(GstElementClass *klass) const override;
    void attach() override;
    void property_changed(PropertyBase *property) override;

    GstPad *request_slices(GstPadTemplate *templ, const gchar *name);
    void release_slices(GstPad *pad);
    // To PAUSED. Throws Error where a pad has no plane.
    void check();
    bool show(unsigned number, const std::string &text);

  private:
    // Throws Error on a text that is no plane.
    static std::vector<std::string> checked(const std::string &planes);
    // A new element of the bin.
    ObjectRef<GstElement> part(const char *factory, const std::string &name);
    void configure(unsigned number, const Branch &branch) const;

    ObjectRef<GstElement> tee_;
    std::mutex lock_;
    std::map<unsigned, Branch> branches_; // by the numbers of their pads
    std::vector<std::string> texts_;      // of the planes in force
    std::optional<Error> problem_;        // why the planes that were set are not in force
};

std::vector<std::string> LiveSlices::checked(const std::string &planes) {
    auto texts = live::plane_texts(planes);
    for (const auto &one : texts)
        live::Plane{one};
    return texts;
}

ObjectRef<GstElement> LiveSlices::part(const char *factory, const std::string &name) {
    auto *element = gst_element_factory_make(factory, name.c_str());
    if (!element)
        throw Error(GST_CORE_ERROR_MISSING_PLUGIN,
                    text("GStreamer has no element %s: install its core elements", factory));
    auto owned = ObjectRef<GstElement>::referenced(element);
    gst_bin_add(GST_BIN(gst()), element);
    return owned;
}

void LiveSlices::attach() {
    tee_ = part("tee", "tee");
    g_object_set(tee_.get(), "allow-not-linked", TRUE, nullptr);
    const ObjectRef<GstPad> sink(gst_element_get_static_pad(tee_.get(), "sink"));
    gst_element_add_pad(gst(), gst_ghost_pad_new_from_template("sink", sink.get(),
                                                               gst_element_get_pad_template(gst(), "sink")));
    texts_ = checked(planes);
}

void LiveSlices::configure(unsigned number, const Branch &branch) const {
    if (number < texts_.size())
        g_object_set(branch.slice.get(), "plane", texts_[number].c_str(), nullptr);
    g_object_set(branch.slice.get(), "axis-pos", common.axis_pos.value(), "roll", common.roll.value(),
                 "every", common.every.value(), nullptr);
    // One that waits, the newest one; or as few as keep both sides at work.
    gst_util_set_object_arg(G_OBJECT(branch.queue.get()), "leaky", drop ? "downstream" : "no");
    g_object_set(branch.queue.get(), "max-size-buffers", drop ? 1u : 2u, nullptr);
}

void LiveSlices::property_changed(PropertyBase *property) {
    const std::lock_guard<std::mutex> lock(lock_);
    if (property == &planes) {
        try {
            texts_ = checked(planes);
            problem_.reset();
        } catch (const Error &e) {
            problem_ = e;
            if (GST_STATE(gst()) > GST_STATE_READY)
                warn(text("%s. The planes stay as they were", e.what()));
            return;
        }
    }
    for (const auto &[number, branch] : branches_)
        configure(number, branch);
}

void LiveSlices::check() {
    const std::lock_guard<std::mutex> lock(lock_);
    if (problem_)
        throw Error(*problem_);
    for (const auto &[number, branch] : branches_)
        if (number >= texts_.size())
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("pad src_%u has no plane: planes has %zu, '%s', whose pads begin with src_0",
                             number, texts_.size(), planes.value().c_str()));
}

bool LiveSlices::show(unsigned number, const std::string &plane) {
    std::string joined;
    {
        const std::lock_guard<std::mutex> lock(lock_);
        auto texts = texts_;
        if (number >= texts.size()) {
            warn(text("there is no plane %u: planes has %zu, the first one is 0", number, texts.size()));
            return false;
        }
        try {
            live::Plane{plane};
        } catch (const Error &e) {
            warn(e.what());
            return false;
        }
        texts[number] = plane;
        for (const auto &one : texts)
            joined += (joined.empty() ? "" : ";") + one;
    }
    g_object_set(gst(), "planes", joined.c_str(), nullptr);
    return true;
}

GstPad *LiveSlices::request_slices(GstPadTemplate *templ, const gchar *name) {
    const std::lock_guard<std::mutex> lock(lock_);
    unsigned number = 0;
    if (name) {
        const std::string_view digits(name + std::strlen("src_"));
        if (std::from_chars(digits.begin(), digits.end(), number).ptr != digits.end() ||
            branches_.contains(number))
            return nullptr;
    } else {
        while (branches_.contains(number))
            number++;
    }
    Branch branch{
        part("queue", text("queue-%u", number)), part("tomoliveslice", text("slice-%u", number)), {}, {}};
    g_object_set(branch.queue.get(), "max-size-bytes", 0u, "max-size-time", guint64{0}, nullptr);
    configure(number, branch);
    gst_element_link(branch.queue.get(), branch.slice.get());
    const ObjectRef<GstPad> target(gst_element_get_static_pad(branch.slice.get(), "src"));
    branch.ghost = ObjectRef<GstPad>::referenced(
        gst_ghost_pad_new_from_template(text("src_%u", number).c_str(), target.get(), templ));
    if (GST_STATE(gst()) > GST_STATE_READY)
        gst_pad_set_active(branch.ghost.get(), TRUE);
    gst_element_add_pad(gst(), branch.ghost.get());
    for (auto *element : {branch.slice.get(), branch.queue.get()})
        gst_element_sync_state_with_parent(element);
    branch.tee = ObjectRef<GstPad>(gst_element_request_pad_simple(tee_.get(), "src_%u"));
    const ObjectRef<GstPad> sink(gst_element_get_static_pad(branch.queue.get(), "sink"));
    gst_pad_link(branch.tee.get(), sink.get());
    auto *pad = branch.ghost.get();
    branches_.emplace(number, std::move(branch));
    return pad;
}

void LiveSlices::release_slices(GstPad *pad) {
    Branch branch;
    {
        const std::lock_guard<std::mutex> lock(lock_);
        const auto found = std::find_if(branches_.begin(), branches_.end(),
                                        [&](const auto &one) { return one.second.ghost.get() == pad; });
        if (found == branches_.end())
            return;
        branch = std::move(found->second);
        branches_.erase(found);
    }
    gst_element_release_request_pad(tee_.get(), branch.tee.get());
    gst_pad_set_active(pad, FALSE);
    gst_element_remove_pad(gst(), pad);
    for (auto *element : {branch.queue.get(), branch.slice.get()}) {
        gst_element_set_locked_state(element, TRUE);
        gst_element_set_state(element, GST_STATE_NULL);
        if (GST_OBJECT_PARENT(element) ==
            GST_OBJECT_CAST(gst())) // a bin that ends has left its elements before its pads
            gst_bin_remove(GST_BIN(gst()), element);
    }
}

} // namespace

// GObject
// --------------------------------------------------------------------------------------------------------

struct GstTomoLiveSlicesBin {
    GstBin parent;
};
struct GstTomoLiveSlicesBinClass {
    GstBinClass parent;
};
G_DEFINE_ABSTRACT_TYPE(GstTomoLiveSlicesBin, gst_tomo_live_slices_bin, GST_TYPE_BIN)

static LiveSlices *slices_of(gpointer gst) {
    return static_cast<LiveSlices *>(element_of(GST_ELEMENT_CAST(gst)));
}

static GstStateChangeReturn gst_tomo_live_slices_bin_change_state(GstElement *gst,
                                                                  GstStateChange transition) {
    auto *slices = slices_of(gst);
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !slices->guard([&] {
            slices->forget_error();
            slices->check();
        }))
        return GST_STATE_CHANGE_FAILURE;
    return GST_ELEMENT_CLASS(gst_tomo_live_slices_bin_parent_class)->change_state(gst, transition);
}

static GstPad *gst_tomo_live_slices_bin_request_new_pad(GstElement *gst, GstPadTemplate *templ,
                                                        const gchar *name, const GstCaps *) {
    auto *slices = slices_of(gst);
    return slices->guard<GstPad *>(nullptr, [&] { return slices->request_slices(templ, name); });
}

static void gst_tomo_live_slices_bin_release_pad(GstElement *gst, GstPad *pad) {
    auto *slices = slices_of(gst);
    slices->guard([&] { slices->release_slices(pad); });
}

static gboolean gst_tomo_live_slices_bin_show(GstElement *gst, guint number, const gchar *plane) {
    auto *slices = slices_of(gst);
    return slices->guard<gboolean>(FALSE, [&] { return slices->show(number, plane ? plane : ""); });
}

static void gst_tomo_live_slices_bin_init(GstTomoLiveSlicesBin *) {}

static void gst_tomo_live_slices_bin_class_init(GstTomoLiveSlicesBinClass *klass) {
    GST_ELEMENT_CLASS(klass)->change_state = gst_tomo_live_slices_bin_change_state;
    GST_ELEMENT_CLASS(klass)->request_new_pad = gst_tomo_live_slices_bin_request_new_pad;
    GST_ELEMENT_CLASS(klass)->release_pad = gst_tomo_live_slices_bin_release_pad;
    g_signal_new_class_handler("show", G_TYPE_FROM_CLASS(klass),
                               static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                               G_CALLBACK(gst_tomo_live_slices_bin_show), nullptr, nullptr, nullptr,
                               G_TYPE_BOOLEAN, 2, G_TYPE_UINT, G_TYPE_STRING);
}

GType LiveSlices::parent_type() { return gst_tomo_live_slices_bin_get_type(); }

void LiveSlices::describe_pads(GstElementClass *klass) const {
    const CapsRef in(template_caps(info.in)), out(template_caps(info.out));
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, in.get()));
    gst_element_class_add_pad_template(
        klass, gst_pad_template_new("src_%u", GST_PAD_SRC, GST_PAD_REQUEST, out.get()));
}

TOMO_ELEMENT(LiveSlices)
