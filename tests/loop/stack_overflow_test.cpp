#include <mishap/loop/detail/stack_overflow.hpp>

#include "child_process.hpp"
#include "support/catch.hpp"
#include "test_fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <string>
#include <thread>

namespace mishap::detail {
namespace {

volatile int frames_left = 0;

template <std::size_t frame_size_bytes>
[[gnu::noinline]] int recurse() {
    std::array<volatile char, frame_size_bytes> buffer;
    buffer[0] = static_cast<char>(frames_left);
    if (frames_left == 0) {
        return 0;
    }
    frames_left = frames_left - 1;
    return recurse<frame_size_bytes>() + buffer[0];
}

template <std::size_t frame_size_bytes>
void overflow_a_fiber(const StackOptions& options) {
    watch_stack_overflows();
    TestHub hub(options);
    TestFiber below(hub, [](TestFiber&) {});  // so that there is memory below the guard
    TestFiber fiber(hub, [](TestFiber&) {
        frames_left = 1'000'000'000;
        recurse<frame_size_bytes>();
    });
    fiber.resume();
}

StackOptions without_guard_install() {
    StackOptions options;
    options.allow_guard_install = false;
    return options;
}

std::string expected_message() {
    return "mishap: stack overflow in a task: its stack of " +
           std::to_string(StackOptions().stack_size_bytes / 1024) + " KiB is used up";
}

void access_forbidden_page() {
    void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile char*>(page) = 1;
}

// A test framework's handler: reports, puts back what was there before it, and raises the signal again.
struct sigaction replaced_action {};
void report_and_raise(int signal) {
    constexpr char text[] = "reported\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    sigaction(signal, &replaced_action, nullptr);
    raise(signal);
}

}  // namespace

TEST_CASE("a fiber that overflows its stack ends the process with a message that says what to do") {
    const ChildResult result = run_in_child([] { overflow_a_fiber<16>({}); });
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.error_output, Catch::Matchers::StartsWith(expected_message()));
    CHECK(result.error_output.find("stack_size_bytes") != std::string::npos);
}

TEST_CASE("an overflow into pages guarded by mprotect is reported too") {
    const ChildResult result = run_in_child([] { overflow_a_fiber<16>(without_guard_install()); });
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.error_output, Catch::Matchers::StartsWith(expected_message()));
}

TEST_CASE("a frame of 8 KiB does not step over the guard") {
    const ChildResult result = run_in_child([] { overflow_a_fiber<8192>({}); });
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.error_output, Catch::Matchers::StartsWith(expected_message()));
}

TEST_CASE("an overflow on another thread is reported as well") {
    const ChildResult result = run_in_child([] {
        watch_stack_overflows();
        std::thread([] { overflow_a_fiber<16>({}); }).join();
    });
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.error_output, Catch::Matchers::StartsWith(expected_message()));
}

TEST_CASE("details about the task follow the message") {
    const ChildResult result = run_in_child([] {
        set_overflow_details([](int fd) noexcept {
            [[maybe_unused]] const ssize_t written = write(fd, "in task 'worker'\n", 17);
        });
        overflow_a_fiber<16>({});
    });
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.error_output, Catch::Matchers::EndsWith("in task 'worker'\n"));
}

TEST_CASE("an overflow of an unguarded stack breaks its canary") {
    StackOptions options = without_guard_install();
    options.allow_mprotect = false;
    TestHub hub(options);
    TestFiber below(hub, [](TestFiber&) {});
    below.resume();
    TestFiber fiber(hub, [](TestFiber& self) {
        // Just past the end, as seen from where the stack is now.
        const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
        std::byte* wrongly_written = self.stack().bottom - 8;
        REQUIRE(here > wrongly_written);
        *wrongly_written = std::byte{1};
    });
    CHECK(canary_intact(fiber.stack()));
    fiber.resume();
    CHECK_FALSE(canary_intact(fiber.stack()));
    CHECK(canary_intact(below.stack()));
}

TEST_CASE("a broken canary can be reported like a fault") {
    const ChildResult result = run_in_child([] {
        StackPool pool;
        report_stack_overflow(*pool.acquire());
    });
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.error_output, Catch::Matchers::StartsWith(expected_message()));
}

TEST_CASE("a fault elsewhere goes to the handler that was there before") {
    const ChildResult result = run_in_child([] {
        std::signal(SIGSEGV, [](int) { _exit(42); });
        watch_stack_overflows();
        TestHub hub;
        TestFiber fiber(hub, [](TestFiber&) { access_forbidden_page(); });
        fiber.resume();
    });
    CHECK(result.exit_code == 42);
    CHECK(result.error_output.empty());
}

TEST_CASE("without another handler a fault elsewhere, or a signal sent, has its default effect") {
    for (const bool is_sent : {false, true}) {
        const ChildResult result = run_in_child([is_sent] {
            std::signal(SIGSEGV, SIG_DFL);
            watch_stack_overflows();
            if (is_sent) {
                raise(SIGSEGV);
            } else {
                access_forbidden_page();
            }
        });
        CHECK(result.signal == SIGSEGV);
        CHECK(result.error_output.empty());
    }
}

TEST_CASE("a handler above and below ours is asked once") {
    const ChildResult result = run_in_child([] {
        std::signal(SIGSEGV, SIG_DFL);
        watch_stack_overflows();
        struct sigaction theirs {};
        theirs.sa_handler = report_and_raise;
        sigaction(SIGSEGV, &theirs, &replaced_action);
        watch_stack_overflows();
        access_forbidden_page();
    });
    CHECK(result.signal == SIGSEGV);
    CHECK(result.error_output == "reported\n");
}

}  // namespace mishap::detail
