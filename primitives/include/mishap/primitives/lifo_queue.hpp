#pragma once

#include <cstddef>
#include <string_view>

#include <mishap/primitives/detail/basic_queue.hpp>
#include <mishap/primitives/detail/item_stack.hpp>

namespace mishap {

/// A `Queue` that gives the item that came last. Items that can only be moved are welcome.
///
/// Source:    asyncio.LifoQueue, CPython 3.13 (Lib/asyncio/queues.py).
template <class T>
class LifoQueue : public detail::BasicQueue<T, detail::ItemStack<T>> {
public:
    /// Makes a queue for at most `maxsize` items, any number if it is 0; `name` appears in reports.
    ///
    /// Throws:    UsageError when `maxsize` is negative (asyncio: no limit).
    explicit LifoQueue(std::ptrdiff_t maxsize = 0, std::string_view name = {})
        : detail::BasicQueue<T, detail::ItemStack<T>>(detail::lifo_queue_kind, maxsize, name) {}
};

}  // namespace mishap
