// Asio's channel, commit f33aaae37 (2023).
//
// `close` says that nothing more will be sent. It also threw away what was sent and not yet received.

#include <deque>
#include <optional>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ASI-04",
                                    .upstream = "Asio f33aaae37",
                                    .title = "channel: close drops the messages that are in the buffer",
                                    .invariant = Invariant::delivered_once,
                                    .pattern = Pattern::close_forgets});

enum class Close { drops_messages, keeps_messages };

template <Close close_does>
class Channel {
public:
    void send(int message) {
        messages_.push_back(message);
        receivers_.wake_one();
    }
    std::optional<int> receive() {
        while (messages_.empty() && !is_closed_) {
            receivers_.wait();
        }
        if (messages_.empty()) {
            return std::nullopt;
        }
        const int message = messages_.front();
        messages_.pop_front();
        return message;
    }
    void close() {
        is_closed_ = true;
        if (close_does == Close::drops_messages) {
            messages_.clear();
        }
        receivers_.wake_all();
    }

private:
    std::deque<int> messages_;
    bool is_closed_ = false;
    Waiters receivers_;
};

template <class C>
void send_all() {
    C channel;
    DeliveredOnce delivered;
    const auto receiver = create_task(
        [&] {
            while (const std::optional<int> message = channel.receive()) {
                delivered.got(*message);
            }
        },
        {.name = "receiver"});
    const auto sender = create_task(
        [&] {
            for (const int message : {1, 2}) {
                delivered.put(message);
                channel.send(message);
                sleep(0s);
            }
            channel.close();
        },
        {.name = "sender"});
    join(receiver, sender);
    delivered.check();
}

}  // namespace

MISHAP_SCENARIO("ASI-04/buggy") { send_all<Channel<Close::drops_messages>>(); }
MISHAP_SCENARIO("ASI-04/fixed") { send_all<Channel<Close::keeps_messages>>(); }
