// tokio's broadcast channel, tokio-rs/tokio #4814 (pull request 4867).
//
// Closing writes a last entry that says so. A receiver that is made afterwards starts behind that entry, and
// waits for one that never comes.

#include <optional>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TOK-07",
                                    .upstream = "tokio #4814",
                                    .title = "broadcast: who subscribes after the end never learns of it",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::records_drift,
                                    .finding = FindingKind::stuck});

enum class Start { behind_the_end, at_the_end };

template <Start start>
class Broadcast {
public:
    void send(int item) { append(item); }
    void close() {
        append(std::nullopt);
        is_closed_ = true;
    }
    /// Returns the place of the next entry, for `receive`.
    std::size_t subscribe() const {
        return start == Start::at_the_end && is_closed_ ? entries_.size() - 1 : entries_.size();
    }
    /// Returns the entry at `next` and moves on; nothing at the end.
    std::optional<int> receive(std::size_t& next) {
        while (next >= entries_.size()) {
            waiters_.wait();
        }
        return entries_[next++];
    }

private:
    void append(std::optional<int> entry) {
        entries_.push_back(entry);
        waiters_.wake_all();
    }

    std::vector<std::optional<int>> entries_;
    bool is_closed_ = false;
    Waiters waiters_;
};

template <class B>
void publish() {
    B broadcast;
    const auto subscriber = create_task(
        [&] {
            std::size_t next = broadcast.subscribe();
            while (broadcast.receive(next).has_value()) {
            }
        },
        {.name = "subscriber"});
    const auto publisher = create_task(
        [&] {
            broadcast.send(1);
            broadcast.close();
        },
        {.name = "publisher"});
    join(subscriber, publisher);
}

}  // namespace

MISHAP_SCENARIO("TOK-07/buggy", .cancellations = 1) { publish<Broadcast<Start::behind_the_end>>(); }
MISHAP_SCENARIO("TOK-07/fixed", .cancellations = 1) { publish<Broadcast<Start::at_the_end>>(); }
