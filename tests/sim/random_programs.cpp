#include "sim/random_programs.hpp"

#include <memory>
#include <string>
#include <vector>

#include <mishap/sim/prng.hpp>

namespace mishap::test {

namespace {

enum class Verb : std::uint8_t {
    read, write, write_last, fetch_add, cas, acquire, lock, unlock, wait, signal, skip_if_last_is_odd, choose, spawn, join
};

struct Order {
    Verb verb = Verb::read;
    std::uint32_t object = 0;
    std::int64_t a = 0;
    std::int64_t b = 0;
};

using Script = std::vector<Order>;

struct Scripts {
    std::vector<Script> threads;
    std::vector<bool> is_spawned;  // by another thread, not there from the beginning
};

struct Things {
    Machine::Variables variables;
    Machine::Mutexes mutexes;
    std::uint32_t cond_vars = 0;
};

ThreadBody play_script(Machine& m, const Scripts& scripts, std::size_t self, Things things) {
    std::int64_t last = 0;
    std::uint32_t child = Machine::none;
    const Script& script = scripts.threads[self];
    for (std::size_t i = 0; i < script.size(); ++i) {
        const Order order = script[i];
        switch (order.verb) {
            case Verb::read: last = co_await m.read(things.variables[order.object]); break;
            case Verb::write: co_await m.write(things.variables[order.object], order.a); break;
            case Verb::write_last: co_await m.write(things.variables[order.object], last + 1); break;
            case Verb::fetch_add: last = co_await m.fetch_add(things.variables[order.object], order.a); break;
            case Verb::cas: last = co_await m.cas(things.variables[order.object], order.a, order.b); break;
            case Verb::acquire: last = co_await m.acquire(things.variables[order.object]); break;
            case Verb::lock: co_await m.lock(things.mutexes[order.object]); break;
            case Verb::unlock: co_await m.unlock(things.mutexes[order.object]); break;
            case Verb::wait: co_await m.wait({order.object}, things.mutexes[order.a]); break;
            case Verb::signal: co_await m.signal({order.object}); break;
            case Verb::skip_if_last_is_odd: i += last % 2 != 0 ? 1 : 0; break;
            case Verb::choose: last = m.choose(order.object); break;
            case Verb::spawn:
                child = static_cast<std::uint32_t>(
                    co_await m.spawn(play_script(m, scripts, static_cast<std::size_t>(order.a), things)));
                break;
            case Verb::join:
                if (child != Machine::none) {
                    co_await m.join({child});
                }
                break;
        }
    }
}

class Writer {
public:
    Writer(std::uint64_t seed, const RandomShape& shape) : prng_(mix(seed, 77)), shape_(shape) {}

    Scripts write() {
        Scripts scripts;
        const std::uint32_t threads = 2 + prng_.below(shape_.threads - 1);
        for (std::uint32_t i = 0; i < threads; ++i) {
            scripts.threads.push_back(script());
            scripts.is_spawned.push_back(false);
        }
        if (shape_.has_spawns) {
            // The last thread is made by the first, and perhaps joined.
            scripts.is_spawned.back() = true;
            Script& first = scripts.threads.front();
            const auto at = static_cast<std::ptrdiff_t>(prng_.below(static_cast<std::uint32_t>(first.size() + 1)));
            first.insert(first.begin() + at, {Verb::spawn, 0, threads - 1, 0});
            if (shape_.has_joins && prng_.below(2) == 0) {
                first.push_back({Verb::join});
                first.push_back(access());
            }
        }
        return scripts;
    }

private:
    Script script() {
        Script result;
        const std::uint32_t size = 1 + prng_.below(shape_.operations);
        while (result.size() < size) {
            add(result, size);
        }
        return result;
    }

    void add(Script& result, std::uint32_t size) {
        const std::uint32_t drawn = prng_.below(8);
        if (drawn == 0 && shape_.has_branches) {
            result.push_back({Verb::skip_if_last_is_odd});
            result.push_back(access());
        } else if (drawn <= 1 && shape_.data_classes > 1 && !result.empty()) {
            result.push_back({Verb::choose, shape_.data_classes});
            result.push_back(prng_.below(2) == 0 ? Order{Verb::write_last, variable()}
                                                 : Order{Verb::skip_if_last_is_odd});
            result.push_back(access());
        } else if (drawn == 2 && shape_.cond_vars != 0) {
            result.push_back({Verb::signal, prng_.below(shape_.cond_vars)});
        } else if (drawn <= 4 && shape_.semaphores != 0) {
            const std::uint32_t semaphore = shape_.variables + prng_.below(shape_.semaphores);
            result.push_back(prng_.below(2) == 0 ? Order{Verb::acquire, semaphore}
                                                 : Order{Verb::fetch_add, semaphore, 1});
        } else if (drawn <= 5 && shape_.mutexes != 0) {
            section(result, size, 0);
        } else {
            result.push_back(access());
        }
    }

    /// A critical section; one within another takes another mutex, in any order.
    void section(Script& result, std::uint32_t size, std::uint32_t depth) {
        const std::uint32_t mutex = (outer_ + (depth == 0 ? prng_.below(shape_.mutexes) : 1)) % shape_.mutexes;
        result.push_back({Verb::lock, mutex});
        if (depth == 0 && shape_.mutexes > 1 && prng_.below(2) == 0) {
            outer_ = mutex;
            section(result, size, 1);
        } else if (shape_.cond_vars != 0 && prng_.below(3) == 0) {
            result.push_back({Verb::wait, prng_.below(shape_.cond_vars), mutex});
        } else if (result.size() < size) {
            result.push_back(access());
        }
        result.push_back({Verb::unlock, mutex});
    }

    Order access() {
        const std::uint32_t drawn = prng_.below(shape_.has_updates ? 6 : 3);
        switch (drawn) {
            case 0: return {Verb::read, variable()};
            case 1: return {Verb::write, variable(), prng_.below(3)};
            case 2: return prng_.below(2) == 0 ? Order{Verb::write_last, variable()} : Order{Verb::read, variable()};
            case 3: return {Verb::fetch_add, variable(), 1};
            default: return {Verb::cas, variable(), prng_.below(3), prng_.below(3)};
        }
    }
    std::uint32_t variable() { return prng_.below(shape_.variables); }

    Prng prng_;
    RandomShape shape_;
    std::uint32_t outer_ = 0;
};

}  // namespace

MachineProgram random_program(std::uint64_t seed, const RandomShape& shape) {
    const auto scripts = std::make_shared<const Scripts>(Writer(seed, shape).write());
    return {"random program " + std::to_string(seed), [scripts, shape](Machine& m) {
                Things things{m.variables(shape.variables + shape.semaphores), m.mutexes(shape.mutexes), shape.cond_vars};
                for (std::uint32_t i = 0; i < shape.cond_vars; ++i) {
                    m.cond_var();
                }
                for (std::size_t i = 0; i < scripts->threads.size(); ++i) {
                    if (!scripts->is_spawned[i]) {
                        m.thread(play_script(m, *scripts, i, things));
                    }
                }
            }, {}};
}

}  // namespace mishap::test
