// AnyIO's memory object streams, anyio issue 146, and once more issue 728 (pull request 735).
//
// A receiver that waits leaves a place where the sender puts the item, and an event that says so. When the receiver is
// cancelled after that, the item stays in the place, and nobody looks there again.

#include <deque>
#include <memory>
#include <optional>

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ANY-01",
                                    .upstream = "anyio #146, #728",
                                    .title = "object stream: a cancelled receiver drops the item it was given",
                                    .invariant = Invariant::delivered_once,
                                    .pattern = Pattern::baton_dropped});

enum class OnCancel { drops_item, hands_it_back };

template <OnCancel on_cancel>
class ObjectStream {
public:
    void send(int item) {
        while (!receivers_.empty()) {
            const auto receiver = receivers_.front();
            receivers_.pop_front();
            if (!receiver->arrived.done()) {
                receiver->item = item;
                receiver->arrived.set_result();
                return;
            }
        }
        items_.push_back(item);
    }

    int receive() {
        if (!items_.empty()) {
            const int item = items_.front();
            items_.pop_front();
            return item;
        }
        const auto receiver = std::make_shared<Receiver>();
        receivers_.push_back(receiver);
        try {
            await(receiver->arrived);
        } catch (const CancelledError&) {
            std::erase(receivers_, receiver);
            if (on_cancel == OnCancel::hands_it_back && receiver->item.has_value()) {
                send(*receiver->item);
            }
            throw;
        }
        return *receiver->item;
    }

    const std::deque<int>& items() const { return items_; }

private:
    struct Receiver {
        std::optional<int> item;
        Future<void> arrived = get_running_loop().create_future<void>();
    };
    std::deque<int> items_;
    std::deque<std::shared_ptr<Receiver>> receivers_;
};

template <class S>
void deliver() {
    S stream;
    DeliveredOnce delivered;
    const auto take_one = [&] { delivered.got(stream.receive()); };
    const auto first = create_task(take_one, {.name = "receiver"});
    const auto second = create_task(take_one, {.name = "receiver"});
    const auto sender = create_task(
        [&] {
            for (const int item : {1, 2}) {
                delivered.put(item);
                stream.send(item);
            }
        },
        {.name = "sender"});
    join(first, second, sender);
    for (const int item : stream.items()) {
        delivered.got(item);
    }
    delivered.check();
}

}  // namespace

MISHAP_SCENARIO("ANY-01/buggy", .cancellations = 1) { deliver<ObjectStream<OnCancel::drops_item>>(); }
MISHAP_SCENARIO("ANY-01/fixed", .cancellations = 1) { deliver<ObjectStream<OnCancel::hands_it_back>>(); }
