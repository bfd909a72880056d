#pragma once

#include <iterator>
#include <optional>
#include <utility>

#include <mishap/loop/detail/next_iterator.hpp>
#include <mishap/primitives/detail/queue_base.hpp>

namespace mishap {

/// The items of a queue, as they come, until it is shut down and empty; made by `items_of`.
template <class Q>
class QueueItems {
public:
    using Item = decltype(std::declval<Q&>().get());
    using Iterator = detail::NextIterator<QueueItems, Item>;

    QueueItems(Q& queue, Place place) : queue_(&queue), place_(place) {}

    /// Takes the next item, waiting while there is none; nothing once the queue is shut down and empty.
    ///
    /// Yields, Cancelled, Order, Throws: as the queue's `get`, but for QueueShutDown.
    std::optional<Item> next() {
        try {
            return queue_->get(place_);
        } catch (const QueueShutDown&) {
            return std::nullopt;
        }
    }
    std::optional<Item> next_here() { return next(); }

    Iterator begin() { return Iterator(*this); }
    std::default_sentinel_t end() const { return {}; }

private:
    Q* queue_;
    Place place_;
};

/// Iterates over what comes out of a queue until it is shut down: `for (Job& job : items_of(jobs))`. Several tasks may.
///
/// Source:    iteration over a gevent.queue.Queue.
template <class Q>
QueueItems<Q> items_of(Q& queue, Place place = Place::here()) {
    return QueueItems<Q>(queue, place);
}

}  // namespace mishap
