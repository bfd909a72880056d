#include <mishap/properties/detail/watchdog.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <ctime>

#include <execinfo.h>
#include <sys/time.h>
#include <unistd.h>

namespace mishap::detail {

namespace {

constexpr int looks_per_limit = 4;
constexpr int frames_max = 48;

// What the signal handler reads. It is written before the timer is armed and left alone while it is.
const World* watched = nullptr;
char text_name[256];
char text_tape[1024];
std::uint64_t last_steps = 0;
int looks_without_step = 0;
struct sigaction previous_action;
struct itimerval previous_timer;

void print(const char* text) {
    const ssize_t ignored = ::write(STDERR_FILENO, text, std::strlen(text));
    static_cast<void>(ignored);
}

void copy(char* to, std::size_t size, const std::string& from) {
    const std::size_t length = std::min(from.size(), size - 1);
    std::memcpy(to, from.data(), length);
    to[length] = '\0';
}

/// Async-signal-safe: reads counters, writes to standard error, leaves.
void look(int) {
    const std::uint64_t steps = watched->steps();
    if (steps != last_steps || steps == 0) {
        last_steps = steps;
        looks_without_step = 0;
        return;
    }
    if (++looks_without_step < looks_per_limit) {
        return;
    }
    print("\nmishap: a step never returned (");
    print(text_name);
    print("). A task may run for ever only if it waits now and then; it is stopped here, with its stack:\n");
    void* frames[frames_max];
    ::backtrace_symbols_fd(frames, ::backtrace(frames, frames_max), STDERR_FILENO);
    if (text_tape[0] != '\0') {
        print("the tape of the run is kept; replay it with\n    replay ");
        print(text_tape);
        print("\n");
    }
    ::_exit(1);
}

}  // namespace

Watchdog::Watchdog(const World& world, const std::string& name, const std::string& tape_path,
                   std::chrono::nanoseconds limit) {
    if (limit.count() == 0) {
        return;
    }
    watched = &world;
    copy(text_name, sizeof text_name, name);
    copy(text_tape, sizeof text_tape, tape_path);
    last_steps = 0;
    looks_without_step = 0;
    void* frame = nullptr;
    ::backtrace(&frame, 1);  // loads what it needs, which the signal handler must not
    struct sigaction action = {};
    action.sa_handler = look;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGALRM, &action, &previous_action);
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(limit).count() / looks_per_limit;
    struct itimerval timer = {};
    timer.it_interval.tv_sec = timer.it_value.tv_sec = microseconds / 1'000'000;
    timer.it_interval.tv_usec = timer.it_value.tv_usec = microseconds % 1'000'000;
    ::setitimer(ITIMER_REAL, &timer, &previous_timer);
    is_armed_ = true;
}

Watchdog::~Watchdog() {
    if (is_armed_) {
        ::setitimer(ITIMER_REAL, &previous_timer, nullptr);
        ::sigaction(SIGALRM, &previous_action, nullptr);
    }
}

}  // namespace mishap::detail
