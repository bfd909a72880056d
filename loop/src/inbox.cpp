// Callbacks from other threads: from those of the operating system in the real world, from simulated ones and from other
// loops of the run in a simulated world.

#include <mishap/loop/detail/inbox.hpp>

#include <utility>

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
    bool is_in_one_run = false;
    {
        const std::lock_guard guard(inbox.mutex);
        EventLoop* const loop = inbox.loop;
        if (loop == nullptr) {
            return false;
        }
        World& world = loop->world();
        is_in_one_run = world.is_simulated() && (here != nullptr ? &here->world() == &world : loop->is_on_own_thread());
        if (!is_in_one_run) {
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

}  // namespace detail

void EventLoop::call_soon_threadsafe(std::function<void()> callback) {
    if (!detail::post(*inbox_, std::move(callback))) {
        throw UsageError("call_soon_threadsafe() was called on a closed loop; nobody would ever call back");
    }
}

bool EventLoop::post_to(detail::Inbox& inbox, std::function<void()>& callback) {
    EventLoop& target = *inbox.loop.load();
    const bool is_own = &target == this && (current_ == nullptr || !current_->is_thread);
    if (is_own) {
        call_soon(std::move(callback));
        return true;
    }
    if (has_threads() && current_ != nullptr && !current_->is_abandoning) {
        const std::uint64_t key = detail::child_key(target.key_, inbox_kind, 0);
        announce(Announcement({.object = key, .access = Access::write}), true, nullptr, "call_soon_threadsafe", {});
        if (inbox.loop == nullptr) {
            return false;  // closed by who went first
        }
    }
    target.accept(*this, std::move(callback));
    return true;
}

void EventLoop::accept(EventLoop& from, std::function<void()> callback) {
    if (inbox_cell_.key == 0) {
        inbox_cell_ = {detail::child_key(key_, inbox_kind, 0), 0, 0};
        if (world_->is_observing()) {
            tell_names(inbox_cell_.key, key_, "inbox#0");
        }
    }
    if (detail::contexts_in_use) {
        callback = [context = copy_context(), function = std::move(callback)] { context.run(function); };
    }
    world_->touch(inbox_cell_, Access::write, "call_soon_threadsafe");
    // What the caller did before happens before what the callback does.
    auto function = [this, callback = std::move(callback)] {
        world_->touch_as(inbox_cell_, {.access = Access::read, .relation = Relation::synchronisation}, "");
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
