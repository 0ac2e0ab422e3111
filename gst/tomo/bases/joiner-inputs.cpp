// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner-inputs.hpp>

#include <algorithm>

namespace tomo {

void JoinerInputs::declare(const std::vector<Joiner::Input> &inputs) {
    is_numbered_ = inputs.empty();
    for (const auto &input : inputs) {
        auto port = std::make_shared<Port>();
        port->name = input.name;
        port->optional = input.optional;
        ports_.push_back(std::move(port));
    }
}

JoinerInputs::PortRef JoinerInputs::find(const std::string &name) const {
    const auto found =
        std::find_if(ports_.begin(), ports_.end(), [&](const auto &port) { return port->name == name; });
    return found == ports_.end() ? nullptr : *found;
}

std::string JoinerInputs::free_name() const {
    unsigned n = 0;
    while (find(text("sink_%u", n)))
        n++;
    return text("sink_%u", n);
}

JoinerInputs::PortRef JoinerInputs::add(const std::string &name) {
    auto port = std::make_shared<Port>();
    port->name = name;
    ports_.push_back(port);
    // In the order of their numbers, whatever the order of the requests.
    std::sort(ports_.begin(), ports_.end(), [](const auto &a, const auto &b) {
        return std::stoul(a->name.substr(5)) < std::stoul(b->name.substr(5));
    });
    return port;
}

GstAggregatorPad *JoinerInputs::create_pad(GstPadTemplate *templ, const char *name) {
    std::lock_guard<std::mutex> lock(lock_);
    std::string wanted = name ? name : GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
    if (is_numbered_) {
        if (!name || wanted == "sink_%u")
            wanted = free_name();
        unsigned number = 0;
        char rest = 0;
        if (std::sscanf(wanted.c_str(), "sink_%u%c", &number, &rest) != 1) {
            g_warning("%s: no input %s; inputs are sink_0, sink_1, ...", GST_OBJECT_NAME(joiner_.gst()),
                      wanted.c_str());
            return nullptr;
        }
        wanted = text("sink_%u", number);
    }
    PortRef port = find(wanted);
    if (port && port->is_taken) {
        g_warning("%s: input %s is taken", GST_OBJECT_NAME(joiner_.gst()), wanted.c_str());
        return nullptr;
    }
    if (!port && !is_numbered_)
        return nullptr;
    if (!port)
        port = add(wanted);
    port->pad = GST_AGGREGATOR_PAD(g_object_new(GST_TYPE_AGGREGATOR_PAD, "name", wanted.c_str(), "direction",
                                                GST_PAD_SINK, "template", templ, nullptr));
    port->is_taken = true;
    return port->pad;
}

void JoinerInputs::release_pad(GstPad *pad, const std::function<void()> &remove) {
    const auto released = port(GST_AGGREGATOR_PAD(pad));
    if (released) {
        std::lock_guard<std::mutex> lock(lock_);
        released->pad = nullptr;
        released->has_info = false;
        released->is_new = true;
        released->last = {};
    }
    // Its name is free only when the element has lost it.
    remove();
    std::lock_guard<std::mutex> lock(lock_);
    if (released)
        released->is_taken = false;
    if (is_numbered_)
        ports_.erase(std::remove(ports_.begin(), ports_.end(), released), ports_.end());
}

void JoinerInputs::check_all_linked(unsigned wanted) {
    std::lock_guard<std::mutex> lock(lock_);
    if (ports_.empty())
        throw Error(GST_CORE_ERROR_PAD, "no input is linked; inputs are sink_0, sink_1, ...");
    for (const auto &port : ports_)
        if (!port->pad && !port->optional)
            throw Error(GST_CORE_ERROR_PAD, text("input %s is not linked", port->name.c_str()));
    if (wanted && ports_.size() != wanted)
        throw Error(GST_CORE_ERROR_PAD, text("%zu inputs are linked, wanted are %u", ports_.size(), wanted));
}

JoinerInputs::PortRef JoinerInputs::port(GstAggregatorPad *pad) {
    std::lock_guard<std::mutex> lock(lock_);
    for (const auto &port : ports_)
        if (port->pad == pad)
            return port;
    return nullptr;
}

bool JoinerInputs::is_main(const PortRef &port) {
    std::lock_guard<std::mutex> lock(lock_);
    return !ports_.empty() && port == ports_.front();
}

void JoinerInputs::set_info(Port &port, const ArrayInfo &info) {
    std::lock_guard<std::mutex> lock(lock_);
    port.info = info;
    port.has_info = true;
}

void JoinerInputs::forget_infos() {
    std::lock_guard<std::mutex> lock(lock_);
    for (const auto &port : ports_)
        port->has_info = false;
}

std::vector<ObjectRef<GstPad>> JoinerInputs::linked_pads() {
    std::lock_guard<std::mutex> lock(lock_);
    std::vector<ObjectRef<GstPad>> pads;
    for (const auto &port : ports_)
        if (port->pad && gst_pad_is_linked(GST_PAD_CAST(port->pad)))
            pads.emplace_back(ObjectRef<GstPad>::referenced(GST_PAD_CAST(port->pad)));
    return pads;
}

} // namespace tomo
