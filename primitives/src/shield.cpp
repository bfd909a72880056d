#include <mishap/primitives/shield.hpp>

#include <mishap/primitives/detail/children.hpp>

namespace mishap::detail {

ShieldBase::ShieldBase(EventLoop& loop, void* value, FutureBase& inner) : FutureBase(loop, value), inner_(&inner) {
    check_loop_of(inner, loop, "shield()");
}

void ShieldBase::watch() {
    auto callback = [outer = Ref<ShieldBase>(this)] { outer->inner_done(); };
    callback_ = Ref<HandleBase>(loop().make_block<FunctionHandle<decltype(callback)>>(std::move(callback)));
    inner_->add_callback(callback_.get());
}

bool ShieldBase::cancel(const std::string* message) {
    if (look_done()) {
        return false;
    }
    // At once, where asyncio does it in a callback: nothing is registered late.
    const Ref<ShieldBase> kept(this);
    const Ref<HandleBase> callback = std::exchange(callback_, {});
    inner_->remove_callback(*callback);
    return FutureBase::cancel(message);
}

void ShieldBase::explain(WaitExplanation& explanation) const {
    explain_child(*inner_, explanation);
    explanation.what = inner_->is_task() ? "task " + static_cast<const TaskBase&>(*inner_).path() + ", in a shield"
                                         : "what is in a shield";
    explanation.is_join = !explanation.holders.empty();
}

void ShieldBase::inner_done() {
    const Ref<ShieldBase> kept(this);
    callback_ = {};
    if (look_done()) {
        return;  // cancelled as the inner one ended: what it ended with is for others to look at (gh-156321)
    }
    if (inner_->state() == State::cancelled) {
        FutureBase::cancel(nullptr);
    } else if (std::exception_ptr exception = inner_->exception()) {
        finish_with(std::move(exception));
    } else {
        take_value();
        finish();
    }
}

}  // namespace mishap::detail
