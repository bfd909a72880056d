// asyncio.TaskGroup, gh-133747 (CPython 3.12).
//
// A child fails while its parent already waits at the end of the group. The group cancels the parent to wake it, and
// does not take that back: from then on every timeout of the parent takes its own request for somebody else's.

#include "invariants.hpp"
#include "small_group.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-34",
                                    .upstream = "gh-133747",
                                    .title = "TaskGroup: a failure during its exit leaves a request to cancel open",
                                    .invariant = Invariant::cancel_balanced,
                                    .pattern = Pattern::cancellation_miscounted});

enum class CancelsParent { always, while_its_body_runs };

template <CancelsParent cancels>
class Group {
public:
    template <class F>
    void create_task(F function) {
        tasks_.add(mishap::create_task(function, {.name = "child"}));
    }

    template <class F>
    void run(F body) {
        bool is_interrupted = false;
        try {
            body(*this);
        } catch (const CancelledError&) {
            is_interrupted = true;
        }
        is_exiting_ = true;
        if (is_interrupted) {
            tasks_.cancel_all();
        }
        while (tasks_.unfinished() > 0) {
            try {
                tasks_.wait();
            } catch (const CancelledError&) {
                tasks_.cancel_all();
            }
        }
        if (is_interrupted && has_cancelled_parent_) {
            parent_.uncancel();
        }
        if (has_failed_) {
            throw GroupFailed();
        }
    }

private:
    void fail() {
        tasks_.cancel_all();
        has_failed_ = true;
        if (!has_cancelled_parent_ && (cancels == CancelsParent::always || !is_exiting_)) {
            has_cancelled_parent_ = true;
            parent_.cancel();
        }
    }

    GroupTasks tasks_{[this] { fail(); }};
    AnyTask parent_ = current_task();
    bool is_exiting_ = false;
    bool has_failed_ = false;
    bool has_cancelled_parent_ = false;
};

template <CancelsParent cancels>
void fail_in_group() {
    const auto parent = create_task(
        [] {
            const CancelBalanced requests;
            try {
                Group<cancels> group;
                group.run([](Group<cancels>& self) {
                    self.create_task([] { throw std::runtime_error("no route to host"); });
                    sleep(0s);
                    sleep(0s);
                });
            } catch (const GroupFailed&) {
            }
            requests.check();
        },
        {.name = "parent"});
    join(parent);
}

}  // namespace

MISHAP_SCENARIO("CPY-34/buggy") { fail_in_group<CancelsParent::always>(); }
MISHAP_SCENARIO("CPY-34/fixed") { fail_in_group<CancelsParent::while_its_body_runs>(); }
