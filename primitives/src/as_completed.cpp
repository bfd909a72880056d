#include <mishap/primitives/as_completed.hpp>

#include <fmt/format.h>

namespace mishap::detail {

namespace {
constexpr ObjectKind kind{"as_completed", "as_completed"};
}

AsCompletedState::AsCompletedState(EventLoop& loop, std::vector<Ref<FutureBase>> children)
    : Primitive(kind, {}),
      loop_(&loop),
      children_(std::move(children)),
      unfinished_(children_.size()),
      left_(children_.size()) {}

void AsCompletedState::watch(std::optional<std::chrono::nanoseconds> timeout) {
    callbacks_.reserve(children_.size());
    done_.reserve(children_.size());
    for (std::size_t i = 0; i < children_.size(); ++i) {
        auto callback = [state = Ref<AsCompletedState>(this), i] { state->child_done(i); };
        callbacks_.emplace_back(loop_->make_block<FunctionHandle<decltype(callback)>>(std::move(callback)));
        children_[i]->add_callback(callbacks_.back().get());
    }
    if (!children_.empty() && timeout.has_value()) {
        timer_ = loop_->call_later(*timeout, [state = Ref<AsCompletedState>(this)] { state->time_out(); });
    }
}

void AsCompletedState::stop() {
    for (std::size_t i = 0; i < callbacks_.size(); ++i) {
        children_[i]->remove_callback(*callbacks_[i]);
    }
    callbacks_.clear();
    if (timer_.is_valid()) {
        timer_.cancel();
        timer_ = {};
    }
}

void AsCompletedState::child_done(std::size_t index) {
    if (callbacks_.empty()) {
        return;  // the time was over first, or nobody iterates any more
    }
    put(index);
    if (--unfinished_ == 0) {
        stop();
    }
}

void AsCompletedState::time_out() {
    if (callbacks_.empty()) {
        return;
    }
    stop();
    for (; unfinished_ != 0; --unfinished_) {
        put(timed_out);
    }
}

void AsCompletedState::put(std::size_t entry) {
    touch(Access::write, "as_completed has one more");
    done_.push_back(entry);
    getters_.wake_next();
}

std::optional<std::size_t> AsCompletedState::next(Place place) {
    EventLoop& loop = enter("as_completed()");
    if (left_ == 0) {
        touch_in(loop, Access::read, "as_completed is at its end", place);
        return std::nullopt;
    }
    const Ref<AsCompletedState> kept(this);
    --left_;
    wait_for_entry(place);
    touch_in(loop, Access::write, "as_completed", place);
    const std::size_t entry = done_[first_++];
    if (entry == timed_out) {
        throw TimeoutError();
    }
    return entry;
}

/// Waits as the getter of a queue does: what it was woken for may be gone when it resumes.
void AsCompletedState::wait_for_entry(Place place) {
    EventLoop& loop = *loop_;
    if (has_entry()) {
        maybe_yield(loop, "as_completed", place);
    }
    while (!has_entry()) {
        touch_in(loop, Access::write, "as_completed", place);
        WaitEntry getter(loop);
        try {
            getters_.wait(getter, "as_completed", place);
        } catch (const CancelledError&) {
            if (!getter.is_orphaned()) {
                touch_in(loop, Access::write, "as_completed is cancelled", place);
                ++left_;  // asyncio counts it as given out, and the last to end is lost
                if (has_entry() && getter.is_woken()) {
                    getters_.wake_next();
                }
            }
            throw;
        }
    }
}

void AsCompletedState::explain(const WaitQueue&, WaitExplanation& explanation) const {
    explanation.what = fmt::format("the next of {} to end", children_.size());
    for (const Ref<FutureBase>& child : children_) {
        explain_child(*child, explanation);
    }
    explanation.is_join = !explanation.holders.empty();
    explanation.is_available = has_entry();
}

}  // namespace mishap::detail
