// Trio's cancel scopes, trio issue 860 (0.11), again in issue 1175 (0.13).
//
// An outer scope is cancelled. While that propagates, an inner scope is cancelled too, and catches what was not meant
// for it: the code after the inner scope runs on, although the outer scope wants it to end.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TRIO-01",
                                    .upstream = "trio #860, #1175",
                                    .title = "cancel scope: an inner scope catches the cancellation of an outer one",
                                    .invariant = Invariant::cancel_honoured,
                                    .pattern = Pattern::cancellation_miscounted});

enum class Catches { when_it_was_cancelled, when_no_outer_was };

/// Ends its body when it is cancelled, and nothing beyond.
template <Catches catches>
class CancelScope {
public:
    explicit CancelScope(CancelScope* outer = nullptr) : outer_(outer) {}

    void cancel() {
        if (!is_cancelled_) {
            is_cancelled_ = true;
            task_.cancel();
        }
    }
    bool is_cancelled() const { return is_cancelled_; }

    template <class F>
    void run(F body) {
        try {
            body();
        } catch (const CancelledError&) {
            const bool is_mine = is_cancelled_ && (catches == Catches::when_it_was_cancelled || !is_outer_cancelled());
            leave();
            if (is_mine) {
                return;
            }
            throw;
        }
        leave();
    }

private:
    bool is_outer_cancelled() const {
        return outer_ != nullptr && (outer_->is_cancelled_ || outer_->is_outer_cancelled());
    }
    /// Takes its request back; from now on it makes none.
    void leave() {
        if (is_cancelled_) {
            task_.uncancel();
        }
        is_cancelled_ = true;
    }

    CancelScope* outer_;
    AnyTask task_ = current_task();
    bool is_cancelled_ = false;
};

template <Catches catches>
void cancel_both() {
    using Scope = CancelScope<catches>;
    Scope* outer_scope = nullptr;
    Scope* inner_scope = nullptr;
    const auto worker = create_task(
        [&] {
            Scope outer;
            Scope inner(&outer);
            outer_scope = &outer;
            inner_scope = &inner;
            outer.run([&] {
                inner.run([] {
                    try {
                        sleep(1h);
                    } catch (const CancelledError&) {
                        sleep(0s);  // cleans up
                        throw;
                    }
                });
                claim(!outer.is_cancelled(), Invariant::cancel_honoured);
            });
            outer_scope = inner_scope = nullptr;
        },
        {.name = "worker"});
    const auto cancel_after = [](Scope*& scope, std::chrono::nanoseconds delay) {
        return [&scope, delay] {
            sleep(delay);
            if (scope != nullptr) {
                scope->cancel();
            }
        };
    };
    const auto first = create_task(cancel_after(outer_scope, 900ms), {.name = "outer_canceller"});
    const auto second = create_task(cancel_after(inner_scope, 1s), {.name = "inner_canceller"});
    join(worker, first, second);
}

}  // namespace

MISHAP_SCENARIO("TRIO-01/buggy", .timer_slack = 200ms) { cancel_both<Catches::when_it_was_cancelled>(); }
MISHAP_SCENARIO("TRIO-01/fixed", .timer_slack = 200ms) { cancel_both<Catches::when_no_outer_was>(); }
