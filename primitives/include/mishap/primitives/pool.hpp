#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <mishap/loop/async_generator.hpp>
#include <mishap/primitives/event.hpp>
#include <mishap/primitives/queue.hpp>
#include <mishap/primitives/semaphore.hpp>
#include <mishap/primitives/spawn.hpp>

namespace mishap {

/// Runs at most so many tasks at once: whoever wants one more waits.
///
/// A task gives its place back in a callback, one iteration after it has ended. When the pool goes, its tasks go on.
///
/// Source:    gevent.pool.Pool 24.2.
class Pool {
public:
    /// Makes a pool for `size` tasks at once; `name` appears in reports, of the semaphore that hands out the places.
    ///
    /// Throws:    UsageError when `size` is less than 1 (gevent: a pool of 0 lets everybody wait for ever).
    explicit Pool(std::int64_t size, std::string_view name = {});
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    /// Makes a task that calls `function(arguments...)`, waiting while the pool is full.
    ///
    /// Yields:    only while the pool is full.
    /// Cancelled: no task is made; a place it had been given goes to the next.
    /// Order:     places are handed out first come, first served.
    /// Throws:    CancelledError; UsageError outside a task.
    /// Source:    Pool.spawn of gevent 24.2.
    template <class F, class... A>
    auto spawn(F&& function, A&&... arguments) {
        const std::shared_ptr<State> state = state_;
        state->slots.acquire();
        Slot slot(*state);
        const auto task = mishap::spawn(std::forward<F>(function), std::forward<A>(arguments)...);
        slot.belongs_to(*state, task);
        task.add_done_callback([state, key = &task.task_state()](const auto&) { state->discard(*key); });
        return task;
    }

    /// Calls `function` with each item, in tasks of the pool, and returns the results in the order of the items.
    ///
    /// Yields:    where `spawn` does, and while tasks are left.
    /// Cancelled: the tasks that it has made are cancelled and waited for; so they are when one of them fails.
    /// Order:     the tasks begin in the order of the items.
    /// Throws:    what the first item, in their order, that fails throws; CancelledError; UsageError outside a task, or in a
    ///            task of a pool that this fills up (a deadlock).
    /// Source:    Group.map of gevent 24.2, where the other greenlets go on.
    template <class F, class R>
    auto map(const F& function, const R& items) {
        using Item = std::decay_t<decltype(*std::begin(items))>;
        using Made = decltype(spawn(function, std::declval<const Item&>()));
        std::vector<Made> tasks;
        // The helper that runs bodies: whatever one throws, the others end before this does.
        try {
            for (const auto& item : items) {
                tasks.push_back(spawn(function, item));
            }
            return results_of(tasks);
        } catch (const detail::TaskAbandoned&) {
            throw;
        } catch (...) {
            const std::exception_ptr failure = std::current_exception();
            end_all(std::vector<AnyTask>(tasks.begin(), tasks.end()));
            std::rethrow_exception(failure);
        }
    }

    /// Calls `function` with each item, in tasks of the pool, and yields the results in the order in which they come.
    ///
    /// A task of its own makes the others while there are places, from the first call of `next` on; results wait until they
    /// are asked for. When the generator ends early its tasks are cancelled, not waited for. The pool must outlive it.
    ///
    /// Throws:    from the generator: what one of the tasks throws.
    /// Source:    Group.imap_unordered of gevent 24.2.
    template <class F, class Item>
    auto imap_unordered(F function, std::vector<Item> items)
        -> AsyncGenerator<decltype(detail::result_of(mishap::spawn(function, std::declval<const Item&>())))> {
        using Made = decltype(mishap::spawn(function, std::declval<const Item&>()));
        const auto work = std::make_shared<Mapping<F, Item, Made>>(std::move(function), std::move(items));
        const Task<void> feeder = detail::running_task_loop("Pool.imap_unordered()").create_task(
            [this, work] { Mapping<F, Item, Made>::feed(*this, work); });
        feeder.add_done_callback([work](const Future<void>& done) {
            if (done.cancelled() || done.exception() != nullptr) {
                work->ended.put_nowait(std::nullopt);
            }
        });
        const typename Mapping<F, Item, Made>::Ending ending{work.get(), feeder};
        for (std::size_t i = 0; i < work->items.size(); ++i) {
            const std::optional<Made> next = work->ended.get();
            if (!next.has_value()) {
                co_await feeder;  // throws what it failed with
            }
            auto result = co_await *next;
            co_yield std::move(result);
        }
    }

    /// Waits until a place is free, for `timeout` at most, and returns how many are. It may be gone when the caller goes on.
    ///
    /// Yields, Cancelled, Order, Throws: as `spawn`.
    std::int64_t wait_available(std::optional<std::chrono::nanoseconds> timeout = std::nullopt);
    /// Returns how many places are free.
    std::int64_t free_count() const;
    bool full() const { return free_count() <= 0; }
    /// Returns how many tasks have places.
    std::size_t size() const { return state_->running.size(); }

    /// Waits until no task has a place, for `timeout` at most; returns whether that is so.
    ///
    /// Yields:    only if there are tasks.
    /// Cancelled: the tasks go on.
    /// Order:     everybody who waits is woken at once.
    /// Throws:    CancelledError; UsageError outside a task.
    /// Source:    Group.join of gevent 24.2.
    bool join(std::optional<std::chrono::nanoseconds> timeout = std::nullopt, Place place = Place::here());
    /// Cancels all tasks, with those that get a place meanwhile, and waits until none is left.
    ///
    /// Yields:    only if there are tasks.
    /// Cancelled: stops waiting; the requests remain.
    /// Order:     oldest first.
    /// Throws:    CancelledError; UsageError outside a task.
    /// Source:    Group.kill of gevent 24.2.
    void kill(Place place = Place::here());

private:
    /// Lives as long as the pool, or a task of it.
    struct State {
        State(std::int64_t size, std::string_view name);
        void discard(const detail::TaskBase& task);

        Semaphore slots;
        Event idle;
        std::int64_t size;
        std::vector<AnyTask> running;
    };
    /// A place that goes back unless a task gets it.
    class Slot {
    public:
        explicit Slot(State& state) : state_(&state) {}
        ~Slot() {
            if (state_ != nullptr) {
                state_->slots.release();
            }
        }
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;
        void belongs_to(State& state, const AnyTask& task) {
            state.running.push_back(task);
            state.idle.clear();
            state_ = nullptr;
        }

    private:
        State* state_;
    };

    /// What the tasks and the generator of `imap_unordered` share.
    template <class F, class Item, class Made>
    struct Mapping {
        Mapping(F&& function_, std::vector<Item>&& items_) : function(std::move(function_)), items(std::move(items_)) {}

        static void feed(Pool& pool, const std::shared_ptr<Mapping>& self) {
            for (const Item& item : self->items) {
                const Made made = pool.spawn(self->function, item);
                self->tasks.push_back(made);
                made.add_done_callback([self, made](const auto&) { self->ended.put_nowait(made); });
            }
        }
        /// Cancels what is left when the generator ends.
        struct Ending {
            Mapping* mapping;
            Task<void> feeder;
            ~Ending() {
                feeder.cancel();
                for (const Made& task : mapping->tasks) {
                    task.cancel();
                }
            }
        };

        F function;
        std::vector<Item> items;
        std::vector<Made> tasks;
        Queue<std::optional<Made>> ended;
    };

    template <class T>
    static auto results_of(const std::vector<Task<T>>& tasks) {
        if constexpr (std::is_void_v<T>) {
            for (const Task<T>& task : tasks) {
                await(task);
            }
        } else {
            std::vector<T> results;
            for (const Task<T>& task : tasks) {
                results.push_back(await(task));
            }
            return results;
        }
    }
    static void end_all(const std::vector<AnyTask>& tasks);

    std::shared_ptr<State> state_;
};

}  // namespace mishap
