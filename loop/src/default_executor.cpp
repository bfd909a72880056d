// The executor that a loop makes for itself.

#include <fmt/format.h>

#include <mishap/loop/event_loop.hpp>
#include <mishap/loop/executor.hpp>

namespace mishap {

namespace {
constexpr std::chrono::seconds shutdown_timeout(300);  // asyncio.constants.THREAD_JOIN_TIMEOUT
}

void EventLoop::set_default_executor(std::shared_ptr<ThreadPoolExecutor> executor) {
    if (executor == nullptr) {
        throw UsageError("set_default_executor() was given none; to have none left, call shutdown_default_executor()");
    }
    if (default_executor_ == nullptr) {
        at_shutdown(ShutdownPhase::executors, [this] { shutdown_default_executor(shutdown_timeout); });
    }
    default_executor_ = std::move(executor);
}

ThreadPoolExecutor& EventLoop::default_executor() {
    check_usable();
    if (is_executor_shut_down_) {
        throw UsageError("the default executor was used after shutdown_default_executor(); use an executor of your own");
    }
    if (default_executor_ == nullptr) {
        set_default_executor(std::make_shared<ThreadPoolExecutor>(ThreadPoolOptions{.thread_name_prefix = "asyncio"}));
        default_executor_->let_idle();
    }
    return *default_executor_;
}

void EventLoop::shutdown_default_executor(std::optional<std::chrono::nanoseconds> timeout) {
    is_executor_shut_down_ = true;
    const std::shared_ptr<ThreadPoolExecutor> executor = std::exchange(default_executor_, nullptr);
    if (executor == nullptr) {
        return;
    }
    const Future<bool> ended = create_future<bool>();
    const auto elsewhere = std::make_shared<detail::AwaitedElsewhere>(ended.state());
    struct Helper {
        Thread thread;
        TimerHandle timer;
        ~Helper() {
            if (timer.is_valid()) {
                timer.cancel();
            }
            if (thread.joinable()) {
                thread.detach();
            }
        }
    };
    Helper helper{Thread([executor, elsewhere] {
        executor->shutdown();
        elsewhere->deliver_last([](detail::FutureBase& waiting) {
            if (!waiting.is_done()) {
                Future<bool>(&waiting).set_result(true);
            }
        });
    }, {.name = "executor-shutdown"}), {}};
    if (timeout.has_value()) {
        helper.timer = call_later(*timeout, [ended] {
            if (!ended.done()) {
                ended.set_result(false);
            }
        });
    }
    const bool is_in_time = await(ended);
    if (is_in_time) {
        helper.thread.join();
        return;
    }
    warn(FindingKind::leaked_task,
         fmt::format("the threads of the default executor had not ended {} s after it was shut down",
                     std::chrono::duration_cast<std::chrono::seconds>(*timeout).count()));
    executor->abandon();
}

/// Lets go of the executor when the loop is closed; its threads end when they have nothing to do.
void EventLoop::drop_default_executor() {
    if (const std::shared_ptr<ThreadPoolExecutor> executor = std::exchange(default_executor_, nullptr)) {
        executor->abandon();
    }
}

}  // namespace mishap
