// asyncio.StreamWriter.drain, python/asyncio issue 263.
//
// drain returns at once while the stream is not paused. A task that writes and drains in a loop then never waits: the
// other side hangs up, and the callback that would say so never runs.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-43",
                                    .upstream = "python/asyncio #263",
                                    .title = "drain: never waits, so a lost connection is never noticed",
                                    .invariant = Invariant::bounded_bypass,
                                    .pattern = Pattern::starvation,
                                    .is_calm = true});

enum class Drain { returns_at_once, gives_way };

class ConnectionLost {};

template <Drain drain_does>
class Stream {
public:
    void write() { ++writes_; }
    void drain() {
        if (drain_does == Drain::gives_way) {
            sleep(0s);
        }
        if (is_lost_) {
            throw ConnectionLost();
        }
    }
    void lose_connection() { is_lost_ = true; }
    int writes() const { return writes_; }

private:
    int writes_ = 0;
    bool is_lost_ = false;
};

template <Drain drain_does>
void write_in_loop() {
    Stream<drain_does> stream;
    const auto writer = create_task(
        [&] {
            try {
                for (;;) {
                    stream.write();
                    stream.drain();
                    claim(stream.writes() < 100, Invariant::bounded_bypass);
                }
            } catch (const ConnectionLost&) {
            }
        },
        {.name = "writer"});
    const auto other_side = create_task([&] { stream.lose_connection(); }, {.name = "other_side"});
    join(writer, other_side);
}

}  // namespace

// In asyncio's own order: in any other a task may be overtaken for ever, which says nothing about the program.
MISHAP_SCENARIO("CPY-43/buggy", .order = Order::fifo) { write_in_loop<Drain::returns_at_once>(); }
MISHAP_SCENARIO("CPY-43/fixed", .order = Order::fifo) { write_in_loop<Drain::gives_way>(); }
