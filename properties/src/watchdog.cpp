#include <mishap/properties/detail/watchdog.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <ctime>

#include <execinfo.h>
#include <sys/time.h>
#include <unistd.h>

#include <mishap/loop/detail/stack_overflow.hpp>
#include <mishap/sim/detail/invariant_hook.hpp>

namespace mishap::detail {

namespace {

constexpr int looks_per_limit = 4;
constexpr int frames_max = 48;

// What the signal handler reads. It is written before the timer is armed and left alone while it is.
const World* watched = nullptr;
char text_name[256];
char text_tape[1024];
std::uint64_t last_run = 0;
std::uint64_t last_steps = 0;
int looks_without_step = 0;
struct sigaction previous_action;
struct itimerval previous_timer;
int supervisor = -1;
int exit_code_of_mishap_bugs = 0;

void print(const char* text) {
    const ssize_t ignored = ::write(STDERR_FILENO, text, std::strlen(text));
    static_cast<void>(ignored);
}

/// Says where the tape is, or leaves that to the supervisor, who has a better file to name by then.
void leave_tape(LastWord word) {
    if (supervisor >= 0) {
        const ssize_t ignored = ::write(supervisor, &word, sizeof word);
        static_cast<void>(ignored);
    } else if (text_tape[0] != '\0') {
        print("the tape of the run is kept; replay() takes it, and so does the replay command of a scenario program:\n");
        print(text_tape);
        print("\n");
    }
}

void leave_tape_of_overflow(int) noexcept { leave_tape(LastWord::stack_overflow); }

void leave_after_mishap_bug() noexcept {
    leave_tape(LastWord::mishap_bug);
    ::_exit(exit_code_of_mishap_bugs);
}

void copy(char* to, std::size_t size, const std::string& from) {
    const std::size_t length = std::min(from.size(), size - 1);
    std::memcpy(to, from.data(), length);
    to[length] = '\0';
}

/// Async-signal-safe: reads counters, writes to standard error, leaves.
void look(int) {
    // Between runs there is no step that could fail to return, and runs as short as they are may well be looked at in
    // their second step four times in a row: steps are told apart by run and number.
    const std::uint64_t run = watched->runs();
    const std::uint64_t steps = watched->steps();
    if (current_world() != watched || run != last_run || steps != last_steps || steps == 0) {
        last_run = run;
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
    leave_tape(LastWord::hung);
    ::_exit(1);
}

}  // namespace

Watchdog::Watchdog(const World& world, const std::string& name, const std::string& tape_path,
                   std::chrono::nanoseconds limit) {
    copy(text_name, sizeof text_name, name);
    copy(text_tape, sizeof text_tape, tape_path);
    set_overflow_details(leave_tape_of_overflow);
    if (limit.count() == 0) {
        return;
    }
    watched = &world;
    last_run = 0;
    last_steps = 0;
    looks_without_step = 0;
    void* frame = nullptr;
    ::backtrace(&frame, 1);  // loads what it needs, which the signal handler must not
    struct sigaction action = {};
    action.sa_handler = look;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGALRM, &action, &previous_action);
    // 0 would disarm the timer.
    const auto microseconds = std::max<std::chrono::microseconds::rep>(
        std::chrono::duration_cast<std::chrono::microseconds>(limit).count() / looks_per_limit, 1);
    struct itimerval timer = {};
    timer.it_interval.tv_sec = timer.it_value.tv_sec = microseconds / 1'000'000;
    timer.it_interval.tv_usec = timer.it_value.tv_usec = microseconds % 1'000'000;
    ::setitimer(ITIMER_REAL, &timer, &previous_timer);
    is_armed_ = true;
}

Watchdog::~Watchdog() {
    set_overflow_details(nullptr);
    if (is_armed_) {
        ::setitimer(ITIMER_REAL, &previous_timer, nullptr);
        ::sigaction(SIGALRM, &previous_action, nullptr);
    }
}

void set_supervisor(int fd) { supervisor = fd; }

void set_exit_code_of_mishap_bugs(int exit_code) noexcept {
    exit_code_of_mishap_bugs = exit_code;
    set_invariant_hook(leave_after_mishap_bug);
}

}  // namespace mishap::detail
