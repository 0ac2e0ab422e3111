// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A bounded store of what takes long to make: programs, kernels, plans.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace tomo {

// Keeps the values that were used last, so many of them. Values are handles: who has one keeps it alive,
// whether it is still kept here or not.
template <class Key, class Value>
class RecentlyUsed {
  public:
    explicit RecentlyUsed(std::size_t most) : most_(most) {}

    // The value of a key, which `make` makes where it is not there. From any thread. One thread makes a
    // value; others that want the same one wait for it, and those that want another one do not. What `make`
    // throws comes out, and the next one tries anew.
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
        Order dropped; // ends outside of the lock, as what ends may take its time
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
    Order order_; // the one used last comes first
    std::map<Key, typename Order::iterator> places_;
};

} // namespace tomo
