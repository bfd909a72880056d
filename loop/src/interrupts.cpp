#include <mishap/loop/detail/interrupts.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include <mishap/loop/detail/inbox.hpp>
#include <mishap/loop/event_loop.hpp>

namespace mishap::detail {

namespace {

/// What the handler may touch: of the loop that runs in the main thread, if it wants to be told.
struct Told {
    std::atomic<bool>* is_interrupted;
    Selector* selector;
    std::atomic<bool> was_told{false};
};
std::atomic<Told*> told{nullptr};
static_assert(std::atomic<Told*>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void on_sigint(int) {
    Told* const listener = told.load();
    if (listener != nullptr && !listener->was_told.exchange(true)) {
        listener->is_interrupted->store(true);
        listener->selector->wake_up();
        return;
    }
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);  // delivered when this returns
}

bool is_main_thread() { return syscall(SYS_gettid) == getpid(); }

bool would_end_process() {
    struct sigaction present {};
    return sigaction(SIGINT, nullptr, &present) == 0 && (present.sa_flags & SA_SIGINFO) == 0 && present.sa_handler == SIG_DFL;
}

void set_handler(void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, nullptr);
}

// A handler knows no more than what is global. There is one main thread, and in it no loop runs inside another.
Told loop_of_main_thread{nullptr, nullptr, false};

}  // namespace

Interrupts::Interrupts(EventLoop& loop, const AnyTask& main) : main_(main) {
    if (loop.world().is_simulated() || !is_main_thread() || told.load() != nullptr || !would_end_process()) {
        return;
    }
    loop_ = &loop;
    Inbox& inbox = *loop.inbox();
    inbox.is_interrupted = false;
    inbox.on_interrupt = [this] {
        has_come_ = true;
        // In a step of its own, as any other callback that cancels.
        loop_->call_soon([this] { is_late_ = !main_.cancel(); });
    };
    loop_of_main_thread.is_interrupted = &inbox.is_interrupted;
    loop_of_main_thread.selector = &loop.world().selector();
    loop_of_main_thread.was_told = false;
    told = &loop_of_main_thread;
    set_handler(on_sigint);
}

Interrupts::~Interrupts() {
    if (loop_ == nullptr) {
        return;
    }
    struct sigaction present {};
    if (sigaction(SIGINT, nullptr, &present) == 0 && present.sa_handler == on_sigint) {
        set_handler(SIG_DFL);
    }
    told = nullptr;
    Inbox& inbox = *loop_->inbox();
    inbox.on_interrupt = nullptr;
    if (inbox.is_interrupted.exchange(false) || is_late_) {
        std::raise(SIGINT);  // it came when the task was over: nobody has heeded it
    }
}

void Interrupts::throw_if_interrupted() const {
    if (has_come_ && main_.uncancel() == 0) {
        throw KeyboardInterrupt();
    }
}

}  // namespace mishap::detail
