// Programs of ConVul and of the papers on the strategies.

#include "sim/sctbench_programs.hpp"

#include "sim/sctbench.hpp"

namespace mishap::test {
namespace {

using Variable = Machine::Variable;
using Variables = Machine::Variables;
using Mutex = Machine::Mutex;
using Mutexes = Machine::Mutexes;
using CondVar = Machine::CondVar;

ThreadBody use_pointer(Machine& m, Mutex mutex, Variable pointer) {
    co_await m.lock(mutex);
    const std::int64_t value = co_await m.read(pointer);
    m.check(value != 0);
    co_await m.unlock(mutex);
}

ThreadBody clear_pointer(Machine& m, Mutex mutex, Variable pointer) {
    co_await m.lock(mutex);
    co_await m.write(pointer, 0);
    co_await m.unlock(mutex);
}

ThreadBody use_keys(Machine& m, Mutex mutex, Variable revoked, Variable keys) {
    const std::int64_t is_revoked = co_await m.read(revoked);
    if (is_revoked == 0) {
        co_await use_pointer(m, mutex, keys);
    }
}

ThreadBody revoke_keys(Machine& m, Mutex mutex, Variable revoked, Variable keys) {
    co_await m.lock(mutex);
    co_await m.write(revoked, 1);
    co_await m.write(keys, 0);
    co_await m.unlock(mutex);
}

ThreadBody replace_rollover(Machine& m, Mutex mutex, Variable rollover, Variables freed, int mine) {
    co_await m.write(rollover, mine);
    const std::int64_t seen = co_await m.read(rollover);
    m.check(seen != 0);
    co_await m.lock(mutex);
    co_await m.unlock(mutex);
    const std::int64_t pointer = co_await m.read(rollover);
    if (pointer != 0) {
        const std::int64_t times_freed = co_await m.fetch_add(freed[pointer], 1);
        m.check(times_freed == 0);
    }
    co_await m.write(rollover, 0);
}

ThreadBody increment(Machine& m, Variable x, int times) {
    for (int i = 0; i < times; ++i) {
        co_await add(m, x, 1);
    }
}

ThreadBody take_forks(Machine& m, Mutex first, Mutex second) {
    co_await m.lock(first);
    co_await m.lock(second);
    co_await m.unlock(second);
    co_await m.unlock(first);
}

ThreadBody write_often(Machine& m, Variable x, std::int64_t value, int times) {
    for (int i = 0; i < times; ++i) {
        co_await m.write(x, value);
    }
}

ThreadBody wait_until_ready(Machine& m, Mutex mutex, CondVar cond_var, Variable ready) {
    const std::int64_t is_ready = co_await m.read(ready);
    if (is_ready == 0) {
        co_await m.lock(mutex);
        co_await m.wait(cond_var, mutex);
        co_await m.unlock(mutex);
    }
}

ThreadBody make_ready(Machine& m, CondVar cond_var, Variable ready) {
    co_await m.write(ready, 1);
    co_await m.signal(cond_var);
}

/// Makes the program in which `threads` threads increment `variable 0`, which must not end as `is_wrong` says.

std::string sized(const char* name, int first, int second) {
    return std::string(name) + "(" + std::to_string(first) + "," + std::to_string(second) + ")";
}

}  // namespace

void cve_2009_3547(Machine& m) {
    const Mutex mutex = m.mutex();
    const Variable pointer = m.variable(1);
    m.thread(use_pointer(m, mutex, pointer));
    m.thread(clear_pointer(m, mutex, pointer));
}

void cve_2015_7550(Machine& m) {
    const Mutex mutex = m.mutex();
    const Variable revoked = m.variable();
    const Variable keys = m.variable(1);
    m.thread(use_keys(m, mutex, revoked, keys));
    m.thread(revoke_keys(m, mutex, revoked, keys));
}

void cve_2017_6346(Machine& m) {
    const Mutex mutex = m.mutex();
    const Variable rollover = m.variable();
    const Variables freed = m.variables(3);
    m.thread(replace_rollover(m, mutex, rollover, freed, 1));
    m.thread(replace_rollover(m, mutex, rollover, freed, 2));
}

void lost_wakeup(Machine& m) {
    const Mutex mutex = m.mutex();
    const CondVar cond_var = m.cond_var();
    const Variable ready = m.variable();
    m.thread(wait_until_ready(m, mutex, cond_var, ready));
    m.thread(make_ready(m, cond_var, ready));
}

MachineProgram counter(std::string name, int threads, int increments, std::function<bool(std::int64_t)> is_wrong) {
    return {std::move(name),
            [=](Machine& m) {
                const Variable x = m.variable();
                for (int i = 0; i < threads; ++i) {
                    m.thread(increment(m, x, increments));
                }
            },
            [is_wrong = std::move(is_wrong)](const Machine& m) { return !is_wrong(m.value(Variable{0})); }};
}

MachineProgram lost_update(int threads, int increments) {
    return counter(sized("lost_update", threads, increments), threads, increments,
                   [=](std::int64_t x) { return x != threads * increments; });
}

MachineProgram min_counter(int threads, int increments) {
    return counter(sized("min_counter", threads, increments), threads, increments,
                   [](std::int64_t x) { return x == 2; });
}

MachineProgram philosophers(int count) {
    return {"philosophers(" + std::to_string(count) + ")",
            [=](Machine& m) {
                const Mutexes forks = m.mutexes(static_cast<std::uint32_t>(count));
                for (int i = 0; i < count; ++i) {
                    m.thread(take_forks(m, forks[i], forks[(i + 1) % count]));
                }
            },
            {}};
}

MachineProgram uneven(int writes) {
    return {"uneven(" + std::to_string(writes) + ")",
            [=](Machine& m) {
                const Variable x = m.variable();
                m.thread(write_often(m, x, 1, writes));
                m.thread(write_often(m, x, 2, 1));
            },
            [](const Machine& m) { return m.value(Variable{0}) != 2; }};
}

}  // namespace mishap::test
