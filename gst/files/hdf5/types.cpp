// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "types.hpp"

namespace tomo::io {

namespace {

std::string type_name_of_class(H5T_class_t type_class) {
    switch (type_class) {
    case H5T_STRING:
        return "strings";
    case H5T_COMPOUND:
        return "compounds";
    case H5T_REFERENCE:
        return "references";
    case H5T_VLEN:
        return "lists of variable length";
    case H5T_ARRAY:
        return "arrays";
    case H5T_ENUM:
        return "an enumeration";
    case H5T_TIME:
        return "times";
    case H5T_OPAQUE:
        return "opaque bytes";
    case H5T_BITFIELD:
        return "bit fields";
    default:
        return "of an unknown type";
    }
}

// IEEE 754 binary16: sign at bit 15, 5 bits of exponent with bias 15, 10 of mantissa.
void shape_as_half(hid_t type) {
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_ebias(type, 15);
    H5Tset_size(type, 2);
}

bool is_half(hid_t type) {
    std::size_t sign, exponent, exponent_bits, mantissa, mantissa_bits;
    return H5Tget_size(type) == 2 &&
           H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) >= 0 &&
           sign == 15 && exponent == 10 && exponent_bits == 5 && mantissa == 0 && mantissa_bits == 10 &&
           H5Tget_ebias(type) == 15;
}

Hdf5Handle complex_type(const char *real, const char *imaginary) {
    Hdf5Handle type(H5Tcreate(H5T_COMPOUND, 2 * sizeof(float)), H5Tclose);
    H5Tinsert(type.get(), real, 0, H5T_NATIVE_FLOAT);
    H5Tinsert(type.get(), imaginary, sizeof(float), H5T_NATIVE_FLOAT);
    return type;
}

GstTomoFormat integer_format(std::size_t size, bool is_signed) {
    if (size == 1)
        return is_signed ? GST_TOMO_FORMAT_INT16 : GST_TOMO_FORMAT_UINT8;
    if (size == 2)
        return is_signed ? GST_TOMO_FORMAT_INT16 : GST_TOMO_FORMAT_UINT16;
    if (size <= 4)
        return is_signed ? GST_TOMO_FORMAT_INT32 : GST_TOMO_FORMAT_UINT32;
    return size <= 8 ? GST_TOMO_FORMAT_FLOAT64 : GST_TOMO_FORMAT_UNKNOWN;
}

Hdf5SampleType enumeration(hid_t stored) {
    if (H5Tget_size(stored) != 1)
        return {};
    for (int i = 0; i < H5Tget_nmembers(stored); i++) {
        signed char value = 0;
        if (H5Tget_member_value(stored, static_cast<unsigned>(i), &value) < 0)
            return {};
        const Hdf5Handle base(H5Tget_super(stored), H5Tclose);
        if (value < 0 && H5Tget_sign(base.get()) != H5T_SGN_NONE)
            return {};
    }
    // One byte is one byte: the stored type as it is needs no conversion.
    return {GST_TOMO_FORMAT_UINT8, Hdf5Handle(H5Tcopy(stored), H5Tclose)};
}

Hdf5SampleType complex_compound(hid_t stored) {
    static constexpr const char *names[][2] = {{"r", "i"}, {"real", "imag"}, {"re", "im"}};
    if (H5Tget_nmembers(stored) != 2 || H5Tget_member_class(stored, 0) != H5T_FLOAT ||
        H5Tget_member_class(stored, 1) != H5T_FLOAT)
        return {};
    for (const auto &name : names)
        if (H5Tget_member_index(stored, name[0]) >= 0 && H5Tget_member_index(stored, name[1]) >= 0)
            return {GST_TOMO_FORMAT_COMPLEX64, complex_type(name[0], name[1])};
    return {};
}

} // namespace

std::string hdf5_describe_type(hid_t type) {
    const auto type_class = H5Tget_class(type);
    const auto size = H5Tget_size(type);
    if (type_class == H5T_INTEGER)
        return text("%s integers of %" G_GSIZE_FORMAT " bytes",
                    H5Tget_sign(type) == H5T_SGN_NONE ? "unsigned" : "signed", size);
    if (type_class == H5T_FLOAT)
        return text("floats of %" G_GSIZE_FORMAT " bytes", size);
    return type_name_of_class(type_class);
}

Hdf5Handle hdf5_type_of(GstTomoFormat format) {
    const auto copy = [](hid_t type) { return Hdf5Handle(H5Tcopy(type), H5Tclose); };
    switch (format) {
    case GST_TOMO_FORMAT_UINT8:
        return copy(H5T_NATIVE_UINT8);
    case GST_TOMO_FORMAT_UINT16:
        return copy(H5T_NATIVE_UINT16);
    case GST_TOMO_FORMAT_UINT32:
        return copy(H5T_NATIVE_UINT32);
    case GST_TOMO_FORMAT_INT16:
        return copy(H5T_NATIVE_INT16);
    case GST_TOMO_FORMAT_INT32:
        return copy(H5T_NATIVE_INT32);
    case GST_TOMO_FORMAT_FLOAT16: {
        auto half = copy(H5T_NATIVE_FLOAT);
        shape_as_half(half.get());
        return half;
    }
    case GST_TOMO_FORMAT_FLOAT32:
        return copy(H5T_NATIVE_FLOAT);
    case GST_TOMO_FORMAT_FLOAT64:
        return copy(H5T_NATIVE_DOUBLE);
    case GST_TOMO_FORMAT_COMPLEX64:
        return complex_type("r", "i");
    case GST_TOMO_FORMAT_UNKNOWN:
        break;
    }
    throw Error(GST_STREAM_ERROR_FORMAT, "samples of an unknown format can't be written to HDF5");
}

Hdf5SampleType hdf5_memory_type(hid_t stored) {
    const auto size = H5Tget_size(stored);
    const auto of_format = [](GstTomoFormat format) -> Hdf5SampleType {
        if (format == GST_TOMO_FORMAT_UNKNOWN)
            return {};
        return {format, hdf5_type_of(format)};
    };
    switch (H5Tget_class(stored)) {
    case H5T_INTEGER:
        return of_format(integer_format(size, H5Tget_sign(stored) != H5T_SGN_NONE));
    case H5T_FLOAT:
        if (is_half(stored))
            return of_format(GST_TOMO_FORMAT_FLOAT16);
        return of_format(size <= 4 ? GST_TOMO_FORMAT_FLOAT32 : GST_TOMO_FORMAT_FLOAT64);
    case H5T_BITFIELD:
        if (size == 1)
            return {GST_TOMO_FORMAT_UINT8, Hdf5Handle(H5Tcopy(H5T_NATIVE_B8), H5Tclose)};
        return {};
    case H5T_ENUM:
        return enumeration(stored);
    case H5T_COMPOUND:
        return complex_compound(stored);
    default:
        return {};
    }
}

} // namespace tomo::io

#endif // HAVE_HDF5
