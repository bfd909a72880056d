#pragma once

#include <cstddef>
#include <string_view>

#include <mishap/primitives/detail/basic_queue.hpp>
#include <mishap/primitives/detail/ring.hpp>

namespace mishap {

/// Hands items from tasks to tasks, first in, first out. Items that can only be moved are welcome.
///
/// Source:    asyncio.Queue, CPython 3.13 (Lib/asyncio/queues.py).
template <class T>
class Queue : public detail::BasicQueue<T, detail::Ring<T>> {
public:
    /// Makes a queue for at most `maxsize` items, any number if it is 0; `name` appears in reports.
    ///
    /// Throws:    UsageError when `maxsize` is negative (asyncio: no limit).
    explicit Queue(std::ptrdiff_t maxsize = 0, std::string_view name = {})
        : detail::BasicQueue<T, detail::Ring<T>>(detail::queue_kind, maxsize, name) {}
};

}  // namespace mishap
