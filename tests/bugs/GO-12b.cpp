// cockroachdb/cockroach #4407 (GoBench, GoKer).
//
// A stopper counts running tasks in a wait group. A task that looks if the stopper is stopping and then adds
// itself can come after `wait` has found nobody: it runs when everything is torn down.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "GO-12b",
     .upstream = "cockroach #4407",
     .title = "stopper: a task adds itself to a wait group that was waited for",
     .invariant = Invariant::no_use_after_end,
     .pattern = Pattern::check_then_suspend});

enum class Adds { after_looking, with_the_look };

template <Adds adds>
class Stopper {
public:
    /// Runs `body()` unless the stopper is stopping.
    template <class F>
    void run_task(F&& body) {
        {
            std::unique_lock<Mutex> lock(mutex_);
            if (is_stopping_) {
                return;
            }
            if (adds == Adds::after_looking) {
                lock.unlock();
                lock.lock();
            }
            ++running_;
        }
        body();
        const std::lock_guard<Mutex> lock(mutex_);
        --running_;
        ended_.notify_all();
    }
    /// Refuses further tasks and waits for those that run.
    void stop() {
        const std::lock_guard<Mutex> lock(mutex_);
        is_stopping_ = true;
        ended_.wait(mutex_, [&] { return running_ == 0; });
    }

private:
    Mutex mutex_;
    CondVar ended_;
    bool is_stopping_ = false;
    int running_ = 0;
};

template <class S>
void stop_server() {
    S stopper;
    bool is_open = true;
    together({{"request", [&] { stopper.run_task([&] { claim(is_open, Invariant::no_use_after_end); }); }},
              {"server", [&] {
                   stopper.stop();
                   is_open = false;
               }}});
}

}  // namespace

MISHAP_SCENARIO("GO-12b/buggy") { stop_server<Stopper<Adds::after_looking>>(); }
MISHAP_SCENARIO("GO-12b/fixed") { stop_server<Stopper<Adds::with_the_look>>(); }
