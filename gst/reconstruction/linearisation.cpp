// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/scan/layout.hpp>
#include <gst/files/scan/text-table.hpp>
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/linearisation.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

constexpr double large_residual = 0.02;

double slope_at(const std::vector<double> &coefficients, double x) {
    double slope = 0.0;
    for (std::size_t k = coefficients.size(); k > 0; k--)
        slope = slope * x + static_cast<double>(k) * coefficients[k - 1];
    return slope;
}

// Solves a small system with a positive definite matrix, whose last column is the right side.
std::vector<double> solved(std::vector<std::vector<double>> system) {
    const std::size_t n = system.size();
    for (std::size_t k = 0; k < n; k++) {
        const auto pivot =
            std::max_element(system.begin() + static_cast<std::ptrdiff_t>(k), system.end(),
                             [&](const auto &a, const auto &b) { return std::abs(a[k]) < std::abs(b[k]); });
        std::swap(system[k], *pivot);
        for (std::size_t i = 0; i < n; i++) {
            if (i == k)
                continue;
            const double factor = system[i][k] / system[k][k];
            for (std::size_t j = k; j <= n; j++)
                system[i][j] -= factor * system[k][j];
        }
    }
    std::vector<double> x(n);
    for (std::size_t k = 0; k < n; k++)
        x[k] = system[k][n] / system[k][k];
    return x;
}

struct Step {
    double measured, wanted;
};

// Least squares of relative distances. With `has_offset` the polynomial has a constant, which is left out of
// the result.
Linearisation fit(const std::vector<Step> &steps, unsigned order, bool has_offset, const std::string &where) {
    std::vector<double> measured;
    for (const auto &step : steps)
        measured.push_back(step.measured);
    std::sort(measured.begin(), measured.end());
    const auto different =
        static_cast<std::size_t>(std::unique(measured.begin(), measured.end()) - measured.begin());
    const unsigned first = has_offset ? 0 : 1, unknowns = order + 1 - first;
    if (different < unknowns)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("%s has %zu different steps; a polynomial of order %u wants %u: measure more, or give a "
                 "smaller order",
                 where.c_str(), different, order, unknowns));
    const double last = measured[different - 1], scale = std::max(std::abs(measured.front()), std::abs(last));
    double largest = 0.0;
    for (const auto &step : steps)
        largest = std::max(largest, std::abs(step.wanted));
    // The step at nothing counts as one of the smallest others would.
    const auto weight = [&](const Step &step) {
        return 1.0 / std::max(std::abs(step.wanted), 1e-2 * largest);
    };
    std::vector<std::vector<double>> system(unknowns, std::vector<double>(unknowns + 1));
    for (const auto &step : steps)
        for (unsigned i = 0; i < unknowns; i++) {
            const double x = step.measured / scale, w = weight(step) * weight(step);
            for (unsigned j = 0; j < unknowns; j++)
                system[i][j] += w * std::pow(x, i + first) * std::pow(x, j + first);
            system[i][unknowns] += w * std::pow(x, i + first) * step.wanted;
        }
    auto found = solved(std::move(system));
    const double offset = has_offset ? found.front() : 0.0;
    if (has_offset)
        found.erase(found.begin());
    Linearisation result{std::move(found), last, steps.size(), 0.0};
    for (std::size_t k = 0; k < result.coefficients.size(); k++)
        result.coefficients[k] /= std::pow(scale, static_cast<double>(k + 1));
    for (const auto &step : steps)
        result.residual =
            std::max(result.residual, weight(step) * std::abs(offset + result(step.measured) - step.wanted));
    constexpr unsigned places = 256;
    const double begin = has_offset ? measured.front() : 0.0;
    for (unsigned i = 0; i <= places; i++)
        if (const double at = begin + (last - begin) * i / places; !(slope_at(result.coefficients, at) > 0.0))
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("the polynomial of order %u through the steps of %s does not rise at %g: look at the "
                     "steps, or give a smaller order",
                     order, where.c_str(), at));
    return result;
}

bool is_word(const std::string &) { return true; }

// Two columns of a text file.
io::TextTable steps_in(const std::string &file, const char *wanted) {
    auto table = io::text_table(file, wanted, is_word);
    for (const auto &row : table.rows)
        if (row.size() != 2)
            throw Error(GST_STREAM_ERROR_DECODE, text("'%s' has %zu columns; wanted on each line %s",
                                                      file.c_str(), row.size(), wanted));
    return table;
}

// Millimetres, of a heading such as thickness_um.
double millimetres_in(const io::TextTable &table, const std::string &file) {
    if (table.heading.size() != 2)
        return 1.0;
    const auto &word = table.heading.front();
    const auto end = word.find_last_not_of(" ])");
    const auto begin = word.find_last_of("_([ ", end);
    if (begin == std::string::npos)
        return 1.0;
    try {
        return io::metres(word.substr(begin + 1, end - begin)) * 1e3;
    } catch (const Error &error) {
        throw Error(GST_STREAM_ERROR_DECODE,
                    text("'%s': the heading '%s' gives %s; wanted one such as thickness_mm", file.c_str(),
                         word.c_str(), error.what()));
    }
}

bool says(const io::TextTable &table, const char *part) {
    if (table.heading.size() != 2)
        return false;
    std::string lower;
    for (const char c : table.heading.back())
        lower += g_ascii_tolower(c);
    return lower.find(part) != std::string::npos;
}

// Millimetres of the wedge against its line integrals.
std::vector<Step> steps_of_wedge(const std::string &file) {
    const auto table = steps_in(file, "the thickness in mm and the transmission of a step");
    const double unit = millimetres_in(table, file);
    const bool is_absorption = says(table, "attenuation") || says(table, "absorption");
    std::vector<Step> steps;
    for (const auto &row : table.rows) {
        const double thickness = row[0] * unit, value = row[1];
        if (!(thickness >= 0.0) || !std::isfinite(thickness))
            throw Error(GST_STREAM_ERROR_DECODE,
                        text("'%s': a step is %g thick; wanted lengths from 0 on", file.c_str(), row[0]));
        if (!is_absorption && !(value > 0.0))
            throw Error(
                GST_STREAM_ERROR_DECODE,
                text("'%s': a transmission is %g; wanted numbers above 0, or the heading attenuation over "
                     "the column of line integrals",
                     file.c_str(), value));
        if (thickness > 0.0)
            steps.push_back({is_absorption ? value : -std::log(value), thickness});
    }
    if (std::any_of(steps.begin(), steps.end(), [](const Step &step) { return !(step.measured > 0.0); }))
        throw Error(
            GST_STREAM_ERROR_DECODE,
            text("'%s': a step transmits all of the beam; wanted the thickness first, and transmission "
                 "below 1",
                 file.c_str()));
    return steps;
}

Linearisation of_coefficients(std::vector<double> coefficients, const ParameterBase &parameter) {
    if (!(coefficients.front() > 0.0))
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("%s begins with %g; wanted a factor of the value above 0, then that of its square",
                         parameter.name(), coefficients.front()));
    return {.coefficients = std::move(coefficients)};
}

} // namespace

bool names_steps(const std::string &value) {
    const auto numbers = io::numbers_in_words(value);
    return !value.empty() && !(numbers && !numbers->empty());
}

double Linearisation::operator()(double value) const {
    const double at = std::min(value, last);
    double result = 0.0;
    for (auto c = coefficients.rbegin(); c != coefficients.rend(); ++c)
        result = (result + *c) * at;
    return result + (value > last ? slope_at(coefficients, last) * (value - last) : 0.0);
}

std::string Linearisation::expression() const {
    std::string polynomial;
    for (auto c = coefficients.rbegin(); c != coefficients.rend(); ++c)
        polynomial = polynomial.empty() ? literal(*c) : literal(*c) + " + v * (" + polynomial + ")";
    polynomial = "v * (" + polynomial + ")";
    if (std::isinf(last))
        return polynomial;
    // NaN stays.
    const double slope = slope_at(coefficients, last);
    return "v > " + literal(last) + " ? " + literal(slope) + " * v + " + literal((*this)(last)-slope * last) +
           " : " + polynomial;
}

std::optional<Linearisation> beam_hardening(const Settings &settings) {
    const std::string given = settings.beam_hardening;
    if (given.empty())
        return {};
    if (!names_steps(given))
        return of_coefficients(*io::numbers_in_words(given), settings.beam_hardening);
    auto found = fit(steps_of_wedge(given), settings.beam_hardening_order, false, "'" + given + "'");
    // Millimetres so far. Thin layers keep their line integral, unless that of another energy is given.
    const double attenuation = settings.beam_hardening_attenuation;
    const double factor = attenuation > 0.0 ? attenuation : 1.0 / found.coefficients.front();
    for (auto &coefficient : found.coefficients)
        coefficient *= factor;
    return found;
}

std::optional<Linearisation> detector_linearity(const Settings &settings) {
    const std::string given = settings.detector_linearity;
    if (given.empty())
        return {};
    if (!names_steps(given))
        return of_coefficients(*io::numbers_in_words(given), settings.detector_linearity);
    std::vector<Step> steps;
    for (const auto &row : steps_in(given, "the exposure in any unit, and the counts").rows)
        steps.push_back({row[1], row[0]});
    auto found = fit(steps, settings.detector_linearity_order, true, "'" + given + "'");
    // So that counts keep their size.
    const double largest = found.last, factor = largest / found(largest);
    for (auto &coefficient : found.coefficients)
        coefficient *= factor;
    return found;
}

std::vector<Finding> findings_about_linearity(const Settings &settings) {
    std::vector<Finding> findings;
    for (const auto &[name, of] :
         {std::pair{"beam-hardening", &beam_hardening}, {"detector-linearity", &detector_linearity}}) {
        const auto found = of(settings);
        if (!found || found->steps == 0)
            continue;
        const bool is_far = found->residual > large_residual;
        findings.push_back({name, is_far ? Finding::Severity::warning : Finding::Severity::information,
                            text("the polynomial meets %zu steps within %.2g %%, up to %.4g", found->steps,
                                 100.0 * found->residual, found->last),
                            is_far ? text("Look at the steps, or give another --%s-order.", name)
                                   : "It goes on as a straight line beyond."});
    }
    return findings;
}

std::string beam_hardening_line(const Settings &settings) {
    const auto found = beam_hardening(settings);
    return found ? calculation("beam-hardening", found->expression()) : "";
}

std::string detector_linearity_line(const Settings &settings, const std::string &name) {
    const auto found = detector_linearity(settings);
    return found ? calculation(name.c_str(), found->expression()) : "";
}

} // namespace tomo::reconstruction
