#include "exploration/random_tasks.hpp"

#include <chrono>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/event.hpp>
#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/queue.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/sim/choose.hpp>
#include <mishap/sim/prng.hpp>

namespace mishap::test {

namespace {

enum class Verb : std::uint8_t {
    give_way, nap, load, store, fetch_add, cas, lock, unlock, put, get, event_wait, event_set, choose, chance, skip_if_odd, cancel
};

constexpr const char* names[] = {"give_way", "nap",  "load",       "store",     "fetch_add", "cas",    "lock",        "unlock",
                                 "put",      "get",  "event_wait", "event_set", "choose",    "chance", "skip_if_odd", "cancel"};

struct Act {
    Verb verb = Verb::give_way;
    int operand = 0;
};
using Script = std::vector<Act>;

struct Things {
    Shared<int> cells[2];
    Lock lock;
    Queue<int> queue{1};
    Event event;
    std::vector<Task<void>> tasks;
};

/// Gives the lock back, however its task ends.
class Holding {
public:
    explicit Holding(Lock& lock) : lock_(lock) {}
    ~Holding() { release(); }
    Holding(const Holding&) = delete;
    Holding& operator=(const Holding&) = delete;
    void acquire() {
        lock_.acquire();
        holds_ = true;
    }
    void release() {
        if (holds_) {
            holds_ = false;
            lock_.release();
        }
    }

private:
    Lock& lock_;
    bool holds_ = false;
};

void play(const Script& script, Things& things) {
    Holding holding(things.lock);
    int last = 0;
    for (std::size_t i = 0; i < script.size(); ++i) {
        const int operand = script[i].operand;
        Shared<int>& cell = things.cells[operand % 2];
        switch (script[i].verb) {
            case Verb::give_way: sleep(std::chrono::seconds(0)); break;
            case Verb::nap: sleep(std::chrono::seconds(operand)); break;
            case Verb::load: last = cell.load(); break;
            case Verb::store: cell.store(last + 1); break;
            case Verb::fetch_add: last = cell.fetch_add(1); break;
            case Verb::cas: {
                int expected = 1;
                cell.compare_exchange(expected, 2);
                break;
            }
            case Verb::lock: holding.acquire(); break;
            case Verb::unlock: holding.release(); break;
            case Verb::put: things.queue.put(operand); break;
            case Verb::get: last = things.queue.get(); break;
            case Verb::event_wait: things.event.wait(); break;
            case Verb::event_set: things.event.set(); break;
            case Verb::choose: last = static_cast<int>(choose(static_cast<std::uint32_t>(operand), "which")); break;
            case Verb::chance: last = chance({1, 4}, "perhaps") ? 1 : 0; break;
            case Verb::skip_if_odd: i += last % 2 != 0 ? 1 : 0; break;
            case Verb::cancel: things.tasks[static_cast<std::size_t>(operand)].cancel(); break;
        }
    }
}

class Writer {
public:
    Writer(std::uint64_t seed, const TaskShape& shape) : prng_(mix(seed, 78)), shape_(shape) {}

    std::vector<Script> write() {
        tasks_ = 2 + prng_.below(shape_.tasks - 1);
        std::vector<Script> scripts;
        for (std::uint32_t i = 0; i < tasks_; ++i) {
            scripts.push_back(script());
        }
        return scripts;
    }

private:
    Script script() {
        Script result;
        const std::uint32_t size = 1 + prng_.below(shape_.operations);
        while (result.size() < size) {
            add(result);
        }
        return result;
    }

    void add(Script& result) {
        switch (prng_.below(12)) {
            case 0:
                if (shape_.has_locks) {
                    result.push_back({Verb::lock});
                    result.push_back(access());
                    result.push_back(prng_.below(2) == 0 ? Act{Verb::give_way} : access());
                    result.push_back({Verb::unlock});
                    return;
                }
                break;
            case 1:
                if (shape_.has_queues) {
                    result.push_back(prng_.below(2) == 0 ? Act{Verb::put, 1} : Act{Verb::get});
                    return;
                }
                break;
            case 2:
                if (shape_.has_events) {
                    result.push_back(prng_.below(2) == 0 ? Act{Verb::event_wait} : Act{Verb::event_set});
                    return;
                }
                break;
            case 3:
            case 4:
                if (shape_.has_timers) {
                    result.push_back({Verb::nap, 1 + static_cast<int>(prng_.below(2))});
                    return;
                }
                break;
            case 5:
            case 6:
                if (shape_.has_data) {
                    result.push_back(prng_.below(2) == 0 ? Act{Verb::choose, 2 + static_cast<int>(prng_.below(2))}
                                                         : Act{Verb::chance});
                    result.push_back({Verb::skip_if_odd});
                    result.push_back(prng_.below(3) == 0 ? Act{Verb::give_way} : access());
                    return;
                }
                break;
            case 7:
                if (shape_.has_cancels) {
                    result.push_back({Verb::cancel, static_cast<int>(prng_.below(tasks_))});
                    return;
                }
                break;
            case 8:
            case 9: result.push_back({Verb::give_way}); return;
            default: break;
        }
        result.push_back(access());
    }

    Act access() {
        constexpr Verb verbs[] = {Verb::load, Verb::store, Verb::fetch_add, Verb::load, Verb::cas};
        const Verb verb = verbs[prng_.below(5)];
        return {verb, static_cast<int>(prng_.below(2))};
    }

    Prng prng_;
    const TaskShape& shape_;
    std::uint32_t tasks_ = 0;
};

}  // namespace

RandomTasks random_tasks(std::uint64_t seed, const TaskShape& shape) {
    const auto scripts = std::make_shared<const std::vector<Script>>(Writer(seed, shape).write());
    RandomTasks program;
    program.text = fmt::format("program {}", seed);
    for (const Script& script : *scripts) {
        program.text += "\n   ";
        for (const Act& act : script) {
            program.text += fmt::format(" {}({})", names[static_cast<std::size_t>(act.verb)], act.operand);
        }
    }
    program.body = [scripts] {
        Things things;
        for (const Script& script : *scripts) {
            things.tasks.push_back(create_task([&script, &things] { play(script, things); }));
        }
        gather(return_exceptions, things.tasks);
    };
    return program;
}

}  // namespace mishap::test
