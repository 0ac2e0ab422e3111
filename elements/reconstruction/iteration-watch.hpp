// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/solver.hpp>
#include <gst/tomo/bases/element.hpp>

namespace tomo {

// What iterations tell on the bus: how far they are, a slice as it is so far for those who ask, and residuals
// that grow.
class IterationWatch {
  public:
    // Slices that a solver makes at once (x, y, z): those of the stream from `first` on, and some before and
    // behind that are not given. What they are called in a warning: KIND NUMBER, such as an array for each
    // `depth` of them.
    struct Slices {
        ArrayInfo shape;
        std::uint64_t first = 0;
        unsigned before = 0, behind = 0;
        const char *kind = "array";
        std::uint64_t number = 0;
        unsigned depth = 1;

        unsigned given() const { return shape.depth - before - behind; }
    };

    explicit IterationWatch(Element *element)
        : preview(
              element, "preview", 0, {0, G_MAXUINT},
              "A new number asks for a slice as it is so far, which comes in a message `tomo-iterate` behind the next "
              "iteration"),
          element_(*element) {}

    // For Solver::Start. The slices have to be those of the iterate.
    std::function<void(const Solver::Iterate &)> over(const Slices &slices, SolverMethod method,
                                                      unsigned iterations);
    // Warns once in a stream.
    void check_growth(const std::string &what, SolverMethod method, double first, double last,
                      std::size_t iterations);
    void clear() { has_warned_ = false; }

    Property<unsigned> preview;

  private:
    void tell(const Slices &slices, SolverMethod method, unsigned iterations, const Solver::Iterate &now,
              double seconds);
    void show(const Slices &slices, unsigned iterations, const Solver::Iterate &now);

    Element &element_;
    unsigned shown_ = 0; // the number that was served
    gint64 told_ = 0;
    bool has_warned_ = false;
};

// Text for descriptions.
#define TOMO_ITERATION_WATCH_DETAILS                                                                                        \
    "\n\nWhile iterations take longer than a tenth of a second, a message `tomo-iterating` comes about as often: `slice`, " \
    "the number of the first one that is made, and `slices` of them, `iteration` of `iterations`, their largest "           \
    "`residual` and the `seconds` so far. A new number for `preview` asks for the slice in the middle of these as it is "   \
    "behind the next iteration, in a message `tomo-iterate` with its number `slice`, `iteration` of `iterations` and "      \
    "`sample`. "

} // namespace tomo
