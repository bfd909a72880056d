#pragma once

// The "shaped" floor: the smallest loop that still does what mishap must do a step, written by hand.
//
// A step is a seeded random pick from the ready tasks, a 64-bit hash of who went, and a switch from the scheduler's own
// stack and back, with the C++ runtime's exception globals saved. Primitives and `suspend` are real calls, as in a
// library. There are no results, names, cancellation, handles, tape or limits: what mishap takes beyond the floor is what
// those cost, and what it wastes.

#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/context/detail/fcontext.hpp>

namespace bench {

/// Stacks of 16 KiB in slabs, last in first out, their tops spread over the cache sets.
class FloorStacks {
public:
    static constexpr std::size_t stack_size_bytes = 16 * 1024;

    ~FloorStacks();
    /// Returns the top of a stack.
    std::byte* acquire() {
        if (free_.empty()) {
            map_slab();
        }
        std::byte* const top = free_.back();
        free_.pop_back();
        return top;
    }
    void release(std::byte* top) { free_.push_back(top); }

private:
    struct Slab {
        std::byte* begin;
        std::size_t size_bytes;
    };
    void map_slab();

    std::vector<std::byte*> free_;
    std::vector<Slab> slabs_;
    std::size_t made_ = 0;
};

class FloorLoop {
public:
    struct Task {
        void* stack_pointer = nullptr;
        std::byte* stack = nullptr;
        Task* next_waiting = nullptr;
        Task* joiner = nullptr;
        void (*function)(FloorLoop&, void*) = nullptr;
        void* argument = nullptr;
        std::uint32_t id = 0;
        bool is_done = false;
        bool is_fresh = true;
    };

    FloorLoop(FloorStacks& stacks, std::uint64_t seed);
    ~FloorLoop();
    FloorLoop(const FloorLoop&) = delete;
    FloorLoop& operator=(const FloorLoop&) = delete;

    Task* spawn(void (*function)(FloorLoop&, void*), void* argument);
    /// Runs until no task is ready and none sleeps.
    void run();

    void suspend();
    void yield();
    void join(Task* task);
    void sleep(std::uint64_t delay_ns);

    Task* current() const { return current_; }
    void wake(Task* task);
    std::uint64_t hash() const { return hash_; }

private:
    struct Timer {
        std::uint64_t when_ns;
        std::uint64_t serial;
        Task* task;
    };
    struct Later {
        bool operator()(const Timer& a, const Timer& b) const {
            return a.when_ns != b.when_ns ? a.when_ns > b.when_ns : a.serial > b.serial;
        }
    };

    static void enter(boost::context::detail::transfer_t arrival);
    [[noreturn]] void run_current();
    void resume(Task* task);
    void push(Task* task);
    Task* pick();
    std::uint32_t draw(std::uint32_t bound);

    FloorStacks& stacks_;
    std::uint64_t random_;
    std::uint64_t hash_ = 0;
    Task* current_ = nullptr;
    void* hub_ = nullptr;
    std::uint32_t next_id_ = 0;
    std::vector<Task*> ready_;
    std::size_t ready_count_ = 0;
    std::vector<Task*> free_tasks_;
    std::vector<Task*> task_slabs_;
    std::vector<Timer> timers_;
    std::uint64_t now_ns_ = 0;
    std::uint64_t timer_serial_ = 0;
};

/// First come, first served.
class FloorWaitList {
public:
    bool is_empty() const { return first_ == nullptr; }
    void add(FloorLoop::Task* task) {
        task->next_waiting = nullptr;
        *last_ = task;
        last_ = &task->next_waiting;
    }
    FloorLoop::Task* take() {
        FloorLoop::Task* const task = first_;
        first_ = task->next_waiting;
        if (first_ == nullptr) {
            last_ = &first_;
        }
        return task;
    }

private:
    FloorLoop::Task* first_ = nullptr;
    FloorLoop::Task** last_ = &first_;
};

class FloorLock {
public:
    void acquire(FloorLoop& loop);
    void release(FloorLoop& loop);

private:
    bool is_held_ = false;
    FloorWaitList waiters_;
};

class FloorQueue {
public:
    explicit FloorQueue(std::size_t capacity) : items_(capacity) {}
    void put(FloorLoop& loop, std::uint64_t item);
    std::uint64_t get(FloorLoop& loop);

private:
    std::vector<std::uint64_t> items_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    FloorWaitList getters_;
    FloorWaitList putters_;
};

}  // namespace bench
