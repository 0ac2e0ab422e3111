// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Properties of methods with total variation, alike in all elements. Each group adds its values to the
// settings of a solver, and names one that was changed, for methods in which it does not count.
#pragma once

#include <gst/operators/solver.hpp>
#include <gst/tomo/bases/element.hpp>

namespace tomo {

// The name of the first property that has not its usual value; null if there is none.
template <class T>
const char *changed_of(const Property<T> &property, T usual) {
    return property == usual ? nullptr : property.name();
}
template <class T, class... More>
const char *changed_of(const Property<T> &property, T usual, const More &...more) {
    const char *name = changed_of(property, usual);
    return name ? name : changed_of(more...);
}

struct VariationWeight {
    VariationWeight(Element *element, When when)
        : lambda(element, "lambda", usual, {0.0, 1e6}, when,
                 "Weight of the total variation, in units of the line integrals") {}

    void add_to(SolverSettings &settings) const { settings.lambda = lambda; }
    const char *changed() const { return changed_of(lambda, usual); }

    static constexpr double usual = 0.001;
    Property<double> lambda;
};

struct VariationSteps {
    VariationSteps(Element *element, When when, const char *blurb)
        : number(element, "tv-iterations", usual, {1, 1000}, when, blurb) {}

    void add_to(SolverSettings &settings) const { settings.inner_iterations = number; }
    const char *changed() const { return changed_of(number, usual); }

    static constexpr unsigned usual = 20;
    Property<unsigned> number;
};

// Of split Bregman iterations.
struct SplitSteps {
    SplitSteps(Element *element, When when)
        : penalty(element, "penalty", 1.0, {1e-6, 1e6}, when,
                  "Weight of the distance between differences and their copies: changes the way to the "
                  "result, not the result"),
          number(element, "cg-iterations", 3, {1, 1000}, when, "Conjugate gradients in each iteration") {}

    void add_to(SolverSettings &settings) const {
        settings.penalty = penalty;
        settings.inner_iterations = number;
    }
    const char *changed() const { return changed_of(penalty, 1.0, number, 3u); }

    Property<double> penalty;
    Property<unsigned> number;
};

// Of ASD-POCS.
struct VariationDescent {
    VariationDescent(Element *element, When when)
        : relaxation_reduction(element, "relaxation-reduction", 0.995, {0.0, 1.0}, when,
                               "Factor of the relaxation after each iteration"),
          step(element, "tv-step", 0.2, {0.0, 100.0}, when,
               "Length of such a step, in parts of the first change by data"),
          step_reduction(element, "tv-step-reduction", 0.95, {0.0, 1.0}, when,
                         "Factor of the step's length where it is too large"),
          limit(element, "tv-limit", 0.95, {0.0, 100.0}, when,
                "Largest change by total variation, in parts of that by data, that leaves the steps as they "
                "are"),
          residual_limit(element, "residual-limit", 0.0, {0.0, 1.0}, when,
                         "Residual |b - A x| / |b| below which the steps stay as they are") {}

    void add_to(SolverSettings &settings) const {
        settings.relaxation_reduction = relaxation_reduction;
        settings.descent = step;
        settings.descent_reduction = step_reduction;
        settings.descent_limit = limit;
        settings.enough = residual_limit;
    }
    const char *changed() const {
        return changed_of(relaxation_reduction, 0.995, step, 0.2, step_reduction, 0.95, limit, 0.95,
                          residual_limit, 0.0);
    }

    Property<double> relaxation_reduction, step, step_reduction, limit, residual_limit;
};

} // namespace tomo
