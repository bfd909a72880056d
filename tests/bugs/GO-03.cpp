// etcd #6873 (GoBench, GoKer).
//
// The coalescer takes updates from a channel and wants the mutex for each. `stop` holds the mutex, closes the
// channel and waits until the coalescer is done.

#include "go_channel.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "GO-03",
     .upstream = "etcd #6873",
     .title = "watch broadcasts: stop waits, under the mutex, for who wants the mutex",
     .invariant = Invariant::progress,
     .pattern = Pattern::hold_and_wait,
     .finding = FindingKind::stuck});

enum class Stop { under_the_mutex, without_it };

template <Stop stop_waits>
class Broadcasts {
public:
    void run() {
        while (updates_.receive().has_value()) {
            const std::lock_guard<Mutex> lock(mutex_);
            ++coalesced_;
        }
        done_.close();
    }
    void update() { updates_.send({}); }
    void stop() {
        std::unique_lock<Mutex> lock(mutex_);
        updates_.close();
        if (stop_waits == Stop::without_it) {
            lock.unlock();
        }
        done_.receive();
    }

private:
    ChannelMonitor monitor_;
    SignalChannel updates_{monitor_, 1};
    SignalChannel done_{monitor_};
    Mutex mutex_;
    int coalesced_ = 0;
};

template <class B>
void update_and_stop() {
    B broadcasts;
    broadcasts.update();
    together({{"coalescer", [&] { broadcasts.run(); }}, {"server", [&] { broadcasts.stop(); }}});
}

}  // namespace

MISHAP_SCENARIO("GO-03/buggy") { update_and_stop<Broadcasts<Stop::under_the_mutex>>(); }
MISHAP_SCENARIO("GO-03/fixed") { update_and_stop<Broadcasts<Stop::without_it>>(); }
