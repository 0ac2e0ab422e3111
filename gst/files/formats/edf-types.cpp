// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "edf-types.hpp"

#include <map>
#include <memory>

namespace tomo::io {

// Which spellings there are: those that the program FabIO knows.
std::optional<StoredType> edf_stored_type(const std::string &word, bool swapped) {
    using Form = StoredType::Form;
    static const std::map<std::string, StoredType> types = {
        {"signedbyte", stored_as(Form::Int8)},
        {"signed8", stored_as(Form::Int8)},
        {"unsignedbyte", stored_as(GST_TOMO_FORMAT_UINT8)},
        {"unsigned8", stored_as(GST_TOMO_FORMAT_UINT8)},
        {"signedshort", stored_as(GST_TOMO_FORMAT_INT16)},
        {"signed16", stored_as(GST_TOMO_FORMAT_INT16)},
        {"unsignedshort", stored_as(GST_TOMO_FORMAT_UINT16)},
        {"unsigned16", stored_as(GST_TOMO_FORMAT_UINT16)},
        {"unsignedshortinteger", stored_as(GST_TOMO_FORMAT_UINT16)},
        {"signedinteger", stored_as(GST_TOMO_FORMAT_INT32)},
        {"signed32", stored_as(GST_TOMO_FORMAT_INT32)},
        {"signedlong", stored_as(GST_TOMO_FORMAT_INT32)},
        {"unsignedinteger", stored_as(GST_TOMO_FORMAT_UINT32)},
        {"unsigned32", stored_as(GST_TOMO_FORMAT_UINT32)},
        {"unsignedlong", stored_as(GST_TOMO_FORMAT_UINT32)},
        {"signed64", stored_as(Form::Int64)},
        {"unsigned64", stored_as(Form::UInt64)},
        {"float", stored_as(GST_TOMO_FORMAT_FLOAT32)},
        {"floatvalue", stored_as(GST_TOMO_FORMAT_FLOAT32)},
        {"floatieee32", stored_as(GST_TOMO_FORMAT_FLOAT32)},
        {"float32", stored_as(GST_TOMO_FORMAT_FLOAT32)},
        {"real", stored_as(GST_TOMO_FORMAT_FLOAT32)},
        {"double", stored_as(GST_TOMO_FORMAT_FLOAT64)},
        {"doublevalue", stored_as(GST_TOMO_FORMAT_FLOAT64)},
        {"floatieee64", stored_as(GST_TOMO_FORMAT_FLOAT64)},
        {"doubleieee64", stored_as(GST_TOMO_FORMAT_FLOAT64)},
    };
    const std::unique_ptr<char, decltype(&g_free)> lower(g_ascii_strdown(word.c_str(), -1), g_free);
    const auto known = types.find(lower.get());
    if (known == types.end())
        return {};
    auto type = known->second;
    type.swapped = swapped;
    return type;
}

const char *edf_word(GstTomoFormat format) {
    switch (format) {
    case GST_TOMO_FORMAT_UINT8:
        return "UnsignedByte";
    case GST_TOMO_FORMAT_UINT16:
        return "UnsignedShort";
    case GST_TOMO_FORMAT_UINT32:
        return "UnsignedInteger";
    case GST_TOMO_FORMAT_INT16:
        return "SignedShort";
    case GST_TOMO_FORMAT_INT32:
        return "SignedInteger";
    case GST_TOMO_FORMAT_FLOAT32:
        return "FloatValue";
    case GST_TOMO_FORMAT_FLOAT64:
        return "DoubleValue";
    case GST_TOMO_FORMAT_FLOAT16:
    case GST_TOMO_FORMAT_COMPLEX64:
    case GST_TOMO_FORMAT_UNKNOWN:
        break;
    }
    throw Error(GST_STREAM_ERROR_FORMAT,
                text("EDF has no samples of type %s; write TIFF or HDF5", gst_tomo_format_to_string(format)));
}

} // namespace tomo::io
