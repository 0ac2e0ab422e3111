// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "results.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

namespace tool {

namespace {

constexpr guint64 shown_at_first = 5;

std::string number_text(double value) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    return g_ascii_formatd(digits, sizeof digits, "%.7g", value);
}

std::optional<double> number_of(const GValue *value) {
    GValue wide = G_VALUE_INIT;
    g_value_init(&wide, G_TYPE_DOUBLE);
    const bool is_number = !G_VALUE_HOLDS_BOOLEAN(value) && !G_VALUE_HOLDS_STRING(value) &&
                           !G_VALUE_HOLDS_ENUM(value) && g_value_transform(value, &wide);
    const double number = g_value_get_double(&wide);
    g_value_unset(&wide);
    return is_number ? std::optional<double>(number) : std::nullopt;
}

std::string text_of(const GValue *value) {
    if (G_VALUE_HOLDS_STRING(value))
        return g_value_get_string(value) ? g_value_get_string(value) : "";
    if (G_VALUE_HOLDS_DOUBLE(value) || G_VALUE_HOLDS_FLOAT(value))
        return number_text(*number_of(value));
    gchar *written = gst_value_serialize(value);
    const std::string text = written ? written : "";
    g_free(written);
    return text;
}

std::string words(std::string name) {
    std::replace(name.begin(), name.end(), '-', ' ');
    return name;
}

bool ends_with(const std::string &name, const char *end) {
    const std::size_t length = std::strlen(end);
    return name.size() > length && name.compare(name.size() - length, length, end) == 0;
}

struct Field {
    std::string name;
    const GValue *value;
};

std::vector<Field> fields_of(const GstStructure *structure) {
    std::vector<Field> fields;
    for (int i = 0; i < gst_structure_n_fields(structure); i++) {
        const char *name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
        fields.push_back({name, gst_structure_get_value(structure, name)});
    }
    return fields;
}

// Of a message "tomo-..."; null for others.
const GstStructure *structure_of(GstMessage *message) {
    const GstStructure *structure =
        GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT ? gst_message_get_structure(message) : nullptr;
    // Of "tomo-device", the work of a device, progress tells.
    return structure && g_str_has_prefix(gst_structure_get_name(structure), "tomo-") &&
                   !gst_structure_has_name(structure, "tomo-device")
               ? structure
               : nullptr;
}

// A message in parts: "measure: std" "value 3.2" ", image 4, plane 1".
struct Parts {
    std::string label, place;
    std::vector<Field> values;

    Parts(GstMessage *message, const GstStructure *structure) {
        const std::string name = gst_structure_get_name(structure) + std::strlen("tomo-");
        auto *factory = GST_IS_ELEMENT(GST_MESSAGE_SRC(message))
                            ? gst_element_get_factory(GST_ELEMENT(GST_MESSAGE_SRC(message)))
                            : nullptr;
        const char *task = factory ? gst_element_factory_get_metadata(factory, "tomo-task") : nullptr;
        bool says_itself = g_strcmp0(task, name.c_str()) == 0;
        std::string choices;
        for (const Field &field : fields_of(structure)) {
            says_itself = says_itself || field.name == name;
            if (field.name == "index")
                place += ", image " + text_of(field.value);
            else if (field.name == "plane" && text_of(field.value) == "0")
                continue; // most have no other
            else if (field.name == "input" || field.name == "plane")
                place += ", " + field.name + " " + text_of(field.value);
            else if (ends_with(field.name, "-units") || ends_with(field.name, "-source"))
                continue; // beside their value
            else if (field.name == "method" || GST_VALUE_HOLDS_ARRAY(field.value) ||
                     GST_VALUE_HOLDS_LIST(field.value))
                continue; // a setting, and curves, which programs plot
            else if (G_VALUE_HOLDS_STRING(field.value))
                choices += " " + text_of(field.value);
            else
                values.push_back(field);
        }
        label = GST_MESSAGE_SRC_NAME(message) + std::string(":") + (says_itself ? "" : " " + words(name)) +
                choices;
    }
};

// "axis 320.5 pixel (found)"
std::string value_text(const GstStructure *structure, const Field &field) {
    std::string text = words(field.name) + " " + text_of(field.value);
    if (const char *units = gst_structure_get_string(structure, (field.name + "-units").c_str()))
        text += std::string(" ") + units;
    if (const char *source = gst_structure_get_string(structure, (field.name + "-source").c_str()))
        text += std::string(" (") + source + ")";
    return text;
}

} // namespace

std::vector<Number> numbers_of(GstMessage *message) {
    const GstStructure *structure = structure_of(message);
    // Effective values that say nothing in words are for result files.
    if (!structure || gst_structure_has_name(structure, "tomo-effective") ||
        gst_structure_has_field(structure, "text"))
        return {};
    std::optional<guint64> image;
    if (const GValue *index = gst_structure_get_value(structure, "index"))
        if (const auto number = number_of(index))
            image = static_cast<guint64>(*number);
    std::vector<Number> numbers;
    for (const Field &field : Parts(message, structure).values)
        if (const auto number = number_of(field.value)) {
            const char *unit = gst_structure_get_string(structure, (field.name + "-units").c_str());
            numbers.push_back({field.name, unit ? unit : "", *number, image});
        }
    return numbers;
}

std::string sentence_of(GstMessage *message) {
    const GstStructure *structure = structure_of(message);
    const char *text = structure ? gst_structure_get_string(structure, "text") : nullptr;
    return text ? text : "";
}

std::string Results::line_of(GstMessage *message) {
    const GstStructure *structure = structure_of(message);
    if (!structure)
        return {};
    if (const auto text = sentence_of(message); !text.empty()) {
        const std::string line = GST_MESSAGE_SRC_NAME(message) + std::string(": ") + text;
        Sentences &said = sentences_[GST_MESSAGE_SRC_NAME(message)];
        said.last = line;
        return ++said.count <= shown_at_first ? line : "";
    }
    // Those that say nothing in words are for result files.
    if (gst_structure_has_name(structure, "tomo-effective"))
        return {};
    const Parts parts(message, structure);
    if (!kinds_.count(parts.label))
        order_.push_back(parts.label);
    Kind &kind = kinds_[parts.label];
    kind.label = parts.label;
    kind.count++;
    std::string line = parts.label;
    for (const Field &field : parts.values) {
        line += (&field == parts.values.data() ? " " : ", ") + value_text(structure, field);
        const auto number = number_of(field.value);
        if (!number)
            continue;
        auto known = std::find_if(kind.numbers.begin(), kind.numbers.end(),
                                  [&](const auto &n) { return n.first == field.name; });
        if (known == kind.numbers.end())
            known = kind.numbers.insert(known, {field.name, {}});
        Statistics &s = known->second;
        s.last = *number;
        if (!std::isfinite(*number))
            continue;
        const std::string place = parts.place.empty() ? "" : " (" + parts.place.substr(2) + ")";
        if (s.count == 0 || *number < s.least)
            s.least = *number, s.least_place = place;
        if (s.count == 0 || *number > s.most)
            s.most = *number, s.most_place = place;
        s.sum += *number;
        s.count++;
    }
    return kind.count <= shown_at_first ? line + parts.place : "";
}

std::vector<std::string> Results::summary() const {
    std::vector<std::string> lines;
    for (const auto &[name, said] : sentences_)
        if (said.count > shown_at_first)
            lines.push_back(said.last + " (the last of " + std::to_string(said.count) + " such lines)");
    for (const auto &label : order_) {
        const Kind &kind = kinds_.at(label);
        if (kind.count <= shown_at_first)
            continue;
        for (const auto &[name, s] : kind.numbers) {
            std::string line =
                kind.label + " " + words(name) + " of all " + std::to_string(kind.count) + ": ";
            if (s.count == kind.count && s.least == s.most) {
                lines.push_back(line + number_text(s.last));
                continue;
            }
            if (s.count > 0)
                line += "mean " + number_text(s.sum / static_cast<double>(s.count)) + ", least " +
                        number_text(s.least) + s.least_place + ", greatest " + number_text(s.most) +
                        s.most_place + ", ";
            line += "last " + number_text(s.last);
            if (s.count < kind.count)
                line += ", " + std::to_string(kind.count - s.count) + " not finite";
            lines.push_back(line);
        }
    }
    return lines;
}

} // namespace tool
