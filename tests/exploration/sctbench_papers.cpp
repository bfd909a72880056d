// Programs of ConVul and of the papers on the strategies.

#include "exploration/sctbench_programs.hpp"

#include "exploration/sctbench.hpp"

namespace mishap::test {
namespace {

using Variable = Actors::Variable;
using Variables = Actors::Variables;
using Mutex = Actors::Mutex;
using Mutexes = Actors::Mutexes;
using CondVar = Actors::CondVar;

void use_pointer(Actors& m, Mutex mutex, Variable pointer) {
    m.lock(mutex);
    const std::int64_t value = m.read(pointer);
    m.check(value != 0);
    m.unlock(mutex);
}

void clear_pointer(Actors& m, Mutex mutex, Variable pointer) {
    m.lock(mutex);
    m.write(pointer, 0);
    m.unlock(mutex);
}

void use_keys(Actors& m, Mutex mutex, Variable revoked, Variable keys) {
    const std::int64_t is_revoked = m.read(revoked);
    if (is_revoked == 0) {
        use_pointer(m, mutex, keys);
    }
}

void revoke_keys(Actors& m, Mutex mutex, Variable revoked, Variable keys) {
    m.lock(mutex);
    m.write(revoked, 1);
    m.write(keys, 0);
    m.unlock(mutex);
}

void replace_rollover(Actors& m, Mutex mutex, Variable rollover, Variables freed, int mine) {
    m.write(rollover, mine);
    const std::int64_t seen = m.read(rollover);
    m.check(seen != 0);
    m.lock(mutex);
    m.unlock(mutex);
    const std::int64_t pointer = m.read(rollover);
    if (pointer != 0) {
        const std::int64_t times_freed = m.fetch_add(freed[pointer], 1);
        m.check(times_freed == 0);
    }
    m.write(rollover, 0);
}

void increment(Actors& m, Variable x, int times) {
    for (int i = 0; i < times; ++i) {
        add(m, x, 1);
    }
}

void take_forks(Actors& m, Mutex first, Mutex second) {
    m.lock(first);
    m.lock(second);
    m.unlock(second);
    m.unlock(first);
}

void write_often(Actors& m, Variable x, std::int64_t value, int times) {
    for (int i = 0; i < times; ++i) {
        m.write(x, value);
    }
}

void wait_until_ready(Actors& m, Mutex mutex, CondVar cond_var, Variable ready) {
    const std::int64_t is_ready = m.read(ready);
    if (is_ready == 0) {
        m.lock(mutex);
        m.wait(cond_var, mutex);
        m.unlock(mutex);
    }
}

void make_ready(Actors& m, CondVar cond_var, Variable ready) {
    m.write(ready, 1);
    m.signal(cond_var);
}

/// Makes the program in which `threads` threads increment `variable 0`, which must not end as `is_wrong` says.

std::string sized(const char* name, int first, int second) {
    return std::string(name) + "(" + std::to_string(first) + "," + std::to_string(second) + ")";
}

}  // namespace

void cve_2009_3547(Actors& m) {
    const Mutex mutex = m.mutex();
    const Variable pointer = m.variable(1);
    m.thread([=, &m] { use_pointer(m, mutex, pointer); });
    m.thread([=, &m] { clear_pointer(m, mutex, pointer); });
}

void cve_2015_7550(Actors& m) {
    const Mutex mutex = m.mutex();
    const Variable revoked = m.variable();
    const Variable keys = m.variable(1);
    m.thread([=, &m] { use_keys(m, mutex, revoked, keys); });
    m.thread([=, &m] { revoke_keys(m, mutex, revoked, keys); });
}

void cve_2017_6346(Actors& m) {
    const Mutex mutex = m.mutex();
    const Variable rollover = m.variable();
    const Variables freed = m.variables(3);
    m.thread([=, &m] { replace_rollover(m, mutex, rollover, freed, 1); });
    m.thread([=, &m] { replace_rollover(m, mutex, rollover, freed, 2); });
}

void lost_wakeup(Actors& m) {
    const Mutex mutex = m.mutex();
    const CondVar cond_var = m.cond_var();
    const Variable ready = m.variable();
    m.thread([=, &m] { wait_until_ready(m, mutex, cond_var, ready); });
    m.thread([=, &m] { make_ready(m, cond_var, ready); });
}

ActorProgram counter(std::string name, int threads, int increments, std::function<bool(std::int64_t)> is_wrong) {
    return {std::move(name),
            [=](Actors& m) {
                const Variable x = m.variable();
                for (int i = 0; i < threads; ++i) {
                    m.thread([=, &m] { increment(m, x, increments); });
                }
            },
            [is_wrong = std::move(is_wrong)](Actors& m) { return !is_wrong(m.value(Variable{0})); }};
}

ActorProgram lost_update(int threads, int increments) {
    return counter(sized("lost_update", threads, increments), threads, increments,
                   [=](std::int64_t x) { return x != threads * increments; });
}

ActorProgram min_counter(int threads, int increments) {
    return counter(sized("min_counter", threads, increments), threads, increments,
                   [](std::int64_t x) { return x == 2; });
}

ActorProgram philosophers(int count) {
    return {"philosophers(" + std::to_string(count) + ")",
            [=](Actors& m) {
                const Mutexes forks = m.mutexes(static_cast<std::uint32_t>(count));
                for (int i = 0; i < count; ++i) {
                    m.thread([=, &m] { take_forks(m, forks[i], forks[(i + 1) % count]); });
                }
            },
            {}};
}

ActorProgram uneven(int writes) {
    return {"uneven(" + std::to_string(writes) + ")",
            [=](Actors& m) {
                const Variable x = m.variable();
                m.thread([=, &m] { write_often(m, x, 1, writes); });
                m.thread([=, &m] { write_often(m, x, 2, 1); });
            },
            [](Actors& m) { return m.value(Variable{0}) != 2; }};
}

}  // namespace mishap::test
