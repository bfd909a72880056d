// Boost.Fiber, commit 1646a66b (2017).
//
// Fibers that other threads make ready are collected in a list, which the scheduler empties once in a while.
// Its loop looked at the first element each time: of several only one was made ready, the others were gone.

#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "BFI-05",
     .upstream = "Boost.Fiber 1646a66b",
     .title = "remote-ready queue: only the first of those collected is made ready",
     .invariant = Invariant::no_stranded_waiter,
     .pattern = Pattern::records_drift,
     .finding = FindingKind::stuck});

enum class Drains { first, all };

template <Drains drains>
class RemoteReady {
public:
    /// Makes a fiber ready, from elsewhere: it is collected, and the scheduler is told if it does not know
    /// yet.
    void schedule(const Future<void>& fiber) {
        collected_.push_back(fiber);
        if (collected_.size() == 1) {
            get_running_loop().call_soon([this] { drain(); });
        }
    }

private:
    void drain() {
        for (const Future<void>& fiber : collected_) {
            wake(drains == Drains::first ? collected_.front() : fiber);
        }
        collected_.clear();
    }
    static void wake(const Future<void>& fiber) {
        if (!fiber.done()) {
            fiber.set_result();
        }
    }

    std::deque<Future<void>> collected_;
};

template <class R>
void finish_requests() {
    R ready;
    const auto first = get_running_loop().create_future<void>();
    const auto second = get_running_loop().create_future<void>();
    const auto wait_for = [](const Future<void>& reply) { return [reply] { await(reply); }; };
    const auto first_request = create_task(wait_for(first), {.name = "request"});
    const auto second_request = create_task(wait_for(second), {.name = "request"});
    const auto completer = create_task(
        [&] {
            ready.schedule(first);
            sleep(0s);
            ready.schedule(second);
        },
        {.name = "completer"});
    join(first_request, second_request, completer);
}

}  // namespace

MISHAP_SCENARIO("BFI-05/buggy") { finish_requests<RemoteReady<Drains::first>>(); }
MISHAP_SCENARIO("BFI-05/fixed") { finish_requests<RemoteReady<Drains::all>>(); }
