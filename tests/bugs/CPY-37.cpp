// asyncio.TaskGroup.cancel with eager tasks, gh-155418 (pull request 155421).
//
// An eager child cancels its own group in its first step. It is not among the group's tasks yet, so it is the one that
// is not cancelled: it waits for what will not come, and the group for it.

#include "invariants.hpp"
#include "small_group.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-37",
                                    .upstream = "gh-155418",
                                    .title = "TaskGroup: an eager child that cancels its group is not cancelled",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::reentrancy,
                                    .finding = FindingKind::stuck});

enum class Cancels { those_who_are_there, those_who_come_too };

template <Cancels cancels>
class Group {
public:
    /// Creates an eager child: `first_step` runs now, `rest` as a task.
    template <class F, class G>
    void create_eager_task(F first_step, G rest) {
        first_step();
        const auto task = create_task(rest, {.name = "child"});
        tasks_.add(task);
        if (cancels == Cancels::those_who_come_too && is_cancelled_) {
            task.cancel();
        }
    }

    void cancel() {
        is_cancelled_ = true;
        tasks_.cancel_all();
    }

    template <class F>
    void run(F body) {
        body(*this);
        tasks_.wait();
    }

private:
    GroupTasks tasks_{[] {}};
    bool is_cancelled_ = false;
};

/// A reader that finds the end of its input at once ends the group; otherwise the writer tells it when to go on.
template <Cancels cancels>
void copy_in_group() {
    Event written;
    Group<cancels> group;
    group.run([&](Group<cancels>& self) {
        self.create_eager_task([] {}, [&] { written.set(); });
        self.create_eager_task(
            [&] {
                if (fault("end of input")) {
                    self.cancel();
                }
            },
            [&] { written.wait(); });
    });
}

}  // namespace

MISHAP_SCENARIO("CPY-37/buggy") { copy_in_group<Cancels::those_who_are_there>(); }
MISHAP_SCENARIO("CPY-37/fixed") { copy_in_group<Cancels::those_who_come_too>(); }
