// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What elements find out, as lines for people: their element messages "tomo-...".
#pragma once

#include <gst/gst.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tool {

// A number that an element has found.
struct Number {
    std::string name, unit;
    double value;
    std::optional<guint64> image;
};
// Those of a message "tomo-..."; none if it says itself in words what it found.
std::vector<Number> numbers_of(GstMessage *message);
// What a message "tomo-..." says in words; else nothing.
std::string sentence_of(GstMessage *message);

// One line for each of the first messages of a kind; what comes behind them is summed up at the end.
class Results {
  public:
    // The line of a message that is to be shown now; else nothing.
    std::string line_of(GstMessage *message);
    // Lines about those that were not shown.
    std::vector<std::string> summary() const;

  private:
    struct Statistics {
        double sum = 0, least = 0, most = 0, last = 0;
        std::string least_place, most_place;
        guint64 count = 0; // of finite values
    };
    struct Kind {
        guint64 count = 0;
        std::string label;                                       // "measure: std"
        std::vector<std::pair<std::string, Statistics>> numbers; // by field
    };
    struct Sentences {
        std::string last;
        guint64 count = 0;
    };
    std::map<std::string, Sentences> sentences_; // by element
    std::map<std::string, Kind> kinds_;          // by label
    std::vector<std::string> order_;
};

} // namespace tool
