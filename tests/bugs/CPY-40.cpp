// asyncio's loop.sock_recv, bpo-30064 (pull request 20369), repaired in CPython 3.8.4.
//
// A receive is cancelled and begun again at once. What cleans up after the first is a callback of its future, so it
// comes an iteration later, and removes the reader of the second: data arrives, and nobody is told.

#include "fake_sockets.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-40",
                                    .upstream = "bpo-30064",
                                    .title = "sock_recv: cancelled and begun again, it is never woken",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::late_unregistration,
                                    .finding = FindingKind::stuck});

enum class Removes { any_reader, its_own_reader };

template <Removes removes>
int receive(const std::shared_ptr<FakeSockets>& sockets, Socket socket) {
    for (;;) {
        if (const int bytes = sockets->read(socket); bytes > 0) {
            return bytes;
        }
        const auto readable = get_running_loop().create_future<void>();
        const FakeSockets::RegistrationId id = sockets->add_reader(socket, [readable] {
            if (!readable.done()) {
                readable.set_result();
            }
        });
        readable.add_done_callback([sockets, socket, id](const Future<void>&) {
            if (removes == Removes::any_reader || sockets->is_registered(socket.fd, id)) {
                sockets->remove_reader(socket.fd);
            }
        });
        await(readable);
    }
}

template <Removes removes>
void retry() {
    const auto sockets = std::make_shared<FakeSockets>();
    const Socket socket = sockets->open();
    const auto client = create_task(
        [&] {
            try {
                timeout(1s, [&] { receive<removes>(sockets, socket); });
            } catch (const TimeoutError&) {
                receive<removes>(sockets, socket);
            }
        },
        {.name = "client"});
    const auto server = create_task(
        [&] {
            sleep(900ms);
            sockets->arrive(socket, 1);
        },
        {.name = "server"});
    join(client, server);
}

}  // namespace

MISHAP_SCENARIO("CPY-40/buggy", .timer_slack = 200ms) { retry<Removes::any_reader>(); }
MISHAP_SCENARIO("CPY-40/fixed", .timer_slack = 200ms) { retry<Removes::its_own_reader>(); }
