// grpc-go #660; moby #33781 and kubernetes #25331 are alike (GoBench, GoKer).
//
// A caller waits for a result or for the end. When the end comes first it returns, and whoever computes the
// result waits for ever to hand it over, through a channel without buffer.

#include "go_channel.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "GO-06",
     .upstream = "grpc-go #660",
     .title = "a caller that stops waiting leaves the sender of its result behind",
     .invariant = Invariant::no_orphan,
     .pattern = Pattern::close_forgets,
     .finding = FindingKind::stuck});

template <std::size_t capacity>
void call_until_stopped() {
    ChannelMonitor monitor;
    GoChannel<int> results(monitor, capacity);
    SignalChannel stop(monitor);
    together({{"caller", [&] { results.receive_unless(stop); }},
              {"worker", [&] { results.send(1); }},
              {"stopper", [&] { stop.close(); }}});
}

}  // namespace

MISHAP_SCENARIO("GO-06/buggy") { call_until_stopped<0>(); }
MISHAP_SCENARIO("GO-06/fixed") { call_until_stopped<1>(); }
