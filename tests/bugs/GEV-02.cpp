// gevent's Event, gevent issue 1520 (pull request 1611).
//
// An event that was set tells its waiters one after another. Whoever comes meanwhile finds it set and goes on at once,
// before those who have waited all along.

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "GEV-02",
                                    .upstream = "gevent #1520",
                                    .title = "Event: who comes during the delivery is served before who waits",
                                    .invariant = Invariant::arrival_order,
                                    .pattern = Pattern::barging});

enum class Newcomer { goes_first, queues };

template <Newcomer newcomer>
class HandmadeEvent : public std::enable_shared_from_this<HandmadeEvent<newcomer>> {
public:
    /// Calls `callback` once the event is set.
    void link(std::function<void()> callback) {
        if (is_set_ && (newcomer == Newcomer::goes_first || links_.empty())) {
            callback();
        } else {
            links_.push_back(std::move(callback));
        }
    }

    void set() {
        is_set_ = true;
        deliver_soon();
    }

private:
    void deliver_soon() {
        if (!links_.empty()) {
            get_running_loop().call_soon([self = this->shared_from_this()] { self->deliver(); });
        }
    }
    void deliver() {
        const std::function<void()> callback = std::move(links_.front());
        links_.pop_front();
        callback();
        deliver_soon();
    }

    bool is_set_ = false;
    std::deque<std::function<void()>> links_;
};

template <Newcomer newcomer>
void tell_everybody() {
    const auto event = std::make_shared<HandmadeEvent<newcomer>>();
    const auto queue = std::make_shared<BoundedBypass>();
    const auto link = [=] {
        const BoundedBypass::Ticket ticket = queue->arrive();
        event->link([=] { queue->serve(ticket); });
    };
    const auto first = create_task(link, {.name = "listener"});
    const auto second = create_task(link, {.name = "listener"});
    const auto setter = create_task([event] { event->set(); }, {.name = "setter"});
    sleep(0s);
    sleep(0s);
    sleep(0s);
    link();
    join(first, second, setter);
}

}  // namespace

MISHAP_SCENARIO("GEV-02/buggy") { tell_everybody<Newcomer::goes_first>(); }
MISHAP_SCENARIO("GEV-02/fixed") { tell_everybody<Newcomer::queues>(); }
