#include <mishap/primitives/detail/wait_queue.hpp>

#include <fmt/format.h>
#include <mishap/primitives/detail/primitive.hpp>

namespace mishap::detail {

std::string with_waiters(std::string state, std::size_t waiting) {
    return waiting == 0 ? state : fmt::format("{}, waiters:{}", state, waiting);
}

void WaitEntry::explain(WaitExplanation& explanation) const {
    if (queue_ != nullptr) {
        queue_->owner().explain(*queue_, explanation);
    } else {
        explanation.what = "a primitive that was destroyed";
    }
}

void WaitEntry::leave() {
    if (queue_ != nullptr) {
        WaitQueue::Entries& entries = is_woken() ? queue_->woken_ : queue_->waiting_;
        entries.erase(WaitQueue::Entries::s_iterator_to(*this));
        queue_ = nullptr;
    }
}

WaitEntry* WaitQueue::first_pending() const {
    for (const WaitEntry& entry : waiting_) {
        if (!entry.look()) {
            return const_cast<WaitEntry*>(&entry);
        }
    }
    return nullptr;
}

[[gnu::always_inline]] inline void WaitQueue::wake(WaitEntry& entry) {
    waiting_.erase(Entries::s_iterator_to(entry));
    woken_.push_back(entry);
    entry.finish();
}

void WaitQueue::wake_head() {
    // Whoever was woken stood at the head and stands there until it resumes; so does one that was cancelled.
    if (woken_.empty() && !waiting_.empty() && !waiting_.front().look()) {
        wake(waiting_.front());
    }
}

bool WaitQueue::wake_next() {
    WaitEntry* const entry = first_pending();
    if (entry == nullptr) {
        return false;
    }
    wake(*entry);
    return true;
}

void WaitQueue::wake_all() {
    for (auto next = waiting_.begin(); next != waiting_.end();) {
        WaitEntry& entry = *next++;
        if (!entry.look()) {
            wake(entry);
        }
    }
}

void WaitQueue::wait(WaitEntry& entry, const char* operation, Place place, Failing failing) {
    refuse_other_loops(*current_loop, operation);
    // A task that is given up may stay in this wait for good, so it must not be found here later.
    if (!current_loop->current_task()->is_abandoning) {
        waiting_.push_back(entry);
        entry.queue_ = this;
    }
    class Leaving {
    public:
        explicit Leaving(WaitEntry& entry) : entry_(entry) {}
        ~Leaving() { entry_.leave(); }
        Leaving(const Leaving&) = delete;
        Leaving& operator=(const Leaving&) = delete;

    private:
        WaitEntry& entry_;
    };
    const Leaving leaving(entry);
    entry.wait(operation, place, failing);
    if (entry.is_in_vain_) [[unlikely]] {
        throw UsageError(fmt::format(
            "what a task waited on in {} was destroyed; a primitive must outlive the tasks that use it, so await them first",
            operation));
    }
}

/// Tasks of two loops cannot wait for each other's turn: neither loop may wake the other's.
void WaitQueue::refuse_other_loops(const EventLoop& loop, const char* operation) const {
    if (is_empty()) [[likely]] {
        return;
    }
    const WaitEntry& other = waiting_.empty() ? woken_.front() : waiting_.front();
    if (other.task() != nullptr && &other.task()->loop() != &loop) {
        throw UsageError(fmt::format(
            "{} on {}, on which a task of another loop waits; a primitive belongs to one loop at a time: let loops talk through "
            "call_soon_threadsafe(), run_coroutine_threadsafe() and concurrent futures",
            operation, owner_->describe()));
    }
}

/// Makes the waiters that are left independent of the primitive, which is going.
///
/// In simulation those who still need it stay parked, and the run has failed. In the real world they resume with an
/// error.
void WaitQueue::orphan() {
    EventLoop* const loop = current_loop;
    const bool is_run_alive = loop != nullptr && owner_->is_known_to(*loop);
    Finding finding;
    finding.kind = FindingKind::destroyed;
    finding.label = owner_->label();
    const auto disown = [&](WaitEntry& entry, bool is_in_vain) {
        entry.queue_ = nullptr;
        entry.is_orphaned_ = true;
        entry.is_in_vain_ = is_in_vain;
        if (is_in_vain && is_run_alive && entry.task() != nullptr) {
            const TaskBase& task = *entry.task();
            finding.tasks.push_back(task.path());
            finding.details.push_back(fmt::format("{} waits in {} at {}:{}", task.path(), task.frames->operation,
                                                  task.frames->place.file, task.frames->place.line));
        }
    };
    while (!woken_.empty()) {
        WaitEntry& entry = woken_.front();
        woken_.pop_front();
        disown(entry, wake_ != Wake::is_grant);
    }
    while (!waiting_.empty()) {
        WaitEntry& entry = waiting_.front();
        waiting_.pop_front();
        const bool is_pending = !entry.is_done();
        disown(entry, is_pending || wake_ == Wake::is_claim);
        if (is_pending && is_run_alive && !loop->world().is_simulated()) {
            entry.finish();
        }
    }
    if (!finding.tasks.empty()) {
        finding.what = fmt::format("{} was destroyed while {} task{} waited on it", owner_->describe(), finding.tasks.size(),
                                   finding.tasks.size() == 1 ? "" : "s");
        loop->world().fail(std::move(finding));
    }
}

}  // namespace mishap::detail
