// What the loop has to say: exceptions that nobody caught, and what debug mode watches.

#include <cstdio>
#include <thread>

#include <fmt/format.h>
#include <mishap/loop/context.hpp>
#include <mishap/loop/detail/open_resource.hpp>
#include <mishap/loop/event_loop.hpp>
#include <mishap/sim/errors.hpp>

namespace mishap {

namespace {

std::string in_seconds(std::int64_t ns) { return fmt::format("{}.{:03} s", ns / 1'000'000'000, ns / 1'000'000 % 1'000); }

}  // namespace

void EventLoop::set_exception_handler(ExceptionHandler handler) { exception_handler_ = std::move(handler); }

void EventLoop::default_exception_handler(const LoopException& what) {
    const std::string text = fmt::format("{}: {}{}{}", what.message, describe_exception(what.exception),
                                         what.subject.empty() ? "" : ", in ", what.subject);
    if (!world_->is_simulated()) {
        std::fputs((text + "\n").c_str(), stderr);
    } else if (!world_->is_tearing_down()) {
        world_->note({FindingKind::exception, text});
    }
}

void EventLoop::call_exception_handler(const LoopException& what) {
    if (exception_handler_ == nullptr) {
        default_exception_handler(what);
        return;
    }
    const ExceptionHandler handler = exception_handler_;  // it may set another
    try {
        handler(*this, what);
    } catch (const detail::TaskAbandoned&) {
        // A check failed in it: the world has its verdict.
    } catch (...) {
        default_exception_handler({"Unhandled error in exception handler", std::current_exception()});
        default_exception_handler(what);
    }
}

/// Calls the handler in the context of the task that it is about.
void EventLoop::tell_exception(const detail::TaskBase& task, const LoopException& what) {
    std::optional<detail::ContextScope> scope;
    if (task.has_extras && detail::extras_of(task).context != nullptr) {
        scope.emplace(detail::extras_of(task).context);
    }
    call_exception_handler(what);
}

void EventLoop::report_never_retrieved(const detail::FutureBase& future) {
    if (world_->is_tearing_down() || detail::is_injected(future.peek_exception())) {
        return;
    }
    const auto* const task = future.is_task() ? static_cast<const detail::TaskBase*>(&future) : nullptr;
    if (future.peek_exception() == nullptr) {
        warn(FindingKind::never_awaited, fmt::format("task {} was never awaited: nobody asked how it ended", task->path()));
        return;
    }
    const std::string what = fmt::format("{} was never retrieved", describe_exception(future.peek_exception()));
    world_->note({FindingKind::never_retrieved, task != nullptr ? fmt::format("task {}: {}", task->path(), what) : what});
    if (world_->is_simulated() && exception_handler_ == nullptr) {
        return;  // the note says it
    }
    if (task != nullptr) {
        tell_exception(*task, {"Task exception was never retrieved", future.peek_exception(), task->path()});
    } else {
        call_exception_handler({"Future exception was never retrieved", future.peek_exception()});
    }
}

void EventLoop::log(LogRecord::Level level, const std::string& message) {
    if (log_handler_ != nullptr) {
        log_handler_(*this, {level, message});
    } else if (level == LogRecord::Level::warning && !world_->is_simulated()) {
        std::fputs((message + "\n").c_str(), stderr);
    }
}

void EventLoop::warn(FindingKind kind, const std::string& message) {
    if (world_->is_tearing_down()) {
        return;
    }
    if (world_->is_simulated()) {
        world_->note({kind, message});
    }
    log(LogRecord::Level::warning, message);
}

// ---- debug mode ------------------------------------------------------------------------------------------------------
//
// The inner loop does not ask for it: debug mode makes conditions true that it looks at anyway, that a step needs
// preparation and that the steps allowed are used up.

void EventLoop::set_debug(bool is_debug) {
    is_debug_ = is_debug;
    is_use_checked_ = is_closed_ || is_debug || are_callers_watched_;
    prepares_steps_ = is_debug || world_->options().cancellations != 0;
    is_watched_ = is_watched_ || prepares_steps_;
    steps_look_ = is_debug ? 0 : watch_.next_look;
    if (is_debug) {
        note_step_begins(current_ != nullptr ? "task " + current_->path() : "a callback");
    }
}

void EventLoop::note_step_begins(std::string who) {
    step_of_ = std::move(who);
    step_began_ns_ = world_->now_ns();
}

/// Looks at a step that has ended: was it slow, was it one too many.
void EventLoop::look_at_step() {
    if (is_debug_) {
        report_if_slow();
    }
    if (world_->steps() > watch_.next_look) {
        look_for_progress();
    }
}

void EventLoop::report_if_slow() {
    const std::int64_t now_ns = world_->now_ns();
    const std::int64_t duration_ns = now_ns - step_began_ns_;
    step_began_ns_ = now_ns;
    if (duration_ns >= slow_callback_duration.count()) {
        warn(FindingKind::slow_step,
             fmt::format("a step of {} took {}, and nothing else could go meanwhile", step_of_, in_seconds(duration_ns)));
    }
}

void EventLoop::log_selector(std::chrono::nanoseconds timeout, std::int64_t began_ns) {
    const std::string allowed =
        timeout == std::chrono::nanoseconds::max() ? std::string("as long as need be") : "at most " + in_seconds(timeout.count());
    log(LogRecord::Level::info,
        fmt::format("the selector took {}, {}", in_seconds(world_->now_ns() - began_ns), allowed));
}

void EventLoop::busy_for(std::chrono::nanoseconds duration) {
    if ((current_ == nullptr && current_handle_ == nullptr) || (current_ != nullptr && current_->is_thread)) {
        throw UsageError("busy_for() was called where no task and no callback runs; it says how long their step takes");
    }
    if (duration.count() <= 0) {
        return;
    }
    if (!world_->is_simulated()) {
        std::this_thread::sleep_for(duration);
        return;
    }
    if (!is_sharing_unknown_) {
        throw UsageError(
            "busy_for() was called with Sharing::tracked; nobody records who reads the clock: use Sharing::unknown");
    }
    const std::int64_t now_ns = deadline_in(duration).time_since_epoch().count();
    if (now_ns > world_->options().time_max.count()) {
        world_->fail({.kind = FindingKind::over_budget,
                      .what = fmt::format("a step of {} would take the run beyond its virtual time; raise time_max if that is right",
                                          in_seconds(duration.count())),
                      .label = "time_max"});
        return;
    }
    world_->move_clock(now_ns);
}

namespace detail {

OpenResource::OpenResource(EventLoop& loop, std::string what) {
    if (loop.get_debug()) {
        loop_ = &loop;
        what_ = std::move(what);
        loop.open_resources().push_back(this);
    }
}

void OpenResource::close() {
    if (loop_ != nullptr) {
        std::erase(loop_->open_resources(), this);
        loop_ = nullptr;
    }
}

OpenResource::~OpenResource() {
    if (loop_ != nullptr) {
        EventLoop& loop = *loop_;
        close();
        loop.warn(FindingKind::unclosed, "unclosed " + what_);
    }
}

void OpenResource::tell_unclosed() {
    loop_->warn(FindingKind::unclosed, "unclosed " + what_ + " when the loop ended");
    loop_ = nullptr;
}

}  // namespace detail

/// Tells of the resources that are open at the end; they outlive the loop.
void EventLoop::tell_unclosed() {
    for (detail::OpenResource* const resource : std::exchange(open_resources_, {})) {
        resource->tell_unclosed();
    }
}

}  // namespace mishap
