#pragma once

// Items of which the least leaves first: a binary heap.
//
// The order in which equal items leave is seen by programs, so it must not depend on the standard library, and a program
// ported from asyncio should see the one it had. Hence the algorithm of CPython's heapq: a removal lets the hole sink to
// a leaf along the lesser children, the right one of two that are equal, and the last item rises from there (Knuth,
// TAOCP 3, 5.2.3, exercise 18).
//
// Invariants:
// 1. no item is less than the one at half its index: `(i - 1) / 2`.
// 2. all comparisons of an operation are made before anything moves, so a comparison that throws changes nothing.

#include <cstddef>
#include <utility>
#include <vector>

namespace mishap::detail {

template <class T, class Compare>
class ItemHeap {
public:
    explicit ItemHeap(Compare compare) : is_less_(std::move(compare)) {}

    template <class U>
    void push(U&& item) {
        const std::size_t last = items_.size();
        std::size_t target = last;
        while (target != 0 && is_less_(item, items_[parent(target)])) {
            target = parent(target);
        }
        items_.push_back(std::forward<U>(item));
        for (std::size_t at = last; at != target; at = parent(at)) {
            std::swap(items_[at], items_[parent(at)]);
        }
    }

    /// Removes the least item of a heap that is not empty.
    T pop() {
        const std::size_t count = items_.size() - 1;  // of those that stay
        std::size_t target = 0;
        for (std::size_t child = 1; child < count; child = 2 * target + 1) {
            const bool has_right = child + 1 < count;
            target = has_right && !is_less_(items_[child], items_[child + 1]) ? child + 1 : child;
        }
        while (target != 0 && is_less_(items_[count], items_[target])) {
            target = parent(target);
        }
        // The last item takes the target's place, and each on the way to the root its parent's; the root's is left over.
        T carried = std::move(items_[count]);
        items_.pop_back();
        if (count == 0) {
            return carried;
        }
        for (std::size_t at = target; at != 0; at = parent(at)) {
            std::swap(carried, items_[at]);
        }
        std::swap(carried, items_[0]);
        return carried;
    }
    void clear() { items_.clear(); }

private:
    static std::size_t parent(std::size_t index) { return (index - 1) / 2; }

    std::vector<T> items_;
    Compare is_less_;
};

}  // namespace mishap::detail
