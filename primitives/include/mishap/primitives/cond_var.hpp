#pragma once

#include <deque>
#include <mutex>
#include <string_view>

#include <mishap/primitives/mutex.hpp>

namespace mishap {

namespace detail {
class CondVarWait;
}

/// Lets threads wait until another one notifies them: a `std::condition_variable` in the real world, for simulated threads a
/// simulated one.
///
/// Simulated waiters are woken first come, first served, and never without a notification; real ones as they come.
class CondVar : public detail::RunObject {
public:
    CondVar() : CondVar(std::string_view()) {}
    /// `name` appears in reports.
    explicit CondVar(std::string_view name);
    /// Is a finding while threads wait on it.
    ~CondVar();

    /// Gives `mutex` up and waits for a notification, as one step; then takes `mutex` again, as another.
    ///
    /// Throws:    UsageError when the caller does not hold `mutex`, and in a callback.
    void wait(Mutex& mutex, Place place = Place::here());
    void wait(std::unique_lock<Mutex>& lock, Place place = Place::here()) { wait(*lock.mutex(), place); }
    /// Waits until `holds()`, which is called with the mutex held.
    template <class L, class P>
    void wait(L& lock, P holds, Place place = Place::here()) {
        while (!holds()) {
            wait(lock, place);
        }
    }
    /// Wakes the one that has waited longest, if anybody waits.
    void notify_one(Place place = Place::here());
    /// Wakes all that wait.
    void notify_all(Place place = Place::here());

private:
    friend class detail::CondVarWait;

    void prepare(EventLoop& loop) const;
    EventLoop* announce_notify(const char* operation, Place place);
    void wake(EventLoop& loop, detail::CondVarWait& wait);

    mutable std::deque<detail::CondVarWait*> waits_;
    detail::RealCondVar real_;
};

}  // namespace mishap
