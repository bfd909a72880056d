// libunifex's when_all, commit 5d3f7eb (2022); stdexec's when_any, commit b4de0c7a (2026), is alike.
//
// The child that fails asks the others to stop, by calling their stop callbacks. The last of them completes
// inside such a call, delivers the result and destroys the state, whose list of callbacks is still being gone
// through.

#include <functional>
#include <memory>

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "UFX-01",
     .upstream = "libunifex 5d3f7eb",
     .title = "when_all: a stop callback completes the last child and destroys the state",
     .invariant = Invariant::no_use_after_end,
     .pattern = Pattern::reentrancy});

enum class OnFailure { counts_then_stops_others, stops_others_then_counts };

/// Two operations, of which the second can be stopped. The state is kept longer than it is alive so that use
/// can be seen.
template <OnFailure on_failure>
class WhenAll {
public:
    explicit WhenAll(const Future<void>& result) : result_(result) {}

    void succeed(int child) {
        if (!is_done_[child]) {
            is_done_[child] = true;
            count();
        }
    }
    void fail(int child) {
        is_done_[child] = true;
        if (on_failure == OnFailure::counts_then_stops_others) {
            count();
            if (!is_alive_) {
                return;  // it was the last
            }
        }
        request_stop();
        if (on_failure == OnFailure::stops_others_then_counts) {
            count();
        }
    }

private:
    void request_stop() {
        for (const int child : {0, 1}) {
            if (!is_done_[child]) {
                succeed(child);  // it stops at once
            }
            claim(is_alive_, Invariant::no_use_after_end);  // where the next callback is looked for
        }
    }
    void count() {
        if (++children_done_ == 2) {
            result_.set_result();
            is_alive_ = false;
        }
    }

    Future<void> result_;
    bool is_done_[2] = {false, false};
    int children_done_ = 0;
    bool is_alive_ = true;
};

template <class W>
void fetch_both() {
    const auto result = get_running_loop().create_future<void>();
    W both(result);
    const auto good = create_task([&] { both.succeed(1); }, {.name = "good"});
    const auto bad = create_task([&] { both.fail(0); }, {.name = "bad"});
    await(result);
    join(good, bad);
}

}  // namespace

MISHAP_SCENARIO("UFX-01/buggy") { fetch_both<WhenAll<OnFailure::counts_then_stops_others>>(); }
MISHAP_SCENARIO("UFX-01/fixed") { fetch_both<WhenAll<OnFailure::stops_others_then_counts>>(); }
