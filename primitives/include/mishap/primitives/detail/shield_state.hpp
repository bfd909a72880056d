#pragma once

#include <mishap/loop/await.hpp>

namespace mishap::detail {

/// The outer future of a shield, whatever its result: ends as the inner one does, unless it is cancelled before.
///
/// Invariant: the inner future knows of it only while it is pending, so a long one that is shielded again and again
/// collects nothing (bpo-35125), and "who awaits whom" is true at any time (gh-155854).
///
/// Source:    shield, Lib/asyncio/tasks.py, CPython 3.13.
class ShieldBase : public FutureBase {
public:
    ShieldBase(EventLoop& loop, void* value, FutureBase& inner);

    bool cancel(const std::string* message) override;
    void explain(WaitExplanation& explanation) const override;

    /// Begins to watch the inner future, which is pending.
    void watch();

protected:
    /// Stores the result of the inner future, which has succeeded.
    virtual void take_value() = 0;
    FutureBase& inner() const { return *inner_; }

private:
    void inner_done();

    Ref<FutureBase> inner_;
    Ref<HandleBase> callback_;  // of the inner future, while it is registered
};

template <class T>
class ShieldState final : public ShieldBase, public Value<T> {
public:
    ShieldState(EventLoop& loop, FutureBase& inner) : ShieldBase(loop, static_cast<Value<T>*>(this), inner) {}

private:
    void take_value() override {
        if constexpr (!std::is_void_v<T>) {
            this->set(take_result(Future<T>(&this->inner())));
        }
    }
};

}  // namespace mishap::detail
