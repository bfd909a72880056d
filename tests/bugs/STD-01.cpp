// stdexec's when_all and when_any, commits b4de0c7a and 1649cf3d (2026).
//
// A request to stop goes to one child after the other. The last child completes inside that call, which
// completes the whole operation, and its state is destroyed under the loop that goes through the children.
// The repair counts the loop itself as one more child while it lasts.

#include <array>

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "STD-01",
     .upstream = "stdexec b4de0c7a, 1649cf3d",
     .title = "when_all: a request to stop completes the children and destroys the state",
     .invariant = Invariant::no_use_after_end,
     .pattern = Pattern::reentrancy});

enum class StopLoop { is_on_its_own, counts_as_a_child };

/// Two children that stop at once when asked. The state is kept longer than it is alive so that use can be
/// seen.
template <StopLoop stop_loop>
class WhenAll {
public:
    explicit WhenAll(const Future<void>& result) : result_(result) {}

    void complete(std::size_t child) {
        if (!std::exchange(is_done_[child], true)) {
            leave();
        }
    }
    void request_stop() {
        if (!is_alive_) {
            return;  // it has completed, and its stop callback is gone
        }
        if (stop_loop == StopLoop::counts_as_a_child) {
            ++open_;
        }
        for (std::size_t child = 0; child < is_done_.size(); ++child) {
            complete(child);
            claim(is_alive_, Invariant::no_use_after_end);  // where the next child is looked for
        }
        if (stop_loop == StopLoop::counts_as_a_child) {
            leave();
        }
    }

private:
    void leave() {
        if (--open_ == 0) {
            is_alive_ = false;
            result_.set_result();
        }
    }

    Future<void> result_;
    std::array<bool, 2> is_done_{};
    int open_ = 2;
    bool is_alive_ = true;
};

template <class W>
void stop_both() {
    const auto result = get_running_loop().create_future<void>();
    W both(result);
    const auto first = create_task([&] { both.complete(0); }, {.name = "child"});
    const auto second = create_task([&] { both.complete(1); }, {.name = "child"});
    const auto stopper = create_task([&] { both.request_stop(); }, {.name = "stopper"});
    await(result);
    join(first, second, stopper);
}

}  // namespace

MISHAP_SCENARIO("STD-01/buggy") { stop_both<WhenAll<StopLoop::is_on_its_own>>(); }
MISHAP_SCENARIO("STD-01/fixed") { stop_both<WhenAll<StopLoop::counts_as_a_child>>(); }
