// asyncio's loop.sock_accept and sock_connect, bpo-41317 and gh-131728.
//
// A cancelled accept leaves its reader registered. Its caller closes the socket at once, the next socket gets the same
// number, and what arrives there is told to who waited for the first.

#include "fake_sockets.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-41",
                                    .upstream = "bpo-41317, gh-131728",
                                    .title = "sock_accept: cancelled, it stays registered for a number in new use",
                                    .invariant = Invariant::no_use_after_end,
                                    .pattern = Pattern::late_unregistration});

enum class OnCancel { stays_registered, unregisters };

template <OnCancel on_cancel>
void wait_readable(const std::shared_ptr<FakeSockets>& sockets, Socket socket) {
    const auto readable = get_running_loop().create_future<void>();
    sockets->add_reader(socket, [readable] {
        if (!readable.done()) {
            readable.set_result();
        }
    });
    try {
        await(readable);
    } catch (const CancelledError&) {
        if (on_cancel == OnCancel::unregisters) {
            sockets->remove_reader(socket.fd);
        }
        throw;
    }
    sockets->remove_reader(socket.fd);
}

/// Waits a while on one socket, then on another; the other side sends to whichever there is.
template <OnCancel on_cancel>
void try_two() {
    const auto sockets = std::make_shared<FakeSockets>();
    Socket current = sockets->open();
    const auto client = create_task(
        [&] {
            try {
                timeout(1s, [&] { wait_readable<on_cancel>(sockets, current); });
            } catch (const TimeoutError&) {
                sockets->close(current);
                current = sockets->open();
                sleep(0s);  // the name is looked up
                wait_readable<on_cancel>(sockets, current);
            }
        },
        {.name = "client"});
    const auto server = create_task(
        [&] {
            sleep(900ms);
            sockets->arrive(current, 1);
            sleep(900ms);
            sockets->arrive(current, 1);
        },
        {.name = "server"});
    join(client, server);
}

}  // namespace

MISHAP_SCENARIO("CPY-41/buggy", .timer_slack = 200ms) { try_two<OnCancel::stays_registered>(); }
MISHAP_SCENARIO("CPY-41/fixed", .timer_slack = 200ms) { try_two<OnCancel::unregisters>(); }
