#include <mishap/loop/async_generator.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace mishap {

namespace detail {

namespace {
constexpr const char* kind = "generator";
constexpr std::uint64_t kind_hash = hash_text(kind);
}  // namespace

GeneratorBase::Step::Step(GeneratorBase& generator, const char* operation, Place place) : generator_(generator) {
    generator.begin_step(operation, place);
    generator.is_running_ = true;
}

GeneratorBase::Step::~Step() { generator_.is_running_ = false; }

void GeneratorBase::begin_step(const char* operation, Place place) {
    EventLoop& loop = running_task_loop(operation);
    if (is_running_) {
        throw UsageError(fmt::format(
            "{}: the generator is running already, in another task; let one task at a time ask it, under a Lock if need be",
            operation));
    }
    if (is_over()) {
        return;
    }
    if (!is_frame_alive(frame_.address(), run_)) {
        throw UsageError(fmt::format("{}: the generator belongs to a run that is over; make a new one", operation));
    }
    if (loop_ == nullptr) {
        loop_ = &loop;
        loop.identify(cell_, kind_hash, kind, nullptr);
        loop.add_generator(*this);
    } else if (loop_ != &loop) {
        throw UsageError(fmt::format("{}: the generator belongs to another loop; use the one that it began in", operation));
    }
    loop.world().touch(cell_, Access::update, operation, place);
}

bool GeneratorBase::has_yielded() {
    if (!frame_.done()) {
        return true;
    }
    const std::exception_ptr exception = promise_->exception;
    end();
    if (exception != nullptr) {
        std::rethrow_exception(exception);
    }
    return false;
}

void GeneratorBase::end() {
    leave_loop();
    const std::coroutine_handle<> frame = std::exchange(frame_, nullptr);
    if (frame != nullptr && is_frame_alive(frame.address(), run_)) {
        frame.destroy();
    }
}

void GeneratorBase::leave_loop() {
    if (EventLoop* const loop = std::exchange(loop_, nullptr); loop != nullptr) {
        loop->remove_generator(*this);
    }
}

void GeneratorBase::end_with_loop() {
    loop_ = nullptr;
    if (!is_running_) {
        end();
    }
}

GeneratorBase::~GeneratorBase() {
    if (loop_ != nullptr) {
        loop_->warn(FindingKind::unclosed,
                    "an asynchronous generator was dropped before its end, and was not closed: what it does on GeneratorExit is "
                    "not done; call aclose(), or use aclosing");
    }
    end();
}

void ignored_generator_exit() {
    throw UsageError("an asynchronous generator ignored GeneratorExit: it must not yield again once it is closed");
}

void sent_to_unbegun() {
    throw UsageError("asend() was called on a generator that has not begun, where nothing can take the value; call next() first");
}

void empty_generator() { throw UsageError("an AsyncGenerator was used that is empty: it was moved from"); }

}  // namespace detail

void EventLoop::add_generator(detail::GeneratorBase& generator) {
    generators_.push_back(&generator);
    if (are_generators_shut_down_) {
        warn(FindingKind::unclosed,
             "an asynchronous generator began after shutdown_asyncgens(): nobody closes it unless the program does");
    }
}

void EventLoop::remove_generator(detail::GeneratorBase& generator) { std::erase(generators_, &generator); }

/// Destroys what is left of generators that nobody closed: their bodies may hold what belongs to this run.
void EventLoop::forget_generators() {
    for (detail::GeneratorBase* const generator : std::exchange(generators_, {})) {
        generator->end_with_loop();
    }
}

void EventLoop::shutdown_asyncgens() {
    detail::running_task_loop("shutdown_asyncgens()");
    are_generators_shut_down_ = true;
    // A task that a factory starts eagerly may be through at once: a generator that is closed leaves `generators_`, and what
    // its body does on the way may drop another.
    std::vector<std::shared_ptr<detail::GeneratorBase>> left;
    for (detail::GeneratorBase* const generator : generators_) {
        left.push_back(generator->shared_from_this());
    }
    std::vector<Task<void>> closing;
    for (const std::shared_ptr<detail::GeneratorBase>& generator : left) {
        closing.push_back(create_task([generator] { generator->close_here(); }, {.name = "aclose"}));
    }
    left.clear();
    for (const Task<void>& task : closing) {
        if (!task.done()) {
            park(task.state(), "shutdown_asyncgens", Place::here());
        }
        if (!task.cancelled() && task.exception() != nullptr) {
            call_exception_handler({"an asynchronous generator could not be closed", task.exception(),
                                    task.task_state().path()});
        }
    }
}

}  // namespace mishap
