// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parts of a page in HTML. All texts are escaped here, so that names of files can hold any character.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tomo::reconstruction {

// Text for elements and for attributes in quotation marks. Bytes that are no UTF-8 and control characters
// become U+FFFD.
std::string escaped(const std::string &text);

// A number with so many decimals, and one with so many digits; the same in every locale.
std::string fixed(double value, int decimals);
std::string digits(double value, int count);

// Rows of a quantity and its value, those without a value left out.
class FactTable {
  public:
    void add(const std::string &quantity, const std::string &value);
    std::string html() const; // empty without rows

  private:
    std::vector<std::pair<std::string, std::string>> rows_;
};

// A table with a heading.
class Table {
  public:
    explicit Table(std::vector<std::string> heading) : heading_(std::move(heading)) {}
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    bool is_empty() const { return rows_.empty(); }
    std::string html() const;

  private:
    std::vector<std::string> heading_;
    std::vector<std::vector<std::string>> rows_;
};

// The whole page of sections, with its style and nothing from elsewhere.
std::string page_of(const std::string &title, const std::string &body);

} // namespace tomo::reconstruction
