// asyncio.TaskGroup with eager tasks, gh-128588.
//
// An eager child fails before the call that creates it returns. The group cancels its parent, which is running and
// waits no more in the group: the request stays armed, and the first wait after the group is cancelled.

#include "invariants.hpp"
#include "small_group.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-36",
                                    .upstream = "gh-128588",
                                    .title = "TaskGroup: the cancellation for an eager child's failure leaks out",
                                    .invariant = Invariant::cancel_balanced,
                                    .pattern = Pattern::cancellation_miscounted});

enum class TakesBack { what_was_thrown, what_was_asked };

template <TakesBack takes_back>
class Group {
public:
    /// Creates an eager child: `first_step` runs now, `rest` as a task.
    template <class F, class G>
    void create_eager_task(F first_step, G rest) {
        try {
            first_step();
        } catch (const std::exception&) {
            fail();
            return;
        }
        tasks_.add(create_task(rest, {.name = "child"}));
    }

    template <class F>
    void run(F body) {
        bool is_interrupted = false;
        try {
            body(*this);
            tasks_.wait();
        } catch (const CancelledError&) {
            is_interrupted = true;
            tasks_.cancel_all();
            tasks_.wait();
        }
        if (has_failed_ && (is_interrupted || takes_back == TakesBack::what_was_asked)) {
            parent_.uncancel();
        }
        if (has_failed_) {
            throw GroupFailed();
        }
    }

private:
    void fail() {
        if (!has_failed_) {
            has_failed_ = true;
            tasks_.cancel_all();
            parent_.cancel();
        }
    }

    GroupTasks tasks_{[this] { fail(); }};
    AnyTask parent_ = current_task();
    bool has_failed_ = false;
};

template <TakesBack takes_back>
void connect_in_group() {
    const auto parent = create_task(
        [] {
            const CancelBalanced requests;
            const auto connect = [] {
                if (fault("connect")) {
                    throw std::runtime_error("no route to host");
                }
            };
            try {
                Group<takes_back> group;
                group.run([&](Group<takes_back>& self) { self.create_eager_task(connect, [] { sleep(0s); }); });
            } catch (const GroupFailed&) {
            }
            requests.check();
        },
        {.name = "parent"});
    join(parent);
}

}  // namespace

MISHAP_SCENARIO("CPY-36/buggy") { connect_in_group<TakesBack::what_was_thrown>(); }
MISHAP_SCENARIO("CPY-36/fixed") { connect_in_group<TakesBack::what_was_asked>(); }
