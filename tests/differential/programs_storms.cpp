// Programs drawn from a seed: whatever meets whatever; programs_storms.py is its twin and draws the same.

#include <memory>

#include <mishap/primitives/event.hpp>
#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/queue.hpp>
#include <mishap/primitives/semaphore.hpp>
#include <mishap/primitives/task_group.hpp>
#include <mishap/primitives/timeout.hpp>
#include <mishap/primitives/wait_for.hpp>

#include "differential/program.hpp"

namespace mishap::test {

namespace {

constexpr int storms = 60;
constexpr int depth_max = 3;
const std::vector<std::string> leaves = {"yield",           "yield",  "sleep",  "sleep",    "set",
                                         "clear",           "wait",   "put",    "get",      "put_nowait",
                                         "get_nowait",      "cancel", "cancel", "uncancel", "complete",
                                         "wait_for_future", "join",   "soon",   "later",    "fail"};
const std::vector<std::string> branches = {"lock",          "lock",    "permit",
                                           "permit",        "timeout", "wait_for",
                                           "wait_for_task", "gather",  "gather_exceptions",
                                           "group",         "catch",   "catch",
                                           "spawn"};

/// A linear congruential generator, the same in both languages.
class Draw {
public:
    explicit Draw(std::uint64_t seed) : state_(seed) {}
    std::size_t operator()(std::size_t limit) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return (state_ >> 33U) % limit;
    }

private:
    std::uint64_t state_;
};

struct Operation {
    Operation(Draw& draw, int depth) {
        const bool is_leaf = depth == depth_max || draw(2) == 0;
        const std::vector<std::string>& kinds = is_leaf ? leaves : branches;
        kind = kinds[draw(kinds.size())];
        number = static_cast<int>(draw(4));
        const int count = kind == "group" ? 3 : kind == "gather" || kind == "gather_exceptions" ? 2 : 1;
        for (int i = 0; !is_leaf && i < count; ++i) {
            children.emplace_back(draw, depth + 1);
        }
    }
    std::string kind;
    int number = 0;
    std::vector<Operation> children;
};

class Storm {
public:
    Storm(Log& log, std::uint64_t seed) : log_(log), loop_(log.loop) {
        Draw draw(seed);
        for (int i = 0; i < 4; ++i) {
            futures_.push_back(loop_.create_future<void>());
        }
        for (int worker = 0; worker < 4; ++worker) {
            std::vector<Operation>& script = scripts_.emplace_back();
            for (std::size_t left = 2 + draw(5); left > 0; --left) {
                script.emplace_back(draw, 0);
            }
        }
    }

    void main() {
        for (int n = 0; n < 4; ++n) {
            workers_.push_back(spawn([this, n] { work(n); }, "w" + text(n)));
        }
        for (const Task<void>& worker : workers_) {
            log_.attempt("join", [&] { await(worker); });
        }
    }

private:
    static std::size_t at(int number) { return static_cast<std::size_t>(number); }

    void work(int who) {
        for (const Operation& operation : scripts_[at(who)]) {
            run(operation, who);
        }
    }

    void complete(int number) {
        if (futures_[at(number)].done()) {
            futures_[at(number)] = loop_.create_future<void>();
        } else {
            futures_[at(number)].set_result();
        }
    }

    void call_back(int number) {
        log_("called " + text(number));
        if (number == 0) {
            event_.set();
        } else if (number == 1) {
            complete(number);
        } else {
            workers_[at(number)].cancel();
        }
    }

    Task<void> start(const Operation& child, int who, int number) {
        return spawn([this, &child, who] { run(child, who); },
                     current_task().get_name() + "." + text(number));
    }

    void run(const Operation& operation, int who) {
        if (!operation.children.empty()) {
            branch(operation, who);
        } else {
            leaf(operation.kind, operation.number, who);
        }
        log_(operation.kind + " " + text(operation.number));
    }

    void leaf(const std::string& kind, int number, int who) {
        if (kind == "yield") {
            sleep(std::chrono::seconds(0));
        } else if (kind == "sleep") {
            sleep(std::chrono::seconds(number));
        } else if (kind == "set") {
            event_.set();
        } else if (kind == "clear") {
            event_.clear();
        } else if (kind == "wait") {
            event_.wait();
        } else if (kind == "put") {
            queue_.put(number);
        } else if (kind == "get") {
            const int item = queue_.get();
            log_("got " + text(item));
        } else if (kind == "put_nowait") {
            queue_.put_nowait(number);
        } else if (kind == "get_nowait") {
            log_("got " + text(queue_.get_nowait()));
        } else if (kind == "cancel") {
            log_(workers_[at(number)].cancel() ? "cancels True" : "cancels False");
        } else if (kind == "uncancel") {
            log_("left " + text(current_task().uncancel()));
        } else if (kind == "complete") {
            complete(number);
        } else if (kind == "wait_for_future") {
            await(futures_[at(number)]);
        } else if (kind == "join") {
            if (number > who) {  // never in a circle
                await(workers_[at(number)]);
            }
        } else if (kind == "soon") {
            loop_.call_soon([this, number] { call_back(number); });
        } else if (kind == "later") {
            loop_.call_later(std::chrono::seconds(number), [this, number] { call_back(number); });
        } else if (kind == "fail") {
            boom("storm");
        }
    }

    void branch(const Operation& operation, int who) {
        const std::string& kind = operation.kind;
        const Operation& first = operation.children.front();
        const std::chrono::seconds delay(operation.number);
        const auto run_first = [&] { run(first, who); };
        if (kind == "lock") {
            const std::unique_lock<Lock> guard = lock_.guard();
            run_first();
        } else if (kind == "permit") {
            const std::unique_lock<Semaphore> guard = semaphore_.guard();
            run_first();
        } else if (kind == "timeout") {
            timeout(delay, run_first);
        } else if (kind == "wait_for") {
            wait_for(run_first, delay);
        } else if (kind == "wait_for_task") {
            wait_for(start(first, who, 0), delay);
        } else if (kind == "gather" || kind == "gather_exceptions") {
            std::vector<Task<void>> tasks;
            for (const Operation& child : operation.children) {
                tasks.push_back(start(child, who, static_cast<int>(tasks.size())));
            }
            if (kind == "gather") {
                gather(tasks);
            } else {
                gather(return_exceptions, tasks);
            }
        } else if (kind == "group") {
            task_group([&](TaskGroup& group) {
                for (std::size_t i = 1; i < operation.children.size(); ++i) {
                    const Operation& child = operation.children[i];
                    group.create_task([this, &child, who] { run(child, who); },
                                      {.name = current_task().get_name() + "+"});
                }
                run_first();
            });
        } else if (kind == "catch") {
            log_.attempt("caught", run_first);
        } else if (kind == "spawn") {
            start(first, who, 0);
        }
    }

    Log& log_;
    EventLoop& loop_;
    Lock lock_;
    Semaphore semaphore_{2};
    Event event_;
    Queue<int> queue_{2};
    std::vector<Future<void>> futures_;
    std::vector<std::vector<Operation>> scripts_;
    std::vector<Task<void>> workers_;
};

}  // namespace

Program storm_program(std::uint64_t seed) {
    return {"storms/" + std::to_string(seed),
            [seed](Log& log) {
                const auto storm = std::make_shared<Storm>(log, seed);
                log.kept = storm;
                storm->main();
            },
            {}};
}

std::vector<Program> storm_programs() {
    std::vector<Program> all;
    for (std::uint64_t seed = 0; seed < storms; ++seed) {
        all.push_back(storm_program(seed));
    }
    return all;
}

}  // namespace mishap::test
