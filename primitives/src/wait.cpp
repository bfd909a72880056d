#include <mishap/primitives/wait.hpp>

#include <fmt/format.h>
#include <mishap/primitives/detail/children.hpp>

namespace mishap::detail {

void nothing_to_wait_for() {
    throw UsageError("wait() was given no tasks and no futures; ask whether there are any before waiting for them");
}

WaitState::WaitState(TaskBase& waiting, std::vector<Ref<FutureBase>> children, ReturnWhen return_when)
    : loop_(&waiting.loop()), children_(std::move(children)), unfinished_(children_.size()), return_when_(return_when) {
    cell_.key = child_key(waiting.entity.key, hash_text("wait"), waiting.entity.step);
}

void WaitState::explain(WaitExplanation& explanation) const {
    explanation.what = fmt::format("{} of {} to end", return_when_ == ReturnWhen::all_completed ? "all" : "the first",
                                   children_.size());
    for (const Ref<FutureBase>& child : children_) {
        explain_child(*child, explanation);
    }
    explanation.is_join = !explanation.holders.empty();
}

void WaitState::watch(std::optional<std::chrono::nanoseconds> timeout) {
    // The timer first, as asyncio does: it is armed before a child that has ended already schedules its callback.
    if (timeout.has_value()) {
        timer_ = loop_->call_later(*timeout, [state = Ref<WaitState>(this)] { state->release(); });
    }
    callbacks_.reserve(children_.size());
    for (const Ref<FutureBase>& child : children_) {
        auto callback = [state = Ref<WaitState>(this), ended = child.get()] { state->child_done(*ended); };
        callbacks_.emplace_back(loop_->make_block<FunctionHandle<decltype(callback)>>(std::move(callback)));
        child->add_callback(callbacks_.back().get());
    }
}

void WaitState::wait(std::optional<std::chrono::nanoseconds> timeout, const char* operation, Place place) {
    struct Leaving {
        WaitState& state;
        ~Leaving() { state.leave(); }
    };
    Waiter waiter(*loop_, this);
    loop_->world().touch(cell_, Access::update);
    waiter_ = &waiter;
    const Leaving leaving{*this};
    watch(timeout);
    waiter.wait(operation, place);
}

void WaitState::leave() {
    loop_->world().touch(cell_, Access::update);
    waiter_ = nullptr;
    if (timer_.is_valid()) {
        timer_.cancel();
    }
    timer_ = {};
    for (std::size_t i = 0; i < callbacks_.size(); ++i) {
        children_[i]->remove_callback(*callbacks_[i]);
    }
    callbacks_.clear();
}

void WaitState::release() {
    if (waiter_ != nullptr && !waiter_->look()) {
        waiter_->finish();
    }
}

/// Returns whether the end of `child` ends the wait. What is asked for its exception counts as looked at, as in asyncio.
bool WaitState::is_over(FutureBase& child) const {
    if (unfinished_ == 0 || return_when_ == ReturnWhen::first_completed) {
        return true;
    }
    return return_when_ == ReturnWhen::first_exception && child.state() != Waitable::State::cancelled &&
           child.exception() != nullptr;
}

void WaitState::child_done(FutureBase& child) {
    loop_->world().touch(cell_, Access::update);
    if (waiter_ == nullptr) {
        return;  // was scheduled when the wait ended
    }
    --unfinished_;
    if (is_over(child)) {
        if (timer_.is_valid()) {
            timer_.cancel();
        }
        release();
    }
}

void wait_for_some(const std::vector<FutureBase*>& futures, ReturnWhen return_when,
                   std::optional<std::chrono::nanoseconds> timeout, const char* operation, Place place) {
    EventLoop& loop = running_task_loop("wait()");
    std::vector<Ref<FutureBase>> children;
    children.reserve(futures.size());
    for (FutureBase* const future : futures) {
        check_loop_of(*future, loop, "wait()");
        children.emplace_back(future);
    }
    const Ref<WaitState> state(loop.make_block<WaitState>(*loop.current_task(), std::move(children), return_when));
    state->wait(timeout, operation, place);
}

}  // namespace mishap::detail
