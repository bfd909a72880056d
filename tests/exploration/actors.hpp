#pragma once

// Programs of a few shared variables and mutexes, played by simulated threads or by tasks.
//
// The text of a program is the same for both, and the same as for the model machine of tests/sim, so that what holds of
// the model can be checked on the real thing. Threads are preempted before each operation; tasks give way before each, which
// is all that a scheduler can do to them.

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include <mishap/primitives/cond_var.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/mutex.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/primitives/thread.hpp>
#include <mishap/properties/claims.hpp>

namespace mishap::test {

class Actors {
public:
    enum class Kind : std::uint8_t { threads, tasks };

    // Names of the program's things, handed around by value.
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

    explicit Actors(Kind kind) : kind_(kind) {}

    // ---- set up ------------------------------------------------------------------------------------------------

    Variable variable(std::int64_t initial = 0) {
        variables_.emplace_back(initial);
        return {static_cast<std::uint32_t>(variables_.size() - 1)};
    }
    Variables variables(std::uint32_t count, std::int64_t initial = 0) {
        const auto first = static_cast<std::uint32_t>(variables_.size());
        for (std::uint32_t i = 0; i < count; ++i) {
            variables_.emplace_back(initial);
        }
        return {first};
    }
    Mutex mutex() { return mutexes(1)[0]; }
    Mutexes mutexes(std::uint32_t count) {
        const auto first = static_cast<std::uint32_t>(kind_ == Kind::threads ? mutexes_.size() : locks_.size());
        for (std::uint32_t i = 0; i < count; ++i) {
            if (kind_ == Kind::threads) {
                mutexes_.emplace_back();
            } else {
                locks_.emplace_back();
            }
        }
        return {first};
    }
    CondVar cond_var() {
        cond_vars_.emplace_back();
        return {static_cast<std::uint32_t>(cond_vars_.size() - 1)};
    }
    /// Adds an actor; they all begin when the program has been set up.
    void thread(std::function<void()> body) { bodies_.push_back(std::move(body)); }

    /// Lets the actors act, and waits for them.
    void run();

    // ---- for bodies --------------------------------------------------------------------------------------------

    std::int64_t read(Variable x) { return cell(x).load(); }
    void write(Variable x, std::int64_t value) { cell(x).store(value); }
    std::int64_t fetch_add(Variable x, std::int64_t value) { return cell(x).fetch_add(value); }
    std::int64_t cas(Variable x, std::int64_t expected, std::int64_t desired) {
        return cell(x).compare_exchange(expected, desired) ? 1 : 0;
    }
    void lock(Mutex mutex);
    void unlock(Mutex mutex);
    /// Of threads only.
    void wait(CondVar cond_var, Mutex mutex) { cond_vars_[cond_var.index].wait(mutexes_[mutex.index]); }
    void signal(CondVar cond_var) { cond_vars_[cond_var.index].notify_one(); }

    void check(bool holds) { always(holds, "the program's own check"); }
    void fail() { check(false); }
    std::int64_t value(Variable x) { return variables_[x.index].load(); }

private:
    void before();
    Shared<std::int64_t>& cell(Variable x) {
        before();
        return variables_[x.index];
    }

    Kind kind_;
    std::deque<Shared<std::int64_t>> variables_;
    std::deque<mishap::Mutex> mutexes_;
    std::deque<Lock> locks_;
    std::deque<mishap::CondVar> cond_vars_;
    std::vector<std::function<void()>> bodies_;
};

/// A program for actors.
struct ActorProgram {
    std::string name;
    std::function<void(Actors&)> set_up;
    /// Returns whether the state at the end is right. May be empty.
    std::function<bool(Actors&)> holds_at_end;

    /// Runs it once: to be given to explore().
    void run(Actors::Kind kind) const {
        Actors actors(kind);
        set_up(actors);
        actors.run();
        if (holds_at_end) {
            actors.check(holds_at_end(actors));
        }
    }
    /// Returns it as a function without arguments.
    std::function<void()> on(Actors::Kind kind) const {
        return [program = *this, kind] { program.run(kind); };
    }
};

}  // namespace mishap::test
