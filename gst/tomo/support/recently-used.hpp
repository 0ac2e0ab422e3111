// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A bounded store of values that take long to make: programs, kernels, plans.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace tomo {

// Keeps a bounded number of the most recently used values. Values are handles: a copy keeps its value alive
// after the store has dropped it.
template <class Key, class Value>
class RecentlyUsed {
  public:
    explicit RecentlyUsed(std::size_t most) : most_(most) {}

    // The value of a key; `make` makes it if it is not stored. From any thread: one thread makes the value,
    // threads that need the same value wait for it, other threads do not. An exception of `make` passes to
    // the caller, and the next call tries again.
    template <class Make>
    Value get(const Key &key, Make make) {
        const auto entry = entry_of(key);
        const std::lock_guard<std::mutex> guard(entry->lock);
        if (!entry->value)
            try {
                entry->value = make();
            } catch (...) {
                forget(key, entry);
                throw;
            }
        return *entry->value;
    }

    std::size_t count() const {
        const std::lock_guard<std::mutex> guard(lock_);
        return order_.size();
    }

    void clear() {
        Order dropped; // destroyed outside of the lock, because that may take long
        const std::lock_guard<std::mutex> guard(lock_);
        places_.clear();
        dropped.swap(order_);
    }

  private:
    struct Entry {
        std::mutex lock; // held while the value is made
        std::optional<Value> value;
    };
    struct Place {
        const Key *key; // of places_
        std::shared_ptr<Entry> entry;
    };
    using Order = std::list<Place>;

    std::shared_ptr<Entry> entry_of(const Key &key) {
        Order dropped;
        const std::lock_guard<std::mutex> guard(lock_);
        const auto [known, is_new] = places_.try_emplace(key);
        if (!is_new) {
            order_.splice(order_.begin(), order_, known->second);
            return order_.front().entry;
        }
        order_.push_front({&known->first, std::make_shared<Entry>()});
        known->second = order_.begin();
        if (order_.size() > most_) {
            dropped.splice(dropped.begin(), order_, std::prev(order_.end()));
            places_.erase(*dropped.front().key);
        }
        return order_.front().entry;
    }

    void forget(const Key &key, const std::shared_ptr<Entry> &entry) {
        const std::lock_guard<std::mutex> guard(lock_);
        const auto known = places_.find(key);
        if (known == places_.end() || known->second->entry != entry)
            return;
        order_.erase(known->second);
        places_.erase(known);
    }

    const std::size_t most_;
    mutable std::mutex lock_;
    Order order_; // most recently used first
    std::map<Key, typename Order::iterator> places_;
};

} // namespace tomo
