// cockroachdb/cockroach #10214 and moby #4951 (GoBench, GoKer).
//
// The store locks itself and then its queue; the queue locks itself and then its store.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "GO-02",
                                    .upstream = "cockroach #10214, moby #4951",
                                    .title = "store and queue lock each other in two orders",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::hold_and_wait,
                                    .finding = FindingKind::stuck});

enum class Reports { under_both_locks, after_its_own };

template <Reports reports>
class Store {
public:
    void coalesce() {
        const std::lock_guard<Mutex> lock(store_);
        const std::lock_guard<Mutex> queue_lock(queue_);
        ++messages_;
    }
    void send_queued() {
        {
            const std::lock_guard<Mutex> lock(queue_);
            messages_ = 0;
            if (reports == Reports::under_both_locks) {
                report();
            }
        }
        if (reports == Reports::after_its_own) {
            report();
        }
    }

private:
    void report() {
        const std::lock_guard<Mutex> lock(store_);
        ++reports_;
    }

    Mutex store_{"store"};
    Mutex queue_{"queue"};
    int messages_ = 0;
    int reports_ = 0;
};

template <class S>
void send_and_coalesce() {
    S store;
    together({{"heartbeat", [&] { store.coalesce(); }}, {"sender", [&] { store.send_queued(); }}});
}

}  // namespace

MISHAP_SCENARIO("GO-02/buggy") { send_and_coalesce<Store<Reports::under_both_locks>>(); }
MISHAP_SCENARIO("GO-02/fixed") { send_and_coalesce<Store<Reports::after_its_own>>(); }
