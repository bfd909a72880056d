// asyncio.TaskGroup with eager tasks, gh-128550 (pull request 128551).
//
// An eager child runs its first step inside the call that creates it. If it creates another child there, which fails at
// once, the group is aborted: every child that it knows is cancelled. The one that is just being created is not known
// yet, and waits for ever.

#include "invariants.hpp"
#include "small_group.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-35",
                                    .upstream = "gh-128550",
                                    .title = "TaskGroup: an eager child that is being created escapes the abort",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::reentrancy,
                                    .finding = FindingKind::stuck});

enum class Newcomer { is_only_added, is_cancelled_after_abort };

template <Newcomer newcomer>
class Group {
public:
    /// Creates an eager child: `first_step` runs now, `rest` as a task.
    template <class F, class G>
    void create_eager_task(F first_step, G rest) {
        try {
            first_step();
        } catch (const std::exception&) {
            abort();
            return;
        }
        const auto task = create_task(rest, {.name = "child"});
        tasks_.add(task);
        if (newcomer == Newcomer::is_cancelled_after_abort && has_failed_) {
            task.cancel();
        }
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

/// A listener answers once its connection is there.
template <Newcomer newcomer>
void connect_in_group() {
    Event connected;
    Group<newcomer> group;
    const auto connect = [] {
        if (fault("connect")) {
            throw std::runtime_error("no route to host");
        }
    };
    try {
        group.run([&](Group<newcomer>& self) {
            self.create_eager_task([&] { self.create_eager_task(connect, [&] { connected.set(); }); },
                                   [&] { connected.wait(); });
        });
    } catch (const GroupFailed&) {
    }
}

}  // namespace

MISHAP_SCENARIO("CPY-35/buggy") { connect_in_group<Newcomer::is_only_added>(); }
MISHAP_SCENARIO("CPY-35/fixed") { connect_in_group<Newcomer::is_cancelled_after_abort>(); }
