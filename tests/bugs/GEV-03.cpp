// gevent's Semaphore across threads, gevent #2013 (pull request 2199).
//
// Who releases tells the waiters through a hub, the event loop of a thread: its own. A thread that has none yet tells
// nobody.

#include <deque>
#include <functional>

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "GEV-03",
                                    .upstream = "gevent #2013",
                                    .title = "Semaphore: released by a thread without a hub, it wakes nobody",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::late_unregistration,
                                    .finding = FindingKind::stuck});

/// What calls back in the thread that it belongs to.
class Hub {
public:
    void run_callback(std::function<void()> callback) { get_running_loop().call_soon(std::move(callback)); }
};

enum class Notifies { through_own_hub, through_waiters_hub };

template <Notifies notifies>
class HandmadeSemaphore {
public:
    void acquire(Hub& own) {
        if (value_ > 0) {
            --value_;
            return;
        }
        const auto granted = get_running_loop().create_future<void>();
        links_.push_back({granted, &own});
        await(granted);
    }
    /// `own` is null in a thread that has never waited for anything.
    void release(Hub* own) {
        ++value_;
        if (links_.empty()) {
            return;
        }
        const Link link = links_.front();
        links_.pop_front();
        Hub* const hub = notifies == Notifies::through_own_hub ? own : link.hub;
        if (hub != nullptr) {
            --value_;
            hub->run_callback([granted = link.granted] { granted.set_result(); });
        }
    }

private:
    struct Link {
        Future<void> granted;
        Hub* hub = nullptr;
    };
    int value_ = 0;
    std::deque<Link> links_;
};

template <class S>
void release_to_each_other() {
    S semaphore;
    Hub hub;
    const auto with_hub = create_task([&] { semaphore.release(&hub); }, {.name = "greenlet"});
    const auto without_hub = create_task([&] { semaphore.release(nullptr); }, {.name = "native"});
    const auto wait = [&] { semaphore.acquire(hub); };
    join(with_hub, without_hub, create_task(wait, {.name = "waiter"}), create_task(wait, {.name = "waiter"}));
}

}  // namespace

MISHAP_SCENARIO("GEV-03/buggy") { release_to_each_other<HandmadeSemaphore<Notifies::through_own_hub>>(); }
MISHAP_SCENARIO("GEV-03/fixed") { release_to_each_other<HandmadeSemaphore<Notifies::through_waiters_hub>>(); }
