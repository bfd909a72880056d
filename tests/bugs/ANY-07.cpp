// AnyIO's TaskGroup.start, anyio issues 685, 706 and 710.
//
// `start` begins a task in a group and waits until it says that it has started. When that wait is cancelled, the task
// is to end, and only that. But the cancellation passes for a failure of the group, and everything in it is cancelled.

#include "invariants.hpp"
#include "small_group.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ANY-07",
                                    .upstream = "anyio #685, #710",
                                    .title = "TaskGroup.start: cancelled, it takes the whole group with it",
                                    .invariant = Invariant::cancel_balanced,
                                    .pattern = Pattern::cancellation_miscounted});

enum class CancelledStart { fails_the_group, ends_its_task };

template <CancelledStart cancelled_start>
class Group {
public:
    template <class F>
    void start_soon(F function) {
        tasks_.add(create_task(function, {.name = "child"}));
    }

    /// Runs `function(started)` and waits until it sets `started`.
    template <class F>
    void start(F function) {
        const auto started = get_running_loop().create_future<void>();
        const auto task = create_task([function, started] { function(started); }, {.name = "service"});
        tasks_.add(task);
        try {
            await(started);
        } catch (const CancelledError&) {
            if (cancelled_start == CancelledStart::fails_the_group) {
                tasks_.cancel_all();
            } else {
                task.cancel();
            }
            throw;
        }
    }

    void wait() { tasks_.wait(); }

private:
    GroupTasks tasks_{[] {}};
};

/// A service is to start within a second, beside one that runs already.
template <CancelledStart cancelled_start>
void start_service() {
    Group<cancelled_start> group;
    Event stopped;
    const auto parent = create_task(
        [&] {
            group.start_soon([&] {
                try {
                    stopped.wait();
                } catch (const CancelledError&) {
                    claim(false, Invariant::cancel_balanced);  // nobody has cancelled this one
                }
            });
            try {
                timeout(1s, [&] {
                    group.start([&](const Future<void>& started) {
                        sleep(900ms);
                        if (!started.done()) {
                            started.set_result();
                        }
                        stopped.wait();
                    });
                });
            } catch (const TimeoutError&) {
            }
            stopped.set();
            group.wait();
        },
        {.name = "parent"});
    join(parent);
}

}  // namespace

MISHAP_SCENARIO("ANY-07/buggy", .timer_slack = 200ms) { start_service<CancelledStart::fails_the_group>(); }
MISHAP_SCENARIO("ANY-07/fixed", .timer_slack = 200ms) { start_service<CancelledStart::ends_its_task>(); }
