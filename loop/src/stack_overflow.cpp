#include <mishap/loop/detail/stack_overflow.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <string_view>
#include <system_error>

namespace mishap::detail {
namespace {

constexpr std::array<int, 2> watched_signals{SIGSEGV, SIGBUS};

// Enough for a test framework's or a sanitizer's report, should the fault be forwarded; untouched pages cost
// nothing.
constexpr std::size_t signal_stack_size_bytes = 64 * 1024;
constexpr std::size_t foreign_signal_stack_size_bytes_min = 16 * 1024;

std::mutex install_mutex;
std::array<struct sigaction, watched_signals.size()> previous_actions{};
std::atomic<OverflowDetails> overflow_details{nullptr};

// What the handler before ours was last given. It may give up by putting back the one before it, which can be
// ours again, and raising or repeating the signal; that must not become a circle.
struct Forwarded {
    bool any = false;
    const void* address = nullptr;
};
constinit thread_local Forwarded forwarded;

// An overflowing fiber has no stack left for the handler, so each thread has a spare one.
class SignalStack {
public:
    SignalStack() = default;
    SignalStack(const SignalStack&) = delete;
    SignalStack& operator=(const SignalStack&) = delete;

    ~SignalStack() {
        if (memory_ == nullptr) {
            return;
        }
        stack_t current{};
        if (sigaltstack(nullptr, &current) == 0 && current.ss_sp == memory_) {
            stack_t off{};
            off.ss_flags = SS_DISABLE;
            sigaltstack(&off, nullptr);
        }
        munmap(memory_, signal_stack_size_bytes);
    }

    void ensure() {
        stack_t current{};
        sigaltstack(nullptr, &current);
        if ((current.ss_flags & SS_DISABLE) == 0 && current.ss_size >= foreign_signal_stack_size_bytes_min) {
            return;
        }
        if (memory_ == nullptr) {
            void* memory = mmap(nullptr, signal_stack_size_bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
            if (memory == MAP_FAILED) {
                throw std::system_error(errno, std::generic_category(), "no memory for a signal stack");
            }
            memory_ = memory;
        }
        stack_t ours{};
        ours.ss_sp = memory_;
        ours.ss_size = signal_stack_size_bytes;
        if (sigaltstack(&ours, nullptr) != 0) {
            throw std::system_error(errno, std::generic_category(), "cannot set a signal stack");
        }
    }

private:
    void* memory_ = nullptr;
};

thread_local SignalStack signal_stack;

void write_all(std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void write_number(std::size_t number) noexcept {
    std::array<char, 20> digits{};
    std::size_t first = digits.size();
    do {
        digits[--first] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number > 0);
    write_all({digits.data() + first, digits.size() - first});
}

void let_default_action_happen(int signal, const siginfo_t* info) noexcept {
    struct sigaction default_action {};
    default_action.sa_handler = SIG_DFL;
    sigaction(signal, &default_action, nullptr);
    // A fault happens again once the handler returns, and the core dump shows its place. A signal somebody
    // sent does not.
    if (info->si_code <= 0) {
        raise(signal);
    }
}

void forward(int signal, siginfo_t* info, void* machine_context) noexcept {
    const struct sigaction& previous = previous_actions[signal == watched_signals[0] ? 0 : 1];
    const bool is_sent = info->si_code <= 0;
    const bool had_its_turn = forwarded.any && (is_sent || info->si_addr == forwarded.address);
    if (previous.sa_handler == SIG_IGN && is_sent) {
        return;
    }
    if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN || had_its_turn) {
        let_default_action_happen(signal, info);
        return;
    }
    forwarded = {true, is_sent ? nullptr : info->si_addr};
    if ((previous.sa_flags & SA_SIGINFO) != 0) {
        previous.sa_sigaction(signal, info, machine_context);
    } else {
        previous.sa_handler(signal);
    }
}

void on_fault(int signal, siginfo_t* info, void* machine_context) noexcept {
    const int error_number = errno;
    const bool is_fault = info->si_code > 0;
    if (const Stack* stack = is_fault ? StackPool::find_by_guard(info->si_addr) : nullptr; stack != nullptr) {
        report_stack_overflow(*stack);
    }
    forward(signal, info, machine_context);
    errno = error_number;
}

}  // namespace

void watch_stack_overflows() {
    signal_stack.ensure();
    const std::lock_guard lock(install_mutex);
    for (std::size_t i = 0; i < watched_signals.size(); ++i) {
        struct sigaction current {};
        sigaction(watched_signals[i], nullptr, &current);
        if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == on_fault) {
            continue;
        }
        // Before ours is in place, which may need it at once.
        previous_actions[i] = current;
        struct sigaction ours {};
        ours.sa_sigaction = on_fault;
        ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigemptyset(&ours.sa_mask);
        sigaction(watched_signals[i], &ours, nullptr);
    }
}

void set_overflow_details(OverflowDetails details) noexcept { overflow_details.store(details); }

void report_stack_overflow(const Stack& stack) noexcept {
    const auto page_size_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const auto usable_bytes = static_cast<std::size_t>(stack.top - stack.bottom);
    const std::size_t size_bytes = (usable_bytes + page_size_bytes - 1) / page_size_bytes * page_size_bytes;
    write_all("mishap: stack overflow in a task: its stack of ");
    write_number(size_bytes / 1024);
    write_all(
        " KiB is used up; recurse less deeply, keep large buffers on the heap, "
        "or give tasks more with stack_size_bytes\n");
    if (const OverflowDetails details = overflow_details.load(); details != nullptr) {
        details(STDERR_FILENO);
    }
    _exit(1);
}

}  // namespace mishap::detail
