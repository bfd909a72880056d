#include <mishap/primitives/cond_var.hpp>

#include <fmt/format.h>

namespace mishap {

namespace {
constexpr detail::ObjectKind kind{"CondVar", "cond_var"};
}

namespace detail {

/// One wait: for the notification, and from then on for the mutex.
class CondVarWait final : public LockWish {
public:
    CondVarWait(CondVar& cond_var, Mutex& mutex, TaskBase& who) : LockWish(mutex, who), cond_var_(&cond_var) {}
    ~CondVarWait() {
        if (cond_var_ != nullptr) {
            std::erase(cond_var_->waits_, this);
        }
    }

    void explain(WaitExplanation& explanation) const override {
        if (is_listed_) {
            LockWish::explain(explanation);
            return;
        }
        explanation.what = cond_var_ != nullptr ? cond_var_->describe() + ", which nobody has notified"
                                                : std::string("a CondVar that was destroyed");
        explanation.is_signal = true;
    }

    CondVar* cond_var_;  // null once it was notified, or the CondVar destroyed
};

}  // namespace detail

CondVar::CondVar(std::string_view name) : RunObject(kind, name) {}

CondVar::~CondVar() {
    if (EventLoop* const loop = detail::current_loop; loop != nullptr && !waits_.empty()) {
        loop->world().fail({.kind = FindingKind::destroyed,
                            .what = fmt::format("{} is destroyed while {} wait{} on it", describe(), waits_.size(),
                                                waits_.size() == 1 ? "s" : ""),
                            .label = label()});
    }
    for (detail::CondVarWait* wait : waits_) {
        wait->cond_var_ = nullptr;
    }
}

void CondVar::prepare(EventLoop& loop) const {
    if (!is_known_to(loop)) {
        introduce(loop);
        waits_.clear();
    }
}

void CondVar::wait(Mutex& mutex, Place place) {
    EventLoop* const simulated = detail::simulated_loop();
    if (simulated == nullptr) {
        mutex.check_really_held("CondVar.wait()");
        mutex.real_holder_.store(0, std::memory_order_relaxed);
        std::unique_lock<detail::RealMutex> lock(mutex.real_, std::adopt_lock);
        real_.wait(lock);
        lock.release();
        mutex.real_holder_.store(detail::real_thread_number(), std::memory_order_relaxed);
        return;
    }
    EventLoop& loop = *simulated;
    prepare(loop);
    mutex.prepare(loop);
    detail::TaskBase* const who = loop.current_task();
    if (who == nullptr) {
        throw UsageError("CondVar.wait() was called in a callback, where nothing may wait; wait in a thread");
    }
    if (loop.has_threads()) {
        loop.announce(Announcement({.object = key(), .access = Access::write}, {.object = mutex.key(), .access = Access::write}),
                      true, nullptr, "CondVar.wait", place);
    }
    mutex.check_held(loop, "CondVar.wait()");
    // That one waited and another notified orders nothing in memory: only the mutex does.
    touch_only(loop, Access::write, Relation::conflict, "CondVar.wait", place);
    mutex.touch_in(loop, Access::write, "", place);
    detail::CondVarWait wait(*this, mutex, *who);
    waits_.push_back(&wait);
    mutex.give_up(loop);
    loop.announce(Announcement({.object = mutex.key(), .access = Access::write, .may_block = true}), false, &wait,
                  "CondVar.wait", place);
    mutex.touch_in(loop, Access::write, "Mutex.lock", place);
    mutex.take(loop);
}

/// Announces a notification in a simulated world, and returns its loop.
EventLoop* CondVar::announce_notify(const char* operation, Place place) {
    EventLoop* const simulated = detail::simulated_loop();
    if (simulated == nullptr) {
        return nullptr;
    }
    EventLoop& loop = *simulated;
    prepare(loop);
    if (loop.has_threads()) {
        loop.announce(Announcement({.object = key(), .access = Access::write}), true, nullptr, operation, place);
    }
    touch_only(loop, Access::write, Relation::conflict, operation, place);
    return &loop;
}

void CondVar::wake(EventLoop& loop, detail::CondVarWait& wait) {
    wait.cond_var_ = nullptr;
    wait.list(loop);
}

void CondVar::notify_one(Place place) {
    EventLoop* const loop = announce_notify("CondVar.notify_one", place);
    if (loop == nullptr) {
        real_.notify_one();
    } else if (!waits_.empty()) {
        detail::CondVarWait& first = *waits_.front();
        waits_.pop_front();
        wake(*loop, first);
    }
}

void CondVar::notify_all(Place place) {
    EventLoop* const loop = announce_notify("CondVar.notify_all", place);
    if (loop == nullptr) {
        real_.notify_all();
        return;
    }
    for (detail::CondVarWait* wait : std::exchange(waits_, {})) {
        wake(*loop, *wait);
    }
}

}  // namespace mishap
