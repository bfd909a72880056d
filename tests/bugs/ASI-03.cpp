// Asio's channel, commit efec5c197 (2023).
//
// A buffered channel remembers if senders have to wait. Cancelling those that do sets this to "wait" for
// good: afterwards nothing can be sent without waiting, however empty the buffer is.

#include <deque>
#include <optional>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ASI-03",
                                    .upstream = "Asio efec5c197",
                                    .title = "channel: after a cancellation it refuses what it has room for",
                                    .invariant = Invariant::consistent,
                                    .pattern = Pattern::records_drift});

enum class AfterCancel { blocks, asks_the_buffer };

/// A channel for one message.
template <AfterCancel after_cancel>
class Channel {
public:
    bool try_send(int message) {
        if (is_blocked_) {
            return false;
        }
        message_ = message;
        is_blocked_ = true;
        return true;
    }
    /// Returns false when it was cancelled.
    bool send(int message) {
        if (try_send(message)) {
            return true;
        }
        const auto sent = get_running_loop().create_future<bool>();
        senders_.push_back({message, sent});
        return await(sent);
    }
    std::optional<int> try_receive() {
        std::optional<int> received;
        received.swap(message_);
        if (!senders_.empty()) {
            message_ = senders_.front().message;
            senders_.front().sent.set_result(true);
            senders_.pop_front();
        } else if (!is_broken_) {
            is_blocked_ = false;
        }
        return received;
    }
    void cancel() {
        is_broken_ = after_cancel == AfterCancel::blocks && !senders_.empty();
        for (const Sender& sender : senders_) {
            sender.sent.set_result(false);
        }
        senders_.clear();
    }

private:
    struct Sender {
        int message;
        Future<bool> sent;
    };
    std::optional<int> message_;
    bool is_blocked_ = false;
    bool is_broken_ = false;
    std::deque<Sender> senders_;
};

template <class C>
void interrupt_sender() {
    C channel;
    const auto sender = create_task(
        [&] {
            channel.send(1);
            sleep(0s);
            channel.send(2);
        },
        {.name = "sender"});
    const auto receiver = create_task([&] { channel.try_receive(); }, {.name = "receiver"});
    const auto interrupter = create_task(
        [&] {
            sleep(1s);
            channel.cancel();
        },
        {.name = "interrupter"});
    join(sender, receiver, interrupter);
    channel.try_receive();
    claim(channel.try_send(3), Invariant::consistent);
}

}  // namespace

MISHAP_SCENARIO("ASI-03/buggy") { interrupt_sender<Channel<AfterCancel::blocks>>(); }
MISHAP_SCENARIO("ASI-03/fixed") { interrupt_sender<Channel<AfterCancel::asks_the_buffer>>(); }
