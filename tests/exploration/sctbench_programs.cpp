#include "exploration/sctbench_programs.hpp"

#include "exploration/sctbench.hpp"

namespace mishap::test {

void add(Actors& m, Actors::Variable x, std::int64_t value) {
    const std::int64_t v = m.read(x);
    m.write(x, v + value);
}

namespace {

using Variable = Actors::Variable;
using Variables = Actors::Variables;
using Mutex = Actors::Mutex;
using Mutexes = Actors::Mutexes;

// account_bad: the checker expects another balance than there is at the end

struct Account {
    Mutex mutex;
    Variable balance, deposited, withdrawn;
};

void check_account(Actors& m, Account account) {
    m.lock(account.mutex);
    const std::int64_t deposited = m.read(account.deposited);
    std::int64_t withdrawn = 0;
    if (deposited != 0) {
        withdrawn = m.read(account.withdrawn);
    }
    if (withdrawn != 0) {
        const std::int64_t balance = m.read(account.balance);
        m.check(balance == -5);
    }
    m.unlock(account.mutex);
}

void change_account(Actors& m, Account account, std::int64_t amount, Variable done) {
    m.lock(account.mutex);
    add(m, account.balance, amount);
    m.write(done, 1);
    m.unlock(account.mutex);
}

// bluetooth_driver_bad: the driver stops between the test and the increment

struct Driver {
    Variable stopping, pending, event, stopped;
};

void release(Actors& m, Driver driver) {
    const std::int64_t pending = m.fetch_add(driver.pending, -1);
    if (pending == 1) {
        m.write(driver.event, 1);
    }
}

void use_driver(Actors& m, Driver driver) {
    const std::int64_t stopping = m.read(driver.stopping);
    if (stopping == 0) {
        m.fetch_add(driver.pending, 1);
        const std::int64_t stopped = m.read(driver.stopped);
        m.check(stopped == 0);
    }
    release(m, driver);
}

void stop_driver(Actors& m, Driver driver) {
    m.write(driver.stopping, 1);
    release(m, driver);
    const std::int64_t event = m.read(driver.event);
    if (event != 0) {
        m.write(driver.stopped, 1);
    }
}

// carter01_bad: one holds l and wants m, the other the other way round

void count_and_lock(Actors& m, Mutex mutex, Mutex inner, Variable count) {
    m.lock(mutex);
    add(m, count, 1);
    const std::int64_t after_add = m.read(count);
    if (after_add == 1) {
        m.lock(inner);
    }
    m.unlock(mutex);
    m.lock(mutex);
    add(m, count, -1);
    const std::int64_t after_subtract = m.read(count);
    if (after_subtract == 0) {
        m.unlock(inner);
    }
    m.unlock(mutex);
}

// deadlock01_bad

void add_under_two(Actors& m, Mutex outer, Mutex inner, Variable x, std::int64_t value) {
    m.lock(outer);
    m.lock(inner);
    add(m, x, value);
    m.unlock(inner);
    m.unlock(outer);
}

// din_philN_sat: the philosophers count themselves, up to 4 without a lock

struct Table {
    int seats = 0;
    Mutex guard;
    Mutexes forks;
    Variable fed;
};

void dine_and_count(Actors& m, Table table, int seat) {
    const Mutex left = table.forks[seat];
    const Mutex right = table.forks[(seat + 1) % table.seats];
    m.lock(table.guard);
    m.lock(right);
    m.lock(left);
    m.unlock(left);
    m.unlock(right);
    m.unlock(table.guard);
    if (table.seats >= 5) {
        m.lock(table.guard);
    }
    add(m, table.fed, 1);
    const std::int64_t fed = m.read(table.fed);
    m.check(fed != table.seats);
    if (table.seats >= 5) {
        m.unlock(table.guard);
    }
}

// lazy01_bad, phase01_bad

void add_under_lock(Actors& m, Mutex mutex, Variable x, std::int64_t value) {
    m.lock(mutex);
    add(m, x, value);
    m.unlock(mutex);
}

void check_below_3(Actors& m, Mutex mutex, Variable x) {
    m.lock(mutex);
    const std::int64_t value = m.read(x);
    m.check(value < 3);
    m.unlock(mutex);
}

void keep_first_lock(Actors& m, Mutex x, Mutex y) {
    m.lock(x);
    m.unlock(x);
    m.lock(x);  // never given back
    m.lock(y);
    m.unlock(y);
    m.lock(y);
    m.unlock(y);
}

// reorder_N_bad: a checker between the two writes of a setter

void set_both(Actors& m, Variable a, Variable b) {
    m.write(a, 1);
    m.write(b, -1);
}

void check_both(Actors& m, Variable a, Variable b) {
    const std::int64_t a_before = m.read(a);
    if (a_before == 0) {
        const std::int64_t b_before = m.read(b);
        if (b_before == 0) {
            return;
        }
    }
    // Read again, as the original does.
    const std::int64_t a_after = m.read(a);
    std::int64_t b_after = 0;
    if (a_after == 1) {
        b_after = m.read(b);
    }
    m.check(a_after == 1 && b_after == -1);
}

}  // namespace

void account_bad(Actors& m) {
    const Account account{m.mutex(), m.variable(1), m.variable(), m.variable()};
    m.thread([=, &m] { check_account(m, account); });
    m.thread([=, &m] { change_account(m, account, 2, account.deposited); });
    m.thread([=, &m] { change_account(m, account, -4, account.withdrawn); });
}

void bluetooth_driver_bad(Actors& m) {
    const Driver driver{m.variable(), m.variable(1), m.variable(), m.variable()};
    m.thread([=, &m] { use_driver(m, driver); });
    m.thread([=, &m] { stop_driver(m, driver); });
}

void carter01_bad(Actors& m) {
    const Mutex mutex = m.mutex();
    const Mutex inner = m.mutex();
    const Variables counts = m.variables(2);
    m.thread([=, &m] { count_and_lock(m, mutex, inner, counts[0]); });
    m.thread([=, &m] { count_and_lock(m, mutex, inner, counts[1]); });
    m.thread([] {});
    m.thread([] {});
}

void deadlock01_bad(Actors& m) {
    const Mutexes mutexes = m.mutexes(2);
    const Variable x = m.variable(1);
    m.thread([=, &m] { add_under_two(m, mutexes[0], mutexes[1], x, 1); });
    m.thread([=, &m] { add_under_two(m, mutexes[1], mutexes[0], x, -1); });
}

void lazy01_bad(Actors& m) {
    const Mutex mutex = m.mutex();
    const Variable data = m.variable();
    m.thread([=, &m] { add_under_lock(m, mutex, data, 1); });
    m.thread([=, &m] { add_under_lock(m, mutex, data, 2); });
    m.thread([=, &m] { check_below_3(m, mutex, data); });
}

void phase01_bad(Actors& m) {
    const Mutexes mutexes = m.mutexes(2);
    m.thread([=, &m] { keep_first_lock(m, mutexes[0], mutexes[1]); });
    m.thread([=, &m] { keep_first_lock(m, mutexes[0], mutexes[1]); });
}

ActorProgram din_phil(int philosophers) {
    return {"din_phil" + std::to_string(philosophers) + "_sat",
            [=](Actors& m) {
                const auto seats = static_cast<std::uint32_t>(philosophers);
                const Table table{philosophers, m.mutex(), m.mutexes(seats), m.variable()};
                for (int i = 0; i < philosophers; ++i) {
                    m.thread([=, &m] { dine_and_count(m, table, i); });
                }
            },
            {}};
}

ActorProgram reorder_bad(int setters, int checkers) {
    return {"reorder_" + std::to_string(setters + checkers) + "_bad",
            [=](Actors& m) {
                const Variable a = m.variable();
                const Variable b = m.variable();
                for (int i = 0; i < setters; ++i) {
                    m.thread([=, &m] { set_both(m, a, b); });
                }
                for (int i = 0; i < checkers; ++i) {
                    m.thread([=, &m] { check_both(m, a, b); });
                }
            },
            {}};
}

}  // namespace mishap::test
