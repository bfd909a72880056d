// moby #28462 (GoBench, GoKer).
//
// A container that is stopped tells its monitor through a channel without buffer, and holds its mutex. The
// monitor wants the mutex for a probe before it comes back to the channel.

#include "go_channel.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "GO-04",
     .upstream = "moby #28462",
     .title = "health monitor: stop is sent under the mutex that the monitor wants",
     .invariant = Invariant::progress,
     .pattern = Pattern::hold_and_wait,
     .finding = FindingKind::stuck});

enum class Stop { sends, closes };

template <Stop stop_signal>
class Container {
public:
    void monitor() {
        {
            const std::lock_guard<Mutex> lock(mutex_);
            ++probes_;
        }
        stop_.receive();  // until then, one probe is enough
    }
    void stop() {
        const std::lock_guard<Mutex> lock(mutex_);
        if (stop_signal == Stop::sends) {
            stop_.send({});
        } else {
            stop_.close();
        }
    }

private:
    ChannelMonitor monitor_;
    SignalChannel stop_{monitor_};
    Mutex mutex_;
    int probes_ = 0;
};

template <class C>
void stop_container() {
    C container;
    together({{"monitor", [&] { container.monitor(); }}, {"daemon", [&] { container.stop(); }}});
}

}  // namespace

MISHAP_SCENARIO("GO-04/buggy") { stop_container<Container<Stop::sends>>(); }
MISHAP_SCENARIO("GO-04/fixed") { stop_container<Container<Stop::closes>>(); }
