#include <mishap/primitives/gather.hpp>

#include <fmt/format.h>
#include <mishap/primitives/detail/children.hpp>

namespace mishap::detail {

std::exception_ptr cancelled_error(const std::string* message) {
    return std::make_exception_ptr(CancelledError(message != nullptr ? *message : std::string()));
}

namespace {

/// Returns the message that CPython gives a cancelled gather whose children have all ended: that of the last of them,
/// which need not have ended as cancelled.
const std::string* message_of_last(FutureBase& child) {
    if (child.is_task() && child.state() != Waitable::State::cancelled) {
        return static_cast<TaskBase&>(child).must_cancel_message;
    }
    return child.take_cancel_message();
}

}  // namespace

GatherBase::GatherBase(EventLoop& loop, void* value, std::vector<Ref<FutureBase>> children, bool returns_exceptions)
    : FutureBase(loop, value), children_(std::move(children)), returns_exceptions_(returns_exceptions) {
    for (const Ref<FutureBase>& child : children_) {
        check_loop_of(*child, loop, "gather()");
    }
}

bool GatherBase::cancel(const std::string* message) {
    if (is_done()) {
        return false;
    }
    bool is_any_cancelled = false;
    for (const Ref<FutureBase>& child : children_) {
        is_any_cancelled = child->cancel(message) || is_any_cancelled;
    }
    // Remembered, because with `return_exceptions` the children's ends do not say it (bpo-32684).
    is_cancel_requested_ = is_cancel_requested_ || is_any_cancelled;
    return is_any_cancelled;
}

void GatherBase::explain(WaitExplanation& explanation) const {
    explanation.what = fmt::format("{} of {} in a gather", unfinished_, children_.size());
    for (const Ref<FutureBase>& child : children_) {
        explain_child(*child, explanation);
    }
    explanation.is_join = !explanation.holders.empty();
}

void GatherBase::watch() {
    std::vector<FutureBase*> all;
    all.reserve(children_.size());
    for (const Ref<FutureBase>& child : children_) {
        all.push_back(child.get());
    }
    std::vector<FutureBase*> done;
    for (const std::size_t i : first_occurrences(all)) {
        FutureBase& child = *all[i];
        ++unfinished_;
        if (child.is_done()) {
            done.push_back(&child);
            continue;
        }
        auto callback = [outer = Ref<GatherBase>(this), &child] { outer->child_done(child); };
        child.add_callback(loop().make_block<FunctionHandle<decltype(callback)>>(std::move(callback)));
    }
    if (children_.empty()) {
        collect();
        finish();
    }
    for (FutureBase* const child : done) {
        child_done(*child);
    }
}

void GatherBase::child_done(FutureBase& child) {
    --unfinished_;
    loop().world().touch(*this, Access::update);  // whose end comes last, or fails first, decides
    const bool is_cancelled = child.state() == State::cancelled;
    std::exception_ptr exception = is_cancelled ? nullptr : child.exception();  // counts as having looked at it
    if (is_done()) {
        return;
    }
    if (!returns_exceptions_ && (is_cancelled || exception != nullptr)) {
        finish_with(is_cancelled ? cancelled_error(child.take_cancel_message()) : std::move(exception));
        return;
    }
    if (unfinished_ != 0) {
        return;
    }
    if (is_cancel_requested_) {
        finish_with(cancelled_error(message_of_last(*children_.back())));
    } else {
        collect();
        finish();
    }
}

}  // namespace mishap::detail
