#include <mishap/loop/run.hpp>

#include <mishap/sim/errors.hpp>

namespace mishap {

void Runner::make_loop() {
    if (is_closed_) {
        throw UsageError("a closed Runner was used; make a new one");
    }
    if (loop_ != nullptr) {
        return;
    }
    if (options_.loop_factory != nullptr) {
        loop_ = options_.loop_factory();
    } else {
        loop_ = std::make_unique<EventLoop>();
        set_event_loop(loop_.get());
        is_loop_set_ = true;
    }
    if (options_.debug.has_value()) {
        loop_->set_debug(*options_.debug);
    }
    context_ = copy_context();
}

void Runner::begin() {
    detail::refuse_nested_run();
    make_loop();
}

EventLoop& Runner::get_loop() {
    make_loop();
    return *loop_;
}

void Runner::close() {
    if (is_closed_) {
        return;
    }
    is_closed_ = true;
    if (loop_ == nullptr) {
        return;
    }
    const std::unique_ptr<EventLoop> loop = std::move(loop_);
    if (!loop->is_closed()) {
        loop->cancel_all_tasks();
        loop->run_shutdown();
    }
    if (is_loop_set_) {
        set_event_loop(nullptr);
    }
    loop->close();
}

Runner::~Runner() { close(); }

}  // namespace mishap
