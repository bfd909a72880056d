// Seastar's rpc, commit abc8690b4 (2024).
//
// Sending a message can fail while the message is made ready, before the handler of errors is in place. Then
// the promise of who waits for it to be sent is neither kept nor broken.

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "SEA-07",
     .upstream = "Seastar abc8690b4",
     .title = "rpc: a message that cannot be made ready leaves its promise open",
     .invariant = Invariant::progress,
     .pattern = Pattern::close_forgets,
     .finding = FindingKind::stuck});

enum class Handler { around_sending, around_everything };

/// Memory may be short.
void compress() {
    if (choose(2) == 1) {
        throw std::bad_alloc();
    }
}

template <Handler handler>
class Sender {
public:
    void send(const Future<void>& sent) {
        try {
            if (handler == Handler::around_sending) {
                compress();
            }
            try {
                if (handler == Handler::around_everything) {
                    compress();
                }
                sent.set_result();
            } catch (const std::bad_alloc&) {
                sent.set_exception(std::current_exception());
            }
        } catch (const std::bad_alloc&) {
            // The loop that sends logs this and goes on.
        }
    }
};

template <class S>
void call() {
    S sender;
    const auto sent = get_running_loop().create_future<void>();
    const auto send_loop = create_task([&] { sender.send(sent); }, {.name = "send loop"});
    try {
        await(sent);
    } catch (const std::bad_alloc&) {
    }
    join(send_loop);
}

}  // namespace

MISHAP_SCENARIO("SEA-07/buggy") { call<Sender<Handler::around_sending>>(); }
MISHAP_SCENARIO("SEA-07/fixed") { call<Sender<Handler::around_everything>>(); }
