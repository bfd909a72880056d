#pragma once

#include <atomic>
#include <string_view>
#include <vector>

#include <mishap/primitives/detail/run_object.hpp>
#include <mishap/sim/real_threads.hpp>

namespace mishap {

class Mutex;
class CondVar;

namespace detail {

/// A wish to have a mutex: lies on the stack of who announced it.
class LockWish : public Obstacle {
public:
    LockWish(Mutex& mutex, TaskBase& who) : mutex_(&mutex), who_(who) {}
    ~LockWish();
    LockWish(const LockWish&) = delete;
    LockWish& operator=(const LockWish&) = delete;

    /// Lets the mutex tell it when it is free; its wait may go on if it is so now.
    void list(EventLoop& loop);
    void explain(WaitExplanation& explanation) const override;

protected:
    friend class mishap::Mutex;
    Mutex* mutex_;  // null once it was destroyed
    TaskBase& who_;
    bool is_listed_ = false;  // the mutex knows of it
};

}  // namespace detail

/// Lets one thread at a time pass: a `std::mutex` in the real world, for simulated threads a simulated one.
///
/// The simulated one has no queue: `lock` can go on whenever the mutex is free, whoever came first. In a task, waiting stops
/// the whole loop, as it does for real; tasks among themselves want a `Lock`. `std::lock_guard`, `std::unique_lock` and
/// `std::scoped_lock` work with it.
class Mutex : public detail::RunObject {
public:
    Mutex() : Mutex(std::string_view()) {}
    /// `name` appears in reports.
    explicit Mutex(std::string_view name);
    /// Is a finding while threads wait for it.
    ~Mutex();

    /// Takes the mutex; blocks while it is taken.
    ///
    /// Throws:    UsageError in a callback, if it would have to wait.
    void lock(Place place = {});
    /// Takes the mutex if it is free; returns whether it did.
    bool try_lock(Place place = {});
    /// Gives the mutex up.
    ///
    /// Throws:    UsageError when the caller does not hold it.
    void unlock(Place place = {});

    void explain(detail::WaitExplanation& explanation) const;

private:
    friend class CondVar;
    friend class detail::LockWish;

    void prepare(EventLoop& loop) const;
    void take(EventLoop& loop);
    void give_up(EventLoop& loop);
    void check_held(const EventLoop& loop, const char* operation) const;
    void check_really_held(const char* operation) const;

    mutable bool is_locked_ = false;
    // For reports and misuse. The holder may be gone and its memory another's, hence the key.
    const detail::TaskBase* holder_ = nullptr;
    std::uint64_t holder_key_ = 0;
    mutable std::vector<detail::LockWish*> wishes_;

    // In the real world.
    detail::RealMutex real_;
    std::atomic<std::uint64_t> real_holder_{0};  // the number of a thread; 0: none
};

}  // namespace mishap
