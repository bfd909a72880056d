// asyncio.TaskGroup.create_task, gh-94398.
//
// A child fails, and the group cancels the others. One of them, as it cleans up, creates another child. The group takes
// it although it is shutting down; nobody cancels it, and the group waits for it for ever.

#include "invariants.hpp"
#include "small_group.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-39",
                                    .upstream = "gh-94398",
                                    .title = "TaskGroup: takes tasks while it is shutting down",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::close_forgets,
                                    .finding = FindingKind::stuck});

enum class WhileShuttingDown { accepts_tasks, refuses_tasks };

template <WhileShuttingDown when>
class Group {
public:
    template <class F>
    void create_task(F function) {
        if (has_failed_ && when == WhileShuttingDown::refuses_tasks) {
            throw UsageError("the group is shutting down");
        }
        tasks_.add(mishap::create_task(function, {.name = "child"}));
    }

    template <class F>
    void run(F body) {
        body(*this);
        tasks_.wait();
        if (has_failed_) {
            throw GroupFailed();
        }
    }

private:
    void abort() {
        has_failed_ = true;
        tasks_.cancel_all();
    }

    GroupTasks tasks_{[this] { abort(); }};
    bool has_failed_ = false;
};

/// A session sends its last words through a child of its own, which waits until the connection has said hello.
template <WhileShuttingDown when>
void talk() {
    Event greeted;
    Group<when> group;
    const auto send = [&] { greeted.wait(); };
    try {
        group.run([&](Group<when>& self) {
            self.create_task([&] {
                if (fault("hello")) {
                    throw std::runtime_error("connection refused");
                }
                greeted.set();
            });
            self.create_task([&] {
                try {
                    greeted.wait();
                } catch (const CancelledError&) {
                    self.create_task(send);
                    throw;
                }
                self.create_task(send);
            });
        });
    } catch (const GroupFailed&) {
    }
}

}  // namespace

MISHAP_SCENARIO("CPY-39/buggy") { talk<WhileShuttingDown::accepts_tasks>(); }
MISHAP_SCENARIO("CPY-39/fixed") { talk<WhileShuttingDown::refuses_tasks>(); }
