#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>

#include <mishap/primitives/detail/basic_queue.hpp>
#include <mishap/primitives/detail/item_heap.hpp>

namespace mishap {

/// A `Queue` that gives the least item by `Compare`. Items that can only be moved are welcome.
///
/// The *least* leaves first, as in asyncio; `std::priority_queue` gives the greatest. Equal items leave in an order that
/// is not the one in which they came, but is the same in every run, with every library, and in CPython: put a number
/// that grows into the items where that matters.
///
/// Source:    asyncio.PriorityQueue, CPython 3.13 (Lib/asyncio/queues.py).
template <class T, class Compare = std::less<T>>
class PriorityQueue : public detail::BasicQueue<T, detail::ItemHeap<T, Compare>> {
public:
    /// Makes a queue for at most `maxsize` items, any number if it is 0; `name` appears in reports.
    ///
    /// Throws:    UsageError when `maxsize` is negative (asyncio: no limit).
    explicit PriorityQueue(std::ptrdiff_t maxsize = 0, std::string_view name = {}, Compare compare = Compare())
        : detail::BasicQueue<T, detail::ItemHeap<T, Compare>>(detail::priority_queue_kind, maxsize, name,
                                                              std::move(compare)) {}
};

}  // namespace mishap
