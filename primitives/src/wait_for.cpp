#include <mishap/primitives/wait_for.hpp>

#include <mishap/loop/detail/waiter.hpp>

namespace mishap::detail {

namespace {

/// Ends a wait when a future is done, as long as somebody waits.
class Release final : public HandleBase {
public:
    explicit Release(Waiter& waiter) : waiter_(&waiter) {}
    void invoke() override {
        if (waiter_ != nullptr && !waiter_->look()) {
            waiter_->finish();
        }
    }
    void forget_waiter() { waiter_ = nullptr; }

private:
    Waiter* waiter_;
};

/// Says that its task waits for the end of a future that was cancelled.
class CancelledFuture final : public Explainer {
public:
    explicit CancelledFuture(const FutureBase& future) : future_(future) {}
    void explain(WaitExplanation& explanation) const override {
        future_.explain(explanation);
        explanation.what += ", which was cancelled";
    }

private:
    const FutureBase& future_;
};

/// Keeps a callback registered for as long as it lives.
class Watch {
public:
    Watch(FutureBase& future, Waiter& waiter)
        : future_(&future), release_(future.loop().make_block<Release>(waiter)) {
        future_->add_callback(release_.get());
    }
    ~Watch() {
        release_.get()->forget_waiter();
        future_.get()->remove_callback(*release_.get());
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

private:
    Ref<FutureBase> future_;
    Ref<Release> release_;
};

}  // namespace

void cancel_and_wait(FutureBase& future, Place place) {
    const CancelledFuture explainer(future);
    Waiter waiter(future.loop(), &explainer);
    const Watch watch(future, waiter);
    future.cancel(nullptr);
    waiter.wait("wait_for", place);
}

}  // namespace mishap::detail
