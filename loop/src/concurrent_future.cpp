#include <mishap/loop/concurrent_future.hpp>

#include <cstdio>

#include <fmt/format.h>
#include <mishap/sim/errors.hpp>

namespace mishap::concurrent::detail {

// ---- those who wait for several --------------------------------------------------------------------------------------

void DoneWatch::add(const FutureCore& future, bool has_failed) {
    monitor_.use("completes a future", {}, Access::write, [&] {
        told_.push_back(&future);
        has_failed_ = has_failed_ || has_failed;
    });
}

bool DoneWatch::wait(std::size_t count, std::optional<std::chrono::nanoseconds> timeout, const char* operation, Place place,
                     std::vector<const FutureCore*>& told) {
    const auto is_over = [&] { return told_.size() >= count || (stops_on_failure_ && has_failed_); };
    const auto take = [&] { told.swap(told_); };
    if (monitor_.wait(operation, place, Access::write, is_over, take, timeout)) {
        return true;
    }
    monitor_.use(operation, place, Access::write, take);  // what there is when the time is up
    return false;
}

std::vector<std::size_t> distinct(const std::vector<FutureCore*>& futures) {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < futures.size(); ++i) {
        if (std::find(futures.begin(), futures.begin() + static_cast<std::ptrdiff_t>(i), futures[i]) ==
            futures.begin() + static_cast<std::ptrdiff_t>(i)) {
            indices.push_back(i);
        }
    }
    return indices;
}

std::vector<bool> wait_for(const std::vector<FutureCore*>& futures, const WaitOptions& options, Place place) {
    const bool one_is_enough = options.return_when == ReturnWhen::first_completed;
    const bool failure_is_enough = options.return_when == ReturnWhen::first_exception;
    const auto deadline_ns = mishap::detail::deadline_of(options.timeout);
    const auto watch = std::make_shared<DoneWatch>(failure_is_enough);
    std::vector<bool> is_done(futures.size());
    std::size_t pending = 0;
    bool is_over = false;
    for (std::size_t i = 0; i < futures.size(); ++i) {
        is_done[i] = !futures[i]->watch(watch, place);
        pending += is_done[i] ? 0U : 1U;
        is_over = is_over || (is_done[i] && (one_is_enough || (failure_is_enough && futures[i]->stored_exception() != nullptr)));
    }
    std::vector<const FutureCore*> told;
    if (!is_over && pending != 0) {
        watch->wait(one_is_enough ? 1 : pending, mishap::detail::time_left(deadline_ns), "concurrent::wait", place, told);
    }
    for (std::size_t i = 0; i < futures.size(); ++i) {
        if (std::find(told.begin(), told.end(), futures[i]) != told.end()) {
            is_done[i] = true;
        } else if (!is_done[i]) {
            futures[i]->unwatch(*watch, place);
        }
    }
    return is_done;
}

void empty_future() {
    throw UsageError(
        "a concurrent future was used that is empty: it was default-constructed or moved from; submit(), "
        "run_coroutine_threadsafe() and Future::make() give some");
}

void throw_unfinished(std::size_t unfinished, std::size_t all) {
    throw TimeoutError(fmt::format("{} (of {}) futures unfinished", unfinished, all));
}

// ---- one future ------------------------------------------------------------------------------------------------------

bool FutureCore::cancel(Place place) {
    bool is_cancelled = false;
    std::vector<std::function<void()>> callbacks;
    monitor_.use("Future.cancel", place, Access::write, [&] {
        is_cancelled = state_ != State::running && state_ != State::finished;
        if (state_ == State::pending) {
            state_ = State::cancelled;
            callbacks.swap(callbacks_);
        }
    });
    tell_done(std::move(callbacks));
    return is_cancelled;
}

FutureCore::State FutureCore::state(const char* operation, Place place) const {
    State state = State::pending;
    monitor_.use(operation, place, Access::read, [&] { state = state_; });
    return state;
}

bool FutureCore::begin(Place place) {
    State before = State::pending;
    std::vector<std::shared_ptr<DoneWatch>> watches;
    monitor_.use("Future.set_running_or_notify_cancel", place, Access::write, [&] {
        before = state_;
        if (state_ == State::pending) {
            state_ = State::running;
            if (const EventLoop* const loop = mishap::detail::simulated_loop(); loop != nullptr && loop->current_task() != nullptr) {
                monitor_.holder = loop->current_task();
                monitor_.holder_key = loop->running_key();
            }
        } else if (state_ == State::cancelled) {
            state_ = State::cancelled_and_notified;
            watches.swap(watches_);
        }
    });
    if (before != State::pending && before != State::cancelled) {
        throw UsageError("set_running_or_notify_cancel() on a future that has begun or ended already; executors call it once");
    }
    for (const auto& watch : watches) {
        watch->add(*this, false);
    }
    return before == State::pending;
}

void FutureCore::give_up() {
    std::vector<std::function<void()>> callbacks;
    std::vector<std::shared_ptr<DoneWatch>> watches;
    monitor_.use("Future is given up", {}, Access::write, [&] {
        if (state_ == State::pending || state_ == State::cancelled) {
            state_ = State::cancelled_and_notified;
            callbacks.swap(callbacks_);
            watches.swap(watches_);
        }
    });
    tell_done(std::move(callbacks));
    for (const auto& watch : watches) {
        watch->add(*this, false);
    }
}

void FutureCore::finish(const std::function<void()>& store, std::exception_ptr exception, Place place) {
    bool was_done = false;
    std::vector<std::function<void()>> callbacks;
    std::vector<std::shared_ptr<DoneWatch>> watches;
    const bool has_failed = exception != nullptr;
    monitor_.use(has_failed ? "Future.set_exception" : "Future.set_result", place, Access::write, [&] {
        was_done = is_done(state_);
        if (was_done) {
            return;
        }
        if (has_failed) {
            exception_ = std::move(exception);
        } else {
            store();
        }
        state_ = State::finished;
        monitor_.holder = nullptr;
        callbacks.swap(callbacks_);
        watches.swap(watches_);
    });
    if (was_done) {
        throw InvalidStateError("a concurrent future that is done already got a result or an exception; ask done() first");
    }
    for (const auto& watch : watches) {
        watch->add(*this, has_failed);
    }
    tell_done(std::move(callbacks));
}

void FutureCore::wait_done(std::optional<std::chrono::nanoseconds> timeout, const char* operation, Place place) const {
    State state = State::pending;
    const bool is_in_time = monitor_.wait(
        operation, place, Access::read, [this] { return is_done(state_); }, [&] { state = state_; }, timeout);
    if (!is_in_time) {
        throw TimeoutError();
    }
    if (state != State::finished) {
        throw CancelledError();
    }
}

void FutureCore::add_done_callback(std::function<void()> callback, Place place) {
    bool is_late = false;
    monitor_.use("Future.add_done_callback", place, Access::write, [&] {
        is_late = is_done(state_);
        if (!is_late) {
            callbacks_.push_back(std::move(callback));
        }
    });
    if (is_late) {
        call_done_callback(callback);
    }
}

void FutureCore::tell_done(std::vector<std::function<void()>> callbacks) {
    for (const std::function<void()>& callback : callbacks) {
        call_done_callback(callback);
    }
}

bool FutureCore::watch(const std::shared_ptr<DoneWatch>& watch, Place place) {
    bool is_pending = false;
    monitor_.use("watches a future", place, Access::write, [&] {
        is_pending = !is_settled(state_);
        if (is_pending) {
            watches_.push_back(watch);
        }
    });
    return is_pending;
}

void FutureCore::unwatch(const DoneWatch& watch, Place place) {
    monitor_.use("watches a future no more", place, Access::write,
                 [&] { std::erase_if(watches_, [&](const auto& other) { return other.get() == &watch; }); });
}

void call_done_callback(const std::function<void()>& callback) {
    // The helper that calls a foreign body in whatever thread it is: nobody above could do anything about what it throws.
    try {
        callback();
    } catch (const mishap::detail::TaskAbandoned&) {
        throw;
    } catch (...) {
        const std::string what =
            fmt::format("a callback of a concurrent future threw {}", describe_exception(std::current_exception()));
        if (EventLoop* const loop = mishap::detail::simulated_loop()) {
            loop->world().note({FindingKind::exception, what});
        } else {
            std::fputs((what + "\n").c_str(), stderr);
        }
    }
}

}  // namespace mishap::concurrent::detail
