#include <mishap/loop/foreign.hpp>

namespace mishap::detail {

ForeignCompletion::ForeignCompletion(FutureBase& future)
    : loop_(&future.loop()), future_(std::make_shared<Ref<FutureBase>>(&future)) {}

void ForeignCompletion::deliver(std::function<void(FutureBase&)> complete) {
    auto finish = [future = std::move(future_), complete = std::move(complete)] {
        if (future->is_alive() && !(*future)->is_done()) {
            complete(**future);
        }
    };
    if (loop_->is_on_own_thread()) {
        finish();
    } else {
        loop_->call_soon_threadsafe(std::move(finish));
    }
}

}  // namespace mishap::detail
