#pragma once

// What the tasks of a program of the language share.

#include <memory>
#include <string>

#include <mishap/primitives/barrier.hpp>
#include <mishap/primitives/condition.hpp>
#include <mishap/primitives/event.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/queue.hpp>
#include <mishap/primitives/semaphore.hpp>

#include "differential/language.hpp"

namespace mishap::test::language {

/// A queue of whatever kind.
class Items {
public:
    virtual ~Items() = default;
    virtual void put(int item) = 0;
    virtual int get() = 0;
    virtual void put_nowait(int item) = 0;
    virtual int get_nowait() = 0;
    virtual void shutdown(bool immediate) = 0;
    virtual detail::QueueBase& base() = 0;
};

/// One of the objects; what it is not is null.
struct Shared {
    std::unique_ptr<Lock> lock;
    std::unique_ptr<Semaphore> semaphore;
    std::unique_ptr<Event> event;
    std::unique_ptr<Condition> condition;
    std::unique_ptr<Barrier> barrier;
    std::unique_ptr<Items> items;
    Future<std::int64_t> future;

    void acquire() const;
    void release() const;
    /// Says what can be seen of it from outside.
    std::string look() const;
};

/// Makes an object; `lock` is a condition's.
Shared make_shared(const Object& object, Lock* lock, EventLoop& loop);

}  // namespace mishap::test::language
