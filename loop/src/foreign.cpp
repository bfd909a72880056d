#include <mishap/loop/foreign.hpp>

namespace mishap::detail {

ForeignCompletion::ForeignCompletion(FutureBase& future) : future_(&future), loop_(&future.loop()) {}

bool ForeignCompletion::is_on_loop_thread() const { return loop_->is_on_own_thread(); }

void ForeignCompletion::deliver_from_elsewhere(std::function<void()> complete) const {
    loop_->call_soon_threadsafe(std::move(complete));
}

}  // namespace mishap::detail
