#include <mishap/primitives/clock.hpp>

#include <stdexcept>

namespace mishap {

namespace {

WorldOptions without_end() {
    WorldOptions options;
    options.order = Order::fifo;
    options.time_max = std::chrono::nanoseconds::max();
    return options;
}

/// Begins the world's only run before its loop is made.
World& begun(World& world) {
    detail::refuse_nested_run();
    world.begin_run(nullptr);
    return world;
}

}  // namespace

Clock::Clock() : world_(without_end()), loop_(begun(world_)) {
    loop_.begin_run();
    loop_.set_exception_handler([this](EventLoop&, const LoopException& what) {
        if (failure_ == nullptr) {
            failure_ = what.exception;
        }
    });
}

Clock::~Clock() {
    loop_.tear_down();
    loop_.end_run();
}

void Clock::advance(std::chrono::nanoseconds duration) {
    if (duration.count() < 0) {
        throw UsageError("Clock::advance() was given a negative duration; time does not go back");
    }
    loop_.run_until(loop_.deadline_in(duration));
    if (world_.has_failed()) {
        throw std::runtime_error(world_.finding()->what);
    }
    if (failure_ != nullptr) {
        std::rethrow_exception(std::exchange(failure_, nullptr));
    }
}

}  // namespace mishap
