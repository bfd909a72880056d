// Simulated threads: how they begin, announce, are allowed to go on, and end.

#include <mishap/loop/event_loop.hpp>

#include <utility>

#include <fmt/format.h>
#include <mishap/sim/errors.hpp>

namespace mishap {

namespace {
constexpr std::uint64_t thread_kind = hash_text("thread");
}

namespace detail {

void ThreadBase::explain(WaitExplanation& explanation) const {
    explanation.what = "thread " + path();
    explanation.holders.push_back(this);
    explanation.is_join = true;
}

bool Join::wait_for_next() {
    while (at_ < threads_.size() && threads_[at_]->is_done()) {
        ++at_;
    }
    if (at_ == threads_.size()) {
        return false;
    }
    threads_[at_]->joins.push_back(this);
    return true;
}

void Join::explain(WaitExplanation& explanation) const {
    if (at_ < threads_.size()) {
        threads_[at_]->explain(explanation);
    }
}

void GuestRun::explain(WaitExplanation& explanation) const {
    explanation.what = "its loop, which nobody stops";
    loop_.for_each_task([&](const TaskBase& task) {
        if (!task.is_done()) {
            explanation.holders.push_back(&task);
        }
    });
    explanation.is_join = !explanation.holders.empty();
    if (explanation.is_join) {
        explanation.what = "the tasks of its loop";
    } else {
        explanation.is_signal = true;
    }
}

void Join::give_up() {
    if (at_ < threads_.size()) {
        std::erase(threads_[at_]->joins, this);
    }
}

}  // namespace detail

void EventLoop::add_thread(detail::ThreadBase& thread) {
    if (is_closed_) {
        check_use();
    }
    EventLoop& root = *root_;
    root.is_watched_ = true;
    const std::uint64_t creator = running_key();
    const bool is_named = thread.name != nullptr;
    const std::uint64_t name = is_named ? hash_text(*thread.name) : 0;
    thread.ordinal =
        ++root.name_copies_[is_named ? detail::named_key(creator, name) : detail::child_key(creator, thread_kind, 0)];
    thread.entity.key = is_named ? detail::named_key(creator, name, thread.ordinal)
                                 : detail::child_key(creator, thread_kind, thread.ordinal);
    thread.entity.creator = creator;
    thread.entity.chain = current_ != nullptr ? current_->entity.chain : 0;
    thread.key = thread.entity.key;
    thread.wake = WakeReason::start;
    thread.enabled_by = world_->running();
    ++detail::header_of(&thread).references;  // of the loop, until the thread has ended
    root.threads_.add(thread);
    root.watch_callers();
    if (world_->is_observing()) {
        tell_names(thread.entity.key, creator, thread.segment());
        world_->tell({.kind = TraceEventKind::create, .object = thread.key});
        if (world_->wants_steps()) {
            world_->created().push_back(thread.entity.key);
        }
    }
    world_->tell_progress();
    root.threads_.enable(thread);
    world_->begin_thread(thread.number + 1);
    const std::uint32_t maker = world_->races().running();
    world_->races().switch_to(thread.number + 1);
    detail::current_loop = &root;  // a thread is of no loop; what it asks goes to the root
    if (root.start_nested(thread)) {
        root.announce_end(thread);
        root.remove_thread(thread);
    }
    detail::current_loop = this;
    world_->races().switch_to(maker);
}

void EventLoop::announce(const Announcement& next, bool possible, detail::Waitable* obstacle,
                         const char* operation, Place place) {
    if (current_ == nullptr) {
        if (!possible) {
            throw UsageError(fmt::format(
                "{} would have to wait in a callback, and with it the whole loop; make a task or a thread for it", operation));
        }
        return;
    }
    detail::TaskBase& who = *current_;
    if (nested_ != 0 && !who.is_thread) {
        // Whoever made the eager task is in the middle of its own step: both cannot be held, so nobody overtakes.
        if (!possible) {
            throw UsageError(fmt::format(
                "{} would have to wait in the first step of a task that starts eagerly; start the task with eager_start = false",
                operation));
        }
        return;
    }
    if (who.is_abandoning || (world_->is_tearing_down() && !possible)) {
        refuse_to_wait();
    }
    if (world_->is_tearing_down()) {
        return;
    }
    detail::AwaitFrame frame{operation, place, who.frames};
    who.frames = &frame;
    who.waiting_on = obstacle;
    if (who.is_thread) {
        auto& thread = static_cast<detail::ThreadBase&>(who);
        thread.next = next;
        if (!possible) {
            threads_.disable(thread);
        }
    } else {
        threads_.hold(who, next, possible);
    }
    suspend();
    who.frames = frame.outer;
    who.waiting_on = nullptr;
    if (who.is_abandoning) [[unlikely]] {
        refuse_to_wait();
    }
}

void EventLoop::allow(detail::TaskBase& who, bool possible) {
    if (detail::current_loop != nullptr && detail::current_loop->current_ == &who) {
        return;  // it is about to announce
    }
    if (&who == root_->held_back_thread_) {
        root_->let_held_back_go();  // now it is known whether it can go
    }
    if (!who.is_thread) {
        if (detail::ThreadSet& threads = who.loop().threads_; threads.held() == &who) {
            threads.set_held_enabled(possible);
        }
    } else if (auto& thread = static_cast<detail::ThreadBase&>(who); possible) {
        if (!thread.is_enabled && !thread.is_done()) {
            thread.wake = WakeReason::future;
            thread.enabled_by = world_->running();
            root_->threads_.enable(thread);
        }
    } else {
        root_->threads_.disable(thread);
    }
    if (world_->wants_steps()) {
        (possible ? world_->enabled() : world_->disabled()).push_back(who.entity.key);
    }
}

/// Lets those go on who wait for the end of a thread, and says what it ended with; within its last step.
void EventLoop::announce_end(detail::ThreadBase& thread) {
    if (world_->is_tracing()) [[unlikely]] {
        world_->tell({.kind = TraceEventKind::end, .object = thread.key,
                      .what = thread.peek_exception() != nullptr ? "ends with an exception" : "ends"});
    }
    if (thread.peek_exception() != nullptr) {
        thread.mark_retrieved();
        const std::string what = describe_exception(thread.peek_exception());
        world_->fail({.kind = FindingKind::exception,
                      .what = fmt::format("thread {} ended with {}", thread.path(), what),
                      .label = what.substr(0, what.find(": ")),
                      .tasks = {thread.path()}});
    }
    for (detail::Join* join : std::exchange(thread.joins, {})) {
        if (!join->wait_for_next()) {
            allow(join->who(), true);
        }
    }
}

void EventLoop::remove_thread(detail::ThreadBase& thread) {
    threads_.remove(thread);
    world_->tell_progress();
    detail::Ref<detail::ThreadBase>::drop(&thread);
}

/// Unwinds the threads that are left, newest first; returns how many would not end.
std::size_t EventLoop::tear_down_threads() {
    std::size_t abandoned = 0;
    while (!threads_.live().empty()) {
        const detail::Ref<detail::ThreadBase> thread(threads_.live().back());
        thread->is_abandoning = true;
        refusals_ = 0;
        threads_.enable(*thread);
        step_thread(*thread, 0);
        if (!thread->is_done()) {
            fibers_->quarantine(*thread->context);
            threads_.remove(*thread);
            ++abandoned;
        }
    }
    let_go_of_held();
    threads_.clear();
    return abandoned;
}

/// Lets go of the task that others could have overtaken.
void EventLoop::let_go_of_held() {
    if (detail::TaskBase* const task = threads_.held()) {
        // What it was about to do it may do now, unless that needs something that nobody gives back any more.
        const bool is_possible = threads_.is_held_enabled();
        threads_.let_go();
        if (is_possible) {
            task->wake = WakeReason::yield;
            ready_.push(*task);
        } else {
            unwind(*task);
        }
    }
}

}  // namespace mishap
