#include "sim/machine_programs.hpp"

#include <utility>

namespace mishap::test {

namespace {

using Variable = Machine::Variable;
using Variables = Machine::Variables;
using Mutex = Machine::Mutex;
using Mutexes = Machine::Mutexes;
using CondVar = Machine::CondVar;

// The results of operations go through variables: GCC 12 has miscompiled co_await inside conditions.

ThreadBody write_once(Machine& m, Variable x, std::int64_t value) { co_await m.write(x, value); }
ThreadBody read_once(Machine& m, Variable x) { co_await m.read(x); }
ThreadBody add_to_each(Machine& m, Variables x, int count) {
    for (int i = 0; i < count; ++i) {
        co_await m.fetch_add(x[i], 1);
    }
}
ThreadBody cas_once(Machine& m, Variable x, std::int64_t expected, std::int64_t desired) {
    co_await m.cas(x, expected, desired);
}

/// Reads `from` and sets `to` to `change` more, `rounds` times.
ThreadBody copy_changed(Machine& m, Variable from, Variable to, std::int64_t change, int rounds = 1) {
    for (int i = 0; i < rounds; ++i) {
        const std::int64_t value = co_await m.read(from);
        co_await m.write(to, value + change);
    }
}

ThreadBody copy_changed_locked(Machine& m, Mutex mutex, Variable from, Variable to, std::int64_t change, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        co_await m.lock(mutex);
        co_await copy_changed(m, from, to, change);
        co_await m.unlock(mutex);
    }
}

ThreadBody join_all_and_read(Machine& m, Variable x, std::uint32_t threads) {
    for (std::uint32_t i = 0; i < threads; ++i) {
        co_await m.join({i});
    }
    co_await m.read(x);
}

ThreadBody find_last_zero(Machine& m, Variables a, int n) {
    std::int64_t value = co_await m.read(a[n]);
    for (int i = n; value != 0;) {
        value = co_await m.read(a[--i]);
    }
}

ThreadBody add_up(Machine& m, Variable target, Variable other, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        const std::int64_t u = co_await m.read(target);
        const std::int64_t v = co_await m.read(other);
        co_await m.write(target, u + v);
    }
}

ThreadBody write_two(Machine& m, Variable x, Variable y) {
    co_await m.write(x, 1);
    co_await m.write(y, -1);
}
ThreadBody read_two(Machine& m, Variable x, Variable y) {
    co_await m.read(x);
    co_await m.read(y);
}
ThreadBody write_and_read(Machine& m, Variable x, std::int64_t value) {
    co_await m.write(x, value);
    co_await m.read(x);
}

ThreadBody work_then_race(Machine& m, Variable own, Variable shared, std::int64_t id, int tail) {
    for (int k = 0; k < 20; ++k) {
        co_await m.write(own, k);
        co_await m.read(own);
    }
    for (int k = 0; k < tail; ++k) {
        co_await m.write(shared, id);
        co_await m.read(shared);
    }
}

struct Peterson {
    Variables flags;
    Variable turn;
    Variable inside;
};

ThreadBody peterson_side(Machine& m, Peterson p, int self, int rounds, int tries) {
    for (int round = 0; round < rounds; ++round) {
        co_await m.write(p.flags[self], 1);
        co_await m.write(p.turn, 1 - self);
        bool may_enter = false;
        for (int tried = 0; tried < tries && !may_enter; ++tried) {
            const std::int64_t flag = co_await m.read(p.flags[1 - self]);
            const std::int64_t turn = co_await m.read(p.turn);
            may_enter = flag != 1 || turn != 1 - self;
        }
        if (!may_enter) {
            co_return;
        }
        co_await m.write(p.inside, self + 1);
        const std::int64_t who = co_await m.read(p.inside);
        m.check(who == self + 1);
        co_await m.write(p.flags[self], 0);
    }
}

/// Looks `rounds` times whether `mine` is set, and if so passes it on to `theirs`.
ThreadBody pass_on(Machine& m, Mutex mutex, Variable mine, Variable theirs, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        co_await m.lock(mutex);
        const std::int64_t is_set = co_await m.read(mine);
        if (is_set != 0) {
            co_await m.write(mine, 0);
            co_await m.write(theirs, 1);
        }
        co_await m.unlock(mutex);
    }
}

ThreadBody insert_four(Machine& m, Mutexes mutexes, Variables table, int id) {
    constexpr int size = 128;
    for (int k = 1; k <= 4; ++k) {
        const int value = 11 * k + id;
        int cell = value * 7 % size;
        for (bool is_done = false; !is_done; cell = (cell + 1) % size) {
            co_await m.lock(mutexes[cell]);
            const std::int64_t there = co_await m.read(table[cell]);
            if (there == 0) {
                co_await m.write(table[cell], value);
                is_done = true;
            }
            co_await m.unlock(mutexes[cell]);
        }
    }
}

struct Filesystem {
    Mutexes inode_mutexes;
    Variables inodes;
    Mutexes block_mutexes;
    Variables blocks_busy;
};

ThreadBody create_file(Machine& m, Filesystem fs, int id) {
    constexpr int inodes = 32;
    constexpr int blocks = 26;
    const int inode = id % inodes;
    co_await m.lock(fs.inode_mutexes[inode]);
    const std::int64_t there = co_await m.read(fs.inodes[inode]);
    if (there == 0) {
        int block = inode * 2 % blocks;
        for (bool is_done = false; !is_done; block = (block + 1) % blocks) {
            co_await m.lock(fs.block_mutexes[block]);
            const std::int64_t is_busy = co_await m.read(fs.blocks_busy[block]);
            if (is_busy == 0) {
                co_await m.write(fs.blocks_busy[block], 1);
                co_await m.write(fs.inodes[inode], block + 1);
                is_done = true;
            }
            co_await m.unlock(fs.block_mutexes[block]);
        }
    }
    co_await m.unlock(fs.inode_mutexes[inode]);
}

ThreadBody eat(Machine& m, Mutex first, Mutex second) {
    co_await m.lock(first);
    co_await m.lock(second);
    co_await m.unlock(second);
    co_await m.unlock(first);
}

ThreadBody write_under_two(Machine& m, Mutex first, Mutex second, Variable x, std::int64_t value) {
    co_await m.lock(first);
    co_await m.lock(second);
    co_await m.write(x, value);
    co_await m.unlock(second);
    co_await m.unlock(first);
}

/// Waits until the slot is in the state `before` and puts it into the other one, `rounds` times.
ThreadBody use_slot(Machine& m, Mutex mutex, Variable full, std::int64_t before, CondVar mine, CondVar theirs,
                    int rounds) {
    for (int i = 0; i < rounds; ++i) {
        co_await m.lock(mutex);
        std::int64_t state = co_await m.read(full);
        while (state != before) {
            co_await m.wait(mine, mutex);
            state = co_await m.read(full);
        }
        co_await m.write(full, 1 - before);
        co_await m.signal(theirs);
        co_await m.unlock(mutex);
    }
}

std::string text(const char* name, int n) { return std::string(name) + " N=" + std::to_string(n); }
std::string text(const char* name, int n, int k) { return text(name, n) + ",K=" + std::to_string(k); }

}  // namespace

MachineProgram readers(int readers) {
    return {text("readers", readers), [readers](Machine& m) {
                const Variable x = m.variable();
                m.thread(write_once(m, x, 1));
                for (int i = 0; i < readers; ++i) {
                    m.thread(read_once(m, x));
                }
            }, {}};
}

MachineProgram lastwrite(int writers) {
    return {text("lastwrite", writers), [writers](Machine& m) {
                const Variable x = m.variable();
                for (int i = 1; i <= writers; ++i) {
                    m.thread(write_once(m, x, i));
                }
                m.thread(join_all_and_read(m, x, static_cast<std::uint32_t>(writers)));
            }, {}};
}

MachineProgram floating_read(int writers) {
    return {text("floating_read", writers), [writers](Machine& m) {
                const Variable x = m.variable();
                for (int i = 1; i <= writers; ++i) {
                    m.thread(write_once(m, x, i));
                }
                m.thread(read_once(m, x));
            }, {}};
}

MachineProgram ainc(int threads) {
    return {text("ainc", threads), [threads](Machine& m) {
                const Variables x = m.variables(1);
                for (int i = 0; i < threads; ++i) {
                    m.thread(add_to_each(m, x, 1));
                }
            }, [threads](const Machine& m) { return m.value({0}) == threads; }};
}

MachineProgram binc(int threads) {
    return {text("binc", threads), [threads](Machine& m) {
                const Variables x = m.variables(2);
                for (int i = 0; i < threads; ++i) {
                    m.thread(add_to_each(m, x, 2));
                }
            }, [threads](const Machine& m) { return m.value({0}) == threads && m.value({1}) == threads; }};
}

MachineProgram casrot(int threads) {
    return {text("casrot", threads), [threads](Machine& m) {
                const Variable x = m.variable();
                for (int i = 1; i <= threads; ++i) {
                    m.thread(cas_once(m, x, i - 1, i));
                }
            }, {}};
}

MachineProgram lastzero(int n) {
    return {text("lastzero", n), [n](Machine& m) {
                const Variables a = m.variables(static_cast<std::uint32_t>(n) + 1);
                m.thread(find_last_zero(m, a, n));
                for (int j = 1; j <= n; ++j) {
                    m.thread(copy_changed(m, a[j - 1], a[j], 1));
                }
            }, {}};
}

MachineProgram fib_join(int rounds) {
    return {text("fib_join", rounds), [rounds](Machine& m) {
                const Variables x = m.variables(2, 1);
                m.thread(add_up(m, x[0], x[1], rounds));
                m.thread(add_up(m, x[1], x[0], rounds));
            }, {}};
}

MachineProgram account(int depositors) {
    return {text("account", depositors), [depositors](Machine& m) {
                const Variable balance = m.variable(1000);
                for (int i = 0; i < depositors; ++i) {
                    m.thread(copy_changed(m, balance, balance, 100));
                }
                m.thread(copy_changed(m, balance, balance, -10));
            }, {}};
}

MachineProgram reorder(int setters, int checkers) {
    return {text("reorder", setters, checkers), [setters, checkers](Machine& m) {
                const Variables x = m.variables(2);
                for (int i = 0; i < setters; ++i) {
                    m.thread(write_two(m, x[0], x[1]));
                }
                for (int i = 0; i < checkers; ++i) {
                    m.thread(read_two(m, x[0], x[1]));
                }
            }, {}};
}

MachineProgram write_read_pair(int threads) {
    return {text("write_read_pair", threads), [threads](Machine& m) {
                const Variable x = m.variable();
                for (int i = 0; i < threads; ++i) {
                    m.thread(write_and_read(m, x, i + 1));
                }
            }, {}};
}

MachineProgram race_tail(int tail) {
    return {text("race_tail", tail), [tail](Machine& m) {
                const Variables own = m.variables(2);
                const Variable shared = m.variable();
                m.thread(work_then_race(m, own[0], shared, 0, tail));
                m.thread(work_then_race(m, own[1], shared, 1, tail));
            }, {}};
}

MachineProgram ring_nolock(int threads) {
    return {text("ring_nolock", threads), [threads](Machine& m) {
                const Variables x = m.variables(static_cast<std::uint32_t>(threads));
                for (int i = 0; i < threads; ++i) {
                    m.thread(copy_changed(m, x[(i + threads - 1) % threads], x[i], 1));
                }
            }, {}};
}

MachineProgram peterson(int rounds, int tries) {
    return {text("peterson", rounds, tries), [rounds, tries](Machine& m) {
                const Peterson p{m.variables(2), m.variable(), m.variable()};
                m.thread(peterson_side(m, p, 0, rounds, tries));
                m.thread(peterson_side(m, p, 1, rounds, tries));
            }, {}};
}

MachineProgram mutex_counter(int threads, int rounds) {
    return {text("mutex_counter", threads, rounds), [threads, rounds](Machine& m) {
                const Mutex mutex = m.mutex();
                const Variable x = m.variable();
                for (int i = 0; i < threads; ++i) {
                    m.thread(copy_changed_locked(m, mutex, x, x, 1, rounds));
                }
            }, [threads, rounds](const Machine& m) { return m.value({0}) == threads * rounds; }};
}

MachineProgram token_ring(int threads) {
    return {text("token_ring", threads), [threads](Machine& m) {
                const Mutex mutex = m.mutex();
                const Variables x = m.variables(static_cast<std::uint32_t>(threads));
                for (int i = 0; i < threads; ++i) {
                    m.thread(copy_changed_locked(m, mutex, x[(i + threads - 1) % threads], x[i], 1, 1));
                }
            }, {}};
}

MachineProgram circular_buffer(int rounds) {
    return {text("circular_buffer", rounds), [rounds](Machine& m) {
                const Mutex mutex = m.mutex();
                const Variable send = m.variable(1);
                const Variable receive = m.variable(0);
                m.thread(pass_on(m, mutex, send, receive, rounds));
                m.thread(pass_on(m, mutex, receive, send, rounds));
            }, {}};
}

MachineProgram indexer(int threads) {
    return {text("indexer", threads), [threads](Machine& m) {
                const Mutexes mutexes = m.mutexes(128);
                const Variables table = m.variables(128);
                for (int i = 0; i < threads; ++i) {
                    m.thread(insert_four(m, mutexes, table, i));
                }
            }, {}};
}

MachineProgram filesystem(int threads) {
    return {text("filesystem", threads), [threads](Machine& m) {
                const Filesystem fs{m.mutexes(32), m.variables(32), m.mutexes(26), m.variables(26)};
                for (int i = 0; i < threads; ++i) {
                    m.thread(create_file(m, fs, i));
                }
            }, {}};
}

MachineProgram phil_ordered(int philosophers) {
    return {text("phil_ordered", philosophers), [philosophers](Machine& m) {
                const Mutexes forks = m.mutexes(static_cast<std::uint32_t>(philosophers));
                for (int i = 0; i < philosophers; ++i) {
                    const int right = (i + 1) % philosophers;
                    m.thread(eat(m, forks[std::min(i, right)], forks[std::max(i, right)]));
                }
            }, {}};
}

MachineProgram phil_deadlock(int philosophers) {
    return {text("phil_deadlock", philosophers), [philosophers](Machine& m) {
                const Mutexes forks = m.mutexes(static_cast<std::uint32_t>(philosophers));
                for (int i = 0; i < philosophers; ++i) {
                    m.thread(eat(m, forks[i], forks[(i + 1) % philosophers]));
                }
            }, {}};
}

MachineProgram deadlock_ab() {
    return {"deadlock_ab", [](Machine& m) {
                const Mutexes mutexes = m.mutexes(2);
                const Variable x = m.variable();
                m.thread(write_under_two(m, mutexes[0], mutexes[1], x, 1));
                m.thread(write_under_two(m, mutexes[1], mutexes[0], x, 2));
            }, {}};
}

MachineProgram condvar_pc(int rounds) {
    return {text("condvar_pc", rounds), [rounds](Machine& m) {
                const Mutex mutex = m.mutex();
                const Variable full = m.variable();
                const CondVar not_full = m.cond_var();
                const CondVar not_empty = m.cond_var();
                m.thread(use_slot(m, mutex, full, 0, not_full, not_empty, rounds));
                m.thread(use_slot(m, mutex, full, 1, not_empty, not_full, rounds));
            }, {}};
}

MachineProgram disjoint(int threads, int rounds) {
    return {text("disjoint", threads, rounds), [threads, rounds](Machine& m) {
                const Variables x = m.variables(static_cast<std::uint32_t>(threads));
                for (int i = 0; i < threads; ++i) {
                    m.thread(copy_changed(m, x[i], x[i], 1, rounds));
                }
            }, {}};
}

std::vector<CountedProgram> counted_programs(std::uint64_t traces_max) {
    std::vector<CountedProgram> rows;
    const auto add = [&](MachineProgram program, std::uint64_t traces, std::uint64_t deadlocked = 0) {
        if (traces <= traces_max) {
            rows.push_back({std::move(program), traces, deadlocked});
        }
    };
    add(readers(4), 16);
    add(readers(8), 256);
    add(readers(12), 4096);
    add(readers(16), 65536);
    add(lastwrite(5), 120);
    add(lastwrite(7), 5040);
    add(lastwrite(8), 40320);
    add(floating_read(4), 120);
    add(floating_read(6), 5040);
    add(floating_read(7), 40320);
    add(ainc(4), 24);
    add(ainc(6), 720);
    add(ainc(8), 40320);
    add(binc(3), 36);
    add(binc(4), 576);
    add(binc(5), 14400);
    add(casrot(4), 14);
    add(casrot(6), 144);
    add(casrot(8), 2048);
    add(lastzero(5), 64);
    add(lastzero(6), 144);
    add(lastzero(8), 704);
    add(lastzero(10), 3328);
    add(lastzero(12), 15360);
    add(fib_join(3), 141);
    add(fib_join(4), 1107);
    add(fib_join(5), 8953);
    add(account(3), 576);
    add(account(4), 14400);
    add(account(5), 518400);
    add(reorder(2, 1), 36);
    add(reorder(3, 1), 576);
    add(reorder(4, 1), 14400);
    add(reorder(5, 1), 518400);
    add(write_read_pair(3), 36);
    add(write_read_pair(4), 576);
    add(write_read_pair(5), 14400);
    add(race_tail(2), 34);
    add(race_tail(4), 3334);
    add(race_tail(6), 372436);
    add(ring_nolock(3), 7);
    add(ring_nolock(4), 15);
    add(ring_nolock(8), 255);
    add(ring_nolock(12), 4095);
    add(peterson(1, 1), 14);
    add(peterson(1, 2), 26);
    add(peterson(2, 2), 2420);
    add(peterson(2, 3), 10314);
    add(mutex_counter(2, 1), 2);
    add(mutex_counter(2, 3), 20);
    add(mutex_counter(2, 5), 252);
    add(mutex_counter(3, 2), 90);
    add(mutex_counter(3, 3), 1680);
    add(mutex_counter(4, 2), 2520);
    add(token_ring(3), 6);
    add(token_ring(4), 24);
    add(token_ring(6), 720);
    add(circular_buffer(3), 20);
    add(circular_buffer(5), 252);
    add(circular_buffer(7), 3432);
    add(circular_buffer(8), 12870);
    add(indexer(11), 1);
    add(indexer(12), 8);
    add(indexer(13), 64);
    add(indexer(14), 512);
    add(indexer(15), 4096);
    add(filesystem(13), 1);
    add(filesystem(14), 2);
    add(filesystem(16), 8);
    add(filesystem(18), 32);
    add(filesystem(20), 128);
    add(filesystem(22), 512);
    add(phil_ordered(3), 6);
    add(phil_ordered(4), 14);
    add(phil_ordered(5), 30);
    add(phil_ordered(8), 254);
    add(phil_deadlock(2), 3, 1);
    add(phil_deadlock(3), 7, 1);
    add(phil_deadlock(4), 15, 1);
    add(phil_deadlock(5), 31, 1);
    add(phil_deadlock(8), 255, 1);
    add(deadlock_ab(), 3, 1);
    add(condvar_pc(1), 2);
    add(condvar_pc(2), 8);
    add(condvar_pc(3), 32);
    add(condvar_pc(4), 128);
    add(condvar_pc(5), 512);
    add(disjoint(4, 3), 1);
    add(disjoint(8, 3), 1);
    return rows;
}

}  // namespace mishap::test
