// asyncio.run_coroutine_threadsafe, gh-105836 (pull request 141696).
//
// A thread hands a function to a loop and may cancel it. The loop makes the task and then says where a cancellation
// is to be sent to. One that comes before that is remembered by the future alone, and the task runs on.

#include <functional>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-50",
                                    .upstream = "gh-105836",
                                    .title = "run_coroutine_threadsafe: cancelled while the task is made, it runs on",
                                    .invariant = Invariant::cancel_honoured,
                                    .pattern = Pattern::cancellation_swallowed,
                                    .is_calm = true});

enum class Chaining { looks_ahead, looks_back };

template <Chaining chaining>
class Submitted {
public:
    explicit Submitted(EventLoop& loop) : loop_(loop), requested_(loop.create_future<void>()) {}

    // ---- in the thread ----
    void submit() {
        loop_.call_soon_threadsafe([requested = requested_] { requested.set_result(); });
    }
    void cancel() {
        if (state_.fetch_add(is_cancelled) == is_chained) {
            loop_.call_soon_threadsafe([task = task_] { task.cancel(); });
        }
    }

    // ---- in the loop ----
    Task<void> begin(const std::function<void()>& body) {
        await(requested_);
        task_ = loop_.create_task(body, {.name = "submitted"});
        const int before = state_.fetch_add(is_chained);
        if (chaining == Chaining::looks_back && before == is_cancelled) {
            task_.cancel();
        }
        return task_;
    }

private:
    static constexpr int is_chained = 1;
    static constexpr int is_cancelled = 2;

    EventLoop& loop_;
    Future<void> requested_;
    Shared<int> state_{0, "state"};
    Task<void> task_;
};

template <class S>
void submit_and_cancel() {
    EventLoop& loop = get_running_loop();
    S submitted(loop);
    const auto thread = create_task(
        [&] {
            await(to_thread([&] {
                submitted.submit();
                submitted.cancel();
            }));
        },
        {.name = "caller"});
    const Task<void> task = submitted.begin([] { sleep(1s); });
    join(thread, task);
    claim(task.cancelled(), Invariant::cancel_honoured);
}

}  // namespace

MISHAP_SCENARIO("CPY-50/buggy") { submit_and_cancel<Submitted<Chaining::looks_ahead>>(); }
MISHAP_SCENARIO("CPY-50/fixed") { submit_and_cancel<Submitted<Chaining::looks_back>>(); }
