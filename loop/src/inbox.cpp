// Callbacks from other threads: from those of the operating system in the real world, from simulated ones and from other
// loops of the run in a simulated world.

#include <mishap/loop/detail/inbox.hpp>

#include <utility>

#include <mishap/loop/concurrent_future.hpp>
#include <mishap/loop/context.hpp>
#include <mishap/loop/event_loop.hpp>

namespace mishap {

namespace {
constexpr std::uint64_t inbox_kind = hash_text("inbox");
constexpr std::uint64_t callbacks_kind = hash_text("callbacks");
}  // namespace

namespace detail {

bool post(Inbox& inbox, std::function<void()> callback) {
    EventLoop* const here = current_loop;
    if (here != nullptr && here == inbox.loop && !here->world().is_simulated()) {
        here->call_soon(std::move(callback));  // it is no other thread
        return true;
    }
    if (here != nullptr && here->world().is_simulated() && inbox.loop == nullptr && inbox.cell.key != 0) {
        return here->post_to(inbox, callback);  // closed in this run: who learns that has read the inbox
    }
    {
        const std::lock_guard guard(inbox.mutex);
        EventLoop* const loop = inbox.loop;
        if (loop == nullptr) {
            return false;
        }
        World& world = loop->world();
        if (!world.is_simulated() || (here != nullptr ? &here->world() != &world : !loop->is_on_own_thread())) {
            if (contexts_in_use) {  // of the calling thread
                callback = [context = copy_context(), function = std::move(callback)] { context.run(function); };
            }
            // In a simulated world it is never called, but kept: what it holds may be destroyed on the loop's thread only.
            inbox.callbacks.push_back(std::move(callback));
            if (world.is_simulated()) {
                loop->tell_foreign_call();  // the loop tells the world
            } else {
                world.selector().wake_up();
            }
            return true;
        }
    }
    return (here != nullptr ? *here : *inbox.loop.load()).post_to(inbox, callback);
}

Promise::Promise(std::shared_ptr<Inbox> inbox, std::shared_ptr<concurrent::detail::FutureCore> future)
    : inbox_(std::move(inbox)) {
    const std::lock_guard guard(inbox_->mutex);
    number_ = ++inbox_->promises_made;
    inbox_->promises.emplace(number_, std::move(future));
}

Promise::~Promise() {
    Promises::node_type kept;  // outlives the lock: what it holds may want that
    const std::lock_guard guard(inbox_->mutex);
    kept = inbox_->promises.extract(number_);
}

void break_promises(const Promises& promises) {
    for (const auto& [number, future] : promises) {
        future->give_up();
    }
}

}  // namespace detail

void EventLoop::call_soon_threadsafe(std::function<void()> callback, ContextRef context) {
    if (context.get() != nullptr) {
        callback = [chosen = *context.get(), function = std::move(callback)] { chosen.run(function); };
    }
    const std::shared_ptr<detail::Inbox> inbox = inbox_;  // who overtakes here may close and destroy the loop
    if (!detail::post(*inbox, std::move(callback))) {
        throw UsageError("call_soon_threadsafe() was called on a closed loop; nobody would ever call back");
    }
}

/// Returns the key of the inbox, which is known to the run from now on.
std::uint64_t EventLoop::inbox_key() {
    detail::Tracked& cell = inbox_->cell;
    if (cell.key == 0) {
        cell = {detail::child_key(key_, inbox_kind, 0), 0, 0};
        if (world_->is_observing()) {
            tell_names(cell.key, key_, "inbox#0");
        }
    }
    return cell.key;
}

/// Announces what the running task or thread does to an inbox: whether its loop is closed by then is the schedule's.
void EventLoop::announce_inbox(std::uint64_t key, const char* operation) {
    if (has_threads() && current_ != nullptr && !current_->is_abandoning) {
        announce(Announcement({.object = key, .access = Access::write}), true, nullptr, operation, {});
    }
}

bool EventLoop::post_to(detail::Inbox& inbox, std::function<void()>& callback) {
    EventLoop* const target = inbox.loop;
    const bool is_own = target == this && (current_ == nullptr || !current_->is_thread);
    if (is_own) {
        call_soon(std::move(callback));
        return true;
    }
    announce_inbox(target != nullptr ? target->inbox_key() : inbox.cell.key, "call_soon_threadsafe");
    if (inbox.loop == nullptr) {
        world_->touch(inbox.cell, Access::read, "call_soon_threadsafe");  // closed by who went first
        return false;
    }
    target->accept(*this, std::move(callback));
    return true;
}

/// Takes no more calls; returns the futures that the loop was to complete.
detail::Promises EventLoop::close_inbox() {
    if (root_ != this) {
        const std::uint64_t key = inbox_key();
        EventLoop* const here = detail::current_loop;
        if (here != nullptr && !world_->is_tearing_down()) {
            here->announce_inbox(key, "EventLoop.close");
        }
        world_->touch(inbox_->cell, Access::write, "EventLoop.close");
    }
    const std::lock_guard guard(inbox_->mutex);
    inbox_->loop = nullptr;
    return std::exchange(inbox_->promises, {});
}

void EventLoop::accept(EventLoop& from, std::function<void()> callback) {
    inbox_key();
    if (detail::contexts_in_use) {
        callback = [context = copy_context(), function = std::move(callback)] { context.run(function); };
    }
    world_->touch(inbox_->cell, Access::write, "call_soon_threadsafe");
    // What the caller did before happens before what the callback does.
    auto function = [this, callback = std::move(callback)] {
        world_->touch_as(inbox_->cell, {.access = Access::read, .relation = Relation::synchronisation}, "");
        callback();
    };
    auto* const handle = make_block<detail::FunctionHandle<decltype(function)>>(std::move(function));
    const Handle kept(handle);
    schedule(*handle, lane_of(from.running_key()), nullptr);
}

/// Returns the lane in which the callbacks from another thread, or a task of another loop, keep their order.
detail::Lane& EventLoop::lane_of(std::uint64_t caller) {
    for (auto& [key, lane] : foreign_lanes_) {
        if (key == caller) {
            return lane;
        }
    }
    detail::Lane& lane = foreign_lanes_.emplace_back(caller, detail::Lane{}).second;
    lane.entity.creator = caller;
    lane.entity.key = detail::child_key(caller, callbacks_kind, hash_text("to") ^ key_);
    if (world_->is_observing()) {
        tell_names(lane.entity.key, caller, "callbacks#0");
    }
    return lane;
}

}  // namespace mishap
