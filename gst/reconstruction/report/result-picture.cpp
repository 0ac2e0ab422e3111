// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/grey-mapping.hpp>
#include <gst/reconstruction/report/canvas.hpp>
#include <gst/reconstruction/report/html.hpp>
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/report/result-picture.hpp>
#include <gst/reconstruction/report/scale-bar.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

constexpr unsigned small_side = 640; // up to which a small slice is enlarged; half of it has room for the foot
constexpr unsigned most_enlarged = 16;
constexpr unsigned char surround = 0x1d, ink = 0xe6, faint = 0x9c, light = 0xff, dark = 0x10;
constexpr int foot = 44, margin = 12, letters = 15, bar_height = 5;

// Pixels of a slice per side of one of the picture, or the other way round.
struct Scale {
    unsigned reduced = 1, enlarged = 1;

    // So that no side is longer than `most`; a slice whose sides are shorter than `least` is enlarged.
    static Scale of(unsigned width, unsigned height, double most_width, double most_height, unsigned least) {
        Scale scale;
        const double across = width / most_width, down = height / most_height,
                     larger = std::max(across, down);
        if (larger > 1.0)
            scale.reduced = static_cast<unsigned>(std::ceil(larger));
        else
            scale.enlarged =
                std::clamp(std::min(least / std::max(width, height), static_cast<unsigned>(1.0 / larger)), 1u,
                           most_enlarged);
        return scale;
    }
    unsigned pixels(unsigned samples) const { return (samples + reduced - 1) / reduced * enlarged; }
};

// Means of n x n samples, of those that are finite. At the right and the lower edge there may be fewer.
Picture reduced(const Picture &picture, unsigned n) {
    if (n == 1)
        return picture;
    Picture small;
    small.width = (picture.width + n - 1) / n;
    small.height = (picture.height + n - 1) / n;
    small.values.reserve(std::size_t{small.width} * small.height);
    for (unsigned top = 0; top < picture.height; top += n)
        for (unsigned left = 0; left < picture.width; left += n) {
            double sum = 0.0;
            unsigned count = 0;
            for (unsigned y = top; y < std::min(top + n, picture.height); y++)
                for (unsigned x = left; x < std::min(left + n, picture.width); x++)
                    if (const float value = picture.values[std::size_t{y} * picture.width + x];
                        std::isfinite(value)) {
                        sum += value;
                        count++;
                    }
            small.values.push_back(count ? static_cast<float>(sum / count) : std::nanf(""));
        }
    return small;
}

io::GreyMapping mapping(const std::pair<double, double> &grey) {
    return {8, true, {grey.first, grey.second}};
}

void place(Canvas &canvas, unsigned x, unsigned y, const Picture &picture,
           const std::pair<double, double> &grey, unsigned n) {
    std::vector<unsigned char> pixels(picture.values.size());
    mapping(grey).apply(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, picture.width, picture.height),
                        picture.values.data(), pixels.data());
    canvas.place(static_cast<int>(x), static_cast<int>(y), picture.width, pixels, n);
}

// Below a picture that begins at `left`: the scale bar of `width` pixels that are `samples`, and the range of
// the values from black to white.
void draw_foot(Canvas &canvas, int left, unsigned width, double samples, double pixel_size,
               const std::pair<double, double> &grey) {
    const ScaleBar bar(samples, pixel_size);
    const int y = static_cast<int>(canvas.height()) - foot / 2,
              length = static_cast<int>(std::lround(bar.share * width));
    canvas.fill(left, y - bar_height / 2, length, bar_height, ink);
    canvas.write(left + length + margin, y, bar.label, letters, ink);
    const auto range = digits(grey.first, 3) + " to " + digits(grey.second, 3);
    const int from = static_cast<int>(canvas.width()) - margin - Canvas::width_of(range, letters);
    if (from > left + length + Canvas::width_of(bar.label, letters) + 3 * margin)
        canvas.write(from, y, range, letters, faint);
}

// What a program needs to know of the picture.
std::vector<std::pair<std::string, std::string>> words_of(const std::pair<double, double> &grey,
                                                          const Scale &scale) {
    auto words = io::grey_words(mapping(grey).grey());
    words.emplace_back("pixels_per_sample", number(static_cast<double>(scale.enlarged) / scale.reduced));
    return words;
}

} // namespace

std::string picture_of_middle(const Plan &plan, unsigned binning, double pixel_size, unsigned most) {
    const auto whole = middle_slice(plan, Middle(plan, binning));
    const auto scale = Scale::of(whole.width, whole.height, most, most - foot, small_side);
    const auto slice = reduced(whole, scale.reduced);
    const auto grey = io::percentiles(slice.values, io::darkest, io::brightest);
    Canvas canvas(slice.width * scale.enlarged, slice.height * scale.enlarged + foot, surround);
    place(canvas, 0, 0, slice, grey, scale.enlarged);
    draw_foot(canvas, margin, canvas.width(), double(slice.width) * scale.reduced, pixel_size, grey);
    return canvas.png(words_of(grey, scale));
}

namespace {

constexpr unsigned gap = 10, label_band = 28;
constexpr unsigned usual_panel = 400;   // side that a small slice is enlarged to
constexpr unsigned most_panels = 400;   // with letters that one can read
constexpr double pleasant_aspect = 1.5; // width over height of the whole
constexpr int least_letters = 9;

// As many columns as make the whole neither high nor wide, with few empty places.
unsigned columns_for(unsigned panels, double width, double height) {
    unsigned best = 1;
    double least = HUGE_VAL;
    for (unsigned columns = 1; columns <= panels; columns++) {
        const unsigned rows = (panels + columns - 1) / columns;
        const double aspect = columns * (width + gap) / (rows * (height + gap + label_band));
        const double empty = static_cast<double>(rows * columns - panels) / panels;
        const double cost = std::abs(std::log(aspect / pleasant_aspect)) + empty;
        if (cost < least) {
            least = cost;
            best = columns;
        }
    }
    return best;
}

// As much of a label as the panel is wide: smaller letters, or its value alone.
void write_label(Canvas &canvas, int x, int y, unsigned width, const std::string &label, unsigned char grey) {
    const auto value = label.substr(std::min(label.size(), label.find(" = ") + 3));
    for (const auto &written : {label, value})
        for (int size = letters; size >= least_letters; size -= 2)
            if (Canvas::width_of(written, size) + 2 * int(gap) <= int(width) ||
                (written == value && size < least_letters + 2)) {
                canvas.write(x + int(gap), y, written, size, grey);
                return;
            }
}

} // namespace

Mosaic mosaic_of(const Plan &plan, const std::vector<std::string> &labels, std::optional<std::size_t> best,
                 double pixel_size, unsigned most) {
    Mosaic mosaic;
    const unsigned all = plan.shape.depth;
    mosaic.every = (all + most_panels - 1) / most_panels;
    std::vector<unsigned> shown;
    for (unsigned i = 0; i < all; i++)
        if (i % mosaic.every == 0 || best == i)
            shown.push_back(i);
    const auto panels = static_cast<unsigned>(shown.size());
    mosaic.columns = columns_for(panels, plan.shape.width, plan.shape.height);
    const unsigned rows = (panels + mosaic.columns - 1) / mosaic.columns;
    const auto scale =
        Scale::of(plan.shape.width, plan.shape.height, (most - gap) / double(mosaic.columns) - gap,
                  (most - foot) / double(rows) - gap - label_band, usual_panel);
    mosaic.panel_width = scale.pixels(plan.shape.width);
    mosaic.panel_height = scale.pixels(plan.shape.height);
    mosaic.label_height = label_band;
    mosaic.x = gap;
    mosaic.y = label_band;
    mosaic.step_x = mosaic.panel_width + gap;
    mosaic.step_y = mosaic.panel_height + gap + label_band;

    std::vector<Picture> slices;
    std::vector<float> values;
    for (const unsigned image : shown) {
        slices.push_back(reduced(slice_of(plan, image), scale.reduced));
        values.insert(values.end(), slices.back().values.begin(), slices.back().values.end());
    }
    mosaic.grey = io::percentiles(std::move(values), io::darkest, io::brightest);
    Canvas canvas(gap + mosaic.columns * mosaic.step_x, rows * mosaic.step_y + foot, surround);
    for (unsigned i = 0; i < panels; i++) {
        const unsigned x = mosaic.x + i % mosaic.columns * mosaic.step_x,
                       y = mosaic.y + i / mosaic.columns * mosaic.step_y;
        const bool is_best = best == shown[i];
        constexpr unsigned frame = gap / 2 - 1;
        if (is_best) // a frame that is the background of the label, too
            canvas.fill(int(x - frame), int(y - label_band), int(mosaic.panel_width + 2 * frame),
                        int(mosaic.panel_height + label_band + frame), light);
        write_label(canvas, int(x) - int(gap), int(y - label_band / 2), mosaic.panel_width + gap,
                    labels.at(shown[i]) + (is_best ? ", sharpest" : ""), is_best ? dark : ink);
        place(canvas, x, y, slices[i], mosaic.grey, scale.enlarged);
    }
    draw_foot(canvas, int(gap), mosaic.panel_width, double(slices.front().width) * scale.reduced, pixel_size,
              mosaic.grey);
    mosaic.png = canvas.png(words_of(mosaic.grey, scale));
    return mosaic;
}

} // namespace tomo::reconstruction
