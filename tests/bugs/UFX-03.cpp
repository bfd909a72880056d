// libunifex's async_auto_reset_event, commit 4bc7c6e (2024).
//
// A wait that can be stopped registers a stop callback. The wait succeeds and the callback stays: a stop that
// comes later, for something else, closes the event under everybody who waits for it.

#include <functional>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "UFX-03",
     .upstream = "libunifex 4bc7c6e",
     .title = "auto-reset event: a stop after the wait's success closes the event",
     .invariant = Invariant::consistent,
     .pattern = Pattern::late_unregistration});

enum class OnSuccess { leaves_callback, removes_callback };

/// Calls what is registered when somebody asks for the end.
class StopSource {
public:
    void on_stop(std::function<void()> callback) { callback_ = std::move(callback); }
    void forget() { callback_ = nullptr; }
    void request_stop() {
        if (callback_) {
            callback_();
        }
    }

private:
    std::function<void()> callback_;
};

template <OnSuccess on_success>
class AutoResetEvent {
public:
    void set() {
        is_set_ = true;
        waiters_.wake_one();
    }
    /// Returns false when the event was closed by a stop.
    bool wait(StopSource& stop) {
        stop.on_stop([this] { close(); });
        while (!is_set_ && !is_closed_) {
            waiters_.wait();
        }
        if (is_closed_) {
            return false;
        }
        is_set_ = false;
        if (on_success == OnSuccess::removes_callback) {
            stop.forget();
        }
        return true;
    }

private:
    void close() {
        is_closed_ = true;
        waiters_.wake_all();
    }

    bool is_set_ = false;
    bool is_closed_ = false;
    Waiters waiters_;
};

/// A reader takes two ticks, each within a scope of its own; a user stops the first scope at some time.
template <class E>
void read_ticks() {
    E ticked;
    StopSource first_scope;
    StopSource second_scope;
    const auto user = create_task([&] { first_scope.request_stop(); }, {.name = "user"});
    const auto ticker = create_task(
        [&] {
            ticked.set();
            sleep(1s);
            ticked.set();
        },
        {.name = "ticker"});
    const auto reader = create_task(
        [&] {
            if (ticked.wait(first_scope)) {
                const bool is_open = ticked.wait(second_scope);
                claim(is_open, Invariant::consistent);
            }
        },
        {.name = "reader"});
    join(user, ticker, reader);
}

}  // namespace

MISHAP_SCENARIO("UFX-03/buggy") { read_ticks<AutoResetEvent<OnSuccess::leaves_callback>>(); }
MISHAP_SCENARIO("UFX-03/fixed") { read_ticks<AutoResetEvent<OnSuccess::removes_callback>>(); }
