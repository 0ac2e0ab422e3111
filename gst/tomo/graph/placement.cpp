// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/device/device-list.hpp>
#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/graph/placement.hpp>
#include <gst/tomo/graph/ports.hpp>

#include <algorithm>
#include <cstring>

namespace tomo {

namespace {

class Finder {
  public:
    explicit Finder(const Graph &graph) : graph_(graph), into_(graph.nodes().size()), from_(into_.size()) {
        for (const auto &edge : graph.edges()) {
            into_[edge.to].push_back(&edge);
            from_[edge.from].push_back(&edge);
        }
        for (std::size_t n = 0; n < into_.size(); n++)
            may_be_copied_.push_back(may_be_copied(n));
    }

    std::vector<Placement::Chain> chains() const {
        std::vector<Placement::Chain> found;
        for (std::size_t n = 0; n < into_.size(); n++) {
            if (!may_be_copied_[n] || may_be_copied_[into_[n].front()->from])
                continue;
            Placement::Chain chain;
            for (std::size_t each = n; may_be_copied_[each]; each = from_[each].front()->to)
                chain.push_back(each);
            // Queues and caps stay where they are, unless they stand among nodes that compute.
            const auto computes = [this](std::size_t node) { return this->computes(node); };
            const auto first = std::find_if(chain.begin(), chain.end(), computes);
            const auto last = std::find_if(chain.rbegin(), chain.rend(), computes).base();
            if (first != chain.end())
                found.emplace_back(first, last);
        }
        return found;
    }

  private:
    GstElement *element(std::size_t node) const { return graph_.nodes()[node].element.get(); }
    bool is_of_kind(std::size_t node, const char *klass) const {
        const auto *text =
            gst_element_class_get_metadata(GST_ELEMENT_GET_CLASS(element(node)), GST_ELEMENT_METADATA_KLASS);
        return text && std::strstr(text, klass);
    }

    bool may_be_copied(std::size_t node) const {
        const auto *ours = element_of(element(node));
        if (into_[node].size() != 1 || from_[node].size() != 1 || !gst_element_get_factory(element(node)) ||
            !why_not_side_by_side(element(node)).empty() || is_of_kind(node, "Analyzer") ||
            (ours && !ours->device_selector.value().empty()))
            return false;
        // Pads that are there from the beginning.
        const auto &source = *into_[node].front();
        if (output_name(element(source.from), source.output).empty() &&
            !is_made_by(element(source.from), "tee"))
            return false;
        const auto &bindings = graph_.bindings();
        return std::none_of(bindings.begin(), bindings.end(), [&](const auto &b) { return b.from == node; });
    }

    // Not only moves arrays between host and device.
    bool computes(std::size_t node) const {
        const auto *ours = element_of(element(node));
        return ours && ours->needs_device() && is_of_kind(node, "Effect");
    }

    const Graph &graph_;
    std::vector<std::vector<const Graph::Edge *>> into_, from_; // of each node
    std::vector<bool> may_be_copied_;
};

} // namespace

Placement place(const Graph &graph, const std::string &devices) {
    const auto all = all_devices();
    const auto chosen = choose_devices(all, devices);
    Placement placement;
    for (const auto index : chosen)
        placement.devices.push_back({index, all[index].name});
    std::vector<bool> is_placed(graph.nodes().size());
    if (chosen.size() > 1)
        placement.chains = Finder(graph).chains();
    for (const auto &chain : placement.chains)
        for (const auto node : chain)
            is_placed[node] = true;
    if (std::find(chosen.begin(), chosen.end(), choose_device(all, {})) != chosen.end())
        return placement;
    for (std::size_t n = 0; n < is_placed.size(); n++) {
        const auto *ours = element_of(graph.nodes()[n].element.get());
        if (!is_placed[n] && ours && ours->needs_device() && ours->device_selector.value().empty())
            placement.moved.push_back(n);
    }
    return placement;
}

std::string Placement::device_list() const {
    std::string list;
    for (const auto &device : devices)
        list += (list.empty() ? "" : ",") + std::to_string(device.index);
    return list;
}

Json Placement::to_json(const Graph &graph) const {
    Json list = Json::list();
    for (const auto &chain : chains) {
        Json nodes = Json::list(), where = Json::list(), part = Json::object();
        for (const auto node : chain)
            nodes.add(Json::text(graph.nodes()[node].name));
        for (const auto &device : devices) {
            Json one = Json::object();
            one.set("index", Json::integer(guint64{device.index}));
            one.set("name", Json::text(device.name));
            where.add(std::move(one));
        }
        part.set("nodes", std::move(nodes));
        part.set("devices", std::move(where));
        list.add(std::move(part));
    }
    return list;
}

} // namespace tomo
