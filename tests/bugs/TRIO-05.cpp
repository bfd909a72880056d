// trio's from_thread.run, trio #1738.
//
// A run ends in two steps: its system nursery is closed, and a tick later the run is over. A request from a thread that
// arrives in between is still taken, finds no nursery to run in, and its error ends the whole run instead of going to
// whoever asked.

#include <stdexcept>
#include <vector>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TRIO-05",
                                    .upstream = "trio #1738",
                                    .title = "from_thread.run: a request in the run's last tick ends the run with an error",
                                    .invariant = Invariant::no_error,
                                    .pattern = Pattern::close_forgets});

enum class AfterClosing { starts, refuses };

struct RunFinished : std::runtime_error {
    RunFinished() : std::runtime_error("the run has finished") {}
};

template <AfterClosing after_closing>
class Run {
public:
    /// Asks for something to be done in the run, and waits until it is.
    void call() {
        if (is_finished_) {
            throw RunFinished();
        }
        const auto answered = get_running_loop().create_future<void>();
        requests_.push_back(answered);
        await(answered);
    }
    void serve() {
        for (int tick = 0; tick < 3; ++tick) {
            sleep(0s);
            deliver();
        }
        is_nursery_open_ = false;
        sleep(0s);  // what is in it ends
        deliver();
        is_finished_ = true;
    }

private:
    void deliver() {
        for (const Future<void>& request : std::exchange(requests_, {})) {
            if (is_nursery_open_) {
                request.set_result();
            } else if (after_closing == AfterClosing::refuses) {
                request.set_exception(std::make_exception_ptr(RunFinished()));
            } else {
                throw std::logic_error("the nursery is closed to new arrivals");
            }
        }
    }

    std::vector<Future<void>> requests_;
    bool is_nursery_open_ = true;
    bool is_finished_ = false;
};

template <class R>
void ask_from_outside() {
    R run;
    const auto host = create_task([&] { without_errors([&] { run.serve(); }); }, {.name = "host"});
    const auto thread = create_task(
        [&] {
            try {
                run.call();
            } catch (const RunFinished&) {
            }
        },
        {.name = "thread"});
    join(host, thread);
}

}  // namespace

MISHAP_SCENARIO("TRIO-05/buggy") { ask_from_outside<Run<AfterClosing::starts>>(); }
MISHAP_SCENARIO("TRIO-05/fixed") { ask_from_outside<Run<AfterClosing::refuses>>(); }
