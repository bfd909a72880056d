// etcd #6857 (GoBench, GoKer).
//
// A request for the status is sent to a loop that may have ended. The request waits for the loop only, and
// not for the end.

#include "go_channel.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "GO-07",
                                    .upstream = "etcd #6857",
                                    .title = "raft node: a status request to a loop that has just stopped",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::close_forgets,
                                    .finding = FindingKind::stuck});

enum class Status { waits_for_loop, waits_for_loop_or_end };

template <Status status_waits>
class Node {
public:
    /// Answers requests until stopped.
    void run() {
        while (requests_.receive_unless(stop_).has_value()) {
        }
        done_.close();
    }
    void status() {
        if (status_waits == Status::waits_for_loop) {
            requests_.send({});
        } else {
            requests_.send_unless({}, done_);
        }
    }
    void stop() { stop_.close(); }

private:
    ChannelMonitor monitor_;
    SignalChannel requests_{monitor_};
    SignalChannel stop_{monitor_};
    SignalChannel done_{monitor_};
};

template <class N>
void ask_and_stop() {
    N node;
    together({{"node", [&] { node.run(); }}, {"client", [&] { node.status(); }}, {"server", [&] {
                                                                                      node.stop();
                                                                                  }}});
}

}  // namespace

MISHAP_SCENARIO("GO-07/buggy") { ask_and_stop<Node<Status::waits_for_loop>>(); }
MISHAP_SCENARIO("GO-07/fixed") { ask_and_stop<Node<Status::waits_for_loop_or_end>>(); }
