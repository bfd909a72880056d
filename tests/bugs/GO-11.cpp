// moby #29733 (GoBench, GoKer).
//
// `wait` waits on a condition until plugins are there. Plugins that come are added, and the condition is not
// told.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "GO-11",
                                    .upstream = "moby #29733",
                                    .title = "plugins: a condition that is waited on is never signalled",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::baton_dropped,
                                    .finding = FindingKind::stuck});

enum class Add { only_adds, signals };

template <Add add_does>
class Plugins {
public:
    void add() {
        const std::lock_guard<Mutex> lock(mutex_);
        ++count_;
        if (add_does == Add::signals) {
            added_.notify_all();
        }
    }
    void wait() {
        const std::lock_guard<Mutex> lock(mutex_);
        added_.wait(mutex_, [&] { return count_ > 0; });
    }

private:
    Mutex mutex_;
    CondVar added_;
    int count_ = 0;
};

template <class P>
void load_plugin() {
    P plugins;
    together({{"loader", [&] { plugins.add(); }}, {"user", [&] { plugins.wait(); }}});
}

}  // namespace

MISHAP_SCENARIO("GO-11/buggy") { load_plugin<Plugins<Add::only_adds>>(); }
MISHAP_SCENARIO("GO-11/fixed") { load_plugin<Plugins<Add::signals>>(); }
