// grpc-go #1687 (GoBench, GoKer).
//
// A handler hands writes to the goroutine that serves them. It looks if the stream is closed, and then sends:
// in between somebody closes the channel, and sending on a closed channel is an error.

#include "go_channel.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "GO-12",
     .upstream = "grpc-go #1687",
     .title = "handler transport: sends on a channel that was closed meanwhile",
     .invariant = Invariant::no_use_after_end,
     .pattern = Pattern::check_then_suspend});

enum class Close { closes_writes, closes_signal };

template <Close close_does>
class Transport {
public:
    void write() {
        if (is_closed_.fetch_add(0) == 0) {
            writes_.send_unless({}, closed_);
        }
    }
    void close() {
        is_closed_.fetch_add(1);
        if (close_does == Close::closes_writes) {
            writes_.close();
        } else {
            closed_.close();
        }
    }

private:
    ChannelMonitor monitor_;
    SignalChannel writes_{monitor_, 1};
    SignalChannel closed_{monitor_};
    Shared<int> is_closed_{0, "closed"};
};

template <class T>
void write_and_close() {
    T transport;
    together({{"handler", [&] { transport.write(); }}, {"server", [&] { transport.close(); }}});
}

}  // namespace

MISHAP_SCENARIO("GO-12/buggy") { write_and_close<Transport<Close::closes_writes>>(); }
MISHAP_SCENARIO("GO-12/fixed") { write_and_close<Transport<Close::closes_signal>>(); }
