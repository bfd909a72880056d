// asyncio.shield, bpo-35125 (pull request 10340), repaired in CPython 3.8.
//
// A shield registers a callback with what it shields. When its outer side is cancelled, the callback stays: who waits
// for something long again and again, with a timeout, collects callbacks that nobody needs.

#include <functional>
#include <utility>
#include <vector>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-27",
                                    .upstream = "bpo-35125",
                                    .title = "shield: a cancelled wait leaves its callback behind",
                                    .invariant = Invariant::clean,
                                    .pattern = Pattern::late_unregistration});

/// A value to come, and those who want to hear of it.
class Refresh {
public:
    using Id = int;

    Id add_callback(std::function<void(int)> callback) {
        callbacks_.emplace_back(++last_id_, std::move(callback));
        return last_id_;
    }
    void remove_callback(Id id) {
        std::erase_if(callbacks_, [&](const auto& entry) { return entry.first == id; });
    }
    std::size_t callbacks() const { return callbacks_.size(); }

    void complete(int value) {
        is_done_ = true;
        for (const auto& [id, callback] : std::exchange(callbacks_, {})) {
            callback(value);
        }
    }
    bool is_done() const { return is_done_; }

private:
    bool is_done_ = false;
    Id last_id_ = 0;
    std::vector<std::pair<Id, std::function<void(int)>>> callbacks_;
};

enum class OnCancel { leaves_callback, removes_callback };

template <OnCancel on_cancel>
void shield(Refresh& inner) {
    const auto outer = get_running_loop().create_future<void>();
    const Refresh::Id id = inner.add_callback([outer](int) {
        if (!outer.done()) {
            outer.set_result();
        }
    });
    try {
        await(outer);
    } catch (const CancelledError&) {
        if (on_cancel == OnCancel::removes_callback) {
            inner.remove_callback(id);
        }
        throw;
    }
}

template <OnCancel on_cancel>
void poll() {
    Refresh refresh;
    const auto refresher = create_task(
        [&] {
            sleep(900ms);
            refresh.complete(42);
        },
        {.name = "refresher"});
    const auto client = create_task(
        [&] {
            while (!refresh.is_done()) {
                try {
                    timeout(1s, [&] { shield<on_cancel>(refresh); });
                } catch (const TimeoutError&) {
                    claim(refresh.callbacks() == 0, Invariant::clean);
                }
            }
        },
        {.name = "client"});
    join(refresher, client);
}

}  // namespace

MISHAP_SCENARIO("CPY-27/buggy", .timer_slack = 200ms) { poll<OnCancel::leaves_callback>(); }
MISHAP_SCENARIO("CPY-27/fixed", .timer_slack = 200ms) { poll<OnCancel::removes_callback>(); }
