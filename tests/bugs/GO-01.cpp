// cockroachdb/cockroach #9935; etcd #10492 and hugo #5379 are alike (GoBench, GoKer).
//
// A function that holds a mutex calls another one, which takes it too. Here that is the path of an error.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "GO-01",
     .upstream = "cockroach #9935",
     .title = "log: the path of an error takes the mutex that its caller holds",
     .invariant = Invariant::progress,
     .pattern = Pattern::hold_and_wait,
     .finding = FindingKind::stuck});

enum class Exit { takes_mutex, expects_it_held };

template <Exit exit_does>
class Log {
public:
    void write() {
        const std::lock_guard<Mutex> lock(mutex_);
        if (choose(2) == 1) {  // the disk is full
            exit();
        }
    }

private:
    void exit() {
        std::unique_lock<Mutex> lock(mutex_, std::defer_lock);
        if (exit_does == Exit::takes_mutex) {
            lock.lock();
        }
        is_closed_ = true;
    }

    Mutex mutex_;
    bool is_closed_ = false;
};

template <class L>
void log_from_two_threads() {
    L log;
    together({{"writer", [&] { log.write(); }}, {"writer", [&] { log.write(); }}});
}

}  // namespace

MISHAP_SCENARIO("GO-01/buggy") { log_from_two_threads<Log<Exit::takes_mutex>>(); }
MISHAP_SCENARIO("GO-01/fixed") { log_from_two_threads<Log<Exit::expects_it_held>>(); }
