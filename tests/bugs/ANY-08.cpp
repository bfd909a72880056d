// anyio's BlockingPortal, anyio #1011 and #1013.
//
// `start_task_soon` returns a future at once; the function begins a tick later, in a cancel scope of its own, and cancelling
// the future cancels the scope. A cancellation that comes before there is a scope is taken, and then forgotten.

#include <functional>
#include <memory>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ANY-08",
                                    .upstream = "anyio #1011, #1013",
                                    .title = "BlockingPortal: a future that is cancelled before its function begins",
                                    .invariant = Invariant::cancel_honoured,
                                    .pattern = Pattern::cancellation_swallowed});

enum class Begin { always, unless_cancelled };

/// What the caller holds of a function that was asked for.
class PortalFuture {
public:
    /// Returns whether the request was taken.
    bool cancel() {
        if (is_over_) {
            return false;
        }
        is_cancelled_ = true;
        if (scope_.is_valid()) {
            scope_.cancel();
        }
        return true;
    }
    bool is_cancelled() const { return is_cancelled_; }
    void enter_scope() { scope_ = current_task(); }
    void end() { is_over_ = true; }

private:
    bool is_cancelled_ = false;
    bool is_over_ = false;
    AnyTask scope_;
};

template <Begin begin>
Task<void> start_task_soon(const std::shared_ptr<PortalFuture>& future, const std::function<void()>& function) {
    return create_task(
        [future, function] {
            sleep(0s);  // the portal's loop takes the request
            if (begin == Begin::unless_cancelled && future->is_cancelled()) {
                return;
            }
            future->enter_scope();
            function();
            future->end();
        },
        {.name = "portal"});
}

template <Begin begin>
void ask_and_cancel() {
    const auto future = std::make_shared<PortalFuture>();
    bool has_finished = false;
    const auto task = start_task_soon<begin>(future, [&] {
        sleep(1s);
        has_finished = true;
    });
    bool is_agreed = false;
    const auto caller = create_task(
        [&] {
            sleep(0s);
            sleep(0s);
            is_agreed = future->cancel();
        },
        {.name = "caller"});
    join(task, caller);
    claim(!(is_agreed && has_finished), Invariant::cancel_honoured);
}

}  // namespace

MISHAP_SCENARIO("ANY-08/buggy") { ask_and_cancel<Begin::always>(); }
MISHAP_SCENARIO("ANY-08/fixed") { ask_and_cancel<Begin::unless_cancelled>(); }
