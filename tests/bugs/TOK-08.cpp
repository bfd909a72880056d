// tokio's timer wheel, tokio-rs/tokio #3229.
//
// When a slot of the wheel is due, its entries move to a list of those to fire, and the lock is let go in
// between. An entry that is dropped just then is looked for in the slot and not in that list: it fires after
// its end.

#include <chrono>
#include <map>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "TOK-08",
     .upstream = "tokio #3229",
     .title = "timer: dropped while it is about to fire, it is removed from the wrong list",
     .invariant = Invariant::no_use_after_end,
     .pattern = Pattern::timer_meets_notification});

enum class Removal { from_slot, from_where_it_is };

struct Entry {
    std::chrono::nanoseconds due;
    Future<void> reply;  // of the request whose deadline this is
    bool is_alive = true;
};

template <Removal removal>
class Wheel {
public:
    using Timer = std::shared_ptr<Entry>;  // shared so that use after the end can be seen

    Timer add(std::chrono::nanoseconds due, const Future<void>& reply) {
        auto timer = std::make_shared<Entry>(Entry{due, reply});
        slots_[due].push_back(timer);
        return timer;
    }
    void drop(const Timer& timer) {
        std::erase(slots_[timer->due], timer);
        if (removal == Removal::from_where_it_is) {
            std::erase(to_fire_, timer);
        }
        timer->is_alive = false;
    }
    /// Fires what is due, and lets others in after each.
    void turn_to(std::chrono::nanoseconds due) {
        to_fire_.swap(slots_[due]);
        while (!to_fire_.empty()) {
            const Timer timer = to_fire_.front();
            to_fire_.erase(to_fire_.begin());
            claim(timer->is_alive, Invariant::no_use_after_end);
            if (!timer->reply.done()) {
                timer->reply.set_exception(std::make_exception_ptr(TimeoutError()));
            }
            sleep(0s);
        }
    }

private:
    std::map<std::chrono::nanoseconds, std::vector<Timer>> slots_;
    std::vector<Timer> to_fire_;
};

/// Two requests wait for replies, and for a second at most.
template <class W>
void request() {
    W wheel;
    std::vector<Future<void>> replies{get_running_loop().create_future<void>(),
                                      get_running_loop().create_future<void>()};
    const auto driver = create_task(
        [&] {
            sleep(1s);
            wheel.turn_to(1s);
        },
        {.name = "driver"});
    const auto ask = [&](const Future<void>& reply) {
        const auto deadline = wheel.add(1s, reply);
        try {
            await(reply);
        } catch (const TimeoutError&) {
        }
        wheel.drop(deadline);
    };
    const auto first = create_task([&] { ask(replies[0]); }, {.name = "request"});
    const auto second = create_task([&] { ask(replies[1]); }, {.name = "request"});
    const auto server = create_task(
        [&] {
            sleep(1s);
            if (!replies[1].done()) {
                replies[1].set_result();
            }
        },
        {.name = "server"});
    join(driver, first, second, server);
}

}  // namespace

MISHAP_SCENARIO("TOK-08/buggy") { request<Wheel<Removal::from_slot>>(); }
MISHAP_SCENARIO("TOK-08/fixed") { request<Wheel<Removal::from_where_it_is>>(); }
