// AnyIO's cancel scopes on asyncio, anyio issues 695 and 1111.
//
// A cancelled scope cancels its task again in every iteration until the task has left. While the task waits under a
// shield it must not be cancelled; the scope tries all the same, again and again, and the processor does nothing else.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ANY-09",
                                    .upstream = "anyio #695, #1111",
                                    .title = "cancel scope: delivers a cancellation to a shielded task without pause",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::starvation,
                                    .finding = FindingKind::over_budget});

enum class WhileShielded { tries_again_at_once, waits_for_the_end };

template <WhileShielded while_shielded>
class CancelScope : public std::enable_shared_from_this<CancelScope<while_shielded>> {
public:
    void cancel() {
        is_cancelled_ = true;
        deliver();
    }

    /// Runs `body`, which ends early when the scope is cancelled.
    template <class F>
    void run(F body) {
        task_ = current_task();
        try {
            body();
        } catch (const CancelledError&) {
            task_.uncancel();
        }
        task_ = {};
    }

    /// Runs `body`, which is not to be cancelled.
    template <class F>
    void shielded(F body) {
        is_shielded_ = true;
        body();
        is_shielded_ = false;
        if (is_cancelled_ && while_shielded == WhileShielded::waits_for_the_end) {
            deliver();
        }
    }

private:
    void deliver() {
        if (!task_.is_valid() || is_delivered_) {
            return;
        }
        if (!is_shielded_) {
            is_delivered_ = true;
            task_.cancel();
        } else if (while_shielded == WhileShielded::tries_again_at_once) {
            get_running_loop().call_soon([self = this->shared_from_this()] { self->deliver(); });
        }
    }

    AnyTask task_;
    bool is_cancelled_ = false;
    bool is_delivered_ = false;
    bool is_shielded_ = false;
};

/// A document is saved, which may not be interrupted; meanwhile the user may ask to quit.
template <WhileShielded while_shielded>
void save_and_quit() {
    const auto scope = std::make_shared<CancelScope<while_shielded>>();
    const auto editor = create_task(
        [scope] {
            scope->run([&] {
                scope->shielded([] { sleep(1s); });
                sleep(1s);
            });
        },
        {.name = "editor"});
    const auto user = create_task(
        [scope] {
            sleep(500ms);
            if (fault("user quits")) {
                scope->cancel();
            }
        },
        {.name = "user"});
    join(editor, user);
}

}  // namespace

MISHAP_SCENARIO("ANY-09/buggy", .steps_max = 1000) { save_and_quit<WhileShielded::tries_again_at_once>(); }
MISHAP_SCENARIO("ANY-09/fixed", .steps_max = 1000) { save_and_quit<WhileShielded::waits_for_the_end>(); }
