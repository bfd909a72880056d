#pragma once

// What must hold of every run of every program here. None of them knows a bug: each watches what a user of a primitive
// sees.
//
// Objects of these classes are shared by reference among the tasks of a program, so the program waits for its tasks
// (`join`). What a task may still hold when its program has ended, because it is an orphan, keeps its state alive.

#include <algorithm>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <mishap/mishap.hpp>

#include "bug.hpp"

namespace bugs {

/// Claims an invariant. The finding's label is the invariant's text, so that a test can tell which one failed.
inline void claim(bool holds, Invariant invariant, mishap::Place place = mishap::Place::here()) {
    mishap::always(holds, text(invariant), place);
}

/// Waits for tasks, however they end. An error is an error of the program; a cancellation is not.
template <class... T>
void join(const mishap::Task<T>&... tasks) {
    const auto outcomes = mishap::gather(mishap::return_exceptions, tasks...);
    const auto look = [](const std::exception_ptr& exception) {
        try {
            if (exception != nullptr) {
                std::rethrow_exception(exception);
            }
        } catch (const mishap::CancelledError&) {
        }
    };
    std::apply([&](const auto&... outcome) { (look(outcome.exception()), ...); }, outcomes);
}

/// As above, for any number of tasks.
template <class T>
void join(const std::vector<mishap::Task<T>>& tasks) {
    for (const mishap::Task<T>& task : tasks) {
        join(task);
    }
}

/// Runs the body of a task that is to end without an error: one is a finding at once, not when the task is waited for.
template <class F>
void without_errors(F&& body, mishap::Place place = mishap::Place::here()) {
    try {
        body();
    } catch (const std::exception&) {
        claim(false, Invariant::no_error, place);
    }
}

/// At most `limit` tasks are inside at a time.
class MutualExclusion {
public:
    explicit MutualExclusion(int limit = 1) : limit_(limit) {}

    /// Being inside.
    class Inside {
    public:
        explicit Inside(MutualExclusion& exclusion, mishap::Place place = mishap::Place::here())
            : exclusion_(exclusion) {
            claim(++exclusion_.inside_ <= exclusion_.limit_, Invariant::mutual_exclusion, place);
        }
        ~Inside() { --exclusion_.inside_; }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;

    private:
        MutualExclusion& exclusion_;
    };

private:
    int limit_;
    int inside_ = 0;
};

/// Holds a lock, a semaphore or anything else that has `acquire` and `release` for a scope.
template <class L>
class Held {
public:
    explicit Held(L& lock) : lock_(lock) { lock_.acquire(); }
    ~Held() { lock_.release(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

private:
    L& lock_;
};

/// A lock that knows who has it: a task that gives up what it does not hold is wrong, even if somebody else holds it.
class OwnedLock {
public:
    void acquire() {
        lock_.acquire();
        owner_ = mishap::current_task();
    }
    void release(mishap::Place place = mishap::Place::here()) {
        claim(owner_ == mishap::current_task(), Invariant::ownership, place);
        owner_ = {};
        lock_.release();
    }

private:
    mishap::Lock lock_;
    mishap::AnyTask owner_;
};

/// Nobody is overtaken more than `most` times by who came later; with 0 this is the order of arrival.
class BoundedBypass {
public:
    using Ticket = std::size_t;

    explicit BoundedBypass(int most = 0) : most_(most) {}

    /// Arrives, and joins those who are to be served.
    Ticket arrive() {
        waiting_.push_back({next_, 0});
        return next_++;
    }
    /// Is served: everybody who came earlier and still waits has been overtaken.
    void serve(Ticket ticket, mishap::Place place = mishap::Place::here()) {
        for (Waiting& waiting : waiting_) {
            if (waiting.ticket < ticket) {
                claim(++waiting.overtaken <= most_,
                      most_ == 0 ? Invariant::arrival_order : Invariant::bounded_bypass, place);
            }
        }
        give_up(ticket);
    }
    /// Leaves without having been served.
    void give_up(Ticket ticket) {
        std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.ticket == ticket; });
    }

private:
    struct Waiting {
        Ticket ticket = 0;
        int overtaken = 0;
    };
    int most_;
    Ticket next_ = 0;
    std::vector<Waiting> waiting_;  // in the order of arrival
};

/// What goes in comes out, or is still there: each item once.
class DeliveredOnce {
public:
    void put(int item) { ++balance_[item]; }
    /// Is to be called for every item that came out, and at the end for those that are still inside.
    void got(int item, mishap::Place place = mishap::Place::here()) {
        claim(--balance_[item] >= 0, Invariant::delivered_once, place);
    }
    /// Claims that nothing is missing.
    void check(mishap::Place place = mishap::Place::here()) const {
        for (const auto& [item, count] : balance_) {
            claim(count == 0, Invariant::delivered_once, place);
        }
    }

private:
    std::map<int, int> balance_;
};

/// Permits, connections, file descriptors: what was acquired is given back.
class Permits {
public:
    explicit Permits(int total) : total_(total) {}
    int take(mishap::Place place = mishap::Place::here()) {
        claim(++held_ <= total_, Invariant::permits, place);
        return held_;
    }
    void give_back(mishap::Place place = mishap::Place::here()) {
        claim(--held_ >= 0, Invariant::permits, place);
    }
    /// Claims that whoever gives the permits out has as many as must be left.
    void check(int free, mishap::Place place = mishap::Place::here()) const {
        claim(free + held_ == total_, Invariant::permits, place);
    }
    int held() const { return held_; }

private:
    int total_;
    int held_ = 0;
};

/// A request for cancellation that was accepted ends the task, or is taken back by who made it.
class CancelHonoured {
public:
    /// Cancels a task and remembers if it agreed.
    template <class T>
    void cancel(const mishap::Task<T>& task) {
        if (task.cancel()) {
            agreed_.push_back(task);
        }
    }
    /// Claims, after the tasks were waited for, that all who agreed did.
    void check(mishap::Place place = mishap::Place::here()) const {
        for (const mishap::AnyTask& task : agreed_) {
            claim(task.cancelled(), Invariant::cancel_honoured, place);
        }
    }

    /// Runs the body of a task: when it returns although a request is open, it has swallowed it. Injected requests
    /// count.
    template <class F>
    static void run(F&& body, mishap::Place place = mishap::Place::here()) {
        body();
        claim(mishap::current_task().cancelling() == 0, Invariant::cancel_honoured, place);
    }

private:
    std::vector<mishap::AnyTask> agreed_;
};

/// A scope leaves the count of requests for cancellation as it found it, unless it ends by one.
class CancelBalanced {
public:
    CancelBalanced() : before_(mishap::current_task().cancelling()) {}
    void check(mishap::Place place = mishap::Place::here()) const {
        claim(mishap::current_task().cancelling() == before_, Invariant::cancel_balanced, place);
    }

private:
    int before_;
};

/// What a scope began has ended when the scope has.
class NoOrphan {
public:
    /// Something that must not outlive the scope: the body of a task says so.
    class Alive {
    public:
        explicit Alive(const NoOrphan& scope) : alive_(scope.alive_) { ++*alive_; }
        ~Alive() { --*alive_; }
        Alive(const Alive&) = delete;
        Alive& operator=(const Alive&) = delete;

    private:
        std::shared_ptr<int> alive_;  // of an orphan this is all that is left
    };

    void check(mishap::Place place = mishap::Place::here()) const {
        claim(*alive_ == 0, Invariant::no_orphan, place);
    }

private:
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

/// A protocol's view of its connection.
class Lifecycle {
public:
    void made(mishap::Place place = mishap::Place::here()) {
        claim(state_ == State::created, Invariant::lifecycle, place);
        state_ = State::open;
    }
    void data(mishap::Place place = mishap::Place::here()) const {
        claim(state_ == State::open, Invariant::lifecycle, place);
    }
    void eof(mishap::Place place = mishap::Place::here()) {
        claim(state_ == State::open, Invariant::lifecycle, place);
        state_ = State::half_closed;
    }
    void lost(mishap::Place place = mishap::Place::here()) {
        claim(state_ == State::open || state_ == State::half_closed, Invariant::lifecycle, place);
        state_ = State::lost;
    }
    bool is_lost() const { return state_ == State::lost; }

private:
    enum class State { created, open, half_closed, lost };
    State state_ = State::created;
};

/// No callback throws: what one throws ends in the loop's exception handler, where nobody reads it.
class NoLoopErrors {
public:
    NoLoopErrors() {
        mishap::get_running_loop().set_exception_handler(
            [errors = errors_](mishap::EventLoop&, const mishap::LoopException& error) {
                *errors += error.message == "Exception in callback" ? 1 : 0;
            });
    }
    ~NoLoopErrors() {
        if (loop_ != nullptr) {
            loop_->set_exception_handler(nullptr);
        }
    }
    NoLoopErrors(const NoLoopErrors&) = delete;
    NoLoopErrors& operator=(const NoLoopErrors&) = delete;
    void check(mishap::Place place = mishap::Place::here()) const {
        claim(*errors_ == 0, Invariant::no_error, place);
    }

private:
    mishap::EventLoop* loop_ = &mishap::get_running_loop();
    std::shared_ptr<int> errors_ = std::make_shared<int>(0);
};

}  // namespace bugs
