#pragma once

// Who waits on a primitive, and in which order.
//
// One queue serves nearly all primitives, although they differ in what a newcomer may do and in who is told to leave.
// A waiter lies on the stack of its task and stays in the queue from joining until its task has resumed, as in asyncio:
// notified is not resumed, and in between the primitive must not forget it.
//
// Invariants:
// 1. `waiting_` holds those whom nobody woke: pending ones, and cancelled ones that have not resumed; in order of arrival.
// 2. `woken_` holds those who were woken and have not resumed, even when their task was cancelled after that.
// 3. a waiter of a primitive that was destroyed is in no queue and does not touch the primitive again.

#include <boost/intrusive/list.hpp>
#include <mishap/loop/detail/waiter.hpp>

namespace mishap::detail {

class Primitive;
class WaitQueue;

/// One task's wait on a primitive.
class WaitEntry final
    : public Waiter,
      public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::normal_link>> {
public:
    explicit WaitEntry(EventLoop& loop) : Waiter(loop) {}
    ~WaitEntry() { leave(); }
    WaitEntry(const WaitEntry&) = delete;
    WaitEntry& operator=(const WaitEntry&) = delete;

    /// Returns whether the primitive was destroyed: then its members are not to be touched.
    bool is_orphaned() const { return is_orphaned_; }
    /// Returns whether it was woken, whatever happened to its task since.
    bool is_woken() const { return state() == State::finished; }
    void explain(WaitExplanation& explanation) const override;

private:
    friend class WaitQueue;
    void leave();

    WaitQueue* queue_ = nullptr;  // null while it is in none
    bool is_orphaned_ = false;
    bool is_in_vain_ = false;  // the primitive was destroyed before the wait came to something
};

class WaitQueue {
public:
    /// What being woken means to a waiter: it has what it waited for, or it must go and see. A claim is a hint to waiters
    /// that need the primitive even after they were cancelled.
    enum class Wake : std::uint8_t { is_grant, is_hint, is_claim };

    WaitQueue(const Primitive& owner, Wake wake) : owner_(&owner), wake_(wake) {}
    /// Tells the waiters that are left, and the world: see `orphan`.
    ~WaitQueue() {
        if (!is_empty()) [[unlikely]] {
            orphan();
        }
    }
    WaitQueue(const WaitQueue&) = delete;
    WaitQueue& operator=(const WaitQueue&) = delete;

    /// Returns whether nobody waits, or has yet to resume.
    bool is_empty() const { return waiting_.empty() && woken_.empty(); }
    /// Returns whether somebody is there whom nobody has woken.
    bool has_unwoken() const { return !waiting_.empty(); }
    /// Returns whether anybody is there who was not cancelled while waiting.
    bool has_live() const { return !is_empty() && (!woken_.empty() || first_pending() != nullptr); }
    /// Returns how many are there who have not resumed, woken and cancelled ones too. Counts them.
    std::size_t count() const { return waiting_.size() + woken_.size(); }

    /// Wakes the head of the queue, unless it was woken or cancelled before.
    void wake_head();
    /// Wakes the first that is neither woken nor cancelled; false if there is none such.
    bool wake_next();
    /// Wakes everybody who is not cancelled.
    void wake_all();

    /// Joins at the tail and parks the current task until it is woken. Has left when it returns or throws.
    ///
    /// Throws:    CancelledError; UsageError when the primitive was destroyed meanwhile, or is waited on in another loop.
    void wait(WaitEntry& entry, const char* operation, Place place, Failing failing = Failing::no);

    const Primitive& owner() const { return *owner_; }

private:
    friend class WaitEntry;
    using Entries = boost::intrusive::list<WaitEntry, boost::intrusive::constant_time_size<false>>;

    WaitEntry* first_pending() const;
    void wake(WaitEntry& entry);
    void refuse_other_loops(const EventLoop& loop, const char* operation) const;
    void orphan();

    Entries waiting_;
    Entries woken_;
    const Primitive* owner_;
    Wake wake_;
};

}  // namespace mishap::detail
