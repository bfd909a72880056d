#pragma once

// A model machine: threads of explicit operations on shared integers, mutexes and condition variables.
//
// It plays a strategy as the explorer and a loop of simulated threads do, without either: what a strategy makes of a
// program can be compared with what is known about the program. The rules are those of simulated threads: a step is one
// announced operation and the local code up to the next announcement; start-up and exit are no steps; a thread whose
// operation cannot go on is no candidate; waiting is no event; class 0 is the thread that made the last step, if it can
// go on, the others follow cyclically by their numbers. A pick with one candidate is not asked.
//
// | operation                | step                                       | footprint                                  |
// |--------------------------|--------------------------------------------|--------------------------------------------|
// | read, write              | one                                        | read, write of the variable                |
// | fetch_add, cas           | one                                        | update; of a cas that fails, read          |
// | acquire                  | one; only while the variable is positive    | update                                     |
// | lock, unlock             | one; a lock only while the mutex is free   | write of the mutex                         |
// | wait                     | one to leave the mutex and queue           | write of mutex and condition variable      |
// |                          | one to take the mutex back, once signalled | write of the mutex                         |
// | signal                   | one; wakes the first in the queue          | write of the condition variable            |
// | spawn                    | one                                        | none; it creates the thread                |
// | join                     | one, once the thread is over               | read of the thread; its last step wrote it |

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <mishap/sim/digest.hpp>
#include <mishap/sim/strategy.hpp>

#include "sim/thread_body.hpp"

namespace mishap::test {

class Machine;

/// A program for the machine.
struct MachineProgram {
    std::string name;
    /// Makes variables, mutexes and threads, in the same order each time; called at the begin of each run.
    std::function<void(Machine&)> set_up;
    /// Returns whether the state at the end of a run is right; takes no step. May be empty.
    std::function<bool(const Machine&)> holds_at_end;
};

class Machine final : public CandidateSource {
public:
    // Names of things of the running program, to be handed to its threads by value.
    struct Variable {
        std::uint32_t index = 0;
    };
    struct Variables {
        std::uint32_t first = 0;
        Variable operator[](std::int64_t i) const { return {first + static_cast<std::uint32_t>(i)}; }
    };
    struct Mutex {
        std::uint32_t index = 0;
    };
    struct Mutexes {
        std::uint32_t first = 0;
        Mutex operator[](std::int64_t i) const { return {first + static_cast<std::uint32_t>(i)}; }
    };
    struct CondVar {
        std::uint32_t index = 0;
    };
    struct Thread {
        std::uint32_t index = 0;
    };

    /// How a run ended. Stuck, too, is a failure.
    enum class Outcome : std::uint8_t { passed, check_failed, stuck, abandoned, over_budget };

    struct Options {
        bool keeps_going = false;         // past failed checks, to the end of the run
        std::uint64_t steps_max = 10'000;  // more end the run
        bool announces = true;  // no: what a step touches is known only after it, as with tasks (not for mutexes)
    };

    explicit Machine(MachineProgram program) : Machine(std::move(program), Options()) {}
    Machine(MachineProgram program, Options options);

    /// Makes run `number` of a search with `strategy`; returns false if it has no more.
    bool play(Strategy& strategy, std::uint64_t number);

    // ---- of the last run ---------------------------------------------------------------------------------------

    /// One step of the run.
    struct Event {
        std::uint32_t thread = 0;
        std::uint32_t first_touch = 0;  // its footprint
        std::uint32_t touches = 0;
        std::uint32_t first_answer = 0;  // to its data questions
        std::uint32_t answers = 0;
        std::uint32_t woke = none;     // the thread that its signal woke, or that it created
    };
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    const MachineProgram& program() const { return program_; }
    Outcome outcome() const { return outcome_; }
    bool has_failed() const { return outcome_ == Outcome::check_failed || outcome_ == Outcome::stuck; }
    /// Returns whether threads were left that can never go on, whatever else the run was.
    bool is_stuck() const { return is_stuck_; }
    std::span<const Event> events() const { return events_; }
    std::span<const Touch> footprint(const Event& event) const {
        return std::span<const Touch>(touches_).subspan(event.first_touch, event.touches);
    }
    std::uint64_t digest() const { return digest_.value(); }
    /// Equal for runs that differ in the order of independent steps only, as `World::fingerprint`.
    std::uint64_t fingerprint() const { return fingerprint_; }
    std::span<const std::uint32_t> data_classes(const Event& event) const {
        return std::span<const std::uint32_t>(data_).subspan(event.first_answer, event.answers);
    }
    /// Returns whether event `before` created or woke the thread of event `after` and `after` is its next step.
    bool is_cause(std::size_t before, std::size_t after) const;
    std::uint32_t questions() const { return questions_; }
    std::uint32_t threads() const { return static_cast<std::uint32_t>(threads_.size()); }
    std::int64_t value(Variable variable) const { return variables_[variable.index].value; }
    std::span<const Candidate> candidates() override;

    // ---- for set_up --------------------------------------------------------------------------------------------

    Variable variable(std::int64_t initial = 0);
    Variables variables(std::uint32_t count, std::int64_t initial = 0);
    Mutex mutex();
    Mutexes mutexes(std::uint32_t count);
    CondVar cond_var();
    /// Makes a thread that exists from the first step on.
    Thread thread(ThreadBody body);

    // ---- for bodies --------------------------------------------------------------------------------------------

    struct Announced;  // what an operation returns: await it

    [[nodiscard]] Announced read(Variable variable);
    [[nodiscard]] Announced write(Variable variable, std::int64_t value);
    /// Gives the value before.
    [[nodiscard]] Announced fetch_add(Variable variable, std::int64_t value);
    /// Gives 1 if the variable was `expected` and is `desired` now, else 0.
    [[nodiscard]] Announced cas(Variable variable, std::int64_t expected, std::int64_t desired);
    /// Takes one from the variable, waiting while there is none: a semaphore, which `fetch_add` releases.
    [[nodiscard]] Announced acquire(Variable variable);
    [[nodiscard]] Announced lock(Mutex mutex);
    [[nodiscard]] Announced unlock(Mutex mutex);
    [[nodiscard]] Announced wait(CondVar cond_var, Mutex mutex);
    [[nodiscard]] Announced signal(CondVar cond_var);
    /// Gives the number of the new thread, for `Thread{}`.
    [[nodiscard]] Announced spawn(ThreadBody body);
    [[nodiscard]] Announced join(Thread thread);

    /// Asks a data question in the running step: one of `classes` values, 0 the calm one.
    std::uint32_t choose(std::uint32_t classes);
    void check(bool holds) { failed_ = failed_ || !holds; }
    void fail() { failed_ = true; }

private:
    enum class Kind : std::uint8_t {
        none, read, write, fetch_add, cas, acquire, lock, unlock, wait, sleep, reacquire, signal, spawn, join
    };
    struct Pending {
        Kind kind = Kind::none;
        std::uint32_t index = 0;  // of the variable, mutex, condition variable or thread
        std::uint32_t other = 0;  // of a wait: the mutex
        std::int64_t a = 0;
        std::int64_t b = 0;
    };
    struct ThreadState {
        ThreadBody body;
        ThreadBody spawned;            // of an announced spawn
        std::coroutine_handle<> leaf;  // where it goes on
        Pending pending;
        Operation operations[2];  // what it has announced
        std::uint32_t operations_count = 0;
        std::uint32_t step = 0;
        std::int64_t result = 0;
        std::uint64_t creator = 0;
        std::uint64_t chain = 0;   // of the fingerprint
        std::uint64_t ticket = 0;  // its place in the queue of a condition variable
        EntityStep enabled_by;
        WakeReason wake = WakeReason::start;
        bool is_over = false;
        bool is_enabled = false;
    };
    struct Object {
        std::uint64_t key = 0;
        std::int64_t value = 0;  // of a mutex: 1 while it is held
        std::uint64_t write_hash = 0;
        std::uint64_t reads_sum = 0;
    };

    void begin(Strategy& strategy);
    void end(Strategy& strategy);
    Announced announce(Kind kind, std::uint32_t index, std::int64_t a = 0, std::int64_t b = 0);
    void make_step(std::uint32_t who, std::uint32_t taken);
    void execute(std::uint32_t who);
    void go_on(std::uint32_t who);
    void list_operations(ThreadState& thread);
    bool can_go(const ThreadState& thread) const;
    void look_who_can_go(std::uint32_t stepped);
    void wake_first(std::uint32_t cond_var);
    void touch(Object& object, Access access);
    void tell_step(std::uint32_t who, WakeReason wake, std::span<const Operation> pending);
    void list_ready();
    bool ask(ChoiceKind kind, std::uint32_t classes, std::uint32_t& taken);
    bool is_over() const { return abandoned_ || (failed_ && !options_.keeps_going); }
    EntityStep step_of(std::uint32_t who) const { return {keys_[who], threads_[who].step}; }
    EntityKind kind() const { return options_.announces ? EntityKind::thread : EntityKind::task; }
    std::span<const Operation> pending_of(const ThreadState& thread) const {
        return {thread.operations, options_.announces ? thread.operations_count : 0};
    }

    MachineProgram program_;
    Options options_;
    Strategy* strategy_ = nullptr;
    Strategy::Needs needs_;
    Question question_;
    std::vector<std::uint64_t> keys_;  // of threads, for good
    std::vector<Object> variables_;
    std::vector<Object> mutexes_;
    std::vector<Object> cond_vars_;
    std::vector<Object> ends_;  // of the threads: what join reads
    std::vector<ThreadState> threads_;
    std::uint32_t running_ = 0;
    std::uint64_t tickets_ = 0;
    bool failed_ = false;
    bool abandoned_ = false;
    bool is_stuck_ = false;
    bool affects_others_ = false;  // the step may have enabled or disabled other threads
    Outcome outcome_ = Outcome::passed;
    Digest digest_;
    std::uint64_t fingerprint_ = 0;
    std::uint32_t questions_ = 0;
    std::uint32_t ordinal_ = 0;
    std::vector<Event> events_;
    std::vector<Touch> touches_;
    std::vector<Candidate> candidates_;
    std::vector<std::uint32_t> ready_;  // the threads that can go, by class
    std::vector<std::uint64_t> created_keys_;
    std::vector<std::uint64_t> enabled_keys_;
    std::vector<std::uint64_t> disabled_keys_;
    std::vector<std::uint32_t> data_;        // answers to data questions
    std::vector<Blocked> blocked_;
};

/// An operation, announced when it is awaited; awaiting gives its result.
struct Machine::Announced {
    Machine& machine;
    Pending pending;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> leaf) noexcept {
        ThreadState& thread = machine.threads_[machine.running_];
        thread.pending = pending;
        thread.leaf = leaf;
        machine.list_operations(thread);
    }
    std::int64_t await_resume() const noexcept { return machine.threads_[machine.running_].result; }
};

}  // namespace mishap::test
