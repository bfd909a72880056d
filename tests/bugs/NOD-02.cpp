// Node.js, streams, nodejs/node #23730.
//
// The iterator of a stream waits for its next event: data, end, or an error. A stream that was destroyed has
// no events any more, so who begins to iterate then waits for ever.

#include <deque>
#include <optional>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "NOD-02",
                                    .upstream = "Node.js #23730",
                                    .title = "streams: iterating one that was destroyed never ends",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::close_forgets,
                                    .finding = FindingKind::stuck});

enum class Iterator { waits_for_event, asks_state_first };

template <Iterator iterator>
class Stream {
public:
    void push(int chunk) {
        chunks_.push_back(chunk);
        event_.wake_one();
    }
    void destroy() {
        is_destroyed_ = true;
        event_.wake_all();
    }
    /// Returns the next chunk; nothing when the stream was destroyed.
    std::optional<int> next() {
        if (chunks_.empty() && !(is_destroyed_ && iterator == Iterator::asks_state_first)) {
            event_.wait();
        }
        if (chunks_.empty()) {
            return std::nullopt;
        }
        const int chunk = chunks_.front();
        chunks_.pop_front();
        return chunk;
    }

private:
    std::deque<int> chunks_;
    bool is_destroyed_ = false;
    Waiters event_;
};

template <class S>
void read_all() {
    S stream;
    const auto reader = create_task(
        [&] {
            while (stream.next().has_value()) {
            }
        },
        {.name = "reader"});
    const auto source = create_task(
        [&] {
            stream.push(1);
            sleep(0s);
            stream.destroy();
        },
        {.name = "source"});
    join(reader, source);
}

}  // namespace

MISHAP_SCENARIO("NOD-02/buggy") { read_all<Stream<Iterator::waits_for_event>>(); }
MISHAP_SCENARIO("NOD-02/fixed") { read_all<Stream<Iterator::asks_state_first>>(); }
