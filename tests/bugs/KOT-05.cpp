// Kotlin's Channel.close, Kotlin/kotlinx.coroutines #1419.
//
// Closing has two steps: nobody may send any more, then nobody will receive. A sender that is refused after
// the first and asks for what is left must not be told that more may come. The repair lets senders that see
// the first step help with the second.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "KOT-05",
                                    .upstream = "kotlinx.coroutines #1419",
                                    .title = "Channel: closed for a sender, and open for its next question",
                                    .invariant = Invariant::consistent,
                                    .pattern = Pattern::check_then_suspend});

enum class RefusedSender { only_leaves, helps_to_close };

template <RefusedSender refused_sender>
class Channel {
public:
    /// Returns false when the channel is closed.
    bool try_send() {
        if (closed_for_send_.fetch_add(0) == 0) {
            messages_.fetch_add(1);
            return true;
        }
        if (refused_sender == RefusedSender::helps_to_close) {
            closed_for_receive_.exchange(1);
        }
        return false;
    }
    void close() {
        closed_for_send_.exchange(1);
        closed_for_receive_.exchange(1);
    }
    /// Returns whether who receives would be told of the end rather than wait.
    bool is_closed_for_receive() { return closed_for_receive_.fetch_add(0) == 1; }

private:
    Shared<int> messages_{0, "messages"};
    Shared<int> closed_for_send_{0, "closed for send"};
    Shared<int> closed_for_receive_{0, "closed for receive"};
};

template <class C>
void send_while_closing() {
    C channel;
    together({{"sender",
               [&] {
                   if (!channel.try_send()) {
                       claim(channel.is_closed_for_receive(), Invariant::consistent);
                   }
               }},
              {"closer", [&] { channel.close(); }}});
}

}  // namespace

MISHAP_SCENARIO("KOT-05/buggy") { send_while_closing<Channel<RefusedSender::only_leaves>>(); }
MISHAP_SCENARIO("KOT-05/fixed") { send_while_closing<Channel<RefusedSender::helps_to_close>>(); }
