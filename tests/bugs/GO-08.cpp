// cockroachdb/cockroach #24808 (GoBench, GoKer).
//
// The compactor has a channel for one suggestion. When it starts it puts one in itself, before it reads: if
// somebody else was earlier the channel is full, and it waits for itself.

#include "go_channel.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "GO-08",
     .upstream = "cockroach #24808",
     .title = "compactor: at its start it waits for room in the channel that it reads",
     .invariant = Invariant::progress,
     .pattern = Pattern::hold_and_wait,
     .finding = FindingKind::stuck});

enum class Start { waits_for_room, one_suggestion_is_enough };

/// Suggestions tell that there is something to do; how many there are does not matter.
template <Start start>
class Compactor {
public:
    void suggest() { suggestions_.send_unless({}, never_waits_); }
    void run() {
        if (start == Start::waits_for_room) {
            suggestions_.send({});
        } else {
            suggest();
        }
        suggestions_.receive();
    }

    Compactor() { never_waits_.close(); }

private:
    ChannelMonitor monitor_;
    SignalChannel suggestions_{monitor_, 1};
    SignalChannel never_waits_{monitor_};  // Go's `default:`
};

template <class C>
void start_compactor() {
    C compactor;
    together({{"compactor", [&] { compactor.run(); }}, {"store", [&] { compactor.suggest(); }}});
}

}  // namespace

MISHAP_SCENARIO("GO-08/buggy") { start_compactor<Compactor<Start::waits_for_room>>(); }
MISHAP_SCENARIO("GO-08/fixed") { start_compactor<Compactor<Start::one_suggestion_is_enough>>(); }
