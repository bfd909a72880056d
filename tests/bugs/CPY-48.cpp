// asyncio.Server.close, gh-109564 (pull request 131009), open when this was written.
//
// A connection has been accepted, and its transport is to be made in the next step. The server is closed in between:
// the transport finds a server that is gone, an error ends in a log, and nobody closes the connection.

#include "fake_sockets.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-48",
                                    .upstream = "gh-109564",
                                    .title = "Server: closed between accept and attach, it leaks the connection",
                                    .invariant = Invariant::clean,
                                    .pattern = Pattern::close_forgets});

enum class LateConnection { is_an_error, is_closed };

template <LateConnection late_connection>
class Server : public std::enable_shared_from_this<Server<late_connection>> {
public:
    explicit Server(std::shared_ptr<FakeSockets> sockets) : sockets_(std::move(sockets)) {}

    /// The selector's callback: a client has connected.
    void accept() {
        if (!is_closed_) {
            const Socket connection = sockets_->open();
            get_running_loop().call_soon(
                [self = this->shared_from_this(), connection] { self->attach(connection); });
        }
    }
    /// Takes no more connections, and closes those that there are.
    void close() {
        is_closed_ = true;
        for (const Socket connection : connections_) {
            sockets_->close(connection);
        }
        connections_.clear();
    }

private:
    void attach(Socket connection) {
        if (!is_closed_) {
            connections_.push_back(connection);
            return;
        }
        if (late_connection == LateConnection::is_an_error) {
            throw std::logic_error("attach to a server that is closed");
        }
        sockets_->close(connection);
    }

    std::shared_ptr<FakeSockets> sockets_;
    bool is_closed_ = false;
    std::vector<Socket> connections_;
};

template <LateConnection late_connection>
void serve() {
    const auto sockets = std::make_shared<FakeSockets>();
    const auto server = std::make_shared<Server<late_connection>>(sockets);
    const auto client = create_task([server] { server->accept(); }, {.name = "client"});
    sleep(0s);
    sleep(0s);
    server->close();
    join(client);
    sleep(1s);
    claim(sockets->open_count() == 0, Invariant::clean);
}

}  // namespace

MISHAP_SCENARIO("CPY-48/buggy") { serve<LateConnection::is_an_error>(); }
MISHAP_SCENARIO("CPY-48/fixed") { serve<LateConnection::is_closed>(); }
