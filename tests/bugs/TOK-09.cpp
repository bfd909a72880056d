// tokio's LocalSet, tokio-rs/tokio #6016 (and #3369).
//
// Work that is spawned onto a set wakes the task that runs the set, unless the spawner is the set itself.
// Whoever has only entered the set's context counts as being the set: the work lies there, and nobody looks.

#include <functional>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "TOK-09",
     .upstream = "tokio #6016",
     .title = "LocalSet: work that is spawned from its context does not wake it",
     .invariant = Invariant::no_stranded_waiter,
     .pattern = Pattern::late_unregistration,
     .finding = FindingKind::stuck});

enum class Wakes { unless_entered, unless_running };

template <Wakes wakes>
class LocalSet {
public:
    /// Runs what is spawned until a job asks for the end.
    void run() {
        while (!is_stopping_) {
            while (!jobs_.empty()) {
                const auto job = std::move(jobs_.front());
                jobs_.pop_front();
                is_running_ = true;
                job();
                is_running_ = false;
            }
            if (!is_stopping_) {
                idle_.wait();
            }
        }
    }
    void stop() { is_stopping_ = true; }

    void spawn(std::function<void()> job) {
        jobs_.push_back(std::move(job));
        if (wakes == Wakes::unless_entered ? !is_entered_ && !is_running_ : !is_running_) {
            idle_.wake_one();
        }
    }
    /// Makes the set the current one while `body()` runs.
    template <class F>
    void enter(F&& body) {
        is_entered_ = true;
        body();
        is_entered_ = false;
    }

private:
    std::deque<std::function<void()>> jobs_;
    Waiters idle_;
    bool is_running_ = false;
    bool is_entered_ = false;
    bool is_stopping_ = false;
};

template <class S>
void spawn_from_outside() {
    S set;
    const auto spawner =
        create_task([&] { set.enter([&] { set.spawn([&] { set.stop(); }); }); }, {.name = "spawner"});
    const auto runner = create_task([&] { set.run(); }, {.name = "runner"});
    join(spawner, runner);
}

}  // namespace

MISHAP_SCENARIO("TOK-09/buggy") { spawn_from_outside<LocalSet<Wakes::unless_entered>>(); }
MISHAP_SCENARIO("TOK-09/fixed") { spawn_from_outside<LocalSet<Wakes::unless_running>>(); }
