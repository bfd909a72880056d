#include "differential/language_objects.hpp"

#include <stdexcept>

#include <mishap/primitives/lifo_queue.hpp>
#include <mishap/primitives/priority_queue.hpp>

#include "differential/program.hpp"

namespace mishap::test::language {

namespace {

template <class Q>
class ItemsOf final : public Items {
public:
    explicit ItemsOf(int maxsize) : queue_(maxsize) {}
    void put(int item) override { queue_.put(item); }
    int get() override { return queue_.get(); }
    void put_nowait(int item) override { queue_.put_nowait(item); }
    int get_nowait() override { return queue_.get_nowait(); }
    void shutdown(bool immediate) override { queue_.shutdown(immediate); }
    detail::QueueBase& base() override { return queue_; }

private:
    Q queue_;
};

/// Of every four numbers none is the least, so that equals meet in a PriorityQueue.
struct IsLess {
    bool operator()(int a, int b) const { return a / 4 < b / 4; }
};

}  // namespace

void Shared::acquire() const {
    if (lock != nullptr) {
        lock->acquire();
    } else if (semaphore != nullptr) {
        semaphore->acquire();
    } else {
        condition->acquire();
    }
}

void Shared::release() const {
    if (lock != nullptr) {
        lock->release();
    } else if (semaphore != nullptr) {
        semaphore->release();
    } else {
        condition->release();
    }
}

std::string Shared::look() const {
    if (lock != nullptr) {
        return lock->statistics().text();
    }
    if (semaphore != nullptr) {
        return semaphore->statistics().text();
    }
    if (event != nullptr) {
        return event->statistics().text();
    }
    if (condition != nullptr) {
        return condition->statistics().text();
    }
    if (barrier != nullptr) {
        return barrier->statistics().text();
    }
    if (items != nullptr) {
        const detail::QueueBase::Statistics statistics = items->base().statistics();
        return "size " + std::to_string(statistics.size) + ", unfinished " +
               std::to_string(statistics.unfinished);
    }
    return "done " + truth(future.done()) + ", cancelled " + truth(future.cancelled());
}

Shared make_shared(const Object& object, Lock* lock, EventLoop& loop) {
    Shared it;
    const std::string& kind = object.kind;
    if (kind == "Lock") {
        it.lock = std::make_unique<Lock>();
    } else if (kind == "Semaphore") {
        it.semaphore = std::make_unique<Semaphore>(object.number);
    } else if (kind == "BoundedSemaphore") {
        it.semaphore = std::make_unique<BoundedSemaphore>(object.number);
    } else if (kind == "Event") {
        it.event = std::make_unique<Event>();
    } else if (kind == "Condition") {
        it.condition = std::make_unique<Condition>(*lock);
    } else if (kind == "Barrier") {
        it.barrier = std::make_unique<Barrier>(object.number);
    } else if (kind == "Queue") {
        it.items = std::make_unique<ItemsOf<Queue<int>>>(object.number);
    } else if (kind == "LifoQueue") {
        it.items = std::make_unique<ItemsOf<LifoQueue<int>>>(object.number);
    } else if (kind == "PriorityQueue") {
        it.items = std::make_unique<ItemsOf<PriorityQueue<int, IsLess>>>(object.number);
    } else if (kind == "Future") {
        it.future = loop.create_future<std::int64_t>();
    } else {
        throw std::invalid_argument("no kind of object: " + kind);
    }
    return it;
}

}  // namespace mishap::test::language
