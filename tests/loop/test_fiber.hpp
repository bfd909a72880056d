#pragma once

#include <mishap/loop/detail/context_switch.hpp>
#include <mishap/loop/detail/stack_pool.hpp>
#include <mishap/loop/detail/thread_state.hpp>

#include <functional>
#include <utility>

namespace mishap::detail {

/// The loop's side of a switch, reduced to what the tests of switching need.
struct TestHub {
    explicit TestHub(const StackOptions& options = {}) : pool(options) { park_state(thread, before); }
    ~TestHub() { resume_state(thread, before); }

    Context context{};
    StackPool pool;
    ThreadGlobals thread = capture_thread_globals();
    SavedState before{};
    bool switches_state = true;
};

/// A fiber that is resumed by hand. It must have ended when it is destroyed, or its stack is never reused.
class TestFiber {
public:
    TestFiber(TestHub& hub, std::function<void(TestFiber&)> body)
        : hub_(hub), body_(std::move(body)), stack_(hub.pool.acquire()) {
        make_context(context_, *stack_, run, this);
    }
    TestFiber(const TestFiber&) = delete;
    TestFiber& operator=(const TestFiber&) = delete;

    ~TestFiber() {
        if (is_done_) {
            hub_.pool.release(stack_);
        } else {
            hub_.pool.quarantine(stack_);
        }
    }

    void resume() { switch_context(hub_.context, context_); }

    void suspend() {
        if (hub_.switches_state) {
            park_state(hub_.thread, state_);
        }
        switch_context(context_, hub_.context);
        if (hub_.switches_state) {
            resume_state(hub_.thread, state_);
        }
    }

    bool is_done() const { return is_done_; }
    const Stack& stack() const { return *stack_; }

private:
    static void run(void* argument) {
        TestFiber& self = *static_cast<TestFiber*>(argument);
        if (self.hub_.switches_state) {
            resume_state(self.hub_.thread, self.state_);
        }
        self.body_(self);
        self.is_done_ = true;
        switch_context_finally(self.context_, self.hub_.context);
    }

    TestHub& hub_;
    std::function<void(TestFiber&)> body_;
    Stack* stack_;
    Context context_{};
    SavedState state_{};
    bool is_done_ = false;
};

}  // namespace mishap::detail
