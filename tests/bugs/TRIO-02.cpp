// Trio's pipes, trio issue 661.
//
// A task sends more than the pipe takes at once. While it waits for room, the pipe is closed, and the next pipe gets
// the same number: what is left goes to somebody else.

#include "fake_sockets.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TRIO-02",
                                    .upstream = "trio #661",
                                    .title = "send_all goes on with a number that names another pipe by now",
                                    .invariant = Invariant::pairing,
                                    .pattern = Pattern::late_unregistration});

enum class AfterWait { sends_on, looks_whether_closed };

class BrokenPipe {};

template <AfterWait after_wait>
class Pipe {
public:
    explicit Pipe(FakeSockets& sockets) : sockets_(&sockets), socket_(sockets.open()) {}

    void send_all(int chunks) {
        for (; chunks > 0; --chunks) {
            if (is_closed_ && after_wait == AfterWait::looks_whether_closed) {
                throw BrokenPipe();
            }
            // What the number names now gets the bytes: it should be what was opened here.
            claim(sockets_->is_open(socket_), Invariant::pairing);
            sleep(300ms);  // until there is room again
        }
    }
    void close() {
        is_closed_ = true;
        sockets_->close(socket_);
    }

private:
    FakeSockets* sockets_;
    Socket socket_;
    bool is_closed_ = false;
};

template <AfterWait after_wait>
void send_and_close() {
    FakeSockets sockets;
    Pipe<after_wait> pipe(sockets);
    const auto sender = create_task(
        [&] {
            try {
                pipe.send_all(4);
            } catch (const BrokenPipe&) {
            }
        },
        {.name = "sender"});
    const auto closer = create_task(
        [&] {
            sleep(1s);
            pipe.close();
            sockets.open();
        },
        {.name = "closer"});
    join(sender, closer);
}

}  // namespace

MISHAP_SCENARIO("TRIO-02/buggy", .timer_slack = 200ms) { send_and_close<AfterWait::sends_on>(); }
MISHAP_SCENARIO("TRIO-02/fixed", .timer_slack = 200ms) { send_and_close<AfterWait::looks_whether_closed>(); }
