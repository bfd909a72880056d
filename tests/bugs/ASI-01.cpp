// Asio's channel, commit 2ac154d44 (2021).
//
// `cancel` calls the handlers of the operations that wait and unlinks them afterwards. A handler that begins
// a new operation at once sees it unlinked with the others: it is never completed.

#include <deque>
#include <functional>

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "ASI-01",
     .upstream = "Asio 2ac154d44",
     .title = "channel: cancel calls handlers before it unlinks their operations",
     .invariant = Invariant::progress,
     .pattern = Pattern::reentrancy,
     .finding = FindingKind::stuck});

enum class Unlinks { after_the_handlers, before_the_handlers };

template <Unlinks unlinks>
class Channel {
public:
    using Handler = std::function<void(bool is_received)>;

    void async_receive(Handler handler) {
        if (messages_ > 0) {
            --messages_;
            handler(true);
            return;
        }
        receivers_.push_back(std::move(handler));
    }
    void send() {
        if (receivers_.empty()) {
            ++messages_;
            return;
        }
        const Handler handler = std::move(receivers_.front());
        receivers_.pop_front();
        handler(true);
    }
    void cancel() {
        std::deque<Handler> cancelled = receivers_;
        if (unlinks == Unlinks::before_the_handlers) {
            receivers_.clear();
        }
        for (const Handler& handler : cancelled) {
            handler(false);
        }
        if (unlinks == Unlinks::after_the_handlers) {
            receivers_.clear();
        }
    }

private:
    int messages_ = 0;
    std::deque<Handler> receivers_;
};

/// Tries again when it was interrupted.
template <class C>
void receive_stubbornly() {
    C channel;
    const auto received = get_running_loop().create_future<void>();
    const std::function<void(bool)> on_end = [&](bool is_received) {
        if (is_received) {
            received.set_result();
        } else {
            channel.async_receive(on_end);
        }
    };
    channel.async_receive(on_end);
    const auto sender = create_task([&] { channel.send(); }, {.name = "sender"});
    const auto interrupter = create_task([&] { channel.cancel(); }, {.name = "interrupter"});
    await(received);
    join(sender, interrupter);
}

}  // namespace

MISHAP_SCENARIO("ASI-01/buggy") { receive_stubbornly<Channel<Unlinks::after_the_handlers>>(); }
MISHAP_SCENARIO("ASI-01/fixed") { receive_stubbornly<Channel<Unlinks::before_the_handlers>>(); }
