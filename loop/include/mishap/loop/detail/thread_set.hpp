#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <mishap/loop/detail/thread_base.hpp>

namespace mishap::detail {

/// The simulated threads of a loop, and the task of the loop's own thread that others may overtake.
///
/// Threads are not in the ready set: what asyncio orders is the loop's, what runs beside it is nobody's. `enabled` is in
/// order of creation, and a thread stays in it from step to step, so that a pick costs nothing but the draw.
class ThreadSet {
public:
    /// Returns whether threads take part in what goes next.
    bool is_active() const { return is_active_; }
    /// Says that the loop is run by a thread itself, and so is never alone.
    void be_of_thread() { is_of_thread_ = is_active_ = true; }

    void add(ThreadBase& thread) {
        thread.number = made_++;
        live_.push_back(&thread);
        is_active_ = true;
    }
    void remove(ThreadBase& thread) {
        disable(thread);
        std::erase(live_, &thread);
        if (last_ == &thread) {
            last_ = nullptr;
        }
        look_whether_active();
    }
    void enable(ThreadBase& thread) {
        if (!thread.is_enabled) {
            thread.is_enabled = true;
            enabled_.insert(place_of(thread), &thread);
        }
    }
    void disable(ThreadBase& thread) {
        if (thread.is_enabled) {
            thread.is_enabled = false;
            enabled_.erase(place_of(thread));
        }
    }
    void clear() {
        live_.clear();
        enabled_.clear();
        last_ = nullptr;
        held_ = nullptr;
        made_ = 0;
        deadlines_.clear();
        look_whether_active();
    }

    const std::vector<ThreadBase*>& live() const { return live_; }
    std::uint32_t enabled() const { return static_cast<std::uint32_t>(enabled_.size()); }

    /// Returns the enabled thread that comes `index` places after the one that went last, or, if another entity did, the
    /// `index`-th; `index` is below `enabled()`.
    ThreadBase& enabled_from_last(std::uint32_t index) const {
        const std::uint32_t first = last_ != nullptr ? static_cast<std::uint32_t>(
                                        std::lower_bound(enabled_.begin(), enabled_.end(), last_, is_older) -
                                        enabled_.begin())
                                                     : 0;
        const std::uint32_t at = first + index;
        return *enabled_[at < enabled() ? at : at - enabled()];
    }

    /// The thread that made the step before; null: somebody else did, or it has ended.
    ThreadBase* last() const { return last_; }
    void set_last(ThreadBase* thread) { last_ = thread; }

    /// The task that has announced an operation in the middle of its step: the loop does nothing else until it goes on.
    TaskBase* held() const { return held_; }
    const Announcement& held_next() const { return held_next_; }
    bool is_held_enabled() const { return held_ != nullptr && is_held_enabled_; }
    void hold(TaskBase& task, const Announcement& next, bool enabled) {
        held_ = &task;
        task.ready_slot = held_slot;
        held_next_ = next;
        is_held_enabled_ = enabled;
        is_active_ = true;
    }
    void set_held_enabled(bool enabled) { is_held_enabled_ = enabled; }
    void let_go() {
        held_->ready_slot = ReadyEntry::nowhere;
        held_ = nullptr;
        look_whether_active();
    }

    /// When those who are blocked go on although what they wait for has not come; in order of arrival.
    const std::vector<ThreadDeadline*>& deadlines() const { return deadlines_; }
    void add_deadline(ThreadDeadline& deadline) { deadlines_.push_back(&deadline); }
    void remove_deadline(ThreadDeadline& deadline) { std::erase(deadlines_, &deadline); }

private:
    static constexpr std::uint32_t held_slot = ReadyEntry::nowhere - 1;  // it is ready, and in no ready set

    static bool is_older(const ThreadBase* a, const ThreadBase* b) { return a->number < b->number; }
    void look_whether_active() { is_active_ = is_of_thread_ || !live_.empty() || held_ != nullptr; }
    std::vector<ThreadBase*>::iterator place_of(ThreadBase& thread) {
        return std::lower_bound(enabled_.begin(), enabled_.end(), &thread, is_older);
    }

    std::vector<ThreadBase*> live_;
    std::vector<ThreadBase*> enabled_;
    ThreadBase* last_ = nullptr;
    TaskBase* held_ = nullptr;
    Announcement held_next_;
    bool is_held_enabled_ = false;
    std::uint32_t made_ = 0;
    bool is_active_ = false;
    bool is_of_thread_ = false;
    std::vector<ThreadDeadline*> deadlines_;
};

}  // namespace mishap::detail
