#pragma once

#include <utility>
#include <vector>

namespace mishap::detail {

/// Items of which the last to come leaves first.
template <class T>
class ItemStack {
public:
    template <class U>
    void push(U&& item) {
        items_.push_back(std::forward<U>(item));
    }
    /// Removes the latest item of a stack that is not empty.
    T pop() {
        T item = std::move(items_.back());
        items_.pop_back();
        return item;
    }
    void clear() { items_.clear(); }

private:
    std::vector<T> items_;
};

}  // namespace mishap::detail
