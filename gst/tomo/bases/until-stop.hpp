// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <utility>

namespace tomo {

class Element;

class GST_TOMO_API UntilStopBase {
  public:
    explicit UntilStopBase(Element *owner);
    UntilStopBase(const UntilStopBase &) = delete;
    UntilStopBase &operator=(const UntilStopBase &) = delete;
    virtual void forget() = 0;

  protected:
    ~UntilStopBase() = default;
};

// A member that an element fills for a stream, such as a table of weights on the device: it is a T{} again
// when the stream stops or the element gets another device.
template <class T>
class UntilStop final : public UntilStopBase {
  public:
    explicit UntilStop(Element *owner) : UntilStopBase(owner) {}

    UntilStop &operator=(T value) {
        value_ = std::move(value);
        return *this;
    }
    T &operator*() { return value_; }
    const T &operator*() const { return value_; }
    T *operator->() { return &value_; }
    const T *operator->() const { return &value_; }

    void forget() override { value_ = T{}; }

  private:
    T value_{};
};

} // namespace tomo
