// Seastar's rpc streams, commit 999810af8 (2023).
//
// A stream is made, connects, and then registers with its parent connection. When the parent fails in
// between, it aborts all streams that are registered; this one registers afterwards, and nobody will ever end
// it.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "SEA-06",
     .upstream = "Seastar 999810af8",
     .title = "rpc: a stream that registers after its parent's end is never aborted",
     .invariant = Invariant::progress,
     .pattern = Pattern::close_forgets,
     .finding = FindingKind::stuck});

enum class Registering { always_succeeds, asks_if_parent_lives };

struct Aborted : std::runtime_error {
    Aborted() : std::runtime_error("the connection is closed") {}
};

template <Registering registering>
class Connection {
public:
    /// Makes the stream's end known to the connection.
    void add(const Future<void>& stream) {
        if (registering == Registering::asks_if_parent_lives && is_closed_) {
            throw Aborted();
        }
        streams_.push_back(stream);
    }
    void close() {
        is_closed_ = true;
        for (const Future<void>& stream : streams_) {
            stream.set_exception(std::make_exception_ptr(Aborted()));
        }
        streams_.clear();
    }

private:
    bool is_closed_ = false;
    std::vector<Future<void>> streams_;
};

template <class C>
void lose_connection() {
    C connection;
    const auto stream = create_task(
        [&] {
            const auto end = get_running_loop().create_future<void>();
            sleep(0s);  // the handshake
            try {
                connection.add(end);
                await(end);
            } catch (const Aborted&) {
            }
        },
        {.name = "stream"});
    const auto watcher = create_task(
        [&] {
            sleep(0s);
            sleep(0s);
            connection.close();
        },
        {.name = "watcher"});
    join(stream, watcher);
}

}  // namespace

MISHAP_SCENARIO("SEA-06/buggy") { lose_connection<Connection<Registering::always_succeeds>>(); }
MISHAP_SCENARIO("SEA-06/fixed") { lose_connection<Connection<Registering::asks_if_parent_lives>>(); }
