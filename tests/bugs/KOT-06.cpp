// Kotlin's stateIn, Kotlin/kotlinx.coroutines #4322.
//
// `stateIn` begins to collect a flow in a scope and waits for the first value. When the scope is cancelled
// before the collector has begun, or the flow is empty, no value comes and nobody says so.

#include <functional>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "KOT-06",
     .upstream = "kotlinx.coroutines #4322",
     .title = "stateIn: waits for the first value of a scope that was cancelled",
     .invariant = Invariant::progress,
     .pattern = Pattern::close_forgets,
     .finding = FindingKind::stuck});

enum class AtTheEnd { leaves_it_open, says_so };

/// What runs until somebody cancels all of it.
class Scope {
public:
    Task<void> launch(std::function<void()> body) {
        tasks_.push_back(create_task(std::move(body), {.name = "collector"}));
        return tasks_.back();
    }
    void cancel() {
        for (const Task<void>& task : tasks_) {
            task.cancel();
        }
    }

private:
    std::vector<Task<void>> tasks_;
};

/// Returns the first value of a flow that is collected in `scope`.
///
/// Throws:    CancelledError when there is none.
template <AtTheEnd at_the_end>
int state_in(Scope& scope) {
    const auto first = get_running_loop().create_future<int>();
    const auto collector = scope.launch([first] {
        if (!first.done()) {
            first.set_result(1);
        }
        sleep(10s);  // the values that follow
    });
    if (at_the_end == AtTheEnd::says_so) {
        collector.add_done_callback([first](const Future<void>&) {
            if (!first.done()) {
                first.cancel();
            }
        });
    }
    return await(first);
}

template <AtTheEnd at_the_end>
void leave_screen() {
    Scope screen;
    const auto view = create_task([&] { state_in<at_the_end>(screen); }, {.name = "view"});
    const auto user = create_task(
        [&] {
            sleep(0s);
            screen.cancel();
        },
        {.name = "user"});
    join(view, user);
}

}  // namespace

MISHAP_SCENARIO("KOT-06/buggy") { leave_screen<AtTheEnd::leaves_it_open>(); }
MISHAP_SCENARIO("KOT-06/fixed") { leave_screen<AtTheEnd::says_so>(); }
