#pragma once

// What the programs of this folder are written with; program.py is its twin.

#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/event_loop.hpp>
#include <mishap/loop/sleep.hpp>

namespace mishap::test {

/// The error that programs throw themselves.
class Boom : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

[[noreturn]] inline void boom(const char* what) { throw Boom(what); }

/// Says in one word or two what was thrown, in terms that both languages have.
std::string describe(const std::exception_ptr& exception);

/// Keeps the lines of one run: (virtual time) task what.
class Log {
public:
    explicit Log(EventLoop& loop_) : loop(loop_) {}

    void operator()(const std::string& what);

    /// Runs `body` and logs how it ends; whatever it throws ends here.
    template <class F>
    void attempt(const std::string& what, F body) {
        try {
            body();
        } catch (const CancelledError&) {
            failed(what);
            return;
        } catch (const std::exception&) {
            failed(what);
            return;
        }
        (*this)(what + ": done");
    }

    /// Runs `body` and logs what it throws, which goes on.
    template <class F>
    auto watch(const std::string& what, F body) {
        try {
            return body();
        } catch (const CancelledError&) {
            failed(what);
            throw;
        } catch (const std::exception&) {
            failed(what);
            throw;
        }
    }

    /// Waits for every task and logs how it ended.
    void join_all(const std::vector<Task<void>>& tasks) {
        for (const Task<void>& task : tasks) {
            attempt("join", [&] { await(task); });
        }
    }

    /// Runs the loop until `future` is done, and logs how it ended.
    void run(const detail::AnyFuture& future);

    EventLoop& loop;
    std::vector<std::string> lines;
    std::shared_ptr<void> kept;  // what tasks may use until the last of them has ended

private:
    void failed(const std::string& what) { (*this)(what + ": " + describe(std::current_exception())); }
};

template <class F>
auto spawn(F&& function, std::string_view name) {
    return create_task(std::forward<F>(function), {.name = name});
}

inline std::string text(std::int64_t number) { return std::to_string(number); }
inline std::string truth(bool value) { return value ? "True" : "False"; }

/// A program: runs the loop itself, or is run as the task `main`.
struct Program {
    std::string name;
    std::function<void(Log&)> main;
    std::function<void(Log&)> with_loop;
};

std::vector<Program> task_programs();
std::vector<Program> loop_programs();
std::vector<Program> lock_programs();
std::vector<Program> queue_programs();
std::vector<Program> condition_programs();
std::vector<Program> gather_programs();
std::vector<Program> timeout_programs();
std::vector<Program> group_programs();
std::vector<Program> wait_programs();
std::vector<Program> context_programs();
/// Programs drawn from seeds, all in one log.
std::vector<Program> storm_programs();
Program storm_program(std::uint64_t seed);

/// Runs a program in a new calm world and returns its log.
std::vector<std::string> run_program(const Program& program, const WorldOptions& options);

}  // namespace mishap::test
