#include <mishap/primitives/mutex.hpp>

#include <fmt/format.h>

namespace mishap {

namespace {
constexpr detail::ObjectKind kind{"Mutex", "mutex"};
}

namespace detail {

LockWish::~LockWish() {
    if (mutex_ != nullptr && is_listed_) {
        std::erase(mutex_->wishes_, this);
    }
}

void LockWish::list(EventLoop& loop) {
    if (mutex_ != nullptr) {
        is_listed_ = true;
        mutex_->wishes_.push_back(this);
        if (!mutex_->is_locked_) {
            loop.allow(who_, true);
        }
    }
}

void LockWish::explain(WaitExplanation& explanation) const {
    if (mutex_ != nullptr) {
        mutex_->explain(explanation);
    } else {
        explanation.what = "a Mutex that was destroyed";
    }
}

}  // namespace detail

Mutex::Mutex(std::string_view name) : RunObject(kind, name) {}

Mutex::~Mutex() {
    if (EventLoop* const loop = detail::current_loop; loop != nullptr && !wishes_.empty()) {
        loop->world().fail({.kind = FindingKind::destroyed,
                            .what = fmt::format("{} is destroyed while {} wait{} for it", describe(), wishes_.size(),
                                                wishes_.size() == 1 ? "s" : ""),
                            .label = label()});
    }
    for (detail::LockWish* wish : wishes_) {
        wish->mutex_ = nullptr;
    }
}

/// Makes the mutex known to the present run, as new: what an earlier run left is not of this one.
void Mutex::prepare(EventLoop& loop) const {
    if (!is_known_to(loop)) {
        introduce(loop);
        is_locked_ = false;
        wishes_.clear();
    }
}

void Mutex::take(EventLoop& loop) {
    detail::invariant(!is_locked_, "who goes on with lock() finds the mutex free");
    is_locked_ = true;
    holder_ = loop.current_task();
    holder_key_ = loop.running_key();
    for (detail::LockWish* wish : wishes_) {
        loop.allow(wish->who_, false);
    }
}

void Mutex::give_up(EventLoop& loop) {
    is_locked_ = false;
    holder_ = nullptr;
    for (detail::LockWish* wish : wishes_) {
        loop.allow(wish->who_, true);
    }
}

void Mutex::check_held(const EventLoop& loop, const char* operation) const {
    if (!is_locked_ || holder_ != loop.current_task()) {
        throw UsageError(fmt::format("{} on {} by somebody who does not hold it; lock() it first", operation, describe()));
    }
}

void Mutex::check_really_held(const char* operation) const {
    if (real_holder_.load(std::memory_order_relaxed) != detail::real_thread_number()) {
        throw UsageError(fmt::format("{} on {} by somebody who does not hold it; lock() it first", operation, describe()));
    }
}

void Mutex::lock(Place place) {
    EventLoop* const simulated = detail::simulated_loop();
    if (simulated == nullptr) {
        if (real_holder_.load(std::memory_order_relaxed) == detail::real_thread_number()) {
            throw UsageError(fmt::format("lock() on {} by who holds it already: it would wait for ever", describe()));
        }
        real_.lock();
        real_holder_.store(detail::real_thread_number(), std::memory_order_relaxed);
        return;
    }
    EventLoop& loop = *simulated;
    prepare(loop);
    if (detail::TaskBase* const who = loop.current_task(); who != nullptr && (loop.has_threads() || is_locked_)) {
        detail::LockWish wish(*this, *who);
        wish.list(loop);
        loop.announce(Announcement({.object = key(), .access = Access::write, .may_block = true}), !is_locked_, &wish,
                      "Mutex.lock", place);
    } else if (is_locked_) {
        loop.announce({}, false, nullptr, "Mutex.lock", place);  // says that a callback cannot wait
    }
    touch_in(loop, Access::write, "Mutex.lock", place);
    take(loop);
}

bool Mutex::try_lock(Place place) {
    EventLoop* const simulated = detail::simulated_loop();
    if (simulated == nullptr) {
        const bool is_free = real_holder_.load(std::memory_order_relaxed) != detail::real_thread_number() && real_.try_lock();
        if (is_free) {
            real_holder_.store(detail::real_thread_number(), std::memory_order_relaxed);
        }
        return is_free;
    }
    EventLoop& loop = *simulated;
    prepare(loop);
    if (loop.has_threads()) {
        loop.announce(Announcement({.object = key(), .access = Access::update}), true, nullptr, "Mutex.try_lock", place);
    }
    if (is_locked_) {
        touch_only(loop, Access::read, Relation::conflict, "Mutex.try_lock", place);  // it learns nothing of the holder
        return false;
    }
    touch_in(loop, Access::write, "Mutex.try_lock", place);
    take(loop);
    return true;
}

void Mutex::unlock(Place place) {
    EventLoop* const simulated = detail::simulated_loop();
    if (simulated == nullptr) {
        check_really_held("unlock()");
        real_holder_.store(0, std::memory_order_relaxed);
        real_.unlock();
        return;
    }
    EventLoop& loop = *simulated;
    prepare(loop);
    // Guards unlock while a given-up thread is unwound: no place to wait, or to throw.
    const detail::TaskBase* const who = loop.current_task();
    if (loop.has_threads() && !(who != nullptr && who->is_abandoning)) {
        loop.announce(Announcement({.object = key(), .access = Access::write}), true, nullptr, "Mutex.unlock", place);
    }
    if (loop.world().is_tearing_down() && !is_locked_) {
        return;
    }
    check_held(loop, "unlock()");
    touch_in(loop, Access::write, "Mutex.unlock", place);
    give_up(loop);
}

void Mutex::explain(detail::WaitExplanation& explanation) const {
    explanation.what = describe();
    explanation.is_available = !is_locked_;
    if (!is_locked_ || holder_ == nullptr || detail::current_loop == nullptr) {
        return;
    }
    detail::current_loop->for_each_task_and_thread([&](const detail::TaskBase& task) {
        if (&task == holder_ && task.entity.key == holder_key_) {
            explanation.holders.push_back(&task);
        }
    });
    if (explanation.holders.empty()) {
        explanation.what += ", whose holder has ended without releasing it";
    }
}

}  // namespace mishap
