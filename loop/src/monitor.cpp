#include <mishap/loop/detail/monitor.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <mishap/sim/real_clock.hpp>

namespace mishap::detail {

MonitorWait::MonitorWait(Monitor& monitor, TaskBase& who, const char* operation)
    : monitor_(&monitor), who_(who), operation_(operation) {
    monitor.waits_.push_back(this);
}

MonitorWait::~MonitorWait() {
    if (monitor_ != nullptr) {
        std::erase(monitor_->waits_, this);
    }
    if (loop_ != nullptr) {
        loop_->remove_deadline(deadline_);
    }
}

void MonitorWait::explain(WaitExplanation& explanation) const {
    explanation.what = monitor_ != nullptr ? monitor_->describe() : std::string("something that was destroyed");
    explanation.is_signal = true;
    if (monitor_ == nullptr || monitor_->holder == nullptr || current_loop == nullptr) {
        return;
    }
    current_loop->for_each_task_and_thread([&](const TaskBase& task) {
        if (&task == monitor_->holder && task.entity.key == monitor_->holder_key) {
            explanation.holders.push_back(&task);
        }
    });
}

Monitor::~Monitor() {
    for (MonitorWait* wait : waits_) {
        wait->monitor_ = nullptr;
    }
}

std::string Monitor::describe() const {
    if (current_loop != nullptr && run_ == current_loop->run_serial()) {
        if (const Names& names = current_loop->world().names(); names.knows(cell_.key)) {
            return fmt::format("{} {}", what_, names.path(cell_.key));
        }
    }
    return what_;
}

void Monitor::introduce(EventLoop& loop) {
    if (run_ == loop.run_serial()) {
        return;
    }
    if (run_ != no_run) {
        throw UsageError(fmt::format("a {} of an earlier run was used; make it within the run", what_));
    }
    run_ = loop.run_serial();
    loop.identify(cell_, hash_text(word_), word_, nullptr);
}

/// Announces an operation that is always possible, and records it; returns the loop of a simulated world.
EventLoop* Monitor::enter(const char* operation, Place place, Access access) {
    EventLoop* const loop = simulated_loop();
    if (loop == nullptr) {
        return nullptr;
    }
    introduce(*loop);
    // What is given up may come here from a destructor: no place to wait, or to throw.
    const TaskBase* const who = loop->current_task();
    if (loop->has_threads() && who != nullptr && !who->is_abandoning) {
        loop->announce(Announcement({.object = cell_.key, .access = access}), true, nullptr, operation, place);
    }
    touch(loop, access, operation, place);
    return loop;
}

void Monitor::touch(EventLoop* loop, Access access, const char* operation, Place place) {
    if (loop != nullptr) {
        loop->world().touch(cell_, access, operation, place);
        if (access != Access::read) {
            loop->world().tell_progress();
        }
    }
}

/// Returns who has to wait, or at least to announce; null: nobody has to.
TaskBase* Monitor::begin_wait(EventLoop* loop, const char* operation, bool holds) {
    if (loop == nullptr) {
        if (!holds) {
            throw UsageError(fmt::format("{} would have to wait, after the run that it belongs to", operation));
        }
        return nullptr;
    }
    introduce(*loop);
    TaskBase* const who = loop->current_task();
    if (who == nullptr && !holds) {
        throw UsageError(fmt::format(
            "{} would have to wait in a callback, and with it the whole loop; make a task or a thread for it", operation));
    }
    return loop->has_threads() || !holds ? who : nullptr;
}

void Monitor::announce_wait(EventLoop& loop, MonitorWait& wait, Access access, Place place,
                            std::optional<std::chrono::nanoseconds> timeout) {
    bool is_possible = wait.holds();
    if (timeout.has_value()) {
        const std::int64_t now_ns = loop.world().now_ns();
        wait.deadline_ = {loop.deadline_in(std::max(*timeout, std::chrono::nanoseconds(0))).time_since_epoch().count(), &wait.who_,
                          false};
        if (wait.deadline_.when_ns <= now_ns) {
            wait.deadline_.has_come = is_possible = true;
        } else {
            wait.loop_ = &loop.root();
            wait.loop_->add_deadline(wait.deadline_);
        }
    }
    loop.announce(Announcement({.object = cell_.key, .access = access, .may_block = true}), is_possible, &wait,
                  wait.operation_, place);
}

/// Lets those go on whose wait is over, and keeps those back whose wait is not over any more.
void Monitor::tell_waits() {
    EventLoop* const loop = simulated_loop();
    if (loop == nullptr || loop->world().is_tearing_down()) {
        return;
    }
    for (MonitorWait* wait : waits_) {
        loop->allow(wait->who_, wait->deadline_.has_come || wait->holds());
    }
}

std::int64_t blocking_now_ns() {
    EventLoop* const loop = simulated_loop();
    return loop != nullptr ? loop->world().now_ns() : monotonic_now_ns();
}

std::optional<std::int64_t> deadline_of(const std::optional<std::chrono::nanoseconds>& timeout) {
    if (!timeout.has_value()) {
        return std::nullopt;
    }
    constexpr std::int64_t end_of_time = std::chrono::nanoseconds::max().count();
    const std::int64_t now = blocking_now_ns();
    return timeout->count() > end_of_time - now ? end_of_time : now + timeout->count();
}

std::optional<std::chrono::nanoseconds> time_left(const std::optional<std::int64_t>& deadline_ns) {
    if (!deadline_ns.has_value()) {
        return std::nullopt;
    }
    return std::chrono::nanoseconds(std::max<std::int64_t>(*deadline_ns - blocking_now_ns(), 0));
}

}  // namespace mishap::detail
