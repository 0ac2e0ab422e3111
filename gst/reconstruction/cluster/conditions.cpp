// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/file-format.hpp>
#include <gst/files/memory/images.hpp>
#include <gst/files/number-pattern.hpp>
#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/cluster/conditions.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/tomo/gsttomograph.h>

#include <algorithm>

namespace tomo::reconstruction {

namespace {

[[noreturn]] void refuse(const std::string &why) {
    throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE, "cluster can't make this result: " + why);
}

} // namespace

void check_cluster(const Settings &settings, const Inspection &scan, const std::string &output) {
    if (io::names_memory(output))
        refuse("it goes into the memory of this process, and slabs are files; give output");
    for (const auto *source :
         {&settings.scan, &settings.projections, &settings.sinograms, &settings.darks, &settings.flats,
          &settings.flats2, &settings.angles, &settings.shifts, &settings.initial, &settings.mask})
        if (io::names_memory(source->value()))
            refuse(text("%s are in the memory of this process, which no other computer sees; give files",
                        source->name()));
    if (settings.result.is("projections"))
        refuse("corrected projections are made in one stream, and not in slabs; leave cluster out");
    if (is_general(settings, scan) && is_iterative(settings))
        refuse(text("method=%s in this geometry can't be split, as each iteration needs the whole volume; "
                    "take method=fbp, or leave cluster out",
                    settings.method.value().c_str()));
}

bool is_volume_virtual(const Settings &settings, const std::string &output) {
    const auto file = io::split_location(output).file;
    const bool has_open_range = !settings.output_bitdepth.is("32") &&
                                !(settings.output_minimum.is_given() && settings.output_maximum.is_given());
    return io::type_of_suffix(file) == io::FileType::Hdf5 && !io::NumberPattern(file).has_number() &&
           settings.sweep.empty() && !settings.pyramid.is("yes") && !has_open_range;
}

unsigned images_of_slab(const Settings &settings, const Inspection &scan, unsigned images, unsigned workers) {
    if (settings.cluster_slab)
        return settings.cluster_slab;
    // Each slab may read all projections, which costs more than a worker that has nothing to do at the end.
    const unsigned slabs = workers * (needs_projections(settings, scan) ? 2 : 4);
    // Whole batches of the elements.
    constexpr unsigned batch = 16;
    return std::max((images + slabs * batch - 1) / (slabs * batch), 1u) * batch;
}

} // namespace tomo::reconstruction
