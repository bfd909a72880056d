// kubernetes #10182; kubernetes #6632, grpc-go #1353 and istio #16224 are alike (GoBench, GoKer).
//
// The status manager sends to a channel under its mutex. Who receives takes the mutex for each item: when the
// channel is full, each waits for the other.

#include "go_channel.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "GO-05",
                                    .upstream = "kubernetes #10182",
                                    .title = "status manager: sends under the mutex that the receiver wants",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::hold_and_wait,
                                    .finding = FindingKind::stuck});

enum class Sends { under_the_mutex, after_it };

template <Sends sends>
class StatusManager {
public:
    void set_status() {
        std::unique_lock<Mutex> lock(mutex_);
        ++version_;
        if (sends == Sends::after_it) {
            lock.unlock();
        }
        statuses_.send({});
    }
    void sync() {
        statuses_.receive();
        const std::lock_guard<Mutex> lock(mutex_);
        ++synced_;
    }

private:
    ChannelMonitor monitor_;
    SignalChannel statuses_{monitor_};
    Mutex mutex_;
    int version_ = 0;
    int synced_ = 0;
};

template <class M>
void set_twice() {
    M statuses;
    together({{"syncer",
               [&] {
                   statuses.sync();
                   statuses.sync();
               }},
              {"pod", [&] { statuses.set_status(); }},
              {"pod", [&] { statuses.set_status(); }}});
}

}  // namespace

MISHAP_SCENARIO("GO-05/buggy") { set_twice<StatusManager<Sends::under_the_mutex>>(); }
MISHAP_SCENARIO("GO-05/fixed") { set_twice<StatusManager<Sends::after_it>>(); }
