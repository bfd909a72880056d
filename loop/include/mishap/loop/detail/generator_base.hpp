#pragma once

#include <coroutine>
#include <exception>
#include <memory>

#include <mishap/loop/coro.hpp>

namespace mishap::detail {

/// An asynchronous generator whatever it yields. It lives as long as its handle, or a step of it.
///
/// Invariants:
/// 1. its loop knows it from its first step until it has ended.
/// 2. between steps it is suspended where it has yielded, or before its beginning: it never waits then.
class GeneratorBase : public std::enable_shared_from_this<GeneratorBase> {
public:
    GeneratorBase(std::coroutine_handle<> frame, CoroPromiseBase& promise)
        : frame_(frame), promise_(&promise), run_(run_of_frame(frame.address())) {}
    GeneratorBase(const GeneratorBase&) = delete;
    GeneratorBase& operator=(const GeneratorBase&) = delete;

    /// Closes it, in the current task; what `aclose` does.
    virtual void close_here() = 0;
    /// Destroys what is left of it, when its loop's run is over.
    void end_with_loop();
    bool is_running() const { return is_running_; }
    bool is_over() const { return frame_ == nullptr; }

protected:
    ~GeneratorBase();

    /// Makes one step of it the current task's, for as long as it lives.
    class Step {
    public:
        /// Throws:    UsageError when another task runs a step, in another loop than before, outside a task.
        Step(GeneratorBase& generator, const char* operation, Place place);
        ~Step();
        Step(const Step&) = delete;
        Step& operator=(const Step&) = delete;

    private:
        GeneratorBase& generator_;
    };

    bool has_begun() const { return has_begun_; }
    /// Is to be awaited: comes back when the generator has yielded or ended.
    ResumeGenerator resume() {
        has_begun_ = true;
        return {frame_, *promise_};
    }
    /// Looks where the generator is after a step: returns whether it has yielded; throws what it ended with.
    bool has_yielded();
    /// Destroys its frame, and with it what its body holds.
    void end();

private:
    void begin_step(const char* operation, Place place);
    void leave_loop();

    std::coroutine_handle<> frame_;  // null once it has ended
    CoroPromiseBase* promise_;
    unsigned run_;
    EventLoop* loop_ = nullptr;  // from its first step until it has ended
    Tracked cell_;               // what every step changes
    bool has_begun_ = false;
    bool is_running_ = false;
};

[[noreturn]] void ignored_generator_exit();
[[noreturn]] void sent_to_unbegun();
[[noreturn]] void empty_generator();

}  // namespace mishap::detail
