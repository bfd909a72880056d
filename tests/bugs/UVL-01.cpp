// uvloop's create_connection, uvloop issues 645 and 738 (pull request 740).
//
// A cancelled create_connection closes its transport, which closes the number a little later. The caller closes its
// socket too: one of the two closes whatever has got the number since.

#include "fake_sockets.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "UVL-01",
                                    .upstream = "uvloop #645, #738",
                                    .title = "create_connection: cancelled, it closes what the socket closes too",
                                    .invariant = Invariant::no_use_after_end,
                                    .pattern = Pattern::late_unregistration});

enum class OnCancel { closes_number, leaves_it_to_the_socket };

template <OnCancel on_cancel>
void create_connection(const std::shared_ptr<FakeSockets>& sockets, Socket socket) {
    try {
        sleep(900ms);  // the handshake
    } catch (const CancelledError&) {
        if (on_cancel == OnCancel::closes_number) {
            get_running_loop().call_soon([sockets, socket] { sockets->close(socket); });
        }
        throw;
    }
}

template <OnCancel on_cancel>
void connect() {
    const auto sockets = std::make_shared<FakeSockets>();
    const auto client = create_task(
        [sockets] {
            const Socket socket = sockets->open();
            try {
                timeout(1s, [&] { create_connection<on_cancel>(sockets, socket); });
            } catch (const TimeoutError&) {
            }
            sockets->close(socket);
        },
        {.name = "client"});
    join(client);
    sleep(1s);
    claim(sockets->open_count() == 0, Invariant::clean);
}

}  // namespace

MISHAP_SCENARIO("UVL-01/buggy", .timer_slack = 200ms) { connect<OnCancel::closes_number>(); }
MISHAP_SCENARIO("UVL-01/fixed", .timer_slack = 200ms) { connect<OnCancel::leaves_it_to_the_socket>(); }
