// tokio's watch channel, tokio-rs/tokio #3168 (pull requests 3234 and 3244).
//
// A sender raises the version, then notifies. A receiver that has seen the new version in between and waits
// for the next one is woken for what it knows already, and took every wake-up for a change: it panicked.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "TOK-05",
     .upstream = "tokio #3168",
     .title = "watch: a wake-up for a version that was seen already is taken for a change",
     .invariant = Invariant::no_error,
     .pattern = Pattern::check_then_suspend});

enum class OnWakeup { believes_it, looks_again };

template <OnWakeup on_wakeup>
class Watch {
public:
    void send() {
        version_.fetch_add(1);
        const std::lock_guard<Mutex> lock(mutex_);
        changed_.notify_all();
    }
    /// Waits for a version later than `seen` and returns it.
    int changed(int seen) {
        const std::lock_guard<Mutex> lock(mutex_);
        int version = version_.fetch_add(0);
        while (version == seen) {
            changed_.wait(mutex_);
            version = version_.fetch_add(0);
            if (on_wakeup == OnWakeup::believes_it) {
                break;
            }
        }
        claim(version != seen, Invariant::no_error);  // a change of nothing: a panic
        return version;
    }

private:
    Shared<int> version_{0, "version"};
    Mutex mutex_;
    CondVar changed_;
};

template <class W>
void follow() {
    W watch;
    together({{"receiver",
               [&] {
                   for (int seen = 0; seen < 2;) {
                       seen = watch.changed(seen);
                   }
               }},
              {"sender", [&] {
                   watch.send();
                   watch.send();
               }}});
}

}  // namespace

MISHAP_SCENARIO("TOK-05/buggy") { follow<Watch<OnWakeup::believes_it>>(); }
MISHAP_SCENARIO("TOK-05/fixed") { follow<Watch<OnWakeup::looks_again>>(); }
