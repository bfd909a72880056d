#include <mishap/primitives/pool.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <mishap/primitives/timeout.hpp>

namespace mishap {

namespace {

/// Runs what waits, for `limit` at most; returns whether it came to its end.
template <class F>
bool within(std::optional<std::chrono::nanoseconds> limit, F&& body, Place place) {
    if (!limit.has_value()) {
        body();
        return true;
    }
    Timeout timeout(detail::running_task_loop("Pool").deadline_in(*limit));
    try {
        timeout.run(body, place);
    } catch (const TimeoutError&) {
        if (!timeout.expired()) {
            throw;  // a sweep's
        }
        return false;
    }
    return true;
}

std::int64_t checked(std::int64_t size) {
    if (size < 1) {
        throw UsageError(fmt::format("a Pool was made for {} tasks; give 1 or more", size));
    }
    return size;
}

}  // namespace

Pool::State::State(std::int64_t size_, std::string_view name) : slots(checked(size_), name), size(size_) { idle.set(); }

void Pool::State::discard(const detail::TaskBase& task) {
    std::erase_if(running, [&](const AnyTask& one) { return &one.task_state() == &task; });
    slots.release();
    if (running.empty()) {
        idle.set();
    }
}

Pool::Pool(std::int64_t size, std::string_view name) : state_(std::make_shared<State>(size, name)) {}

std::int64_t Pool::free_count() const { return state_->slots.locked() ? 0 : state_->slots.statistics().value; }

std::int64_t Pool::wait_available(std::optional<std::chrono::nanoseconds> timeout) {
    within(
        timeout,
        [&] {
            state_->slots.acquire();
            state_->slots.release();
        },
        Place::here());
    return free_count();
}

bool Pool::join(std::optional<std::chrono::nanoseconds> timeout, Place place) {
    const auto state = state_;
    return within(
        timeout,
        [&] {
            while (!state->running.empty()) {
                state->idle.wait(place);  // somebody may have got a place before this task resumes
            }
        },
        place);
}

void Pool::kill(Place place) {
    const auto state = state_;
    std::vector<AnyTask> told;
    while (!state->running.empty()) {
        const std::vector<AnyTask> running = state->running;
        for (const AnyTask& task : running) {
            if (std::find(told.begin(), told.end(), task) == told.end()) {
                told.push_back(task);
                task.cancel();
            }
        }
        wait(running, {.return_when = ReturnWhen::first_completed}, place);
    }
}

/// Cancels tasks and waits until all have ended, however often this task is cancelled meanwhile.
void Pool::end_all(const std::vector<AnyTask>& tasks) {
    for (const AnyTask& task : tasks) {
        task.cancel();
    }
    for (bool is_over = tasks.empty(); !is_over;) {
        try {
            wait(tasks);
            is_over = true;
        } catch (const CancelledError&) {
            // What ends `map` is an error or a cancellation already: this one is told by it.
        }
    }
}

}  // namespace mishap
