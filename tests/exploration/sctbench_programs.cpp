#include "sim/sctbench_programs.hpp"

#include "sim/sctbench.hpp"

namespace mishap::test {

ThreadBody add(Machine& m, Machine::Variable x, std::int64_t value) {
    const std::int64_t v = co_await m.read(x);
    co_await m.write(x, v + value);
}

namespace {

using Variable = Machine::Variable;
using Variables = Machine::Variables;
using Mutex = Machine::Mutex;
using Mutexes = Machine::Mutexes;

// account_bad: the checker expects another balance than there is at the end

struct Account {
    Mutex mutex;
    Variable balance, deposited, withdrawn;
};

ThreadBody check_account(Machine& m, Account account) {
    co_await m.lock(account.mutex);
    const std::int64_t deposited = co_await m.read(account.deposited);
    std::int64_t withdrawn = 0;
    if (deposited != 0) {
        withdrawn = co_await m.read(account.withdrawn);
    }
    if (withdrawn != 0) {
        const std::int64_t balance = co_await m.read(account.balance);
        m.check(balance == -5);
    }
    co_await m.unlock(account.mutex);
}

ThreadBody change_account(Machine& m, Account account, std::int64_t amount, Variable done) {
    co_await m.lock(account.mutex);
    co_await add(m, account.balance, amount);
    co_await m.write(done, 1);
    co_await m.unlock(account.mutex);
}

// bluetooth_driver_bad: the driver stops between the test and the increment

struct Driver {
    Variable stopping, pending, event, stopped;
};

ThreadBody release(Machine& m, Driver driver) {
    const std::int64_t pending = co_await m.fetch_add(driver.pending, -1);
    if (pending == 1) {
        co_await m.write(driver.event, 1);
    }
}

ThreadBody use_driver(Machine& m, Driver driver) {
    const std::int64_t stopping = co_await m.read(driver.stopping);
    if (stopping == 0) {
        co_await m.fetch_add(driver.pending, 1);
        const std::int64_t stopped = co_await m.read(driver.stopped);
        m.check(stopped == 0);
    }
    co_await release(m, driver);
}

ThreadBody stop_driver(Machine& m, Driver driver) {
    co_await m.write(driver.stopping, 1);
    co_await release(m, driver);
    const std::int64_t event = co_await m.read(driver.event);
    if (event != 0) {
        co_await m.write(driver.stopped, 1);
    }
}

// carter01_bad: one holds l and wants m, the other the other way round

ThreadBody count_and_lock(Machine& m, Mutex mutex, Mutex inner, Variable count) {
    co_await m.lock(mutex);
    co_await add(m, count, 1);
    const std::int64_t after_add = co_await m.read(count);
    if (after_add == 1) {
        co_await m.lock(inner);
    }
    co_await m.unlock(mutex);
    co_await m.lock(mutex);
    co_await add(m, count, -1);
    const std::int64_t after_subtract = co_await m.read(count);
    if (after_subtract == 0) {
        co_await m.unlock(inner);
    }
    co_await m.unlock(mutex);
}

ThreadBody do_nothing() { co_return; }

// deadlock01_bad

ThreadBody add_under_two(Machine& m, Mutex outer, Mutex inner, Variable x, std::int64_t value) {
    co_await m.lock(outer);
    co_await m.lock(inner);
    co_await add(m, x, value);
    co_await m.unlock(inner);
    co_await m.unlock(outer);
}

// din_philN_sat: the philosophers count themselves, up to 4 without a lock

struct Table {
    int seats = 0;
    Mutex guard;
    Mutexes forks;
    Variable fed;
};

ThreadBody dine_and_count(Machine& m, Table table, int seat) {
    const Mutex left = table.forks[seat];
    const Mutex right = table.forks[(seat + 1) % table.seats];
    co_await m.lock(table.guard);
    co_await m.lock(right);
    co_await m.lock(left);
    co_await m.unlock(left);
    co_await m.unlock(right);
    co_await m.unlock(table.guard);
    if (table.seats >= 5) {
        co_await m.lock(table.guard);
    }
    co_await add(m, table.fed, 1);
    const std::int64_t fed = co_await m.read(table.fed);
    m.check(fed != table.seats);
    if (table.seats >= 5) {
        co_await m.unlock(table.guard);
    }
}

// lazy01_bad, phase01_bad

ThreadBody add_under_lock(Machine& m, Mutex mutex, Variable x, std::int64_t value) {
    co_await m.lock(mutex);
    co_await add(m, x, value);
    co_await m.unlock(mutex);
}

ThreadBody check_below_3(Machine& m, Mutex mutex, Variable x) {
    co_await m.lock(mutex);
    const std::int64_t value = co_await m.read(x);
    m.check(value < 3);
    co_await m.unlock(mutex);
}

ThreadBody keep_first_lock(Machine& m, Mutex x, Mutex y) {
    co_await m.lock(x);
    co_await m.unlock(x);
    co_await m.lock(x);  // never given back
    co_await m.lock(y);
    co_await m.unlock(y);
    co_await m.lock(y);
    co_await m.unlock(y);
}

// reorder_N_bad: a checker between the two writes of a setter

ThreadBody set_both(Machine& m, Variable a, Variable b) {
    co_await m.write(a, 1);
    co_await m.write(b, -1);
}

ThreadBody check_both(Machine& m, Variable a, Variable b) {
    const std::int64_t a_before = co_await m.read(a);
    if (a_before == 0) {
        const std::int64_t b_before = co_await m.read(b);
        if (b_before == 0) {
            co_return;
        }
    }
    // Read again, as the original does.
    const std::int64_t a_after = co_await m.read(a);
    std::int64_t b_after = 0;
    if (a_after == 1) {
        b_after = co_await m.read(b);
    }
    m.check(a_after == 1 && b_after == -1);
}

}  // namespace

void account_bad(Machine& m) {
    const Account account{m.mutex(), m.variable(1), m.variable(), m.variable()};
    m.thread(check_account(m, account));
    m.thread(change_account(m, account, 2, account.deposited));
    m.thread(change_account(m, account, -4, account.withdrawn));
}

void bluetooth_driver_bad(Machine& m) {
    const Driver driver{m.variable(), m.variable(1), m.variable(), m.variable()};
    m.thread(use_driver(m, driver));
    m.thread(stop_driver(m, driver));
}

void carter01_bad(Machine& m) {
    const Mutex mutex = m.mutex();
    const Mutex inner = m.mutex();
    const Variables counts = m.variables(2);
    m.thread(count_and_lock(m, mutex, inner, counts[0]));
    m.thread(count_and_lock(m, mutex, inner, counts[1]));
    m.thread(do_nothing());
    m.thread(do_nothing());
}

void deadlock01_bad(Machine& m) {
    const Mutexes mutexes = m.mutexes(2);
    const Variable x = m.variable(1);
    m.thread(add_under_two(m, mutexes[0], mutexes[1], x, 1));
    m.thread(add_under_two(m, mutexes[1], mutexes[0], x, -1));
}

void lazy01_bad(Machine& m) {
    const Mutex mutex = m.mutex();
    const Variable data = m.variable();
    m.thread(add_under_lock(m, mutex, data, 1));
    m.thread(add_under_lock(m, mutex, data, 2));
    m.thread(check_below_3(m, mutex, data));
}

void phase01_bad(Machine& m) {
    const Mutexes mutexes = m.mutexes(2);
    m.thread(keep_first_lock(m, mutexes[0], mutexes[1]));
    m.thread(keep_first_lock(m, mutexes[0], mutexes[1]));
}

MachineProgram din_phil(int philosophers) {
    return {"din_phil" + std::to_string(philosophers) + "_sat",
            [=](Machine& m) {
                const auto seats = static_cast<std::uint32_t>(philosophers);
                const Table table{philosophers, m.mutex(), m.mutexes(seats), m.variable()};
                for (int i = 0; i < philosophers; ++i) {
                    m.thread(dine_and_count(m, table, i));
                }
            },
            {}};
}

MachineProgram reorder_bad(int setters, int checkers) {
    return {"reorder_" + std::to_string(setters + checkers) + "_bad",
            [=](Machine& m) {
                const Variable a = m.variable();
                const Variable b = m.variable();
                for (int i = 0; i < setters; ++i) {
                    m.thread(set_both(m, a, b));
                }
                for (int i = 0; i < checkers; ++i) {
                    m.thread(check_both(m, a, b));
                }
            },
            {}};
}

}  // namespace mishap::test
