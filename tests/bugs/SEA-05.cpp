// Seastar's rpc, commit d699205fc (2016).
//
// The task that sends waits until there is something to send. What it was woken for can expire before it
// runs, and it takes the first of an empty queue. The repair looks again.

#include <deque>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "SEA-05",
                                    .upstream = "Seastar d699205fc",
                                    .title = "rpc: what the sender was woken for expires before it runs",
                                    .invariant = Invariant::no_error,
                                    .pattern = Pattern::check_then_suspend});

enum class AfterWaking { takes_first, looks_again };

template <AfterWaking after_waking>
class Outgoing {
public:
    void push(int message) {
        messages_.push_back(message);
        not_empty_.wake_one();
    }
    void expire(int message) { std::erase(messages_, message); }
    int take() {
        while (messages_.empty()) {
            not_empty_.wait();
            if (after_waking == AfterWaking::takes_first) {
                break;
            }
        }
        claim(!messages_.empty(), Invariant::no_error);  // the first of none
        const int message = messages_.front();
        messages_.pop_front();
        return message;
    }

private:
    std::deque<int> messages_;
    Waiters not_empty_;
};

/// The caller of the first message loses patience; the second one stays.
template <class O>
void send() {
    O outgoing;
    const auto sender = create_task([&] { outgoing.take(); }, {.name = "sender"});
    const auto caller = create_task(
        [&] {
            outgoing.push(1);
            sleep(0s);
            outgoing.expire(1);
            sleep(1s);
            outgoing.push(2);
        },
        {.name = "caller"});
    join(sender, caller);
}

}  // namespace

MISHAP_SCENARIO("SEA-05/buggy") { send<Outgoing<AfterWaking::takes_first>>(); }
MISHAP_SCENARIO("SEA-05/fixed") { send<Outgoing<AfterWaking::looks_again>>(); }
