// Trio's Process.wait, trio issue 2209.
//
// A child has ended, and who waits for it was woken. Before it resumes, somebody else asks for the return code, which
// reaps the child. The waiter finds nothing to reap, takes that for a child that is still alive, and waits again.

#include <optional>
#include <vector>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TRIO-04",
                                    .upstream = "trio #2209",
                                    .title = "Process.wait waits for ever if somebody else has reaped the child",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::check_then_suspend,
                                    .finding = FindingKind::stuck});

enum class WaitsUntil { it_has_reaped, somebody_has };

template <WaitsUntil waits_until>
class Process {
public:
    /// The child ends: the kernel keeps it until it is reaped, and says so once.
    void end() {
        is_zombie_ = true;
        for (const Future<void>& listener : listeners_) {
            if (!listener.done()) {
                listener.set_result();
            }
        }
        listeners_.clear();
    }

    /// Reaps the child if it has ended. Returns the return code if there is one.
    std::optional<int> poll() {
        reap();
        return return_code_;
    }

    int wait() {
        while (!reap() && !(waits_until == WaitsUntil::somebody_has && return_code_.has_value())) {
            const auto ended = get_running_loop().create_future<void>();
            listeners_.push_back(ended);
            await(ended);
        }
        return *return_code_;
    }

private:
    /// Returns whether there was something to reap.
    bool reap() {
        if (!is_zombie_) {
            return false;
        }
        is_zombie_ = false;
        return_code_ = 0;
        return true;
    }

    bool is_zombie_ = false;
    std::optional<int> return_code_;
    std::vector<Future<void>> listeners_;
};

template <WaitsUntil waits_until>
void wait_and_poll() {
    Process<waits_until> process;
    const auto waiter = create_task([&] { process.wait(); }, {.name = "waiter"});
    const auto child = create_task(
        [&] {
            sleep(900ms);
            process.end();
        },
        {.name = "child"});
    const auto monitor = create_task(
        [&] {
            while (!process.poll().has_value()) {
                sleep(1s);
            }
        },
        {.name = "monitor"});
    join(waiter, child, monitor);
}

}  // namespace

MISHAP_SCENARIO("TRIO-04/buggy", .timer_slack = 200ms) { wait_and_poll<WaitsUntil::it_has_reaped>(); }
MISHAP_SCENARIO("TRIO-04/fixed", .timer_slack = 200ms) { wait_and_poll<WaitsUntil::somebody_has>(); }
